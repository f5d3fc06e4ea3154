//! Checks a store: every law between its parts, and every digest.
//!
//! Nothing here is the writer's or the readers' code: formats are decoded anew from their
//! descriptions, so that one mistake cannot hide behind itself. What it shares with them are the
//! nouns of `model` (a URL, a fingerprint, a verdict) and the libraries.
//!
//! - Conservation: every URL of the settle log stands somewhere, and the records, items, keys and
//!   sums in the database are those of the log's fold.
//! - Every pointer into a body file leads to the record of that URL, time and body, every digest
//!   is that of its bytes.
//! - Every index and sum is what counting again gives: item keys, fields, drops, robots.txt,
//!   feeds, the frontier's checkpoint, runs and queues.
//!
//! Memory has an end: the log is folded a range of fingerprints at a time, and what has to be
//! compared in another order is sorted on the disk.

mod bytes;
mod finding;

mod told;

mod basis;
mod fold;
mod log;

mod counts;
mod pages;
mod parts;

mod pointers;

mod record;
mod warc;

mod bodies;
mod compare;
mod listed;
mod revisits;

mod items;

mod feeds;
mod files;
mod media;
mod tables;
mod values;

mod repair;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crawl_model::{ItemKeys, LogPosition};

use crate::StoreError;
use crate::folder::Folder;

use crate::sort::Sorter;
use basis::Basis;
use counts::Recount;
use files::Run;
use fold::{Fold, Slice, Sums};
use items::Kinds;
use log::{Event, Log, Step};
use pages::{Broken, Pages, page_key};
use tables::Tables;
use told::Told;

pub use finding::{Finding, Kind, Level};
pub use told::Verified;

/// Page cache of the database, in bytes.
const CACHE_BYTES: u64 = 32 << 20;
/// How long a closing handle may keep the database's lock.
const CLOSING: Duration = Duration::from_secs(5);
/// Pages without record whose URL is looked for.
const MOST_NAMED: usize = 1000;

/// Checks the crawl in the folder `path`, which nobody may run. Changes nothing but what sled
/// itself tidies when it is opened. Findings are told as they are made.
///
/// # Errors
/// [`StoreError::NoCrawl`], [`StoreError::InUse`], [`StoreError::Format`], and
/// [`StoreError::File`] if a file cannot be read at all. That the store is damaged is a finding.
pub fn verify(path: &Path, tell: &mut dyn FnMut(&Finding)) -> Result<Verified, StoreError> {
    let mut told = Told::new(tell);
    let Some(folder) = visit(path, &mut told)? else { return Ok(told.sums) };
    let _ = audit(&folder, &mut told)?;
    Ok(told.sums)
}

/// Checks, mends what can be mended without losing anything that is good, and checks again: what
/// is told is what was found at first, and what the second check came to is returned, with what
/// was done.
///
/// # Errors
/// As for [`verify`], and [`StoreError::File`] or [`StoreError::Database`] if something cannot be
/// written.
pub fn repair(path: &Path, tell: &mut dyn FnMut(&Finding)) -> Result<Verified, StoreError> {
    let mut told = Told::new(tell);
    let mut repairs = Vec::new();
    let folder = match visit(path, &mut told)? {
        Some(folder) => folder,
        None => {
            repairs.push(repair::mark(path)?);
            let folder = Folder::visit(path)?;
            folder.sweep()?;
            folder
        }
    };
    let tree = audit(&folder, &mut told)?;
    let Some(tree) = tree else { return Ok(Verified { repairs, ..told.sums }) };
    let (more, is_more) = repair::repair(folder.root(), &tree, told.fixes)?;
    repairs.extend(more);
    if repairs.is_empty() {
        return Ok(told.sums);
    }
    let mut deaf = |_: &Finding| {};
    let mut again = Told::new(&mut deaf);
    look(folder.root(), &mut again, || Ok(tree))?;
    Ok(Verified { repairs, is_more, ..again.sums })
}

/// Takes the folder; `None` if it is a crawl's, and the mark by which that is told is damaged.
fn visit(path: &Path, told: &mut Told<'_>) -> Result<Option<Folder>, StoreError> {
    let folder = match Folder::visit(path) {
        Err(StoreError::NoCrawl { .. })
            if path.join("sled/db").is_file() && path.join("manifest").is_file() =>
        {
            let what = "it does not say that this is a crawl's folder";
            told.tell(Finding::new(Kind::LockDamaged, what).in_file("lock"));
            return Ok(None);
        }
        visited => visited?,
    };
    folder.sweep()?;
    Ok(Some(folder))
}

/// Makes all checks; gives back the database if it can be used.
fn audit(folder: &Folder, told: &mut Told<'_>) -> Result<Option<sled::Db>, StoreError> {
    look(folder.root(), told, || open(folder))
}

fn look(
    root: &Path,
    told: &mut Told<'_>,
    open: impl FnOnce() -> Result<sled::Db, Broken>,
) -> Result<Option<sled::Db>, StoreError> {
    // sled panics on some damage where it should return an error.
    let checked = catch_unwind(AssertUnwindSafe(|| -> Result<sled::Db, Broken> {
        let tree = open()?;
        check(root, &tree, told)?;
        Ok(tree)
    }));
    let what = match checked {
        Ok(Ok(tree)) => return Ok(Some(tree)),
        Ok(Err(Broken::Database(sled::Error::Corruption { .. }))) => {
            "it finds its own files damaged".to_owned()
        }
        Ok(Err(Broken::Database(error))) => error.to_string(),
        Ok(Err(Broken::Disk(error))) => return Err(StoreError::file("read", root)(error)),
        Err(_) => "its recovery or a look into it broke off".to_owned(),
    };
    told.tell(Finding::new(Kind::DatabaseUnreadable, what).in_file("sled"));
    Ok(None)
}

fn open(folder: &Folder) -> Result<sled::Db, Broken> {
    let config = sled::Config::new().path(folder.sled()).cache_capacity(CACHE_BYTES);
    let config = config.flush_every_ms(Some(500));
    let deadline = Instant::now() + CLOSING;
    loop {
        match config.open() {
            // The folder is ours, so it is a handle of this process, which is closing.
            Err(sled::Error::Io(e))
                if e.to_string().contains("lock") && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return Ok(opened?),
        }
    }
}

fn check(root: &Path, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let kinds = values::check(tree, told)?;
    let Some(Basis { log, items, secret }) = Basis::read(root, tree)? else {
        let what = "without the crawl's secret nothing else can be told";
        told.tell(Finding::new(Kind::NotChecked, what).under(b"Midentity"));
        return Ok(());
    };
    let run = Run::read(tree, log.end.n)?;
    files::check(root, tree, run, told)?;
    let mut tables = Tables::open(root, &log.prints, log.end, told)?;
    let place = tables.as_ref().map(Tables::position);
    let Some(shape) = Shape::read(&log, place, told) else {
        // Without the log nobody can say which records are right; what has digests can be checked.
        let mut pages = pages_of(tree, kinds, secret)?;
        pointers_only(tree, &mut pages, told)?;
        return bodies::check(root, tree, pages.pointers, told);
    };
    let mut pages = pages_of(tree, kinds, secret)?;
    let mut sums = Sums::default();
    let mut n_settled = 0;
    for slice in Slice::all(shape.n_found) {
        let mut fold = folded(&log, slice, tables.as_mut(), told)?;
        let missing = pages::check(tree, &mut fold, &mut pages, told)?;
        tell_missing(&log, &missing, told);
        let settled: u64 = fold.sums.settled.iter().sum();
        n_settled += settled;
        sums.add(&fold.sums);
    }
    told.sums.events = shape.n_events;
    told.sums.urls = sums.discovered;
    if !sums.is_conserved() {
        let what = "discovered is not settled + filtered + queued";
        told.tell(Finding::new(Kind::LogNumbers, what).in_file("log"));
    }
    if let Some(tables) = tables {
        tables.finish(shape.has_place, told);
    }
    let Pages { recount, pointers, keys, .. } = pages;
    recount.compare(tree, told)?;
    if recount.n_items() != items {
        let what =
            format!("{} items are in the pages' records, {items} counted", recount.n_items());
        told.tell(Finding::new(Kind::TotalsDiffer, what).under(b"Mtotals"));
        let LogPosition { segment, offset, n } = log.end;
        let totals = [n, recount.n_items(), u64::from(segment), offset];
        told.fixes.put("Mtotals", Some(counts::encode(&totals)));
    }
    values::item_keys(tree, keys, told)?;
    bodies::check(root, tree, pointers, told)?;
    media::check(root, tree, told)?;
    let is_plain = n_settled == log.end.n;
    feeds::check(tree, &log, is_plain, log.end.n, told)
}

fn pages_of(tree: &sled::Db, kinds: Kinds, secret: [u8; 16]) -> Result<Pages, sled::Error> {
    let recount = Recount::new(tree)?;
    let (pointers, secret) = (pointers::Pointers::new(), ItemKeys::new(secret));
    Ok(Pages { recount, pointers, keys: Sorter::new(), kinds, secret })
}

/// What a first walk over the log says of it.
struct Shape {
    n_events: u64,
    n_found: u64,
    /// Whether a frame ends where the checkpoint is.
    has_place: bool,
}

impl Shape {
    /// `None` if the log is damaged.
    fn read(log: &Log, place: Option<LogPosition>, told: &mut Told<'_>) -> Option<Self> {
        let is_begin = place.is_some_and(|place| place.segment == 0);
        let mut shape = Self { n_events: 0, n_found: 0, has_place: is_begin };
        let walked = log.walk(|step| match step {
            Step::Frame(_) => {}
            Step::End(end) => shape.has_place |= Some(end) == place,
            Step::Event(event) => {
                shape.n_events += 1;
                shape.n_found += u64::from(matches!(event, Event::Found { .. }));
            }
        });
        match walked {
            Ok(()) => Some(shape),
            Err(finding) => {
                told.tell(*finding);
                None
            }
        }
    }
}

/// Folds the log over a slice; on the way, at the checkpoint's place, the tables are compared.
fn folded(
    log: &Log,
    slice: Slice,
    mut tables: Option<&mut Tables>,
    told: &mut Told<'_>,
) -> Result<Fold, Broken> {
    let mut fold = Fold::new(slice);
    let mut result = Ok(());
    let mut meet = |fold: &mut Fold, at: Option<LogPosition>| {
        let is_there = |tables: &Tables| {
            let place = tables.position();
            at.is_none_or(|at| (at.segment, at.offset) >= (place.segment, place.offset))
        };
        if let Some(tables) = tables.take_if(|tables| is_there(tables))
            && result.is_ok()
        {
            result = tables.compare(fold, told);
        }
    };
    let walked = log.walk(|step| match step {
        Step::Frame(at) => meet(&mut fold, Some(at)),
        Step::Event(event) => fold.apply(&event),
        Step::End(_) => {}
    });
    meet(&mut fold, None);
    result?;
    // It was walked over before; should it be damaged since, that is told by the next check.
    drop(walked);
    Ok(fold)
}

/// Tells of settled pages without record, with their URLs for the first of them.
fn tell_missing(log: &Log, missing: &[(u64, u64)], told: &mut Told<'_>) {
    if missing.is_empty() {
        return;
    }
    let mut urls = BTreeMap::new();
    let named = &missing[..missing.len().min(MOST_NAMED)];
    let _ = log.walk(|step| {
        if let Step::Event(Event::Found { print, url, .. }) = step
            && named.binary_search_by_key(&print, |(print, _)| *print).is_ok()
        {
            urls.entry(print).or_insert_with(|| record::without_credentials(url));
        }
    });
    for (print, n) in missing {
        let key = page_key(*print);
        let what = format!("settle {n} of the log is of this page, and it has no record");
        let finding = Finding::new(Kind::MissingPage, what).under(&key);
        told.tell(match urls.get(print) {
            Some(url) => finding.of(url),
            None => finding,
        });
    }
}

/// Takes the pointers of all records that can be read.
fn pointers_only(tree: &sled::Db, pages: &mut Pages, told: &mut Told<'_>) -> Result<(), Broken> {
    for entry in tree.scan_prefix(b"P") {
        let (key, json) = entry?;
        let record = serde_json::from_slice::<pages::Record>(&json).ok();
        if let (Some(print), Some(record)) = (bytes::be_u64(&key, 1), record)
            && let Some(pointer) = &record.body
        {
            pages.pointers.add(print, &record, pointer, told)?;
        }
    }
    Ok(())
}
