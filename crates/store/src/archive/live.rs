//! Which records pages point to: file by file, in the order in which they lie there.

use std::path::Path;

use crawl_model::{BodyPointer, Fingerprint, PageRecord};

use super::files::number_of;
use super::sort::{Sorted, Sorter};
use crate::StoreError;

/// One pointer to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) file: String,
    pub(super) offset: u64,
    /// Whose pointer it is.
    pub(super) print: Fingerprint,
    /// Whether only the body is meant: the page's own record refers to it.
    pub(super) is_of: bool,
}

/// All pointers of a crawl.
pub(super) struct AllLive {
    sorted: Sorted,
    /// The first of the next file.
    next: Option<Live>,
}

impl AllLive {
    /// Reads records of pages; what is too much for memory is sorted in the folder `root`.
    pub(super) fn of(
        root: &Path,
        pages: impl Iterator<Item = Result<(Fingerprint, PageRecord), StoreError>>,
    ) -> Result<Self, StoreError> {
        let mut sorter = Sorter::new(root);
        for page in pages {
            let (print, record) = page?;
            let Some(body) = record.body else { continue };
            sorter.push(row(&body, print, false))?;
            if let Some(of) = body.of {
                sorter.push(row(&of, print, true))?;
            }
        }
        let mut live = Self { sorted: sorter.finish()?, next: None };
        live.step()?;
        Ok(live)
    }

    /// The pointers into a file; files must be asked for in the order of their numbers.
    pub(super) fn of_file(&mut self, name: &str) -> Result<Vec<Live>, StoreError> {
        let mut found = Vec::new();
        while let Some(live) = self.next.take_if(|live| place(&live.file) <= place(name)) {
            if live.file == name {
                found.push(live);
            }
            self.step()?;
        }
        Ok(found)
    }

    fn step(&mut self) -> Result<(), StoreError> {
        let row = self.sorted.next().transpose()?;
        self.next = match row {
            Some(row) => Some(unrow(&row).ok_or_else(|| StoreError::corrupt("row of a pointer"))?),
            None => None,
        };
        Ok(())
    }
}

/// The order of files.
pub(super) fn place(name: &str) -> (u32, &str) {
    (number_of(name).unwrap_or(u32::MAX), name)
}

fn row(pointer: &BodyPointer, print: Fingerprint, is_of: bool) -> Box<[u8]> {
    let (number, name) = place(&pointer.file);
    let mut row = Vec::with_capacity(name.len() + 22);
    row.extend_from_slice(&number.to_be_bytes());
    row.extend_from_slice(name.as_bytes());
    row.push(0);
    row.extend_from_slice(&pointer.offset.to_be_bytes());
    row.extend_from_slice(&print.0.to_be_bytes());
    row.push(is_of.into());
    row.into()
}

fn unrow(row: &[u8]) -> Option<Live> {
    let (rest, tail) = row.get(4..)?.split_last_chunk::<17>()?;
    let file = String::from_utf8(rest.strip_suffix(&[0])?.to_vec()).ok()?;
    let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
    let (offset, print) = (number(&tail[..8])?, Fingerprint(number(&tail[8..16])?));
    Some(Live { file, offset, print, is_of: tail[16] == 1 })
}
