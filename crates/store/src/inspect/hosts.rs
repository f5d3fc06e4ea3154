//! Answers that are sums: by host and by time.

use std::collections::BTreeMap;

use serde_json::json;

use super::filter::{Filter, Has};
use super::{Emit, row_of};
use crate::codec::RawSettle;
use crate::{Reader, StoreError};

pub(super) fn hosts(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let what = "hosts have no status and no verdict: ask for `pages` or `urls`";
    filter.refuse(Has { url: true, answer: false }, what)?;
    let of_url = filter.url.as_ref().map(|url| url.host_str());
    for host in reader.hosts()? {
        let takes = filter.has_host(&host.host) && of_url.is_none_or(|of| of == host.host);
        let row = row_of(&host);
        if takes && filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// Spans that people count in, in seconds.
const SPANS: [u64; 13] =
    [1, 5, 15, 60, 300, 900, 3600, 6 * 3600, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];
const DAY: u64 = 24 * 3600;
/// Most rows, as long as there is a longer span.
const MOST_ROWS: u64 = 120;

#[derive(Default)]
struct Sums {
    settled: u64,
    pages: u64,
    bytes: u64,
    items: u64,
    elapsed_ms: u64,
}

/// Each settle counts when it happened, those of pages that have been fetched anew since, too.
pub(super) fn timeline(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let what = "a timeline is of many pages: it has no URL";
    if filter.url.is_some() {
        return Err(StoreError::Query { what: what.to_owned() });
    }
    let (mut first, mut last) = (u64::MAX, 0);
    each(reader, filter, |settle| {
        first = first.min(settle.ending.at_ms);
        last = last.max(settle.ending.at_ms);
    })?;
    let seconds = (last.saturating_sub(first)) / 1000;
    let span = SPANS.into_iter().find(|span| seconds / span < MOST_ROWS);
    let span = span.unwrap_or(SPANS[SPANS.len() - 1]);
    let mut rows = BTreeMap::<u64, Sums>::new();
    each(reader, filter, |settle| {
        let sums = rows.entry(settle.ending.at_ms / 1000 / span).or_default();
        sums.settled += 1;
        sums.pages += u64::from(settle.verdict.is_page());
        sums.bytes += settle.facts.bytes;
        sums.items += u64::from(settle.facts.n_items);
        sums.elapsed_ms += settle.facts.elapsed_ms;
    })?;
    for (at, sums) in rows {
        let row = json!({
            "from_ms": at * span * 1000,
            "seconds": span,
            "settled": sums.settled,
            "pages": sums.pages,
            "pages_per_second": round(sums.pages as f64 / span as f64),
            "items": sums.items,
            "bytes": sums.bytes,
            "mean_elapsed_ms": sums.elapsed_ms / sums.settled.max(1),
        });
        if emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// With one digit.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Walks over the settles that the filter takes.
fn each(
    reader: &Reader,
    filter: &Filter<'_>,
    mut each: impl FnMut(&RawSettle<'_>),
) -> Result<(), StoreError> {
    let mut log = filter.settles_from(reader, 1)?;
    while let Some(settle) = log.next_settle()? {
        let holds = filter.judge(&settle).ok_or_else(|| {
            let what = "a timeline knows of pages: n, host, verdict, status, bytes, content_type, \
                        n_items, elapsed_ms, url, title, label and error"
                .to_owned();
            StoreError::Query { what }
        })?;
        if filter.may_take(&settle) && holds {
            each(&settle);
        }
    }
    Ok(())
}
