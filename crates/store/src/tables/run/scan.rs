//! Reading a run from end to end: to open it, or to merge it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::block::{Buffer, HEAD};
use super::{FOOT, Fence, MAGIC, Run, cannot_read, damaged, foot};
use crate::StoreError;

/// Reads a run's blocks in order.
#[derive(Debug)]
pub struct RunScan {
    path: PathBuf,
    file: BufReader<File>,
    n_entries: u64,
    n_blocks: u64,
    /// Where the next block begins, and where the foot does.
    at: u64,
    end: u64,
    last: Option<u64>,
    buffer: Buffer,
    keys: Vec<u64>,
    values: Vec<u32>,
}

impl RunScan {
    /// Begins at a run's first entry.
    ///
    /// # Errors
    /// [`StoreError::File`] if the file cannot be read, [`StoreError::Damaged`] if it does not
    /// begin or end like a run.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::file("open", path))?;
        let length = file.metadata().map_err(StoreError::file("read", path))?.len();
        let at = MAGIC.len() as u64;
        let end = length.checked_sub(FOOT as u64).filter(|&end| end >= at);
        let end = end.ok_or_else(|| damaged(path, 0, "it ends too early"))?;
        let (mut magic, mut ending) = ([0; 8], [0; FOOT]);
        file.read_exact_at(&mut magic, 0).map_err(|e| cannot_read(e, path, 0))?;
        file.read_exact_at(&mut ending, end).map_err(|e| cannot_read(e, path, end))?;
        if magic != *MAGIC {
            return Err(damaged(path, 0, "it does not begin like a run of this version"));
        }
        let [n_entries, n_blocks] = [8, 16].map(|at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&ending[at..at + 8]);
            u64::from_le_bytes(number)
        });
        if ending != foot(n_entries, n_blocks) {
            return Err(damaged(path, end, "it does not end like a run"));
        }
        let mut file = BufReader::with_capacity(1 << 18, file);
        file.seek_relative(8).map_err(StoreError::file("read", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            n_entries,
            n_blocks,
            at,
            end,
            last: None,
            buffer: Buffer::default(),
            keys: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Number of all entries of the run.
    #[must_use]
    pub fn n_entries(&self) -> u64 {
        self.n_entries
    }

    /// The next entries, keys and values; both empty at the end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::File`].
    pub fn next_block(&mut self) -> Result<(&[u64], &[u32]), StoreError> {
        self.keys.clear();
        self.values.clear();
        if self.at < self.end {
            self.read_block()?;
        }
        Ok((&self.keys, &self.values))
    }

    /// Reads all that is left, shows its keys to `see`, and makes the run ready for look-ups.
    /// To be called before any block is taken.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::File`].
    pub fn index(mut self, mut see: impl FnMut(&[u64])) -> Result<Run, StoreError> {
        // Told by a foot with a right checksum, and still no reason to trust it with memory.
        let n_blocks = self.n_blocks.min((self.end - self.at) / HEAD as u64);
        let n_blocks = usize::try_from(n_blocks).unwrap_or(0);
        let mut fences = Vec::with_capacity(n_blocks);
        let mut n_entries = 0;
        while self.at < self.end {
            let offset = self.at;
            self.read_block()?;
            fences.push(Fence { first: self.keys[0], offset });
            n_entries += self.keys.len() as u64;
            see(&self.keys);
        }
        if (n_entries, fences.len() as u64) != (self.n_entries, self.n_blocks) {
            return Err(damaged(&self.path, self.end, "it has not as many entries as it says"));
        }
        Ok(Run { path: self.path, file: self.file.into_inner(), n_entries, fences, end: self.end })
    }

    fn read_block(&mut self) -> Result<(), StoreError> {
        let at = self.at;
        let no_sense = "the head of a block makes no sense";
        let room = self.buffer.make_room(HEAD).expect("a head is shorter than a block");
        self.file.read_exact(room).map_err(|e| cannot_read(e, &self.path, at))?;
        let length = self.buffer.length_told().filter(|&length| at + length as u64 <= self.end);
        let length = length.ok_or_else(|| damaged(&self.path, at, no_sense))?;
        let room = self.buffer.make_room(length).expect("the head was believed");
        self.file.read_exact(&mut room[HEAD..]).map_err(|e| cannot_read(e, &self.path, at))?;
        self.buffer.check().map_err(|what| damaged(&self.path, at, what))?;
        let ascends = self.buffer.unpack(&mut self.keys, &mut self.values);
        if !ascends || self.last.is_some_and(|last| last >= self.keys[0]) {
            return Err(damaged(&self.path, at, "its entries are out of order"));
        }
        self.last = self.keys.last().copied();
        self.at += length as u64;
        Ok(())
    }
}
