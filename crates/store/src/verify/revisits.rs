//! Revisit records: each says that a body is the same as another record's, which must be there.

use std::io;

use super::bytes::{be_u64, fnv};
use super::finding::{Finding, Kind};
use super::pages::Broken;
use super::record::{RecordKind, Seen};
use super::told::Told;
use crate::sort::Sorter;

/// Which record each revisit is about; all must be there.
pub(super) struct Revisits {
    /// Of records that have a body: by their id, and by URL and date.
    there: Sorter<8>,
    /// The same of those that revisits refer to, with file number and offset.
    wanted: Sorter<20>,
    places: Vec<String>,
}

impl Revisits {
    pub(super) fn new() -> Self {
        Self { there: Sorter::new(), wanted: Sorter::new(), places: Vec::new() }
    }

    pub(super) fn note(&mut self, seen: &Seen, place: &str, start: u64) -> io::Result<()> {
        match seen.kind {
            RecordKind::Response | RecordKind::Resource => {
                let id = seen.id.as_deref().unwrap_or_default();
                self.there.push(fnv(id.as_bytes()).to_be_bytes())?;
                let uri = seen.uri.as_deref().unwrap_or_default();
                let named = format!("{uri} {}", seen.date_text);
                self.there.push(fnv(named.as_bytes()).to_be_bytes())
            }
            RecordKind::Revisit => {
                let Some(refers_to) = &seen.refers_to else { return Ok(()) };
                if self.places.last().is_none_or(|last| last != place) {
                    self.places.push(place.to_owned());
                }
                let mut row = [0; 20];
                row[..8].copy_from_slice(&fnv(refers_to.as_bytes()).to_be_bytes());
                let file = u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX);
                row[8..12].copy_from_slice(&file.to_be_bytes());
                row[12..].copy_from_slice(&start.to_be_bytes());
                self.wanted.push(row)
            }
            RecordKind::Info | RecordKind::Other => Ok(()),
        }
    }

    pub(super) fn resolve(self, told: &mut Told<'_>) -> Result<(), Broken> {
        let (mut there, mut wanted) = (self.there.sorted()?, self.wanted.sorted()?);
        while let Some(row) = wanted.next()? {
            while there.peek().is_some_and(|id| id[..] < row[..8]) {
                there.next()?;
            }
            if there.peek().is_none_or(|id| id[..] != row[..8]) {
                let file = u32::from_be_bytes([row[8], row[9], row[10], row[11]]) as usize;
                let place = self.places.get(file).map_or("bodies", String::as_str);
                let what = "the record that it refers to is in no body file";
                let finding = Finding::new(Kind::RevisitUnresolved, what).in_file(place);
                told.tell(finding.at(be_u64(&row, 12).unwrap_or(0)));
            }
        }
        Ok(())
    }
}
