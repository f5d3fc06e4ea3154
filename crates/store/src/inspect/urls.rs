//! Answers about URLs, whether they have settled or not.

use serde_json::json;

use super::filter::{Filter, Has};
use super::{Emit, row_of};
use crate::fold::{Part, SameUrl};
use crate::{Reader, StoreError, UrlRow};

pub(super) fn urls(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    for row in reader.part_of_urls(filter.url.as_ref().map_or(Part::All, Part::Of))? {
        let row = row?;
        if !filter.has_verdict(row.verdict) || !takes(reader, filter, &row)? {
            continue;
        }
        let row = row_of(&row);
        if filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn takes(reader: &Reader, filter: &Filter<'_>, row: &UrlRow) -> Result<bool, StoreError> {
    let host = super::condition::host_of(&row.url).unwrap_or_default();
    if !filter.has_host(host) {
        return Ok(false);
    }
    if filter.query.status.is_none() {
        return Ok(true);
    }
    let record = if row.n.is_some() { reader.page(row.print)? } else { None };
    Ok(filter.has_status(record.and_then(|record| record.status)))
}

/// Both ends of the links that the log knows: of each URL the one that led to it first.
pub(super) fn links(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    filter.refuse(Has { url: true, answer: false }, "links have no status and no verdict")?;
    let Some(wanted) = &filter.url else {
        let what = "links are those of one URL: name it with `--url URL`".to_owned();
        return Err(StoreError::Query { what });
    };
    let same = SameUrl::new(wanted);
    for row in reader.part_of_urls(Part::AndLinks(wanted))? {
        let UrlRow { url, verdict, depth, referrer, .. } = row?;
        let row = match referrer {
            Some(referrer) if same.is(&referrer) => {
                json!({"way": "out", "verdict": verdict, "depth": depth, "url": url})
            }
            Some(referrer) if same.is(&url) => json!({"way": "in", "url": referrer}),
            _ => continue,
        };
        if filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}
