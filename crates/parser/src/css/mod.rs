//! CSS selectors: compiled once, kept per thread, answered in document order.
//!
//! Selectors Level 4 (`:is`, `:where`, `:not` and `:has` with lists, `:nth-child(.. of S)`, the
//! flags `i` and `s`, namespaces), with HTML's rules for names and values in HTML documents and
//! XML's in others, and three things that people who scrape are used to: `::text`,
//! `::attr(name)` and `:contains("text")`. cssparser tokenizes; grammar (`parse.rs`,
//! `simple.rs`) and matching (`matching.rs`) are our own, because a crawler's pages are hostile
//! (see there) and its users' selectors need errors that say where.
//!
//! Invariants: what is selected comes in document order without repeats; the time of a search
//! grows with the elements searched, not with how they nest or stand beside each other.

mod ast;
mod parse;
mod simple;

mod contains;
mod element;
mod matching;
mod memo;
mod nth;
mod state;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crawl_spider::{NodeId, SelectorError};
use html5ever::ns;

use crate::css::ast::{Complex, Ending};
use crate::css::matching::Matcher;
use crate::dom::{Dom, NodeKind};

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
    match parse::parse(css) {
        Ok(list) => {
            let has_endings = list.iter().any(|complex| complex.ending != Ending::Element);
            Ok(Selector { list, has_endings })
        }
        Err(reason) => Err(SelectorError::css(css, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_and_where_in_one_line() {
        for (css, reason) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("a >", "a combinator has nothing behind it"),
            ("a > , b", "a combinator has nothing behind it, at character 5"),
            ("> a", "a combinator has nothing before it"),
            ("a,,b", "nothing is before a comma, at character 3"),
            ("a,", "it is empty"),
            ("[", "the name of an attribute is missing"),
            ("a[href", ""),
            ("[=x]", "the name of an attribute is missing, at character 2"),
            ("[*]", "`|` and a name is missing, at character 3"),
            ("[a=]", "a name or a string in quotes is missing"),
            ("[a=1]", "a name or a string in quotes is missing, at character 4"),
            ("[a!=b]", "`!` is not expected there, at character 3"),
            ("[a=b x]", "`x` is not expected there, at character 6"),
            ("[a=b i i]", "`i` is not expected there, at character 8"),
            ("..a", "the name of a class is missing, at character 2"),
            ("a b!", "`!` is not expected there, at character 4"),
            ("é #1st", "`#1st` is no name; write `[id=\"1st\"]`, at character 3"),
            ("p:hoover", "the pseudo-class `:hoover` is not known, at character 2"),
            ("p:before", "the pseudo-class `:before` is not known, at character 2"),
            ("p::before", "`::before` is not `::text` or `::attr(name)`, at character 2"),
            ("p::text b", "`b` is not expected there, at character 9"),
            ("p::text.b", "`.` is not expected there, at character 8"),
            ("p::attr", "`::attr` needs the name of an attribute: `::attr(href)`, at character 2"),
            ("p::attr()", "the name of an attribute is missing"),
            ("p::attr(a b)", "`b` is not expected there, at character 11"),
            ("p:::", "the name of a pseudo-class is missing, at character 4"),
            (":not(p::text)", "`::text` cannot stand in brackets, at character 7"),
            (":not()", "it is empty"),
            (":not(:foo)", "the pseudo-class `:foo` is not known, at character 6"),
            (":has(a:has(b))", "`:has()` cannot stand in `:has()`, at character 7"),
            ("a:nth-child(x)", "is missing, at character 13"),
            ("a:nth-child(2 of)", "it is empty"),
            ("a:nth-of-type(2 of b)", "`of` is not expected there, at character 17"),
            ("foo|a", "the prefix `foo` is not known; `*|` means any namespace, at character 1"),
            ("a:lang()", "a language is missing"),
            ("a:contains(b c)", "`c` is not expected there, at character 14"),
            ("a)", "`)` is not expected there, at character 2"),
            (":is(])", "`]` is not expected there, at character 5"),
            ("a {}", "`{` is not expected there, at character 3"),
        ] {
            if reason.is_empty() {
                assert!(compile(css).is_ok(), "{css}");
                continue;
            }
            let error = compile(css).expect_err(css).to_string();
            assert!(error.starts_with(&format!("`{css}` is not a CSS selector: ")), "{error}");
            assert!(error.contains(reason), "{error}");
            assert!(error.len() < 140 && (!error.contains('\n') || css == " \n"), "{error}");
        }
    }

    #[test]
    fn what_is_too_deep_is_an_error_and_what_is_long_is_not() {
        let nested = |n: usize| format!("{}a{}", ":not(".repeat(n), ")".repeat(n));
        assert!(compile(&nested(16)).is_ok());
        let error = compile(&nested(100_000)).unwrap_err();
        assert_eq!(error.reason, "its brackets nest too deep");
        assert!(compile(&"a ".repeat(500)).is_ok());
        let error = compile(&"a ".repeat(600)).unwrap_err();
        assert_eq!(error.reason, "it has more than 512 parts");
        assert!(compile("#a > b,".repeat(10_000).trim_end_matches(',')).is_ok());
    }

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
