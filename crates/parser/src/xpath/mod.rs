//! XPath 1.0 (W3C Recommendation of 16 November 1999), complete, on the numbered tree.
//!
//! Compiled once, by the grammar of [`crawl_query`], and asked of any number of documents (`eval`,
//! `text`, `regexes`). Numbers of nodes are document order, so a node-set is a sorted list of numbers, the descendants, following and
//! preceding nodes of all nodes of a set are one walk over a range, and nothing recurses over a
//! document. An expression may still ask for too much (each node with each other, and again):
//! each node visited counts, and at [`MAX_STEPS`] the answer is an error.
//!
//! Beyond the standard, as parsel and lxml have it: `re:test`, `re:match` (a string: that of the
//! first match), `re:replace`, `has-class`, and EXSLT's `set:` functions.
//!
//! Where we choose:
//! - In HTML, names match in any case, and a name without prefix matches whatever namespace the
//!   parser put the element in, so `//svg//path` works. A prefix is one of the usual ones (`svg`,
//!   `xlink`, …) or part of the name, which HTML knows no prefixes in (`<g:price>`). `namespace-uri()`
//!   is the DOM's, so that of XHTML for HTML elements, where lxml has none.
//! - In XML, a name without prefix matches names in no namespace only. A prefix is looked up on the
//!   root element, then among the usual ones, then on any element; if it is nowhere and no name
//!   has it, that is an error. Attributes that declare namespaces are none, and the namespace axis is empty.
//! - `id()` finds attributes named `id` and `xml:id`, for DTDs are not read; `lang()` sees
//!   HTML's `lang`, too.
//! - There are no variables. White space of `normalize-space()` is XML's.

mod regexes;
mod text;

mod eval;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) use crawl_spider::Evaluated as Value;
use crawl_spider::{NodeId, SelectorError};
pub(crate) use regexes::pattern;

use crate::dom::Dom;
use crate::names::Atoms;
use eval::{Evaluator, Stop};

type Expr = crawl_query::xpath::Expr<Atoms>;
type Parsed = crawl_query::xpath::Expression<Atoms>;

/// Nodes (and eighths of a byte of text) that one answer may visit: about a second.
const MAX_STEPS: u64 = 50_000_000;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct XPath {
    source: Box<str>,
    parsed: Parsed,
}

impl XPath {
    /// Asks it of a node, with position and size 1. Node-sets come in document order, each node
    /// once.
    ///
    /// # Errors
    /// [`SelectorError`] if it takes more than [`MAX_STEPS`], if a prefix is declared nowhere, or
    /// if a regular expression that is put together while asking is none.
    pub(crate) fn evaluate(&self, dom: &Dom, context: NodeId) -> Result<Value, SelectorError> {
        self.evaluate_within(dom, context, MAX_STEPS)
    }

    /// As [`evaluate`](Self::evaluate), with another budget.
    pub(crate) fn evaluate_within(
        &self,
        dom: &Dom,
        context: NodeId,
        max_steps: u64,
    ) -> Result<Value, SelectorError> {
        let answer = Evaluator::new(dom, &self.parsed, max_steps)
            .and_then(|mut evaluator| evaluator.answer(context));
        answer.map_err(|stop| match stop {
            Stop::Steps => SelectorError::costly(
                &*self.source,
                format!("it takes more than {max_steps} steps in this document"),
            ),
            Stop::Wrong(reason) => SelectorError::xpath(&*self.source, reason),
        })
    }
}

/// Expressions kept per thread, as selectors are.
const MAX_EXPRESSIONS: usize = 512;

thread_local! {
    static CACHE: RefCell<HashMap<Box<str>, Rc<XPath>>> = RefCell::default();
}

/// Compiles an expression, or finds it compiled.
///
/// # Errors
/// As for [`compile`].
pub(crate) fn compiled(source: &str) -> Result<Rc<XPath>, SelectorError> {
    if let Some(xpath) = CACHE.with_borrow(|cache| cache.get(source).cloned()) {
        return Ok(xpath);
    }
    let xpath = Rc::new(compile(source)?);
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= MAX_EXPRESSIONS {
            cache.clear();
        }
        cache.insert(source.into(), xpath.clone());
    });
    Ok(xpath)
}

/// Compiles an expression.
///
/// # Errors
/// [`SelectorError`] that says at which character what is wrong: grammar, unknown axes and
/// functions, number and types of arguments, regular expressions.
pub(crate) fn compile(source: &str) -> Result<XPath, SelectorError> {
    match crawl_query::xpath::parse(source) {
        Ok(parsed) => Ok(XPath { source: source.into(), parsed }),
        Err(error) => Err(SelectorError::xpath(source, error.reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        for n in 0..2 * MAX_EXPRESSIONS {
            compiled(&format!("//a[{n}]")).unwrap();
        }
        assert!(CACHE.with_borrow(HashMap::len) <= MAX_EXPRESSIONS);
        let again = || Rc::as_ptr(&compiled("//a[1023]").unwrap());
        assert_eq!(again(), again());
    }
}
