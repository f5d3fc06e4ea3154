//! What is kept of a page, and what the reader of the page stream gets.

use std::net::IpAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Cached, CanonicalUrl, FileFacts, Fingerprint, Timing, Truncation, Verdict};

/// What the store keeps of every settled URL. As JSON it is what `crawl inspect --json` prints;
/// the field names are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRecord {
    /// The URL that was asked.
    pub url: CanonicalUrl,
    /// HTTP status; absent if no response came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub verdict: Verdict,
    /// Link distance from the nearest seed.
    #[serde(default)]
    pub depth: u32,
    /// The spider's label; empty for the default callback.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Settle number, from 1.
    #[serde(default)]
    pub n: u64,
    /// When the request was sent: milliseconds since the Unix epoch; 0 if none was.
    #[serde(default)]
    pub fetched_ms: u64,
    /// Name lookup to last body byte, in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// How long each phase took; absent if nothing was sent.
    #[serde(default, skip_serializing_if = "Timing::is_empty")]
    pub timing: Timing,
    /// The address that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// `HTTP/1.1` or `HTTP/2`, say; empty if no response came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// The response's `ETag`, for the next visit; empty if it had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// The response's `Last-Modified`, as it was written; empty if it had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_modified: String,
    /// How an earlier crawl's copy took part in it: `revalidated` if the server said that it is
    /// still good, `offline` if the server was not asked; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<Cached>,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// Media type without parameters; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// Size of the decoded body, in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// The document's title, shortened to 200 characters; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Number of links on it, known ones included.
    #[serde(default)]
    pub n_links: u32,
    /// Number of items taken from it.
    #[serde(default)]
    pub n_items: u32,
    /// Why the body is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncation>,
    /// Where it redirected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<CanonicalUrl>,
    /// The URLs that redirected here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<CanonicalUrl>,
    /// The page that linked here first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<CanonicalUrl>,
    /// What went wrong, for people; empty if nothing did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Where the body is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyPointer>,
    /// The file that its body went to, if an item asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<FileFacts>>,
    /// Number of files that its items ask for.
    #[serde(default, skip_serializing_if = "is_none_of")]
    pub n_files: u32,
    /// How the archived body, or the file that it went to, was lost, for people; empty if it was not.
    /// Written by `crawl verify --repair`, gone when the page is fetched again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body_lost: String,
    /// Tells one decoded body from another: see [`digest`](crate::digest); empty if there was
    /// none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Whether its request had header fields, metadata or settings of its own, of which nothing is
    /// kept here: the URL alone would ask for something else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_extras: bool,
    /// When it was last asked for again, whether or not there was an answer: milliseconds since
    /// the Unix epoch; 0 if never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checked_ms: u64,
    /// When the server last said that this copy is still good (304), same clock; 0 if it never had
    /// to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub confirmed_ms: u64,
    /// When it was last found to differ from the copy before, same clock; 0 if never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changed_ms: u64,
    /// How long after a visit it is asked for again, in milliseconds, as far as its changes have
    /// taught; 0 if they have not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interval_ms: u64,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_none_of(number: &u32) -> bool {
    *number == 0
}

/// Where a WARC record lies: file name under `bodies/`, offset and length of its gzip member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyPointer {
    /// File name.
    pub file: String,
    /// First byte of the member.
    pub offset: u64,
    /// Length of the member in bytes.
    pub len: u64,
    /// The record that has the body itself, if this one only says that it is the same as there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Box<BodyPointer>>,
}

impl PageRecord {
    /// A record that says only which URL ended how.
    #[must_use]
    pub fn new(url: CanonicalUrl, verdict: Verdict) -> Self {
        Self {
            url,
            verdict,
            status: None,
            depth: 0,
            label: String::new(),
            n: 0,
            fetched_ms: 0,
            elapsed_ms: 0,
            timing: Timing::default(),
            remote: None,
            protocol: String::new(),
            etag: String::new(),
            last_modified: String::new(),
            cached: None,
            attempts: 0,
            content_type: String::new(),
            bytes: 0,
            title: String::new(),
            n_links: 0,
            n_items: 0,
            truncated: None,
            redirect: None,
            chain: Vec::new(),
            referrer: None,
            error: String::new(),
            body: None,
            file: None,
            n_files: 0,
            body_lost: String::new(),
            digest: String::new(),
            has_extras: false,
            checked_ms: 0,
            confirmed_ms: 0,
            changed_ms: 0,
            interval_ms: 0,
        }
    }
}

impl PageRecord {
    /// Takes over what a visit that brought no better copy says of the page.
    pub fn take_visit(&mut self, visit: &Self) {
        self.checked_ms = visit.checked_ms;
        self.changed_ms = visit.changed_ms;
        self.interval_ms = visit.interval_ms;
        // A 304 renews them (RFC 9111, section 4.3.4).
        if visit.verdict == Verdict::NotModified {
            self.confirmed_ms = visit.checked_ms;
            for (old, new) in
                [(&mut self.etag, &visit.etag), (&mut self.last_modified, &visit.last_modified)]
            {
                if !new.is_empty() {
                    old.clone_from(new);
                }
            }
        }
    }

    /// When what is kept was last known to stand there: milliseconds since the Unix epoch; 0 if it
    /// was never asked for.
    #[must_use]
    pub fn seen_ms(&self) -> u64 {
        self.fetched_ms.max(self.confirmed_ms)
    }

    /// Takes user names and passwords out of all its URLs.
    pub fn drop_credentials(&mut self) {
        let urls = std::iter::once(&mut self.url).chain(&mut self.chain);
        for url in urls.chain(&mut self.redirect).chain(&mut self.referrer) {
            *url = url.without_credentials();
        }
    }
}

/// A settled URL, as the page stream yields it: durable by the time it is seen.
#[derive(Debug, Clone)]
pub struct Page {
    /// Key in the store.
    pub print: Fingerprint,
    /// What is kept.
    pub record: PageRecord,
    /// Header fields; empty when re-read from the store.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// The body; when re-read from the store, only if it was archived.
    pub body: Option<Bytes>,
    /// What the spider took from it, in order.
    pub items: Vec<serde_json::Value>,
}

impl Page {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &CanonicalUrl {
        &self.record.url
    }

    /// HTTP status; `None` if no response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.record.status
    }

    /// How it ended. A failed page is a value like any other.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.record.verdict
    }

    /// Settle number: `pages_from(n + 1)` goes on behind it.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.record.n
    }

    /// The body as text, invalid UTF-8 replaced; empty if there is none.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.body.as_deref().unwrap_or_default())
    }
}
