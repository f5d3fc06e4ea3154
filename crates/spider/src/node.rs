//! Nodes of a page.

use std::borrow::Cow;
use std::fmt;

use crawl_model::CanonicalUrl;

use crate::error::SelectorProblem;
use crate::{Evaluated, NodeId, PageServices, SelectorError, SpiderError, collapse_whitespace};

/// A node of a page: a handle that is cheap to copy. An element, but for what an XPath expression
/// or a pseudo-element selects: attributes and texts, whose text is their value.
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
        self.services.attr(self.id, &lower(name))
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
        first(self.services, selector, Some(self.id))
    }

    /// The [`text`](Self::text) of the first descendant that matches; `None` if none does.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn text_of(&self, selector: &str) -> Result<Option<String>, SpiderError> {
        first_text(self.services, selector, Some(self.id))
    }

    /// The attribute of the first descendant that matches; `None` if none does or it has none.
    ///
    /// # Errors
    /// As for [`css`](Self::css).
    pub fn attr_of(&self, selector: &str, name: &str) -> Result<Option<&'a str>, SpiderError> {
        first_attr(self.services, selector, Some(self.id), name)
    }

    /// The nodes that an XPath 1.0 expression gives, asked of this node: `.//a` is below it, `//a`
    /// from the document's root.
    ///
    /// # Errors
    /// As for [`Page::xpath`](crate::Page::xpath).
    pub fn xpath(&self, expr: &str) -> Result<Nodes<'a>, SpiderError> {
        xpath(self.services, expr, Some(self.id))
    }

    /// What an XPath 1.0 expression gives, asked of this node.
    ///
    /// # Errors
    /// As for [`Page::evaluate`](crate::Page::evaluate).
    pub fn evaluate(&self, expr: &str) -> Result<XPathValue<'a>, SpiderError> {
        evaluate(self.services, expr, Some(self.id))
    }

    /// Its `href`, resolved; `None` if it has none.
    ///
    /// # Errors
    /// [`SpiderError::Link`] if it leads nowhere that is crawled.
    pub fn href(&self) -> Result<Option<CanonicalUrl>, SpiderError> {
        self.attr("href").map(|href| join(self.services, href)).transpose()
    }
}

impl<'a> Node<'a> {
    /// What a regular expression finds in its [`text_content`](Self::text_content), one match
    /// after the other: the group named `extract` if the pattern has one, else all its groups,
    /// else the whole match. (Scrapy's `.re()` searches the HTML of elements; here
    /// [`html`](Self::html) is a call of its own.)
    ///
    /// The time is linear in the text, whatever the pattern.
    ///
    /// # Errors
    /// [`SpiderError::Query`] if the pattern does not compile.
    pub fn re(&self, pattern: &str) -> Result<Vec<String>, SpiderError> {
        Ok(self.services.find(pattern, &self.text_content(), usize::MAX)?)
    }

    /// The first of what [`re`](Self::re) finds; `None` if there is no match.
    ///
    /// # Errors
    /// As for [`re`](Self::re).
    pub fn re_first(&self, pattern: &str) -> Result<Option<String>, SpiderError> {
        Ok(self.services.find(pattern, &self.text_content(), 1)?.into_iter().next())
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}> {:?}", self.tag(), self.id)
    }
}

/// The nodes that a selector or an XPath expression gave, in document order.
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

impl<'a> Nodes<'a> {
    /// What [`Node::re`] finds in each, one behind the other.
    ///
    /// # Errors
    /// As for [`Node::re`].
    pub fn re(&self, pattern: &str) -> Result<Vec<String>, SpiderError> {
        let mut found = Vec::new();
        for node in self.iter() {
            found.append(&mut node.re(pattern)?);
        }
        Ok(found)
    }

    /// The first of what [`re`](Self::re) finds; `None` if there is no match in any.
    ///
    /// # Errors
    /// As for [`Node::re`].
    pub fn re_first(&self, pattern: &str) -> Result<Option<String>, SpiderError> {
        for node in self.iter() {
            if let Some(found) = node.re_first(pattern)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
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

/// What an XPath expression gives. As text (`to_string`) it is what `string()` makes of it: of
/// nodes the text of the first.
#[derive(Debug, Clone)]
pub enum XPathValue<'a> {
    /// Nodes in document order.
    Nodes(Nodes<'a>),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A boolean.
    Bool(bool),
}

impl fmt::Display for XPathValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nodes(nodes) => match nodes.first() {
                Some(node) => f.write_str(&node.text_content()),
                None => Ok(()),
            },
            Self::Number(number) if number.is_infinite() => {
                f.write_str(if *number > 0.0 { "Infinity" } else { "-Infinity" })
            }
            // No negative zero.
            Self::Number(number) => write!(f, "{}", number + 0.0),
            Self::Text(text) => f.write_str(text),
            Self::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

pub(crate) fn evaluate<'a>(
    services: &'a dyn PageServices,
    expr: &str,
    root: Option<NodeId>,
) -> Result<XPathValue<'a>, SpiderError> {
    Ok(match services.xpath(expr, root)? {
        Evaluated::Nodes(ids) => XPathValue::Nodes(Nodes { services, ids }),
        Evaluated::Number(number) => XPathValue::Number(number),
        Evaluated::Text(text) => XPathValue::Text(text),
        Evaluated::Bool(truth) => XPathValue::Bool(truth),
    })
}

pub(crate) fn xpath<'a>(
    services: &'a dyn PageServices,
    expr: &str,
    root: Option<NodeId>,
) -> Result<Nodes<'a>, SpiderError> {
    let gives = match evaluate(services, expr, root)? {
        XPathValue::Nodes(nodes) => return Ok(nodes),
        XPathValue::Number(_) => "a number",
        XPathValue::Text(_) => "a string",
        XPathValue::Bool(_) => "a boolean",
    };
    let reason = format!("it gives {gives}, which `evaluate` returns");
    Err(SelectorError::new(expr, SelectorProblem::NotNodes, reason).into())
}

pub(crate) fn select<'a>(
    services: &'a dyn PageServices,
    selector: &str,
    root: Option<NodeId>,
) -> Result<Nodes<'a>, SpiderError> {
    Ok(Nodes { services, ids: services.select(selector, root)? })
}

pub(crate) fn first<'a>(
    services: &'a dyn PageServices,
    selector: &str,
    root: Option<NodeId>,
) -> Result<Option<Node<'a>>, SpiderError> {
    Ok(services.first(selector, root)?.map(|id| Node::new(services, id)))
}

pub(crate) fn first_text(
    services: &dyn PageServices,
    selector: &str,
    root: Option<NodeId>,
) -> Result<Option<String>, SpiderError> {
    let text = services.first_text(selector, root)?;
    Ok(text.map(|text| collapse_whitespace(&text).into_owned()))
}

pub(crate) fn first_attr<'a>(
    services: &'a dyn PageServices,
    selector: &str,
    root: Option<NodeId>,
    name: &str,
) -> Result<Option<&'a str>, SpiderError> {
    Ok(services.first_attr(selector, root, &lower(name))?)
}

/// An attribute's name as the services take it.
fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

pub(crate) fn join(services: &dyn PageServices, href: &str) -> Result<CanonicalUrl, SpiderError> {
    services
        .join(href)
        .map_err(|source| SpiderError::Link { href: href.chars().take(200).collect(), source })
}
