//! Which bodies are in the archive: so that the same one is kept once, and later ones refer to it.
//!
//! In memory a map from the first bytes of a digest to a place; whoever finds something there
//! compares the whole digest. In the database the newest [`MOST`] of them, packed in blocks, which
//! go into the batch that points to the records: so after a kill no place is known that is not
//! there. Forgetting costs space, never a body.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use crawl_model::BodyPointer;

use super::files::{compression_of, name_of, number_of};
use crate::codec::{Take, put_number};
use crate::database::Database;
use crate::seal::Batch;
use crate::warc::BodyCompression;
use crate::{StoreError, keys};

/// Bodies that are known at most: some 10 MB of memory.
const MOST: usize = 200_000;

/// Bodies in a block: a value of about 2 KB.
const BLOCK: usize = 128;

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    number: u32,
    offset: u64,
    len: u32,
    compression: BodyCompression,
}

/// What is known: asked by all who make records, kept by the writer.
#[derive(Debug)]
pub(crate) struct Known {
    map: RwLock<HashMap<u64, Place>>,
    ledger: Mutex<Ledger>,
}

/// The same in the order in which it is forgotten.
#[derive(Debug, Default)]
struct Ledger {
    /// Blocks by number, the last one not full.
    blocks: VecDeque<Vec<(u64, Place)>>,
    /// Number of the first block.
    first: u64,
    /// Blocks that are in the database and are not to be any more.
    gone: Vec<u64>,
    /// Number of the first block that the database does not have as it is.
    changed: Option<u64>,
}

impl Known {
    /// Reads what is known from the database.
    pub(crate) fn open(db: &Database) -> Result<Self, StoreError> {
        let (mut map, mut ledger) = (HashMap::new(), Ledger::default());
        for entry in db.prefix(&[keys::BODIES]) {
            let (key, value) = entry?;
            let corrupt = || StoreError::corrupt("block of known bodies");
            let number = keys::block_of(&key).ok_or_else(corrupt)?;
            if ledger.blocks.is_empty() {
                ledger.first = number;
            }
            let block = unpack(&value).ok_or_else(corrupt)?;
            map.extend(block.iter().copied());
            ledger.blocks.push_back(block);
        }
        Ok(Self { map: RwLock::new(map), ledger: Mutex::new(ledger) })
    }

    /// Where a body may lie whose digest begins with `key`.
    pub(crate) fn get(&self, key: u64) -> Option<BodyPointer> {
        let place = *self.map.read().unwrap_or_else(PoisonError::into_inner).get(&key)?;
        let file = name_of(place.number, place.compression);
        Some(BodyPointer { file, offset: place.offset, len: place.len.into(), of: None })
    }

    /// Notes that a body lies at `pointer`.
    pub(crate) fn add(&self, key: u64, pointer: &BodyPointer) {
        let (Some(number), Some(compression), Ok(len)) =
            (number_of(&pointer.file), compression_of(&pointer.file), u32::try_from(pointer.len))
        else {
            return;
        };
        let place = Place { number, offset: pointer.offset, len, compression };
        let forgotten = self.ledger().add(key, place);
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(key, place);
        for (key, place) in forgotten {
            if map.get(&key) == Some(&place) {
                map.remove(&key);
            }
        }
    }

    /// Adds what is new to a commit.
    pub(crate) fn post(&self, batch: &mut Batch) {
        self.ledger().post(batch);
    }

    /// Forgets everything, by a commit: the places are not good any more.
    pub(crate) fn forget(&self, batch: &mut Batch) {
        let mut ledger = self.ledger();
        let n_blocks = ledger.blocks.len() as u64;
        for number in ledger.first..ledger.first + n_blocks {
            batch.remove(&keys::block(number));
        }
        *ledger = Ledger::default();
        self.map.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Adds one; gives those that are forgotten for it.
    fn add(&mut self, key: u64, place: Place) -> Vec<(u64, Place)> {
        if self.blocks.back().is_none_or(|block| block.len() >= BLOCK) {
            self.blocks.push_back(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.blocks.back_mut() {
            block.push((key, place));
        }
        let last = self.first + self.blocks.len().saturating_sub(1) as u64;
        self.changed.get_or_insert(last);
        if self.blocks.len() <= MOST / BLOCK {
            return Vec::new();
        }
        self.gone.push(self.first);
        self.first += 1;
        self.blocks.pop_front().unwrap_or_default()
    }

    fn post(&mut self, batch: &mut Batch) {
        let Some(changed) = self.changed.take() else { return };
        for number in self.gone.drain(..) {
            batch.remove(&keys::block(number));
        }
        for (number, block) in (self.first..).zip(&self.blocks).filter(|(n, _)| *n >= changed) {
            batch.insert(&keys::block(number), pack(block));
        }
    }
}

fn pack(block: &[(u64, Place)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() * 20);
    for (key, place) in block {
        out.extend_from_slice(&key.to_be_bytes());
        let is_zstd = u64::from(place.compression == BodyCompression::Zstd);
        let numbers = [u64::from(place.number) << 1 | is_zstd, place.offset, place.len.into()];
        numbers.into_iter().for_each(|number| put_number(&mut out, number));
    }
    out
}

fn unpack(mut value: &[u8]) -> Option<Vec<(u64, Place)>> {
    let mut block = Vec::with_capacity(BLOCK);
    while let Some((key, rest)) = value.split_first_chunk() {
        let mut rest = Take(rest);
        let (number, offset, len) = (rest.number()?, rest.number()?, rest.number()?);
        let compression = match number & 1 {
            0 => BodyCompression::Gzip,
            _ => BodyCompression::Zstd,
        };
        let (number, len) = (u32::try_from(number >> 1).ok()?, u32::try_from(len).ok()?);
        block.push((u64::from_be_bytes(*key), Place { number, offset, len, compression }));
        value = rest.0;
    }
    value.is_empty().then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_survives_and_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(dir.path(), 1).unwrap();
        let known = Known::open(&db).unwrap();
        let pointer = |i: u64| BodyPointer {
            file: name_of(7, BodyCompression::Zstd),
            offset: i,
            len: 1,
            of: None,
        };
        let n = (MOST + 2 * BLOCK) as u64;
        for i in 0..n {
            known.add(i, &pointer(i));
            if i % 500 == 0 || i + 1 == n {
                let mut batch = Batch::default();
                known.post(&mut batch);
                db.commit(batch).unwrap();
            }
        }
        let again = Known::open(&db).unwrap();
        for known in [&known, &again] {
            assert_eq!(known.get(0), None);
            assert_eq!(known.get(n - 1), Some(pointer(n - 1)));
        }
        let len = |known: &Known| known.map.read().unwrap().len();
        assert!(len(&again) == len(&known) && len(&known) <= MOST);
        let mut batch = Batch::default();
        again.forget(&mut batch);
        db.commit(batch).unwrap();
        assert_eq!(len(&Known::open(&db).unwrap()), 0);
    }
}
