//! Files beside sled for what there is too much of for a database: the frontier's tables.
//!
//! sled costs tens of microseconds and hundreds of bytes an entry; a crawl finds fifty links a
//! page. So what is counted in links lies in files that are written once, in one sweep, and
//! never changed: queue segments and snapshots. Each part has a checksum; what a kill leaves
//! half-written is named by no snapshot, and is removed at the next open.
//!
//! Not here: what the entries mean (the frontier's).

mod frame;
mod queue;
mod run;
mod snapshot;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::StoreError;

pub use crate::codec::{Take, put_number, put_signed, put_text};
pub use queue::{LaneKey, QueueBlock, QueueSegment, QueueWriter};
pub use run::{Run, RunReader, RunScan, RunWriter, run_name, sweep_runs};

/// Where the frontier keeps its tables in a crawl's folder.
#[derive(Debug, Clone)]
pub struct Tables {
    root: PathBuf,
}

impl Tables {
    /// Those in the folder `root`, which is made when there is something to put into it; whoever
    /// calls must have the crawl's lock.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder of queue segments; made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn queue(&self) -> Result<PathBuf, StoreError> {
        self.folder("queue")
    }

    /// Removes the queue segments that are not among `named`: those that a kill left behind.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn sweep_queue(&self, named: &[u32]) -> Result<(), StoreError> {
        queue::sweep(&self.queue()?, named)
    }

    /// The folder of the seen set's runs; made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn seen(&self) -> Result<PathBuf, StoreError> {
        self.folder("seen")
    }

    /// The last snapshot that is whole; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is there and is not what was written.
    pub fn snapshot(&self) -> Result<Option<Vec<u8>>, StoreError> {
        snapshot::read(&self.root.join(SNAPSHOT))
    }

    /// Puts a snapshot in the place of the last one, in one step, and returns when it is on the
    /// disk. What it names must be on the disk already.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn put_snapshot(&self, bytes: &[u8]) -> Result<(), StoreError> {
        snapshot::write(&self.root.join(SNAPSHOT), bytes)
    }

    /// Removes all of it: the tables are made anew from the settle log.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn wipe(&self) -> Result<(), StoreError> {
        // The snapshot first: it names the others.
        removed(fs::remove_file(self.root.join(SNAPSHOT)), &self.root)?;
        removed(fs::remove_dir_all(&self.root), &self.root)
    }

    fn folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        made(self.root.clone())?;
        made(self.root.join(name))
    }
}

/// The file that names all others.
const SNAPSHOT: &str = "checkpoint";

fn made(folder: PathBuf) -> Result<PathBuf, StoreError> {
    match fs::create_dir(&folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::file("create the folder", &folder)(e))
        }
        _ => Ok(folder),
    }
}

fn removed(result: std::io::Result<()>, path: &Path) -> Result<(), StoreError> {
    match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::file("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Brings a folder's entries to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::file("flush", folder))
}

#[cfg(test)]
mod tests;
