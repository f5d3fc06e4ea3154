//! A body and what is read from it, each thing once and only when it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;

use crawl_model::{CanonicalUrl, Request, Response, UrlError};
use crawl_spider::{
    Article, FormParts, Link, Metadata, NodeId, Page, PageServices, SelectorError, Step,
    StructuredData, Table,
};
use encoding_rs::{Encoding, UTF_8};

use crate::css::compiled;
use crate::decode::kind::Kind;
use crate::decode::{Decoded, decode};
use crate::dom::Dom;
use crate::links::resolve::Resolver;
use crate::links::{Scan, scan_html};
use crate::markup::scan::Scanner;
use crate::view::{self, View};
use crate::xml::feed::scan_xml;

/// One document: the host's side of a [`Page`].
pub(crate) struct Document<'a> {
    url: CanonicalUrl,
    kind: Kind,
    text: Cow<'a, str>,
    encoding: &'static Encoding,
    scanned: OnceCell<(Scan, Resolver)>,
    dom: OnceCell<Dom>,
    view: View,
}

impl<'a> Document<'a> {
    /// Decodes a response's body.
    pub(crate) fn new(url: &CanonicalUrl, response: &'a Response) -> Self {
        let kind = Kind::of(&response.media_type(), &response.body);
        let Decoded { text, encoding } =
            decode(&response.body, response.header("content-type"), kind);
        let (scanned, dom, view) = (OnceCell::new(), OnceCell::new(), View::default());
        Self { url: url.clone(), kind, text, encoding, scanned, dom, view }
    }

    /// Lets go of the response.
    fn into_owned(self) -> Document<'static> {
        let Self { url, kind, text, encoding, scanned, dom, view } = self;
        Document { url, kind, text: Cow::Owned(text.into_owned()), encoding, scanned, dom, view }
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

    fn absolute(&self, href: &str) -> Option<String> {
        self.scanned().1.absolute(href)
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

    fn step(&self, node: NodeId, step: Step) -> Option<NodeId> {
        view::step(self.dom(), node, step)
    }

    fn attrs(&self, node: NodeId) -> Vec<(&str, &str)> {
        view::attrs(self.dom(), node)
    }

    fn forms(&self) -> &[FormParts] {
        self.view.forms.get_or_init(|| {
            view::forms::forms(self.dom(), &self.url, self.encoding, &|href| self.join(href))
        })
    }

    fn encode<'t>(&self, text: &'t str, charset: &str) -> Cow<'t, [u8]> {
        let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(UTF_8);
        encoding.encode(text).0
    }

    fn metadata(&self) -> &Metadata {
        self.view.metadata.get_or_init(|| {
            view::metadata::metadata(self.dom(), &|href| self.scanned().1.link(href))
        })
    }

    fn structured(&self) -> &StructuredData {
        self.view.structured.get_or_init(|| {
            let url = self.url.as_str();
            view::structured::structured(self.dom(), url, &|href| self.absolute(href))
        })
    }

    fn table(&self, node: NodeId) -> Option<Table> {
        view::table::table(self.dom(), node)
    }

    fn markdown(&self, node: Option<NodeId>) -> String {
        let node = node.unwrap_or(self.dom().document());
        view::markdown(self.dom(), node, &|href| self.absolute(href))
    }

    fn article(&self) -> Option<&Article> {
        let read = || {
            let join = |href: &str| self.absolute(href);
            view::article::article(self.dom(), self.url.as_str(), &join)
        };
        self.view.article.get_or_init(read).as_ref()
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
