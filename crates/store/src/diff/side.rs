//! One of the two crawls.

use std::path::Path;

use crawl_model::{Fingerprint, PageRecord};
use serde_json::Value;

use crate::commit::item_value;
use crate::sort::{Sorted, Sorter};
use crate::{Reader, StoreError};

/// A row to be matched: what it is matched by (a hash), its place, page, and place on the page.
pub(super) const ROW: usize = 28;

#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) reader: &'a Reader,
}

/// A row, spelled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) hash: u64,
    /// Settle number: of what is alike, the first is matched with the first.
    pub(super) n: u64,
    pub(super) print: Fingerprint,
    pub(super) index: u32,
}

impl Row {
    pub(super) fn encode(self) -> [u8; ROW] {
        let mut row = [0; ROW];
        let numbers = [self.hash, self.n, self.print.0];
        for (place, number) in row.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        // The place on the page comes before the page.
        row[24..].copy_from_slice(&self.index.to_be_bytes());
        row
    }

    fn decode(row: &[u8; ROW]) -> Self {
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&row[at..at + 8]);
            u64::from_be_bytes(bytes)
        };
        let index = u32::from_be_bytes([row[24], row[25], row[26], row[27]]);
        Self { hash: number(0), n: number(8), print: Fingerprint(number(16)), index }
    }
}

impl<'a> Side<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self { reader }
    }

    /// The record of a page that was there a moment ago.
    pub(super) fn record(&self, print: Fingerprint) -> Result<PageRecord, StoreError> {
        let record = self.reader.page(print)?;
        record.ok_or_else(|| StoreError::corrupt(format!("page {print:?} (it is gone)")))
    }

    pub(super) fn items(&self, print: Fingerprint) -> Result<Vec<Value>, StoreError> {
        self.reader.items(print).map(|item| Ok(item_value(&item?))).collect()
    }
}

/// Sorted rows of one side, those of one hash at a time.
pub(super) struct Rows(Sorted<ROW>);

impl Rows {
    pub(super) fn of(sorter: Sorter<ROW>) -> Result<Self, StoreError> {
        sorter.sorted().map(Self).map_err(cannot_sort)
    }

    pub(super) fn hash(&self) -> Option<u64> {
        self.0.peek().map(|row| Row::decode(row).hash)
    }

    /// All rows with this hash.
    pub(super) fn take(&mut self, hash: u64) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        while self.hash() == Some(hash) {
            rows.extend(self.0.next().map_err(cannot_sort)?.as_ref().map(Row::decode));
        }
        Ok(rows)
    }
}

pub(super) fn cannot_sort(source: std::io::Error) -> StoreError {
    let path = std::env::temp_dir();
    StoreError::file("sort rows in", Path::new(&path))(source)
}

/// FNV-1a (Fowler, Noll, Vo): whoever is matched is compared in full.
pub(super) fn hash(text: &str) -> u64 {
    crate::manifest::checksum(text.as_bytes())
}
