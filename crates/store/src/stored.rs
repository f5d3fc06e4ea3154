//! A stored crawl as a source of answers: each settled page once, with the request that was made
//! and what came, as far as it was kept.
//!
//! The record has the page's URL, label and place; what few requests have beyond that (a method,
//! metadata) stands in the settle log, where it was found. Of such requests those that wait for
//! their settle are held in memory, as the crawl itself held them.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use crawl_model::{Event, Fingerprint, PageRecord, Request, Response};

use crate::codec::{Raw, Thaw};
use crate::log::{Log, last_or};
use crate::{Reader, StoreError};

/// A settled page, to be read once more.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// What was asked, its credentials left out.
    pub request: Request,
    /// What is known of the page.
    pub record: PageRecord,
    /// What came.
    pub answer: StoredAnswer,
}

/// What came of a request, as far as it was kept.
#[derive(Debug, Clone)]
pub enum StoredAnswer {
    /// A response; of one whose body says nothing more (a redirect, an error) perhaps without it.
    Response(Response),
    /// None: the record's `error` says why.
    Failed,
    /// One with a body that is not in the archive (`store.bodies`).
    NotArchived,
    /// One whose body is a file in the folder, at this place within it.
    File(Response, String),
    /// One whose archived body was damaged and taken out (`crawl verify --repair`).
    Lost,
    /// It was never sent: its host was dead, say.
    NotSent,
}

/// All pages, in the order they settled: see [`Reader::stored`].
#[derive(Debug)]
pub struct StoredPages {
    log: Log,
    thaw: Thaw,
    reader: Reader,
    /// Requests that are more than a URL, until they settle.
    waiting: HashMap<Fingerprint, Request>,
    is_over: bool,
}

impl StoredPages {
    pub(crate) fn new(reader: Reader, log: Log) -> Self {
        let (thaw, waiting) = (Thaw::default(), HashMap::new());
        Self { log, thaw, reader, waiting, is_over: false }
    }

    fn step(&mut self) -> Result<Option<StoredPage>, StoreError> {
        loop {
            let (n, print) = match self.log.next()? {
                None => return Ok(None),
                Some(Raw::Settled { n, ending, .. }) => (n, ending.print),
                Some(Raw::Found(found)) if found.has_extension() && found.filtered.is_none() => {
                    if let Some(Event::Found(found)) = self.thaw.event(Raw::Found(found)) {
                        self.waiting.insert(found.print, found.request);
                    }
                    continue;
                }
                Some(_) => continue,
            };
            let told = self.waiting.remove(&print);
            let record = self.reader.page(print)?;
            // Another number: fetched again later, or kept out by a better copy.
            let Some(record) = record.filter(|record| record.n == n) else { continue };
            let request = told.unwrap_or_else(|| request_of(&record));
            let answer = self.reader.answer(&record)?;
            return Ok(Some(StoredPage { request, record, answer }));
        }
    }
}

impl Iterator for StoredPages {
    type Item = Result<StoredPage, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step();
        last_or(step, &mut self.is_over)
    }
}

/// The request of a record that says all of it.
fn request_of(record: &PageRecord) -> Request {
    let mut request = Request::get(record.url.clone());
    request.label = record.label.as_str().into();
    request.depth = record.depth;
    request.referrer = record.referrer.clone();
    request.chain = record.chain.clone();
    request
}

impl Reader {
    /// What came of a page's request.
    pub(crate) fn answer(&self, record: &PageRecord) -> Result<StoredAnswer, StoreError> {
        let Some(status) = record.status else {
            let was_sent = record.attempts > 0;
            return Ok(if was_sent { StoredAnswer::Failed } else { StoredAnswer::NotSent });
        };
        if let Some(file) = &record.file {
            return Ok(StoredAnswer::File(bare(status, record), file.path.clone()));
        }
        let mut response = match &record.body {
            Some(pointer) => self.response(pointer)?,
            None if has_body(record) && !record.body_lost.is_empty() => {
                return Ok(StoredAnswer::Lost);
            }
            None if has_body(record) => return Ok(StoredAnswer::NotArchived),
            None => bare(status, record),
        };
        response.status = status;
        response.truncated = record.truncated;
        response.version = match &*record.protocol {
            "HTTP/2" => "HTTP/2",
            "HTTP/1.0" => "HTTP/1.0",
            _ => "HTTP/1.1",
        };
        response.remote = record.remote.map(|ip| SocketAddr::new(ip, record.url.port()));
        response.set_cached(None);
        Ok(StoredAnswer::Response(response))
    }
}

/// Whether there was a body that would be missed.
fn has_body(record: &PageRecord) -> bool {
    let is_redirect = record.redirect.is_some() && matches!(record.status, Some(300..400));
    record.bytes > 0 && !is_redirect && !record.verdict.is_http_error()
}

/// What the record alone says of an answer whose body says nothing more.
fn bare(status: u16, record: &PageRecord) -> Response {
    let mut headers = Vec::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            headers.push((name.into(), Bytes::copy_from_slice(value.as_bytes())));
        }
    };
    field("content-type", &record.content_type);
    field("etag", &record.etag);
    field("last-modified", &record.last_modified);
    if (300..400).contains(&status) {
        field("location", record.redirect.as_ref().map_or("", |target| target.as_str()));
    }
    let (version, body) = ("HTTP/1.1", Bytes::new());
    Response { status, version, headers, body, truncated: None, remote: None }
}
