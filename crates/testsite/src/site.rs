//! What a site is: a function from request to reply, and the truth about its pages.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;

/// Answers requests. Called on the server's runtime, so it must not block.
///
/// Closures are sites, too:
/// ```
/// use crawl_testsite::{Reply, SiteRequest};
/// let echo = |request: &SiteRequest<'_>| Reply::html(request.path_and_query.to_owned());
/// # let _: &dyn crawl_testsite::Site = &echo;
/// ```
pub trait Site: Send + Sync {
    /// Answers `request`.
    fn respond(&self, request: &SiteRequest<'_>) -> Reply;
}

impl<F: Fn(&SiteRequest<'_>) -> Reply + Send + Sync> Site for F {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        self(request)
    }
}

/// A request, as a site sees it.
#[derive(Debug, Clone, Copy)]
pub struct SiteRequest<'a> {
    /// Host name in lower case, without port; empty if the request named none.
    pub host: &'a str,
    /// The `Host` header as it came: with the port, if the client wrote one.
    pub authority: &'a str,
    /// `GET`, `POST` ..
    pub method: &'a str,
    /// Path and query as they came, beginning with `/`.
    pub path_and_query: &'a str,
    /// The body; empty for most.
    pub body: &'a [u8],
    headers: Option<&'a HeaderMap>,
}

impl<'a> SiteRequest<'a> {
    /// A plain GET, to ask a [`Site`] without a server.
    #[must_use]
    pub fn get(host: &'a str, path_and_query: &'a str) -> Self {
        Self { host, authority: host, method: "GET", path_and_query, body: &[], headers: None }
    }

    pub(crate) fn with_headers(self, headers: &'a HeaderMap) -> Self {
        Self { headers: Some(headers), ..self }
    }

    /// Path without query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path_and_query.split_once('?').map_or(self.path_and_query, |(path, _)| path)
    }

    /// The first header field of this name, in any case; `None` if absent or no UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.headers?.get(name)?.as_bytes()).ok()
    }

    /// All header fields that are UTF-8, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.headers.into_iter().flatten().filter_map(|(name, value)| {
            Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
        })
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code, 100 to 999; anything else is sent as 500.
    pub status: u16,
    /// `Content-Type`; left out if empty.
    pub content_type: Cow<'static, str>,
    /// More header fields. One that HTTP does not allow turns the reply into a 500 that says so.
    pub headers: Vec<(String, String)>,
    /// The body, sent with its length.
    pub body: Bytes,
    /// What goes wrong on the way.
    pub fault: Option<Fault>,
    /// How long it takes, instead of the site's latency.
    pub latency: Option<Duration>,
}

/// How a server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Announces the whole body, sends half of it and closes.
    CutBody,
    /// Sends bytes that are no HTTP and closes.
    NotHttp,
    /// Closes without a byte.
    Close,
    /// Sends the body, one byte every 20 ms: never idle, never done.
    SlowBody,
    /// Sends the head and half of the body, then nothing, until the client closes.
    Stall,
    /// Sends nothing at all, until the client closes.
    Hang,
}

impl Fault {
    /// Whether the client sees the reply's status.
    pub(crate) fn has_head(self) -> bool {
        match self {
            Self::CutBody | Self::SlowBody | Self::Stall => true,
            Self::NotHttp | Self::Close | Self::Hang => false,
        }
    }
}

impl Reply {
    /// 200 with a body of any type.
    #[must_use]
    pub fn new(content_type: impl Into<Cow<'static, str>>, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            content_type: content_type.into(),
            headers: Vec::new(),
            body: body.into(),
            fault: None,
            latency: None,
        }
    }

    /// 200 with an HTML page in UTF-8.
    #[must_use]
    pub fn html(body: impl Into<Bytes>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    /// 200 with plain text in UTF-8.
    #[must_use]
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self::new("text/plain; charset=utf-8", body)
    }

    /// A short HTML page with this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><title>{status}</title><h1>{status}</h1></html>\n"
        );
        Self { status, ..Self::html(body) }
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::status(404)
    }

    /// A redirect with `to` as its `Location`.
    #[must_use]
    pub fn redirect(to: &str, status: u16) -> Self {
        Self::status(status).with_header("location", to)
    }

    /// Adds a header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is sent to a client that names the version it has (RFC 9110, section 13.2.2): 304 if
    /// that is this one, by `ETag` or else by `Last-Modified` as it was written.
    pub(crate) fn unless_known(self, request: &SiteRequest<'_>) -> Self {
        let is_plain = self.status == 200 && self.fault.is_none();
        if !is_plain || !matches!(request.method, "GET" | "HEAD") {
            return self;
        }
        let field = |name: &str| {
            let mut fields = self.headers.iter();
            fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let strong = |tag: &'_ str| tag.trim().trim_start_matches("W/").to_owned();
        let is_known = match (request.header("if-none-match"), field("etag")) {
            (Some(known), Some(tag)) => {
                known.split(',').any(|known| known.trim() == "*" || strong(known) == strong(tag))
            }
            (Some(_), None) => false,
            (None, _) => field("last-modified")
                .is_some_and(|date| request.header("if-modified-since") == Some(date)),
        };
        if !is_known {
            return self;
        }
        Self { status: 304, content_type: Cow::Borrowed(""), body: Bytes::new(), ..self }
    }

    /// Goes wrong.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// Takes this long, instead of the site's latency.
    #[must_use]
    pub fn after(self, latency: Duration) -> Self {
        Self { latency: Some(latency), ..self }
    }
}

/// What a crawl that follows every `<a href>` from `/` on one host, and obeys robots.txt, finds.
///
/// Computed from the site's numbers, not from its pages; the crate's tests prove that both agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// Reachable HTML pages with status 200: the length of `urls`.
    pub pages: usize,
    /// Books, each with a detail page among `urls`; zero for sites that are no bookshop.
    pub books: usize,
    /// Paths of the reachable pages with status 200.
    pub urls: Vec<String>,
    /// Distinct reachable URLs that redirect; their targets are among `urls`.
    pub redirects: usize,
    /// Distinct reachable URLs that are 404.
    pub not_found: usize,
    /// Distinct URLs linked from `urls` that robots.txt forbids.
    pub disallowed: usize,
    /// Distinct URLs of other hosts linked from `urls`.
    pub off_domain: usize,
}
