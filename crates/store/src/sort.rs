//! Rows sorted on the disk, for what there may be too much of for memory.
//!
//! Rows of one length are gathered; when there are many they are sorted and written to a file of
//! their own, and in the end all files are merged. The files have no names: whatever becomes of
//! the process, they are gone with it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of rows in memory.
const MEMORY: usize = 32 << 20;

/// Gathers rows of `N` bytes, which sort as their bytes do.
#[derive(Debug)]
pub(crate) struct Sorter<const N: usize> {
    rows: Vec<[u8; N]>,
    files: Vec<File>,
    most: usize,
}

impl<const N: usize> Sorter<N> {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), files: Vec::new(), most: MEMORY / N }
    }

    pub(crate) fn push(&mut self, row: [u8; N]) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() >= self.most { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.rows.sort_unstable();
        let mut out = BufWriter::with_capacity(1 << 18, nameless()?);
        for row in self.rows.drain(..) {
            out.write_all(&row)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.files.push(file);
        Ok(())
    }

    /// All rows in order, alike ones as often as they came.
    pub(crate) fn sorted(mut self) -> io::Result<Sorted<N>> {
        self.rows.sort_unstable();
        let mut sorted = Sorted {
            memory: self.rows.into_iter(),
            files: Vec::new(),
            heads: BinaryHeap::new(),
            next: None,
        };
        for file in self.files {
            sorted.files.push(BufReader::with_capacity(1 << 16, file));
        }
        for source in 0..=sorted.files.len() {
            sorted.pull(source)?;
        }
        sorted.advance()?;
        Ok(sorted)
    }
}

/// The rows, one by one.
#[derive(Debug)]
pub(crate) struct Sorted<const N: usize> {
    memory: std::vec::IntoIter<[u8; N]>,
    files: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<([u8; N], usize)>>,
    next: Option<[u8; N]>,
}

impl<const N: usize> Sorted<N> {
    /// The next row, which stays the next.
    pub(crate) fn peek(&self) -> Option<&[u8; N]> {
        self.next.as_ref()
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<[u8; N]>> {
        let next = self.next.take();
        self.advance()?;
        Ok(next)
    }

    fn advance(&mut self) -> io::Result<()> {
        if let Some(Reverse((row, source))) = self.heads.pop() {
            self.next = Some(row);
            self.pull(source)?;
        }
        Ok(())
    }

    /// Takes up the next row of a source: the last one is the memory.
    fn pull(&mut self, source: usize) -> io::Result<()> {
        let row = match self.files.get_mut(source) {
            None => self.memory.next(),
            Some(file) => {
                let mut row = [0; N];
                match file.read_exact(&mut row) {
                    Ok(()) => Some(row),
                    Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => None,
                    Err(e) => return Err(e),
                }
            }
        };
        if let Some(row) = row {
            self.heads.push(Reverse((row, source)));
        }
        Ok(())
    }
}

/// A file in the system's folder for such, whose name is taken away at once.
fn nameless() -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("crawl-verify-{}-{n}", std::process::id());
    let path: PathBuf = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_sorted_from_memory_and_files() {
        let mut sorter = Sorter::<4> { most: 7, ..Sorter::new() };
        let number = |n: u32| n.wrapping_mul(2_654_435_761) % 50;
        for n in 0..100 {
            sorter.push(number(n).to_be_bytes()).unwrap();
        }
        assert!(sorter.files.len() > 10);
        let mut expected: Vec<_> = (0..100).map(number).collect();
        expected.sort_unstable();
        let mut sorted = sorter.sorted().unwrap();
        assert_eq!(sorted.peek(), Some(&expected[0].to_be_bytes()));
        let mut rows = Vec::new();
        while let Some(row) = sorted.next().unwrap() {
            rows.push(u32::from_be_bytes(row));
        }
        assert_eq!(rows, expected);
        assert_eq!(sorted.peek(), None);
    }
}
