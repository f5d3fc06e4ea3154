//! Answers about pages.

use std::ops::ControlFlow;

use crawl_model::{Fingerprint, PageRecord, Verdict};
use data_encoding::BASE64;
use serde_json::json;

use super::filter::Filter;
use super::{Emit, row_of};
use crate::codec::RawSettle;
use crate::{Reader, StoreError};

pub(super) fn pages(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    each_page(
        reader,
        filter,
        |settle| filter.may_have_fields(settle),
        |_, record| {
            let row = row_of(&record);
            Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
        },
    )
}

/// What went wrong, and where the link was.
pub(super) fn errors(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let may_be =
        |settle: &RawSettle<'_>| is_failure(settle.verdict) && filter.may_have_fields(settle);
    each_page(reader, filter, may_be, |_, record| {
        if !is_failure(record.verdict) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut row = json!({"n": record.n, "verdict": record.verdict});
        if let Some(status) = record.status {
            row["status"] = status.into();
        }
        row["attempts"] = record.attempts.into();
        row["url"] = record.url.as_str().into();
        if !record.error.is_empty() {
            row["error"] = record.error.into();
        }
        if let Some(referrer) = &record.referrer {
            row["referrer"] = referrer.as_str().into();
        }
        Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
    })
}

/// The archived answer of a URL.
pub(super) fn archived(
    reader: &Reader,
    filter: &Filter<'_>,
    with_body: bool,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let bad = |what: &str| Err(StoreError::Query { what: what.to_owned() });
    if filter.url.is_none() {
        return bad("an archived answer is that of one URL: name it with `--url URL`");
    }
    let (mut n_archived, mut lost) = (0, String::new());
    each_page(
        reader,
        filter,
        |_| true,
        |_, record| {
            let Some(pointer) = &record.body else {
                if !record.body_lost.is_empty() {
                    lost = record.body_lost;
                }
                return Ok(ControlFlow::Continue(()));
            };
            n_archived += 1;
            let response = reader.response(pointer)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let headers = response.headers.iter().map(|(name, value)| json!([name, text(value)]));
            let mut row = json!({
                "n": record.n,
                "status": response.status,
                "url": record.url.as_str(),
                "headers": headers.collect::<Vec<_>>(),
            });
            if with_body {
                row["base64"] = BASE64.encode(&response.body).into();
            }
            Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
        },
    )?;
    match n_archived {
        0 if !lost.is_empty() => {
            let what = format!("the archived answer of this URL is lost: {lost}");
            Err(StoreError::Query { what })
        }
        0 => bad("no answer of this URL is archived: see `crawl inspect STORE pages --url URL`, \
                  and the key `store.bodies`"),
        _ => Ok(()),
    }
}

fn is_failure(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Ok | Verdict::NotModified | Verdict::NoIndex | Verdict::Redirected)
}

/// Walks over the settled pages that the filter takes, in the order they settled, its conditions
/// apart. `may_be` saves looking up those of which a settle says enough.
pub(super) fn each_page(
    reader: &Reader,
    filter: &Filter<'_>,
    may_be: impl Fn(&RawSettle<'_>) -> bool,
    mut each: impl FnMut(Fingerprint, PageRecord) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    if let Some(url) = &filter.url {
        return reader.each_print_of(url, |print| match reader.page(print)? {
            Some(record) if filter.takes(&record) => each(print, record),
            _ => Ok(ControlFlow::Continue(())),
        });
    }
    let mut log = reader.settles()?;
    while let Some(settle) = log.next_settle()? {
        if !filter.may_take(&settle) || !may_be(&settle) {
            continue;
        }
        let (n, print) = (settle.n, settle.ending.print);
        let Some(record) = reader.page(print)? else {
            let what = format!("page {print:?} (settled as number {n}, not there)");
            return Err(StoreError::Corrupt { what });
        };
        // Another number: fetched again later, or kept out by a better copy.
        if record.n == n && filter.takes(&record) && each(print, record)?.is_break() {
            break;
        }
    }
    Ok(())
}
