//! What the host does for a page: the few calls that need a parser.
//!
//! Handles instead of references and no generics, because the same calls will be served to
//! plugins as a table of C functions.

use std::borrow::Cow;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, UrlError};
use serde_json::Value;

use crate::abi::wire::LinkBook;
use crate::{
    Article, CsvDialect, CsvRows, Entry, FormParts, ItemQuery, MatchedRows, Metadata, QueryError,
    SelectedRows, SelectorError, SpiderError, StructuredData, Table,
};

/// Names a node of one page: an element, or, as XPath may answer, an attribute, a text, a comment,
/// the document. Means nothing on another page: there its text is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub u32);

/// What an XPath expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluated {
    /// Nodes in document order, each once.
    Nodes(Vec<NodeId>),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A boolean.
    Bool(bool),
}

/// What would become of a request for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It would be sent.
    New,
    /// It would be dropped: the URL is known, by a page that has ended. (One that was found just
    /// now on another page may not be known yet.)
    Known,
    /// It would be filtered: the URL is out of scope, too deep, or of a kind that is not fetched.
    Refused,
}

/// A link of a page, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, without fragment.
    pub url: CanonicalUrl,
    /// What stands between its tags, whitespace collapsed, at most 200 characters.
    pub text: Box<str>,
    /// Its `rel` attribute; empty if it has none.
    pub rel: Box<str>,
    /// Whether its `rel` or the document's robots meta tag says `nofollow`.
    pub nofollow: bool,
    /// Where it stands.
    pub kind: LinkKind,
}

/// What kind of markup a link comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkKind {
    /// `<a href>`.
    Anchor,
    /// `<area href>`.
    Area,
    /// `<meta http-equiv="refresh">`.
    Refresh,
    /// `<link href>`, if the configuration asks for it.
    Resource,
    /// An image, a film or a sound: `src`, `srcset`, `poster`; if the configuration asks for it.
    Image,
    /// `<script src>`, if the configuration asks for it.
    Script,
    /// `<iframe src>` and its like, if the configuration asks for it.
    Frame,
    /// `<form action>` or a button's `formaction`, if the configuration asks for it.
    Form,
    /// A `Link` field of the header, if the configuration asks for it.
    Header,
    /// `url()` or `@import` in a style sheet, if the configuration asks for it.
    Style,
    /// `<loc>` of a sitemap or sitemap index.
    Sitemap,
    /// A link of an RSS or Atom feed.
    Feed,
    /// What a reader found that the embedding program added.
    Reader,
}

impl LinkKind {
    /// Its stable name, as rows of `crawl inspect` have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Area => "area",
            Self::Refresh => "refresh",
            Self::Resource => "resource",
            Self::Image => "image",
            Self::Script => "script",
            Self::Frame => "frame",
            Self::Form => "form",
            Self::Header => "header",
            Self::Style => "style",
            Self::Sitemap => "sitemap",
            Self::Feed => "feed",
            Self::Reader => "reader",
        }
    }
}

/// The services of the host for one page.
///
/// All of them are cheap to call again: what is costly (decoding, the scan for links, the
/// document tree, forms, metadata) is done once, when it is first needed. Links, title, text and
/// [`join`](Self::join) need no tree. Tables and Markdown are made anew each time.
pub trait PageServices {
    /// Elements that match `css`, in document order: descendants of `root`, or all of the page.
    /// `:scope` is `root`.
    ///
    /// # Errors
    /// [`SelectorError`] if `css` does not parse.
    fn select(&self, css: &str, root: Option<NodeId>) -> Result<Vec<NodeId>, SelectorError>;

    /// The first of them; `None` if none matches. Default: by [`select`](Self::select).
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    fn first(&self, css: &str, root: Option<NodeId>) -> Result<Option<NodeId>, SelectorError> {
        Ok(self.select(css, root)?.first().copied())
    }

    /// The [`text_content`](Self::text_content) of the first of them; `None` if none matches.
    /// Default: by these two. For a plugin it is one call to its host instead of two.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    fn first_text(
        &self,
        css: &str,
        root: Option<NodeId>,
    ) -> Result<Option<Cow<'_, str>>, SelectorError> {
        Ok(self.first(css, root)?.map(|node| self.text_content(node)))
    }

    /// The [`attr`](Self::attr) of the first of them; `None` if none matches or it has none.
    /// Default: by these two. For a plugin it is one call to its host instead of two.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    fn first_attr(
        &self,
        css: &str,
        root: Option<NodeId>,
        name: &str,
    ) -> Result<Option<&str>, SelectorError> {
        Ok(self.first(css, root)?.and_then(|node| self.attr(node, name)))
    }

    /// What an XPath 1.0 expression gives, asked of `root` or of the document. `//a` is from the
    /// document's root in any case, `.//a` is below `root`.
    ///
    /// # Errors
    /// [`SelectorError`] if it does not parse, or if it takes too long in this document.
    fn xpath(&self, expr: &str, root: Option<NodeId>) -> Result<Evaluated, SelectorError>;

    /// The answers to a query that the host matched while the page streamed by; `None` if it did
    /// not, and they have to be selected. Default: none.
    fn matched(&self, query: &ItemQuery) -> Option<&dyn MatchedRows> {
        let _ = query;
        None
    }

    /// The rows of a query that the host did not match. Default: by [`select`](Self::select); a
    /// plugin's page gets more from its host in the same call.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    #[doc(hidden)]
    fn selected(&self, query: &ItemQuery) -> Result<SelectedRows<'_>, SelectorError> {
        SelectedRows::select(self, query)
    }

    /// The text of all descendants, as it stands in the document; of an attribute its value.
    fn text_content(&self, node: NodeId) -> Cow<'_, str>;

    /// An attribute's value; its name in lower case.
    fn attr(&self, node: NodeId, name: &str) -> Option<&str>;

    /// The element as HTML, itself included.
    fn html(&self, node: NodeId) -> String;

    /// The element's name, in lower case for HTML elements.
    fn tag(&self, node: NodeId) -> &str;

    /// The page's links in document order, repeated ones included.
    fn links(&self) -> &[Link] {
        self.link_book().links()
    }

    /// The same, to be looked at one by one.
    #[doc(hidden)]
    fn link_book(&self) -> &Arc<LinkBook>;

    /// The same, to be followed: their texts and `rel` may be missing. Default: [`link_book`].
    ///
    /// [`link_book`]: Self::link_book
    #[doc(hidden)]
    fn link_targets(&self) -> &Arc<LinkBook> {
        self.link_book()
    }

    /// The body as text.
    fn decoded(&self) -> &str;

    /// Resolves a reference against the document's base URL.
    ///
    /// # Errors
    /// [`UrlError`] if it does not give a URL that is crawled.
    fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError>;

    /// What would become of a request for `url`, made on this page. Default: it is new.
    fn fate(&self, url: &CanonicalUrl) -> Fate {
        let _ = url;
        Fate::New
    }

    /// The document's title, whitespace collapsed, at most 200 characters; empty if it has none.
    fn title(&self) -> &str;

    /// What a JSONPath finds in the page's JSON, which is parsed once.
    ///
    /// # Errors
    /// [`SpiderError::Json`] if the page is none, [`SpiderError::Query`] if `path` does not parse.
    fn json_path(&self, path: &str) -> Result<Vec<&Value>, SpiderError>;

    /// The page's rows as CSV, read as they are asked for.
    fn csv(&self) -> CsvRows<'_>;

    /// What the first `most` matches of a regular expression in `text` give: all groups, or the
    /// whole match if there are none.
    ///
    /// # Errors
    /// [`QueryError`] if `pattern` does not compile.
    fn find(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, QueryError>;

    /// In which of `texts` a regular expression is found somewhere; in their order. For a page's
    /// links this is one call instead of a hundred. Default: by [`find`](Self::find).
    ///
    /// # Errors
    /// [`QueryError`] if `pattern` does not compile.
    fn matching(&self, pattern: &str, texts: &[&str]) -> Result<Vec<bool>, QueryError> {
        texts.iter().map(|text| Ok(!self.find(pattern, text, 1)?.is_empty())).collect()
    }

    /// The entries of the page, if it is a sitemap or a feed, in document order. Default: none.
    fn entries(&self) -> &[Entry] {
        &[]
    }

    /// The page's rows as CSV of this dialect, read as they are asked for. Default: as
    /// [`csv`](Self::csv), whatever the dialect.
    fn csv_as(&self, dialect: &CsvDialect) -> CsvRows<'_> {
        let _ = dialect;
        self.csv()
    }

    /// The element one step from a node; `None` if there is none. (The document is none.)
    fn step(&self, node: NodeId, step: Step) -> Option<NodeId>;

    /// Names and values of an element's attributes, in the order of the document.
    fn attrs(&self, node: NodeId) -> Vec<(&str, &str)>;

    /// The page's forms, in document order.
    fn forms(&self) -> &[FormParts];

    /// Text in a character encoding of this name; what the encoding lacks becomes a numeric
    /// character reference. UTF-8 if the name is unknown.
    fn encode<'t>(&self, text: &'t str, charset: &str) -> Cow<'t, [u8]>;

    /// What the document says about itself.
    fn metadata(&self) -> &Metadata;

    /// What the document says in machine-readable ways.
    fn structured(&self) -> &StructuredData;

    /// A `table` element as rows; `None` if it is none.
    fn table(&self, node: NodeId) -> Option<Table>;

    /// A node, or the page, as Markdown.
    fn markdown(&self, node: Option<NodeId>) -> String;

    /// When the page was fetched: milliseconds since the Unix epoch; 0 if that is not known.
    /// Default: not known.
    fn fetched_ms(&self) -> u64 {
        0
    }

    /// The page's main text; `None` if it has none or is too large to be searched for it.
    fn article(&self) -> Option<&Article>;
}

/// From one element to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// To the element that holds it. From a text or an attribute: the one it belongs to.
    Parent = 0,
    /// To the first element in it.
    FirstChild = 1,
    /// To the next element behind it, in the same parent.
    Next = 2,
    /// To the next element before it, in the same parent.
    Prev = 3,
}
