//! Queue segments: what waits at the hosts and has no room in memory.
//!
//! A segment is written in one sweep, host by host, and then only read. It holds *blocks* (some
//! entries of one lane, packed by the frontier), *texts* that entries refer to by number, and an
//! index from lane to blocks. In memory stays one fence per 128 blocks.
//!
//! ```text
//! header | frames of blocks | frames of index | frames of texts | fences | tail
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::frame::{self, FrameWriter};
use crate::StoreError;
use crate::codec::{Take, put_number, put_signed};

const MAGIC: &[u8; 8] = b"crawl\0q1";
const TAIL_MAGIC: &[u8; 8] = b"crawl\0qE";
const TAIL: u64 = 16;
/// Bytes of blocks that are compressed together.
const FRAME_BYTES: usize = 16 << 10;
/// Blocks in one frame of the index.
const PER_INDEX: usize = 128;
/// Texts in one frame.
const PER_TEXTS: usize = 64;
/// Frames that are kept unpacked.
const CACHED: usize = 8;

/// Whose blocks: a host's entries of one priority and depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Number of the host.
    pub host: u32,
    /// Priority of its entries.
    pub priority: i32,
    /// Their depth.
    pub depth: u32,
}

/// Some entries of one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueBlock {
    /// The entries, packed.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub n: u32,
}

/// The first block that a frame of the index tells of.
#[derive(Debug, Clone, Copy)]
struct Fence {
    key: LaneKey,
    /// Blocks of the same lane before it.
    nth: u32,
    /// Where the frame is.
    at: u64,
}

/// Writes one segment.
pub struct QueueWriter {
    frames: FrameWriter<BufWriter<File>>,
    path: PathBuf,
    number: u32,
    /// Blocks of the frame to come.
    open: Vec<u8>,
    places: Vec<Place>,
    n_texts: u32,
}

/// Where a block is.
struct Place {
    key: LaneKey,
    frame: u64,
    at: u32,
    len: u32,
    n: u32,
}

impl QueueWriter {
    /// Begins segment `number` in `folder`, in the place of a half-written one.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn create(folder: &Path, number: u32) -> Result<Self, StoreError> {
        let path = path_of(folder, number);
        let begun = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(true).mode(0o600);
            let mut out = BufWriter::with_capacity(1 << 20, file.open(&path)?);
            out.write_all(MAGIC)?;
            FrameWriter::new(out, MAGIC.len() as u64)
        };
        let frames = begun().map_err(StoreError::file("create", &path))?;
        Ok(Self { frames, path, number, open: Vec::new(), places: Vec::new(), n_texts: 0 })
    }

    /// Adds a block of `n` entries. Keys must come in ascending order; blocks of one lane, in the
    /// order in which they are to be read.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn put(&mut self, key: LaneKey, bytes: &[u8], n: u32) -> Result<(), StoreError> {
        debug_assert!(self.places.last().is_none_or(|last| last.key <= key), "ascending");
        let (frame, at) = (self.frames.at(), short(self.open.len()));
        self.places.push(Place { key, frame, at, len: short(bytes.len()), n });
        self.open.extend_from_slice(bytes);
        if self.open.len() >= FRAME_BYTES {
            self.close_frame()?;
        }
        Ok(())
    }

    /// Ends the segment with the texts that its entries refer to, by number from 0. It is not
    /// [flushed](QueueSegment::sync) yet.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn finish<'a>(
        mut self,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<QueueSegment, StoreError> {
        if !self.open.is_empty() {
            self.close_frame()?;
        }
        let path = self.path.clone();
        let (fences, texts) = self.tables(texts).map_err(StoreError::file("write", &path))?;
        let ended = |frames: FrameWriter<BufWriter<File>>| -> std::io::Result<File> {
            let mut out = frames.into_inner();
            out.flush()?;
            out.into_inner().map_err(|e| e.into_error())
        };
        let n_entries = self.places.iter().map(|place| u64::from(place.n)).sum();
        let file = ended(self.frames).map_err(StoreError::file("write", &path))?;
        Ok(QueueSegment {
            file,
            path,
            number: self.number,
            fences,
            texts,
            n_entries,
            cache: Mutex::default(),
        })
    }

    fn close_frame(&mut self) -> Result<(), StoreError> {
        let put = self.frames.put(&self.open);
        self.open.clear();
        put.map_err(StoreError::file("write", &self.path))
    }

    /// Writes index, texts and fences.
    fn tables<'a>(
        &mut self,
        texts: impl Iterator<Item = &'a str>,
    ) -> std::io::Result<(Vec<Fence>, Vec<u64>)> {
        let fences = self.index()?;
        let mut frames = Vec::new();
        let mut page = Vec::new();
        for text in texts {
            super::put_text(&mut page, text.as_bytes());
            self.n_texts += 1;
            if (self.n_texts as usize).is_multiple_of(PER_TEXTS) {
                frames.push(self.frames.at());
                self.frames.put(&page)?;
                page.clear();
            }
        }
        if !page.is_empty() {
            frames.push(self.frames.at());
            self.frames.put(&page)?;
        }
        self.ending(&fences, &frames)?;
        Ok((fences, frames))
    }

    fn index(&mut self) -> std::io::Result<Vec<Fence>> {
        let mut fences = Vec::with_capacity(self.places.len() / PER_INDEX + 1);
        let mut page = Vec::new();
        let (mut last, mut nth) = (None, 0);
        for places in self.places.chunks(PER_INDEX) {
            let first = places[0].key;
            let nth_first = if last == Some(first) { nth } else { 0 };
            fences.push(Fence { key: first, nth: nth_first, at: self.frames.at() });
            for place in places {
                nth = if last == Some(place.key) { nth + 1 } else { 1 };
                last = Some(place.key);
                put_key(&mut page, place.key);
                put_number(&mut page, place.frame);
                put_number(&mut page, u64::from(place.at));
                put_number(&mut page, u64::from(place.len));
                put_number(&mut page, u64::from(place.n));
            }
            self.frames.put(&page)?;
            page.clear();
        }
        Ok(fences)
    }

    fn ending(&mut self, fences: &[Fence], texts: &[u64]) -> std::io::Result<()> {
        let at = self.frames.at();
        let mut page = Vec::new();
        let n_entries: u64 = self.places.iter().map(|place| u64::from(place.n)).sum();
        put_number(&mut page, n_entries);
        put_number(&mut page, u64::from(self.n_texts));
        put_number(&mut page, fences.len() as u64);
        for fence in fences {
            put_key(&mut page, fence.key);
            put_number(&mut page, u64::from(fence.nth));
            put_number(&mut page, fence.at);
        }
        put_number(&mut page, texts.len() as u64);
        texts.iter().for_each(|&at| put_number(&mut page, at));
        self.frames.put(&page)?;
        self.frames.put_raw(&at.to_le_bytes())?;
        self.frames.put_raw(TAIL_MAGIC)
    }
}

/// A whole segment, open to be read.
#[derive(Debug)]
pub struct QueueSegment {
    file: File,
    path: PathBuf,
    number: u32,
    fences: Vec<Fence>,
    /// Where each frame of texts is.
    texts: Vec<u64>,
    n_entries: u64,
    cache: Mutex<Vec<(u64, Arc<[u8]>)>>,
}

impl QueueSegment {
    /// Opens segment `number` in `folder`.
    ///
    /// # Errors
    /// [`StoreError::File`] if it is not there, [`StoreError::Damaged`] if it is not what was
    /// written.
    pub fn open(folder: &Path, number: u32) -> Result<Self, StoreError> {
        let path = path_of(folder, number);
        let file = File::open(&path).map_err(StoreError::file("open", &path))?;
        let len = file.metadata().map_err(StoreError::file("read", &path))?.len();
        let damaged = |what| StoreError::Damaged { path: path.clone(), offset: len, what };
        let mut tail = [0; TAIL as usize];
        let tail_at = len.checked_sub(TAIL).ok_or_else(|| damaged("it ends too early"))?;
        file.read_exact_at(&mut tail, tail_at).map_err(StoreError::file("read", &path))?;
        let (at, magic) = tail.split_at(8);
        if magic != TAIL_MAGIC {
            return Err(damaged("its end is missing"));
        }
        let at = u64::from_le_bytes(at.try_into().expect("eight bytes"));
        let (page, next) = frame::read(&file, &path, at)?;
        let ending = read_ending(&page).filter(|_| next == tail_at);
        let (n_entries, fences, texts) =
            ending.ok_or_else(|| damaged("its fences make no sense"))?;
        Ok(Self { file, path, number, fences, texts, n_entries, cache: Mutex::default() })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Entries in it.
    #[must_use]
    pub fn n_entries(&self) -> u64 {
        self.n_entries
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns when it is on the disk.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(StoreError::file("flush", &self.path))?;
        self.path.parent().map_or(Ok(()), super::sync_folder)
    }

    /// The `nth` block of a lane, from 0; `None` if it has no more.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::Damaged`].
    pub fn block(&self, key: LaneKey, nth: u32) -> Result<Option<QueueBlock>, StoreError> {
        let after = self.fences.partition_point(|fence| (fence.key, fence.nth) <= (key, nth));
        let Some(index) = after.checked_sub(1) else { return Ok(None) };
        let fence = self.fences[index];
        let page = self.frame(fence.at)?;
        let mut rest = Take(&page);
        let (mut last, mut n) = (fence.key, fence.nth);
        while !rest.0.is_empty() {
            let place = self.known(read_place(&mut rest), fence.at)?;
            if place.key != last {
                (last, n) = (place.key, 0);
            }
            if (place.key, n) == (key, nth) {
                return self.at(&place).map(Some);
            }
            n += 1;
        }
        Ok(None)
    }

    fn at(&self, place: &Place) -> Result<QueueBlock, StoreError> {
        let frame = self.frame(place.frame)?;
        let end = place.at as usize + place.len as usize;
        let bytes = self.known(frame.get(place.at as usize..end), place.frame)?;
        Ok(QueueBlock { bytes: bytes.to_vec(), n: place.n })
    }

    /// A text by its number.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::Damaged`].
    pub fn text(&self, number: u32) -> Result<String, StoreError> {
        let (page, nth) = (number as usize / PER_TEXTS, number as usize % PER_TEXTS);
        let at = self.known(self.texts.get(page).copied(), 0)?;
        let frame = self.frame(at)?;
        let mut rest = Take(&frame);
        let text = std::iter::from_fn(|| rest.text()).nth(nth);
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        self.known(text.map(str::to_owned), at)
    }

    /// A frame, unpacked; those asked for last are at hand.
    fn frame(&self, at: u64) -> Result<Arc<[u8]>, StoreError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = cache.iter().position(|(of, _)| *of == at) {
            let found = cache.remove(index);
            cache.push(found.clone());
            return Ok(found.1);
        }
        let bytes: Arc<[u8]> = frame::read(&self.file, &self.path, at)?.0.into();
        if cache.len() >= CACHED {
            cache.remove(0);
        }
        cache.push((at, bytes.clone()));
        Ok(bytes)
    }

    fn known<T>(&self, read: Option<T>, offset: u64) -> Result<T, StoreError> {
        let what = "what it says makes no sense";
        read.ok_or_else(|| StoreError::Damaged { path: self.path.clone(), offset, what })
    }
}

/// Removes the segments of a folder whose numbers are not among `named`.
///
/// # Errors
/// [`StoreError::File`].
pub(super) fn sweep(folder: &Path, named: &[u32]) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::file("read the folder", folder))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if !named.iter().any(|&number| path_of(folder, number) == path) {
            super::removed(fs::remove_file(&path), &path)?;
        }
    }
    Ok(())
}

fn path_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:010}.seg"))
}

fn short(len: usize) -> u32 {
    u32::try_from(len).expect("a frame is far smaller than 4 GiB")
}

fn put_key(out: &mut Vec<u8>, key: LaneKey) {
    put_number(out, u64::from(key.host));
    put_signed(out, i64::from(key.priority));
    put_number(out, u64::from(key.depth));
}

fn read_key(rest: &mut Take<'_>) -> Option<LaneKey> {
    let host = u32::try_from(rest.number()?).ok()?;
    let priority = i32::try_from(rest.signed()?).ok()?;
    let depth = u32::try_from(rest.number()?).ok()?;
    Some(LaneKey { host, priority, depth })
}

fn read_place(rest: &mut Take<'_>) -> Option<Place> {
    let key = read_key(rest)?;
    let frame = rest.number()?;
    let mut word = || u32::try_from(rest.number()?).ok();
    Some(Place { key, frame, at: word()?, len: word()?, n: word()? })
}

type Ending = (u64, Vec<Fence>, Vec<u64>);

fn read_ending(page: &[u8]) -> Option<Ending> {
    let mut rest = Take(page);
    let n_entries = rest.number()?;
    let n_texts = rest.number()?;
    let n_fences = rest.number()?;
    let mut fences = Vec::new();
    for _ in 0..n_fences {
        let key = read_key(&mut rest)?;
        let nth = u32::try_from(rest.number()?).ok()?;
        fences.push(Fence { key, nth, at: rest.number()? });
    }
    let n_frames = rest.number()?;
    let texts = (0..n_frames).map(|_| rest.number()).collect::<Option<Vec<_>>>()?;
    let is_whole = texts.len() as u64 == n_texts.div_ceil(PER_TEXTS as u64);
    (rest.0.is_empty() && is_whole).then_some((n_entries, fences, texts))
}
