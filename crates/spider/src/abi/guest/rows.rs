//! Rows that the host matched while the page streamed by, read where they lie.
#![allow(unsafe_code, reason = "texts of the host's are read in place; each block says why")]

use super::line::{Line, text};
use crate::MatchedRows;
use crate::abi::layout::{Service, Slice};

/// The rows of one wanted query.
pub(super) struct GuestRows<'h> {
    line: Line<'h>,
    query: usize,
    n_rows: usize,
    n_fields: usize,
    /// What the first match of each field gave, row by row: what is asked for most.
    firsts: &'h [Slice],
}

impl<'h> GuestRows<'h> {
    /// The rows of the query of this number; `None` if the host did not match it.
    pub(super) fn ask(line: Line<'h>, query: usize, n_fields: usize) -> Option<Self> {
        let (n_rows, firsts) = line.ask(Service::Rows).numbers([query, 0, 0, 0]).table()?;
        Some(Self { line, query, n_rows, n_fields, firsts })
    }
}

impl MatchedRows for GuestRows<'_> {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn n_matches(&self, row: usize, field: usize) -> usize {
        let ask = self.line.ask(Service::Matches);
        ask.numbers([self.query, row, field, 0]).number().unwrap_or(0)
    }

    fn value(&self, row: usize, field: usize, n: usize) -> Option<&str> {
        if n == 0 && field < self.n_fields {
            let slice = self.firsts.get(row * self.n_fields + field)?;
            // SAFETY: the host made it of a `&str` of its own that stays as it is until the
            // callback returns, which is as long as `'h`.
            return (!slice.first.is_null()).then(|| unsafe { text(*slice) });
        }
        let ask = self.line.ask(Service::Value);
        ask.numbers([self.query, row, field, n]).borrowed_text()
    }
}
