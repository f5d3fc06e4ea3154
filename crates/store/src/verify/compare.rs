//! A record of a body file against what it says of itself, and against what a page says of it.

use super::bytes::fnv;
use super::finding::Kind;
use super::pointers::{HAS_STATUS, IS_ORIGINAL, IS_TRUNCATED, Row};
use super::record::{RecordKind, Seen, without_credentials};

/// What is wrong with a record, whoever points to it.
pub(super) fn problems(seen: &Seen, info: Option<&str>) -> Vec<(Kind, String)> {
    let mut problems: Vec<_> =
        seen.faults.iter().map(|what| (Kind::BodySegmentDamaged, what.clone())).collect();
    problems.extend(seen.wrong_digests.iter().map(|what| (Kind::DigestMismatch, what.clone())));
    if let (Some(told), Some(info)) = (seen.info_id.as_deref(), info)
        && told != info
    {
        let what = format!("it says that {told} describes it, and the file begins with {info}");
        problems.push((Kind::BodySegmentDamaged, what));
    }
    problems
}

/// How a record differs from what the page that points to it says.
pub(super) fn differs(row: &Row, seen: &Seen) -> Option<String> {
    if !seen.kind.is_answer() {
        return Some("it points to a record that is no answer".to_owned());
    }
    let is_original = row.flags & IS_ORIGINAL != 0;
    let is_revisit = seen.kind == RecordKind::Revisit;
    if is_original && is_revisit {
        return Some("the record that should have its body has none itself".to_owned());
    }
    let uri = seen.uri.as_deref().unwrap_or_default();
    if !is_original && fnv(without_credentials(uri).as_bytes()) != row.url {
        return Some(format!("its record is of {uri}"));
    }
    if !is_original && seen.date.is_none_or(|date| !date.is(row.fetched_ms)) {
        return Some("its record is of another time".to_owned());
    }
    if !is_original && !is_revisit && row.flags & HAS_STATUS != 0 && seen.status != Some(row.status)
    {
        return Some(format!("its record has the status {:?}, not {}", seen.status, row.status));
    }
    if is_revisit {
        return None;
    }
    if !is_original && seen.is_truncated != (row.flags & IS_TRUNCATED != 0) {
        return Some("only one of record and page says that the body was cut".to_owned());
    }
    let is_other = seen.payload_len != row.bytes || seen.digest.is_some_and(|of| of != row.digest);
    is_other.then(|| format!("its record has another body, of {} bytes", seen.payload_len))
}
