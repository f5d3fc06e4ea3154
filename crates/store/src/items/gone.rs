//! Items with a key that were there and are not any more, on no page.
//!
//! Kept are they for who asks what has disappeared, and for the day they come back, with their
//! history. Only so many: of more, those that were last seen longest ago are let go.
//!
//! ```text
//! value = page (8 bytes, big-endian) content (8 bytes, big-endian) kind life seen_ms len text
//! ```
//!
//! Numbers as unsigned LEB128; `text` is the item, or the beginning of one that is longer than a
//! value should be, and `len` the length of the whole.

use std::collections::{BTreeSet, HashMap};

use crawl_model::{Fingerprint, ItemKey};

use super::head::Life;
use crate::codec::{Take, put_number};
use crate::database::Database;
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Most that are kept.
const MOST_GONE: usize = 10_000;
/// Of each so many bytes of text.
const MOST_TEXT: usize = 3072;

/// An item that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    /// The page that it was last seen on.
    pub(crate) print: Fingerprint,
    pub(crate) content: u64,
    /// The number of its kind.
    pub(crate) kind: u32,
    pub(crate) life: Life,
    /// When it was last seen.
    pub(crate) seen_ms: u64,
    /// Bytes of the whole item.
    pub(crate) len: u64,
    pub(crate) text: Box<str>,
}

impl Gone {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.print.0.to_be_bytes().to_vec();
        out.extend(self.content.to_be_bytes());
        put_number(&mut out, self.kind.into());
        self.life.put(&mut out);
        put_number(&mut out, self.seen_ms);
        put_number(&mut out, self.len);
        let most = MOST_TEXT.min(self.text.len());
        let end = (0..=most).rev().find(|&end| self.text.is_char_boundary(end));
        out.extend_from_slice(&self.text.as_bytes()[..end.unwrap_or(0)]);
        out
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let mut rest = Take(value);
        let mut word = || Some(u64::from_be_bytes(rest.bytes(8)?.try_into().ok()?));
        let (print, content) = (Fingerprint(word()?), word()?);
        let kind = u32::try_from(rest.number()?).ok()?;
        let life = Life::take(&mut rest)?;
        let (seen_ms, len) = (rest.number()?, rest.number()?);
        let text = std::str::from_utf8(rest.0).ok()?.into();
        Some(Self { print, content, kind, life, seen_ms, len, text })
    }

    /// The one with this key.
    pub(crate) fn of(db: &Database, key: ItemKey) -> Result<Option<Self>, StoreError> {
        let Some(value) = db.get(&keys::gone(key))? else { return Ok(None) };
        Self::decode(&value).map(Some).ok_or_else(corrupt)
    }

    /// All of them, in no order that means anything.
    pub(crate) fn all(db: &Database) -> impl Iterator<Item = Result<Self, StoreError>> + use<> {
        db.prefix(&[keys::GONE]).map(|entry| Self::decode(&entry?.1).ok_or_else(corrupt))
    }
}

fn corrupt() -> StoreError {
    StoreError::corrupt("item that is gone")
}

/// Which items are gone, as the writer knows it.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    seen: HashMap<ItemKey, u64>,
    oldest: BTreeSet<(u64, [u8; 16])>,
    /// Of the commit under way: what is not in the database yet.
    pending: HashMap<ItemKey, Gone>,
}

impl Lost {
    pub(crate) fn open(db: &Database) -> Result<Self, StoreError> {
        let mut lost = Self::default();
        for entry in db.prefix(&[keys::GONE]) {
            let (key, value) = entry?;
            let key = keys::key_of_gone(&key).ok_or_else(corrupt)?;
            lost.note(key, Gone::decode(&value).ok_or_else(corrupt)?.seen_ms);
        }
        Ok(lost)
    }

    /// What was pending is in the database.
    pub(crate) fn committed(&mut self) {
        self.pending.clear();
    }

    /// Keeps an item that is gone.
    pub(crate) fn add(&mut self, batch: &mut Batch, key: ItemKey, gone: Gone) {
        self.note(key, gone.seen_ms);
        batch.insert(&keys::gone(key), gone.encode());
        self.pending.insert(key, gone);
        if self.seen.len() > MOST_GONE
            && let Some((_, oldest)) = self.oldest.first().copied()
        {
            self.forget(batch, ItemKey(oldest));
        }
    }

    /// Takes back an item that has come again; `None` if it was not gone.
    pub(crate) fn take(
        &mut self,
        db: &Database,
        batch: &mut Batch,
        key: ItemKey,
    ) -> Result<Option<Gone>, StoreError> {
        if !self.seen.contains_key(&key) {
            return Ok(None);
        }
        let gone = match self.pending.get(&key) {
            Some(gone) => Some(gone.clone()),
            None => Gone::of(db, key)?,
        };
        self.forget(batch, key);
        Ok(gone)
    }

    fn forget(&mut self, batch: &mut Batch, key: ItemKey) {
        if let Some(seen_ms) = self.seen.remove(&key) {
            self.oldest.remove(&(seen_ms, key.0));
        }
        self.pending.remove(&key);
        batch.remove(&keys::gone(key));
    }

    fn note(&mut self, key: ItemKey, seen_ms: u64) {
        if let Some(before) = self.seen.insert(key, seen_ms) {
            self.oldest.remove(&(before, key.0));
        }
        self.oldest.insert((seen_ms, key.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(seen_ms: u64, text: &str) -> Gone {
        let life = Life { first_ms: 5, changed_ms: 6, changes: 1 };
        let (len, text) = (text.len() as u64, text.into());
        Gone { print: Fingerprint(7), content: u64::MAX, kind: 3, life, seen_ms, len, text }
    }

    fn key(number: u64) -> ItemKey {
        let mut key = [1; 16];
        key[..8].copy_from_slice(&number.to_be_bytes());
        ItemKey(key)
    }

    #[test]
    fn those_seen_longest_ago_are_let_go_and_what_comes_again_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(dir.path(), 1).unwrap();
        let mut lost = Lost::open(&db).unwrap();
        let mut batch = Batch::default();
        let most = MOST_GONE as u64;
        (0..most + 5).for_each(|i| lost.add(&mut batch, key(i), gone(1000 + i, "{}")));
        db.commit(batch).unwrap();
        assert_eq!((Gone::all(&db).count(), Gone::of(&db, key(4)).unwrap()), (MOST_GONE, None));
        let mut lost = Lost::open(&db).unwrap();
        let mut batch = Batch::default();
        assert_eq!(lost.take(&db, &mut batch, key(3)).unwrap(), None);
        assert_eq!(lost.take(&db, &mut batch, key(5)).unwrap(), Some(gone(1005, "{}")));
        // Gone and there again in one commit.
        lost.add(&mut batch, key(9), gone(1, "[1]"));
        assert_eq!(lost.take(&db, &mut batch, key(9)).unwrap(), Some(gone(1, "[1]")));
        db.commit(batch).unwrap();
        assert_eq!(Gone::of(&db, key(9)).unwrap(), None);
        assert_eq!(Gone::all(&db).count(), MOST_GONE - 2);
    }

    #[test]
    fn a_long_item_is_cut_between_characters() {
        let long = gone(1, &"ä".repeat(5000));
        let value = long.encode();
        assert!(value.len() <= crate::database::PART_BYTES);
        let cut = Gone::decode(&value).unwrap();
        assert_eq!((cut.len, cut.text.len()), (10_000, MOST_TEXT));
        assert_eq!(Gone::decode(&value[..19]), None);
    }
}
