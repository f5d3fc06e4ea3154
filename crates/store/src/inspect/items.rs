//! Answers about items: those that are stored, by key and all of them, those that are gone, those
//! that were dropped, and their fields.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crawl_model::{DroppedItem, Fingerprint, ItemKeys, ItemKind, KindCounts, PageRecord, key_text};
use serde_json::{Value, json};

use super::condition::{Field, Row};
use super::filter::{Filter, Has};
use super::walk::Walk;
use super::{Emit, row_of};
use crate::commit::item_value;
use crate::items::{Gone, places_of, provenance};
use crate::runs::rate;
use crate::{Drift, Provenance, Reader, StoreError, StoredItem};

/// An item with what is known of it behind it, and of its page behind that.
struct OfPage<'a> {
    item: &'a Value,
    provenance: &'a Value,
    page: &'a Value,
}

impl Row for OfPage<'_> {
    fn field(&self, name: &str) -> Field<'_> {
        let rows = [self.item, self.provenance, self.page];
        let fields = rows.into_iter().map(|row| row.field(name));
        let is_there = |field: &Field<'_>| !matches!(field, Field::Absent);
        fields.into_iter().find(is_there).unwrap_or(Field::Absent)
    }
}

/// Items on their way to who asked.
struct Items<'a, 'f> {
    reader: &'a Reader,
    filter: &'a Filter<'f>,
    emit: Emit<'a>,
    /// Whether those that are shown now are gone.
    are_gone: bool,
}

impl<'a, 'f> Items<'a, 'f> {
    fn new(reader: &'a Reader, filter: &'a Filter<'f>, emit: Emit<'a>) -> Self {
        Self { reader, filter, emit, are_gone: false }
    }

    /// Shows those of a page for whose places `is_wanted` holds.
    fn of_page(
        &mut self,
        print: Fingerprint,
        record: &PageRecord,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<ControlFlow<()>, StoreError> {
        let query = self.filter.query;
        let is_needed = query.with_page || !query.fields.is_empty();
        let page = if is_needed { row_of(record) } else { Value::Null };
        for (at, item) in self.reader.stored_items(print, record).enumerate() {
            let StoredItem { json, provenance } = item?;
            if is_wanted(at) && self.show(&item_value(&json), &provenance, record, &page).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn show(
        &mut self,
        item: &Value,
        provenance: &Provenance,
        record: &PageRecord,
        page: &Value,
    ) -> ControlFlow<()> {
        let provenance = row_of(provenance);
        let row = OfPage { item, provenance: &provenance, page };
        let query = self.filter.query;
        if !query.fields.iter().all(|condition| condition.judge(&row) == Some(true)) {
            return ControlFlow::Continue(());
        }
        let mut row = json!({"url": record.url, "n": record.n});
        if let (Value::Object(row), Value::Object(provenance)) = (&mut row, provenance) {
            row.extend(provenance);
        }
        if self.are_gone {
            row["gone"] = true.into();
        }
        row["item"] = item.clone();
        if query.with_page {
            row["page"] = page.clone();
        }
        (self.emit)(row)
    }

    /// Shows an item that is gone, with the page that it was last seen on.
    fn gone(&mut self, gone: &Gone) -> Result<ControlFlow<()>, StoreError> {
        let Some(record) = self.reader.page(gone.print)? else {
            return Ok(ControlFlow::Continue(()));
        };
        if !self.filter.takes(&record) {
            return Ok(ControlFlow::Continue(()));
        }
        let kinds = &self.reader.shared().kinds;
        let known = provenance(kinds, gone.kind, gone.life, gone.seen_ms)?;
        let is_whole = gone.len == gone.text.len() as u64;
        let item = if is_whole { item_value(&gone.text) } else { (*gone.text).into() };
        self.are_gone = true;
        let shown = self.show(&item, &known, &record, &row_of(&record));
        self.are_gone = false;
        Ok(shown)
    }
}

/// The stored items.
pub(super) fn items(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let has_conditions = !filter.query.fields.is_empty();
    // What only the whole record tells of an item is not looked at more closely.
    let is_told = |name: &&str| Provenance::FIELDS.contains(name);
    let is_known =
        !filter.query.fields.iter().any(|condition| condition.fields().iter().any(is_told));
    let has_one = |print, page: &Value| {
        for item in reader.items(print) {
            let item = item_value(&item?);
            let row = OfPage { item: &item, provenance: &Value::Null, page };
            if filter.judge(&row) == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let walk = Walk {
        // An item's own `status` may be anything.
        may_be: &|settle| match settle.facts.n_items {
            0 => Some(false),
            _ if has_conditions && is_known => None,
            _ => Some(true),
        },
        is_it: &|print, json| {
            filter.picks.from(json).map_or(Ok(true), |page| has_one(print, &page))
        },
        ..Walk::all(reader, filter)
    };
    let mut items = Items::new(reader, filter, emit);
    walk.run(&mut |print, record| items.of_page(print, &record, |_| true))
}

/// Items that have a key and stood somewhere, and do not any more.
pub(super) fn gone(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    let mut items = Items::new(reader, filter, emit);
    for gone in Gone::all(&reader.shared().db) {
        if items.gone(&gone?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The items whose key has these values, those that are gone among them: of each kind whose key has
/// as many fields.
pub(super) fn keyed(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let query = filter.query;
    let kinds = reader.shared().kinds.all();
    let keyed = kinds.iter().map(|kind| &kind.kind).filter(|kind| !kind.key.is_empty());
    let fits = keyed.clone().filter(|kind| kind.key.len() == query.key.len());
    let spaces: BTreeSet<_> = fits.map(ItemKind::key_space).collect();
    if spaces.is_empty() {
        let keys: BTreeSet<_> = keyed.map(|kind| format!("`{}`", kind.key.join(", "))).collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let what = match keys.is_empty() {
            true => "no item has a key: mark a field with `#[item(key)]`, or name one by `key` in \
                     `[[spider.items]]` or `dedup` in `[[pipeline]]`"
                .to_owned(),
            false => {
                format!("the keys of this crawl are {}: give each a value", keys.join(" and "))
            }
        };
        return Err(StoreError::Query { what });
    }
    let keys = ItemKeys::new(reader.identity().secret);
    let texts = key_texts(&query.key);
    let mut items = Items::new(reader, filter, emit);
    let all = spaces.iter().flat_map(|space| texts.iter().map(move |text| (space, text)));
    for key in all.map(|(space, text)| keys.key(space, text)) {
        if let Some(gone) = Gone::of(&reader.shared().db, key)?
            && items.gone(&gone)?.is_break()
        {
            return Ok(());
        }
        for place in places_of(&reader.shared().db, key)? {
            let (Some(known), Some(record)) = (place.item, reader.page(place.print)?) else {
                continue;
            };
            let is_it = |at| at == known.index as usize;
            if filter.takes(&record) && items.of_page(place.print, &record, is_it)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Most fields of a key of which each may be a text or something else.
const MOST_TRIED: usize = 8;

/// What a key may look like of which people write the values: `4711` is a text or a number.
fn key_texts(values: &[String]) -> Vec<String> {
    let mut all: Vec<Vec<Value>> = vec![Vec::new()];
    for (at, text) in values.iter().enumerate() {
        let other = serde_json::from_str::<Value>(text).ok();
        let other = other.filter(|value| !value.is_object() && !value.is_array());
        let other = other.filter(|_| at < MOST_TRIED);
        let values: Vec<_> = other.into_iter().chain([text.as_str().into()]).collect();
        let with =
            |key: &Vec<Value>, value: &Value| [&key[..], std::slice::from_ref(value)].concat();
        all = all.iter().flat_map(|key| values.iter().map(move |value| with(key, value))).collect();
    }
    all.iter().map(key_text).collect()
}

/// Dropped items with step and reason; of a duplicate also where the first is.
pub(super) fn dropped(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    Walk::all(reader, filter).run(&mut |print, record| {
        for dropped in reader.dropped(print) {
            let DroppedItem { step, reason, detail, first, item, bytes } = dropped?;
            let is_whole = bytes == item.len() as u64;
            let value = if is_whole { item_value(&item) } else { (*item).into() };
            let mut row = json!({"url": record.url, "n": record.n, "step": step, "reason": reason});
            if !detail.is_empty() {
                row["detail"] = (*detail).into();
            }
            if let Some(first) = first.map(|first| reader.page(first)).transpose()?.flatten() {
                row["first"] = first.url.as_str().into();
            }
            if !is_whole {
                row["cut_from_bytes"] = bytes.into();
            }
            row["item"] = value;
            if filter.has_fields(&row) && emit(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// A row per field of each kind of items, with the share of items in which it is filled.
pub(super) fn fields(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let what = "fields are those of all items: they have no URL, host, status or verdict";
    filter.refuse(Has { url: false, answer: false }, what)?;
    let runs = reader.last_runs()?;
    let drifts = runs.drifts();
    let before = runs.before.unwrap_or_default().fields.kinds;
    let now = runs.run.fields.kinds;
    let nothing = KindCounts::default();
    for kind in now.keys().chain(before.keys().filter(|kind| !now.contains_key(*kind))) {
        let now = now.get(kind).unwrap_or(&nothing);
        let then = before.get(kind).unwrap_or(&nothing);
        let gone = then.fields.keys().filter(|field| !now.fields.contains_key(*field));
        for field in now.fields.keys().chain(gone) {
            let filled = now.fields.get(field).copied().unwrap_or(0);
            let mut row = json!({
                "kind": kind,
                "field": field,
                "items": now.items,
                "filled": filled,
                "rate": percent(rate(filled, now.items)),
            });
            if then.items > 0 {
                let filled = then.fields.get(field).copied().unwrap_or(0);
                row["rate_before"] = percent(rate(filled, then.items));
                let is_it = |drift: &Drift| {
                    *drift.kind == **kind && drift.field.as_ref().is_none_or(|f| **f == **field)
                };
                row["drifts"] = drifts.iter().any(is_it).into();
            }
            if filter.has_fields(&row) && emit(row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A share in percent, with one digit.
fn percent(share: f64) -> Value {
    ((share * 1000.0).round() / 10.0).into()
}
