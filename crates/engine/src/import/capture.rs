//! One capture of an archive: a response, and the request that brought it.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};

use crawl_model::{CanonicalUrl, Method, Request, Response, Sent};
use crawl_store::{BadRecord, Head, HttpHead, StoreError, Warc, decode_body, truncation_of};

use crate::error::CrawlError;

/// Largest body that is read, decoded, in bytes; the rest is cut off and the page says so.
const MAX_BODY: usize = 64 << 20;

/// A response of an archive.
pub(super) struct Capture {
    /// `WARC-Target-URI`.
    pub(super) target: String,
    pub(super) url: CanonicalUrl,
    pub(super) at_us: u64,
    pub(super) response: Response,
    pub(super) sent: Option<Sent>,
}

impl Capture {
    /// Reads a response; the inner error says why it is passed over.
    ///
    /// `original` gives the body that a revisit refers to.
    pub(super) fn read(
        warc: &mut Warc<File>,
        head: &Head,
        original: impl FnOnce(&Head, &CanonicalUrl) -> Result<Option<Vec<u8>>, CrawlError>,
    ) -> Result<Result<Self, &'static str>, Lost> {
        let Some(target) = head.target() else { return Ok(Err("no-url")) };
        let Ok(url) = CanonicalUrl::parse(target) else { return Ok(Err("not-http")) };
        let Some(at_us) = head.at_us() else { return Ok(Err("no-date")) };
        let is_revisit = head.kind() == "revisit";
        if is_revisit && head.get("WARC-Profile").is_some_and(|it| it.ends_with("not-modified")) {
            return Ok(Err("not-modified"));
        }
        let Ok(http) = HttpHead::read(warc) else { return Ok(Err("no-http")) };
        let Some(status) = http.status() else { return Ok(Err("no-http")) };
        let (body, truncated) = match is_revisit {
            true => match original(head, &url)? {
                Some(body) => (body, None),
                None => return Ok(Err("revisit-without-original")),
            },
            false => {
                let mut body = Vec::new();
                // What is coded may grow; what is longer by far is no page.
                let limit = (MAX_BODY as u64).saturating_mul(2);
                warc.by_ref().take(limit).read_to_end(&mut body).map_err(|e| warc.bad(&e))?;
                decode_body(&http, body, MAX_BODY)
            }
        };
        let ip: Option<IpAddr> = head.get("WARC-IP-Address").and_then(|ip| ip.parse().ok());
        let version = if http.line.starts_with("HTTP/1.0") { "HTTP/1.0" } else { "HTTP/1.1" };
        let is_h2 = head.get("WARC-Protocol").is_some_and(|it| it.starts_with("h2"));
        let response = Response {
            status,
            version: if is_h2 { "HTTP/2" } else { version },
            headers: http.fields,
            body: body.into(),
            truncated: head.get("WARC-Truncated").map(truncation_of).or(truncated),
            remote: ip.map(|ip| SocketAddr::new(ip, url.port())),
        };
        let target = target.to_owned();
        Ok(Ok(Self { target, url, at_us, response, sent: None }))
    }
}

/// Why a record gives nothing.
pub(super) enum Lost {
    Bad(BadRecord),
    Crawl(CrawlError),
}

impl From<CrawlError> for Lost {
    fn from(error: CrawlError) -> Self {
        Self::Crawl(error)
    }
}

impl From<BadRecord> for Lost {
    fn from(bad: BadRecord) -> Self {
        Self::Bad(bad)
    }
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        Self::Crawl(error.into())
    }
}

/// What was asked for, as far as it counts for which page it is.
pub(super) fn request_of(url: CanonicalUrl, sent: Option<&Sent>) -> Request {
    let mut request = Request::get(url);
    let Some(sent) = sent else { return request };
    request.method = match sent.head.split(|byte| *byte == b' ').next() {
        Some(b"POST") => Method::Post,
        Some(b"HEAD") => Method::Head,
        _ => return request,
    };
    request.body = sent.body.to_vec();
    request
}

/// Reads a request; `None` if it is none of HTTP.
pub(super) fn read_request(warc: &mut Warc<File>) -> Result<Option<Sent>, Lost> {
    let Ok(http) = HttpHead::read(warc) else { return Ok(None) };
    let mut text = http.line.into_bytes();
    text.extend_from_slice(b"\r\n");
    for (name, value) in &http.fields {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            text.extend_from_slice(part);
        }
    }
    let mut body = Vec::new();
    warc.by_ref().take(MAX_BODY as u64).read_to_end(&mut body).map_err(|e| warc.bad(&e))?;
    Ok(Some(Sent { head: text.into(), body: body.into(), at_us: 0 }))
}
