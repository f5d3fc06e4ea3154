//! A query that has been checked, and what of a row it takes.

use std::fmt;
use std::str::FromStr;

use crawl_model::{CanonicalUrl, FilterReason, PageRecord, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Field, Row};
use super::pick::Picks;
use super::walk::Looking;
use super::{Query, What};
use crate::codec::{RawSettle, Texts};
use crate::log::Log;
use crate::{Reader, StoreError};

/// An HTTP status, `404`, or a class of them, `4xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum StatusFilter {
    /// Exactly this one.
    Exactly(u16),
    /// All that begin with this digit.
    Class(u16),
}

impl StatusFilter {
    fn matches(self, status: u16) -> bool {
        match self {
            Self::Exactly(wanted) => status == wanted,
            Self::Class(digit) => status / 100 == digit,
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

/// A query, checked.
pub(super) struct Filter<'a> {
    pub(super) query: &'a Query,
    pub(super) url: Option<CanonicalUrl>,
    /// The fields that its conditions ask of.
    pub(super) picks: Picks,
    pub(super) looking: Looking<'a>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(query: &'a Query, looking: Looking<'a>) -> Result<Self, StoreError> {
        let bad = |what: String| StoreError::Query { what };
        let url = query.url.as_deref().map(CanonicalUrl::parse).transpose();
        let url = url.map_err(|e| bad(format!("`{}`: {e}", query.url.as_deref().unwrap_or(""))))?;
        if let Some(name) = &query.verdict {
            let mut known: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.name()).collect();
            if query.what == What::Urls {
                known.push("queued");
                known.extend(FilterReason::ALL.iter().map(|reason| reason.name()));
            }
            if !known.contains(&name.as_str()) {
                return Err(bad(format!("no verdict `{name}`; there are: {}", known.join(", "))));
            }
        }
        let of_items = query.dropped || query.gone || !query.key.is_empty();
        if of_items && query.what != What::Items {
            let what = "only items are dropped, gone or have keys: ask for `items`";
            return Err(bad(what.to_owned()));
        }
        if [query.dropped, query.gone, !query.key.is_empty()].iter().filter(|asks| **asks).count()
            > 1
        {
            let what = "items are asked for by key, as dropped ones or as those that are gone";
            return Err(bad(what.to_owned()));
        }
        Ok(Self { query, url, picks: Picks::of(&query.fields), looking })
    }

    /// Fails if something is asked of that the rows have not.
    pub(super) fn refuse(&self, has: Has, what: &str) -> Result<(), StoreError> {
        let query = self.query;
        let asks = (!has.url && (self.url.is_some() || query.host.is_some()))
            || (!has.answer && (query.status.is_some() || query.verdict.is_some()));
        if asks { Err(StoreError::Query { what: what.to_owned() }) } else { Ok(()) }
    }

    pub(super) fn has_host(&self, host: &str) -> bool {
        self.query.host.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
    }

    pub(super) fn has_url(&self, url: &CanonicalUrl) -> bool {
        // Records and rows show URLs without credentials.
        let is_wanted = |wanted: &CanonicalUrl| wanted.without_credentials().key() == url.key();
        self.url.as_ref().is_none_or(is_wanted)
    }

    pub(super) fn has_verdict(&self, name: &str) -> bool {
        self.query.verdict.as_deref().is_none_or(|wanted| wanted == name)
    }

    pub(super) fn has_status(&self, status: Option<u16>) -> bool {
        self.query.status.is_none_or(|wanted| status.is_some_and(|status| wanted.matches(status)))
    }

    /// Whether all conditions hold of a row.
    pub(super) fn has_fields(&self, row: &Value) -> bool {
        self.query.fields.iter().all(|condition| condition.matches(row))
    }

    /// Whether the page of a settle can be one of those asked for, conditions apart.
    pub(super) fn may_take(&self, settle: &RawSettle<'_>) -> bool {
        self.has_host(settle.ending.host)
            && self.has_verdict(settle.verdict.name())
            && self.has_status(Some(settle.facts.status).filter(|status| *status > 0))
    }

    /// The settles from one shortly before number `n` on, with as much of their pages as the
    /// conditions ask of.
    pub(super) fn settles_from(&self, reader: &Reader, n: u64) -> Result<Log, StoreError> {
        let log = reader.settles_from(n)?;
        let mut names = self.query.fields.iter().flat_map(|condition| condition.fields());
        let asks = names.any(|name| Texts::NAMES.contains(&name));
        Ok(if asks { log.with_texts() } else { log })
    }

    /// Whether all conditions hold of a row of which perhaps not all is known.
    pub(super) fn judge(&self, row: &impl Row) -> Option<bool> {
        let mut all = Some(true);
        for condition in &self.query.fields {
            match condition.judge(row) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// The settle numbers, both ends included, that the conditions leave.
    pub(super) fn settle_numbers(&self) -> (u64, u64) {
        let ranges = self.query.fields.iter().map(|condition| condition.range("n"));
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        let (from, to) = ranges.fold(all, |a, b| (a.0.max(b.0), a.1.min(b.1)));
        // A float's cast stops at the ends of what there is.
        (from.floor().max(1.0) as u64, to.ceil() as u64)
    }

    /// Whether a page is asked for, conditions apart.
    pub(super) fn takes(&self, record: &PageRecord) -> bool {
        self.has_url(&record.url)
            && self.has_host(record.url.host_str())
            && self.has_verdict(record.verdict.name())
            && self.has_status(record.status)
    }
}

/// What rows have that can be asked of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Has {
    pub(super) url: bool,
    /// A status and a verdict.
    pub(super) answer: bool,
}

impl Row for RawSettle<'_> {
    fn field(&self, name: &str) -> Field<'_> {
        let facts = &self.facts;
        let text = |text| Field::Text(std::borrow::Cow::Borrowed(text));
        match name {
            "n" => Field::Number(self.n as f64),
            "verdict" => text(self.verdict.name()),
            "host" => text(self.ending.host),
            "status" if facts.status == 0 => Field::Absent,
            "status" => Field::Number(f64::from(facts.status)),
            "bytes" => Field::Number(facts.bytes as f64),
            "n_items" => Field::Number(f64::from(facts.n_items)),
            "elapsed_ms" => Field::Number(facts.elapsed_ms as f64),
            "content_type" if facts.content_type.is_empty() => Field::Absent,
            "content_type" => text(facts.content_type),
            name => {
                let texts = facts.texts.map(|texts| Texts::NAMES.into_iter().zip(texts.all()));
                match texts.and_then(|mut texts| texts.find(|(own, _)| *own == name)) {
                    Some((_, "")) => Field::Absent,
                    Some((_, found)) => text(found),
                    None => Field::Unknown,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_statuses_say_what_is_right() {
        assert!("40x".parse::<StatusFilter>().unwrap_err().contains("4xx"));
        assert!("0xx".parse::<StatusFilter>().is_err() && "12".parse::<StatusFilter>().is_err());
    }
}
