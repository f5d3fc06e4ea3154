//! Each page's record against the log, and all that lies under its fingerprint against the record.

use std::io;

use crawl_model::{AskedFile, CanonicalUrl, ItemKeys, PageRecord, Verdict};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bytes::be_u64;
use super::counts::Recount;
use super::finding::{Finding, Kind};
use super::fold::{Fold, State};
use super::items::{self, Kinds, ROW, Shelf};
use super::log::facts;
use super::media;
use super::parts::{Gathered, Parts, pieces};
use super::pointers::Pointers;
use super::told::Told;
use crate::sort::Sorter;

/// What is checked of a page's record.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) url: CanonicalUrl,
    pub(super) verdict: Verdict,
    #[serde(default)]
    pub(super) n: u64,
    #[serde(default)]
    pub(super) n_items: u64,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) fetched_ms: u64,
    #[serde(default)]
    pub(super) bytes: u64,
    #[serde(default)]
    elapsed_ms: u64,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    pub(super) digest: String,
    pub(super) file: Option<Gone>,
    #[serde(default)]
    pub(super) n_files: u64,
    #[serde(default)]
    pub(super) body_lost: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    error: String,
    pub(super) truncated: Option<IgnoredAny>,
    pub(super) body: Option<Pointer>,
}

impl Record {
    /// What the settle log has to say of it.
    fn facts(&self) -> u16 {
        let status = self.status.unwrap_or(0).into();
        let Self { content_type, url, title, label, error, .. } = self;
        let texts = [content_type, url.as_str(), title, label, error];
        facts([status, self.bytes, self.n_items, self.elapsed_ms], texts)
    }
}

/// Where a record says that its file has gone.
#[derive(Debug, Deserialize)]
pub(super) struct Gone {
    pub(super) sha256: String,
    pub(super) path: String,
}

/// Where a record says that its body is.
#[derive(Debug, Deserialize)]
pub(super) struct Pointer {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// The record that has the body, if this one only says that it is the same as there.
    pub(super) of: Option<Box<Pointer>>,
}

/// Why a check cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    Database(sled::Error),
    Disk(io::Error),
}

impl From<sled::Error> for Broken {
    fn from(error: sled::Error) -> Self {
        Self::Database(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// The key of a page's record.
pub(super) fn page_key(print: u64) -> [u8; 9] {
    let mut key = [b'P'; 9];
    key[1..].copy_from_slice(&print.to_be_bytes());
    key
}

/// What the pages say that is compared with something else later.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) recount: Recount,
    pub(super) pointers: Pointers,
    /// The item keys of all pages.
    pub(super) keys: Sorter<ROW>,
    pub(super) kinds: Kinds,
    pub(super) secret: ItemKeys,
}

/// Checks the pages of a slice; gives back those that settled and have no record.
pub(super) fn check(
    tree: &sled::Db,
    fold: &mut Fold,
    pages: &mut Pages,
    told: &mut Told<'_>,
) -> Result<Vec<(u64, u64)>, Broken> {
    let slice = fold.slice;
    let mut items = Parts::new(tree, b'I', "items", slice);
    let mut dropped = Parts::new(tree, b'X', "dropped items", slice);
    let mut keys = Parts::new(tree, b'k', "item keys", slice);
    let mut asked = Parts::new(tree, b'a', "files of items", slice);
    for entry in tree.range(page_key(slice.first)..=page_key(slice.last)) {
        let (key, json) = entry?;
        let Some(print) = be_u64(&key, 1).filter(|_| key.len() == 9) else {
            told.tell(Finding::new(Kind::UnknownKey, "not the key of a page").under(&key));
            told.fixes.put(key.to_vec(), None);
            continue;
        };
        told.sums.pages += 1;
        let items = items.take(print, told)?;
        let dropped = dropped.take(print, told)?;
        let item_keys = keys.take(print, told)?;
        let asked = asked.take(print, told)?;
        fold.standings.entry(print).and_modify(|standing| standing.mark());
        let readable = serde_json::from_slice::<PageRecord>(&json).map(drop);
        let record = match readable.and_then(|()| serde_json::from_slice::<Record>(&json)) {
            Ok(record) => record,
            Err(e) => {
                told.unreadable(&key, &format!("the record of a page: {e}"));
                continue;
            }
        };
        against_log(&record, print, fold, told);
        let shelf = check_items(&record, print, items.as_ref(), pages, told);
        if let Some(dropped) = dropped {
            pages.recount.dropped(&record, &key, &dropped, told);
        }
        if let Some(item_keys) = item_keys {
            check_keys(&record, print, &item_keys, &shelf, pages, told)?;
        }
        check_asked(&record, asked.as_ref(), told);
        if let Some(file) = &record.file {
            media::page(tree, print, &record, file, told)?;
        }
        pages.recount.page(&record);
        if let Some(pointer) = &record.body {
            pages.pointers.add(print, &record, pointer, told)?;
        }
    }
    for parts in [&mut items, &mut dropped, &mut keys, &mut asked] {
        parts.orphans(None, told)?;
    }
    Ok(without_record(fold))
}

fn against_log(record: &Record, print: u64, fold: &Fold, told: &mut Told<'_>) {
    let has_settled = fold.has_settled(record.n, print);
    let (kind, what) = match fold.standing(print) {
        None => (Kind::OrphanPage, "the settle log has never heard of it".to_owned()),
        Some(State::Queued | State::Filtered(_)) if never_settled(print, fold) => {
            (Kind::OrphanPage, "the settle log does not say that it has settled".to_owned())
        }
        Some(_) if !has_settled => {
            let what = format!("the settle log has no settle {} of it", record.n);
            (Kind::PageDiffers, what)
        }
        Some(State::Settled(verdict, n, _)) if verdict != record.verdict => {
            let what = format!("its record says {}, settle {n} says {verdict}", record.verdict);
            (Kind::PageDiffers, what)
        }
        Some(State::Settled(_, n, facts)) if facts != record.facts() => {
            let what = format!(
                "status, bytes, n_items, elapsed_ms, content_type, url, title, label or error are \
                     not those of settle {n}"
            );
            (Kind::PageDiffers, what)
        }
        // Waits anew, or was kept out by a better copy.
        Some(_) => return,
    };
    told.tell(Finding::new(kind, what).of(&record.url));
    if kind == Kind::OrphanPage {
        let key = page_key(print);
        told.fixes.put(key, None);
    }
}

/// Asked of few: of those that wait or were refused, and yet have a record.
fn never_settled(print: u64, fold: &Fold) -> bool {
    fold.settles.iter().all(|(_, settled)| *settled != print)
}

fn check_items<'a>(
    record: &Record,
    print: u64,
    items: Option<&'a Gathered>,
    pages: &mut Pages,
    told: &mut Told<'_>,
) -> Shelf<'a> {
    let shelf = match items.map(|items| Shelf::read(items, record.fetched_ms)) {
        None => Shelf::default(),
        Some(Ok(shelf)) => shelf,
        Some(Err(what)) => {
            told.tell(Finding::new(Kind::ItemsDiffer, what).of(&record.url));
            told.fixes.leave(print);
            return Shelf::default();
        }
    };
    let n_found = shelf.texts.len() as u64;
    told.sums.items += n_found;
    if n_found != record.n_items {
        let what = format!("{n_found} items, and its record says {}", record.n_items);
        told.tell(Finding::new(Kind::ItemsDiffer, what).of(&record.url));
    }
    for (at, item) in shelf.texts.iter().enumerate() {
        let Some(kind) = shelf.kind_name(at, &pages.kinds) else {
            let what = format!("its item {at} is of a kind that is not there");
            told.tell(Finding::new(Kind::ItemKindMissing, what).of(&record.url));
            continue;
        };
        if let Err(e) = pages.recount.item(record, kind, item) {
            told.tell(Finding::new(Kind::UnreadableItem, e.to_string()).of(&record.url));
        }
    }
    shelf
}

fn check_keys(
    record: &Record,
    print: u64,
    listed: &Gathered,
    shelf: &Shelf<'_>,
    pages: &mut Pages,
    told: &mut Told<'_>,
) -> io::Result<()> {
    if told.fixes.unread.contains(&print) {
        return Ok(());
    }
    match items::keyed(listed, shelf, pages.secret, &pages.kinds) {
        Ok(all) => all.iter().try_for_each(|keyed| pages.keys.push(keyed.row(print))),
        Err(what) => {
            told.tell(Finding::new(Kind::PageKeysDamaged, what).of(&record.url));
            told.fixes.leave(print);
            Ok(())
        }
    }
}

/// As many files are asked for as the record says, one list per item.
fn check_asked(record: &Record, asked: Option<&Gathered>, told: &mut Told<'_>) {
    let lists = asked.map_or(Some(Vec::new()), pieces);
    let n = lists.and_then(|lists| {
        let is_one_each = lists.is_empty() || lists.len() as u64 == record.n_items;
        let count = |list: &[u8]| match list.is_empty() {
            true => Some(0),
            false => Some(serde_json::from_slice::<Vec<AskedFile>>(list).ok()?.len() as u64),
        };
        lists.into_iter().map(count).sum::<Option<u64>>().filter(|_| is_one_each)
    });
    if n != Some(record.n_files) {
        let what =
            format!("its items ask for {} files, and the lists say otherwise", record.n_files);
        told.tell(Finding::new(Kind::ItemsDiffer, what).of(&record.url));
    }
}

/// Print and last settle number of what settled and has no record.
fn without_record(fold: &mut Fold) -> Vec<(u64, u64)> {
    let mut missing = Vec::new();
    for &(n, print) in fold.settles.iter().rev() {
        if let Some(standing) = fold.standings.get_mut(&print) {
            if !standing.take_mark() {
                missing.push((print, n));
            }
            // The same URL may have settled before.
            standing.mark();
        }
    }
    missing.sort_unstable();
    missing
}
