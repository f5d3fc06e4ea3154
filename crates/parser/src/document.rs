//! A body and what is read from it, each thing once and only when it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;

use crawl_model::{CanonicalUrl, Request, Response, UrlError};
use crawl_spider::{Link, NodeId, Page, PageServices, SelectorError};
use encoding_rs::Encoding;

use crate::css::compiled;
use crate::decode::kind::Kind;
use crate::decode::{Decoded, decode};
use crate::dom::Dom;
use crate::links::resolve::Resolver;
use crate::links::head::Head;
use crate::links::kinds::{Kinds, LinkSource};
use crate::links::{Scan, scan_header, scan_html};
use crate::markup::scan::crowds;
use crate::xml::feed::scan_xml;

/// One document: the host's side of a [`Page`].
pub(crate) struct Document<'a> {
    url: CanonicalUrl,
    kind: Kind,
    text: Cow<'a, str>,
    encoding: &'static Encoding,
    kinds: Kinds,
    /// The values of `Link` fields, if they are wanted.
    link_fields: Vec<String>,
    scanned: OnceCell<(Scan, Resolver)>,
    dom: OnceCell<Dom>,
}

impl<'a> Document<'a> {
    /// Decodes a response's body.
    pub(crate) fn new(url: &CanonicalUrl, response: &'a Response) -> Self {
        let kind = Kind::of(&response.media_type(), &response.body);
        let Decoded { text, encoding } =
            decode(&response.body, response.header("content-type"), kind);
        let (scanned, dom) = (OnceCell::new(), OnceCell::new());
        let (kinds, link_fields) = (Kinds::default(), Vec::new());
        Self { url: url.clone(), kind, text, encoding, kinds, link_fields, scanned, dom }
    }

    /// Takes links of these kinds instead of the usual ones.
    pub(crate) fn with_links(mut self, kinds: Kinds, response: &Response) -> Self {
        self.kinds = kinds;
        if kinds.has(LinkSource::Header) {
            let fields = response.headers.iter().filter(|(name, _)| &**name == "link");
            let text = |(_, value): &(_, bytes::Bytes)| String::from_utf8(value.to_vec()).ok();
            self.link_fields = fields.filter_map(text).collect();
        }
        self
    }

    /// Lets go of the response.
    fn into_owned(self) -> Document<'static> {
        let Self { url, kind, text, encoding, kinds, link_fields, scanned, dom } = self;
        let text = Cow::Owned(text.into_owned());
        Document { url, kind, text, encoding, kinds, link_fields, scanned, dom }
    }

    fn scanned(&self) -> &(Scan, Resolver) {
        self.scanned.get_or_init(|| {
            let mut resolver = Resolver::new(self.url.to_url(), self.encoding);
            let fields = self.link_fields.iter().map(String::as_str);
            let mut links = scan_header(fields, &resolver);
            let mut scan = match self.kind {
                Kind::Html => {
                    let tree = || self.dom.get_or_init(|| Dom::html(&self.text, &crowds(&self.text)));
                    scan_html(&self.text, &mut resolver, self.kinds, tree)
                }
                Kind::Xml => scan_xml(&self.text, &resolver),
                Kind::Other => Scan::default(),
            };
            if !links.is_empty() {
                links.append(&mut scan.links);
                scan.links = links;
            }
            (scan, resolver)
        })
    }

    fn dom(&self) -> &Dom {
        // A document that the stream could tell has no crowded tags.
        let is_streamed = self.kind == Kind::Html && self.scanned().0.is_streamed;
        self.dom.get_or_init(|| {
            // Selectors read whatever it is as HTML.
            let crowds = if is_streamed { Vec::new() } else { crowds(&self.text) };
            Dom::html(&self.text, &crowds)
        })
    }

    /// What an HTML document says of itself.
    pub(crate) fn head(&self) -> &Head {
        &self.scanned().0.head
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
