//! Answers about pages.

use std::ops::ControlFlow;

use crawl_model::{PageRecord, Verdict};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::filter::Filter;
use super::walk::Walk;
use super::{Emit, row_of};
use crate::database::decode_page;
use crate::{Reader, StoreError};

pub(super) fn pages(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let walk = Walk {
        reader,
        filter,
        between: filter.settle_numbers(),
        may_be: &|settle| filter.judge(settle),
        is_it: &|_, json| Ok(filter.picks.from(json).is_none_or(|row| filter.has_fields(&row))),
    };
    walk.run(&mut |_, record| {
        let row = row_of(&record);
        Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
    })
}

/// What went wrong, and where the link was.
pub(super) fn errors(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let walk = Walk {
        reader,
        filter,
        between: filter.settle_numbers(),
        may_be: &|settle| match is_failure(settle.verdict) {
            true => filter.judge(settle),
            false => Some(false),
        },
        is_it: &|print, json| {
            let record = decode_page(print, json)?;
            Ok(filter.has_fields(&error_row(&record)))
        },
    };
    walk.run(&mut |_, record| {
        let row = error_row(&record);
        let is_it = is_failure(record.verdict) && filter.has_fields(&row);
        Ok(if is_it { emit(row) } else { ControlFlow::Continue(()) })
    })
}

fn error_row(record: &PageRecord) -> Value {
    let mut row = json!({"n": record.n, "verdict": record.verdict});
    if let Some(status) = record.status {
        row["status"] = status.into();
    }
    row["attempts"] = record.attempts.into();
    row["url"] = record.url.as_str().into();
    if !record.error.is_empty() {
        row["error"] = record.error.as_str().into();
    }
    if let Some(referrer) = &record.referrer {
        row["referrer"] = referrer.as_str().into();
    }
    row
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
    Walk::all(reader, filter).run(&mut |_, record| {
        let Some(pointer) = &record.body else {
            if !record.body_lost.is_empty() {
                lost.clone_from(&record.body_lost);
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
    })?;
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
    !matches!(
        verdict,
        Verdict::Ok
            | Verdict::NotModified
            | Verdict::NoIndex
            | Verdict::Redirected
            | Verdict::Stored
    )
}
