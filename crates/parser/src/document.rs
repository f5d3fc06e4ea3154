//! A body and what is read from it, each thing once and only when it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Request, Response, UrlError};
use crawl_spider::{
    CsvRows, Evaluated, ItemQuery, Link, LinkKind, MatchedRows, NodeId, Page, PageServices,
    QueryError, SelectorError, Spider, SpiderError,
};
use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use crate::css::compiled;
use crate::data::{csv, json, pattern};
use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::sniff::sniff;
use crate::decode::{Decoded, Legacy, decode_with};
use crate::dom::{Dom, Flavour};
use crate::links::resolve::Resolver;
use crate::links::{Scan, scan_html};
use crate::markup::scan::Scanner;
use crate::reader::{Body, ReadOut, Readers};
use crate::stream::{Matches, Table};
use crate::xml::feed::scan_xml;
use crate::xml::{gunzip_if, kind_of_unzipped};
use crate::xpath;

/// How documents are read, besides what they say themselves.
#[derive(Default)]
pub(crate) struct Reading<'a> {
    /// Whether undeclared encodings are guessed.
    pub(crate) detect_encoding: bool,
    /// The program's own readers.
    pub(crate) readers: Option<&'a Readers>,
}

/// One document: the host's side of a [`Page`].
pub(crate) struct Document<'a> {
    url: CanonicalUrl,
    kind: Kind,
    text: Cow<'a, str>,
    encoding: &'static Encoding,
    declared: Declared,
    reader_error: Option<String>,
    json: OnceCell<Option<Value>>,
    scanned: OnceCell<(Scan, Resolver)>,
    dom: OnceCell<Dom>,
    table: Option<Arc<Table>>,
    matched: OnceCell<Vec<Option<Matches>>>,
}

impl<'a> Document<'a> {
    /// Decodes a response's body. One that is not text has an empty text.
    pub(crate) fn new(url: &CanonicalUrl, response: &'a Response) -> Self {
        Self::open(url, response, &Reading::default())
    }

    /// Decodes a response's body, or gives it to the reader of its media type.
    pub(crate) fn open(url: &CanonicalUrl, response: &'a Response, reading: &Reading<'_>) -> Self {
        let declared = Declared::of_response(response);
        let body = gunzip_if(&response.body);
        let bytes = &body[..];
        let kind = match body {
            Cow::Borrowed(_) => Kind::judge(bytes, &declared),
            // The media type is that of the compressed file.
            Cow::Owned(_) => kind_of_unzipped(bytes, &declared),
        };
        let legacy = match reading.detect_encoding {
            true => Legacy::Guess { host: url.host_str() },
            false => Legacy::Western,
        };
        let media_type = sniff(bytes, &declared);
        if let Some(reader) = reading.readers.and_then(|readers| readers.find(media_type)) {
            let body = Body { url, media_type, bytes, declared: &declared, kind, legacy };
            let read = reader.read(&body).map_err(|error| error.to_string());
            return Self::read(url, declared, read);
        }
        let decoded = match kind {
            Kind::Binary => Decoded { text: Cow::Borrowed(""), encoding: UTF_8 },
            _ => match &body {
                Cow::Borrowed(bytes) => decode_with(bytes, &declared, kind, legacy),
                Cow::Owned(bytes) => decode_with(bytes, &declared, kind, legacy).into_owned(),
            },
        };
        Self::with(url, kind, decoded, declared)
    }

    /// What a reader made of a body.
    fn read(url: &CanonicalUrl, declared: Declared, read: Result<ReadOut, String>) -> Self {
        let (ReadOut { text, links }, error) = match read {
            Ok(read) => (read, None),
            Err(error) => (ReadOut::default(), Some(error)),
        };
        let decoded = Decoded { text: Cow::Owned(text), encoding: UTF_8 };
        let resolver = Resolver::new(url.to_url(), UTF_8);
        let link = |href: &String| {
            let (text, rel) = (Box::default(), Box::default());
            let (nofollow, kind) = (false, LinkKind::Reader);
            Some(Link { url: resolver.link(href)?, text, rel, nofollow, kind })
        };
        let links = links.iter().filter_map(link).collect();
        let scan = Scan { links, ..Scan::default() };
        let document = Self::with(url, Kind::Text, decoded, declared);
        Self { scanned: OnceCell::from((scan, resolver)), reader_error: error, ..document }
    }

    fn with(url: &CanonicalUrl, kind: Kind, decoded: Decoded<'a>, declared: Declared) -> Self {
        let Decoded { text, encoding } = decoded;
        Self {
            url: url.clone(),
            kind,
            text,
            encoding,
            declared,
            reader_error: None,
            json: OnceCell::new(),
            scanned: OnceCell::new(),
            dom: OnceCell::new(),
            table: None,
            matched: OnceCell::new(),
        }
    }

    /// Matches what the spider wants of its pages, besides what it asks for.
    pub(crate) fn with_table(self, table: Option<Arc<Table>>) -> Self {
        Self { table, ..self }
    }

    /// Lets go of the response.
    fn into_owned(self) -> Document<'static> {
        let text = Cow::Owned(self.text.into_owned());
        Document {
            url: self.url,
            kind: self.kind,
            text,
            encoding: self.encoding,
            declared: self.declared,
            reader_error: self.reader_error,
            json: self.json,
            scanned: self.scanned,
            dom: self.dom,
            table: self.table,
            matched: self.matched,
        }
    }

    /// Why the program's own reader could not read it.
    pub(crate) fn reader_error(&self) -> Option<&str> {
        self.reader_error.as_deref()
    }

    fn scanned(&self) -> &(Scan, Resolver) {
        self.scanned.get_or_init(|| {
            let mut resolver = Resolver::of(&self.url, self.encoding);
            let scan = match self.kind {
                Kind::Html => scan_html(&self.text, &mut resolver),
                Kind::Xml => scan_xml(&self.text, self.url.to_url()),
                Kind::Json | Kind::Csv | Kind::Text | Kind::Binary => Scan::default(),
            };
            (scan, resolver)
        })
    }

    fn dom(&self) -> &Dom {
        self.dom.get_or_init(|| match self.kind {
            Kind::Html => Dom::html(&self.text, &self.scanned().0.crowded),
            Kind::Xml => Dom::xml(&self.text),
            // Selectors read whatever it is as HTML, so what is crowded there must be known.
            Kind::Json | Kind::Csv | Kind::Text | Kind::Binary => {
                let mut scanner = Scanner::html(&self.text);
                scanner.by_ref().for_each(drop);
                Dom::html(&self.text, scanner.crowded())
            }
        })
    }

    fn matches(&self, table: &Table) -> &[Option<Matches>] {
        self.matched.get_or_init(|| {
            let dom = self.dom();
            if dom.flavour() != Flavour::Html {
                return Vec::new(); // other rules for names
            }
            let mut matcher = table.matcher(dom.is_quirky());
            matcher.walk(dom);
            matcher.finish()
        })
    }

    /// Whether a tree was needed.
    #[cfg(test)]
    pub(crate) fn has_dom(&self) -> bool {
        self.dom.get().is_some()
    }
}

impl PageServices for Document<'_> {
    fn select(&self, css: &str, root: Option<NodeId>) -> Result<Vec<NodeId>, SelectorError> {
        let selector = compiled(css)?;
        Ok(selector.select(self.dom(), root))
    }

    fn xpath(&self, expr: &str, root: Option<NodeId>) -> Result<Evaluated, SelectorError> {
        let (expr, dom) = (xpath::compiled(expr)?, self.dom());
        expr.evaluate(dom, root.unwrap_or(dom.document()))
    }

    fn matched(&self, query: &ItemQuery) -> Option<&dyn MatchedRows> {
        let table = self.table.as_deref()?;
        let matches = self.matches(table).get(table.find(query)?)?.as_ref()?;
        Some(matches)
    }

    fn text_content(&self, node: NodeId) -> Cow<'_, str> {
        self.dom().text_content(node)
    }

    fn attr(&self, node: NodeId, name: &str) -> Option<&str> {
        self.dom().attr(node, name)
    }

    fn html(&self, node: NodeId) -> String {
        self.dom().outer(node)
    }

    fn tag(&self, node: NodeId) -> &str {
        self.dom().name(node)
    }

    fn links(&self) -> &[Link] {
        &self.scanned().0.links
    }

    fn decoded(&self) -> &str {
        &self.text
    }

    fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        self.scanned().1.join(href)
    }

    fn title(&self) -> &str {
        &self.scanned().0.title
    }

    fn json_path(&self, path: &str) -> Result<Vec<&Value>, SpiderError> {
        match self.json.get_or_init(|| serde_json::from_str(&self.text).ok()) {
            Some(value) => Ok(json::query(value, path)?),
            // Errors cannot be kept, so it is made again.
            None => Err(serde_json::from_str::<Value>(&self.text)
                .map_or_else(SpiderError::Json, |_| {
                    SpiderError::other("the JSON is read differently each time")
                })),
        }
    }

    fn csv(&self) -> CsvRows<'_> {
        let is_tabbed = self.declared.essence() == Some("text/tab-separated-values");
        let delimiter = if is_tabbed { b'\t' } else { csv::delimiter(&self.text) };
        let has_names = !self.declared.has_no_header();
        CsvRows::new(csv::Rows::new(&self.text, csv::Dialect { delimiter, has_names }))
    }

    fn find(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, QueryError> {
        pattern::find(pattern, text, most)
    }
}

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
    document: Document<'static>,
}

impl TestPage {
    /// Puts request and response together.
    #[must_use]
    pub fn new(request: Request, response: Response) -> Self {
        let document = Document::new(&request.url, &response).into_owned();
        Self { request, response, document }
    }

    /// Lets the page be read for `spider`: what it wants of its pages ([`Spider::wants`]) is
    /// matched beforehand, as in a crawl. Without this it gets the same, more slowly.
    #[must_use]
    pub fn with_spider(mut self, spider: &(impl Spider + ?Sized)) -> Self {
        self.document = self.document.with_table(Some(Table::shared(spider.wants())));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_built_only_for_selectors() {
        let test = page_from_html("http://h/", "<title>T</title><a href=1>x</a>").unwrap();
        let page = test.page();
        assert_eq!((page.title(), page.links().len(), page.text().len()), ("T", 1, 31));
        assert!(page.join("x").is_ok() && page.css("p:").is_err());
        assert!(!test.document.has_dom());
        assert_eq!(page.text_of("a").unwrap().as_deref(), Some("x"));
        assert!(test.document.has_dom());
    }
}
