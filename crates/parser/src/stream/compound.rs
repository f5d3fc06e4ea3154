//! What one element is tested for.

use std::borrow::Cow;
use std::cell::OnceCell;

use crawl_query::css::{ValueTest, is_place};

use super::element::Element;
use super::names::Name;
use crate::css::has_value;
use crate::markup::events::Space;
use crate::markup::scan::is_blank;

/// A compound selector: tests that one element passes all.
#[derive(Clone)]
pub(super) struct Compound(pub(super) Vec<Test>);

/// A simple selector.
#[derive(Clone)]
pub(super) enum Test {
    /// `p`
    Type(Name),
    /// `#x`
    Id(Box<str>),
    /// `.x`
    Class(Box<str>),
    /// `[x]`, `[x = y i]`
    Attr(Name, Option<ValueTest>),
    /// `:nth-child(2n + 1)`, `:first-of-type`
    Nth { step: i32, offset: i32, of_type: bool },
    /// `:root`
    Root,
    /// `:scope`; none is left when a selector is compiled.
    Scope,
    /// `:is(..)`, `:where(..)`
    Any(Vec<Compound>),
    /// `:not(..)`
    Not(Vec<Compound>),
}

impl Compound {
    /// Whether any test, also inside of `:is` and `:not`, is one that `wanted` holds for.
    pub(super) fn has(&self, wanted: &impl Fn(&Test) -> bool) -> bool {
        self.0.iter().any(|test| match test {
            Test::Any(list) | Test::Not(list) => list.iter().any(|c| c.has(wanted)),
            test => wanted(test),
        })
    }

    /// Whether the element passes.
    pub(super) fn matches<E: Element>(&self, seen: &Seen<'_, E>) -> bool {
        self.0.iter().all(|test| test.passes(seen))
    }
}

impl Test {
    fn passes<E: Element>(&self, seen: &Seen<'_, E>) -> bool {
        match self {
            Self::Type(name) => name.is(seen.element.name(), seen.element.space()),
            Self::Id(id) => seen.id().is_some_and(|value| seen.same(value, id)),
            Self::Class(class) => seen.has_class(class),
            Self::Attr(name, test) => seen.element.attr(name).is_some_and(|value| {
                let is_html = seen.element.space() == Space::Html;
                test.as_ref().is_none_or(|test| has_value(&value, test, is_html))
            }),
            Self::Nth { step, offset, of_type } => {
                let place = if *of_type { seen.place.of_type } else { seen.place.child };
                is_place(*step, *offset, place)
            }
            Self::Root => seen.place.is_root,
            Self::Scope => false,
            Self::Any(list) => list.iter().any(|compound| compound.matches(seen)),
            Self::Not(list) => !list.iter().any(|compound| compound.matches(seen)),
        }
    }
}

/// Where an element stands among its siblings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Its place among the elements, from 1.
    pub(super) child: u32,
    /// Its place among those of its name, from 1; counted only if a selector asks for it.
    pub(super) of_type: u32,
    /// Whether it stands in no other.
    pub(super) is_root: bool,
}

/// An element that opens, with what was found out about it.
pub(super) struct Seen<'e, E> {
    pub(super) element: &'e E,
    pub(super) place: Place,
    /// Whether classes and ids match in any case (DOM Standard, "quirks mode").
    quirky: bool,
    class: OnceCell<Cow<'e, str>>,
    id: OnceCell<Option<Cow<'e, str>>>,
    names: &'e Wellknown,
}

/// Names of the two attributes with selectors of their own.
#[derive(Debug)]
pub(super) struct Wellknown {
    class: Name,
    id: Name,
}

impl Default for Wellknown {
    fn default() -> Self {
        Self { class: Name::of_attribute("class"), id: Name::of_attribute("id") }
    }
}

impl<'e, E: Element> Seen<'e, E> {
    pub(super) fn new(element: &'e E, place: Place, quirky: bool, names: &'e Wellknown) -> Self {
        Self { element, place, quirky, class: OnceCell::new(), id: OnceCell::new(), names }
    }

    /// Its `class`; empty if it has none.
    fn class(&self) -> &str {
        self.class.get_or_init(|| self.element.attr(&self.names.class).unwrap_or_default())
    }

    /// Whether it is of this class, which is a word.
    fn has_class(&self, class: &str) -> bool {
        let (all, class) = (self.class().as_bytes(), class.as_bytes());
        let mut at = 0;
        // Mostly the text is too short, which is all that is looked at.
        while let Some(word) = all.get(at..at + class.len()) {
            let is_it = word == class || (self.quirky && word.eq_ignore_ascii_case(class));
            if is_it && all.get(at + class.len()).is_none_or(|&byte| is_blank(byte)) {
                return true;
            }
            let Some(len) = all[at..].iter().position(|&byte| is_blank(byte)) else { return false };
            at += len + 1;
        }
        false
    }

    /// Its classes, repeated ones included.
    pub(super) fn classes(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.class();
        std::iter::from_fn(move || {
            let bytes = rest.as_bytes();
            let mut start = 0;
            while is_blank(*bytes.get(start)?) {
                start += 1;
            }
            let mut end = start + 1;
            while bytes.get(end).is_some_and(|&byte| !is_blank(byte)) {
                end += 1;
            }
            let word = &rest[start..end];
            rest = &rest[end..];
            Some(word)
        })
    }

    fn id(&self) -> Option<&str> {
        self.id.get_or_init(|| self.element.attr(&self.names.id)).as_deref()
    }

    fn same(&self, value: &str, wanted: &str) -> bool {
        value == wanted || (self.quirky && value.eq_ignore_ascii_case(wanted))
    }
}
