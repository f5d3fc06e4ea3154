//! Questions to a crawl, and their answers as JSON rows.
//!
//! The same question goes to a finished crawl (the command line opens the store) and to a running
//! one (it goes over the control socket to the process that has it), so it is a value that
//! serialises. The rows' field names are stable.

mod items;

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

use crawl_model::{CanonicalUrl, FilterReason, Fingerprint, PageRecord, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Reader, StoreError, UrlRow};

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// One row: counts by verdict and reason, sizes, feeds.
    #[default]
    Stats,
    /// The records of settled URLs, in the order they settled.
    Pages,
    /// The items, as `{"url", "n", "item"}`, in the order of their pages.
    Items,
    /// Every URL ever found, with where it stands.
    Urls,
    /// Sums by host.
    Hosts,
    /// Which fields the items of this run and of the one before have, a row per field.
    Fields,
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
    /// Only rows (of items: items) whose fields are thus.
    pub fields: Vec<FieldFilter>,
    /// At most so many rows; `None` for all.
    pub limit: Option<u64>,
    /// Only this URL.
    pub url: Option<String>,
    /// Of items: those that a step of the pipeline dropped, in the place of those that are stored.
    pub dropped: bool,
    /// Of items: whether each row has the record of its page, too, as `page`.
    pub with_page: bool,
}

/// An HTTP status, `404`, or a class of them, `4xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum StatusFilter {
    /// Exactly this one.
    Exactly(u16),
    /// All that begin with this digit.
    Class(u16),
}

/// A condition on a field: `name=value` or `name~text`. A dot in the name goes into an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FieldFilter {
    name: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Equals(String),
    Contains(String),
}

impl StatusFilter {
    fn matches(self, status: Option<u16>) -> bool {
        match (self, status) {
            (_, None) => false,
            (Self::Exactly(wanted), Some(status)) => status == wanted,
            (Self::Class(digit), Some(status)) => status / 100 == digit,
        }
    }
}

impl FromStr for StatusFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is neither a status such as 404 nor a class such as 4xx");
        let filter = match text.strip_suffix("xx") {
            Some(digit) => Self::Class(digit.parse().map_err(|_| fail())?),
            None => Self::Exactly(text.parse().map_err(|_| fail())?),
        };
        let is_status = match filter {
            Self::Exactly(status) => (100..=999).contains(&status),
            Self::Class(digit) => (1..=9).contains(&digit),
        };
        if is_status { Ok(filter) } else { Err(fail()) }
    }
}

impl fmt::Display for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}

impl From<StatusFilter> for String {
    fn from(filter: StatusFilter) -> Self {
        filter.to_string()
    }
}

impl TryFrom<String> for StatusFilter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FieldFilter {
    /// Whether it holds for `row`.
    #[must_use]
    pub fn matches(&self, row: &Value) -> bool {
        let mut value = row;
        // A field may itself have a dot in its name.
        if let Some(whole) = row.get(&self.name) {
            value = whole;
        } else {
            for part in self.name.split('.') {
                let inner = match value {
                    Value::Array(list) => part.parse().ok().and_then(|i: usize| list.get(i)),
                    other => other.get(part),
                };
                let Some(inner) = inner else { return false };
                value = inner;
            }
        }
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match &self.test {
            Test::Equals(wanted) => text == *wanted,
            Test::Contains(wanted) => text.contains(wanted),
        }
    }
}

impl FromStr for FieldFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '~']).filter(|at| *at > 0);
        let at = at.ok_or_else(|| format!("`{text}` is neither `name=value` nor `name~text`"))?;
        let (name, value) = (text[..at].to_owned(), text[at + 1..].to_owned());
        let is_equals = text.as_bytes()[at] == b'=';
        let test = if is_equals { Test::Equals(value) } else { Test::Contains(value) };
        Ok(Self { name, test })
    }
}

impl fmt::Display for FieldFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Equals(value) => write!(f, "{}={value}", self.name),
            Test::Contains(text) => write!(f, "{}~{text}", self.name),
        }
    }
}

impl From<FieldFilter> for String {
    fn from(filter: FieldFilter) -> Self {
        filter.to_string()
    }
}

impl TryFrom<String> for FieldFilter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
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
    match query.what {
        What::Stats => {
            let _ = emit(stats(reader)?);
            Ok(())
        }
        What::Pages => pages(reader, &filter, &mut emit),
        What::Items if query.dropped => items::dropped(reader, &filter, &mut emit),
        What::Items => items(reader, &filter, &mut emit),
        What::Urls => urls(reader, &filter, &mut emit),
        What::Hosts => hosts(reader, &filter, &mut emit),
        What::Fields => items::fields(reader, &filter, &mut emit),
    }
}

/// A query, checked.
struct Filter<'a> {
    query: &'a Query,
    url: Option<CanonicalUrl>,
}

impl<'a> Filter<'a> {
    fn new(query: &'a Query) -> Result<Self, StoreError> {
        let bad = |what: String| StoreError::Query { what };
        let url = query.url.as_deref().map(CanonicalUrl::parse).transpose();
        let url = url.map_err(|e| bad(format!("`{}`: {e}", query.url.as_deref().unwrap_or(""))))?;
        if let Some(name) = &query.verdict {
            let verdicts = Verdict::ALL.iter().map(|verdict| verdict.name());
            let reasons = FilterReason::ALL.iter().map(|reason| reason.name());
            let mut known: Vec<_> = verdicts.collect();
            if query.what == What::Urls {
                known.push("queued");
                known.extend(reasons);
            }
            if !known.contains(&name.as_str()) {
                return Err(bad(format!("no verdict `{name}`; there are: {}", known.join(", "))));
            }
        }
        if query.dropped && query.what != What::Items {
            return Err(bad("only items are dropped: ask for `items`".to_owned()));
        }
        Ok(Self { query, url })
    }

    fn has_host(&self, host: &str) -> bool {
        self.query.host.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
    }

    fn has_url(&self, url: &CanonicalUrl) -> bool {
        // Records and rows show URLs without credentials.
        let is_wanted = |wanted: &CanonicalUrl| wanted.without_credentials().key() == url.key();
        self.url.as_ref().is_none_or(is_wanted)
    }

    fn has_verdict(&self, name: &str) -> bool {
        self.query.verdict.as_deref().is_none_or(|wanted| wanted == name)
    }

    fn has_status(&self, status: Option<u16>) -> bool {
        self.query.status.is_none_or(|wanted| wanted.matches(status))
    }

    fn has_fields(&self, row: &Value) -> bool {
        self.query.fields.iter().all(|field| field.matches(row))
    }

    fn takes(&self, record: &PageRecord) -> bool {
        self.has_url(&record.url)
            && self.has_host(record.url.host_str())
            && self.has_verdict(record.verdict.name())
            && self.has_status(record.status)
    }
}

type Emit<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

fn stats(reader: &Reader) -> Result<Value, StoreError> {
    let counts = reader.counts()?;
    let (database_bytes, body_bytes) = reader.disk_bytes();
    let feeds = reader.feed_cursors()?.into_iter();
    let feeds: Vec<_> = feeds
        .map(|(name, cursor)| json!({"feed": name, "n": cursor.n, "bytes": cursor.len}))
        .collect();
    let mut row = serde_json::to_value(&counts).expect("counts are strings and numbers");
    row["conserved"] = counts.is_conserved().into();
    row["last"] = reader.last()?.into();
    row["created_ms"] = reader.identity().created_ms.into();
    row["disk_bytes"] = (database_bytes + body_bytes).into();
    row["database_bytes"] = database_bytes.into();
    row["body_bytes"] = body_bytes.into();
    row["feeds"] = feeds.into();
    let dropped = reader.drop_counts()?;
    if dropped.n_dropped() > 0 {
        row["dropped_left_out"] = dropped.left_out.into();
        row["dropped"] = json!(dropped.by_reason());
    }
    Ok(row)
}

/// Walks over the settled pages that the filter takes.
fn each_page(
    reader: &Reader,
    filter: &Filter<'_>,
    mut each: impl FnMut(Fingerprint, PageRecord) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    for page in reader.pages()? {
        let (print, record) = page?;
        if filter.takes(&record) && each(print, record)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn pages(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    each_page(reader, filter, |_, record| {
        let row = serde_json::to_value(&record).expect("records are strings and numbers");
        Ok(if filter.has_fields(&row) { emit(row) } else { ControlFlow::Continue(()) })
    })
}

fn items(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    each_page(reader, filter, |print, record| {
        if record.n_items == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        for item in reader.items(print) {
            let item = crate::commit::item_value(&item?);
            let takes = filter.has_fields(&item);
            if !takes {
                continue;
            }
            let mut row = json!({"url": record.url, "n": record.n, "item": item});
            if filter.query.with_page {
                row["page"] =
                    serde_json::to_value(&record).expect("records are strings and numbers");
            }
            if emit(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

fn urls(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    for row in reader.urls()? {
        let row = row?;
        if !filter.has_verdict(row.verdict) || !takes_url(reader, filter, &row)? {
            continue;
        }
        let row = serde_json::to_value(&row).expect("rows are strings and numbers");
        if filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn takes_url(reader: &Reader, filter: &Filter<'_>, row: &UrlRow) -> Result<bool, StoreError> {
    if filter.url.is_some() || filter.query.host.is_some() {
        let url = CanonicalUrl::parse(&row.url);
        let url = url.map_err(|e| StoreError::corrupt(format!("URL in the log ({e})")))?;
        if !filter.has_url(&url) || !filter.has_host(url.host_str()) {
            return Ok(false);
        }
    }
    if filter.query.status.is_none() {
        return Ok(true);
    }
    let record = if row.n.is_some() { reader.page(row.print)? } else { None };
    Ok(filter.has_status(record.and_then(|record| record.status)))
}

fn hosts(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    let asks_of_pages = filter.query.status.is_some() || filter.query.verdict.is_some();
    if asks_of_pages {
        let what = "hosts have no status and no verdict: ask for `pages` or `urls`".to_owned();
        return Err(StoreError::Query { what });
    }
    let of_url = filter.url.as_ref().map(|url| url.host_str());
    for host in reader.hosts()? {
        let takes = filter.has_host(&host.host) && of_url.is_none_or(|of| of == host.host);
        let row = serde_json::to_value(&host).expect("rows are strings and numbers");
        if takes && filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
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
            fields: vec!["a.b=1".parse().unwrap(), "title~x=y".parse().unwrap()],
            limit: Some(3),
            ..Query::default()
        };
        let text = serde_json::to_string(&query).unwrap();
        assert!(text.contains(r#""status":"4xx","verdict":null,"fields":["a.b=1","title~x=y"]"#));
        assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), query);
        assert_eq!(serde_json::from_str::<Query>("{}").unwrap(), Query::default());
        assert!(serde_json::from_str::<Query>(r#"{"hots": "x"}"#).is_err());
    }

    #[test]
    fn wrong_filters_say_what_is_right() {
        assert!("=x".parse::<FieldFilter>().unwrap_err().contains("name=value"));
        assert!("title".parse::<FieldFilter>().is_err());
        assert!("40x".parse::<StatusFilter>().unwrap_err().contains("4xx"));
        assert!("0xx".parse::<StatusFilter>().is_err() && "12".parse::<StatusFilter>().is_err());
    }

    #[test]
    fn fields_are_found_in_objects_and_lists() {
        let row = json!({"a": {"b": [1, "two"]}, "x.y": true, "t": "long text"});
        for (text, expected) in [
            ("a.b.0=1", true),
            ("a.b.1~w", true),
            ("a.b.2=1", false),
            ("x.y=true", true),
            ("t~g t", true),
            ("t=long", false),
            ("none=1", false),
        ] {
            assert_eq!(text.parse::<FieldFilter>().unwrap().matches(&row), expected, "{text}");
        }
    }
}
