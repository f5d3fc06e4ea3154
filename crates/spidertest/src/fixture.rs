//! A request and its answer, as a spider is to see them.

use std::time::SystemTime;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Failure, FailureKind, Request, Response};
use crawl_spider::FailedRequest;
use serde::Serialize;

use crate::format::failure_of;
use crate::test::millis;

/// When fixtures were fetched that do not say: 1 January 2000, so that tests never depend on today.
const EPOCH_MS: u64 = 946_684_800_000;

/// A request and its answer.
///
/// # Examples
/// ```
/// use crawl_spidertest::Fixture;
///
/// let list = Fixture::html("http://h/list", "<li>x").label("list").meta(&7);
/// let gone = Fixture::html("http://h/7", "").status(404);
/// let api = Fixture::json("http://h/api?page=2", &["a", "b"]);
/// let lost = Fixture::failed("http://h/8", crawl_spidertest::FailureKind::ConnectTimeout, "no answer");
/// # let _ = (list, gone, api, lost);
/// ```
#[derive(Debug, Clone)]
pub struct Fixture {
    /// What was asked, with the spider's label and metadata.
    pub request: Request,
    /// What came, or why nothing did.
    pub reply: Result<Response, Failure>,
    /// When: milliseconds since the Unix epoch. It is the time that the spider sees.
    pub time_ms: u64,
}

impl Fixture {
    /// An answer of status 200 with this `Content-Type`.
    ///
    /// # Panics
    /// If `url` is no URL that is crawled.
    #[track_caller]
    pub fn new(url: &str, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let response = Response {
            status: 200,
            version: "HTTP/1.1",
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body.as_ref()),
            truncated: None,
            remote: None,
        };
        let fixture =
            Self { request: Request::get(parse(url)), reply: Ok(response), time_ms: EPOCH_MS };
        fixture.header("content-type", content_type)
    }

    /// A page of HTML in UTF-8.
    ///
    /// # Panics
    /// If `url` is no URL that is crawled.
    #[track_caller]
    pub fn html(url: &str, html: &str) -> Self {
        Self::new(url, "text/html; charset=utf-8", html)
    }

    /// An answer in JSON.
    ///
    /// # Panics
    /// If `url` is no URL that is crawled, or `value` cannot be written as JSON.
    #[track_caller]
    pub fn json(url: &str, value: &(impl Serialize + ?Sized)) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_else(|error| panic!("no JSON: {error}"));
        Self::new(url, "application/json", body)
    }

    /// A request that got no answer.
    ///
    /// # Panics
    /// If `url` is no URL that is crawled.
    #[track_caller]
    pub fn failed(url: &str, kind: FailureKind, detail: &str) -> Self {
        let reply = Err(Failure::new(kind, detail));
        Self { request: Request::get(parse(url)), reply, time_ms: EPOCH_MS }
    }

    /// What a spider's `error` was told: an answer of that status without a body, or the failure.
    #[must_use]
    pub fn of_failed(failed: &FailedRequest<'_>) -> Self {
        let now_ms = millis(SystemTime::now());
        let reply = match failed.status() {
            Some(status) => Ok(Response {
                status,
                version: "HTTP/1.1",
                headers: Vec::new(),
                body: Bytes::new(),
                truncated: None,
                remote: None,
            }),
            None => {
                let kind = failure_of(failed.verdict().name()).unwrap_or(FailureKind::Disconnected);
                Err(Failure::new(kind, failed.detail()))
            }
        };
        Self { request: failed.request().clone(), reply, time_ms: now_ms }
    }

    /// Sets which callback it is for.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.request.label = label.into();
        self
    }

    /// Sets the metadata that the callback gets.
    ///
    /// # Panics
    /// If it cannot be written as JSON.
    #[must_use]
    #[track_caller]
    pub fn meta(mut self, meta: &(impl Serialize + ?Sized)) -> Self {
        self.request.meta =
            serde_json::to_value(meta).unwrap_or_else(|error| panic!("no JSON: {error}"));
        self
    }

    /// Sets the status. A redirect needs its `location`, see [`header`](Self::header).
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Ok(response) = &mut self.reply {
            response.status = status;
        }
        self
    }

    /// Adds a header field of the answer, in place of one of the same name but for `set-cookie`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if let Ok(response) = &mut self.reply {
            if name != "set-cookie" {
                response.headers.retain(|(known, _)| **known != *name);
            }
            response.headers.push((name.into(), Bytes::copy_from_slice(value.as_bytes())));
        }
        self
    }

    /// Sets when it was fetched: milliseconds since the Unix epoch.
    #[must_use]
    pub fn at(mut self, time_ms: u64) -> Self {
        self.time_ms = time_ms;
        self
    }
}

#[track_caller]
fn parse(url: &str) -> CanonicalUrl {
    CanonicalUrl::parse(url).unwrap_or_else(|error| panic!("`{url}`: {error}"))
}
