//! What was taken of the elements, each thing once.

use std::ops::Range;
use std::rc::Rc;

use crawl_spider::MatchedRows;

/// What all queries took of a document.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// The text of the elements whose text is taken. Those that nest share theirs.
    text: String,
    /// Attributes, end to end.
    attrs: String,
    values: Vec<Value>,
}

/// Where one value stands.
#[derive(Debug, Clone)]
enum Value {
    Text(Range<usize>),
    Attr(Range<usize>),
    /// The element has no such attribute.
    None,
}

/// Names a value.
pub(super) type ValueId = usize;

impl Store {
    /// Adds an attribute's value.
    pub(super) fn attr(&mut self, value: Option<&str>) -> ValueId {
        let value = value.map(|value| {
            let start = self.attrs.len();
            self.attrs.push_str(value);
            Value::Attr(start..self.attrs.len())
        });
        self.add(value.unwrap_or(Value::None))
    }

    /// Begins a text here.
    pub(super) fn begin_text(&mut self) -> ValueId {
        let at = self.text.len();
        self.add(Value::Text(at..at))
    }

    /// Adds to all texts that have begun and not ended.
    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends a text here.
    pub(super) fn end_text(&mut self, id: ValueId) {
        if let Value::Text(range) = &mut self.values[id] {
            range.end = self.text.len();
        }
    }

    fn add(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        self.values.len() - 1
    }

    fn get(&self, id: ValueId) -> Option<&str> {
        match self.values.get(id)? {
            Value::Text(range) => Some(&self.text[range.clone()]),
            Value::Attr(range) => Some(&self.attrs[range.clone()]),
            Value::None => None,
        }
    }
}

/// The rows of one query, while they are found.
#[derive(Debug)]
pub(super) struct Draft {
    n_rows: usize,
    /// By row, then by field: which matches of the field stand in the row's element.
    found: Vec<Range<usize>>,
    /// By field: its matches in document order. Rows that nest share theirs.
    lists: Vec<Vec<ValueId>>,
}

impl Draft {
    pub(super) fn new(n_fields: usize) -> Self {
        Self { n_rows: 0, found: Vec::new(), lists: vec![Vec::new(); n_fields] }
    }

    /// Begins a row; its number.
    pub(super) fn begin(&mut self) -> usize {
        self.found.extend(self.lists.iter().map(|list| list.len()..list.len()));
        self.n_rows += 1;
        self.n_rows - 1
    }

    /// Adds a match to all rows that have begun and not ended.
    pub(super) fn add(&mut self, field: usize, value: ValueId) {
        self.lists[field].push(value);
    }

    /// Sets a field of a row to these matches alone.
    pub(super) fn set(&mut self, row: usize, field: usize, values: impl Iterator<Item = ValueId>) {
        let start = self.lists[field].len();
        self.lists[field].extend(values);
        self.found[row * self.lists.len() + field] = start..self.lists[field].len();
    }

    /// Whether a row that has begun has a match of this field so far.
    pub(super) fn has(&self, row: usize, field: usize) -> bool {
        self.found[row * self.lists.len() + field].start < self.lists[field].len()
    }

    /// Ends a field of a row that [`set`](Self::set) is not used for.
    pub(super) fn end(&mut self, row: usize, field: usize) {
        self.found[row * self.lists.len() + field].end = self.lists[field].len();
    }

    /// The finished rows.
    pub(super) fn finish(self, store: Rc<Store>) -> Matches {
        Matches { store, rows: self }
    }
}

/// The rows of one query.
#[derive(Debug)]
pub(crate) struct Matches {
    store: Rc<Store>,
    rows: Draft,
}

impl Matches {
    fn found(&self, row: usize, field: usize) -> &[ValueId] {
        let n_fields = self.rows.lists.len();
        let Some(list) = self.rows.lists.get(field) else { return &[] };
        let range = self.rows.found.get(row * n_fields + field).cloned().unwrap_or_default();
        list.get(range).unwrap_or_default()
    }
}

impl MatchedRows for Matches {
    fn n_rows(&self) -> usize {
        self.rows.n_rows
    }

    fn n_matches(&self, row: usize, field: usize) -> usize {
        self.found(row, field).len()
    }

    fn value(&self, row: usize, field: usize, n: usize) -> Option<&str> {
        self.store.get(*self.found(row, field).get(n)?)
    }
}
