//! Compiled selectors, kept per thread.
//!
//! A spider asks with the same few texts on every page; compiling one costs more than matching
//! it on a small page. Per thread, so that no lock is on the page path.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crawl_spider::{NodeId, SelectorError};
use scraper::ElementRef;

use crate::dom::Dom;

/// A compiled CSS selector.
#[derive(Debug, Clone)]
pub(crate) struct Selector(scraper::Selector);

impl Selector {
    /// What matches, in document order: below `root`, or in all of the document.
    pub(crate) fn select(&self, dom: &Dom, root: Option<NodeId>) -> Vec<NodeId> {
        let scope = root.and_then(|root| dom.tree(root)).and_then(ElementRef::wrap);
        let top = root.unwrap_or(dom.document());
        let matches = |node: &NodeId| {
            let element = dom.tree(*node).and_then(ElementRef::wrap);
            element.is_some_and(|element| self.0.matches_with_scope(&element, scope))
        };
        dom.descendants(top).filter(matches).collect()
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
    scraper::Selector::parse(css)
        .map(Selector)
        .map_err(|error| SelectorError::css(css, reason(&error)))
}

fn reason(error: &scraper::error::SelectorErrorKind) -> String {
    use scraper::error::SelectorErrorKind as Kind;
    match error {
        Kind::UnexpectedToken => "a token is not expected there".to_owned(),
        Kind::EndOfLine => "it ends too early".to_owned(),
        Kind::TooManyNestedBlocks => "it nests too deep".to_owned(),
        Kind::ExpectedColonOnPseudoElement | Kind::ExpectedIdentityOnPseudoElement => {
            "pseudo-elements do not select elements".to_owned()
        }
        Kind::UnexpectedSelectorParseError(kind) => {
            let kind = format!("{kind:?}");
            let name = kind.split(['(', ' ', '{']).next().unwrap_or_default();
            match name {
                "UnsupportedPseudoClassOrElement" => {
                    "it has a pseudo-class or pseudo-element that is not supported".to_owned()
                }
                "DanglingCombinator" => "a combinator has nothing behind it".to_owned(),
                "EmptySelector" => "it is empty".to_owned(),
                name => name.to_owned(),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_in_one_line() {
        for css in ["", "a >", "p:hover", "p::text", "[", "a:nth-child(x)", "..a", "a,,b"] {
            let error = compile(css).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{css}` is not a CSS selector: ")), "{error}");
            assert!(error.len() < 120 && !error.contains('\n'), "{error}");
        }
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
