//! Questions to a crawl, and their answers as JSON rows.
//!
//! The same question goes to a finished crawl (the command line opens the store) and to a running
//! one (it goes over the control socket to the process that has it), so it is a value that
//! serialises. The rows' field names are stable. Rows are sorted, grouped and counted by who asks:
//! a running crawl only reads.
//!
//! A page's record takes a look into the database, which takes as long as a hundred settles of the
//! log; so what the log says of a page is asked first.

mod condition;
mod filter;

mod hosts;
mod items;
mod pages;
mod told;
mod urls;
mod why;

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Reader, StoreError};
use filter::Filter;

pub(crate) use condition::host_of;
pub use condition::{Condition, field_of};
pub use filter::StatusFilter;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// One row: counts by verdict and reason, sizes, feeds.
    #[default]
    Stats,
    /// The records of settled URLs, in the order they settled.
    Pages,
    /// Of those that ended in a failure: what, why, and the page that linked there.
    Errors,
    /// The items, as `{"url", "n", .., "item"}` with the fields of a
    /// [`Provenance`](crate::Provenance), in the order of their pages.
    Items,
    /// Every URL ever found, with where it stands.
    Urls,
    /// The page that linked to a URL first, and the URLs that its page was the first to link to.
    Links,
    /// Sums by host.
    Hosts,
    /// What settled when: sums by equal spans of time, the empty ones left out.
    Timeline,
    /// What was last said of robots.txt files; the text too, of the one of a URL.
    Robots,
    /// The cookies that are kept.
    Cookies,
    /// The archived answer of a URL: status, header fields, and the body in Base64.
    Body,
    /// Its status and header fields only.
    Headers,
    /// Which fields the items of this run and of the one before have, a row per field.
    Fields,
    /// One row: all that is known of the URL in [`Query::url`].
    Why,
}

/// A question. All filters must hold; what a row has no notion of lets nothing through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Query {
    /// What is asked for.
    pub what: What,
    /// Only of this host, as it stands in URLs.
    pub host: Option<String>,
    /// Only with this HTTP status.
    pub status: Option<StatusFilter>,
    /// Only with this verdict; for URLs also a filter's reason, or `queued`.
    pub verdict: Option<String>,
    /// Only rows of which this holds. Items have the fields of their
    /// [`Provenance`](crate::Provenance) and their page's, too, behind their own.
    pub fields: Vec<Condition>,
    /// At most so many rows; `None` for all.
    pub limit: Option<u64>,
    /// Only this URL.
    pub url: Option<String>,
    /// Of items: those that a step of the pipeline dropped, in the place of those that are stored.
    pub dropped: bool,
    /// Of items: those with a key that stand on no page any more, in the place of those that are
    /// stored.
    pub gone: bool,
    /// Of items: those whose key has these values, in the order of its fields. Empty: all.
    pub key: Vec<String>,
    /// Of items: whether each row has the record of its page, too, as `page`.
    pub with_page: bool,
}

/// Answers `query` row by row, until `row` breaks.
///
/// # Errors
/// [`StoreError::Query`] if the question makes no sense, others if the store cannot be read.
pub fn answer(
    reader: &Reader,
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let filter = Filter::new(query)?;
    let mut left = query.limit.unwrap_or(u64::MAX);
    let mut emit = |value: Value| {
        if left == 0 || row(value).is_break() {
            return ControlFlow::Break(());
        }
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    if query.limit == Some(0) {
        return Ok(());
    }
    let emit: Emit<'_> = &mut emit;
    match query.what {
        What::Stats => {
            let _ = emit(stats(reader)?);
            Ok(())
        }
        What::Pages => pages::pages(reader, &filter, emit),
        What::Errors => pages::errors(reader, &filter, emit),
        What::Items if query.dropped => items::dropped(reader, &filter, emit),
        What::Items if query.gone => items::gone(reader, &filter, emit),
        What::Items if !query.key.is_empty() => items::keyed(reader, &filter, emit),
        What::Items => items::items(reader, &filter, emit),
        What::Urls => urls::urls(reader, &filter, emit),
        What::Links => urls::links(reader, &filter, emit),
        What::Hosts => hosts::hosts(reader, &filter, emit),
        What::Timeline => hosts::timeline(reader, &filter, emit),
        What::Robots => told::robots(reader, &filter, emit),
        What::Cookies => told::cookies(reader, &filter, emit),
        What::Body => pages::archived(reader, &filter, true, emit),
        What::Headers => pages::archived(reader, &filter, false, emit),
        What::Fields => items::fields(reader, &filter, emit),
        What::Why => why::why(reader, &filter, emit),
    }
}

type Emit<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

fn stats(reader: &Reader) -> Result<Value, StoreError> {
    let counts = reader.counts()?;
    let (database_bytes, body_bytes) = reader.disk_bytes();
    let disk_bytes = database_bytes + body_bytes;
    let feeds = reader.feed_cursors()?.into_iter();
    let feeds: Vec<_> = feeds
        .map(|(name, cursor)| json!({"feed": name, "n": cursor.n, "bytes": cursor.len}))
        .collect();
    let mut row = row_of(&counts);
    row["conserved"] = counts.is_conserved().into();
    row["last"] = reader.last()?.into();
    row["created_ms"] = reader.identity().created_ms.into();
    row["disk_bytes"] = disk_bytes.into();
    row["database_bytes"] = database_bytes.into();
    row["body_bytes"] = body_bytes.into();
    if let Some(bytes) = disk_bytes.checked_div(counts.pages) {
        row["disk_bytes_per_page"] = bytes.into();
    }
    if let Some(bytes) = database_bytes.checked_div(counts.discovered) {
        row["database_bytes_per_url"] = bytes.into();
    }
    row["feeds"] = feeds.into();
    let dropped = reader.drop_counts()?;
    if dropped.n_dropped() > 0 {
        row["dropped_left_out"] = dropped.left_out.into();
        row["dropped"] = json!(dropped.by_reason());
    }
    Ok(row)
}

fn row_of(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("rows are strings and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_the_socket() {
        let query = Query {
            what: What::Items,
            host: Some("h".into()),
            status: Some("4xx".parse().unwrap()),
            fields: vec!["a.b=1".parse().unwrap(), "title~x=y or not n".parse().unwrap()],
            limit: Some(3),
            ..Query::default()
        };
        let text = serde_json::to_string(&query).unwrap();
        let fields = r#""status":"4xx","verdict":null,"fields":["a.b=1","title~x=y or not n"]"#;
        assert!(text.contains(fields), "{text}");
        assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), query);
        assert_eq!(serde_json::from_str::<Query>("{}").unwrap(), Query::default());
        assert!(serde_json::from_str::<Query>(r#"{"hots": "x"}"#).is_err());
        assert!(serde_json::from_str::<Query>(r#"{"fields": ["a="]}"#).is_err());
    }
}
