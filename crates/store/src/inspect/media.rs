//! Answers about files that items asked for.

use std::ops::ControlFlow;

use crawl_model::{Request, Verdict};
use serde_json::{Value, json};

use super::Emit;
use super::filter::Filter;
use super::walk::Walk;
use crate::{Reader, StoreError};

/// A row per file that was asked for and has ended: those in the folder and those that could not be
/// had.
pub(super) fn media(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    // Of pages the log says enough: no file ends like that.
    let may_be = |verdict: Verdict| !matches!(verdict, Verdict::Ok | Verdict::NoIndex);
    let walk = Walk { may_be: &|settle| Some(may_be(settle.verdict)), ..Walk::all(reader, filter) };
    walk.run(&mut |_, record| {
        let Some(kind) = Request::file_kind_of(&record.label) else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut row = json!({"n": record.n, "verdict": record.verdict, "kind": kind.name()});
        let mut put = |name: &str, value: Value| row[name] = value;
        if let Some(file) = &record.file {
            put("path", file.path.as_str().into());
            put("type", file.media_type.as_str().into());
            put("bytes", record.bytes.into());
            put("width", file.width.into());
            put("height", file.height.into());
            put("sha256", file.sha256.as_str().into());
        }
        put("status", record.status.into());
        put("fetched_ms", record.fetched_ms.into());
        put("attempts", record.attempts.into());
        put("url", record.url.as_str().into());
        if let Some(target) = &record.redirect {
            put("redirect", target.as_str().into());
        }
        if let Some(referrer) = &record.referrer {
            put("referrer", referrer.as_str().into());
        }
        if !record.body_lost.is_empty() {
            put("lost", record.body_lost.as_str().into());
        }
        if !record.error.is_empty() {
            put("error", record.error.as_str().into());
        }
        if let Some(row) = row.as_object_mut() {
            row.retain(|_, value| !value.is_null());
        }
        Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
    })
}
