//! From memory to a run: freeze, write, install.
//!
//! Freezing is quick and the frontier's part; writing is slow and belongs on another thread;
//! installing is quick again. In between all is known as before. A run may be named by a
//! checkpoint as soon as it is written.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use crawl_store::{StoreError, tables};

use super::run::Run;
use super::table::Table;
use super::{Seen, Shard, write};

/// A generation that does not change any more, in memory.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// In the order of their keys.
    tables: Vec<Arc<Table>>,
    next_run: Arc<AtomicU64>,
}

/// A frozen generation that is on the disk, and not live yet.
#[derive(Debug)]
pub(crate) struct Written {
    run: Arc<Run>,
}

impl Seen {
    /// Makes all that is young immutable, in no time; nothing is young afterwards.
    ///
    /// `None` if nothing is young, if it is a set that stays in memory, if a generation is frozen
    /// that is not [installed](Self::install) yet, or after a [`fault`](Self::fault). Only the
    /// frontier may.
    pub(crate) fn freeze(&self) -> Option<Frozen> {
        let may = self.folder.is_some() && self.n_young() > 0 && !self.is_faulty();
        if !may || self.is_frozen.swap(true, Ordering::AcqRel) {
            return None;
        }
        let freeze = |shard: &RwLock<Shard>| {
            let mut shard = write(shard);
            let table = Arc::new(std::mem::take(&mut shard.young));
            shard.frozen = Some(table.clone());
            table
        };
        let tables = self.shards.iter().map(freeze).collect();
        self.n_young.store(0, Ordering::Relaxed);
        Some(Frozen { tables, next_run: self.next_run.clone() })
    }

    /// Puts what was written in the place of what was frozen.
    pub(crate) fn install(&self, written: Written) {
        let Written { run } = written;
        let mut runs = write(&self.runs);
        Arc::make_mut(&mut runs).push(run.clone());
        // What the cache says of the older runs does not hold with the new one.
        let generation = self.cache.begin_generation();
        for shard in &self.shards {
            let mut shard = write(shard);
            Arc::make_mut(&mut shard.runs).push(run.clone());
            shard.generation = generation;
            shard.frozen = None;
        }
        self.is_frozen.store(false, Ordering::Release);
    }
}

impl Frozen {
    /// Writes the generation as a run into `folder`, the one the set was opened with, and
    /// returns when it is on the disk. It is not live before it is [installed](Seen::install).
    ///
    /// # Errors
    /// [`StoreError::File`]. It may be tried again.
    pub(crate) fn write(&self, folder: &Path) -> Result<Written, StoreError> {
        let n = self.next_run.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(tables::run_name(n));
        let mut writer = tables::RunWriter::create(&path)?;
        let mut entries = Vec::new();
        for table in &self.tables {
            entries.clear();
            entries.extend(table.entries());
            entries.sort_unstable();
            for &(print, code) in &entries {
                writer.push(print, code)?;
            }
        }
        writer.finish()?;
        Ok(Written { run: Arc::new(Run::open(&path)?) })
    }
}
