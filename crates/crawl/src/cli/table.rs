//! Lays rows of JSON out in columns: for people, as wide as the terminal, or comma-separated.
//!
//! Columns and widths come from the first rows, which are held back for that; later rows are printed as they
//! come, so that a table of millions of rows needs no more memory than its first screenfuls.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use crawl::store::inspect::field_of;
use serde_json::{Map, Value};

/// Rows held back to learn columns and widths from.
const HELD_ROWS: usize = 500;
/// Widest cell, in characters; the last column may be as wide as it likes if nobody says how wide
/// the screen is.
const CELL_CHARS: usize = 60;
/// A column is not made narrower than this to fit on the screen.
const LEAST_CHARS: usize = 8;
/// What stands between two columns.
const GAP: &str = "  ";

/// One row: a JSON object.
pub(crate) type Row = Map<String, Value>;

/// A table on its way to `out`.
pub(crate) struct Table<W> {
    out: W,
    /// The fields shown, in order; empty until they are learned from the rows.
    columns: Vec<Column>,
    held: Vec<Row>,
    is_laid_out: bool,
    /// Whether the columns were named; else they are learned from the rows.
    is_chosen: bool,
    form: Form,
    /// Fields that have no column, of comma-separated values.
    left_out: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In columns; no wider than the screen, if it is known how wide that is.
    Aligned { screen: Option<usize> },
    /// RFC 4180.
    Csv,
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
        Self::with(out, fields, Form::Aligned { screen: screen_chars() })
    }

    /// The same as comma-separated values, with a line of names.
    pub(crate) fn csv(out: W, fields: &[&str]) -> Self {
        Self::with(out, fields, Form::Csv)
    }

    fn with(out: W, fields: &[&str], form: Form) -> Self {
        let columns = fields.iter().map(|field| Column::new(field)).collect();
        let (held, left_out) = (Vec::new(), BTreeSet::new());
        let is_chosen = !fields.is_empty();
        Self { out, columns, held, is_laid_out: false, is_chosen, form, left_out }
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
        if !self.left_out.is_empty() {
            let names = Vec::from_iter(self.left_out).join(", ");
            eprintln!(
                "warning: no column for the fields {names}, which turned up late: name all with `--columns`"
            );
        }
        self.out.flush()
    }

    fn lay_out(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if !self.is_chosen {
            self.columns = learn(&held);
        }
        if let Form::Aligned { screen } = self.form {
            self.columns.iter_mut().for_each(|column| column.measure(&held));
            if let Some(screen) = screen {
                fit(&mut self.columns, screen);
            }
        }
        self.is_laid_out = true;
        let names: Vec<_> = self.columns.iter().map(|column| column.field.clone()).collect();
        self.print_cells(&names)?;
        held.iter().try_for_each(|row| self.print(row))
    }

    fn print(&mut self, row: &Row) -> io::Result<()> {
        let value = |column: &Column| column.value(row);
        let cells: Vec<_> = match self.form {
            Form::Aligned { .. } => self.columns.iter().map(|c| cell(value(c).as_ref())).collect(),
            Form::Csv => self.columns.iter().map(|c| plain(value(c))).collect(),
        };
        if self.form == Form::Csv {
            let has = |field: &str| self.columns.iter().any(|column| column.field == *field);
            let late = row.keys().filter(|field| !self.is_chosen && !has(field));
            self.left_out.extend(late.cloned());
        }
        self.print_cells(&cells)
    }

    fn print_cells(&mut self, cells: &[String]) -> io::Result<()> {
        let mut line = String::new();
        match self.form {
            Form::Csv => {
                let fields: Vec<_> = cells.iter().map(|cell| csv_field(cell)).collect();
                line = fields.join(",");
                line.push('\r');
            }
            Form::Aligned { screen } => {
                let last = self.columns.len().saturating_sub(1);
                for (i, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                    column.append(&mut line, cell, i == last && screen.is_none());
                    line.push_str(if i == last { "" } else { GAP });
                }
                line.truncate(line.trim_end().len());
            }
        }
        writeln!(self.out, "{line}")
    }
}

/// How many characters fit into a line of the terminal; `None` if standard output is none.
fn screen_chars() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Takes from the widest columns until all fit on the screen, or none may be narrower. The last
/// one gets what is left.
fn fit(columns: &mut [Column], screen: usize) {
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    loop {
        let all = gaps + columns.iter().map(|column| column.width).sum::<usize>();
        let widest = columns.iter_mut().filter(|column| !column.is_number);
        let Some(widest) = widest.max_by_key(|column| column.width) else { return };
        if all <= screen || widest.width <= LEAST_CHARS {
            return;
        }
        widest.width -=
            (all - screen).min(widest.width - LEAST_CHARS).min(widest.width.div_ceil(8));
    }
}

impl Column {
    fn new(field: &str) -> Self {
        Self { field: field.to_owned(), width: 0, is_number: true }
    }

    fn measure(&mut self, rows: &[Row]) {
        let values: Vec<_> = rows.iter().filter_map(|row| self.value(row)).collect();
        let widest = values.iter().map(|value| cell(Some(value)).chars().count()).max();
        self.is_number = !values.is_empty() && values.iter().all(Value::is_number);
        self.width = widest.unwrap_or(0).min(CELL_CHARS).max(self.field.chars().count());
    }

    fn value(&self, row: &Row) -> Option<Value> {
        let value = match row.get(&self.field) {
            Some(value) => Some(value.clone()),
            // Inner fields and the host are rare: only they cost a copy of the row.
            None if self.is_derived() => field_of(&Value::Object(row.clone()), &self.field),
            None => None,
        };
        value.filter(|value| !value.is_null())
    }

    fn is_derived(&self) -> bool {
        self.field.contains('.') || self.field == "host"
    }

    /// Appends a cell, numbers to the right.
    fn append(&self, line: &mut String, text: &str, may_be_wide: bool) {
        let n_chars = text.chars().count();
        let pad = " ".repeat(self.width.saturating_sub(n_chars));
        if self.is_number {
            line.push_str(&pad);
            line.push_str(text);
        } else if n_chars > self.width && !may_be_wide {
            line.extend(text.chars().take(self.width.saturating_sub(1)));
            line.push('…');
        } else {
            line.push_str(text);
            line.push_str(&pad);
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

/// A value as it is, for programs.
fn plain(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    }
}

/// A field in quotes where it needs them (RFC 4180, section 2).
fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
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
        let mut table = Table::with(&mut out, fields, Form::Aligned { screen: None });
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
        let mut table = Table::with(&mut out, &["n"], Form::Aligned { screen: None });
        for row in &rows {
            table.push(row.as_object().unwrap().clone()).unwrap();
        }
        assert!(table.held.is_empty());
        table.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), rows.len() + 1);
    }

    #[test]
    fn a_table_is_no_wider_than_the_screen() {
        let mut out = Vec::new();
        let mut table = Table::with(&mut out, &["a", "n", "b"], Form::Aligned { screen: Some(30) });
        let row = json!({"a": "x".repeat(50), "n": 12345, "b": "y".repeat(100)});
        table.push(row.as_object().unwrap().clone()).unwrap();
        table.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("12345") && text.contains("x…") && text.contains("y…"), "{text}");
    }

    #[test]
    fn values_are_comma_separated_with_quotes_where_they_need_them() {
        let mut out = Vec::new();
        let mut table = Table::csv(&mut out, &["url", "host", "t", "n"]);
        let row = json!({"url": "http://h/", "t": "a \"b\",\nc\u{1b}", "n": 1.5});
        table.push(row.as_object().unwrap().clone()).unwrap();
        table.finish().unwrap();
        let expected = "url,host,t,n\r\nhttp://h/,h,\"a \"\"b\"\",\nc\u{1b}\",1.5\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
