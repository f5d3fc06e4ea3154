//! Answers of an earlier crawl, to be used in place of new ones or to ask whether they still hold.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Origin, Request, Response};

/// How the copy of an earlier crawl took part in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cached {
    /// The server said that it is still good (304, RFC 9110, section 15.4.5). An answer of status
    /// 304 that is marked so is about the crawl's own copy, which stays as it is.
    Revalidated,
    /// The server was not asked.
    Offline,
}

/// Where the answers of an earlier crawl are. All of it blocks, so no async task may call it.
pub trait Cache: Send + Sync {
    /// The answer to `request`, as the earlier crawl got it; `None` if it got none that lasts, or
    /// did not keep its body. `is_alike`: a request for the same thing that was not one of its
    /// own ([`FetchOptions::unique`](crate::FetchOptions::unique)) will do.
    ///
    /// # Errors
    /// Why the copy cannot be read, for people.
    fn page(&self, request: &Request, is_alike: bool) -> Result<Option<Response>, String>;

    /// The robots.txt of `origin`; `None` if there is none, or nothing is known of it.
    ///
    /// # Errors
    /// Why the copy cannot be read, for people.
    fn robots(&self, origin: &Origin) -> Result<Option<Bytes>, String>;
}

/// What the crawl itself has of pages that are asked for again. Blocks, so no async task may call
/// it.
pub trait Copies: Send + Sync {
    /// By what the copy of a page can be asked about; `None` if there is no whole one.
    ///
    /// # Errors
    /// Why it cannot be read, for people.
    fn validators(&self, print: Fingerprint) -> Result<Option<Validators>, String>;
}

/// The fields of an answer by which the next visit asks for changes (RFC 9110, section 8.8); empty
/// if it had none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: String,
    /// `Last-Modified`, as it was written.
    pub last_modified: String,
}

/// The field that tells of it (RFC 9211): a standard one, so that archives can be understood.
const FIELD: &str = "cache-status";

impl Cached {
    /// What it says in the field.
    fn value(self) -> &'static str {
        match self {
            Self::Revalidated => "crawl; fwd=stale; fwd-status=304",
            Self::Offline => "crawl; hit",
        }
    }
}

impl Response {
    /// How an earlier crawl's copy took part in it; `None` if it did not.
    #[must_use]
    pub fn cached(&self) -> Option<Cached> {
        let (name, value) = self.headers.last()?;
        let is = |cached: &Cached| **name == *FIELD && **value == *cached.value().as_bytes();
        [Cached::Revalidated, Cached::Offline].into_iter().find(is)
    }

    /// Notes how an earlier crawl's copy took part in it; the last field says so
    /// (`Cache-Status`, RFC 9211). `None` takes the note away, and what a server forged.
    pub fn set_cached(&mut self, cached: Option<Cached>) {
        while self.cached().is_some() {
            self.headers.pop();
        }
        if let Some(cached) = cached {
            self.headers.push((FIELD.into(), Bytes::from_static(cached.value().as_bytes())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_the_last_field_and_taken_away_again() {
        let mut response = Response {
            status: 200,
            version: "HTTP/1.1",
            headers: vec![("cache-status".into(), Bytes::from_static(b"edge; hit"))],
            body: Bytes::new(),
            truncated: None,
            remote: None,
        };
        assert_eq!(response.cached(), None);
        response.set_cached(Some(Cached::Offline));
        response.set_cached(Some(Cached::Revalidated));
        assert_eq!((response.cached(), response.headers.len()), (Some(Cached::Revalidated), 2));
        response.set_cached(None);
        assert_eq!((response.cached(), response.headers.len()), (None, 1));
    }
}
