//! Two crawls side by side: which pages and items are in one alone, and which differ in what.
//!
//! The two have different secrets, so their keys say nothing to each other: pages are matched by
//! their URLs (of several requests to one URL, the first with the first), items by a key if there
//! is one, else by page and place. What is to be matched is sorted on the disk and merged, so
//! memory does not grow with the crawls.

mod items;
mod pages;
mod side;

use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Reader, StoreError};

use side::Side;

/// What is compared, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// The fields that make an item the same item wherever it stands. Empty: those of the first
    /// `dedup` step that both crawls have, else none: items are matched by page and place.
    pub key: Vec<String>,
    /// Leaves the pages' own differences out.
    pub no_pages: bool,
    /// Leaves the items out.
    pub no_items: bool,
}

/// How often what was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// In both, alike.
    pub same: u64,
    /// In both, and not alike.
    pub changed: u64,
    /// In the second alone.
    pub added: u64,
    /// In the first alone.
    pub removed: u64,
}

impl Tally {
    /// Whether there is no difference.
    #[must_use]
    pub fn is_same(&self) -> bool {
        (self.changed, self.added, self.removed) == (0, 0, 0)
    }
}

/// What a comparison came to. As JSON the field names are stable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Of pages.
    pub pages: Tally,
    /// Of items.
    pub items: Tally,
    /// By which fields items were matched; empty: by page and place.
    pub key: Vec<String>,
}

impl Compared {
    /// Whether there is no difference.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.pages.is_same() && self.items.is_same()
    }
}

/// Compares `old` with `new`; each difference is a row (`kind`, `change`, `url`, and `fields` with
/// the two values of each that differs, or all of what is in one alone), until `row` breaks.
///
/// # Errors
/// [`StoreError`] if one of them cannot be read, or the rows not be sorted.
pub fn diff(
    old: &Reader,
    new: &Reader,
    options: &DiffOptions,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<Compared, StoreError> {
    let key = match options.key.is_empty() {
        true => common_key(old, new)?,
        false => options.key.clone(),
    };
    let mut compared = Compared { key, ..Compared::default() };
    let sides = [Side::new(old), Side::new(new)];
    if !options.no_pages && pages::diff(&sides, &mut compared.pages, row)?.is_break() {
        return Ok(compared);
    }
    if !options.no_items {
        let _ = items::diff(&sides, &compared.key, &mut compared.items, row)?;
    }
    Ok(compared)
}

/// The first key by which both crawls keep one item of each.
fn common_key(old: &Reader, new: &Reader) -> Result<Vec<String>, StoreError> {
    let [old, new] = [old, new].map(|reader| -> Result<Vec<Vec<String>>, StoreError> {
        let config = reader.stored_config()?;
        let keys = config.and_then(|config| config.pointer("/pipeline/dedup").cloned());
        Ok(keys.and_then(|keys| serde_json::from_value(keys).ok()).unwrap_or_default())
    });
    let (old, new) = (old?, new?);
    Ok(old.into_iter().find(|key| new.contains(key)).unwrap_or_default())
}

/// Fields that differ, each with its two values; what is not there is null.
fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let pair = |name: &String| {
        let of = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
        let (old, new) = (of(old), of(new));
        (old != new).then(|| (name.clone(), Value::Array(vec![old, new])))
    };
    names.filter_map(pair).collect()
}
