//! Runs that have ended, and how their items' fields were filled: by which the next one is judged.
//!
//! A run here is what a person means by it: from a start to an end that came by itself, all that
//! was found or a limit reached. One that was killed or closed is gone on with by the next start,
//! and both are one run. So kills and stops make no difference to the figures.
//!
//! What ended runs came to lies in the database, and in a file beside it (`runs`), which a fresh
//! start leaves alone: most people crawl a site again with `--fresh`, and the run before is the
//! one to be held against. The file is written first. Killed in between, the next start finds
//! the run still open, nothing to do, and closes it with the same figures.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::sync::Arc;

use crawl_model::{FieldCounts, KindCounts};
use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::folder::Folder;
use crate::seal::Batch;
use crate::store::{Shared, now_ms};
use crate::tally::{self, Begun};
use crate::{StoreError, keys};

/// Ended runs that are remembered.
const MAX_RUNS: usize = 20;
/// Items of a kind below which nothing is said of its fields.
const LEAST_ITEMS: u64 = 20;
/// Where the ended runs lie in the database: under this and their number.
const RUN: &str = "run/";

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunBook {
    /// Its number in this folder, from 1, `--fresh` starts included.
    pub number: u64,
    /// When it ended: milliseconds since the Unix epoch; 0 if it has not.
    pub ended_ms: u64,
    /// Pages that settled in it.
    pub pages: u64,
    /// Which fields its items have.
    pub fields: FieldCounts,
}

/// A field that is filled much less often than in the run before, or a kind of items that is gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The kind of items: the label of their pages.
    pub kind: String,
    /// The field; `None` if there are no such items at all any more.
    pub field: Option<String>,
    /// How often it was filled before, from 0 to 1; of a kind, 1.
    pub before: f64,
    /// How often it is now.
    pub now: f64,
}

/// The run under way or the last one, and the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastRuns {
    /// The run under way; the last one if none is.
    pub run: RunBook,
    /// The ended run before that; `None` if there was none.
    pub before: Option<RunBook>,
}

impl LastRuns {
    pub(crate) fn read(db: &Database) -> Result<Self, StoreError> {
        let mut ended = ended(db)?;
        let open = open_run(db, &ended)?;
        let run = match ended.pop() {
            Some(last) if open.pages == 0 => last,
            Some(last) => return Ok(Self { run: open, before: Some(last) }),
            None => open,
        };
        Ok(Self { run, before: ended.pop() })
    }

    /// What is much worse than in the run before: a field filled less than half as often, if there
    /// are 20 items then and now, or a kind of 20 items and more of which there is none, though
    /// at least half as many pages were read.
    #[must_use]
    pub fn drifts(&self) -> Vec<Drift> {
        let Some(before) = &self.before else { return Vec::new() };
        let mut drifts = Vec::new();
        let nothing = KindCounts::default();
        for (kind, then) in &before.fields.kinds {
            let now = self.run.fields.kinds.get(kind).unwrap_or(&nothing);
            if then.items < LEAST_ITEMS {
                continue;
            }
            if now.items == 0 && self.run.pages * 2 >= before.pages {
                drifts.push(Drift { kind: kind.to_string(), field: None, before: 1.0, now: 0.0 });
            }
            if now.items < LEAST_ITEMS {
                continue;
            }
            for (field, n) in &then.fields {
                let filled = now.fields.get(field).copied().unwrap_or(0);
                let (before, now) = (rate(*n, then.items), rate(filled, now.items));
                if now < before / 2.0 {
                    let (kind, field) = (kind.to_string(), Some(field.to_string()));
                    drifts.push(Drift { kind, field, before, now });
                }
            }
        }
        drifts
    }
}

/// The share of `filled` in `items`; 0 of none.
pub(crate) fn rate(filled: u64, items: u64) -> f64 {
    if items == 0 { 0.0 } else { filled as f64 / items as f64 }
}

/// Closes runs.
#[derive(Debug, Clone)]
pub struct Runs {
    shared: Arc<Shared>,
}

impl Runs {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Closes the run under way, which has ended by itself. One without a page is none. To be
    /// called when the writer has ended. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] if database or file cannot be written.
    pub fn close(&self) -> Result<(), StoreError> {
        let db = &self.shared.db;
        let mut ended = ended(db)?;
        let mut run = open_run(db, &ended)?;
        if run.pages == 0 {
            return Ok(());
        }
        run.ended_ms = now_ms();
        let mut batch = Batch::default();
        for kind in run.fields.kinds.keys() {
            batch.remove(keys::fields(kind));
        }
        Begun { pages: 0, after: db.totals()?.log.n }.put(&mut batch);
        ended.push(run);
        let too_many = ended.len().saturating_sub(MAX_RUNS);
        ended.drain(..too_many).for_each(|run| batch.remove(key(run.number)));
        put(&mut batch, &ended);
        write_file(&self.shared.folder, &ended)?;
        db.commit(batch)
    }
}

/// Ended runs that an earlier crawl left beside the database; also what cannot be read of them.
pub(crate) fn from_file(folder: &Folder) -> Result<Vec<RunBook>, String> {
    let path = folder.runs();
    let what = "so there is nothing to compare this run's fields with";
    match fs::read(&path) {
        Ok(json) => {
            serde_json::from_slice(&json).map_err(|_| format!("the file `runs` is damaged, {what}"))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(format!("the file `runs` cannot be read ({e}), {what}")),
    }
}

/// Adds ended runs to a batch.
pub(crate) fn put(batch: &mut Batch, runs: &[RunBook]) {
    for run in runs {
        let json = serde_json::to_vec(run).expect("strings and numbers serialise");
        batch.insert(key(run.number), json);
    }
}

fn write_file(folder: &Folder, runs: &[RunBook]) -> Result<(), StoreError> {
    let (path, new) = (folder.runs(), folder.new_runs());
    let json = serde_json::to_vec(runs).expect("strings and numbers serialise");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(&json)?;
        file.sync_all()
    });
    written.map_err(StoreError::file("write", &new))?;
    fs::rename(&new, &path).map_err(StoreError::file("write", &path))
}

fn key(number: u64) -> Vec<u8> {
    keys::meta(&format!("{RUN}{number:020}"))
}

/// The ended runs, oldest first.
fn ended(db: &Database) -> Result<Vec<RunBook>, StoreError> {
    let run = |entry: Result<(sled::IVec, sled::IVec), StoreError>| {
        let (_, json) = entry?;
        serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("ended run"))
    };
    db.prefix(&keys::meta(RUN)).map(run).collect()
}

fn open_run(db: &Database, ended: &[RunBook]) -> Result<RunBook, StoreError> {
    let number = ended.last().map_or(0, |run| run.number) + 1;
    let pages = Begun::read(db)?.pages;
    Ok(RunBook { number, ended_ms: 0, pages, fields: tally::read(db)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, items, and the fields with how often they are filled.
    type Kind<'a> = (&'a str, u64, &'a [(&'a str, u64)]);

    fn book(pages: u64, kinds: &[Kind<'_>]) -> RunBook {
        let mut book = RunBook { pages, ..RunBook::default() };
        for (kind, items, fields) in kinds {
            let fields = fields.iter().map(|(name, n)| ((*name).into(), *n)).collect();
            book.fields.kinds.insert((*kind).into(), KindCounts { items: *items, fields });
        }
        book
    }

    #[track_caller]
    fn check(before: RunBook, run: RunBook, expected: &[(&str, Option<&str>)]) {
        let drifts = LastRuns { run, before: Some(before) }.drifts();
        let names: Vec<_> =
            drifts.iter().map(|drift| (&*drift.kind, drift.field.as_deref())).collect();
        assert_eq!(names, expected, "{drifts:?}");
    }

    #[test]
    fn a_field_drifts_when_it_is_filled_less_than_half_as_often() {
        let then = || book(9, &[("book", 100, &[("price", 100), ("isbn", 50), ("rare", 0)])]);
        check(then(), book(9, &[("book", 40, &[("price", 20), ("isbn", 10)])]), &[]);
        check(
            then(),
            book(9, &[("book", 40, &[("price", 19), ("isbn", 10)])]),
            &[("book", Some("price"))],
        );
        check(
            then(),
            book(9, &[("book", 40, &[])]),
            &[("book", Some("isbn")), ("book", Some("price"))],
        );
    }

    #[test]
    fn few_items_say_nothing() {
        let few = || book(9, &[("", 19, &[("price", 19)])]);
        let many = || book(9, &[("", 20, &[("price", 20)])]);
        check(few(), book(9, &[("", 100, &[("price", 0)])]), &[]);
        check(many(), book(9, &[("", 19, &[("price", 0)])]), &[]);
        check(many(), book(9, &[("", 20, &[("price", 0)])]), &[("", Some("price"))]);
    }

    #[test]
    fn a_kind_is_gone_if_enough_pages_were_read() {
        let then = || book(10, &[("book", 100, &[("price", 100)])]);
        check(then(), book(5, &[("author", 100, &[])]), &[("book", None)]);
        check(then(), book(4, &[]), &[]);
        assert!(LastRuns { run: book(9, &[]), before: None }.drifts().is_empty());
    }
}
