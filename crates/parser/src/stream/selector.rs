//! Reads selectors, and tells whether they can be matched while streaming.
//!
//! They are parsed by the parser of the full engine, so that both understand the same, and
//! translated. What is not understood here is not wrong; it is left to the tree.

use cssparser::Parser;
use scraper::selector::Simple;
use selectors::attr::ParsedAttrSelectorOperation;
use selectors::parser::{Combinator, Component, NthType, ParseRelative, Selector, SelectorList};

use super::compound::{Compound, Operation, Test};
use super::names::Name;
use super::program::MAX_COMPOUNDS;

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
    let mut parser = Parser::new(css);
    let list = SelectorList::parse(&scraper::selector::Parser, &mut parser, ParseRelative::No)
        .map_err(|_| not("it is no selector, or one for the tree only"))?;
    let mut found = Vec::with_capacity(list.slice().len());
    for selector in list.slice() {
        found.push(complex(selector).and_then(|c| with_scope(c, scope)).map_err(not)?);
    }
    Ok(found)
}

type Reason = &'static str;

fn complex(selector: &Selector<Simple>) -> Result<Complex, Reason> {
    let mut compounds = Vec::new();
    let mut next = Next::End;
    let mut parts = selector.iter();
    loop {
        let tests = parts.by_ref().filter_map(|part| test(part).transpose());
        compounds.push((Compound(tests.collect::<Result<_, _>>()?), next));
        next = match parts.next_sequence() {
            None => break,
            Some(Combinator::Descendant) => Next::Descendant,
            Some(Combinator::Child) => Next::Child,
            Some(Combinator::NextSibling) => Next::Sibling,
            Some(Combinator::LaterSibling) => Next::LaterSibling,
            Some(_) => return Err("it has a pseudo-element"),
        };
    }
    if compounds.len() > MAX_COMPOUNDS {
        return Err("it is too long");
    }
    compounds.reverse();
    Ok(Complex { compounds, is_scoped: false })
}

/// One simple selector; `None` if every element passes it.
fn test(part: &Component<Simple>) -> Result<Option<Test>, Reason> {
    Ok(Some(match part {
        Component::ExplicitUniversalType | Component::ExplicitAnyNamespace => return Ok(None),
        Component::LocalName(name) => Test::Type(Name::of_element(plain(&name.name.0)?)),
        Component::ID(id) => Test::Id((*id.0).into()),
        Component::Class(class) => Test::Class((*class.0).into()),
        Component::AttributeInNoNamespaceExists { local_name, .. } => {
            Test::Attr(Name::of_attribute(plain(&local_name.0)?), None)
        }
        Component::AttributeInNoNamespace { local_name, operator, value, case_sensitivity } => {
            let (operator, case) = (*operator, *case_sensitivity);
            let operation = Operation { operator, case, value: (*value.0).into() };
            Test::Attr(Name::of_attribute(plain(&local_name.0)?), Some(operation))
        }
        Component::AttributeOther(attr) if attr.namespace.is_none() => {
            let operation = match &attr.operation {
                ParsedAttrSelectorOperation::Exists => None,
                ParsedAttrSelectorOperation::WithValue { operator, case_sensitivity, value } => {
                    let (operator, case) = (*operator, *case_sensitivity);
                    Some(Operation { operator, case, value: (*value.0).into() })
                }
            };
            Test::Attr(Name::of_attribute(plain(&attr.local_name.0)?), operation)
        }
        Component::Nth(nth) => {
            let of_type = match nth.ty {
                NthType::Child => false,
                NthType::OfType => true,
                NthType::LastChild
                | NthType::OnlyChild
                | NthType::LastOfType
                | NthType::OnlyOfType => return Err("it asks for siblings that come later"),
            };
            Test::Nth { formula: nth.an_plus_b, of_type }
        }
        Component::Root => Test::Root,
        Component::Scope => Test::Scope,
        Component::Is(list) | Component::Where(list) => Test::Any(compounds(list)?),
        Component::Negation(list) => Test::Not(compounds(list)?),
        Component::Empty | Component::Has(_) => return Err("it asks for an element's content"),
        _ => return Err("it has a namespace, a pseudo-element or an unusual pseudo-class"),
    }))
}

/// The list in `:is(..)` or `:not(..)`.
fn compounds(list: &SelectorList<Simple>) -> Result<Vec<Compound>, Reason> {
    list.slice()
        .iter()
        .map(|selector| {
            let mut complex = complex(selector)?;
            let last = complex.compounds.pop().filter(|_| complex.compounds.is_empty());
            last.map(|(compound, _)| compound).ok_or("it has combinators in `:is` or `:not`")
        })
        .collect()
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
