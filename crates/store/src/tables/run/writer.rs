//! Writing a run: under another name until it is whole and on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::block::MOST;
use super::{MAGIC, NEW, block, foot};
use crate::StoreError;
use crate::tables::sync_folder;

/// Writes one run.
#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    new: PathBuf,
    out: BufWriter<File>,
    entries: Vec<(u64, u32)>,
    bytes: Vec<u8>,
    n_entries: u64,
    n_blocks: u64,
    is_whole: bool,
}

impl RunWriter {
    /// Begins the run that will be `path`. Until it is [`finish`](Self::finish)ed it has `.new`
    /// behind its name; dropped before that, it leaves nothing.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let mut new = path.as_os_str().to_owned();
        new.push(NEW);
        let new = PathBuf::from(new);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .map_err(StoreError::file("create", &new))?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        out.write_all(MAGIC).map_err(StoreError::file("write", &new))?;
        Ok(Self {
            path: path.to_owned(),
            new,
            out,
            entries: Vec::with_capacity(MOST),
            bytes: Vec::new(),
            n_entries: 0,
            n_blocks: 0,
            is_whole: false,
        })
    }

    /// Appends an entry; its key is greater than all before.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn push(&mut self, key: u64, value: u32) -> Result<(), StoreError> {
        self.entries.push((key, value));
        if self.entries.len() == MOST { self.seal() } else { Ok(()) }
    }

    /// Ends the file, and returns when it is on the disk under its name.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.seal()?;
        let mut ended = || -> io::Result<()> {
            self.out.write_all(&foot(self.n_entries, self.n_blocks))?;
            self.out.flush()?;
            self.out.get_ref().sync_all()?;
            fs::rename(&self.new, &self.path)
        };
        ended().map_err(StoreError::file("write", &self.new))?;
        self.is_whole = true;
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.bytes.clear();
        block::put(&mut self.bytes, &self.entries);
        self.n_entries += self.entries.len() as u64;
        self.n_blocks += 1;
        self.entries.clear();
        self.out.write_all(&self.bytes).map_err(StoreError::file("write", &self.new))
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.is_whole {
            // What stays is removed at the next open.
            let _ = fs::remove_file(&self.new);
        }
    }
}
