//! `crawl diff`: two crawls or replays, side by side.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use crawl::store::diff::{Compared, DiffOptions, Tally, diff};
use crawl::store::{Store, StoreError};
use serde_json::{Value, json};

use super::failure::{Exit, Failure, unless_closed};
use super::progress::grouped;
use super::table::printable;

pub(super) const HELP: &str = "\
A line per difference: `-` is in OLD alone, `+` in NEW alone, `~` in both with other values. Pages are
matched by URL; items by the fields of --key, else by those of a `dedup` step that both crawls have,
else by page and place.

Exit codes:
    0  no difference
    1  there are some
    2  wrong usage, or a folder cannot be read
    3  a crawl runs in one of the folders";

/// What is compared.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The folder of a crawl.
    old: PathBuf,
    /// The folder of another, or of a replay.
    new: PathBuf,
    /// A field that makes an item the same item wherever it stands; may be given several times.
    #[arg(long, value_name = "FIELD")]
    key: Vec<String>,
    /// Compare the items only.
    #[arg(long, conflicts_with = "pages")]
    items: bool,
    /// Compare the pages only.
    #[arg(long)]
    pages: bool,
    /// Only the sums.
    #[arg(short, long)]
    quiet: bool,
    /// Print differences, and in the end the sums, as JSON lines.
    #[arg(long)]
    json: bool,
}

/// Compares, and says what differs.
pub(super) fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let old = Store::inspect(&args.old).map_err(failed)?;
    if real(&args.old) == real(&args.new) {
        let what = "both are the same folder";
        return Err(Failure::new(Exit::Usage, what).hint("name two crawls"));
    }
    let new = Store::inspect(&args.new).map_err(failed)?;
    let options = DiffOptions { key: args.key.clone(), no_pages: args.items, no_items: args.pages };
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut written = Ok(());
    let mut show = |row: Value| {
        if !args.quiet {
            written = match args.json {
                true => writeln!(out, "{row}"),
                false => out.write_all(line(&row).as_bytes()),
            };
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let compared = diff(&old.reader(), &new.reader(), &options, &mut show).map_err(failed)?;
    let written = written.and_then(|()| {
        if args.json {
            writeln!(out, "{}", json!(compared))?;
        }
        out.flush()
    });
    unless_closed(written)?;
    eprint!("{}", summary(&compared, args));
    Ok(if compared.is_same() { Exit::Done } else { Exit::Broken })
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// That there are differences has the exit code of what is broken elsewhere.
fn failed(error: StoreError) -> Failure {
    let exit = if matches!(error, StoreError::InUse { .. }) { Exit::InUse } else { Exit::Usage };
    let hint = error.hint();
    let failure = Failure::new(exit, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let sign = match text("change") {
        "added" => '+',
        "removed" => '-',
        _ => '~',
    };
    let place = match (&row["key"], &row["index"]) {
        (Value::Array(key), _) => {
            let key: Vec<_> = key.iter().map(shown).collect();
            format!(" [{}]", key.join(", "))
        }
        (_, Value::Number(index)) => format!(" #{index}"),
        _ => String::new(),
    };
    let what = match (&row["fields"], &row["item"]) {
        (Value::Object(fields), _) if sign == '~' => {
            let each = fields
                .iter()
                .map(|(name, pair)| format!("{name} {} -> {}", shown(&pair[0]), shown(&pair[1])));
            format!(": {}", each.collect::<Vec<_>>().join(", "))
        }
        (Value::Object(fields), _) => format!(
            " ({}{})",
            fields.get("verdict").and_then(Value::as_str).unwrap_or_default(),
            fields.get("status").map(|status| format!(", {status}")).unwrap_or_default()
        ),
        (_, Value::Null) => String::new(),
        (_, item) => format!(": {}", printable(&item.to_string())),
    };
    let what = printable(&what);
    format!("{sign} {} {}{}{what}\n", text("kind"), printable(text("url")), printable(&place))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        other => other.to_string(),
    }
}

fn summary(compared: &Compared, args: &DiffArgs) -> String {
    let mut text = String::new();
    let mut sums = |name: &str, tally: &Tally| {
        text.push_str(&format!(
            "{name}: {} same, {} changed, {} added, {} removed\n",
            grouped(tally.same),
            grouped(tally.changed),
            grouped(tally.added),
            grouped(tally.removed)
        ));
    };
    if !args.items {
        sums("pages", &compared.pages);
    }
    if !args.pages {
        sums("items", &compared.items);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_line() {
        for (row, expected) in [
            (
                json!({"kind": "page", "change": "removed", "url": "http://h/",
                    "fields": {"verdict": "ok", "status": 200}}),
                "- page http://h/ (ok, 200)\n",
            ),
            (
                json!({"kind": "page", "change": "changed", "url": "http://h/",
                    "fields": {"status": [200, 404], "title": ["a", null]}}),
                "~ page http://h/: status 200 -> 404, title \"a\" -> (none)\n",
            ),
            (
                json!({"kind": "item", "change": "added", "url": "http://h/", "index": 3,
                    "item": {"a": 1}}),
                "+ item http://h/ #3: {\"a\":1}\n",
            ),
            (
                json!({"kind": "item", "change": "changed", "url": "http://h/", "index": 0,
                    "key": ["x"], "fields": {"a": [1, 2]}}),
                "~ item http://h/ [\"x\"]: a 1 -> 2\n",
            ),
        ] {
            assert_eq!(line(&row), expected);
        }
    }
}
