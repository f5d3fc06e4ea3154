//! Items that were dropped: how many for which reason, and what of them is kept.
//!
//! All are counted. Kept are they for people who ask why, so only up to a limit over all
//! pages: beyond it they are counted alone, and so is that. Each page has its own list, which
//! goes when the page is settled anew, so the sums are always those of what stands in the store.

use std::collections::{BTreeMap, BTreeSet};

use crawl_model::{DroppedItem, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::database::{Database, encode_numbers, numbers};
use crate::packed::{self, Pieces};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Steps and reasons that are told apart, over all and of one page; what comes after is counted
/// as `(other)`.
const MAX_REASONS: usize = 500;
const MAX_REASONS_OF_PAGE: usize = 50;
const OTHER: &str = "(other)";

/// Where the sums of what is kept lie.
const META: &str = "dropped";

/// How many items were dropped, and how many of these can still be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DropCounts {
    /// By step, then by reason.
    pub by_step: BTreeMap<String, BTreeMap<String, u64>>,
    /// Dropped items that were not kept, because the limit was reached.
    pub left_out: u64,
    /// Bytes of those that were.
    pub kept_bytes: u64,
}

impl DropCounts {
    /// How many were dropped in all.
    #[must_use]
    pub fn n_dropped(&self) -> u64 {
        self.by_step.values().flat_map(BTreeMap::values).sum()
    }

    /// The same by `step: reason`.
    #[must_use]
    pub fn by_reason(&self) -> BTreeMap<String, u64> {
        let of_step = |(step, reasons): (&String, &BTreeMap<String, u64>)| {
            reasons.iter().map(|(r, n)| (format!("{step}: {r}"), *n)).collect::<Vec<_>>()
        };
        self.by_step.iter().flat_map(of_step).collect()
    }

    pub(crate) fn read(db: &Database) -> Result<Self, StoreError> {
        let mut counts = Self::default();
        for entry in db.prefix(&[keys::DROPS]) {
            let (key, value) = entry?;
            let corrupt = || StoreError::corrupt("count of dropped items");
            let (step, reason) = keys::drops_of(&key).ok_or_else(corrupt)?;
            let [n] = numbers(&value).ok_or_else(corrupt)?;
            if n > 0 {
                counts.by_step.entry(step.to_owned()).or_default().insert(reason.to_owned(), n);
            }
        }
        if let Some(value) = db.meta(META)? {
            let sums = numbers(&value).ok_or_else(|| StoreError::corrupt(META))?;
            [counts.kept_bytes, counts.left_out] = sums;
        }
        Ok(counts)
    }
}

/// The writer's sums.
#[derive(Debug)]
pub(crate) struct Drops {
    counts: BTreeMap<(Box<str>, Box<str>), u64>,
    changed: BTreeSet<(Box<str>, Box<str>)>,
    kept_bytes: u64,
    left_out: u64,
    max_bytes: u64,
}

/// What stands at the head of a page's list.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Head {
    /// Step, reason, number.
    counts: Vec<(Box<str>, Box<str>, u64)>,
    left_out: u64,
    kept_bytes: u64,
}

impl Drops {
    pub(crate) fn open(db: &Database, max_bytes: u64) -> Result<Self, StoreError> {
        let DropCounts { by_step, left_out, kept_bytes } = DropCounts::read(db)?;
        let counts = by_step.into_iter().flat_map(|(step, reasons)| {
            let key = move |reason: String| (step.as_str().into(), reason.into());
            reasons.into_iter().map(move |(reason, n)| (key(reason), n))
        });
        let (counts, changed) = (counts.collect(), BTreeSet::new());
        Ok(Self { counts, changed, kept_bytes, left_out, max_bytes })
    }

    /// Adds a page's dropped items to a commit, in the place of those of an earlier copy.
    pub(crate) fn put(
        &mut self,
        db: &Database,
        batch: &mut Batch,
        print: Fingerprint,
        dropped: &[DroppedItem],
        was_there: bool,
    ) -> Result<(), StoreError> {
        if was_there {
            self.take_back(db, print)?;
        }
        let mut n_parts = 0;
        if !dropped.is_empty() {
            let pieces = self.add(dropped);
            let pieces = pieces.iter().map(Vec::as_slice);
            n_parts = packed::put(batch, keys::DROPPED, print, pieces);
        }
        if was_there {
            packed::remove_surplus(db, batch, keys::DROPPED, print, n_parts)?;
        }
        Ok(())
    }

    /// Writes the sums that have changed.
    pub(crate) fn post(&mut self, batch: &mut Batch) {
        if self.changed.is_empty() {
            return;
        }
        for (step, reason) in std::mem::take(&mut self.changed) {
            let key = keys::drops(&step, &reason);
            match self.counts.get(&(step, reason)) {
                Some(n) if *n > 0 => batch.insert(key, encode_numbers([*n])),
                _ => batch.remove(key),
            }
        }
        batch.insert(keys::meta(META), encode_numbers([self.kept_bytes, self.left_out]));
    }

    /// Counts a page's dropped items; gives its list.
    fn add(&mut self, dropped: &[DroppedItem]) -> Vec<Vec<u8>> {
        let mut head = Head::default();
        let mut pieces = vec![Vec::new()];
        for item in dropped {
            head.count(item);
            let json = serde_json::to_vec(item).expect("strings and numbers serialise");
            let n_bytes = json.len() as u64;
            if self.kept_bytes.saturating_add(n_bytes) > self.max_bytes {
                head.left_out += 1;
                continue;
            }
            self.kept_bytes += n_bytes;
            head.kept_bytes += n_bytes;
            pieces.push(json);
        }
        self.left_out += head.left_out;
        for (step, reason, n) in &mut head.counts {
            let is_new = !self.counts.contains_key(&(step.clone(), reason.clone()));
            if is_new && self.counts.len() >= MAX_REASONS {
                // As it is counted it will be taken back.
                (*step, *reason) = (OTHER.into(), OTHER.into());
            }
            let key = (step.clone(), reason.clone());
            *self.counts.entry(key.clone()).or_default() += *n;
            self.changed.insert(key);
        }
        pieces[0] = serde_json::to_vec(&head).expect("strings and numbers serialise");
        pieces
    }

    /// Takes what an earlier copy of the page had out of the sums.
    fn take_back(&mut self, db: &Database, print: Fingerprint) -> Result<(), StoreError> {
        let Some(head) = pieces(db, print).next() else { return Ok(()) };
        let Head { counts, left_out, kept_bytes } = read(&head?)?;
        for (step, reason, n) in counts {
            let key = (step, reason);
            if let Some(count) = self.counts.get_mut(&key) {
                *count = count.saturating_sub(n);
            }
            self.changed.insert(key);
        }
        self.left_out = self.left_out.saturating_sub(left_out);
        self.kept_bytes = self.kept_bytes.saturating_sub(kept_bytes);
        Ok(())
    }
}

impl Head {
    fn count(&mut self, item: &DroppedItem) {
        // A NUL in a name would end it in a key.
        let clean = |text: &str| text.replace('\0', " ").into_boxed_str();
        let (step, reason) = (clean(&item.step), clean(&item.reason));
        let has = |(s, r, _): &&mut (Box<str>, Box<str>, u64)| *s == step && *r == reason;
        if let Some((.., n)) = self.counts.iter_mut().find(has) {
            *n += 1;
        } else if self.counts.len() < MAX_REASONS_OF_PAGE {
            self.counts.push((step, reason, 1));
        } else if let Some((.., n)) = self.counts.iter_mut().find(|(s, ..)| &**s == OTHER) {
            *n += 1;
        } else {
            self.counts.push((OTHER.into(), OTHER.into(), 1));
        }
    }
}

/// The dropped items of a page that were kept, in order.
pub(crate) fn of_page(
    db: &Database,
    print: Fingerprint,
) -> impl Iterator<Item = Result<DroppedItem, StoreError>> + use<> {
    pieces(db, print).skip(1).map(|piece| read(&piece?))
}

fn pieces(db: &Database, print: Fingerprint) -> Pieces {
    Pieces::of(db, keys::DROPPED, print, "dropped items")
}

fn read<T: for<'de> Deserialize<'de>>(json: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json).map_err(|e| StoreError::corrupt(format!("dropped item ({e})")))
}
