//! Rows of a CSV document.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::SpiderError;

/// One row: its values, and the names of their columns.
///
/// Serialises as a map from names to values, so it can be an item as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct CsvRow {
    names: Arc<[Box<str>]>,
    text: String,
    ends: Vec<usize>,
}

impl CsvRow {
    /// Puts a row together; for hosts. `text` has the values one behind the other, `ends` where
    /// each ends in it, in bytes.
    #[must_use]
    pub fn new(names: Arc<[Box<str>]>, text: String, ends: Vec<usize>) -> Self {
        Self { names, text, ends }
    }

    pub(crate) fn into_parts(self) -> (Arc<[Box<str>]>, String, Vec<usize>) {
        (self.names, self.text, self.ends)
    }

    /// The name of a column that has none: `column_1` is the first.
    #[must_use]
    pub fn column(index: usize) -> String {
        format!("column_{}", index + 1)
    }

    /// The value in the column `name`; `None` if there is no such column, or the row is too short
    /// to have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.at(self.names.iter().position(|known| **known == *name)?)
    }

    /// The value in a column by its number, from 0.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// How many values it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Names and values from left to right. Values beyond the last name are in `column_7` and so
    /// on; names beyond the last value are left out.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        let name = |index: usize| match self.names.get(index) {
            Some(name) => Cow::Borrowed(&**name),
            None => Cow::Owned(Self::column(index)),
        };
        (0..self.len()).filter_map(move |index| Some((name(index), self.at(index)?)))
    }
}

impl Serialize for CsvRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(&name, value)?;
        }
        map.end()
    }
}

impl fmt::Debug for CsvRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// How a CSV file is written, where that is known better than the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CsvDialect {
    /// What separates values: one ASCII character. `None`: told by the first rows.
    pub delimiter: Option<char>,
    /// What values with delimiters in them stand between: one ASCII character. `None`: `"`.
    pub quote: Option<char>,
    /// The names of the columns; the first row is then a row as any other. `None`: the first row
    /// has them.
    pub headers: Option<Vec<String>>,
}

/// The rows of a page, read one after the other: none is kept.
pub struct CsvRows<'a>(Box<dyn Iterator<Item = Result<CsvRow, SpiderError>> + 'a>);

impl<'a> CsvRows<'a> {
    /// Wraps what reads them; for hosts.
    #[must_use]
    pub fn new(rows: impl Iterator<Item = Result<CsvRow, SpiderError>> + 'a) -> Self {
        Self(Box::new(rows))
    }
}

impl Iterator for CsvRows<'_> {
    type Item = Result<CsvRow, SpiderError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl fmt::Debug for CsvRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsvRows")
    }
}
