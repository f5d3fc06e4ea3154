//! Files beside sled for what there is too much of for a database: the frontier's tables.
//!
//! sled costs tens of microseconds and hundreds of bytes an entry; a crawl finds fifty links a
//! page. So what is counted in links lies in files that are written once, in one sweep, and
//! never changed. Each part has a checksum; what a kill leaves half-written is named by nobody,
//! and is removed at the next open.
//!
//! Not here: what the entries mean (the frontier's).

mod run;

use std::fs::File;
use std::path::Path;

use crate::StoreError;

pub use run::{Run, RunReader, RunScan, RunWriter, run_name, sweep_runs};

/// Brings a folder's entries to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::file("flush", folder))
}
