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
mod known;
mod pick;
mod walk;

mod hosts;
mod items;
mod media;
mod pages;
mod told;
mod urls;
mod why;

use std::ops::ControlFlow;

use crawl_model::CanonicalUrl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Reader, StoreError};
use filter::{Filter, Has};
use walk::Looking;

pub(crate) use condition::host_of;
pub use condition::{Condition, field_of, inner as value_in};
pub use filter::StatusFilter;
pub use known::fields;
pub use walk::Looked;

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
    /// The files that items asked for: those in the crawl's folder, and those that could not be had.
    Media,
    /// Every URL ever found, with where it stands.
    Urls,
    /// Of a URL the page that linked to it first, and the URLs that its page was the first to link
    /// to; or all links that the archived pages have: see [`Query::ends`].
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

/// Which links are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// Those of [`Query::url`] that the settle log knows: of each URL the page that led to it first.
    #[default]
    First,
    /// All that lead to [`Query::url`], read from the archived pages.
    In,
    /// All that the archived page of [`Query::url`] has.
    Out,
    /// All that any archived page has.
    All,
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
    /// Of links: which. All but the first ones are read from archived bodies, which takes the parser:
    /// [`answer`] refuses them, and who has one makes the rows and lets them [`through`].
    pub ends: Ends,
}

/// Answers `query` row by row, until `row` breaks. `looked` is told from time to time how far it is,
/// where that means to look at many pages.
///
/// # Errors
/// [`StoreError::Query`] if the question makes no sense, others if the store cannot be read.
pub fn answer(
    reader: &Reader,
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
    looked: &mut dyn FnMut(Looked),
) -> Result<(), StoreError> {
    if query.what == What::Links && query.ends != Ends::First {
        let what = "links of archived pages are read by the parser".to_owned();
        return Err(StoreError::Query { what });
    }
    let filter = Filter::new(query, Looking::new(looked))?;
    limited(query, row, |emit| rows(reader, query, &filter, emit))
}

/// Lets rows that are made elsewhere through the conditions and the limit of a query; `make` is given
/// the query's URL.
///
/// # Errors
/// [`StoreError::Query`] if the question makes no sense, and those of `make`.
pub fn through(
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
    make: impl FnOnce(
        Option<&CanonicalUrl>,
        &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut unheard = |_| {};
    let filter = Filter::new(query, Looking::new(&mut unheard))?;
    filter.refuse(Has { url: true, answer: false }, "links have no status and no verdict")?;
    limited(query, row, |emit| {
        make(filter.url.as_ref(), &mut |value| match filter.has_fields(&value) {
            true => emit(value),
            false => ControlFlow::Continue(()),
        })
    })
}

/// At most as many rows as the query wants.
fn limited(
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
    make: impl FnOnce(Emit<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut left = query.limit.unwrap_or(u64::MAX);
    let mut emit = |value: Value| {
        if left == 0 || row(value).is_break() {
            return ControlFlow::Break(());
        }
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    if query.limit == Some(0) { Ok(()) } else { make(&mut emit) }
}

fn rows(
    reader: &Reader,
    query: &Query,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    match query.what {
        What::Stats => {
            let _ = emit(stats(reader)?);
            Ok(())
        }
        What::Pages => pages::pages(reader, filter, emit),
        What::Errors => pages::errors(reader, filter, emit),
        What::Items if query.dropped => items::dropped(reader, filter, emit),
        What::Items if query.gone => items::gone(reader, filter, emit),
        What::Items if !query.key.is_empty() => items::keyed(reader, filter, emit),
        What::Items => items::items(reader, filter, emit),
        What::Media => media::media(reader, filter, emit),
        What::Urls => urls::urls(reader, filter, emit),
        What::Links => urls::links(reader, filter, emit),
        What::Hosts => hosts::hosts(reader, filter, emit),
        What::Timeline => hosts::timeline(reader, filter, emit),
        What::Robots => told::robots(reader, filter, emit),
        What::Cookies => told::cookies(reader, filter, emit),
        What::Body => pages::archived(reader, filter, true, emit),
        What::Headers => pages::archived(reader, filter, false, emit),
        What::Fields => items::fields(reader, filter, emit),
        What::Why => why::why(reader, filter, emit),
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
    let (files, file_bytes) = reader.n_files()?;
    if files > 0 {
        row["files"] = files.into();
        row["file_bytes"] = file_bytes.into();
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
