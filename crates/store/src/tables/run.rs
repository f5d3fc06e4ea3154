//! Sorted runs: files of ascending 64-bit keys, each with a small value.
//!
//! A run is written once and never changed. It is cut into blocks, and only the first key of each
//! block stays in memory (a quarter of a byte an entry), so looking up a key is one `pread` of
//! four hundred bytes. The fences are not in the file: whoever opens it reads it from end to
//! end anyway, to build a filter, and so damage is noticed at the open and not in mid-crawl.
//!
//! Layout: 8 bytes that say what it is; blocks; a foot of 28 bytes (what it is, number of
//! entries, number of blocks, CRC-32 of these). All numbers little endian.
//!
//! Not here: which of several runs is right, filters, what a value means.

mod block;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use self::block::Buffer;
use crate::StoreError;

pub use scan::RunScan;
pub use writer::RunWriter;

const MAGIC: &[u8; 8] = b"crawl\0r1";
const FOOT_MAGIC: &[u8; 8] = b"crawl\0re";
const FOOT: usize = 28;
/// How the name of a run ends, and what is behind that until it is whole.
const ENDING: &str = ".run";
const NEW: &str = ".new";

/// A run, open for look-ups from any thread.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    file: File,
    n_entries: u64,
    /// Of each block.
    fences: Vec<Fence>,
    /// Where the last block ends.
    end: u64,
}

/// Where a block is, and what it begins with.
#[derive(Debug, Clone, Copy)]
struct Fence {
    first: u64,
    offset: u64,
}

impl Run {
    /// Number of its entries.
    #[must_use]
    pub fn n_entries(&self) -> u64 {
        self.n_entries
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub fn ram_bytes(&self) -> usize {
        size_of::<Fence>() * self.fences.capacity()
    }

    /// The value of `key`, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::File`].
    pub fn get(&self, key: u64) -> Result<Option<u32>, StoreError> {
        self.reader().get(key)
    }

    /// For looking up many keys: where neighbours lie in one block, it is read once.
    #[must_use]
    pub fn reader(&self) -> RunReader<'_> {
        RunReader { run: self, buffer: Buffer::default(), loaded: None }
    }

    /// The block in which `key` must be if it is there.
    ///
    /// Keys are hashes, so where it is can be guessed well; the search goes outwards from there.
    fn block_of(&self, key: u64) -> Option<usize> {
        let n = self.fences.len();
        if self.fences.first()?.first > key {
            return None;
        }
        let guess = ((u128::from(key) * n as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 1);
        // Invariant in the end: the block at `low` begins at or before the key, that at `high`
        // after it.
        while self.fences[low].first > key {
            high = low;
            low = low.saturating_sub(step);
            step *= 2;
        }
        while high == low || (high < n && self.fences[high].first <= key) {
            low = high;
            high = (high + step).min(n);
            step *= 2;
        }
        Some(low + self.fences[low..high].partition_point(|fence| fence.first <= key) - 1)
    }

    fn load(&self, index: usize, buffer: &mut Buffer) -> Result<(), StoreError> {
        let Fence { first, offset: at } = self.fences[index];
        let end = self.fences.get(index + 1).map_or(self.end, |next| next.offset);
        let damaged = |what| damaged(&self.path, at, what);
        let length = usize::try_from(end - at).unwrap_or(usize::MAX);
        let bytes = buffer.make_room(length).ok_or_else(|| damaged("a block is too long"))?;
        self.file.read_exact_at(bytes, at).map_err(|e| cannot_read(e, &self.path, at))?;
        buffer.check().map_err(damaged)?;
        if buffer.first() != first {
            return Err(damaged("it was changed after it was opened"));
        }
        Ok(())
    }
}

/// Looks up keys in one run.
#[derive(Debug)]
pub struct RunReader<'a> {
    run: &'a Run,
    buffer: Buffer,
    /// Which block is in the buffer.
    loaded: Option<usize>,
}

impl RunReader<'_> {
    /// The value of `key`, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::File`].
    pub fn get(&mut self, key: u64) -> Result<Option<u32>, StoreError> {
        let Some(index) = self.run.block_of(key) else { return Ok(None) };
        if self.loaded != Some(index) {
            self.loaded = None;
            self.run.load(index, &mut self.buffer)?;
            self.loaded = Some(index);
        }
        Ok(self.buffer.find(key))
    }
}

/// Name of the run with this number.
#[must_use]
pub fn run_name(n: u64) -> String {
    format!("{n:08}{ENDING}")
}

/// Removes the runs in `folder` that are not among `named`: those that a kill left behind. Makes
/// the folder if it is not there. Returns a number that is greater than all in use.
///
/// # Errors
/// [`StoreError::File`].
pub fn sweep_runs(folder: &Path, named: &[String]) -> Result<u64, StoreError> {
    fs::create_dir_all(folder).map_err(StoreError::file("create the folder", folder))?;
    let entries = fs::read_dir(folder).map_err(StoreError::file("read the folder", folder))?;
    for entry in entries {
        let entry = entry.map_err(StoreError::file("read the folder", folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // What is not called like a run is not ours to remove.
        let is_run = number(name.strip_suffix(NEW).unwrap_or(&name)).is_some();
        if is_run && !named.iter().any(|named| *named == *name) {
            let path = entry.path();
            fs::remove_file(&path).map_err(StoreError::file("remove", &path))?;
        }
    }
    Ok(named.iter().filter_map(|name| number(name)).max().map_or(1, |last| last + 1))
}

fn number(name: &str) -> Option<u64> {
    name.strip_suffix(ENDING)?.parse().ok()
}

fn damaged(path: &Path, offset: u64, what: &'static str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), offset, what }
}

fn cannot_read(error: std::io::Error, path: &Path, offset: u64) -> StoreError {
    match error.kind() {
        ErrorKind::UnexpectedEof => damaged(path, offset, "it ends too early"),
        _ => StoreError::file("read", path)(error),
    }
}

/// The last bytes of a run.
fn foot(n_entries: u64, n_blocks: u64) -> [u8; FOOT] {
    let mut foot = [0; FOOT];
    foot[..8].copy_from_slice(FOOT_MAGIC);
    foot[8..16].copy_from_slice(&n_entries.to_le_bytes());
    foot[16..24].copy_from_slice(&n_blocks.to_le_bytes());
    let sum = crc32fast::hash(&foot[..24]);
    foot[24..].copy_from_slice(&sum.to_le_bytes());
    foot
}
