//! Items in files: one that is written in place, or one that is gathered beside and shown when it
//! is whole, or many of those.
//!
//! Cut back at open to the last durable report, so that every item stands in them exactly once. A
//! batch is shown only when the store durably knows that it is whole, and never changes after that.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::names::{Names, with_suffix};
#[cfg(feature = "parquet")]
use super::parquet::Columns;
use super::tail::Tail;
use super::{Crawl, Position, Sink, Start};
use crate::row::Row;
use crate::text::{MAX_COLUMNS, Text, copy_rows, read_head};
use crate::{Compression, FeedConfig, FeedError, FeedFormat};

/// Items that are held back while their columns may still become more.
const MOST_HELD: usize = 1000;

/// What else is to be known to go on: kept by the store as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// Number of the file that is being written, from 1.
    batch: u64,
    /// Items in it.
    rows: u64,
    /// Last settle number before its first item.
    since: u64,
    /// Bytes of it that were shown where it is gathered beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<u64>,
    /// Of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// Of Parquet files, over all of them.
    #[cfg(feature = "parquet")]
    #[serde(skip_serializing_if = "Columns::is_empty")]
    parquet: Columns,
    /// Whether it is the items as they are stored, a line each: then `crawl verify` compares them.
    is_plain: bool,
    /// Whether it is a table of all fields of all items, a row each: then it does so, too.
    is_table: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            batch: 1,
            rows: 0,
            since: 0,
            shown: None,
            columns: Vec::new(),
            #[cfg(feature = "parquet")]
            parquet: Columns::default(),
            is_plain: false,
            is_table: false,
        }
    }
}

#[derive(Debug)]
struct Files {
    names: Names,
    compression: Compression,
    /// Items of a batch; 0 for all.
    batch_items: u64,
    text: Text,
    /// Items whose columns are not settled.
    held: Vec<Map<String, Value>>,
    tail: Tail,
    state: State,
    /// A batch that is whole and not shown.
    closed: Option<u64>,
    /// Whether what comes next is the end.
    is_closing: bool,
}

/// Opens the file of a feed, or the one of its files that is being written.
pub(super) fn open(
    config: &FeedConfig,
    columns: Option<Vec<String>>,
    crawl: &Crawl,
) -> Result<(Box<dyn Sink>, Start), FeedError> {
    let names = Names::of(config, &crawl.spool)?;
    let format = config.effective_format().unwrap_or(FeedFormat::Jsonl);
    let cursor = crawl.cursor.as_ref().filter(|_| !crawl.fresh);
    let mut state = cursor.map_or_else(State::default, |cursor| {
        // Written by a version that kept no state.
        serde_json::from_str(&cursor.state).unwrap_or_default()
    });
    if cursor.is_none() {
        if crawl.fresh {
            names.remove_batches()?;
        } else if names.is_there(1)? {
            return Err(FeedError::NotOurs { path: names.whole(1) });
        }
    }
    let compression = names.compression(config);
    let is_whole = compression == Compression::None && !names.is_batched() && config.takes_all();
    state.is_plain = is_whole && format == FeedFormat::Jsonl;
    state.is_table = is_whole && format == FeedFormat::Csv;
    let mut files = Files {
        tail: Tail::open(&names.part(state.batch), compression)?,
        closed: left_behind(&names, &state),
        names,
        compression,
        batch_items: config.batch_items,
        text: Text::new(format, columns),
        held: Vec::new(),
        state,
        is_closing: false,
    };
    let start = match cursor {
        None => {
            files.start_over()?;
            Start { n: 0, is_over: true, notes: Vec::new() }
        }
        Some(cursor) => files.go_on(cursor.n, cursor.len, &config.name())?,
    };
    Ok((Box::new(files), start))
}

/// The batch that was whole but not shown when the process died.
fn left_behind(names: &Names, state: &State) -> Option<u64> {
    let before = state.batch.checked_sub(1).filter(|batch| *batch > 0 && names.is_batched())?;
    fs::symlink_metadata(names.part(before)).is_ok().then_some(before)
}

impl Files {
    /// Begins the file anew: empty, but for what stands before the first item.
    fn start_over(&mut self) -> Result<(), FeedError> {
        self.state.rows = 0;
        let head = self.text.head();
        let begun = self.tail.cut(0).and_then(|()| self.tail.push(head.as_bytes()));
        begun.map_err(FeedError::file("cut", self.tail.path()))
    }

    /// Goes on behind the `len` bytes that hold what settled up to `n`.
    fn go_on(&mut self, n: u64, len: u64, name: &str) -> Result<Start, FeedError> {
        if let Text::Csv(columns) = &mut self.text {
            columns.restore(self.state.columns.clone());
        }
        let (found, mut notes) = (self.tail.len(), Vec::new());
        if !self.has_columns() {
            match self.cut_to_rows()? {
                true => {
                    let rows = self.state.rows;
                    notes.push(format!("feed {name} cut back to {rows} rows"));
                    return Ok(Start { n, is_over: false, notes });
                }
                false => notes
                    .push(format!("feed {name} has other columns, or fewer rows: written anew")),
            }
        } else if found < len {
            notes.push(format!(
                "feed {name} has {found} of {len} bytes up to settle {n}: written anew"
            ));
        } else {
            let file = |error| FeedError::file("cut", self.tail.path())(error);
            let foot = self.tail.len_of(self.text.foot()).map_err(file)?;
            if found > len + foot {
                notes.push(format!("feed {name} cut back by {} bytes", found - len));
            }
            self.tail.cut(len).map_err(FeedError::file("cut", self.tail.path()))?;
            if len == 0 || matches!(self.text, Text::Csv(_)) && self.state.rows == 0 {
                self.start_over()?;
            }
            return Ok(Start { n, is_over: false, notes });
        }
        self.start_over()?;
        self.state.shown = None;
        Ok(Start { n: self.state.since, is_over: true, notes })
    }

    /// The columns that the file says; none if it is torn.
    fn head_columns(&self) -> Vec<String> {
        self.tail.reader().and_then(read_head).unwrap_or_default()
    }

    /// Whether the file begins with the columns that are known: it does not if the process died
    /// after a column was added and before that was reported, or if other fields are chosen now.
    fn has_columns(&self) -> bool {
        let Text::Csv(columns) = &self.text else { return true };
        self.state.rows == 0 || self.head_columns().iter().map(String::as_str).eq(columns.names())
    }

    /// Cuts a table to the rows that were reported, whatever its columns are, and takes those.
    fn cut_to_rows(&mut self) -> Result<bool, FeedError> {
        let head = self.head_columns();
        let Text::Csv(columns) = &mut self.text else { return Ok(false) };
        // Columns only come to be at the end; anything else is not what was reported.
        if columns.is_fixed() || !head.starts_with(&self.state.columns) {
            return Ok(false);
        }
        columns.restore(head);
        self.rewrite(0)
    }

    /// Writes the rows so far into a new file under the columns as they are now, `n_more` of which
    /// the rows have not, and puts it into the place of the old one. `false` if rows are missing.
    fn rewrite(&mut self, n_more: usize) -> Result<bool, FeedError> {
        let path = self.tail.path().to_owned();
        let file = |error| FeedError::file("widen", &path)(error);
        self.tail.sync("").map_err(file)?;
        let mut new = Tail::open(&with_suffix(&path, ".new"), self.compression)?;
        new.cut(0).map_err(file)?;
        new.push(self.text.head().as_bytes()).map_err(file)?;
        let rows = self.state.rows;
        let from = self.tail.reader().map_err(file)?;
        // A file that was torn, too, has not its rows.
        let is_whole = copy_rows(from, &mut new, rows, n_more).is_ok_and(|copied| copied == rows);
        if is_whole {
            new.sync("").and_then(|()| new.replace(&path)).map_err(file)?;
            self.tail = new;
        } else {
            fs::remove_file(new.path()).map_err(file)?;
        }
        Ok(is_whole)
    }

    /// Writes what was held back, under all columns that are known by now.
    fn write_held(&mut self) -> Result<(), FeedError> {
        let Text::Csv(columns) = &mut self.text else { return Ok(()) };
        let before = columns.len();
        self.held.iter().for_each(|fields| columns.add(fields));
        let now = columns.len();
        if now > MAX_COLUMNS {
            return Err(FeedError::Columns { path: self.tail.path().to_owned(), n: now });
        }
        if now > before && self.state.rows == 0 {
            self.start_over()?;
        } else if now > before && !self.rewrite(now - before)? {
            let path = self.tail.path().to_owned();
            let source = io::ErrorKind::UnexpectedEof.into();
            return Err(FeedError::File { doing: "read back", path, source });
        }
        for fields in std::mem::take(&mut self.held) {
            self.write(Row::Fields(fields))?;
        }
        Ok(())
    }

    fn write(&mut self, row: Row) -> Result<(), FeedError> {
        let mut text = String::new();
        self.text.row(row, self.state.rows, &mut text);
        self.state.rows += 1;
        self.tail.push(text.as_bytes()).map_err(FeedError::file("write", self.tail.path()))
    }

    /// Takes in which columns a row needs, and of which types.
    #[cfg(feature = "parquet")]
    fn note_columns(&mut self, row: &Row) -> Result<(), FeedError> {
        let columns = &mut self.state.parquet;
        if columns.is_empty() {
            columns.begin(self.names.columns());
        }
        let n = columns.add(&row.clone().into_fields());
        let path = || self.names.whole(self.state.batch);
        if n > MAX_COLUMNS { Err(FeedError::Columns { path: path(), n }) } else { Ok(()) }
    }

    /// Items in the file that is being written.
    fn rows(&self) -> u64 {
        self.state.rows + self.held.len() as u64
    }

    fn position(&mut self, n: u64) -> Position {
        if let Text::Csv(columns) = &self.text {
            self.state.columns = columns.names().map(str::to_owned).collect();
        }
        let state = serde_json::to_string(&self.state).expect("it has text keys");
        Position { n, len: self.tail.len(), state }
    }
}

impl Sink for Files {
    fn put(&mut self, row: Row) -> Result<(), FeedError> {
        if matches!(self.text, Text::Csv(_)) {
            self.held.push(row.into_fields());
            return if self.held.len() >= MOST_HELD { self.write_held() } else { Ok(()) };
        }
        #[cfg(feature = "parquet")]
        if self.names.is_parquet() {
            self.note_columns(&row)?;
        }
        self.write(row)
    }

    fn flush(&mut self) -> Result<(), FeedError> {
        if !self.names.is_in_place() {
            return Ok(());
        }
        self.write_held()?;
        self.tail.flush(self.text.foot()).map_err(FeedError::file("write", self.tail.path()))
    }

    fn is_full(&self) -> bool {
        self.batch_items > 0 && self.rows() >= self.batch_items
    }

    fn commit(&mut self, n: u64) -> Result<Position, FeedError> {
        self.write_held()?;
        let mut synced = self.tail.sync(self.text.foot());
        if self.is_closing {
            synced = synced.and_then(|()| self.tail.end());
        }
        synced.map_err(FeedError::file("flush", self.tail.path()))?;
        let is_last = self.is_closing && self.state.rows > 0;
        #[cfg(feature = "parquet")]
        if self.names.is_parquet() && (self.is_full() || self.is_closing) {
            self.state.parquet.settle(self.names.columns());
        }
        if self.names.is_batched() && (self.is_full() || is_last) {
            self.closed = Some(self.state.batch);
            self.state.batch += 1;
            (self.state.rows, self.state.since) = (0, n);
            return Ok(Position { len: 0, ..self.position(n) });
        }
        Ok(self.position(n))
    }

    fn awaits(&self) -> bool {
        self.closed.is_some()
    }

    fn confirmed(&mut self) -> Result<(), FeedError> {
        let Some(batch) = self.closed else { return Ok(()) };
        #[cfg(feature = "parquet")]
        self.names.show(batch, &self.state.parquet)?;
        #[cfg(not(feature = "parquet"))]
        self.names.show(batch)?;
        self.closed = None;
        if !self.names.is_batched() {
            self.state.shown = Some(self.tail.len());
        } else if self.state.batch > batch && self.tail.path() == self.names.part(batch) {
            self.tail = Tail::open(&self.names.part(self.state.batch), self.compression)?;
            self.start_over()?;
        }
        Ok(())
    }

    fn close(&mut self) -> bool {
        self.is_closing = true;
        if self.names.is_in_place() {
            return false;
        }
        if self.names.is_batched() {
            return self.rows() > 0;
        }
        // The one file is shown as it is, and gathered further by the next run.
        let is_shown = self.state.shown == Some(self.tail.len()) && self.held.is_empty();
        self.closed = (!is_shown).then_some(self.state.batch);
        self.closed.is_some()
    }

    fn end(&mut self) -> Result<(), FeedError> {
        // A batch that has no items is no file.
        let is_rest = self.names.is_batched() && self.state.rows == 0;
        let ended = if is_rest { fs::remove_file(self.tail.path()) } else { self.tail.end() };
        ended.map_err(FeedError::file("end", self.tail.path()))
    }
}
