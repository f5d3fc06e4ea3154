//! Pages, matched by URL and label.

use std::ops::ControlFlow;

use crawl_model::PageRecord;
use serde_json::{Map, Value, json};

use super::side::{Row, Rows, Side, cannot_sort, hash};
use super::{Tally, differences};
use crate::StoreError;
use crate::sort::Sorter;

/// Fields of a record that say what a page is. When and by whom it was asked differs always.
const FIELDS: &[&str] = &[
    "verdict",
    "status",
    "label",
    "content_type",
    "bytes",
    "digest",
    "title",
    "n_links",
    "n_items",
    "truncated",
    "redirect",
    "error",
];

type Show<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

pub(super) fn diff(
    sides: &[Side<'_>; 2],
    tally: &mut Tally,
    show: Show<'_>,
) -> Result<ControlFlow<()>, StoreError> {
    let [mut old, mut new] = [rows(&sides[0])?, rows(&sides[1])?];
    while let Some(next) = old.hash().into_iter().chain(new.hash()).min() {
        let both = [records(&sides[0], old.take(next)?)?, records(&sides[1], new.take(next)?)?];
        if group(both, tally, show).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn rows(side: &Side<'_>) -> Result<Rows, StoreError> {
    let mut sorter = Sorter::new();
    for page in side.reader.pages()? {
        let (print, record) = page?;
        let row = Row { hash: hash(record.url.as_str()), n: record.n, print, index: 0 };
        sorter.push(row.encode()).map_err(cannot_sort)?;
    }
    Rows::of(sorter)
}

fn records(side: &Side<'_>, rows: Vec<Row>) -> Result<Vec<PageRecord>, StoreError> {
    rows.into_iter().map(|row| side.record(row.print)).collect()
}

/// Matches the few pages whose URLs have one hash.
fn group(
    [old, mut new]: [Vec<PageRecord>; 2],
    tally: &mut Tally,
    show: Show<'_>,
) -> ControlFlow<()> {
    for before in old {
        // Of several requests to one URL that with the same label, or else the first.
        let is_alike = |now: &&PageRecord| now.url.as_str() == before.url.as_str();
        let same_label = new.iter().position(|now| is_alike(&now) && now.label == before.label);
        let at = same_label.or_else(|| new.iter().position(|now| is_alike(&now)));
        match at.map(|at| new.remove(at)) {
            None => {
                tally.removed += 1;
                show(alone(&before, "removed"))?;
            }
            Some(now) => {
                let fields = differences(&shown(&before), &shown(&now));
                if fields.is_empty() {
                    tally.same += 1;
                    continue;
                }
                tally.changed += 1;
                let url = &before.url;
                show(json!({"kind": "page", "change": "changed", "url": url, "fields": fields}))?;
            }
        }
    }
    for now in new {
        tally.added += 1;
        show(alone(&now, "added"))?;
    }
    ControlFlow::Continue(())
}

fn alone(record: &PageRecord, change: &str) -> Value {
    json!({"kind": "page", "change": change, "url": record.url, "fields": shown(record)})
}

fn shown(record: &PageRecord) -> Map<String, Value> {
    let Ok(Value::Object(mut record)) = serde_json::to_value(record) else { return Map::new() };
    let field = |name: &&str| Some(((*name).to_owned(), record.remove(*name)?));
    FIELDS.iter().filter_map(field).collect()
}
