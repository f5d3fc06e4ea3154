//! Whether an element matches: right to left, each question asked once.
//!
//! An engine that walks up and along the tree for every element is quadratic on a page with a
//! hundred thousand siblings and `a ~ b`, or with `:has()` around deep nesting. Here the answer
//! to "does an element at or before this one match the rest" is remembered for every element
//! walked over, so that no walk goes the same way twice: a search costs time in proportion to
//! the elements times the parts of the selector, whatever the page. Recursion goes over the
//! parts of the selector (the grammar bounds them), never over the tree.
//!
//! What is remembered lasts for one search, in the [`Matcher`].

use std::collections::HashMap;

use crawl_query::css::Relation;
use crawl_spider::NodeId;
use scraper::node::Element;

use super::Complex;
use super::contains::Words;
use super::element;
use super::memo::{Gaps, Key, Map};
use super::nth::Places;
use crate::dom::{Dom, NodeKind};
use crate::names::Atoms;

type Part = crawl_query::css::Part<Atoms>;
type Test = crawl_query::css::Test<Atoms>;

/// One search through a page.
pub(super) struct Matcher<'a> {
    pub(super) dom: &'a Dom,
    /// The element that `:scope` means.
    scope: Option<NodeId>,
    /// Whether ids and classes match in any case.
    is_quirky: bool,
    answers: Map<bool>,
    gaps: HashMap<u32, Gaps>,
    pub(super) places: Places,
    words: Words,
}

/// A step from one element to the next of a walk.
type Step = fn(&Dom, NodeId) -> Option<NodeId>;

impl<'a> Matcher<'a> {
    /// Prepares a search below `root`, or in all of the document.
    pub(super) fn new(dom: &'a Dom, root: Option<NodeId>) -> Self {
        let scope = root.filter(|&root| dom.is_element(root)).or_else(|| dom.root());
        Self {
            dom,
            scope,
            is_quirky: dom.is_quirky(),
            answers: Map::default(),
            gaps: HashMap::new(),
            places: Places::default(),
            words: Words::new(root.unwrap_or(dom.document())),
        }
    }

    /// Whether one of the selectors matches.
    pub(super) fn any(&mut self, list: &[Complex], node: NodeId) -> bool {
        list.iter().any(|complex| self.complex(complex, node))
    }

    /// Whether a selector matches.
    pub(super) fn complex(&mut self, complex: &Complex, node: NodeId) -> bool {
        self.chain(&complex.parts, node)
    }

    /// Whether the last part matches this element and the others those it stands to.
    fn chain(&mut self, parts: &[Part], node: NodeId) -> bool {
        let Some((last, rest)) = parts.split_last() else { return true };
        self.part(last, node) && (rest.is_empty() || self.reaches(last, rest, node))
    }

    fn part(&mut self, part: &Part, node: NodeId) -> bool {
        let dom = self.dom;
        dom.element(node).is_some_and(|element| self.tests(&part.tests, node, element))
    }

    fn tests(&mut self, tests: &[Test], node: NodeId, element: &Element) -> bool {
        tests.iter().all(|test| self.test(test, node, element))
    }

    fn test(&mut self, test: &Test, node: NodeId, element: &Element) -> bool {
        let dom = self.dom;
        match test {
            Test::Tag(name) => element.name.local == *name.of(element::is_html(dom, element)),
            Test::Namespace(namespace) => element.name.ns == *namespace,
            Test::Id(id) => element::has_id(element, id, self.is_quirky),
            Test::Class(class) => element::has_class(element, class, self.is_quirky),
            Test::Attr(test) => element::has_attr(element, test, element::is_html(dom, element)),
            Test::Root => is_root(dom, node),
            Test::Scope => self.scope == Some(node),
            Test::First => before(dom, node).is_none(),
            Test::Last => behind(dom, node).is_none(),
            Test::Empty => is_empty(dom, node),
            Test::State(state) => self.state(*state, node, element),
            Test::Lang { memo, ranges } => self.lang(*memo, ranges, node),
            Test::Nth(nth) => self.nth(nth, node),
            Test::All(tests) => self.tests(tests, node, element),
            Test::Is(list) => self.any(list, node),
            Test::Not(list) => !self.any(list, node),
            Test::Has(list) => list.iter().any(|complex| self.has(&complex.parts, node)),
            Test::Contains { memo, text } => self.words.are_in(dom, *memo, text, node),
            Test::Never => false,
        }
    }

    /// Whether an element that `last` relates this one to matches the parts before it.
    fn reaches(&mut self, last: &Part, rest: &[Part], node: NodeId) -> bool {
        let dom = self.dom;
        let (first, step): (_, Step) = match last.relation {
            Relation::Child => (above(dom, node), nowhere),
            Relation::Descendant => (above(dom, node), above),
            Relation::Within => (Some(node), above),
            Relation::Next => (before(dom, node), nowhere),
            Relation::Later => (before(dom, node), before),
        };
        self.walk(last.memo, first, step, |this, node| this.chain(rest, node).then_some(true))
    }

    /// Whether an element that the first part relates this one to matches it, and the other
    /// parts match those behind that (`:has()`).
    fn has(&mut self, parts: &[Part], anchor: NodeId) -> bool {
        let Some((part, rest)) = parts.split_first() else { return true };
        let dom = self.dom;
        let (first, step): (_, Step) = match part.relation {
            Relation::Descendant | Relation::Within => return self.has_below(part, rest, anchor),
            Relation::Child => (first_element(dom, anchor), behind),
            Relation::Next => (behind(dom, anchor), nowhere),
            Relation::Later => (behind(dom, anchor), behind),
        };
        self.walk(part.memo, first, step, |this, node| {
            this.begins(part, rest, node).then_some(true)
        })
    }

    fn begins(&mut self, part: &Part, rest: &[Part], node: NodeId) -> bool {
        self.part(part, node) && self.has(rest, node)
    }

    /// Looks through all descendants, but never twice through the same ones.
    fn has_below(&mut self, part: &Part, rest: &[Part], anchor: NodeId) -> bool {
        let end = self.dom.end(anchor);
        let start = anchor.0.saturating_add(1);
        let (mut at, mut found) = (start, false);
        while at < end && !found {
            let gaps = self.gaps.entry(part.memo).or_default();
            if let Some(behind) = gaps.end_of(at) {
                at = behind;
                continue;
            }
            let stop = gaps.next(at).min(end);
            while at < stop {
                let key = Key::new(part.memo, NodeId(at));
                found = self.answers.contains_key(&key)
                    || self.dom.is_element(NodeId(at)) && self.begins(part, rest, NodeId(at));
                if found {
                    self.answers.insert(key, true);
                    break;
                }
                at += 1;
            }
        }
        self.gaps.entry(part.memo).or_default().insert(start, at.min(end));
        found
    }

    /// Walks until `test` has an answer, and remembers it for all that was walked over; at the
    /// end of the way it is no.
    pub(super) fn walk(
        &mut self,
        memo: u32,
        first: Option<NodeId>,
        step: Step,
        mut test: impl FnMut(&mut Self, NodeId) -> Option<bool>,
    ) -> bool {
        let mut at = first;
        let mut answer = false;
        while let Some(node) = at {
            let known = self.answers.get(&Key::new(memo, node)).copied();
            if let Some(found) = known {
                answer = found;
                break;
            }
            if let Some(found) = test(self, node) {
                self.answers.insert(Key::new(memo, node), found);
                answer = found;
                break;
            }
            at = step(self.dom, node);
        }
        let mut passed = first;
        while let Some(node) = passed.filter(|_| passed != at) {
            self.answers.insert(Key::new(memo, node), answer);
            passed = step(self.dom, node);
        }
        answer
    }
}

/// The element around.
pub(super) fn above(dom: &Dom, node: NodeId) -> Option<NodeId> {
    dom.parent(node).filter(|&parent| dom.is_element(parent))
}

/// The element before it among its siblings.
pub(super) fn before(dom: &Dom, node: NodeId) -> Option<NodeId> {
    let mut sibling = dom.prev_sibling(node)?;
    while !dom.is_element(sibling) {
        sibling = dom.prev_sibling(sibling)?;
    }
    Some(sibling)
}

/// The element behind it among its siblings.
pub(super) fn behind(dom: &Dom, node: NodeId) -> Option<NodeId> {
    let mut sibling = dom.next_sibling(node)?;
    while !dom.is_element(sibling) {
        sibling = dom.next_sibling(sibling)?;
    }
    Some(sibling)
}

/// The first child that is an element.
fn first_element(dom: &Dom, node: NodeId) -> Option<NodeId> {
    let first = dom.first_child(node)?;
    if dom.is_element(first) { Some(first) } else { behind(dom, first) }
}

fn nowhere(_: &Dom, _: NodeId) -> Option<NodeId> {
    None
}

fn is_root(dom: &Dom, node: NodeId) -> bool {
    dom.parent(node) == Some(dom.document())
}

/// Whether it has neither elements nor text, comments aside (Selectors Level 4, section 13.2,
/// as browsers have it: white space is text).
fn is_empty(dom: &Dom, node: NodeId) -> bool {
    dom.children(node).all(|child| {
        matches!(dom.kind(child), Some(NodeKind::Comment | NodeKind::Instruction))
            || dom.data(child).is_some_and(str::is_empty)
    })
}
