//! Reads selectors, and tells whether they can be matched while streaming.
//!
//! They are compiled by the grammar that the tree is asked in, so that both understand the same,
//! and translated. What is not understood here is not wrong; it is left to the tree.

use crawl_query::css::{self, AttrTest, Ending, Relation};
use crawl_query::{Plain, css as compile};

use super::compound::{Compound, Test};
use super::names::Name;
use super::program::MAX_COMPOUNDS;
use crate::markup::scan::is_blank;

/// A selector cannot be matched knowing only what stands before an element's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{selector}` cannot be matched while the page streams by: {reason}")]
pub(crate) struct NotStreamable {
    /// The selector as it was given.
    pub(crate) selector: String,
    /// What stands in the way.
    pub(crate) reason: &'static str,
}

/// A complex selector: compounds from left to right.
#[derive(Clone)]
pub(super) struct Complex {
    pub(super) compounds: Vec<(Compound, Next)>,
    /// Whether the first compound is the item that it is looked for in.
    pub(super) is_scoped: bool,
}

/// How a compound is joined to the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is none: the selector ends.
    End,
    /// Space.
    Descendant,
    /// `>`
    Child,
    /// `+`
    Sibling,
    /// `~`
    LaterSibling,
}

/// What `:scope` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The outermost element, because the whole page is searched.
    Page,
    /// The item, in which is searched.
    Item,
}

/// Reads a list of selectors.
///
/// # Errors
/// [`NotStreamable`] if one of them cannot be matched while streaming, or none parses.
pub(super) fn read(css: &str, scope: Scope) -> Result<Vec<Complex>, NotStreamable> {
    let not = |reason| NotStreamable { selector: css.to_owned(), reason };
    let list = compile(css).map_err(|_| not("it does not parse"))?.list;
    let read = |found| complex(found).and_then(|c| with_scope(c, scope)).map_err(not);
    list.iter().map(read).collect()
}

type Reason = &'static str;

fn complex(selector: &css::Complex<Plain>) -> Result<Complex, Reason> {
    if selector.ending != Ending::Element {
        return Err("it has a pseudo-element");
    }
    if selector.parts.len() > MAX_COMPOUNDS {
        return Err("it is too long");
    }
    // How a part is joined to the one behind it is written at that one.
    let behind = selector.parts.iter().skip(1).map(|part| Some(part.relation)).chain([None]);
    let joined = selector.parts.iter().zip(behind).map(|(part, behind)| {
        let next = match behind {
            None => Next::End,
            Some(Relation::Descendant | Relation::Within) => Next::Descendant,
            Some(Relation::Child) => Next::Child,
            Some(Relation::Next) => Next::Sibling,
            Some(Relation::Later) => Next::LaterSibling,
        };
        compound(&part.tests).map(|compound| (compound, next))
    });
    Ok(Complex { compounds: joined.collect::<Result<_, _>>()?, is_scoped: false })
}

fn compound(tests: &[css::Test<Plain>]) -> Result<Compound, Reason> {
    Ok(Compound(tests.iter().map(test).collect::<Result<_, _>>()?))
}

/// One simple selector.
fn test(test: &css::Test<Plain>) -> Result<Test, Reason> {
    let later = "it asks for siblings that come later";
    Ok(match test {
        css::Test::Tag(name) => Test::Type(Name::of_element(plain(&name.written)?)),
        css::Test::Id(id) => Test::Id(id.clone()),
        css::Test::Class(class) if class.is_empty() || class.bytes().any(is_blank) => {
            Test::Any(Vec::new()) // no word is that
        }
        css::Test::Class(class) => Test::Class(class.clone()),
        css::Test::Attr(attr) => attribute(attr)?,
        css::Test::First => Test::Nth { step: 0, offset: 1, of_type: false },
        css::Test::Nth(nth) if nth.from_end => return Err(later),
        css::Test::Nth(nth) if !nth.of.is_empty() => return Err("it counts only some siblings"),
        css::Test::Nth(nth) => {
            Test::Nth { step: nth.step, offset: nth.offset, of_type: nth.of_type }
        }
        css::Test::All(tests) => Test::Any(vec![compound(tests)?]),
        css::Test::Last => return Err(later),
        css::Test::Root => Test::Root,
        css::Test::Scope => Test::Scope,
        css::Test::Is(list) => Test::Any(compounds(list)?),
        css::Test::Not(list) => Test::Not(compounds(list)?),
        css::Test::Never => Test::Any(Vec::new()),
        css::Test::Empty | css::Test::Has(_) | css::Test::Contains { .. } => {
            return Err("it asks for an element's content");
        }
        css::Test::Namespace(_) => return Err("it has a namespace"),
        css::Test::State(_) | css::Test::Lang { .. } => {
            return Err("it has an unusual pseudo-class");
        }
    })
}

fn attribute(attr: &AttrTest<Plain>) -> Result<Test, Reason> {
    match attr.namespace.as_deref() {
        Some("") => {
            Ok(Test::Attr(Name::of_attribute(plain(&attr.name.written)?), attr.value.clone()))
        }
        _ => Err("it has a namespace"),
    }
}

/// The list in `:is(..)` or `:not(..)`.
fn compounds(list: &[css::Complex<Plain>]) -> Result<Vec<Compound>, Reason> {
    let one = |selector: &css::Complex<Plain>| match &*selector.parts {
        [part] => compound(&part.tests),
        _ => Err("it has combinators in `:is` or `:not`"),
    };
    list.iter().map(one).collect()
}

/// A NUL in markup becomes a replacement character in the tree, so such names need one.
fn plain(name: &str) -> Result<&str, Reason> {
    match name.contains(char::REPLACEMENT_CHARACTER) {
        true => Err("it has a replacement character in a name"),
        false => Ok(name),
    }
}

fn with_scope(mut complex: Complex, scope: Scope) -> Result<Complex, Reason> {
    let is_scope = |test: &Test| matches!(test, Test::Scope);
    if !complex.compounds.iter().any(|(compound, _)| compound.has(&is_scope)) {
        return Ok(complex);
    }
    match scope {
        Scope::Page => complex.compounds.iter_mut().for_each(|(compound, _)| root_it(compound)),
        Scope::Item => {
            let first = &mut complex.compounds[0].0.0;
            let n_tests = first.len();
            first.retain(|test| !is_scope(test));
            complex.is_scoped = first.len() < n_tests;
            let elsewhere = complex.compounds.iter().any(|(compound, _)| compound.has(&is_scope));
            if !complex.is_scoped || elsewhere {
                return Err("`:scope` does not stand at its beginning");
            }
        }
    }
    Ok(complex)
}

/// Makes `:root` of each `:scope`.
fn root_it(compound: &mut Compound) {
    for test in &mut compound.0 {
        match test {
            Test::Scope => *test = Test::Root,
            Test::Any(list) | Test::Not(list) => list.iter_mut().for_each(root_it),
            _ => {}
        }
    }
}
