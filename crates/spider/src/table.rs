//! Tables as rows of texts.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// A table, its spanning cells repeated in each place that they cover (HTML Standard, section
/// 4.9.12, "forming a table").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The text of its `caption`.
    pub caption: Option<String>,
    /// The column names: the rows of its `thead`, else its first row if that has only header
    /// cells. Several header rows are joined by a space. Empty if it has none.
    pub headers: Vec<String>,
    /// The other rows, those of `tfoot` last, whitespace collapsed. All are of one length, unless
    /// the table is [`truncated`](Self::truncated).
    pub rows: Vec<Vec<String>>,
    /// Whether spans were cut short and rows not filled up, because the table would have more
    /// than a million places or repeat more than 32 MiB of text. No cell is ever left out.
    pub truncated: bool,
}

impl Table {
    /// Each row as an object: column name to text.
    ///
    /// A column without a name is called `column 3` (counted from 1), and a name that came before
    /// gets its column's number: `price (4)`.
    #[must_use]
    pub fn rows_as_maps(&self) -> Vec<Map<String, Value>> {
        let names = self.column_names();
        let map = |row: &Vec<String>| {
            let cells = names.iter().cloned().zip(row.iter().cloned().map(Value::String));
            cells.collect()
        };
        self.rows.iter().map(map).collect()
    }

    fn column_names(&self) -> Vec<String> {
        let width = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut seen = HashSet::with_capacity(width);
        let name = |at: usize| {
            let header = self.headers.get(at).filter(|name| !name.is_empty());
            let name = header.cloned().unwrap_or_else(|| format!("column {}", at + 1));
            if seen.insert(name.clone()) { name } else { format!("{name} ({})", at + 1) }
        };
        (0..width).map(name).collect()
    }
}
