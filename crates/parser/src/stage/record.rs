//! What is known of a page before it is read.

use crawl_model::{Failure, PageRecord, Request, Response, Verdict, digest};

use super::case::Case;

/// Longest error text that is kept, in characters.
const MAX_ERROR_CHARS: usize = 500;

/// Longest `ETag` or `Last-Modified` that is kept.
const MAX_VALIDATOR_BYTES: usize = 200;

/// Begins the record of a page: all but what its document says.
pub(crate) fn begin(request: &Request, case: &Case, verdict: Verdict) -> PageRecord {
    let mut record = PageRecord::new(request.url.clone(), verdict);
    record.depth = request.depth;
    record.label = request.label.to_string();
    record.chain = request.chain.clone();
    record.referrer = request.referrer.clone();
    record.fetched_ms = case.sent_ms;
    record.elapsed_ms = u64::try_from(case.elapsed.as_millis()).unwrap_or(u64::MAX);
    record.timing = case.timing;
    record.attempts = case.attempt;
    record.has_extras = request.has_extras();
    match &case.reply {
        Ok(response) => {
            record.status = Some(response.status);
            record.content_type = response.media_type().chars().take(100).collect();
            record.bytes = response.body.len() as u64;
            record.truncated = response.truncated;
            record.remote = response.remote.map(|remote| remote.ip());
            response.version.clone_into(&mut record.protocol);
            record.cached = response.cached();
            record.etag = validator(response, "etag");
            record.last_modified = validator(response, "last-modified");
            record.digest = digest(&response.body);
        }
        Err(failure) => record.error = short(&failure.detail),
    }
    record
}

/// How an answer would end a URL if it were the last one.
pub(crate) fn verdict_of(reply: &Result<Response, Failure>) -> Verdict {
    match reply {
        Err(failure) => failure.kind.verdict(),
        Ok(response) => crawl_model::verdict_of(response),
    }
}

/// A header field by which the next visit asks for changes; empty if it is absent, or so long
/// that keeping it costs more than fetching again.
fn validator(response: &Response, name: &str) -> String {
    let value = response.header(name).filter(|value| value.len() <= MAX_VALIDATOR_BYTES);
    value.unwrap_or_default().to_owned()
}

/// Shortens an error text to what a record may hold.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(MAX_ERROR_CHARS).collect()
}
