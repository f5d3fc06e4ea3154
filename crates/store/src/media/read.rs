//! Items with what became of the files that they ask for.
//!
//! An item is stored with its page, at once; where its files stand is looked up whenever it is read.
//! It is *whole* at the settle of the last of them. That is a number which only settles change, so
//! feeds that follow the settles need no book of their own of what waits.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crawl_model::{
    AskedFile, CanonicalUrl, FileKind, Fingerprint, Fingerprinter, PageRecord, Request, Verdict,
};
use serde_json::{Map, Value, json};

use crate::packed::Pieces;
use crate::reader::Reader;
use crate::{StoreError, keys};

/// Redirects that are followed from file to file; beyond that they go in a circle.
const MOST_HOPS: usize = 32;

/// Where a file stands.
struct Fate {
    /// Its latest settle; 0 if it needed none, `None` if there is one to come.
    n: Option<u64>,
    row: Map<String, Value>,
}

/// What the items of a page ask for, one after the other.
#[derive(Debug)]
pub(crate) struct ItemFiles {
    pieces: Pieces,
    reader: Reader,
}

/// An item's files.
pub(crate) struct Whole {
    /// The last settle of one of them; 0 if it asks for none, `None` if there is one to come.
    pub(crate) n: Option<u64>,
    /// A row for each.
    pub(crate) rows: Vec<Value>,
}

impl ItemFiles {
    /// Of a page; `None` if no item of the crawl asks for anything.
    pub(crate) fn of(reader: &Reader, print: Fingerprint) -> Option<Self> {
        let shared = reader.shared();
        shared.media.is_used().then(|| Self {
            pieces: Pieces::of(&shared.db, keys::ASKED, print, "files of items"),
            reader: reader.clone(),
        })
    }

    /// Those of the next item.
    pub(crate) fn next(&mut self) -> Result<Whole, StoreError> {
        let nothing = Whole { n: Some(0), rows: Vec::new() };
        let Some(piece) = self.pieces.next().transpose()?.filter(|piece| !piece.is_empty()) else {
            return Ok(nothing);
        };
        let asked = serde_json::from_slice::<Vec<AskedFile>>(&piece);
        let asked = asked.map_err(|_| StoreError::corrupt("files of an item"))?;
        asked.iter().try_fold(nothing, |whole, file| {
            let Fate { n, row } = self.reader.fate(file)?;
            let mut rows = whole.rows;
            rows.push(Value::Object(row));
            Ok(Whole { n: whole.n.zip(n).map(|(a, b)| a.max(b)), rows })
        })
    }
}

/// Puts the rows of its files into an item. An item that is no object stays as it is.
pub(crate) fn with_files(json: String, rows: Vec<Value>) -> String {
    if rows.is_empty() {
        return json;
    }
    match serde_json::from_str::<Map<String, Value>>(&json) {
        Ok(mut item) => {
            item.insert("files".to_owned(), Value::Array(rows));
            serde_json::to_string(&item).expect("an object of JSON serialises")
        }
        Err(_) => json,
    }
}

impl Reader {
    /// Where a file stands, at the end of its redirects.
    fn fate(&self, file: &AskedFile) -> Result<Fate, StoreError> {
        let mut row = Map::new();
        row.insert("url".to_owned(), file.url.without_credentials().as_str().into());
        if !file.field.is_empty() {
            row.insert("field".to_owned(), (*file.field).into());
        }
        if let Some(reason) = file.kept_out {
            row.insert("verdict".to_owned(), Verdict::Filtered.name().into());
            row.insert("error".to_owned(), reason.name().into());
            return Ok(Fate { n: Some(0), row });
        }
        let (mut n, mut print) = (0, file.print);
        let mut last = None;
        for _ in 0..MOST_HOPS {
            let Some(record) = self.page(print)? else {
                row.insert("verdict".to_owned(), "queued".into());
                return Ok(Fate { n: None, row });
            };
            n = n.max(record.n);
            let next = self.lead(&record, print)?;
            last = Some(record);
            match next {
                Some(next) => print = next,
                None => break,
            }
        }
        if let Some(record) = last {
            tell(&record, &mut row);
        }
        Ok(Fate { n: Some(n), row })
    }

    /// Where a file is that was looked for and redirected.
    fn lead(
        &self,
        record: &PageRecord,
        print: Fingerprint,
    ) -> Result<Option<Fingerprint>, StoreError> {
        if record.verdict != Verdict::Redirected {
            return Ok(None);
        }
        let value = self.shared().db.get(&keys::print(keys::LEADS, print))?;
        let print = value.and_then(|value| Some(u64::from_be_bytes((*value).try_into().ok()?)));
        Ok(print.map(Fingerprint))
    }

    /// Shows the pages whose items wait for a file, or did, each once, until `each` breaks.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read, and those of `each`.
    pub fn each_waiting<E: From<StoreError>>(
        &self,
        file: Fingerprint,
        mut each: impl FnMut(Fingerprint, PageRecord) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let (mut files, mut next, mut seen) = (vec![file], 0, HashSet::new());
        while let Some(&file) = files.get(next) {
            next += 1;
            for entry in self.shared().db.prefix(&keys::print(keys::WAITS, file)) {
                let (key, _) = entry?;
                let page = keys::second_print_of(&key)
                    .ok_or_else(|| StoreError::corrupt("key of who waits for a file"))?;
                if !seen.insert(page) {
                    continue;
                }
                let Some(record) = self.page(page)? else { continue };
                if Request::file_kind_of(&record.label).is_some() {
                    files.push(page);
                } else if each(page, record)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The files of a crawl that were asked for and have ended: see [`Reader::known_files`].
#[derive(Debug)]
pub struct KnownFiles {
    pub(crate) prints: Fingerprinter,
    pub(crate) reader: Reader,
}

impl KnownFiles {
    /// Whether the file of this URL is one of them.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn has(&self, url: &CanonicalUrl) -> Result<bool, StoreError> {
        let request = Request::file(url.clone(), FileKind::File);
        self.reader.shared().db.has_page(self.prints.request(&request))
    }
}

/// What the last record of a file says.
fn tell(record: &PageRecord, row: &mut Map<String, Value>) {
    if let Some(file) = &record.file {
        row.insert("path".to_owned(), file.path.as_str().into());
        row.insert("sha256".to_owned(), file.sha256.as_str().into());
        row.insert("bytes".to_owned(), record.bytes.into());
        row.insert("type".to_owned(), file.media_type.as_str().into());
        for (name, size) in [("width", file.width), ("height", file.height)] {
            if let Some(size) = size {
                row.insert(name.to_owned(), size.into());
            }
        }
    }
    if record.file.is_none() && !record.body_lost.is_empty() {
        row.insert("verdict".to_owned(), "lost".into());
        row.insert("error".to_owned(), json!(record.body_lost));
        return;
    }
    row.insert("verdict".to_owned(), record.verdict.name().into());
    if let Some(status) = record.status.filter(|_| record.file.is_none()) {
        row.insert("status".to_owned(), status.into());
    }
    if !record.error.is_empty() && record.file.is_none() {
        row.insert("error".to_owned(), json!(record.error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_gets_its_files_behind_its_own_fields() {
        let rows = || vec![json!({"url": "http://h/a.png"})];
        let with = |json: &str| with_files(json.to_owned(), rows());
        assert_eq!(
            with(r#"{"b":1.50,"a":2}"#),
            r#"{"b":1.5,"a":2,"files":[{"url":"http://h/a.png"}]}"#
        );
        assert_eq!(with("3"), "3");
        assert_eq!(with_files("{ }".into(), Vec::new()), "{ }");
    }
}
