//! Pages made by hand.

use std::time::{SystemTime, UNIX_EPOCH};

use crawl_model::{CanonicalUrl, Request, Response, UrlError};
use crawl_spider::{Page, Spider};

use super::{Document, Reading};
use crate::stream::Table;

/// A page made by hand, for tests of spiders: no network, the same parser.
///
/// # Examples
/// ```
/// let test = crawl_parser::page_from_html("http://shop.test/", "<h1>Tea</h1><a href=2>next</a>")?;
/// let page = test.page();
/// assert_eq!(page.text_of("h1")?.as_deref(), Some("Tea"));
/// assert_eq!(page.links()[0].url.as_str(), "http://shop.test/2");
/// # Ok::<(), crawl_spider::SpiderError>(())
/// ```
pub struct TestPage {
    request: Request,
    response: Response,
    pub(crate) document: Document<'static>,
}

impl TestPage {
    /// Puts request and response together.
    #[must_use]
    pub fn new(request: Request, response: Response) -> Self {
        let document = Document::open(&request.url, &response, &Reading::default()).into_owned();
        Self { request, response, document }
    }

    /// Lets the page be read for `spider`: what it wants of its pages ([`Spider::wants`]) is
    /// matched beforehand, as in a crawl. Without this it gets the same, more slowly.
    #[must_use]
    pub fn with_spider(mut self, spider: &(impl Spider + ?Sized)) -> Self {
        let mut wants = spider.wants();
        wants.extend(spider.rules().wants());
        self.document.table = Some(Table::shared(wants));
        self
    }

    /// Sets the label that the page's request has ([`Page::label`]).
    pub fn set_label(&mut self, label: &str) {
        self.request.label = label.into();
    }

    /// Sets when it was fetched ([`Page::fetched_at`]).
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.document = self.document.at(ms);
        self
    }

    /// The page as a spider sees it.
    #[must_use]
    pub fn page(&self) -> Page<'_> {
        Page::new(&self.request, &self.response, &self.document)
    }
}

/// Makes a [`TestPage`] of an HTML text, as if a server had sent it with status 200.
///
/// # Errors
/// [`UrlError`] if `url` is not one that is crawled.
pub fn page_from_html(url: &str, html: &str) -> Result<TestPage, UrlError> {
    page_from_body(url, "text/html; charset=utf-8", html)
}

/// Makes a [`TestPage`] of a body with this `Content-Type`, as if a server had sent it with
/// status 200. For other statuses and headers there is [`TestPage::new`].
///
/// # Errors
/// [`UrlError`] if `url` is not one that is crawled.
pub fn page_from_body(
    url: &str,
    content_type: &str,
    body: impl AsRef<[u8]>,
) -> Result<TestPage, UrlError> {
    let response = Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![(
            "content-type".into(),
            bytes::Bytes::copy_from_slice(content_type.as_bytes()),
        )],
        body: bytes::Bytes::copy_from_slice(body.as_ref()),
        truncated: None,
        remote: None,
    };
    Ok(TestPage::new(Request::get(CanonicalUrl::parse(url)?), response))
}
