//! Answers about items that are not in the store any more, or were never.

use std::ops::ControlFlow;

use crawl_model::{DroppedItem, KindCounts};
use serde_json::{Value, json};

use super::{Emit, Filter, each_page};
use crate::commit::item_value;
use crate::runs::rate;
use crate::{Drift, Reader, StoreError};

/// Dropped items with step and reason; of a duplicate also where the first is.
pub(super) fn dropped(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    each_page(reader, filter, |print, record| {
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
    let query = filter.query;
    if query.status.is_some()
        || query.verdict.is_some()
        || query.host.is_some()
        || filter.url.is_some()
    {
        let what = "fields are those of all items: they have no URL, host, status or verdict";
        return Err(StoreError::Query { what: what.to_owned() });
    }
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
