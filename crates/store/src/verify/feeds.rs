//! Feeds' files against the items in the store, as far as they are JSON Lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use serde_json::Value;

use super::bytes::Bytes;
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::fold::Slice;
use super::log::{Event, Log, Step};
use super::pages::{Broken, Record, page_key};
use super::parts::{Parts, pieces};
use super::told::Told;

/// Longest line that is read, in bytes.
const MOST_LINE: u64 = 64 << 20;

/// A feed as the database knows it.
struct Cursor {
    n: u64,
    len: u64,
    reports: u64,
    /// Whether the feed says that its lines are the items; `None` if it does not say.
    is_plain: Option<bool>,
}

impl Cursor {
    /// Three numbers, and what the feed says of itself: JSON, or nothing.
    fn read(value: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(value);
        let (n, len, reports) = (bytes.number()?, bytes.number()?, bytes.number()?);
        let told: Option<Value> = serde_json::from_slice(bytes.0).ok();
        let is_plain = told.and_then(|told| told.get("is_plain")?.as_bool());
        Some(Self { n, len, reports, is_plain })
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
    if !cursor.is_plain.unwrap_or(by_name) {
        tell(Kind::NotChecked, "only JSON Lines with whole items are compared".to_owned());
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
    let mut lines = Lines { file: BufReader::new(file).take(cursor.len), at: 0, n: 0 };
    let fault = compare(tree, log, cursor.n, is_plain, &mut lines)?;
    let n_lines = lines.n;
    if let Some((at, what)) = fault {
        told.tell(Finding::new(Kind::FeedDiffers, what).in_file(name).at(at));
        told.fixes.put(format!("Mfeed/{name}"), Some(encode(&[0, 0, cursor.reports])));
    }
    told.sums.feed_lines += n_lines;
    Ok(())
}

/// The lines up to the committed length.
struct Lines {
    file: io::Take<BufReader<File>>,
    at: u64,
    n: u64,
}

impl Lines {
    /// The next line, without its end; `None` behind the last.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.file.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)?;
        self.at += read as u64;
        self.n += u64::from(read > 0);
        // One that is not ended is told apart from one that is.
        if line.pop_if(|last| *last == b'\n').is_none() && read > 0 {
            line.push(0);
        }
        Ok((read > 0).then_some(line))
    }
}

/// Walks over the settles up to `n` as the feed did; the first difference with its place.
fn compare(
    tree: &sled::Db,
    log: &Log,
    n: u64,
    is_plain: bool,
    lines: &mut Lines,
) -> Result<Option<(u64, String)>, Broken> {
    let mut result = Ok(None);
    // Of pages that were fetched again the feed has older items, which are nowhere else.
    let mut may_skip = !is_plain || tree.scan_prefix(b"a").next().transpose()?.is_some();
    let walked = log.walk(|step| {
        if let (Step::Event(Event::Settled { n: number, print, .. }), Ok(None)) = (step, &result)
            && number <= n
        {
            result = page(tree, number, print, may_skip, lines);
        }
    });
    // What is wrong with the log has been told.
    if walked.is_err() {
        return Ok(None);
    }
    if let Some(difference) = result? {
        return Ok(Some(difference));
    }
    may_skip = may_skip || n == 0;
    let at = lines.at;
    match lines.next()? {
        Some(_) if !may_skip => Ok(Some((at, "it has more lines than there are items".to_owned()))),
        _ => Ok(None),
    }
}

fn page(
    tree: &sled::Db,
    n: u64,
    print: u64,
    may_skip: bool,
    lines: &mut Lines,
) -> Result<Option<(u64, String)>, Broken> {
    let Some(json) = tree.get(page_key(print))? else {
        return Ok(None);
    };
    let Ok(record) = serde_json::from_slice::<Record>(&json) else { return Ok(None) };
    // Items with files come when these have, and with what became of them.
    if record.n != n || record.n_items == 0 || record.n_files > 0 {
        return Ok(None);
    }
    for item in items(tree, print)? {
        let item: Vec<u8> =
            item.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        let at = lines.at;
        loop {
            match lines.next()? {
                Some(line) if line == item => break,
                Some(_) if may_skip => {}
                Some(_) => {
                    let what = format!("its line {} is not the item of {}", lines.n, record.url);
                    return Ok(Some((at, what)));
                }
                None => {
                    let what = format!("an item of {} (settle {n}) is not in it", record.url);
                    return Ok(Some((at, what)));
                }
            }
        }
    }
    Ok(None)
}

fn items(tree: &sled::Db, print: u64) -> Result<Vec<Vec<u8>>, Broken> {
    let slice = Slice { first: print, last: print };
    let mut parts = Parts::new(tree, b'I', "items", slice);
    let mut deaf = |_: &Finding| {};
    let gathered = parts.take(print, &mut Told::new(&mut deaf))?.unwrap_or_default();
    let pieces = pieces(&gathered).unwrap_or_default();
    // The first one says what they are.
    Ok(pieces.into_iter().skip(1).map(<[u8]>::to_vec).collect())
}
