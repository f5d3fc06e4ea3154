//! Keys of items: on which pages the items that have them stand, and what became of them.
//!
//! One index for two questions. *Where is the item with this key?* and *does the crawl have it
//! already?* (`dedup`). Two pages with the same item may be read at the same time on two threads, so
//! who was first is decided where pages are put in order: here, by the one writer. The index is
//! written in the same batch as the items, so after a kill there is an item for every key in it,
//! and a key for every item that has one. A crawl without keys writes and reads nothing of it.
//!
//! A page owns its places: fetched again it keeps those that it still has and gives up the others,
//! and never one of another page. An item that moves to another page stays the one it was.
//!
//! ```text
//! K key page -> 0 | (place on the page + 1) content (8 bytes, big-endian) life
//! k page     -> pieces: key (16 bytes) (0 | place on the page + 1)
//! ```

use std::collections::{HashMap, HashSet};

use crawl_model::{Fingerprint, ItemKey, Keys, OwnKey};

use super::gone::Lost;
use super::head::Life;
use crate::codec::{Take, put_number};
use crate::database::Database;
use crate::packed::{self, Pieces};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Most pages that an item is known to stand on: what more pages have tells no item from another.
const MOST_PLACES: usize = 32;

/// Where an item with a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) print: Fingerprint,
    /// What it is known by; `None` if the key only keeps others out.
    pub(crate) item: Option<Known>,
}

/// An item that is known again by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its place among the items of the page.
    pub(crate) index: u32,
    pub(crate) content: u64,
    pub(crate) life: Life,
}

impl Place {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        let Some(Known { index, content, life }) = &self.item else { return vec![0] };
        put_number(&mut out, u64::from(*index) + 1);
        out.extend_from_slice(&content.to_be_bytes());
        life.put(&mut out);
        out
    }

    fn decode(print: Fingerprint, value: &[u8]) -> Option<Self> {
        let mut rest = Take(value);
        let item = match index(&mut rest)? {
            None => None,
            Some(index) => {
                let content = u64::from_be_bytes(rest.bytes(8)?.try_into().ok()?);
                Some(Known { index, content, life: Life::take(&mut rest)? })
            }
        };
        rest.0.is_empty().then_some(Self { print, item })
    }
}

/// A place on a page, one more than it is; 0: none.
fn index(rest: &mut Take<'_>) -> Option<Option<u32>> {
    let number = u32::try_from(rest.number()?).ok()?;
    Some(number.checked_sub(1))
}

/// All places of a key.
pub(crate) fn places_of(db: &Database, key: ItemKey) -> Result<Vec<Place>, StoreError> {
    let place = |entry: Result<(sled::IVec, sled::IVec), StoreError>| {
        let (key, value) = entry?;
        let print = keys::page_of_place(&key);
        let place = print.and_then(|print| Place::decode(print, &value));
        place.ok_or_else(|| StoreError::corrupt("item key"))
    };
    db.prefix(&keys::item_key(key)).map(place).collect()
}

/// The keys of a page's items, each with the item that is known by it.
fn keys_of(db: &Database, print: Fingerprint) -> Result<Vec<(ItemKey, Option<u32>)>, StoreError> {
    let key = |piece: Result<Vec<u8>, StoreError>| {
        let piece = piece?;
        let mut rest = Take(&piece);
        let key = rest.bytes(16).and_then(|bytes| bytes.try_into().ok()).map(ItemKey);
        let index = index(&mut rest).filter(|_| rest.0.is_empty());
        key.zip(index).ok_or_else(|| StoreError::corrupt("keys of a page"))
    };
    Pieces::of(db, keys::PAGE_KEYS, print, "keys of a page").map(key).collect()
}

/// The places of the keys that a commit has to do with, as they will be.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<ItemKey, Vec<Place>>);

/// What the keys of a page came to.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    /// Of each item that is known again by its key, its life.
    pub(crate) lives: HashMap<u32, Life>,
    /// Which of the items that the page had before were known by a key.
    pub(crate) was_known: HashSet<u32>,
    /// Keys that the page had and has no longer, each with the item that was known by it on no
    /// other page.
    pub(crate) lost: Vec<(ItemKey, Known)>,
}

impl Index {
    /// Of each item the page that has the first with one of its keys, if that is not this item and
    /// the keys must be the only ones. Nothing is entered yet. As long as `item_keys`.
    pub(crate) fn judge(
        &mut self,
        db: &Database,
        print: Fingerprint,
        item_keys: &[Keys],
    ) -> Result<Vec<Option<Fingerprint>>, StoreError> {
        let mut firsts = Vec::with_capacity(item_keys.len());
        let mut own = HashSet::<ItemKey>::new();
        for Keys { unique, .. } in item_keys {
            let mut owner = None;
            for key in unique {
                owner = match own.contains(key) {
                    true => Some(print),
                    // What this page had before is its own still.
                    false => {
                        let mut others = self.places(db, *key)?.iter().map(|place| place.print);
                        others.find(|other| *other != print)
                    }
                };
                if owner.is_some() {
                    break;
                }
            }
            if owner.is_none() {
                own.extend(unique);
            }
            firsts.push(owner);
        }
        Ok(firsts)
    }

    /// Enters the keys of a page's items, and gives up those that it had before and has no longer.
    /// An item that was lost goes on with the life that it had.
    pub(crate) fn put(
        &mut self,
        (db, batch): (&Database, &mut Batch),
        print: Fingerprint,
        item_keys: &[Keys],
        (was_there, now_ms): (bool, u64),
        lost: &mut Lost,
    ) -> Result<Entered, StoreError> {
        let mut entered = Entered::default();
        let mut new: Vec<(ItemKey, Option<u32>)> = Vec::new();
        let mut is_new = HashSet::new();
        for (number, Keys { own, unique }) in (0..).zip(item_keys) {
            if let Some(OwnKey { key, content }) = own
                && !is_new.contains(key)
            {
                let places = self.places(db, *key)?;
                let mine = places.iter().find(|place| place.print == print);
                if mine.is_none() && places.len() >= MOST_PLACES {
                    continue;
                }
                let mut before =
                    mine.and_then(|place| place.item).map(|was| (was.content, was.life));
                if before.is_none() {
                    let gone = lost.take(db, batch, *key)?;
                    before = gone.map(|gone| (gone.content, gone.life));
                }
                let first_ms = places.iter().filter_map(|place| Some(place.item?.life.first_ms));
                let life = match before {
                    Some((was, life)) => life.seen(was != *content, now_ms),
                    None => Life::new(first_ms.min().unwrap_or(now_ms)),
                };
                let item = Some(Known { index: number, content: *content, life });
                put_place(places, batch, *key, Place { print, item });
                entered.lives.insert(number, life);
                is_new.insert(*key);
                new.push((*key, Some(number)));
            }
            for key in unique {
                if is_new.insert(*key) {
                    lost.take(db, batch, *key)?;
                    let places = self.places(db, *key)?;
                    put_place(places, batch, *key, Place { print, item: None });
                    new.push((*key, None));
                }
            }
        }
        if was_there {
            for (key, number) in keys_of(db, print)? {
                entered.was_known.extend(number);
                if !is_new.contains(&key) {
                    entered.lost.extend(self.give_up(db, batch, print, key)?);
                }
            }
        }
        let pieces: Vec<_> = new.iter().map(|(key, number)| piece(*key, *number)).collect();
        let n_parts = packed::put(batch, keys::PAGE_KEYS, print, pieces.iter().map(Vec::as_slice));
        if was_there {
            packed::remove_surplus(db, batch, keys::PAGE_KEYS, print, n_parts)?;
        }
        Ok(entered)
    }

    /// The page has no item with this key any more; gives the item that stands nowhere now.
    fn give_up(
        &mut self,
        db: &Database,
        batch: &mut Batch,
        print: Fingerprint,
        key: ItemKey,
    ) -> Result<Option<(ItemKey, Known)>, StoreError> {
        let places = self.places(db, key)?;
        let Some(at) = places.iter().position(|place| place.print == print) else {
            return Ok(None);
        };
        let place = places.remove(at);
        batch.remove(&keys::place(key, print));
        let is_last = places.is_empty();
        Ok(place.item.filter(|_| is_last).map(|item| (key, item)))
    }

    fn places(&mut self, db: &Database, key: ItemKey) -> Result<&mut Vec<Place>, StoreError> {
        use std::collections::hash_map::Entry;
        Ok(match self.0.entry(key) {
            Entry::Occupied(places) => places.into_mut(),
            Entry::Vacant(places) => places.insert(places_of(db, key)?),
        })
    }
}

fn put_place(places: &mut Vec<Place>, batch: &mut Batch, key: ItemKey, place: Place) {
    batch.insert(&keys::place(key, place.print), place.encode());
    match places.iter_mut().find(|known| known.print == place.print) {
        Some(known) => *known = place,
        None => places.push(place),
    }
}

fn piece(key: ItemKey, number: Option<u32>) -> Vec<u8> {
    let mut piece = key.0.to_vec();
    put_number(&mut piece, number.map_or(0, |number| u64::from(number) + 1));
    piece
}
