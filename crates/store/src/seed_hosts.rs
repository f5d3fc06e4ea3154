//! The hosts that later seeds brought into the scope: a file of fingerprints, eight bytes each.
//!
//! A host is durable here before the first of its seeds is on its way, so a resumed crawl never
//! meets a queued seed whose host it does not know. The other way round, a host without a seed, a
//! kill may leave; that does no harm, for the seeds are read again. Nor does a number that was cut
//! in two: it is dropped.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crawl_model::Fingerprint;

use crate::StoreError;
use crate::store::Shared;

const BYTES: usize = size_of::<u64>();

/// The file, to be added to; made when there is something to add. Holds the folder like a
/// [`Reader`](crate::Reader).
#[derive(Debug)]
pub struct SeedHostsFile {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: Option<File>,
    /// Bytes of it that are good: what a failed write or a kill left behind them is written over.
    len: u64,
}

impl SeedHostsFile {
    /// Finds the file, and tells what is in it.
    pub(crate) fn load(shared: Arc<Shared>) -> Result<(Self, Vec<Fingerprint>), StoreError> {
        let path = shared.folder.seed_hosts();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(StoreError::file("read", &path))?,
        };
        let (numbers, _) = bytes.as_chunks::<BYTES>();
        let prints = numbers.iter().map(|bytes| Fingerprint(u64::from_le_bytes(*bytes))).collect();
        let state = Mutex::new(State { file: None, len: (numbers.len() * BYTES) as u64 });
        Ok((Self { shared, state }, prints))
    }

    /// Adds hosts; they are durable when it returns. Blocks.
    ///
    /// # Errors
    /// [`StoreError::File`] if the file cannot be written.
    pub fn append(&self, hosts: &[Fingerprint]) -> Result<(), StoreError> {
        if hosts.is_empty() {
            return Ok(());
        }
        let path = self.shared.folder.seed_hosts();
        let bytes: Vec<u8> = hosts.iter().flat_map(|host| host.0.to_le_bytes()).collect();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { file, len } = &mut *state;
        let mut write = || -> io::Result<()> {
            let file = match file {
                Some(file) => file,
                None => file.insert(open(&path, *len)?),
            };
            file.write_all_at(&bytes, *len)?;
            file.sync_data()
        };
        write().map_err(StoreError::file("write", &path))?;
        *len += bytes.len() as u64;
        Ok(())
    }
}

/// Opens or makes the file, and cuts it to what is good of it.
fn open(path: &Path, len: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_len(len)?;
    Ok(file)
}
