//! Revisit records: each says that a body is the same as another record's, which must be there.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::bytes::{be_u64, fnv};
use super::finding::{Finding, Kind};
use super::pages::Broken;
use super::record::{RecordKind, Seen};
use super::told::Told;
use super::warc;
use crate::sort::Sorter;

/// Which record each revisit is about; all must be there.
pub(super) struct Revisits {
    /// Of records that have a body: by their id, and by URL and date.
    there: Sorter<8>,
    /// The same of those that revisits refer to, with file number, offset and end.
    wanted: Sorter<28>,
    files: Vec<String>,
}

impl Revisits {
    pub(super) fn new() -> Self {
        Self { there: Sorter::new(), wanted: Sorter::new(), files: Vec::new() }
    }

    /// Takes in a record that is sound.
    pub(super) fn note(&mut self, seen: &Seen, file: &str, at: Range<u64>) -> io::Result<()> {
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
                if self.files.last().is_none_or(|last| last != file) {
                    self.files.push(file.to_owned());
                }
                let mut row = [0; 28];
                row[..8].copy_from_slice(&fnv(refers_to.as_bytes()).to_be_bytes());
                let file = u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX);
                row[8..12].copy_from_slice(&file.to_be_bytes());
                row[12..20].copy_from_slice(&at.start.to_be_bytes());
                row[20..].copy_from_slice(&at.end.to_be_bytes());
                self.wanted.push(row)
            }
            RecordKind::Info | RecordKind::Other => Ok(()),
        }
    }

    /// Tells of those whose record is nowhere. `path` is that of a file by its name.
    pub(super) fn resolve(
        self,
        path: &dyn Fn(&str) -> Option<PathBuf>,
        told: &mut Told<'_>,
    ) -> Result<(), Broken> {
        let (mut there, mut wanted) = (self.there.sorted()?, self.wanted.sorted()?);
        while let Some(row) = wanted.next()? {
            while there.peek().is_some_and(|id| id[..] < row[..8]) {
                there.next()?;
            }
            if there.peek().is_some_and(|id| id[..] == row[..8]) {
                continue;
            }
            let file = u32::from_be_bytes([row[8], row[9], row[10], row[11]]) as usize;
            let name = self.files.get(file).map_or("", String::as_str);
            let at = be_u64(&row, 12).unwrap_or(0)..be_u64(&row, 20).unwrap_or(0);
            let seen = path(name).map(|path| read(&path, name, at.clone())).transpose()?.flatten();
            let of = seen.as_ref().and_then(|seen| seen.refers_to.as_deref()).unwrap_or("?");
            let what = format!("the record that it refers to, {of}, is in no body file");
            let finding = Finding::new(Kind::RevisitUnresolved, what);
            let finding = finding.in_file(format!("bodies/{name}")).at(at.start);
            told.tell(match seen.and_then(|seen| seen.uri) {
                Some(uri) => finding.of(uri),
                None => finding,
            });
            if let Some(harm) = told.fixes.harm(name) {
                harm.gone.push(at);
            }
        }
        Ok(())
    }
}

fn read(path: &std::path::Path, name: &str, at: Range<u64>) -> io::Result<Option<Seen>> {
    let mut file = warc::Reader::open(path, name, at.end)?;
    file.go_to(at.start)?;
    Ok(file.next().and_then(Result::ok))
}
