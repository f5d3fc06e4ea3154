//! Queue segments: `crawl\0q1`, frames of blocks, frames of the index, frames of texts, the fences'
//! frame, its place (8 bytes), `crawl\0qE`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crawl_model::{CanonicalUrl, Fingerprinter, Request};

use super::checkpoint::{Checkpoint, Lane};
use super::{Fault, frame};
use crate::sort::Sorter;
use crate::verify::bytes::{Bytes, le_u64};
use crate::verify::finding::Kind;

const MAGIC: &[u8] = b"crawl\0q1";
const TAIL_MAGIC: &[u8] = b"crawl\0qE";
const TAIL: u64 = 16;

// Flags of an entry.
const HTTPS: u8 = 1;
const WHOLE: u8 = 2;
const REFERRER: u8 = 4;
const LABEL: u8 = 8;
const RANK: u8 = 16;
const JSON: u8 = 32;

/// Host number, priority, depth.
type Key = (u32, i32, u32);

/// Where a block of a lane lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    frame: u64,
    at: u32,
    len: u32,
    n: u32,
}

struct Segment {
    name: String,
    file: File,
    len: u64,
    /// Where the frame of the fences is.
    fences: u64,
    /// The frame that was read last.
    frame: Option<(u64, Vec<u8>)>,
    /// Frames of the index.
    index: Vec<u64>,
    n_entries: u64,
}

/// The segments that a checkpoint names.
pub(super) struct Segments(BTreeMap<u32, Segment>);

impl Segments {
    pub(super) fn open(dir: &Path, checkpoint: &Checkpoint) -> Result<Self, Fault> {
        let mut segments = BTreeMap::new();
        for &(number, left) in &checkpoint.segments {
            let segment = Segment::open(dir, number)?;
            if left > segment.n_entries {
                let what = format!("{left} of its entries wait, and it has {}", segment.n_entries);
                return Err(segment.damaged(0, what));
            }
            segments.insert(number, segment);
        }
        Ok(Self(segments))
    }

    /// Reads every frame of every segment.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.0.values().try_for_each(Segment::check)
    }

    /// Adds the prints of all entries that wait.
    pub(super) fn waiting(
        &mut self,
        checkpoint: &Checkpoint,
        prints: &Fingerprinter,
        waiting: &mut Sorter<8>,
    ) -> Result<(), Fault> {
        // Lane by lane; each segment's blocks lie in the order of the lanes.
        for (host, row) in (0..).zip(&checkpoint.hosts) {
            for lane in &row.lanes {
                self.lane(host, &row.name, *lane, prints, waiting)?;
            }
        }
        Ok(())
    }

    fn lane(
        &mut self,
        host: u32,
        name: &str,
        lane: Lane,
        prints: &Fingerprinter,
        waiting: &mut Sorter<8>,
    ) -> Result<(), Fault> {
        let key = (host, lane.priority, lane.depth);
        let (mut left, mut skip, mut from) = (lane.n, lane.skip, lane.block);
        for (&number, segment) in self.0.range_mut(lane.segment..) {
            if number != lane.segment {
                (skip, from) = (0, 0);
            }
            let blocks = segment.blocks(key)?;
            for place in blocks.into_iter().skip(from as usize) {
                if left == 0 {
                    return Ok(());
                }
                let entries = segment.entries(&place)?;
                for entry in entries.iter().skip(skip as usize).take(left as usize) {
                    let url = unpacked(entry, name, key);
                    let request =
                        url.ok_or_else(|| segment.damaged(place.frame, "an entry makes no sense"))?;
                    let print = prints.request(&request).0.to_be_bytes();
                    waiting.push(print).map_err(|e| segment.damaged(0, e.to_string()))?;
                    left -= 1;
                }
                skip = 0;
            }
        }
        if left == 0 {
            return Ok(());
        }
        let what = format!("{left} URLs of {name} that should wait are in no segment");
        Err(Fault::new(Kind::QueueDamaged, "frontier/queue", 0, what))
    }
}

impl Segment {
    fn open(dir: &Path, number: u32) -> Result<Self, Fault> {
        let file_name = format!("{number:010}.seg");
        let name = format!("frontier/queue/{file_name}");
        let fault = |at: u64, what: String| Fault::new(Kind::QueueDamaged, &name, at, what);
        let file = File::open(dir.join(file_name)).map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                Fault::new(Kind::MissingQueueSegment, &name, 0, "it is not there")
            }
            _ => fault(0, e.to_string()),
        })?;
        let len = file.metadata().map_err(|e| fault(0, e.to_string()))?.len();
        let (mut magic, mut tail) = ([0; 8], [0; TAIL as usize]);
        let tail_at =
            len.checked_sub(TAIL).ok_or_else(|| fault(len, "it ends too early".to_owned()))?;
        let read =
            file.read_exact_at(&mut magic, 0).and_then(|()| file.read_exact_at(&mut tail, tail_at));
        read.map_err(|e| fault(0, e.to_string()))?;
        if magic != *MAGIC || !tail.ends_with(TAIL_MAGIC) {
            return Err(fault(0, "it begins or ends unlike a segment".to_owned()));
        }
        let fences = le_u64(&tail, 0).unwrap_or(0);
        let (page, end) = frame::read(&file, fences).map_err(|what| fault(fences, what))?;
        let read = ending(&page).filter(|_| end == tail_at);
        let (n_entries, index) =
            read.ok_or_else(|| fault(fences, "its fences make no sense".to_owned()))?;
        Ok(Self { name: name.clone(), file, len, fences, frame: None, index, n_entries })
    }

    fn check(&self) -> Result<(), Fault> {
        let mut at = MAGIC.len() as u64;
        while at < self.len - TAIL {
            (_, at) = frame::read(&self.file, at).map_err(|what| self.damaged(at, what))?;
        }
        let mut n = 0;
        let mut last = None;
        for index in &self.index {
            let (page, _) =
                frame::read(&self.file, *index).map_err(|what| self.damaged(*index, what))?;
            for (key, place) in
                places(&page).ok_or_else(|| self.damaged(*index, "its index makes no sense"))?
            {
                if last.is_some_and(|last| last > key) {
                    return Err(self.damaged(*index, "its lanes are out of order"));
                }
                last = Some(key);
                n += u64::from(place.n);
            }
        }
        if at != self.len - TAIL || n != self.n_entries || self.fences >= self.len {
            return Err(self.damaged(0, "it has not as many entries as it says"));
        }
        Ok(())
    }

    /// The blocks of a lane, in order.
    fn blocks(&mut self, wanted: Key) -> Result<Vec<Place>, Fault> {
        let mut blocks = Vec::new();
        // The last frame whose first lane is not behind it, and those that go on from there.
        let mut first = self.index.len();
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = (low + high) / 2;
            let page = self.page(self.index[middle])?;
            let key = places(&page).and_then(|places| places.first().map(|(key, _)| *key));
            let key = key.ok_or_else(|| self.damaged(0, "its index makes no sense"))?;
            if key < wanted { low = middle + 1 } else { high = middle }
        }
        first = first.min(low.saturating_sub(1));
        for nth in first..self.index.len() {
            let at = self.index[nth];
            let page = self.page(at)?;
            let all = places(&page).ok_or_else(|| self.damaged(at, "its index makes no sense"))?;
            let is_over = all.last().is_some_and(|(key, _)| *key > wanted);
            blocks
                .extend(all.into_iter().filter(|(key, _)| *key == wanted).map(|(_, place)| place));
            if is_over {
                break;
            }
        }
        Ok(blocks)
    }

    fn page(&self, at: u64) -> Result<Vec<u8>, Fault> {
        frame::read(&self.file, at).map(|(page, _)| page).map_err(|what| self.damaged(at, what))
    }

    /// The entries of a block, still packed.
    fn entries(&mut self, place: &Place) -> Result<Vec<Vec<u8>>, Fault> {
        if self.frame.as_ref().is_none_or(|(at, _)| *at != place.frame) {
            self.frame = Some((place.frame, self.page(place.frame)?));
        }
        let bytes = self.frame.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        let (start, len) = (place.at as usize, place.len as usize);
        let block = bytes.get(start..).and_then(|rest| rest.get(..len));
        let entries = block.and_then(|block| {
            let mut rest = Bytes(block);
            let mut entries = Vec::new();
            while !rest.is_empty() {
                entries.push(rest.piece()?.to_vec());
            }
            (entries.len() == place.n as usize).then_some(entries)
        });
        entries.ok_or_else(|| self.damaged(place.frame, "a block makes no sense"))
    }

    fn damaged(&self, at: u64, what: impl Into<String>) -> Fault {
        Fault::new(Kind::QueueDamaged, &self.name, at, what)
    }
}

/// Number of entries, and where the frames of the index are.
fn ending(page: &[u8]) -> Option<(u64, Vec<u64>)> {
    let mut rest = Bytes(page);
    let n_entries = rest.number()?;
    rest.number()?; // texts
    let n_fences = rest.number()?;
    let mut index = Vec::new();
    for _ in 0..n_fences {
        key(&mut rest)?;
        rest.number()?; // blocks of the same lane before it
        index.push(rest.number()?);
    }
    for _ in 0..rest.number()? {
        rest.number()?; // where texts are
    }
    rest.is_empty().then_some((n_entries, index))
}

fn key(rest: &mut Bytes<'_>) -> Option<Key> {
    Some((rest.small()?, i32::try_from(rest.signed()?).ok()?, rest.small()?))
}

fn places(page: &[u8]) -> Option<Vec<(Key, Place)>> {
    let mut rest = Bytes(page);
    let mut places = Vec::new();
    while !rest.is_empty() {
        let key = key(&mut rest)?;
        let frame = rest.number()?;
        let (at, len, n) = (rest.small()?, rest.small()?, rest.small()?);
        places.push((key, Place { frame, at, len, n }));
    }
    Some(places)
}

/// The request of an entry, as far as its fingerprint needs it.
fn unpacked(entry: &[u8], host: &str, _lane: Key) -> Option<Request> {
    let mut rest = Bytes(entry);
    let flags = rest.byte()?;
    if flags & JSON != 0 {
        return serde_json::from_slice(rest.0).ok();
    }
    for flag in [REFERRER, LABEL] {
        if flags & flag != 0 {
            rest.small()?;
        }
    }
    if flags & RANK != 0 {
        rest.signed()?;
        rest.small()?;
    }
    let text = std::str::from_utf8(rest.0).ok()?;
    let scheme = if flags & HTTPS != 0 { "https" } else { "http" };
    let url = match flags & WHOLE {
        0 => CanonicalUrl::parse(&format!("{scheme}://{host}{text}")),
        _ => CanonicalUrl::parse(text),
    };
    url.ok().map(Request::get)
}
