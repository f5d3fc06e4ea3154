//! What an element says of itself: name, id, classes, attributes.

use crawl_query::css::{AttrTest, Case, Operator, ValueTest};
use html5ever::ns;
use memchr::memmem;
use scraper::node::Element;

use crate::dom::{Dom, Flavour};
use crate::names::Atoms;

/// Whether names on it follow HTML's rules.
pub(super) fn is_html(dom: &Dom, element: &Element) -> bool {
    dom.flavour() == Flavour::Html && element.name.ns == ns!(html)
}

/// The value of an attribute in no namespace.
pub(super) fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let mut attrs = element.attrs.iter();
    let found = attrs.find(|(key, _)| key.ns.is_empty() && *key.local == *name);
    found.map(|(_, value)| &**value)
}

pub(super) fn has_id(element: &Element, id: &str, any_case: bool) -> bool {
    attr(element, "id").is_some_and(|value| is_same(value, id, any_case))
}

pub(super) fn has_class(element: &Element, class: &str, any_case: bool) -> bool {
    attr(element, "class")
        .is_some_and(|value| words(value).any(|word| is_same(word, class, any_case)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\r', '\x0c'])
}

fn is_same(a: &str, b: &str, any_case: bool) -> bool {
    if any_case { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// Whether one of its attributes is as asked.
pub(super) fn has_attr(element: &Element, test: &AttrTest<Atoms>, is_html: bool) -> bool {
    let name = test.name.of(is_html);
    element.attrs.iter().any(|(key, value)| {
        key.local == *name
            && test.namespace.as_ref().is_none_or(|namespace| key.ns == *namespace)
            && test.value.as_ref().is_none_or(|test| has_value(value, test, is_html))
    })
}

/// Selectors Level 4, sections 6.1 and 6.2. What is empty is nowhere in another value.
pub(crate) fn has_value(value: &str, test: &ValueTest, is_html: bool) -> bool {
    let any_case = match test.case {
        Case::Exact => false,
        Case::Any => true,
        Case::AnyInHtml => is_html,
    };
    let wanted = &*test.value;
    let is_same = |part: Option<&[u8]>| {
        part.is_some_and(|part| match any_case {
            true => part.eq_ignore_ascii_case(wanted.as_bytes()),
            false => part == wanted.as_bytes(),
        })
    };
    let (bytes, len) = (value.as_bytes(), wanted.len());
    match test.operator {
        Operator::Equal => is_same(Some(bytes)),
        Operator::Dash => {
            is_same(Some(bytes)) || bytes.get(len) == Some(&b'-') && is_same(bytes.get(..len))
        }
        _ if wanted.is_empty() => false,
        Operator::Word => words(value).any(|word| is_same(Some(word.as_bytes()))),
        Operator::Prefix => is_same(bytes.get(..len)),
        Operator::Suffix => is_same(bytes.len().checked_sub(len).and_then(|at| bytes.get(at..))),
        Operator::Inside if any_case => bytes.windows(len).any(|part| is_same(Some(part))),
        Operator::Inside => memmem::find(bytes, wanted.as_bytes()).is_some(),
    }
}
