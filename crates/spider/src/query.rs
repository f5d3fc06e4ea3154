//! What a spider wants of its pages, said before there is one.
//!
//! A selector that is known beforehand can be matched while the page streams by, together with
//! the links and without a document tree. So a spider that takes the same things from every page
//! writes them down as [`ItemQuery`]s, hands them out once ([`Spider::wants`](crate::Spider::wants))
//! and reads the answers as [`Rows`]. The answers are those that [`Page::css`](crate::Page::css)
//! would give: where a host did not match a query beforehand, the rows select for themselves.

use std::borrow::Cow;
use std::fmt;

use crate::{
    First, NodeId, PageServices, SelectedRows, SelectorError, SpiderError, collapse_whitespace,
};

/// One kind of things on a page: where they stand and what is taken of each.
///
/// # Examples
/// ```
/// use crawl_spider::{FieldQuery, ItemQuery};
///
/// let books = ItemQuery::each("article.product_pod")
///     .field(FieldQuery::attr("h3 a", "title"))
///     .field(FieldQuery::text(".price_color"));
/// assert_eq!(books.fields.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ItemQuery {
    /// CSS selector of the elements; each gives a row. `None`: one row, which is the whole page.
    pub select: Option<String>,
    /// What is taken of each, by number.
    pub fields: Vec<FieldQuery>,
}

/// One thing that is taken of an element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldQuery {
    /// CSS selector of its descendants; `:scope` is the element. Empty: the element itself, of
    /// which a whole page has none.
    pub css: String,
    /// What is taken of what matches.
    pub take: Take,
    /// Whether all matches are wanted; otherwise only the first.
    pub all: bool,
}

/// What is taken of an element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Take {
    /// Its text as people read it: [`Node::text`](crate::Node::text).
    Text,
    /// Its HTML, itself included: [`Node::html`](crate::Node::html).
    Html,
    /// The value of this attribute, as it stands in the document: [`Node::attr`](crate::Node::attr).
    Attr(String),
}

impl ItemQuery {
    /// A row for each element that matches.
    #[must_use]
    pub fn each(css: impl Into<String>) -> Self {
        Self { select: Some(css.into()), fields: Vec::new() }
    }

    /// One row for the whole page.
    #[must_use]
    pub fn page() -> Self {
        Self::default()
    }

    /// The links that a selector finds, for [`Harvest::follow_rows`](crate::Harvest::follow_rows):
    /// of elements with an `href`, and those inside of elements without one.
    #[must_use]
    pub fn links(css: impl Into<String>) -> Self {
        let inner = |name| FieldQuery::attr(LINKS, name).all();
        Self::each(css)
            .field(FieldQuery::attr("", "href"))
            .field(FieldQuery::attr("", "rel"))
            .field(inner("href"))
            .field(inner("rel"))
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: FieldQuery) -> Self {
        self.fields.push(field);
        self
    }
}

/// Elements that are links.
pub(crate) const LINKS: &str = "a[href], area[href]";

impl FieldQuery {
    /// The text of the first match.
    #[must_use]
    pub fn text(css: impl Into<String>) -> Self {
        Self { css: css.into(), take: Take::Text, all: false }
    }

    /// The HTML of the first match.
    #[must_use]
    pub fn html(css: impl Into<String>) -> Self {
        Self { css: css.into(), take: Take::Html, all: false }
    }

    /// An attribute of the first match; its name in any case.
    #[must_use]
    pub fn attr(css: impl Into<String>, name: &str) -> Self {
        Self { css: css.into(), take: Take::Attr(name.to_ascii_lowercase()), all: false }
    }

    /// Takes all matches.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// What its first match in `root` gives, as it stands in the document; for hosts.
    ///
    /// # Errors
    /// [`SelectorError`] if its selector does not parse.
    #[doc(hidden)]
    pub fn first_in<'a>(
        &self,
        services: &'a dyn PageServices,
        root: Option<NodeId>,
    ) -> Result<Option<Cow<'a, str>>, SelectorError> {
        if self.css.is_empty() {
            return Ok(root.and_then(|node| self.of(services, node)));
        }
        Ok(match &self.take {
            Take::Text => services.first_text(&self.css, root)?,
            Take::Html => services.first(&self.css, root)?.and_then(|node| self.of(services, node)),
            Take::Attr(name) => services.first_attr(&self.css, root, name)?.map(Cow::Borrowed),
        })
    }

    /// What a match gives, as it stands in the document.
    fn of<'a>(&self, services: &'a dyn PageServices, node: NodeId) -> Option<Cow<'a, str>> {
        match &self.take {
            Take::Text => Some(services.text_content(node)),
            Take::Html => Some(Cow::Owned(services.html(node))),
            Take::Attr(name) => services.attr(node, name).map(Cow::Borrowed),
        }
    }
}

/// The answers to one query, as a host that matched it beforehand keeps them.
///
/// Plain calls with plain values, because a plugin's host will answer them across a C ABI.
pub trait MatchedRows {
    /// How many rows there are.
    fn n_rows(&self) -> usize;

    /// How many matches a field of a row has. Of a field that wants only the first, there may be
    /// more than one.
    fn n_matches(&self, row: usize, field: usize) -> usize;

    /// What one match gave: `textContent`, HTML or attribute, as it stands in the document.
    /// `None` if the element has no such attribute, or there is no such match.
    fn value(&self, row: usize, field: usize, n: usize) -> Option<&str>;
}

/// The rows of a query, in document order.
#[derive(Clone)]
pub struct Rows<'a> {
    services: &'a dyn PageServices,
    query: &'a ItemQuery,
    source: Source<'a>,
}

/// Where the values of rows come from.
#[derive(Clone)]
enum Source<'a> {
    /// The host matched them.
    Matched(&'a dyn MatchedRows),
    /// They are selected when they are asked for, in these elements.
    Selected(SelectedRows<'a>),
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        services: &'a dyn PageServices,
        query: &'a ItemQuery,
    ) -> Result<Self, SpiderError> {
        let source = match services.matched(query) {
            Some(matched) => Source::Matched(matched),
            None => Source::Selected(services.selected(query)?),
        };
        Ok(Self { services, query, source })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Matched(matched) => matched.n_rows(),
            Source::Selected(selected) => selected.nodes.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> + '_ {
        (0..self.len()).map(|index| Row { rows: self, index })
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows of {:?}", self.len(), self.query.select)
    }
}

/// One row: an element, or the page, with its fields. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows<'a>,
    index: usize,
}

impl<'a> Row<'a> {
    /// What the first match of a field gave; `None` if there is no match, no such attribute or
    /// no such field.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the field's selector does not parse.
    pub fn first(self, field: usize) -> Result<Option<Cow<'a, str>>, SpiderError> {
        Ok(match &self.rows.source {
            Source::Matched(matched) => {
                matched.value(self.index, field, 0).map(|value| self.finish(field, value.into()))
            }
            Source::Selected(selected) => match selected.known(self.index, field) {
                First::Value(value) => Some(self.finish(field, value.into())),
                First::NoAttribute | First::NoMatch => None,
                First::Unknown => self.take_first(selected, field)?,
            },
        })
    }

    /// What each match of a field gave, in document order: `None` where it has no such attribute.
    /// Of a field that wants only the first match, there is at most one.
    ///
    /// # Errors
    /// As for [`first`](Self::first).
    pub fn all(self, field: usize) -> Result<Vec<Option<Cow<'a, str>>>, SpiderError> {
        let limit = match self.query(field) {
            Some(query) if query.all => usize::MAX,
            _ => 1,
        };
        Ok(match &self.rows.source {
            Source::Matched(matched) => (0..matched.n_matches(self.index, field).min(limit))
                .map(|n| matched.value(self.index, field, n))
                .map(|value| value.map(|value| self.finish(field, value.into())))
                .collect(),
            Source::Selected(selected) => match selected.known(self.index, field) {
                First::Value(value) if limit == 1 => vec![Some(self.finish(field, value.into()))],
                First::NoAttribute if limit == 1 => vec![None],
                First::NoMatch => Vec::new(),
                _ => {
                    let nodes = self.nodes(selected, field)?.into_iter().take(limit);
                    nodes.map(|node| self.take(field, node)).collect()
                }
            },
        })
    }

    fn query(self, field: usize) -> Option<&'a FieldQuery> {
        self.rows.query.fields.get(field)
    }

    /// What the first match of a field gives, selected.
    fn take_first(
        self,
        selected: &SelectedRows<'a>,
        field: usize,
    ) -> Result<Option<Cow<'a, str>>, SpiderError> {
        let (Some(&root), Some(query)) = (selected.nodes.get(self.index), self.query(field)) else {
            return Ok(None);
        };
        let value = query.first_in(self.rows.services, root)?;
        Ok(value.map(|value| self.finish(field, value)))
    }

    /// What of a match is kept.
    fn finish(self, field: usize, value: Cow<'a, str>) -> Cow<'a, str> {
        match (self.query(field), value) {
            (Some(FieldQuery { take: Take::Text, .. }), Cow::Borrowed(text)) => {
                collapse_whitespace(text)
            }
            (Some(FieldQuery { take: Take::Text, .. }), Cow::Owned(text)) => {
                Cow::Owned(collapse_whitespace(&text).into_owned())
            }
            (_, value) => value,
        }
    }

    /// The matches of a field, selected.
    fn nodes(self, selected: &SelectedRows<'_>, field: usize) -> Result<Vec<NodeId>, SpiderError> {
        let (Some(&root), Some(field)) = (selected.nodes.get(self.index), self.query(field)) else {
            return Ok(Vec::new());
        };
        match field.css.is_empty() {
            true => Ok(root.into_iter().collect()),
            false => Ok(self.rows.services.select(&field.css, root)?),
        }
    }

    fn take(self, field: usize, node: NodeId) -> Option<Cow<'a, str>> {
        let value = self.query(field)?.of(self.rows.services, node)?;
        Some(self.finish(field, value))
    }
}
