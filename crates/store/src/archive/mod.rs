//! The body files: appended to, rotated by size, cut back after a kill.
//!
//! A file is on the disk as far as a commit's batch says before that batch is written; what lies
//! beyond after a kill belongs to no page and is cut off, so a record is never found half-written
//! and never twice. While a file is written to, its name ends in `.open`; in the database it has
//! its final name from the beginning.

mod files;
mod known;
mod press;
mod read;
mod segment;

mod live;
mod mover;
mod sort;

mod compact;
mod mend;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Archived, BodyPointer};

use crate::warc::{BodyCompression, Ids};
use crate::{StoreConfig, StoreError, crash};

pub use compact::{Compacted, compact, gc};
pub use files::archive_files;
pub(crate) use files::cut_back;
use files::{name_of, number_of};
pub(crate) use known::Known;
pub(crate) use mend::{Harm, mend};
pub(crate) use press::Press;
pub(crate) use read::{read, read_if, read_response};
use segment::Segment;
pub(crate) use sort::Sorter;

/// Writes body files; held by the writer.
#[derive(Debug)]
pub(crate) struct Archive {
    dir: PathBuf,
    compression: BodyCompression,
    /// Where a new file is begun, in bytes.
    limit: u64,
    ids: Arc<Ids>,
    /// Number of the newest file; 0 if there is none.
    newest: u32,
    /// Its name and committed length in bytes.
    committed: Option<(String, u64)>,
    /// The file that is written to.
    segment: Option<Segment>,
    /// Files that became full since the last commit, with their lengths.
    full: Vec<(String, u64)>,
}

impl Archive {
    pub(crate) fn new(
        dir: PathBuf,
        config: &StoreConfig,
        ids: Arc<Ids>,
        committed: &BTreeMap<String, u64>,
    ) -> Self {
        let numbered =
            committed.iter().filter_map(|(name, len)| Some((number_of(name)?, name, len)));
        let newest = numbered.max();
        let limit = match config.body_segment_mib {
            0 => u64::MAX,
            mib => u64::from(mib) << 20,
        };
        Self {
            dir,
            compression: config.body_compression,
            limit: crash::limit("BODIES", limit),
            ids,
            newest: newest.map_or(0, |(number, ..)| number),
            committed: newest.map(|(_, name, len)| (name.clone(), *len)),
            segment: None,
            full: Vec::new(),
        }
    }

    /// Appends records. They are durable after [`sync`](Self::sync). `None` if no page is to point
    /// to them.
    pub(crate) fn append(
        &mut self,
        archived: &Archived,
        now_us: u64,
    ) -> Result<Option<BodyPointer>, StoreError> {
        let segment = self.segment(now_us)?;
        let offset = segment.len;
        segment.append(&archived.bytes)?;
        Ok(archived.body.as_ref().map(|body| BodyPointer {
            file: segment.name.clone(),
            offset: offset + body.start as u64,
            len: body.len() as u64,
            of: archived.of.clone().map(Box::new),
        }))
    }

    /// Brings all that was appended to the disk; returns the files that grew and their lengths.
    pub(crate) fn sync(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut grown = std::mem::take(&mut self.full);
        if let Some(segment) = self.segment.as_mut().filter(|segment| segment.is_dirty) {
            segment.sync()?;
            grown.push((segment.name.clone(), segment.len));
        }
        Ok(grown)
    }

    /// Gives the newest file its final name: all that was appended is committed, and nothing more
    /// comes.
    pub(crate) fn close(&mut self) -> Result<(), StoreError> {
        match self.segment.take() {
            Some(segment) => segment.close(),
            None => Ok(()),
        }
    }

    fn segment(&mut self, now_us: u64) -> Result<&mut Segment, StoreError> {
        if let Some((name, len)) = self.committed.take() {
            self.segment = Segment::reopen(&self.dir, &name, len, self.compression)?;
        }
        if let Some(mut full) = self.segment.take_if(|segment| segment.len >= self.limit) {
            full.sync()?;
            self.full.push((full.name.clone(), full.len));
            full.close()?;
        }
        if self.segment.is_none() {
            self.newest += 1;
            let name = name_of(self.newest, self.compression);
            let begun = Segment::begin(&self.dir, name, &self.ids, self.compression, now_us)?;
            self.segment = Some(begun);
        }
        Ok(self.segment.as_mut().expect("it was just begun or opened"))
    }
}
