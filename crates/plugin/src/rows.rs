//! The rows of queries, as a plugin gets them: many values in one call.
//!
//! Those that were matched while the page streamed by are there already. Those of other queries are
//! selected in the document tree, and what their fields give is taken some rows at once, when the
//! first of these is read: a page's cards take two calls instead of one for each value. What lies
//! beyond the bounds here, and what few spiders ask for (HTML, all matches), is asked by itself.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};

use crawl_spider::abi::layout::{NO_ATTRIBUTE, NO_MATCH, ROWS_AT_ONCE, Slice, UNKNOWN};
use crawl_spider::abi::wire::Reader;
use crawl_spider::{FieldQuery, ItemQuery, MatchedRows, NodeId, PageServices, SelectorError, Take};

/// Most queries whose values are taken in batches, in one callback.
const MOST_QUERIES: usize = 16;

/// Most bytes of texts that were made of several pieces, which are kept until the callback returns.
/// One more is made when these are less.
const MOST_BYTES: usize = 1 << 20;

/// The rows of a wanted query.
pub(crate) struct Matched<'a> {
    pub(crate) rows: &'a dyn MatchedRows,
    /// What the first match of each field gave, row by row.
    pub(crate) firsts: Vec<Slice>,
}

impl<'a> Matched<'a> {
    /// Those that the host matched; `None` if it did not.
    pub(crate) fn of(services: &'a dyn PageServices, query: &ItemQuery) -> Option<Self> {
        let rows = services.matched(query)?;
        let n_fields = query.fields.len();
        let places =
            (0..rows.n_rows()).flat_map(|row| (0..n_fields).map(move |field| (row, field)));
        let slice = |text: Option<&str>| text.map_or(NO_MATCH, |text| Slice::of(text.as_bytes()));
        let firsts = places.map(|(row, field)| slice(rows.value(row, field, 0))).collect();
        Some(Self { rows, firsts })
    }
}

/// The queries whose rows were selected in one callback.
pub(crate) struct Selections<'a> {
    services: &'a dyn PageServices,
    all: RefCell<Vec<Selected>>,
    /// Bytes of the texts that are kept.
    n_bytes: Cell<usize>,
}

struct Selected {
    /// The frame that asked.
    asked: Vec<u8>,
    fields: Vec<FieldQuery>,
    /// `None` is the page.
    nodes: Option<Vec<NodeId>>,
    batches: Vec<OnceCell<Batch>>,
}

/// What the first match of each field gave, row by row. Once it is there it stays as it is.
struct Batch {
    firsts: Vec<Slice>,
    /// What some of them point to; others are the document's.
    texts: Vec<String>,
}

/// The number of a query, and the elements of its rows; `None` is the page.
pub(crate) type Numbered = (usize, Option<Vec<NodeId>>);

/// Why the rows of a query are not selected.
pub(crate) enum Unselected {
    /// It is none.
    Nonsense,
    /// There are too many.
    TooMany,
    /// The selector of its rows does not parse.
    Selector(SelectorError),
}

impl<'a> Selections<'a> {
    pub(crate) fn new(services: &'a dyn PageServices) -> Self {
        Self { services, all: RefCell::default(), n_bytes: Cell::new(0) }
    }

    /// Selects the rows of the query that `asked` is a frame of.
    pub(crate) fn select(&self, asked: &[u8]) -> Result<Numbered, Unselected> {
        let mut all = self.all.borrow_mut();
        if let Some(at) = all.iter().position(|known| known.asked == asked) {
            return Ok((at, all[at].nodes.clone()));
        }
        let query = Reader::new(asked).whole::<ItemQuery>();
        let ItemQuery { select, fields } = query.map_err(|_| Unselected::Nonsense)?;
        if all.len() == MOST_QUERIES {
            return Err(Unselected::TooMany);
        }
        let nodes = select.map(|css| self.services.select(&css, None)).transpose();
        let nodes = nodes.map_err(Unselected::Selector)?;
        let n_rows = nodes.as_ref().map_or(1, Vec::len);
        let batches = (0..n_rows.div_ceil(ROWS_AT_ONCE)).map(|_| OnceCell::new()).collect();
        let numbered = (all.len(), nodes.clone());
        all.push(Selected { asked: asked.to_vec(), fields, nodes, batches });
        Ok(numbered)
    }

    /// Lets `lend` have a batch of values; `None` if there is no such query or batch.
    pub(crate) fn firsts<R>(
        &self,
        query: usize,
        batch: usize,
        lend: impl FnOnce(&[Slice]) -> R,
    ) -> Option<R> {
        let all = self.all.borrow();
        let selected = all.get(query)?;
        let taken = selected.batches.get(batch)?.get_or_init(|| self.take(selected, batch));
        Some(lend(&taken.firsts))
    }

    fn take(&self, selected: &Selected, batch: usize) -> Batch {
        let Selected { fields, nodes, .. } = selected;
        let rows = nodes.as_deref().map(|nodes| nodes.chunks(ROWS_AT_ONCE).nth(batch));
        let rows = rows.map(Option::unwrap_or_default);
        let n_firsts = rows.map_or(1, <[_]>::len) * fields.len();
        let mut taken = Batch { firsts: Vec::with_capacity(n_firsts), texts: Vec::new() };
        let mut take = |root| {
            for field in fields {
                let first = self.first(field, root, &mut taken.texts);
                taken.firsts.push(first);
            }
        };
        match rows {
            None => take(None),
            Some(rows) => rows.iter().for_each(|&node| take(Some(node))),
        }
        taken
    }

    /// What the first match of a field in `root` gives. A text that is made goes to `texts`.
    fn first(&self, field: &FieldQuery, root: Option<NodeId>, texts: &mut Vec<String>) -> Slice {
        if field.all || field.take == Take::Html || self.n_bytes.get() >= MOST_BYTES {
            return UNKNOWN;
        }
        match field.first_in(self.services, root) {
            Ok(Some(Cow::Borrowed(text))) => Slice::of(text.as_bytes()),
            Ok(Some(Cow::Owned(text))) => {
                self.n_bytes.set(self.n_bytes.get() + text.len());
                let slice = Slice::of(text.as_bytes());
                texts.push(text);
                slice
            }
            Ok(None) => self.missing(field, root),
            // It is asked again by whoever reads it, and fails there.
            Err(_) => UNKNOWN,
        }
    }

    /// Why a field's first match gives nothing.
    fn missing(&self, field: &FieldQuery, root: Option<NodeId>) -> Slice {
        let has_match = match field.css.is_empty() {
            true => root.is_some(),
            false => !matches!(self.services.first(&field.css, root), Ok(None)),
        };
        if has_match { NO_ATTRIBUTE } else { NO_MATCH }
    }
}
