//! A body and what is read from it, each thing once and only when it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Request, Response, UrlError};
use crawl_spider::{
    ItemQuery, Link, MatchedRows, NodeId, Page, PageServices, SelectorError, Spider,
};
use encoding_rs::Encoding;

use crate::css::compiled;
use crate::decode::kind::Kind;
use crate::decode::{Decoded, decode};
use crate::dom::{Dom, Flavour};
use crate::links::resolve::Resolver;
use crate::links::{Scan, scan_html};
use crate::markup::scan::Scanner;
use crate::stream::{Matches, Table};
use crate::xml::feed::scan_xml;

/// One document: the host's side of a [`Page`].
pub(crate) struct Document<'a> {
    url: CanonicalUrl,
    kind: Kind,
    text: Cow<'a, str>,
    encoding: &'static Encoding,
    scanned: OnceCell<(Scan, Resolver)>,
    dom: OnceCell<Dom>,
    table: Option<Arc<Table>>,
    matched: OnceCell<Vec<Option<Matches>>>,
}

impl<'a> Document<'a> {
    /// Decodes a response's body.
    pub(crate) fn new(url: &CanonicalUrl, response: &'a Response) -> Self {
        let kind = Kind::of(&response.media_type(), &response.body);
        let Decoded { text, encoding } =
            decode(&response.body, response.header("content-type"), kind);
        let (scanned, dom, matched) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { url: url.clone(), kind, text, encoding, scanned, dom, table: None, matched }
    }

    /// Matches what the spider wants of its pages, besides what it asks for.
    pub(crate) fn with_table(self, table: Option<Arc<Table>>) -> Self {
        Self { table, ..self }
    }

    /// Lets go of the response.
    fn into_owned(self) -> Document<'static> {
        let Self { url, kind, text, encoding, scanned, dom, table, matched } = self;
        let text = Cow::Owned(text.into_owned());
        Document { url, kind, text, encoding, scanned, dom, table, matched }
    }

    fn scanned(&self) -> &(Scan, Resolver) {
        self.scanned.get_or_init(|| {
            let mut resolver = Resolver::new(self.url.to_url(), self.encoding);
            let scan = match self.kind {
                Kind::Html => scan_html(&self.text, &mut resolver),
                Kind::Xml => scan_xml(&self.text, &resolver),
                Kind::Other => Scan::default(),
            };
            (scan, resolver)
        })
    }

    fn dom(&self) -> &Dom {
        self.dom.get_or_init(|| match self.kind {
            Kind::Html => Dom::html(&self.text, &self.scanned().0.crowded),
            // Selectors read whatever it is as HTML, so what is crowded there must be known.
            Kind::Xml | Kind::Other => {
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
