//! The pages' pointers into the body files, as rows that sort by where they lead.

use std::collections::BTreeMap;
use std::io;

use super::bytes::{be_u64, fnv};
use super::finding::{Finding, Kind};
use super::pages::{Pointer, Record};
use super::told::Told;
use crate::sort::Sorter;

pub(super) const ROW: usize = 64;
/// File names that are told apart; damaged pointers may have any.
const MOST_FILES: usize = 100_000;
/// Until it is closed a file may be called so.
pub(super) const OPEN: &str = ".open";

pub(super) const HAS_STATUS: u8 = 1;
pub(super) const IS_TRUNCATED: u8 = 2;
/// Of a body that is the same as another record's: that record.
pub(super) const IS_ORIGINAL: u8 = 4;

/// All pointers, by where they lead.
#[derive(Debug)]
pub(super) struct Pointers {
    pub(super) names: BTreeMap<String, u32>,
    pub(super) rows: Sorter<ROW>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) file: u32,
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) print: u64,
    pub(super) url: u64,
    pub(super) fetched_ms: u64,
    pub(super) digest: u64,
    pub(super) bytes: u64,
    pub(super) status: u16,
    pub(super) flags: u8,
}

impl Row {
    fn encode(self) -> [u8; ROW] {
        let mut row = [0; ROW];
        row[..4].copy_from_slice(&self.file.to_be_bytes());
        let numbers =
            [self.offset, self.len, self.print, self.url, self.fetched_ms, self.digest, self.bytes];
        for (place, number) in row[4..60].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        row[60..62].copy_from_slice(&self.status.to_be_bytes());
        row[62] = self.flags;
        row
    }

    pub(super) fn decode(row: &[u8; ROW]) -> Self {
        let number = |nth: usize| be_u64(row, 4 + 8 * nth).unwrap_or(0);
        Self {
            file: u32::from_be_bytes([row[0], row[1], row[2], row[3]]),
            offset: number(0),
            len: number(1),
            print: number(2),
            url: number(3),
            fetched_ms: number(4),
            digest: number(5),
            bytes: number(6),
            status: u16::from_be_bytes([row[60], row[61]]),
            flags: row[62],
        }
    }
}

impl Pointers {
    pub(super) fn new() -> Self {
        Self { names: BTreeMap::new(), rows: Sorter::new() }
    }

    pub(super) fn add(
        &mut self,
        print: u64,
        record: &Record,
        pointer: &Pointer,
        told: &mut Told<'_>,
    ) -> io::Result<()> {
        self.put(print, record, pointer, 0, told)?;
        match &pointer.of {
            Some(original) => self.put(print, record, original, IS_ORIGINAL, told),
            None => Ok(()),
        }
    }

    fn put(
        &mut self,
        print: u64,
        record: &Record,
        pointer: &Pointer,
        flags: u8,
        told: &mut Told<'_>,
    ) -> io::Result<()> {
        let name = pointer.file.trim_end_matches(OPEN);
        let is_name = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let file = match self.names.get(name) {
            Some(file) => *file,
            None if is_name && self.names.len() < MOST_FILES => {
                self.names.insert(name.to_owned(), next);
                next
            }
            None => {
                let what = format!("it points into `{name}`, which is no body file");
                told.tell(Finding::new(Kind::MissingBody, &*what).of(&record.url));
                told.fixes.unpoint(print, what);
                return Ok(());
            }
        };
        let status = record.status.map_or(0, |_| HAS_STATUS);
        let truncated = record.truncated.map_or(0, |_| IS_TRUNCATED);
        let row = Row {
            file,
            offset: pointer.offset,
            len: pointer.len,
            print,
            url: fnv(record.url.as_str().as_bytes()),
            fetched_ms: record.fetched_ms,
            digest: u64::from_str_radix(&record.digest, 16).unwrap_or(0),
            bytes: record.bytes,
            status: record.status.unwrap_or(0),
            flags: flags | status | truncated,
        };
        self.rows.push(row.encode())
    }
}
