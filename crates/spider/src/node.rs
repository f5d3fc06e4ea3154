//! Elements of a page.

use std::borrow::Cow;
use std::fmt;

use crawl_model::CanonicalUrl;

use crate::{NodeId, PageServices, SpiderError, collapse_whitespace};

/// An element of a page: a handle that is cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    services: &'a dyn PageServices,
    id: NodeId,
}

impl<'a> Node<'a> {
    pub(crate) fn new(services: &'a dyn PageServices, id: NodeId) -> Self {
        Self { services, id }
    }

    pub(crate) fn services(&self) -> &'a dyn PageServices {
        self.services
    }

    /// Its handle, the same for the same node of one page; grows in document order.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Its text as people read it: trimmed, each run of whitespace one space.
    #[must_use]
    pub fn text(&self) -> String {
        collapse_whitespace(&self.text_content()).into_owned()
    }

    /// Its text as it stands in the document: that of all descendants, `textContent` in the DOM.
    #[must_use]
    pub fn text_content(&self) -> Cow<'a, str> {
        self.services.text_content(self.id)
    }

    /// The value of an attribute, as it stands in the document.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&'a str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.services.attr(self.id, &name.to_ascii_lowercase())
        } else {
            self.services.attr(self.id, name)
        }
    }

    /// Whether it has an attribute, if only an empty one.
    #[must_use]
    pub fn has_attr(&self, name: &str) -> bool {
        self.attr(name).is_some()
    }

    /// Its HTML, itself included.
    #[must_use]
    pub fn html(&self) -> String {
        self.services.html(self.id)
    }

    /// Its name, in lower case for HTML elements.
    #[must_use]
    pub fn tag(&self) -> &'a str {
        self.services.tag(self.id)
    }

    /// Its descendants that match a CSS selector, in document order. `:scope` is this element.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn css(&self, selector: &str) -> Result<Nodes<'a>, SpiderError> {
        select(self.services, selector, Some(self.id))
    }

    /// The first of its descendants that match; `None` if none does.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn first(&self, selector: &str) -> Result<Option<Node<'a>>, SpiderError> {
        Ok(self.css(selector)?.first())
    }

    /// The [`text`](Self::text) of the first descendant that matches; `None` if none does.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn text_of(&self, selector: &str) -> Result<Option<String>, SpiderError> {
        Ok(self.first(selector)?.map(|node| node.text()))
    }

    /// The attribute of the first descendant that matches; `None` if none does or it has none.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn attr_of(&self, selector: &str, name: &str) -> Result<Option<&'a str>, SpiderError> {
        Ok(self.first(selector)?.and_then(|node| node.attr(name)))
    }

    /// Its `href`, resolved; `None` if it has none.
    ///
    /// # Errors
    /// [`SpiderError::Link`] if it leads nowhere that is crawled.
    pub fn href(&self) -> Result<Option<CanonicalUrl>, SpiderError> {
        self.attr("href").map(|href| join(self.services, href)).transpose()
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}> {:?}", self.tag(), self.id)
    }
}

/// The elements that a selector matched, in document order.
#[derive(Clone)]
pub struct Nodes<'a> {
    services: &'a dyn PageServices,
    ids: Vec<NodeId>,
}

impl<'a> Nodes<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none matched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<Node<'a>> {
        self.get(0)
    }

    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<Node<'a>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The one at `index`, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Node<'a>> {
        Some(Node::new(self.services, *self.ids.get(index)?))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Node<'a>> + '_ {
        let services = self.services;
        self.ids.iter().map(move |&id| Node::new(services, id))
    }

    /// The [`Node::text`] of each.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.iter().map(|node| node.text()).collect()
    }
}

impl<'a> IntoIterator for Nodes<'a> {
    type Item = Node<'a>;
    type IntoIter = IntoIter<'a>;

    fn into_iter(self) -> IntoIter<'a> {
        IntoIter { services: self.services, ids: self.ids.into_iter() }
    }
}

impl fmt::Debug for Nodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterator over [`Nodes`].
pub struct IntoIter<'a> {
    services: &'a dyn PageServices,
    ids: std::vec::IntoIter<NodeId>,
}

impl<'a> Iterator for IntoIter<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        Some(Node::new(self.services, self.ids.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ids.size_hint()
    }
}

pub(crate) fn select<'a>(
    services: &'a dyn PageServices,
    selector: &str,
    root: Option<NodeId>,
) -> Result<Nodes<'a>, SpiderError> {
    Ok(Nodes { services, ids: services.select(selector, root)? })
}

pub(crate) fn join(services: &dyn PageServices, href: &str) -> Result<CanonicalUrl, SpiderError> {
    services
        .join(href)
        .map_err(|source| SpiderError::Link { href: href.chars().take(200).collect(), source })
}
