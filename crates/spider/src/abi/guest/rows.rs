//! Rows that the host matched while the page streamed by, or took in its tree, read where they lie.
#![allow(unsafe_code, reason = "texts of the host's are read in place; each block says why")]

use std::cell::OnceCell;
use std::rc::Rc;

use super::line::{Line, text};
use crate::abi::layout::{NO_ATTRIBUTE, NO_MATCH, ROWS_AT_ONCE, Service, Slice};
use crate::abi::wire::frame;
use crate::{First, FirstValues, ItemQuery, MatchedRows, NodeId, SelectedRows, SelectorError};

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

/// What the first matches of a query's fields gave in the tree: some rows at once, when one of
/// them is first asked for.
struct GuestFirsts<'h> {
    line: Line<'h>,
    query: usize,
    n_fields: usize,
    batches: Vec<OnceCell<&'h [Slice]>>,
}

/// Has the rows of a query selected; `None` if the host takes no more queries.
pub(super) fn select<'h>(
    line: Line<'h>,
    query: &ItemQuery,
) -> Result<Option<SelectedRows<'h>>, SelectorError> {
    let asked = frame(query);
    let ask = line.ask(Service::Selected).more(&asked);
    let found = ask.found_and_made::<Option<Vec<NodeId>>>()?;
    Ok(found.map(|(number, nodes)| {
        let n_rows = nodes.as_ref().map_or(1, Vec::len);
        let batches = (0..n_rows.div_ceil(ROWS_AT_ONCE)).map(|_| OnceCell::new()).collect();
        let firsts = GuestFirsts { line, query: number, n_fields: query.fields.len(), batches };
        SelectedRows::new(nodes, Some(Rc::new(firsts)))
    }))
}

impl<'h> GuestFirsts<'h> {
    fn batch(&self, number: usize) -> Option<&'h [Slice]> {
        let ask = || {
            let ask = self.line.ask(Service::Firsts).numbers([self.query, number, 0, 0]);
            ask.table().map_or(&[][..], |(_, firsts)| firsts)
        };
        self.batches.get(number).map(|batch| *batch.get_or_init(ask))
    }
}

impl FirstValues for GuestFirsts<'_> {
    fn first(&self, row: usize, field: usize) -> First<'_> {
        if field >= self.n_fields {
            return First::NoMatch;
        }
        let batch = self.batch(row / ROWS_AT_ONCE).unwrap_or_default();
        match batch.get(row % ROWS_AT_ONCE * self.n_fields + field) {
            // SAFETY: the host made it of a `&str` that it keeps until the callback returns,
            // which is as long as `'h`.
            Some(slice) if !slice.first.is_null() => First::Value(unsafe { text(*slice) }),
            Some(slice) if slice.len == NO_MATCH.len => First::NoMatch,
            Some(slice) if slice.len == NO_ATTRIBUTE.len => First::NoAttribute,
            _ => First::Unknown,
        }
    }
}
