//! Lays rows of JSON out in columns, for people.
//!
//! Widths come from the first rows, which are held back for that; later rows are printed as they
//! come, so that a table of millions of rows needs no more memory than its first screenfuls.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// Rows held back to learn columns and widths from.
const HELD_ROWS: usize = 500;
/// Widest cell, in characters; the last column may be as wide as it likes.
const CELL_CHARS: usize = 60;

/// One row: a JSON object.
pub(crate) type Row = Map<String, Value>;

/// A table on its way to `out`.
pub(crate) struct Table<W> {
    out: W,
    /// The fields shown, in order; empty until they are learned from the rows.
    columns: Vec<Column>,
    held: Vec<Row>,
    is_laid_out: bool,
}

struct Column {
    field: String,
    width: usize,
    is_number: bool,
}

impl<W: Write> Table<W> {
    /// A table of these fields. With none given, the fields of the first rows are shown, in the
    /// order in which they turn up, and `url` behind all others.
    pub(crate) fn new(out: W, fields: &[&str]) -> Self {
        let columns = fields.iter().map(|field| Column::new(field)).collect();
        Self { out, columns, held: Vec::new(), is_laid_out: false }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Row) -> io::Result<()> {
        if self.is_laid_out {
            return self.print(&row);
        }
        self.held.push(row);
        if self.held.len() < HELD_ROWS { Ok(()) } else { self.lay_out() }
    }

    /// Prints what is held back. A table without rows prints nothing.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.is_laid_out && !self.held.is_empty() {
            self.lay_out()?;
        }
        self.out.flush()
    }

    fn lay_out(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if self.columns.is_empty() {
            self.columns = learn(&held);
        }
        for column in &mut self.columns {
            column.measure(&held);
        }
        self.is_laid_out = true;
        let last = self.columns.len().saturating_sub(1);
        let mut line = String::new();
        for (i, column) in self.columns.iter().enumerate() {
            column.append(&mut line, &column.field, i == last);
        }
        writeln!(self.out, "{}", line.trim_end())?;
        held.iter().try_for_each(|row| self.print(row))
    }

    fn print(&mut self, row: &Row) -> io::Result<()> {
        let last = self.columns.len().saturating_sub(1);
        let mut line = String::new();
        for (i, column) in self.columns.iter().enumerate() {
            column.append(&mut line, &cell(row.get(&column.field)), i == last);
        }
        writeln!(self.out, "{}", line.trim_end())
    }
}

impl Column {
    fn new(field: &str) -> Self {
        Self { field: field.to_owned(), width: 0, is_number: true }
    }

    fn measure(&mut self, rows: &[Row]) {
        let values = || rows.iter().filter_map(|row| row.get(&self.field)).filter(|v| !v.is_null());
        let widest = values().map(|value| cell(Some(value)).chars().count()).max().unwrap_or(0);
        self.is_number = values().next().is_some() && values().all(Value::is_number);
        self.width = widest.min(CELL_CHARS).max(self.field.chars().count());
    }

    /// Appends a cell, numbers to the right, two spaces between.
    fn append(&self, line: &mut String, text: &str, is_last: bool) {
        let n_chars = text.chars().count();
        let pad = " ".repeat(self.width.saturating_sub(n_chars));
        if self.is_number {
            line.push_str(&pad);
            line.push_str(text);
        } else if n_chars > self.width && !is_last {
            line.extend(text.chars().take(self.width.saturating_sub(1)));
            line.push('…');
        } else {
            line.push_str(text);
            line.push_str(&pad);
        }
        if !is_last {
            line.push_str("  ");
        }
    }
}

/// All fields of the rows, in order of appearance; `url` last, for it is the longest.
fn learn(rows: &[Row]) -> Vec<Column> {
    let mut fields: Vec<&str> = Vec::new();
    for field in rows.iter().flat_map(Map::keys) {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    fields.sort_by_key(|field| *field == "url");
    fields.into_iter().map(Column::new).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => printable(text),
        Some(other) => printable(&other.to_string()),
    }
}

/// The text without what a terminal would obey: a page's title is a stranger's text.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if is_control(c) { '·' } else { c }).collect()
}

/// Control characters, and those that change the direction of text (Unicode TR 9).
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(fields: &[&str], rows: &[Value], expected: &str) {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, fields);
        for row in rows {
            table.push(row.as_object().unwrap().clone()).unwrap();
        }
        table.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers_stand_right_and_words_left() {
        check(
            &["status", "verdict", "url"],
            &[
                json!({"url": "http://h/", "status": 200, "verdict": "ok", "depth": 3}),
                json!({"url": "http://h/longer", "verdict": "timeout"}),
            ],
            "status  verdict  url\n   200  ok       http://h/\n        timeout  http://h/longer\n",
        );
    }

    #[test]
    fn fields_are_learned_where_none_are_given() {
        check(
            &[],
            &[json!({"url": "u", "price": 2.5}), json!({"url": "v", "price": 10, "new": true})],
            "price  new   url\n  2.5        u\n   10  true  v\n",
        );
    }

    #[test]
    fn a_table_without_rows_is_empty() {
        check(&["url"], &[], "");
    }

    #[test]
    fn a_long_cell_is_shortened_unless_it_is_the_last() {
        let long = "x".repeat(70);
        let expected = format!("{:60}  b\n{}…  {long}\n", "a", "x".repeat(59));
        check(&["a", "b"], &[json!({"a": long, "b": long})], &expected);
    }

    #[test]
    fn escapes_of_a_page_do_not_reach_the_terminal() {
        check(&["t"], &[json!({"t": "a\u{1b}[31m\nb\u{202e}"})], "t\na·[31m·b·\n");
    }

    #[test]
    fn rows_beyond_the_held_ones_are_printed_as_they_come() {
        let rows: Vec<Value> = (0..HELD_ROWS + 10).map(|n| json!({"n": n})).collect();
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, &["n"]);
        for row in &rows {
            table.push(row.as_object().unwrap().clone()).unwrap();
        }
        assert!(table.held.is_empty());
        table.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), rows.len() + 1);
    }
}
