//! What stands before a page's items, decoded anew: of what kinds they are, what became of them;
//! and by which keys they are known.
//!
//! ```text
//! head  = CRC-32 (little-endian, over all behind it) n_items (n kind)* [(first_ms changed_ms changes)*]
//! k     = pieces: key (16 bytes) (0 | place on the page + 1)
//! K key = 0 | (place on the page + 1) content (8 bytes, big-endian) first_ms changed_ms changes
//! ```

use crawl_model::{ItemKeys, ItemKind, key_text};
use serde::Deserialize;
use serde_json::Value;

use super::bytes::{Bytes, be_u64};
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::pages::Broken;
use super::parts::{Gathered, pieces};
use super::told::Told;

/// Most items of a page: wild numbers are no list.
const MOST_ITEMS: u64 = 1 << 24;

/// A kind of items.
#[derive(Debug, Deserialize)]
pub(super) struct StoredKind {
    #[serde(rename = "spider")]
    _spider: String,
    #[serde(flatten)]
    pub(super) kind: ItemKind,
}

/// The kinds by number; 0 has no value in the database.
#[derive(Debug, Default)]
pub(super) struct Kinds(Vec<Option<StoredKind>>);

impl Kinds {
    /// Reads them, and tells of those that are missing or damaged. Shows each value to `seal`.
    pub(super) fn read(
        tree: &sled::Db,
        seal: &mut dyn FnMut(&[u8], &[u8]),
        told: &mut Told<'_>,
    ) -> Result<Self, Broken> {
        let mut kinds = vec![None];
        for entry in tree.scan_prefix(b"T") {
            let (key, json) = entry?;
            seal(&key, &json);
            let number = (key.len() == 5).then(|| [key[1], key[2], key[3], key[4]]);
            let number = number.map(|bytes| u32::from_be_bytes(bytes) as usize);
            let kind = serde_json::from_slice::<StoredKind>(&json).ok();
            if kind.is_none() || number != Some(kinds.len()) {
                told.unreadable(&key, "a kind of items, or the one before it is missing");
            }
            kinds.push(kind);
        }
        Ok(Self(kinds))
    }

    /// The name of a kind; `None` if there is no such kind.
    fn name(&self, number: u64) -> Option<&str> {
        match (number, self.get(number)) {
            (0, _) => Some("(other)"),
            (_, kind) => kind.map(|kind| &*kind.name),
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<&ItemKind> {
        let at = usize::try_from(number).ok()?;
        self.0.get(at)?.as_ref().map(|kind| &kind.kind)
    }
}

/// When an item was first seen, when it last changed, and how often.
pub(super) type Life = [u64; 3];

/// The items of a page.
#[derive(Debug, Default)]
pub(super) struct Shelf<'a> {
    pub(super) texts: Vec<&'a [u8]>,
    /// Of each item the number of its kind.
    kinds: Vec<u64>,
    lives: Vec<Life>,
    /// When the page was asked for.
    fetched_ms: u64,
}

impl<'a> Shelf<'a> {
    /// Takes it apart; the error says what is wrong.
    pub(super) fn read(items: &'a Gathered, fetched_ms: u64) -> Result<Self, &'static str> {
        let mut texts = pieces(items).ok_or("a part of its items is missing or cut")?;
        if texts.is_empty() {
            return Err("nothing stands before its items");
        }
        let head = texts.remove(0);
        let mut behind = Bytes(&items.bytes);
        let _ = (behind.number(), behind.take(4));
        if head.get(..4) != Some(&crc32fast::hash(behind.0).to_le_bytes()[..]) {
            return Err("its items are not those that were written");
        }
        let shelf = Self { texts, fetched_ms, ..Self::default() };
        shelf.with(Bytes(&head[4..])).ok_or("what stands before its items does not decode")
    }

    fn with(mut self, mut head: Bytes<'_>) -> Option<Self> {
        let n = head.number().filter(|n| *n == self.texts.len() as u64 && *n <= MOST_ITEMS)?;
        while (self.kinds.len() as u64) < n {
            let (run, kind) = (head.number()?, head.number()?);
            let rest = n - self.kinds.len() as u64;
            let run = usize::try_from(run).ok().filter(|_| run > 0 && run <= rest)?;
            self.kinds.resize(self.kinds.len() + run, kind);
        }
        while !head.is_empty() {
            let life = [head.number()?, head.number()?, head.number()?];
            // It changed after it was seen first, or never.
            let [first_ms, changed_ms, changes] = life;
            let is_right = (changed_ms == 0) == (changes == 0);
            if !is_right || (changes > 0 && changed_ms < first_ms) {
                return None;
            }
            self.lives.push(life);
        }
        (self.lives.is_empty() || self.lives.len() as u64 == n).then_some(self)
    }

    /// The name of an item's kind; `None` if there is no such kind.
    pub(super) fn kind_name<'k>(&self, at: usize, kinds: &'k Kinds) -> Option<&'k str> {
        kinds.name(*self.kinds.get(at)?)
    }

    fn life(&self, at: usize) -> Life {
        self.lives.get(at).copied().unwrap_or([self.fetched_ms, 0, 0])
    }
}

/// A key of a page's items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed {
    pub(super) key: [u8; 16],
    /// The item's place, one more than it is; 0: the key only keeps others out.
    pub(super) place: u64,
    content: u64,
    life: Life,
}

/// A row of key, page, and what the index has to say of it.
pub(super) const ROW: usize = 64;

impl Keyed {
    pub(super) fn row(&self, print: u64) -> [u8; ROW] {
        let mut row = [0; ROW];
        row[..16].copy_from_slice(&self.key);
        let [first, changed, changes] = self.life;
        let numbers = [print, self.place, self.content, first, changed, changes];
        for (place, number) in row[16..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        row
    }

    /// What the index has under the key of a row.
    pub(super) fn value_of(row: &[u8; ROW]) -> Vec<u8> {
        let number = |at: usize| be_u64(row, at).unwrap_or_default();
        match number(24) {
            0 => vec![0],
            place => {
                let lives = [number(40), number(48), number(56)];
                [&encode(&[place])[..], &row[32..40], &encode(&lives)].concat()
            }
        }
    }
}

/// The keys of a page's items; the error says what is wrong.
pub(super) fn keyed(
    listed: &Gathered,
    shelf: &Shelf<'_>,
    keys: ItemKeys,
    kinds: &Kinds,
) -> Result<Vec<Keyed>, &'static str> {
    let cut = "a part of its item keys is missing or cut";
    let mut all = Vec::new();
    for piece in pieces(listed).ok_or(cut)? {
        let (key, rest) = piece.split_first_chunk::<16>().ok_or(cut)?;
        let mut rest = Bytes(rest);
        let place = rest.number().filter(|_| rest.is_empty()).ok_or(cut)?;
        let mut keyed = Keyed { key: *key, place, content: 0, life: [0; 3] };
        if let Some(at) = place.checked_sub(1) {
            let at = usize::try_from(at).map_err(|_| cut)?;
            let text = shelf.texts.get(at).ok_or("an item key is of an item that is not there")?;
            let item: Value = serde_json::from_slice(text).map_err(|_| cut)?;
            if !is_of(*key, &item, shelf.kinds.get(at).and_then(|n| kinds.get(*n)), keys) {
                return Err("an item key is not that of its item");
            }
            (keyed.content, keyed.life) = (keys.content(item), shelf.life(at));
        }
        all.push(keyed);
    }
    Ok(all)
}

/// Whether an item has this key. What a `dedup` step saw of it may not be there any more.
fn is_of(key: [u8; 16], item: &Value, kind: Option<&ItemKind>, keys: ItemKeys) -> bool {
    let is_own = |kind: &&ItemKind| kind.space.is_empty() && !kind.key.is_empty();
    let Some(kind) = kind.filter(is_own) else { return true };
    let values: Vec<Value> = kind.key.iter().map(|name| field(item, name)).collect();
    keys.key(&kind.key_space(), &key_text(&values)).0 == key
}

/// A field by its name, or by names with dots between; null if there is none.
fn field(item: &Value, name: &str) -> Value {
    let inner = || {
        name.split('.').try_fold(item, |value, part| match value {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?),
            value => value.get(part),
        })
    };
    item.get(name).or_else(inner).cloned().unwrap_or_default()
}

/// Checks the items that are gone: each decodes, is of a kind that there is, and stands nowhere.
pub(super) fn gone(
    tree: &sled::Db,
    kinds: &Kinds,
    seal: &mut dyn FnMut(&[u8], &[u8]),
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    for entry in tree.scan_prefix(b"G") {
        let (key, value) = entry?;
        seal(&key, &value);
        let mut bytes = Bytes(&value);
        let is_good = key.len() == 17
            && bytes.take(16).is_some()
            && bytes.number().is_some_and(|kind| kinds.name(kind).is_some())
            && (0..4).all(|_| bytes.number().is_some())
            && bytes.number().is_some_and(|len| len >= bytes.0.len() as u64)
            && std::str::from_utf8(bytes.0).is_ok();
        if !is_good {
            told.unreadable(&key, "an item that is gone");
            told.fixes.put(key.to_vec(), None);
            continue;
        }
        let places = [b"K", &key[1..]].concat();
        if let Some(place) = tree.scan_prefix(places).next() {
            place?;
            let what = "it is gone, and it stands on a page";
            told.tell(Finding::new(Kind::ItemKeyDiffers, what).under(&key));
            told.fixes.put(key.to_vec(), None);
            told.fixes.item_keys = true;
        }
    }
    Ok(())
}
