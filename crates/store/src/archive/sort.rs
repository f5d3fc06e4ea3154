//! Sorts more rows than fit into memory: sorted runs in files without a name, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{StoreError, crash};

/// Bytes of rows that are held in memory.
const MEMORY: u64 = 64 << 20;

/// Runs that are merged at a time: each has a file and a buffer.
const RUNS: usize = 64;

/// What a row costs beside its bytes.
const ROW: usize = 24;

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    /// Where runs are put.
    dir: PathBuf,
    rows: Vec<Box<[u8]>>,
    n_bytes: u64,
    memory: u64,
    runs: Vec<File>,
}

impl Sorter {
    pub(crate) fn new(dir: &Path) -> Self {
        let memory = crash::limit("SORT", MEMORY);
        Self { dir: dir.to_owned(), rows: Vec::new(), n_bytes: 0, memory, runs: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Box<[u8]>) -> Result<(), StoreError> {
        self.n_bytes += (row.len() + ROW) as u64;
        self.rows.push(row);
        if self.n_bytes >= self.memory {
            self.spill()?;
        }
        Ok(())
    }

    /// Gives the rows in order.
    pub(crate) fn finish(mut self) -> Result<Sorted, StoreError> {
        self.rows.sort_unstable();
        let rows = std::mem::take(&mut self.rows);
        Sorted::new(self.dir.clone(), std::mem::take(&mut self.runs), rows)
    }

    /// Writes what is in memory as a run.
    fn spill(&mut self) -> Result<(), StoreError> {
        self.rows.sort_unstable();
        let rows = std::mem::take(&mut self.rows).into_iter().map(Ok);
        self.n_bytes = 0;
        let run = self.write(rows)?;
        self.runs.push(run);
        if self.runs.len() == RUNS {
            let runs = std::mem::take(&mut self.runs);
            let merged = Sorted::new(self.dir.clone(), runs, Vec::new())?;
            let run = self.write(merged)?;
            self.runs.push(run);
        }
        Ok(())
    }

    fn write(
        &self,
        rows: impl Iterator<Item = Result<Box<[u8]>, StoreError>>,
    ) -> Result<File, StoreError> {
        let fail = StoreError::file("write rows in", &self.dir);
        let file = unnamed(&self.dir)?;
        let mut out = BufWriter::with_capacity(256 << 10, file);
        for row in rows {
            let row = row?;
            let len = u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes();
            let written = out.write_all(&len).and_then(|()| out.write_all(&row));
            written.map_err(StoreError::file("write rows in", &self.dir))?;
        }
        let file = out.into_inner().map_err(|e| e.into_error());
        let rewound = file.and_then(|mut file| file.rewind().map(|()| file));
        rewound.map_err(fail)
    }
}

/// A file that is gone when it is closed, however the process ends.
fn unnamed(dir: &Path) -> Result<File, StoreError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = dir.join(format!(".crawl-sort-{}-{count}", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(StoreError::file("create", &path))?;
    fs::remove_file(&path).map_err(StoreError::file("remove", &path))?;
    Ok(file)
}

/// Rows in order; after an error it ends.
pub(crate) struct Sorted {
    dir: PathBuf,
    runs: Vec<Run>,
    /// The next row of each run, the least on top.
    next: BinaryHeap<Reverse<(Box<[u8]>, usize)>>,
}

enum Run {
    Memory(std::vec::IntoIter<Box<[u8]>>),
    File(BufReader<File>),
}

impl Run {
    fn next(&mut self) -> std::io::Result<Option<Box<[u8]>>> {
        let file = match self {
            Self::Memory(rows) => return Ok(rows.next()),
            Self::File(file) => file,
        };
        let mut len = [0; 4];
        match file.read_exact(&mut len) {
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let mut row = vec![0; u32::from_le_bytes(len) as usize];
        file.read_exact(&mut row)?;
        Ok(Some(row.into()))
    }
}

impl Sorted {
    fn new(dir: PathBuf, files: Vec<File>, rows: Vec<Box<[u8]>>) -> Result<Self, StoreError> {
        let files = files.into_iter().map(|file| Run::File(BufReader::new(file)));
        let runs = files.chain([Run::Memory(rows.into_iter())]).collect();
        let mut sorted = Self { dir, runs, next: BinaryHeap::new() };
        for i in 0..sorted.runs.len() {
            sorted.pull(i)?;
        }
        Ok(sorted)
    }

    fn pull(&mut self, i: usize) -> Result<(), StoreError> {
        let row = self.runs[i].next().map_err(StoreError::file("read rows in", &self.dir))?;
        self.next.extend(row.map(|row| Reverse((row, i))));
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = Result<Box<[u8]>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((row, i)) = self.next.pop()?;
        match self.pull(i) {
            Ok(()) => Some(Ok(row)),
            Err(error) => {
                self.next.clear();
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_order_however_little_memory_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter { memory: 100, ..Sorter::new(dir.path()) };
        let n = 1000_u32;
        for i in 0..n {
            sorter.push(format!("{:04}", i * 7919 % n).into_bytes().into()).unwrap();
        }
        assert!(sorter.runs.len() > 1 && sorter.runs.len() < RUNS);
        let rows = sorter.finish().unwrap().map(|row| row.unwrap());
        assert!(rows.eq((0..n).map(|i| format!("{i:04}").into_bytes().into())));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
