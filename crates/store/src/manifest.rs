//! The last acknowledged settle number, kept beside the database.
//!
//! A database that comes up short after a crash opens without a word; this file knows better.
//! It is written after each commit and before anything is acknowledged, so it is never ahead of
//! a database that kept its word. One `pwrite` of one line: a kill cannot tear it.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{StoreError, crash};

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The last number.
    At(u64),
    /// There is none.
    Missing,
    /// It is there and makes no sense.
    Unreadable,
}

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct Manifest {
    path: PathBuf,
    file: File,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Told, StoreError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(parse(&text).map_or(Told::Unreadable, Told::At)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Told::Missing),
            Err(e) if e.kind() == ErrorKind::InvalidData => Ok(Told::Unreadable),
            Err(e) => Err(StoreError::file("read", path)(e)),
        }
    }

    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::file("open", &path))?;
        Ok(Self { path, file })
    }

    pub(crate) fn write(&self, n: u64) -> Result<(), StoreError> {
        crash::point("manifest-before-write");
        let written = self.file.write_all_at(line(n).as_bytes(), 0);
        written.map_err(StoreError::file("write", &self.path))?;
        crash::point("manifest-written");
        Ok(())
    }
}

fn line(n: u64) -> String {
    let text = format!("crawl-manifest 1 last-settle {n:020}");
    format!("{text} sum {:016x}\n", checksum(text.as_bytes()))
}

fn parse(text: &str) -> Option<u64> {
    let n = text.split(' ').nth(3)?.parse().ok()?;
    (line(n) == text).then_some(n)
}

/// FNV-1a, 64 bits: tells accidents, not attacks.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, &byte: &u8| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest");
        assert_eq!(Manifest::read(&path).unwrap(), Told::Missing);
        let manifest = Manifest::open(path.clone()).unwrap();
        for n in [0, 7, u64::MAX] {
            manifest.write(n).unwrap();
            assert_eq!(Manifest::read(&path).unwrap(), Told::At(n));
        }
        fs::write(&path, line(12).replace("12 ", "13 ")).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), Told::Unreadable);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), Told::Unreadable);
    }
}
