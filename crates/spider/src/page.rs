//! What a callback reads: a response and the host's services for it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crawl_model::{CanonicalUrl, Request, Response, Truncation};
use serde::Deserialize;
use serde_json::Value;

use crate::node::{evaluate, first, first_attr, first_text, join, select, xpath};
use crate::{
    CsvDialect, CsvRows, Entry, Fate, ItemQuery, Link, Node, Nodes, PageServices, Rows,
    SpiderError, XPathValue,
};

/// A fetched page, borrowed from the host for the length of a callback.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    request: &'a Request,
    response: &'a Response,
    services: &'a dyn PageServices,
}

impl<'a> Page<'a> {
    /// Puts a page together; for hosts.
    #[must_use]
    pub fn new(
        request: &'a Request,
        response: &'a Response,
        services: &'a dyn PageServices,
    ) -> Self {
        Self { request, response, services }
    }

    /// What answers for it; for hosts.
    #[must_use]
    pub fn services(&self) -> &'a dyn PageServices {
        self.services
    }

    /// Not for spiders: in a plugin the body is the host's memory, and a copy of the response would
    /// outlive it.
    pub(crate) fn response(&self) -> &'a Response {
        self.response
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &'a CanonicalUrl {
        &self.request.url
    }

    /// The request it answers.
    #[must_use]
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// First value of a header as text, its name in any case; `None` if absent or not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.response.header(&name.to_ascii_lowercase())
        } else {
            self.response.header(name)
        }
    }

    /// All header fields in the order they came, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.response.headers.iter().map(|(name, value)| (&**name, &value[..]))
    }

    /// `Content-Type` without parameters, in lower case; empty if there is none.
    #[must_use]
    pub fn media_type(&self) -> String {
        self.response.media_type()
    }

    /// The body as it came, content codings removed.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.response.body
    }

    /// Why the body is not whole; `None` if it is.
    #[must_use]
    pub fn truncated(&self) -> Option<Truncation> {
        self.response.truncated
    }

    /// The body as text: character encoding taken from byte order mark, `Content-Type` or the
    /// document itself, malformed sequences replaced.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.services.decoded()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`SpiderError::Json`] if it is none, or not a `T`.
    pub fn json<T: Deserialize<'a>>(&self) -> Result<T, SpiderError> {
        Ok(serde_json::from_str(self.text())?)
    }

    /// What a JSONPath (RFC 9535) finds in the page's JSON: `$.items[*].price`. The page is parsed
    /// once, whatever the number of queries.
    ///
    /// # Errors
    /// [`SpiderError::Json`] if the page is no JSON or nests deeper than 128 levels,
    /// [`SpiderError::Query`] if `path` does not parse.
    pub fn json_path(&self, path: &str) -> Result<Vec<&'a Value>, SpiderError> {
        self.services.json_path(path)
    }

    /// The page's rows, read as CSV one after the other. The first row has the names of the
    /// columns, unless the `Content-Type` says `header=absent`; values are separated by commas,
    /// tabs, semicolons or bars, whichever fits the first rows best.
    ///
    /// # Errors
    /// A row is [`SpiderError::Other`], and the last one, if it has more than 16,384 columns.
    #[must_use]
    pub fn csv(&self) -> CsvRows<'a> {
        self.services.csv()
    }

    /// The page's rows, read as CSV of this dialect: for files that [`csv`](Self::csv) takes for
    /// something else.
    ///
    /// # Errors
    /// As for [`csv`](Self::csv).
    #[must_use]
    pub fn csv_as(&self, dialect: &CsvDialect) -> CsvRows<'a> {
        self.services.csv_as(dialect)
    }

    /// The entries of a sitemap (sitemaps.org protocol, or one URL per line) or a feed (RSS 0.9 to
    /// 2.0, Atom), compressed ones, too; none of any other page.
    ///
    /// ```
    /// use crawl_spider::{Harvest, Page, SpiderError};
    ///
    /// fn news(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    ///     for entry in page.entries() {
    ///         out.item(entry)?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn entries(&self) -> &'a [Entry] {
        self.services.entries()
    }

    /// Which callback the page is for; empty for the default one.
    #[must_use]
    pub fn label(&self) -> &'a str {
        &self.request.label
    }

    /// The metadata that the request was given, typed. A request without any has `null`, which
    /// `Option<T>` takes.
    ///
    /// # Errors
    /// [`SpiderError::Meta`] if it is not a `T`.
    pub fn meta<T: Deserialize<'a>>(&self) -> Result<T, SpiderError> {
        T::deserialize(&self.request.meta).map_err(SpiderError::Meta)
    }

    /// Link distance from the nearest seed; 0 for seeds.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.request.depth
    }

    /// When it was fetched: the time to write into items. In a test it is the fixture's, so that
    /// what a spider gives does not depend on the day. Now, if nobody knows.
    #[must_use]
    pub fn fetched_at(&self) -> SystemTime {
        match self.services.fetched_ms() {
            0 => SystemTime::now(),
            ms => UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH),
        }
    }

    /// The document's title, whitespace collapsed, at most 200 characters; empty if it has none.
    #[must_use]
    pub fn title(&self) -> &'a str {
        self.services.title()
    }

    /// The elements that match a CSS selector, in document order.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn css(&self, selector: &str) -> Result<Nodes<'a>, SpiderError> {
        select(self.services, selector, None)
    }

    /// The first element that matches; `None` if none does.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn first(&self, selector: &str) -> Result<Option<Node<'a>>, SpiderError> {
        first(self.services, selector, None)
    }

    /// The [`Node::text`] of the first element that matches; `None` if none does.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn text_of(&self, selector: &str) -> Result<Option<String>, SpiderError> {
        first_text(self.services, selector, None)
    }

    /// The attribute of the first element that matches; `None` if none does or it has none.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn attr_of(&self, selector: &str, name: &str) -> Result<Option<&'a str>, SpiderError> {
        first_attr(self.services, selector, None, name)
    }

    /// The nodes that an XPath 1.0 expression gives, in document order: elements, but also
    /// attributes and texts, whose [`Node::text`] is their value.
    ///
    /// ```
    /// use crawl_spider::{Page, SpiderError};
    ///
    /// fn next(page: &Page<'_>) -> Result<Vec<String>, SpiderError> {
    ///     Ok(page.xpath("//a[normalize-space() = 'next']/@href")?.texts())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if it does not parse, gives no nodes (but, say, a number: see
    /// [`evaluate`](Self::evaluate)) or takes too long.
    pub fn xpath(&self, expr: &str) -> Result<Nodes<'a>, SpiderError> {
        xpath(self.services, expr, None)
    }

    /// What an XPath 1.0 expression gives, whatever its type.
    ///
    /// ```
    /// use crawl_spider::{Page, SpiderError, XPathValue};
    ///
    /// fn total(page: &Page<'_>) -> Result<f64, SpiderError> {
    ///     match page.evaluate("sum(//td[@class = 'price'])")? {
    ///         XPathValue::Number(total) => Ok(total),
    ///         other => Err(SpiderError::other(format!("no number, but `{other}`"))),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if it does not parse or takes too long.
    pub fn evaluate(&self, expr: &str) -> Result<XPathValue<'a>, SpiderError> {
        evaluate(self.services, expr, None)
    }

    /// The rows of a query, in document order. Queries that the spider told the host beforehand
    /// ([`Spider::wants`](crate::Spider::wants)) are answered without building a document tree,
    /// if their selectors can be matched while the page streams by.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector of the rows does not parse.
    pub fn rows<'q>(&self, query: &'q ItemQuery) -> Result<Rows<'q>, SpiderError>
    where
        'a: 'q,
    {
        Rows::new(self.services, query)
    }

    /// All links of the page in document order, without building a document tree. Repeated ones
    /// are included, those within the page (`href="#top"`) are not.
    #[must_use]
    pub fn links(&self) -> &'a [Link] {
        self.services.links()
    }

    /// What would become of a plain request for `url`, made on this page: whether it is new,
    /// known, or refused by the crawl's scope. robots.txt is judged later.
    #[must_use]
    pub fn fate(&self, url: &CanonicalUrl) -> Fate {
        self.services.fate(url)
    }

    /// Resolves a reference against the document's base URL.
    ///
    /// # Errors
    /// [`SpiderError::Link`] if it leads nowhere that is crawled.
    pub fn join(&self, href: &str) -> Result<CanonicalUrl, SpiderError> {
        join(self.services, href)
    }
}

impl fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} {})", self.status(), self.url())
    }
}
