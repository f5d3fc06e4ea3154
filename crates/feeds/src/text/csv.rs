//! Items as comma-separated values (RFC 4180, but lines end in LF).
//!
//! The first line says the columns, and a file has one first line: when a column comes late, the
//! file is written anew with it, the rows before get an empty cell. So no field vanishes, whenever
//! it comes, and every row is as long as the first.
//!
//! Texts, numbers and booleans stand as they are, lists and objects as JSON. An empty text is `""`,
//! no value is nothing at all. Nothing is done against spreadsheets that take a cell which begins
//! with `=` for a formula: what was found is what is written.

use std::io::{self, BufRead, BufReader, Read, Write};

use indexmap::IndexSet;
use serde_json::{Map, Value};

/// More columns than any table has: field names that are data.
pub(crate) const MAX_COLUMNS: usize = 1000;

/// The columns of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    names: IndexSet<String>,
    is_fixed: bool,
}

impl Columns {
    pub(super) fn new(fixed: Option<Vec<String>>) -> Self {
        Self { is_fixed: fixed.is_some(), names: fixed.unwrap_or_default().into_iter().collect() }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Takes the columns of a file that goes on; those that were chosen count for more.
    pub(crate) fn restore(&mut self, names: Vec<String>) {
        if !self.is_fixed {
            self.names = names.into_iter().collect();
        }
    }

    /// Whether columns are those that were chosen, so that none is added.
    pub(crate) fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// Adds the fields of an item that are no columns yet.
    pub(crate) fn add(&mut self, fields: &Map<String, Value>) {
        if self.is_fixed {
            return;
        }
        for name in fields.keys() {
            if !self.names.contains(name.as_str()) {
                self.names.insert(name.clone());
            }
        }
    }

    /// The first line; nothing while there are no columns.
    pub(super) fn head(&self) -> String {
        head_of(self.names())
    }

    pub(super) fn row(&self, fields: &Map<String, Value>, out: &mut String) {
        let start = out.len();
        for (i, name) in self.names.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            match fields.get(name.as_str()) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => cell(text, out),
                Some(value) => cell(&value.to_string(), out),
            }
        }
        end_line(start, out);
    }
}

/// The first line of a file with these columns; nothing if there are none.
fn head_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (i, name) in names.enumerate() {
        if i > 0 {
            out.push(',');
        }
        cell(name, &mut out);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// A line that is empty would be no row.
fn end_line(start: usize, out: &mut String) {
    if out.len() == start {
        out.push_str("\"\"");
    }
    out.push('\n');
}

fn cell(text: &str, out: &mut String) {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

/// Copies the first `n` rows behind the first line of `from`, each with `n_more` empty cells; the
/// first line itself is left out. Returns how many rows there were.
pub(crate) fn copy_rows(
    from: impl Read,
    to: &mut impl Write,
    n: u64,
    n_more: usize,
) -> io::Result<u64> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut line = Vec::new();
    read_row(&mut from, &mut line)?;
    let commas = ",".repeat(n_more);
    for i in 0..n {
        line.clear();
        if !read_row(&mut from, &mut line)? {
            return Ok(i);
        }
        line.pop();
        to.write_all(&line)?;
        to.write_all(commas.as_bytes())?;
        to.write_all(b"\n")?;
    }
    Ok(n)
}

/// The columns that the first line of a file says; none if there is no whole line.
pub(crate) fn read_head(from: impl Read) -> io::Result<Vec<String>> {
    let mut line = Vec::new();
    if !read_row(&mut BufReader::new(from), &mut line)? {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&line);
    let (mut names, mut name, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => name.extend(chars.next()),
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    Ok(names)
}

/// Reads a row with its line break; `false` if there is none, or no whole one.
fn read_row(from: &mut impl BufRead, row: &mut Vec<u8>) -> io::Result<bool> {
    let mut n_quotes = 0;
    loop {
        let before = row.len();
        from.read_until(b'\n', row)?;
        if row.len() == before || row.last() != Some(&b'\n') {
            return Ok(false);
        }
        n_quotes += row[before..].iter().filter(|byte| **byte == b'"').count();
        // Within quotes a line break is text.
        if n_quotes % 2 == 0 {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn columns(names: &[&str]) -> Columns {
        Columns { names: names.iter().map(|&name| name.to_owned()).collect(), is_fixed: false }
    }

    #[track_caller]
    fn check(names: &[&str], item: Value, expected: &str) {
        let mut out = String::new();
        columns(names).row(item.as_object().unwrap(), &mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        check(
            &["a", "b", "c"],
            json!({"a": "x,\"y\"", "c": "two\nlines"}),
            "\"x,\"\"y\"\"\",,\"two\nlines\"\n",
        );
        check(&["a", "b"], json!({"a": "", "b": null}), "\"\",\n");
        check(&["a"], json!({}), "\"\"\n");
        check(&["a", "b"], json!({"a": 1.5, "b": [1, "x"]}), "1.5,\"[1,\"\"x\"\"]\"\n");
    }

    #[test]
    fn rows_are_copied_with_more_cells_and_torn_ones_are_not() {
        let text = "\"a\nb\"\n1\n\"two\nlines \"\"x\"\"\"\n\"torn\n";
        let mut out = Vec::new();
        assert_eq!(copy_rows(text.as_bytes(), &mut out, 9, 2).unwrap(), 2);
        assert_eq!(String::from_utf8(out).unwrap(), "1,,\n\"two\nlines \"\"x\"\"\",,\n");
    }

    #[test]
    fn the_first_line_is_read_as_it_was_written() {
        let names = ["a", "", "x,y", "say \"hi\"", "two\nlines", "größe"];
        let head = head_of(names.into_iter());
        assert_eq!(read_head(head.as_bytes()).unwrap(), names);
        assert_eq!(read_head("a,b".as_bytes()).unwrap(), [""; 0]);
    }

    #[test]
    fn columns_come_in_the_order_in_which_they_are_first_seen() {
        let mut columns = columns(&["b"]);
        columns.add(json!({"a": 1, "b": 2, "c": 3}).as_object().unwrap());
        assert_eq!(columns.head(), "b,a,c\n");
        let mut fixed = Columns::new(Some(vec!["z".to_owned()]));
        fixed.add(json!({"a": 1}).as_object().unwrap());
        assert_eq!(fixed.head(), "z\n");
    }
}
