//! Rows that the host matched while the page streamed by, read where they lie.

use super::line::Line;
use crate::MatchedRows;
use crate::abi::layout::Service;

/// The rows of one wanted query.
pub(super) struct GuestRows<'h> {
    line: Line<'h>,
    query: usize,
    n_rows: usize,
}

impl<'h> GuestRows<'h> {
    /// The rows of the query of this number; `None` if the host did not match it.
    pub(super) fn ask(line: Line<'h>, query: usize) -> Option<Self> {
        let n_rows = line.ask(Service::Rows).numbers([query, 0, 0, 0]).number()?;
        Some(Self { line, query, n_rows })
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
        let ask = self.line.ask(Service::Value);
        ask.numbers([self.query, row, field, n]).borrowed_text()
    }
}
