//! The slot journal: which URLs are in hand, written where a killed process leaves it behind.
//!
//! One fixed slot per ticket number. What opens and closes in one turn of the frontier is written at
//! its end, by one small `pwrite`: microseconds, and no flush, for the kernel outlives the process. The header carries the epoch of the run, so
//! that the same leftovers are never counted as deaths twice: the batch that counts them moves
//! the database to the next epoch.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crawl_model::{Fingerprint, OpenJournal, TicketId};

use crate::manifest::checksum;
use crate::{StoreError, crash};

const MAGIC: &[u8; 8] = b"crawl\0j1";
const HEADER: usize = 24;
const SLOT: usize = 16;

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leftovers {
    pub(crate) epoch: u64,
    pub(crate) open: Vec<Fingerprint>,
}

/// Reads the journal; `None` if there is none or it makes no sense.
pub(crate) fn read(path: &Path) -> Result<Option<Leftovers>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::file("read", path)(e)),
    };
    let Some((header, slots)) = bytes.split_at_checked(HEADER) else { return Ok(None) };
    let epoch = u64_at(header, 8);
    if header != encode_header(epoch) {
        return Ok(None);
    }
    let open = slots.chunks_exact(SLOT).filter_map(|slot| {
        let print = u64_at(slot, 0);
        (u64_at(slot, 8) == open_state(print)).then_some(Fingerprint(print))
    });
    Ok(Some(Leftovers { epoch, open: open.collect() }))
}

/// Begins an empty journal of `epoch`, in one step.
pub(crate) fn reset(path: &Path, new: &Path, epoch: u64) -> Result<(), StoreError> {
    let written = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(new)?;
        file.write_all_at(&encode_header(epoch), 0)?;
        crash::point("journal-written");
        fs::rename(new, path)?;
        crash::point("journal-renamed");
        Ok(())
    };
    written().map_err(StoreError::file("begin", path))
}

/// What went wrong first while the journal, or a file that an item asks for, was written; the writer asks at each commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<(PathBuf, io::Error)>>>);

impl Fault {
    /// The file, and what went wrong.
    pub(crate) fn take(&self) -> Option<(PathBuf, io::Error)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn note(&self, path: &Path, error: io::Error) {
        let mut fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert_with(|| (path.to_owned(), error));
    }
}

/// The journal as the frontier holds it.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Arc<File>,
    path: Arc<Path>,
    fault: Fault,
    /// All slots, as they are to stand in the file.
    slots: Vec<[u8; SLOT]>,
    /// Which of them are not written yet.
    unwritten: Range<usize>,
}

impl Journal {
    pub(crate) fn open(path: &Path, fault: Fault) -> Result<Self, StoreError> {
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(StoreError::file("open", path))?;
        Ok(Self::new(Arc::new(file), path.into(), fault))
    }

    fn new(file: Arc<File>, path: Arc<Path>, fault: Fault) -> Self {
        Self { file, path, fault, slots: Vec::new(), unwritten: 0..0 }
    }

    /// The same journal.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.file.clone(), self.path.clone(), self.fault.clone())
    }

    fn put(&mut self, id: TicketId, print: u64, state: u64) {
        let at = id.0 as usize;
        if at >= self.slots.len() {
            self.slots.resize(at + 1, [0; SLOT]);
        }
        let slot = &mut self.slots[at];
        slot[..8].copy_from_slice(&print.to_le_bytes());
        slot[8..].copy_from_slice(&state.to_le_bytes());
        self.unwritten = match self.unwritten.is_empty() {
            true => at..at + 1,
            false => self.unwritten.start.min(at)..self.unwritten.end.max(at + 1),
        };
    }
}

impl OpenJournal for Journal {
    fn opened(&mut self, id: TicketId, print: Fingerprint) {
        self.put(id, print.0, open_state(print.0));
    }

    fn closed(&mut self, id: TicketId) {
        self.put(id, 0, 0);
    }

    fn write(&mut self) {
        let range = std::mem::take(&mut self.unwritten);
        if range.is_empty() {
            return;
        }
        let at = (HEADER + range.start * SLOT) as u64;
        if let Err(e) = self.file.write_all_at(self.slots[range].as_flattened(), at) {
            self.fault.note(&self.path, e);
        }
    }
}

/// Marks a slot as open, and as whole: no other print has it.
fn open_state(print: u64) -> u64 {
    checksum(&print.to_le_bytes()) | 1
}

fn encode_header(epoch: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..16].copy_from_slice(&epoch.to_le_bytes());
    let sum = checksum(&header[..16]);
    header[16..].copy_from_slice(&sum.to_le_bytes());
    header
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_left_behind_and_what_is_closed_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (path, new) = (dir.path().join("open"), dir.path().join("open.new"));
        assert_eq!(read(&path).unwrap(), None);
        reset(&path, &new, 3).unwrap();
        let mut journal = Journal::open(&path, Fault::default()).unwrap();
        journal.opened(TicketId(5), Fingerprint(50));
        journal.opened(TicketId(0), Fingerprint(0));
        journal.opened(TicketId(9), Fingerprint(90));
        journal.closed(TicketId(9));
        assert_eq!(read(&path).unwrap(), Some(Leftovers { epoch: 3, open: vec![] }));
        journal.write();
        let open = vec![Fingerprint(0), Fingerprint(50)];
        assert_eq!(read(&path).unwrap(), Some(Leftovers { epoch: 3, open }));
        journal.closed(TicketId(0));
        journal.opened(TicketId(3), Fingerprint(30));
        journal.write();
        let open = vec![Fingerprint(30), Fingerprint(50)];
        assert_eq!(read(&path).unwrap(), Some(Leftovers { epoch: 3, open }));
        reset(&path, &new, 4).unwrap();
        assert_eq!(read(&path).unwrap(), Some(Leftovers { epoch: 4, open: vec![] }));
    }

    #[test]
    fn a_damaged_journal_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("open");
        fs::write(&path, b"short").unwrap();
        assert_eq!(read(&path).unwrap(), None);
        fs::write(&path, [7; 64]).unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }
}
