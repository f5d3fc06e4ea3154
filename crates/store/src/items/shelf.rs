//! The stored items of one page, with what stands before them.

use std::collections::HashMap;

use crawl_model::{Fingerprint, Item, PageRecord};
use serde_json::Value;

use super::head::{Head, Life};
use super::index::Entered;
use super::kinds::KindTable;
use super::provenance::Provenance;
use crate::database::Database;
use crate::fresh::FreshPage;
use crate::media::{ItemFiles, with_files};
use crate::packed::Pieces;
use crate::{StoreError, keys};

/// What pieces are, for errors.
const WHAT: &str = "item";

/// An item with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// The item, as JSON text.
    pub json: String,
    /// What is known of it.
    pub provenance: Provenance,
}

/// All items of a page at once: for what comes in the place of its earlier copy.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) head: Head,
    pub(crate) items: Vec<Box<str>>,
    /// When the page was asked for that they are of, and when they were last seen.
    pub(crate) first_ms: u64,
    pub(crate) seen_ms: u64,
}

impl Shelf {
    /// The items of the page that has this record.
    pub(crate) fn of(
        db: &Database,
        print: Fingerprint,
        record: &PageRecord,
    ) -> Result<Self, StoreError> {
        let mut pieces = pieces(db, print);
        let head = pieces.next().map(|head| decode(&head?)).transpose()?.unwrap_or_default();
        let items = pieces.map(|piece| text(piece?).map(String::into_boxed_str));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Self { head, items, first_ms: record.fetched_ms, seen_ms: record.seen_ms() })
    }

    pub(crate) fn life(&self, index: usize) -> Life {
        let life = self.head.lives.get(index).copied();
        life.unwrap_or_else(|| Life::new(self.first_ms))
    }

    pub(crate) fn kind(&self, index: usize) -> u32 {
        self.head.kinds.get(index).copied().unwrap_or_default()
    }

    /// The lives of items that take the place of these. Those that are known by their keys have
    /// theirs; another is the one that it is alike, or else the one in whose place it stands.
    pub(crate) fn lives_of(
        &self,
        items: &[Item],
        Entered { lives: known, was_known, .. }: &Entered,
        now_ms: u64,
    ) -> Vec<Life> {
        let mut is_free: Vec<bool> =
            (0..).zip(&self.items).map(|(index, _)| !was_known.contains(&index)).collect();
        let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, item) in self.items.iter().enumerate().rev().filter(|(at, _)| is_free[*at]) {
            alike.entry(item).or_default().push(index);
        }
        let mut lives: Vec<Option<Life>> = Vec::with_capacity(items.len());
        for (index, item) in (0..).zip(items) {
            let life = known.get(&index).copied().or_else(|| {
                let at = alike.get_mut(&*item.json)?.pop()?;
                is_free[at] = false;
                Some(self.life(at))
            });
            lives.push(life);
        }
        let mut lives = lives.into_iter().enumerate();
        let life = |(index, life): (usize, Option<Life>)| {
            life.unwrap_or_else(|| match is_free.get(index) {
                Some(true) => {
                    let has_changed = !is_same(&self.items[index], &items[index].json);
                    self.life(index).seen(has_changed, now_ms)
                }
                _ => Life::new(now_ms),
            })
        };
        lives.by_ref().map(life).collect()
    }
}

/// Whether two texts are one value; the order of fields does not count.
fn is_same(a: &str, b: &str) -> bool {
    let value = |text| serde_json::from_str::<Value>(text).ok();
    a == b || value(a).is_some_and(|a| Some(a) == value(b))
}

/// The items of one page with what is known of them.
#[derive(Debug)]
pub struct StoredItems<'a> {
    pieces: Pieces,
    head: Option<Head>,
    kinds: &'a KindTable,
    record: &'a PageRecord,
    /// What they ask for, if any does.
    files: Option<ItemFiles>,
    /// The settle at which those are whole that are wanted; `None` if all are wanted.
    at: Option<u64>,
    next: usize,
}

impl<'a> StoredItems<'a> {
    pub(crate) fn of(
        db: &Database,
        kinds: &'a KindTable,
        print: Fingerprint,
        record: &'a PageRecord,
        files: Option<ItemFiles>,
    ) -> Self {
        Self { pieces: pieces(db, print), head: None, kinds, record, files, at: None, next: 0 }
    }

    /// Those that are whole at settle `n` and at none before.
    pub(crate) fn whole_at(self, n: u64) -> Self {
        Self { at: Some(n), ..self }
    }

    /// The next one that is wanted.
    fn step(&mut self) -> Result<Option<StoredItem>, StoreError> {
        while let Some(item) = self.read()? {
            let whole = self.files.as_mut().map(ItemFiles::next).transpose()?;
            let (n, rows) = whole.map_or((Some(0), Vec::new()), |whole| (whole.n, whole.rows));
            let is_wanted = match self.at {
                Some(at) => n.is_some_and(|n| n.max(self.record.n) == at),
                None => true,
            };
            if is_wanted {
                return Ok(Some(StoredItem { json: with_files(item.json, rows), ..item }));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<StoredItem>, StoreError> {
        if self.head.is_none() {
            let Some(head) = self.pieces.next() else { return Ok(None) };
            self.head = Some(decode(&head?)?);
        }
        let Some(piece) = self.pieces.next() else { return Ok(None) };
        let (json, at) = (text(piece?)?, self.next);
        self.next += 1;
        let head = self.head.as_ref().map(|head| (head.kinds.get(at), head.lives.get(at)));
        let (kind, life) = head.unwrap_or_default();
        let kind = kind.ok_or_else(|| StoreError::corrupt("item (its kind is not known)"))?;
        let life = life.copied().unwrap_or_else(|| Life::new(self.record.fetched_ms));
        let provenance = provenance(self.kinds, *kind, life, self.record.seen_ms())?;
        Ok(Some(StoredItem { json, provenance }))
    }
}

impl Iterator for StoredItems<'_> {
    type Item = Result<StoredItem, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// What is known of an item of this kind that lived so and was last seen then.
pub(crate) fn provenance(
    kinds: &KindTable,
    number: u32,
    life: Life,
    seen_ms: u64,
) -> Result<Provenance, StoreError> {
    let kind = kinds.get(number)?;
    Ok(Provenance {
        spider: kind.spider.clone(),
        kind: kind.kind.name.clone(),
        version: kind.kind.version.clone(),
        first_ms: life.first_ms,
        seen_ms: seen_ms.max(life.first_ms).max(life.changed_ms),
        changed_ms: life.changed_ms,
        changes: life.changes,
    })
}

/// The items of one page as JSON texts: see [`Reader::items`](crate::Reader::items).
#[derive(Debug)]
pub struct Items {
    pieces: Pieces,
    is_begun: bool,
    /// What they ask for, if any of the crawl does.
    files: Option<ItemFiles>,
}

impl Items {
    pub(crate) fn of(db: &Database, print: Fingerprint, files: Option<ItemFiles>) -> Self {
        Self { pieces: pieces(db, print), is_begun: false, files }
    }

    /// Of a page that has just been written.
    pub(crate) fn fresh(page: &FreshPage) -> Self {
        let pieces = Pieces::of_packed(page.packed.clone(), WHAT);
        Self { pieces, is_begun: false, files: None }
    }

    fn with_files(&mut self, json: String) -> Result<String, StoreError> {
        match &mut self.files {
            Some(files) => Ok(with_files(json, files.next()?.rows)),
            None => Ok(json),
        }
    }
}

impl Iterator for Items {
    type Item = Result<String, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::replace(&mut self.is_begun, true) {
            // What stands before them.
            if let Err(error) = self.pieces.next()? {
                return Some(Err(error));
            }
        }
        let json = self.pieces.next()?.and_then(text);
        Some(json.and_then(|json| self.with_files(json)))
    }
}

fn pieces(db: &Database, print: Fingerprint) -> Pieces {
    Pieces::of(db, keys::ITEMS, print, WHAT)
}

fn text(piece: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(piece).map_err(|_| StoreError::corrupt("item"))
}

fn decode(head: &[u8]) -> Result<Head, StoreError> {
    Head::decode(head).ok_or_else(|| StoreError::corrupt("what stands before the items of a page"))
}
