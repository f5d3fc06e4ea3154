//! Rows of values: CSV (RFC 4180) and its kin with other delimiters.
//!
//! One row at a time from the decoded text, so that a file costs no more than its longest row.
//! As tolerant as spreadsheets are: rows may be longer or shorter than the first, quotes may
//! stand inside of values, empty lines are no rows.

use std::collections::HashSet;
use std::sync::Arc;

use crawl_spider::{CsvDialect, CsvRow, SpiderError};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Most columns of a row, as many as spreadsheets have.
const MAX_COLUMNS: usize = 16_384;

/// How much of a file is looked at for its delimiter: rows, and bytes.
const SAMPLE_ROWS: usize = 20;
const SAMPLE_BYTES: usize = 64 * 1024;

/// What separates values; of those that fit equally well the first counts.
const DELIMITERS: [u8; 4] = *b",\t;|";

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// What separates values.
    pub(crate) delimiter: u8,
    /// What values with delimiters in them stand between.
    pub(crate) quote: u8,
    /// The names of the columns, if the first row does not have them.
    pub(crate) names: Option<Arc<[Box<str>]>>,
}

impl Dialect {
    /// The dialect that was asked for, where it was, and else that of `text`.
    pub(crate) fn new(asked: &CsvDialect, is_tabbed: bool, has_names: bool, text: &str) -> Self {
        let ascii = |c: char| u8::try_from(c).ok().filter(u8::is_ascii);
        let guess = || if is_tabbed { b'\t' } else { delimiter(text) };
        let asked_names = asked.headers.as_ref().map(|names| unlike(names.iter().cloned()));
        Self {
            delimiter: asked.delimiter.and_then(ascii).unwrap_or_else(guess),
            quote: asked.quote.and_then(ascii).unwrap_or(b'"'),
            names: asked_names.or_else(|| (!has_names).then(Arc::default)),
        }
    }
}

/// Reads rows one after the other.
pub(crate) struct Rows<'a> {
    rest: &'a [u8],
    core: Reader,
    /// `None` before the first row, if that has them.
    names: Option<Arc<[Box<str>]>>,
    n_rows: u64,
    is_over: bool,
}

impl<'a> Rows<'a> {
    /// Reads `text`.
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            rest: text.as_bytes(),
            core: ReaderBuilder::new().delimiter(dialect.delimiter).quote(dialect.quote).build(),
            names: dialect.names,
            n_rows: 0,
            is_over: false,
        }
    }

    /// The next record: its values one behind the other, and where each ends.
    fn record(&mut self) -> Option<Result<(String, Vec<usize>), SpiderError>> {
        let (mut text, mut ends) = (vec![0; 256], vec![0; 16]);
        let (mut text_len, mut n_ends) = (0, 0);
        loop {
            let (result, n_in, n_out, n_new) =
                self.core.read_record(self.rest, &mut text[text_len..], &mut ends[n_ends..]);
            self.rest = &self.rest[n_in..];
            text_len += n_out;
            n_ends += n_new;
            match result {
                // Asked again with nothing, it gives what it holds as the last record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => text.resize(2 * text.len(), 0),
                ReadRecordResult::OutputEndsFull if ends.len() < MAX_COLUMNS => {
                    ends.resize((2 * ends.len()).min(MAX_COLUMNS), 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    let row = self.n_rows + 1;
                    let what = format!("row {row} of the CSV has more than {MAX_COLUMNS} columns");
                    return Some(Err(SpiderError::Other(what)));
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
            }
        }
        text.truncate(text_len);
        ends.truncate(n_ends);
        self.n_rows += 1;
        let row = self.n_rows;
        Some(String::from_utf8(text).map(|text| (text, ends)).map_err(|error| {
            SpiderError::Other(format!("row {row} of the CSV is no text: {error}"))
        }))
    }

    fn row(&mut self) -> Option<Result<CsvRow, SpiderError>> {
        let names = match &self.names {
            Some(names) => names.clone(),
            None => {
                let names = match self.record()? {
                    Ok((text, ends)) => names(&text, &ends),
                    Err(error) => return Some(Err(error)),
                };
                self.names.insert(names).clone()
            }
        };
        let record = self.record()?;
        Some(record.map(|(text, ends)| CsvRow::new(names, text, ends)))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<CsvRow, SpiderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.row();
        // After an error nobody knows where the next row begins.
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// The names of the columns, each different: an empty one becomes `column_3`, one that was there
/// already gets `_2` behind it.
fn names(text: &str, ends: &[usize]) -> Arc<[Box<str>]> {
    let mut start = 0;
    unlike(ends.iter().map(|&end| {
        let name = text[start..end].trim().to_owned();
        start = end;
        name
    }))
}

fn unlike(names: impl Iterator<Item = String>) -> Arc<[Box<str>]> {
    let mut seen = HashSet::new();
    let name = |(index, name): (usize, String)| {
        let mut name = if name.is_empty() { CsvRow::column(index) } else { name };
        if seen.contains(&name) {
            // No name is tried twice, for a column's number is its own.
            name = format!("{name}_{}", index + 1);
            while seen.contains(&name) {
                name.push('_');
            }
        }
        seen.insert(name.clone());
        name.into_boxed_str()
    };
    names.enumerate().map(name).collect()
}

/// Which delimiter a file is written with: the one of which most of the first rows have as many
/// as the very first has. A comma if there is none.
pub(crate) fn delimiter(text: &str) -> u8 {
    let counts = count(text);
    let Some(first) = counts.first() else { return DELIMITERS[0] };
    let fit = |&which: &usize| {
        let n_same = counts.iter().filter(|row| row[which] == first[which]).count();
        (n_same, first[which], std::cmp::Reverse(which))
    };
    let best = (0..DELIMITERS.len()).filter(|&which| first[which] > 0).max_by_key(fit);
    DELIMITERS[best.unwrap_or(0)]
}

/// How many of each delimiter the first rows have outside of quotes.
fn count(text: &str) -> Vec<[usize; DELIMITERS.len()]> {
    let sample = &text.as_bytes()[..text.len().min(SAMPLE_BYTES)];
    let mut rows = Vec::new();
    let mut row = [0; DELIMITERS.len()];
    let (mut is_quoted, mut is_start, mut is_empty) = (false, true, true);
    for &byte in sample {
        if is_quoted {
            is_quoted = byte != b'"';
        } else if matches!(byte, b'\n' | b'\r') {
            if !is_empty {
                rows.push(row);
            }
            if rows.len() == SAMPLE_ROWS {
                return rows;
            }
            (row, is_start, is_empty) = ([0; DELIMITERS.len()], true, true);
            continue;
        } else if let Some(which) = DELIMITERS.iter().position(|&it| it == byte) {
            row[which] += 1;
            is_start = true;
            is_empty = false;
            continue;
        } else {
            // Only where a value begins does a quote open one; a second one in it reopens it.
            is_quoted = byte == b'"' && is_start;
        }
        is_start = byte == b'"' && is_start;
        is_empty = false;
    }
    // A row that the sample cuts says nothing, unless there is no other.
    if !is_empty && (sample.len() == text.len() || rows.is_empty()) {
        rows.push(row);
    }
    rows
}
