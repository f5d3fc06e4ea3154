//! Feeds' files against the items in the store, as far as they are JSON Lines or comma-separated values
//! with all of each item. Feeds of other forms are in databases, or need readers of their own.

mod text;
mod whole;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::bytes::Bytes;
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::log::{Event, Log, Step};
use super::pages::Broken;
use super::told::Told;
use text::Rows;

/// A feed as the database knows it.
struct Cursor {
    n: u64,
    len: u64,
    reports: u64,
    /// Whether the feed says that its lines are the items; `None` if it does not say.
    is_plain: Option<bool>,
    /// Whether it says that it is a table with a row for each.
    is_table: bool,
}

impl Cursor {
    /// Three numbers, and what the feed says of itself: JSON, or nothing.
    fn read(value: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(value);
        let (n, len, reports) = (bytes.number()?, bytes.number()?, bytes.number()?);
        let told: Option<Value> = serde_json::from_slice(bytes.0).ok();
        let says = |name: &str| told.as_ref().and_then(|told| told.get(name)?.as_bool());
        // Without columns there is no first line.
        let has_columns = told.as_ref().is_some_and(|told| told.get("columns").is_some());
        let (is_plain, is_table) =
            (says("is_plain"), has_columns && says("is_table") == Some(true));
        Some(Self { n, len, reports, is_plain, is_table })
    }
}

/// Checks all feeds that ever reported. `is_plain`: no URL has settled twice.
pub(super) fn check(
    tree: &sled::Db,
    log: &Log,
    is_plain: bool,
    last: u64,
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    let mut feeds = BTreeMap::new();
    for entry in tree.scan_prefix(b"Mfeed/") {
        let (key, value) = entry?;
        let name = std::str::from_utf8(&key[6..]).map(str::to_owned);
        if let (Ok(name), Some(cursor)) = (name, Cursor::read(&value)) {
            feeds.insert(name, cursor);
        }
    }
    for (name, cursor) in feeds {
        feed(tree, log, is_plain, last, (&name, &cursor), told)?;
    }
    Ok(())
}

fn feed(
    tree: &sled::Db,
    log: &Log,
    is_plain: bool,
    last: u64,
    (name, cursor): (&str, &Cursor),
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    let path = Path::new(name);
    let mut tell = |kind: Kind, what: String| {
        told.tell(Finding::new(kind, what).in_file(name));
        if kind.level() == super::Level::Damage {
            let key = format!("Mfeed/{name}");
            told.fixes.put(key, Some(encode(&[0, 0, cursor.reports])));
        }
    };
    if cursor.n > last {
        let what = format!("it is said to have settle {}, and there are {last}", cursor.n);
        tell(Kind::FeedDiffers, what);
        return Ok(());
    }
    let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase());
    let by_name = matches!(extension.as_deref(), None | Some("jsonl" | "ndjson" | "jl"));
    if !cursor.is_table && !cursor.is_plain.unwrap_or(by_name) {
        let what = "only JSON Lines and CSV in one file, uncompressed, with all fields of all items, \
                    are compared with the items";
        tell(Kind::NotChecked, what.to_owned());
        return Ok(());
    }
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound && cursor.len == 0 => return Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound && path.is_absolute() => {
            tell(Kind::MissingFeed, format!("it is not there; {} bytes were written", cursor.len));
            return Ok(());
        }
        Err(e) if e.kind() == ErrorKind::NotFound && name != "-" && !name.contains("://") => {
            let what =
                format!("not there; {} bytes were written, in the folder of that run", cursor.len);
            tell(Kind::NotChecked, what);
            return Ok(());
        }
        Err(e) => {
            tell(Kind::NotChecked, format!("it is no file that can be read ({e})"));
            return Ok(());
        }
        Ok(file) => file,
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        tell(Kind::NotChecked, "it is no file".to_owned());
        return Ok(());
    }
    if meta.len() < cursor.len {
        tell(Kind::FeedShort, format!("{} bytes are there of {}", meta.len(), cursor.len));
        return Ok(());
    }
    if meta.len() > cursor.len {
        let what = format!("{} bytes more than the store vouches for", meta.len() - cursor.len);
        tell(Kind::FeedAhead, what);
    }
    let mut rows = Rows::new(file, cursor.len, cursor.is_table)?;
    let fault = compare(tree, log, cursor.n, is_plain, &mut rows)?;
    let n_lines = rows.n;
    if let Some((at, what)) = fault {
        told.tell(Finding::new(Kind::FeedDiffers, what).in_file(name).at(at));
        told.fixes.put(format!("Mfeed/{name}"), Some(encode(&[0, 0, cursor.reports])));
    }
    told.sums.feed_lines += n_lines;
    Ok(())
}

/// Walks over the settles up to `n` as the feed did; the first difference with its place.
fn compare(
    tree: &sled::Db,
    log: &Log,
    n: u64,
    is_plain: bool,
    rows: &mut Rows,
) -> Result<Option<(u64, String)>, Broken> {
    let mut result = Ok(None);
    // Of pages that were fetched again the feed has older items, which are nowhere else.
    let may_skip = !is_plain;
    let walked = log.walk(|step| {
        if let (Step::Event(Event::Settled { n: number, print, .. }), Ok(None)) = (step, &result)
            && number <= n
        {
            result = page(tree, (number, print), may_skip, rows);
        }
    });
    // What is wrong with the log has been told.
    if walked.is_err() {
        return Ok(None);
    }
    if let Some(difference) = result? {
        return Ok(Some(difference));
    }
    let at = rows.at;
    match rows.next()? {
        Some(_) if !may_skip && n > 0 => {
            Ok(Some((at, "it has more rows than there are items".to_owned())))
        }
        _ => Ok(None),
    }
}

fn page(
    tree: &sled::Db,
    (n, print): (u64, u64),
    may_skip: bool,
    rows: &mut Rows,
) -> Result<Option<(u64, String)>, Broken> {
    for item in whole::at(tree, n, print)? {
        let at = rows.at;
        loop {
            match rows.next()? {
                Some(row) if rows.is(&row, &item) => break,
                Some(_) if may_skip => {}
                Some(_) => {
                    let what = format!("its row {} is not the item of {}", rows.n, item.url);
                    return Ok(Some((at, what)));
                }
                None => {
                    let what = format!("an item of {} (settle {n}) is not in it", item.url);
                    return Ok(Some((at, what)));
                }
            }
        }
    }
    Ok(None)
}
