//! A sum over the values that nothing else in the store speaks of.
//!
//! A page that is lost from the database is missed by the settle log, an item by its page. Nobody
//! misses a cookie, a robots.txt, a block, a feed's cursor, a kind of items or an item that is gone:
//! so their number and the sum of their checksums stand in a value of their own, kept up in the same
//! batch. `crawl verify` counts again.

use std::collections::BTreeMap;

use crate::StoreError;
use crate::database::{encode_numbers, numbers};
use crate::keys;

/// Where it lies.
const SEAL: &str = "seal";

/// Kinds of keys of which nothing else speaks.
const SEALED: [u8; 5] = [keys::ROBOTS, keys::COOKIE, keys::DEATHS, keys::GONE, keys::KINDS];

/// Values of [`META`](keys::META) that others account for, or that change with each commit.
const ACCOUNTED_FOR: [&[u8]; 5] = [b"totals", b"run", b"dropped", b"seal", b"files"];

/// Changes to the database that happen together, or not at all.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) inner: sled::Batch,
    /// What becomes of sealed values: the new checksum, or none.
    sealed: BTreeMap<sled::IVec, Option<u64>>,
}

impl Batch {
    pub(crate) fn insert(&mut self, key: impl Into<sled::IVec>, value: impl Into<sled::IVec>) {
        let (key, value) = (key.into(), value.into());
        if is_sealed(&key) {
            self.sealed.insert(key.clone(), Some(checksum(&key, &value)));
        }
        self.inner.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: impl Into<sled::IVec>) {
        let key = key.into();
        if is_sealed(&key) {
            self.sealed.insert(key.clone(), None);
        }
        self.inner.remove(key);
    }
}

/// How many sealed values there are, and the sum of their checksums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seal {
    n: u64,
    sum: u64,
}

impl Seal {
    /// The one in the database; of one that has none it is made anew.
    pub(crate) fn read(tree: &sled::Db) -> Result<Self, StoreError> {
        let value = tree.get(keys::meta(SEAL)).map_err(StoreError::database("read"))?;
        match value.and_then(|value| numbers(&value)) {
            Some([n, sum]) => Ok(Self { n, sum }),
            None => Self::count(tree),
        }
    }

    /// Counts, and puts what it finds into the batch.
    pub(crate) fn anew(tree: &sled::Db, batch: &mut Batch) -> Result<Self, StoreError> {
        let seal = Self::count(tree)?;
        batch.inner.insert(keys::meta(SEAL), encode_numbers([seal.n, seal.sum]));
        Ok(seal)
    }

    fn count(tree: &sled::Db) -> Result<Self, StoreError> {
        let mut seal = Self::default();
        for tag in std::iter::once(keys::META).chain(SEALED) {
            for entry in tree.scan_prefix([tag]) {
                let (key, value) = entry.map_err(StoreError::database("read"))?;
                if is_sealed(&key) {
                    seal.add(checksum(&key, &value));
                }
            }
        }
        Ok(seal)
    }

    fn add(&mut self, checksum: u64) {
        self.n += 1;
        self.sum = self.sum.wrapping_add(checksum);
    }

    /// Takes in what a batch changes, and adds itself to the batch if that is anything.
    pub(crate) fn follow(&mut self, tree: &sled::Db, batch: &mut Batch) -> Result<(), StoreError> {
        if batch.sealed.is_empty() {
            return Ok(());
        }
        for (key, new) in &batch.sealed {
            let old = tree.get(key).map_err(StoreError::database("read"))?;
            if let Some(old) = old {
                self.n = self.n.saturating_sub(1);
                self.sum = self.sum.wrapping_sub(checksum(key, &old));
            }
            new.iter().for_each(|new| self.add(*new));
        }
        batch.inner.insert(keys::meta(SEAL), encode_numbers([self.n, self.sum]));
        Ok(())
    }
}

fn is_sealed(key: &[u8]) -> bool {
    match key.split_first() {
        Some((&keys::META, name)) => !ACCOUNTED_FOR.contains(&name) && !name.starts_with(b"warc/"),
        Some((tag, _)) => SEALED.contains(tag),
        None => false,
    }
}

/// FNV-1a over both, with what stands in no text between them.
fn checksum(key: &[u8], value: &[u8]) -> u64 {
    let bytes = key.iter().chain(&[0xff]).chain(value);
    let step = |sum: u64, &byte: &u8| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;

    #[test]
    fn the_seal_follows_every_batch_and_is_what_a_count_finds() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(dir.path(), 1).unwrap();
        let (first, second) = (keys::cookie("a"), keys::cookie("b"));
        for round in 0..4_u8 {
            let mut batch = Batch::default();
            batch.insert(&*first, &[round][..]);
            batch.insert(&*second, "to be removed");
            batch.insert(keys::meta("totals"), "not sealed");
            if round % 2 == 1 {
                batch.remove(&*second);
                batch.insert(&*first, "written twice");
            }
            db.commit(batch).unwrap();
            let counted = Seal::count(db.tree()).unwrap();
            assert_eq!(Seal::read(db.tree()).unwrap(), counted, "round {round}");
            assert_eq!(counted.n, 2 - u64::from(round % 2));
        }
    }
}
