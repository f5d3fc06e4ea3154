//! Which fields the items of the run under way have: the writer's sums, kept up with each commit.
//!
//! They stand in the same batch as the items they are of, so after a kill they are those of what
//! is stored. When a run has ended by itself they are closed (see [`runs`](crate::runs)) and the
//! next run begins at zero.

use std::collections::BTreeSet;

use crawl_model::{FieldCounts, KindCounts, PageRecord};

use crate::database::{Database, encode_numbers, numbers};
use crate::items::{KindTable, Shelf};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Kinds of items, and fields of one kind, that are told apart; what comes after is counted as
/// `(other)`.
const MAX_KINDS: usize = 100;
const MAX_FIELDS: usize = 500;
const OTHER: &str = "(other)";

/// Where the run's begin lies: see [`Begun`].
const BEGUN: &str = "run";

/// How far a run has got, its fields aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    /// Pages that settled in it.
    pub(crate) pages: u64,
    /// The last settle number before it.
    pub(crate) after: u64,
}

impl Begun {
    pub(crate) fn read(db: &Database) -> Result<Self, StoreError> {
        let Some(value) = db.meta(BEGUN)? else { return Ok(Self::default()) };
        let [pages, after] = numbers(&value).ok_or_else(|| StoreError::corrupt(BEGUN))?;
        Ok(Self { pages, after })
    }

    pub(crate) fn put(self, batch: &mut Batch) {
        batch.insert(keys::meta(BEGUN), encode_numbers([self.pages, self.after]));
    }
}

#[derive(Debug)]
pub(crate) struct Tally {
    fields: FieldCounts,
    begun: Begun,
    changed: BTreeSet<Box<str>>,
    has_pages: bool,
}

impl Tally {
    pub(crate) fn open(db: &Database) -> Result<Self, StoreError> {
        let (fields, begun) = (read(db)?, Begun::read(db)?);
        Ok(Self { fields, begun, changed: BTreeSet::new(), has_pages: false })
    }

    /// Counts a page of the run.
    pub(crate) fn add_page(&mut self) {
        self.begun.pages += 1;
        self.has_pages = true;
    }

    /// Counts the items of a page.
    pub(crate) fn add(&mut self, fields: &FieldCounts) {
        for (kind, counts) in &fields.kinds {
            let kinds = &mut self.fields.kinds;
            let is_full = kinds.len() >= MAX_KINDS && !kinds.contains_key(kind);
            let kind = if is_full { OTHER } else { kind };
            let sums = kinds.entry(kind.into()).or_default();
            sums.items += counts.items;
            for (field, n) in &counts.fields {
                let is_full = sums.fields.len() >= MAX_FIELDS && !sums.fields.contains_key(field);
                let field = if is_full { OTHER } else { field };
                match sums.fields.get_mut(field) {
                    Some(sum) => *sum += n,
                    None => drop(sums.fields.insert(field.into(), *n)),
                }
            }
            if !self.changed.contains(kind) {
                self.changed.insert(kind.into());
            }
        }
    }

    /// Takes the items of a page's earlier copy back, unless they are of an earlier run.
    pub(crate) fn take_back(
        &mut self,
        kinds: &KindTable,
        old: &PageRecord,
        shelf: &Shelf,
    ) -> Result<(), StoreError> {
        if old.n <= self.begun.after {
            return Ok(());
        }
        for (at, json) in shelf.items.iter().enumerate() {
            let kind = kinds.get(shelf.kind(at))?;
            let kind = &*kind.kind.name;
            let kind = if self.fields.kinds.contains_key(kind) { kind } else { OTHER };
            self.fields.remove(kind, json);
            self.changed.insert(kind.into());
        }
        Ok(())
    }

    /// Writes the sums that have changed.
    pub(crate) fn post(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.has_pages) {
            self.begun.put(batch);
        }
        for kind in std::mem::take(&mut self.changed) {
            let Some(counts) = self.fields.kinds.get(&kind) else { continue };
            let json = serde_json::to_vec(counts).expect("strings and numbers serialise");
            batch.insert(keys::fields(&kind), json);
        }
    }
}

/// The sums in the database.
pub(crate) fn read(db: &Database) -> Result<FieldCounts, StoreError> {
    let mut fields = FieldCounts::default();
    for entry in db.prefix(&[keys::FIELDS]) {
        let (key, json) = entry?;
        let corrupt = || StoreError::corrupt("field counts");
        let kind = std::str::from_utf8(&key[1..]).map_err(|_| corrupt())?;
        let counts: KindCounts = serde_json::from_slice(&json).map_err(|_| corrupt())?;
        fields.kinds.insert(kind.into(), counts);
    }
    Ok(fields)
}
