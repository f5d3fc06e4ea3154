//! Of each key one item: which page has it.
//!
//! Two pages with the same item may be read at the same time on two threads, so who was first is
//! decided where pages are put in order: here, by the one writer. The index is written in the same
//! batch as the items, so after a kill there is an item for every key in it, and a key for
//! every item that has one. A crawl without keys writes and reads nothing of it.
//!
//! A page owns its keys: fetched again it keeps those that it still has and frees the others, and
//! never one that another page owns.

use std::collections::{HashMap, HashSet};

use crawl_model::{Fingerprint, ItemKey};

use crate::database::Database;
use crate::packed::{self, Pieces};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Changes to the index that are not in the database yet: the new owner, or none.
#[derive(Debug, Default)]
pub(crate) struct Claims(HashMap<ItemKey, Option<Fingerprint>>);

/// What a page's keys came to.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    /// Of each item the page that has the first with its key, if that is not this item. As long
    /// as the list that was judged.
    pub(crate) firsts: Vec<Option<Fingerprint>>,
    /// The keys of the others.
    keys: Vec<ItemKey>,
}

impl Claims {
    /// Which of a page's items are duplicates. Nothing is claimed yet. `item_keys` has the keys
    /// of each item.
    pub(crate) fn judge(
        &self,
        db: &Database,
        print: Fingerprint,
        item_keys: &[Vec<ItemKey>],
    ) -> Result<Claimed, StoreError> {
        let mut claimed = Claimed::default();
        let mut own = HashSet::<ItemKey>::new();
        for keys in item_keys {
            let mut owner = None;
            for key in keys {
                owner = match own.contains(key) {
                    true => Some(print),
                    // What this page had before is its own still.
                    false => self.owner(db, *key)?.filter(|owner| *owner != print),
                };
                if owner.is_some() {
                    break;
                }
            }
            if owner.is_none() {
                own.extend(keys);
                claimed.keys.extend(keys);
            }
            claimed.firsts.push(owner);
        }
        Ok(claimed)
    }

    /// Makes the keys the page's, and frees those that it had before and has no longer.
    pub(crate) fn put(
        &mut self,
        db: &Database,
        batch: &mut Batch,
        print: Fingerprint,
        claimed: Claimed,
        was_there: bool,
    ) -> Result<(), StoreError> {
        if was_there {
            let kept: HashSet<ItemKey> = claimed.keys.iter().copied().collect();
            for key in keys_of(db, print)? {
                if !kept.contains(&key) && self.owner(db, key)? == Some(print) {
                    batch.remove(&keys::item_key(key));
                    self.0.insert(key, None);
                }
            }
        }
        for key in &claimed.keys {
            batch.insert(&keys::item_key(*key), &print.0.to_be_bytes());
            self.0.insert(*key, Some(print));
        }
        let pieces = claimed.keys.iter().map(|key| key.0.as_slice());
        let n_parts = packed::put(batch, keys::PAGE_KEYS, print, pieces);
        if was_there {
            packed::remove_surplus(db, batch, keys::PAGE_KEYS, print, n_parts)?;
        }
        Ok(())
    }

    fn owner(&self, db: &Database, key: ItemKey) -> Result<Option<Fingerprint>, StoreError> {
        if let Some(owner) = self.0.get(&key) {
            return Ok(*owner);
        }
        let Some(value) = db.get(&keys::item_key(key))? else { return Ok(None) };
        let bytes = value.as_ref().try_into().map_err(|_| StoreError::corrupt("item key"))?;
        Ok(Some(Fingerprint(u64::from_be_bytes(bytes))))
    }
}

fn keys_of(db: &Database, print: Fingerprint) -> Result<Vec<ItemKey>, StoreError> {
    let key = |piece: Result<Vec<u8>, StoreError>| {
        let bytes = piece?.try_into().map_err(|_| StoreError::corrupt("keys of a page"))?;
        Ok(ItemKey(bytes))
    };
    Pieces::of(db, keys::PAGE_KEYS, print, "keys of a page").map(key).collect()
}
