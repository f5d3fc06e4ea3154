//! `crawl inspect`: looks into a crawl's folder, or asks the crawl that runs in it.

use std::cell::Cell;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crawl::engine::{ControlError, ask};
use crawl::store::inspect::{Query, What, answer};
use crawl::store::{Store, StoreError};
use humantime_serde::re::humantime;
use serde_json::Value;

use super::args::InspectArgs;
use super::failure::{Exit, Failure, unless_closed};
use super::progress::grouped;
use super::table::{Row, Table, printable};

/// How often a folder in use is asked again: its crawl may be opening or closing just now.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

/// Prints the rows that were asked for.
pub(crate) fn inspect(args: InspectArgs) -> Result<(), Failure> {
    let query = Query {
        what: args.what.into(),
        host: args.host,
        status: args.status,
        verdict: args.verdict,
        fields: args.conditions,
        limit: args.limit,
        url: args.url,
        dropped: args.dropped,
        with_page: false,
    };
    let stdout = io::stdout();
    let is_for_people = !args.json && stdout.is_terminal();
    let mut sheet = Sheet::new(stdout.lock(), query.what, is_for_people);
    let mut written = Ok(());
    gather(&args.store, &query, &mut |row| {
        written = sheet.add(row);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    unless_closed(written.and_then(|()| sheet.finish()))
}

/// Takes the rows from the folder, or from the crawl that has it.
pub(super) fn gather(
    folder: &Path,
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let has_rows = Cell::new(false);
    let mut row = |value| {
        has_rows.set(true);
        row(value)
    };
    let mut attempt = 1;
    loop {
        let in_use = match Store::inspect(folder) {
            Ok(store) => return Ok(answer(&store.reader(), query, &mut row)?),
            Err(error @ StoreError::InUse { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        match ask(folder, query, &mut row) {
            Ok(()) => return Ok(()),
            // It has just begun or ended; half an answer is not repeated.
            Err(ControlError::Io { .. }) if !has_rows.get() && attempt < ATTEMPTS => {
                attempt += 1;
                std::thread::sleep(PAUSE);
            }
            Err(ControlError::Io { .. }) if !has_rows.get() => {
                return Err(Failure::new(Exit::InUse, in_use)
                    .hint("the process that has it does not answer; try again when it has ended"));
            }
            Err(error @ ControlError::Refused(_)) => return Err(Failure::new(Exit::Usage, error)),
            Err(error) => return Err(Failure::new(Exit::Broken, error)),
        }
    }
}

/// Where the rows are printed.
enum Sheet<'a> {
    Lines(BufWriter<StdoutLock<'a>>),
    Table(Table<BufWriter<StdoutLock<'a>>>),
    Figures(BufWriter<StdoutLock<'a>>),
}

impl<'a> Sheet<'a> {
    fn new(out: StdoutLock<'a>, what: What, is_for_people: bool) -> Self {
        let out = BufWriter::new(out);
        let fields: &[&str] = match what {
            _ if !is_for_people => return Self::Lines(out),
            What::Stats => return Self::Figures(out),
            What::Pages => {
                &["n", "status", "verdict", "depth", "elapsed_ms", "bytes", "n_items", "url"]
            }
            What::Urls => &["verdict", "depth", "n", "url"],
            What::Hosts => &["pages", "settled", "queued", "filtered", "items", "host"],
            What::Fields => &["kind", "field", "items", "filled", "rate", "rate_before", "drifts"],
            What::Items => &[],
        };
        Self::Table(Table::new(out, fields))
    }

    fn add(&mut self, row: Value) -> io::Result<()> {
        match self {
            Self::Lines(out) => writeln!(out, "{row}"),
            Self::Table(table) => table.push(flat(row)),
            Self::Figures(out) => figures(out, &row),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Lines(mut out) | Self::Figures(mut out) => out.flush(),
            Self::Table(table) => table.finish(),
        }
    }
}

/// A row for a table: of an item its fields, beside its page's URL.
fn flat(row: Value) -> Row {
    let Value::Object(mut row) = row else { return Row::new() };
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
        let row = flat(json!({"url": "http://h/", "n": 7, "item": {"title": "x"}}));
        assert_eq!(Value::Object(row), json!({"url": "http://h/", "title": "x"}));
        let row = flat(json!({"url": "http://h/", "n": 7, "item": 3}));
        assert_eq!(Value::Object(row), json!({"url": "http://h/", "n": 7, "item": 3}));
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
