//! Answers about items: those that are stored, those that were dropped, and their fields.

use std::ops::ControlFlow;

use crawl_model::{DroppedItem, KindCounts};
use serde_json::{Value, json};

use super::condition::{Field, Row};
use super::filter::{Filter, Has};
use super::walk::Walk;
use super::{Emit, row_of};
use crate::commit::item_value;
use crate::runs::rate;
use crate::{Drift, Reader, StoreError};

/// An item with what is known of its page behind it.
struct OfPage<'a> {
    item: &'a Value,
    page: &'a Value,
}

impl Row for OfPage<'_> {
    fn field(&self, name: &str) -> Field<'_> {
        match self.item.field(name) {
            Field::Absent => self.page.field(name),
            field => field,
        }
    }
}

/// The stored items.
pub(super) fn items(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let has_conditions = !filter.query.fields.is_empty();
    let has_one = |print, page: &Value| {
        for item in reader.items(print) {
            if filter.judge(&OfPage { item: &item_value(&item?), page }) == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let walk = Walk {
        // An item's own `status` may be anything.
        may_be: &|settle| match settle.facts.n_items {
            0 => Some(false),
            _ if has_conditions => None,
            _ => Some(true),
        },
        is_it: &|print, json| {
            filter.picks.from(json).map_or(Ok(true), |page| has_one(print, &page))
        },
        ..Walk::all(reader, filter)
    };
    walk.run(&mut |print, record| {
        let is_needed = filter.query.with_page || has_conditions;
        let page = if is_needed { row_of(&record) } else { Value::Null };
        for item in reader.items(print) {
            let item = item_value(&item?);
            if filter.judge(&OfPage { item: &item, page: &page }) != Some(true) {
                continue;
            }
            let mut row = json!({"url": record.url, "n": record.n, "item": item});
            if filter.query.with_page {
                row["page"] = page.clone();
            }
            if emit(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
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
