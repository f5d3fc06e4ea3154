//! CSS selectors: compiled once, kept per thread, answered in document order.
//!
//! The grammar is [`crawl_query`]'s; here it is asked of documents, with HTML's rules for names and
//! values in HTML documents and XML's in others. Matching (`matching.rs`) is our own, because a
//! crawler's pages are hostile (see there).
//!
//! Invariants: what is selected comes in document order without repeats; the time of a search
//! grows with the elements searched, not with how they nest or stand beside each other.

mod contains;
mod element;
mod matching;
mod memo;
mod nth;
mod state;

pub(crate) use element::has_value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crawl_spider::{NodeId, SelectorError};
use html5ever::ns;

use crate::css::matching::Matcher;
use crate::dom::{Dom, NodeKind};
use crate::names::Atoms;

type Complex = crawl_query::css::Complex<Atoms>;
type Ending = crawl_query::css::Ending<Atoms>;

/// A compiled CSS selector.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    list: Vec<Complex>,
    /// Whether it has `::text` or `::attr()`.
    has_endings: bool,
}

impl Selector {
    /// What matches, in document order: below `root`, or in all of the document.
    ///
    /// Elements, texts (`::text`) and attributes (`::attr()`). Like in parsel, the texts and
    /// attributes of `root` itself are below it.
    pub(crate) fn select(&self, dom: &Dom, root: Option<NodeId>) -> Vec<NodeId> {
        let top = root.unwrap_or(dom.document());
        let mut matcher = Matcher::new(dom, root);
        let mut found = Vec::new();
        if !self.has_endings {
            let elements = dom.descendants(top).filter(|&node| dom.is_element(node));
            found.extend(elements.filter(|&node| matcher.any(&self.list, node)));
            return found;
        }
        for node in dom.range(top.0..dom.end(top)).filter(|&node| dom.is_element(node)) {
            for complex in &self.list {
                let is_element = complex.ending == Ending::Element;
                if !(is_element && node == top) && matcher.complex(complex, node) {
                    take(dom, node, &complex.ending, &mut found);
                }
            }
        }
        // An element's later texts stand behind what is in between.
        found.sort_unstable_by_key(|node| node.0);
        found.dedup();
        found
    }

    /// Whether `node` would be selected from the whole document: what the tests' laws ask.
    #[cfg(test)]
    pub(crate) fn matches(&self, dom: &Dom, node: NodeId) -> bool {
        let mut matcher = Matcher::new(dom, None);
        let element = match dom.kind(node) {
            Some(NodeKind::Element) => Some(node),
            _ => dom.parent(node).filter(|&parent| dom.is_element(parent)),
        };
        element.is_some_and(|element| {
            self.list.iter().any(|complex| {
                takes(dom, element, &complex.ending, node) && matcher.complex(complex, element)
            })
        })
    }
}

/// Whether `node` is what an ending takes of an element: itself, a child or an attribute.
fn takes(dom: &Dom, element: NodeId, ending: &Ending, node: NodeId) -> bool {
    match (ending, dom.kind(node)) {
        (Ending::Element, _) => node == element,
        (Ending::Text, kind) => kind == Some(NodeKind::Text),
        (Ending::Attr(name), Some(NodeKind::Attribute)) => {
            let is_html = dom.element(element).is_some_and(|e| element::is_html(dom, e));
            let name = name.of(is_html);
            dom.attribute(node).is_some_and(|(key, _)| key.ns == ns!() && key.local == *name)
        }
        (Ending::Attr(_), _) => false,
    }
}

fn take(dom: &Dom, element: NodeId, ending: &Ending, found: &mut Vec<NodeId>) {
    match ending {
        Ending::Element => found.push(element),
        Ending::Text => {
            found.extend(dom.children(element).filter(|&node| takes(dom, element, ending, node)));
        }
        Ending::Attr(_) => {
            found.extend(dom.attributes(element).filter(|&node| takes(dom, element, ending, node)));
        }
    }
}

/// Selectors kept per thread. A spider that makes up selectors as it goes empties the cache now
/// and then instead of filling the memory.
const MAX_SELECTORS: usize = 512;

thread_local! {
    static CACHE: RefCell<HashMap<Box<str>, Rc<Selector>>> = RefCell::default();
}

/// Compiles `css`, or finds it compiled.
///
/// A spider asks with the same few texts on every page, and compiling one costs more than
/// matching it on a small page. Per thread, so that no lock is on the page path.
///
/// # Errors
/// [`SelectorError`] if it does not parse.
pub(crate) fn compiled(css: &str) -> Result<Rc<Selector>, SelectorError> {
    if let Some(selector) = CACHE.with_borrow(|cache| cache.get(css).cloned()) {
        return Ok(selector);
    }
    let selector = Rc::new(compile(css)?);
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= MAX_SELECTORS {
            cache.clear();
        }
        cache.insert(css.into(), selector.clone());
    });
    Ok(selector)
}

/// Compiles `css`.
///
/// # Errors
/// [`SelectorError`] if it does not parse.
pub(crate) fn compile(css: &str) -> Result<Selector, SelectorError> {
    match crawl_query::css::parse(css) {
        Ok(selector) => {
            let has_endings = selector.has_endings();
            Ok(Selector { list: selector.list, has_endings })
        }
        Err(error) => Err(SelectorError::css(css, error.reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        for n in 0..2 * MAX_SELECTORS {
            compiled(&format!("a.c{n}")).unwrap();
        }
        assert!(CACHE.with_borrow(HashMap::len) <= MAX_SELECTORS);
        let again = || Rc::as_ptr(&compiled("a.c1023").unwrap());
        assert_eq!(again(), again());
    }
}
