//! Rows as people or programs want them: JSON lines, tables, comma-separated values, figures.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::time::{Duration, SystemTime};

use crawl::store::Provenance;
use crawl::store::inspect::{What, field_of};
use data_encoding::BASE64;
use humantime_serde::re::humantime;
use serde_json::Value;

use super::args::{FormArgs, InspectArgs};
use crate::cli::progress::grouped;
use crate::cli::table::{Row, Table, printable};

/// Where the rows are printed.
pub(super) enum Sheet<'a> {
    /// Whole rows as JSON lines.
    Lines(BufWriter<StdoutLock<'a>>),
    /// Some fields of them.
    Chosen(BufWriter<StdoutLock<'a>>, Vec<String>),
    /// The body of a row, as it is.
    Bytes(BufWriter<StdoutLock<'a>>),
    /// The body of a row as text that a terminal may have.
    Text(BufWriter<StdoutLock<'a>>),
    /// Status and header fields, a line each.
    Head(BufWriter<StdoutLock<'a>>),
    /// A table; whether its columns were chosen.
    Table(Table<BufWriter<StdoutLock<'a>>>, bool),
    Figures(BufWriter<StdoutLock<'a>>),
}

impl<'a> Sheet<'a> {
    pub(super) fn new(out: StdoutLock<'a>, args: &InspectArgs, is_terminal: bool) -> Self {
        let out = BufWriter::new(out);
        let FormArgs { columns, json, csv, .. } = &args.form;
        let chosen: Vec<&str> = columns.iter().map(String::as_str).collect();
        let is_table = is_terminal && !json;
        if *csv {
            return Self::Table(Table::csv(out, &chosen), !chosen.is_empty());
        }
        match args.what.0 {
            What::Body if !json && is_terminal => return Self::Text(out),
            What::Body if !json => return Self::Bytes(out),
            What::Headers if !json => return Self::Head(out),
            _ => {}
        }
        if !is_table && chosen.is_empty() {
            return Self::Lines(out);
        }
        if !is_table {
            return Self::Chosen(out, columns.clone());
        }
        let is_shaped = args.shape.count || !args.shape.group_by.is_empty();
        let fields: &[&str] = match args.what.0 {
            _ if !chosen.is_empty() => &chosen,
            _ if is_shaped => &[],
            What::Stats => return Self::Figures(out),
            What::Pages => {
                &["n", "status", "verdict", "depth", "elapsed_ms", "bytes", "n_items", "url"]
            }
            What::Errors => &["n", "status", "verdict", "attempts", "error", "url"],
            What::Media => &["n", "verdict", "type", "bytes", "width", "height", "path", "url"],
            What::Urls => &["verdict", "depth", "n", "url"],
            What::Links => args.ends.columns(),
            What::Hosts => &["pages", "settled", "queued", "filtered", "items", "bytes", "host"],
            What::Timeline => {
                &["from_ms", "settled", "pages", "pages_per_second", "items", "bytes"]
            }
            What::Robots => &["says", "bytes", "fetched_ms", "cause", "origin", "text"],
            What::Cookies => &["domain", "path", "name", "expires_ms", "secure", "value"],
            What::Fields => &["kind", "field", "items", "filled", "rate", "rate_before", "drifts"],
            What::Items | What::Body | What::Headers | What::Why => &[],
        };
        Self::Table(Table::new(out, fields), !chosen.is_empty())
    }

    pub(super) fn add(&mut self, row: Value) -> io::Result<()> {
        match self {
            Self::Lines(out) => writeln!(out, "{row}"),
            Self::Chosen(out, columns) => {
                let fields = columns
                    .iter()
                    .filter_map(|name| field_of(&row, name).map(|value| (name.clone(), value)));
                writeln!(out, "{}", Value::Object(fields.collect()))
            }
            Self::Bytes(out) => out.write_all(&body_of(&row)?),
            Self::Text(out) => out.write_all(shown(&body_of(&row)?).as_bytes()),
            Self::Head(out) => head(out, &row),
            Self::Table(table, is_chosen) => table.push(flat(row, *is_chosen)),
            Self::Figures(out) => figures(out, &row),
        }
    }

    /// Says on stderr if there were fields that have no column.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Lines(mut out)
            | Self::Chosen(mut out, _)
            | Self::Figures(mut out)
            | Self::Bytes(mut out)
            | Self::Text(mut out)
            | Self::Head(mut out) => out.flush(),
            Self::Table(table, _) => table.finish(),
        }
    }
}

/// The body in a row.
pub(super) fn body_of(row: &Value) -> io::Result<Vec<u8>> {
    let text = row["base64"].as_str().unwrap_or_default();
    BASE64.decode(text.as_bytes()).map_err(io::Error::other)
}

/// A body for a terminal, which would obey a stranger's control characters.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = line.strip_suffix('\r').unwrap_or(line);
        let cells: Vec<_> = line.split('\t').map(printable).collect();
        shown.push_str(&cells.join("\t"));
        shown.push_str(end);
    }
    shown
}

fn head(out: &mut impl Write, row: &Value) -> io::Result<()> {
    writeln!(out, "{}", row["status"])?;
    let fields = row["headers"].as_array().into_iter().flatten();
    fields.into_iter().try_for_each(|field| {
        let text = |at: usize| printable(field[at].as_str().unwrap_or_default());
        writeln!(out, "{}: {}", text(0), text(1))
    })
}

/// A row for a table: of an item its fields, beside its page's URL. What else is known of it stands
/// there if its columns were chosen.
fn flat(row: Value, is_chosen: bool) -> Row {
    let Value::Object(mut row) = row else { return Row::new() };
    if !is_chosen && row.contains_key("item") {
        row.retain(|name, _| !Provenance::FIELDS.contains(&name.as_str()));
    }
    match row.remove("item") {
        Some(Value::Object(item)) => {
            row.remove("n");
            // An item's own `url` wins over its page's.
            row.extend(item);
        }
        Some(other) => {
            row.insert("item".to_owned(), other);
        }
        None => {}
    }
    row
}

/// The order in which people want the figures; what is not named here follows.
const FIGURES: [&str; 10] = [
    "running",
    "paused",
    "discovered",
    "settled",
    "filtered",
    "queued",
    "pending",
    "in_flight",
    "pages",
    "items",
];

/// The figures of `stats`, one to a line; groups are indented.
fn figures(out: &mut impl Write, row: &Value) -> io::Result<()> {
    let Some(row) = row.as_object() else { return Ok(()) };
    let first = FIGURES.iter().filter_map(|name| row.get_key_value(*name));
    let rest = row.iter().filter(|(name, _)| !FIGURES.contains(&name.as_str()));
    first.chain(rest).try_for_each(|(name, value)| match value {
        Value::Object(group) => {
            let sum = group.values().filter_map(Value::as_u64).sum();
            writeln!(out, "{:<16} {:>20}", spaced(name), grouped(sum))?;
            group.iter().try_for_each(|(name, value)| {
                writeln!(out, "  {name:<18} {:>10}", figure(name, value))
            })
        }
        Value::Array(list) => list.iter().try_for_each(|value| {
            writeln!(out, "{:<16} {}", spaced(name), printable(&value.to_string()))
        }),
        value => writeln!(out, "{:<16} {:>20}", spaced(name), figure(name, value)),
    })
}

fn figure(name: &str, value: &Value) -> String {
    match (value, value.as_u64()) {
        (Value::Bool(yes), _) => (if *yes { "yes" } else { "no" }).to_owned(),
        (Value::String(text), _) => printable(text),
        (_, Some(ms)) if name.ends_with("_ms") => {
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
            humantime::format_rfc3339_seconds(at).to_string()
        }
        (_, Some(number)) => grouped(number),
        _ => value.to_string(),
    }
}

fn spaced(name: &str) -> String {
    name.trim_end_matches("_ms").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_items_fields_stand_beside_its_pages_url() {
        let row = flat(json!({"url": "http://h/", "n": 7, "item": {"title": "x"}}), false);
        assert_eq!(Value::Object(row), json!({"url": "http://h/", "title": "x"}));
        let row = flat(json!({"url": "http://h/", "n": 7, "kind": "k", "item": 3}), false);
        assert_eq!(Value::Object(row), json!({"url": "http://h/", "n": 7, "item": 3}));
    }

    #[test]
    fn a_body_does_nothing_to_a_terminal() {
        let body = b"<p>\x1b[2J\x9b31m\ta\r\n\n\x07b\xff\n";
        assert_eq!(shown(body), "<p>·[2J\u{fffd}31m\ta\n\n·b\u{fffd}\n");
        assert_eq!((shown(b""), shown(b"no end")), (String::new(), "no end".to_owned()));
    }

    #[test]
    fn figures_stand_one_to_a_line() {
        let mut out = Vec::new();
        let row = json!({
            "body_bytes": 12345, "conserved": true, "created_ms": 0,
            "settled": {"ok": 1000, "timeout": 2}, "feeds": [{"feed": "i.jsonl"}],
        });
        figures(&mut out, &row).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "body bytes                     12,345\n",
            "conserved                         yes\n",
            "created          1970-01-01T00:00:00Z\n",
            "settled                         1,002\n  ok                      1,000\n",
            "feeds            {\"feed\":\"i.jsonl\"}\n",
        ] {
            assert!(text.contains(line), "`{line}` is not in:\n{text}");
        }
    }
}
