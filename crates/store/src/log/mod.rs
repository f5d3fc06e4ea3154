//! The settle log: files that are only ever appended to.
//!
//! A hundred million URLs make a log of gigabytes, read from one end to the other and never
//! changed. A database does much for such bytes that nobody needs, so they lie in files of their
//! own; the database keeps the one number that matters, how far they are committed.
//!
//! - A commit appends its records and brings them to the disk; then comes the batch that says so.
//! - What lies beyond the committed place after a kill was never acknowledged and is cut off.
//! - What lies before it has a checksum. Damage there, or a file that is short or gone, is a loud
//!   error with file and offset: nothing is skipped.
//!
//! Readers beside the writer see up to the place that was committed when they began.
//!
//! Not here: what is in a record (`codec`), what the events mean.

mod segment;

mod append;
mod recover;

mod index;
mod read;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crawl_model::{Fingerprinter, LogPosition};

use crate::{StoreError, crash};

use index::Index;

pub(crate) use append::Appender;
pub use read::Events;
pub(crate) use read::{Log, last_or};
pub(crate) use recover::recover;

/// A file is full when it is longer than this, in bytes; the commit that fills it goes beyond.
const SEGMENT_BYTES: u64 = 64 << 20;

/// What writer and readers share of the log.
#[derive(Debug)]
pub(crate) struct LogFiles {
    dir: PathBuf,
    prints: Fingerprinter,
    segment_bytes: u64,
    committed: Mutex<LogPosition>,
    index: Mutex<Index>,
}

impl LogFiles {
    /// The log in `dir`, up to `committed`. Checks that all files are there and as long as they
    /// were, but not what is in them.
    pub(crate) fn open(
        dir: PathBuf,
        prints: Fingerprinter,
        committed: LogPosition,
    ) -> Result<Self, StoreError> {
        let index = Index::new(recover::check(&dir, committed)?);
        let segment_bytes = crash::limit("SEGMENT", SEGMENT_BYTES);
        let (committed, index) = (Mutex::new(committed), Mutex::new(index));
        Ok(Self { dir, prints, segment_bytes, committed, index })
    }

    /// How far the log is committed.
    pub(crate) fn committed(&self) -> LogPosition {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on readers see up to `position`.
    pub(crate) fn publish(&self, position: LogPosition) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    /// The record before `end` in which settle `n` lies or would lie; the beginning if there is
    /// none yet.
    fn find(&self, n: u64, end: LogPosition) -> Result<LogPosition, StoreError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.find(&self.dir, n, end)
    }
}

fn path_of(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:010}.log"))
}

#[cfg(test)]
mod tests;
