//! The grammar of selectors (Selectors Level 4, section 18), on cssparser's tokens.
//!
//! Lists, complex and compound selectors and names; attributes and pseudo-classes are in
//! `simple.rs`. Errors name the place, which is why the grammar is written out here.

use std::marker::PhantomData;

use cssparser::{BasicParseErrorKind, CowRcStr, Delimiter, ParseErrorKind, Parser, Token};

use super::ast::{Complex, Ending, Name, Part, Relation, Test};
use super::simple::Pseudo;
use crate::names::{Names, spaces};
use crate::{SyntaxError, place_of};

/// Brackets in brackets in brackets: how deep they may be.
const MAX_NESTED: u8 = 16;

/// Compound selectors that matching may have to climb through, one below the other.
const MAX_DEPTH: usize = 512;

/// What is wrong, and at which byte.
#[derive(Debug)]
pub(super) struct Problem {
    what: String,
    at: usize,
}

pub(super) type Fail = cssparser::ParseError<Problem>;

/// Parses a selector list.
///
/// # Errors
/// What is wrong and where, in one line.
pub(super) fn parse<N: Names>(css: &str) -> Result<Vec<Complex<N>>, SyntaxError> {
    let mut input = Parser::new(css);
    input.set_nested_block_limit(MAX_NESTED);
    let problem = match Reader::<N>::default().list(&mut input, Place::default()) {
        Ok(list) => return Ok(list),
        Err(fail) => fail.kind,
    };
    let reason = match problem {
        ParseErrorKind::Custom(Problem { what, at }) if at >= css.trim_end().len() => what,
        ParseErrorKind::Custom(Problem { what, at }) => {
            format!("{what}, at character {}", place_of(css, at))
        }
        ParseErrorKind::Basic(BasicParseErrorKind::TooManyNestedBlocks) => {
            "its brackets nest too deep".to_owned()
        }
        ParseErrorKind::Basic(other) => other.to_string(),
    };
    Err(SyntaxError::new("CSS selector", css, reason))
}

/// Where a selector stands, for what is not allowed everywhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// In brackets, where nothing but elements can be meant.
    pub(super) in_brackets: bool,
    /// In `:has()`, which does not nest.
    pub(super) in_has: bool,
    /// It begins with a relation to the element before the brackets.
    pub(super) is_relative: bool,
}

/// Numbers what is remembered while matching.
pub(super) struct Reader<N> {
    n_memos: u32,
    names: PhantomData<N>,
}

impl<N> Default for Reader<N> {
    fn default() -> Self {
        Self { n_memos: 0, names: PhantomData }
    }
}

/// The tests of a compound selector, and the pseudo-element behind them.
type Compound<N> = (Vec<Test<N>>, Option<Ending<N>>);

impl<N: Names> Reader<N> {
    pub(super) fn memo(&mut self) -> u32 {
        self.n_memos += 1;
        self.n_memos
    }

    /// A list to the end of the input; each selector must be valid.
    pub(super) fn list(
        &mut self,
        input: &mut Parser<'_>,
        place: Place,
    ) -> Result<Vec<Complex<N>>, Fail> {
        let mut list = Vec::new();
        loop {
            list.push(self.complex(input, place)?);
            let before = input.state();
            match input.next() {
                Ok(Token::Comma) => {}
                Ok(_) => {
                    input.reset(&before);
                    return Err(unexpected(input));
                }
                Err(_) => return Ok(list),
            }
        }
    }

    /// A list to the end of the input; selectors that are not valid are left out (section 3.9).
    pub(super) fn forgiving_list(
        &mut self,
        input: &mut Parser<'_>,
        place: Place,
    ) -> Result<Vec<Complex<N>>, Fail> {
        let mut list = Vec::new();
        loop {
            let complex = input.parse_until_before(Delimiter::Comma, |input| {
                let start = input.state();
                match self.complex(input, place) {
                    Ok(complex) if input.is_exhausted() => Ok(Some(complex)),
                    _ => {
                        input.reset(&start);
                        skip(input).map(|()| None)
                    }
                }
            })?;
            list.extend(complex);
            if input.next().is_err() {
                return Ok(list);
            }
        }
    }

    fn complex(&mut self, input: &mut Parser<'_>, place: Place) -> Result<Complex<N>, Fail> {
        input.skip_whitespace();
        let mut relation = Relation::Descendant;
        if place.is_relative
            && let Some(leading) = combinator(input)
        {
            relation = leading;
        }
        let (mut parts, mut depth) = (Vec::new(), 0);
        loop {
            input.skip_whitespace();
            let (tests, ending) = self.compound(input, place, !parts.is_empty())?;
            if tests.is_empty() && ending.is_some() && relation == Relation::Descendant {
                relation = Relation::Within;
            }
            depth = depth.max(tests.iter().map(Test::depth).max().unwrap_or(0));
            parts.push(Part { relation, memo: self.memo(), tests });
            let next = if ending.is_none() { combinator(input) } else { None };
            let Some(next) = next else {
                depth += parts.len();
                if depth > MAX_DEPTH {
                    return Err(fail(input, format!("it has more than {MAX_DEPTH} parts")));
                }
                let ending = ending.unwrap_or(Ending::Element);
                return Ok(Complex { parts, ending, depth });
            };
            relation = next;
        }
    }

    /// A compound selector, and the pseudo-element behind it.
    fn compound(
        &mut self,
        input: &mut Parser<'_>,
        place: Place,
        is_after_combinator: bool,
    ) -> Result<Compound<N>, Fail> {
        let mut tests = Vec::new();
        let mut is_empty = !type_selector(input, &mut tests)?;
        let mut ending = None;
        while ending.is_none() {
            match self.simple(input, place)? {
                Some(Pseudo::Test(test)) => tests.push(test),
                Some(Pseudo::Ending(found)) => ending = Some(found),
                None => break,
            }
            is_empty = false;
        }
        if is_empty {
            return Err(missing(input, is_after_combinator));
        }
        tests.sort_by_key(Test::cost);
        Ok((tests, ending))
    }

    fn simple(&mut self, input: &mut Parser<'_>, place: Place) -> Result<Option<Pseudo<N>>, Fail> {
        let start = input.state();
        let Ok(token) = input.next_including_whitespace().cloned() else {
            input.reset(&start);
            return Ok(None);
        };
        let test = match token {
            Token::IDHash(id) => Test::Id((&*id).into()),
            Token::Hash(id) => {
                input.reset(&start);
                return Err(fail(input, format!("`#{id}` is no name; write `[id=\"{id}\"]`")));
            }
            Token::Delim('.') => {
                let before = input.state();
                match input.next_including_whitespace() {
                    Ok(Token::Ident(class)) => Test::Class((&**class).into()),
                    _ => {
                        input.reset(&before);
                        return Err(expected(input, "the name of a class"));
                    }
                }
            }
            Token::SquareBracketBlock => input.parse_nested_block(super::simple::attribute)?,
            Token::Colon => {
                return self.pseudo(input, place, start.position().byte_index()).map(Some);
            }
            _ => {
                input.reset(&start);
                return Ok(None);
            }
        };
        Ok(Some(Pseudo::Test(test)))
    }
}

/// Passes over what is left.
fn skip(input: &mut Parser<'_>) -> Result<(), Fail> {
    loop {
        let before = input.state();
        match input.next() {
            Ok(token) if token.is_parse_error() => {
                input.reset(&before);
                return Err(unexpected(input));
            }
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// What stands between two compound selectors; `None` at the end of a selector.
fn combinator(input: &mut Parser<'_>) -> Option<Relation> {
    let mut has_blank = false;
    loop {
        let before = input.state();
        return match input.next_including_whitespace() {
            Ok(Token::WhiteSpace(_)) => {
                has_blank = true;
                continue;
            }
            Ok(Token::Delim('>')) => Some(Relation::Child),
            Ok(Token::Delim('+')) => Some(Relation::Next),
            Ok(Token::Delim('~')) => Some(Relation::Later),
            Err(_) | Ok(Token::Comma) => {
                input.reset(&before);
                None
            }
            Ok(_) => {
                input.reset(&before);
                has_blank.then_some(Relation::Descendant)
            }
        };
    }
}

/// `a`, `*`, `svg|a`, `*|*`. False if there is none.
fn type_selector<N: Names>(input: &mut Parser<'_>, tests: &mut Vec<Test<N>>) -> Result<bool, Fail> {
    let Some((prefix, name)) = qualified_name(input, false)? else { return Ok(false) };
    // Without a declared default namespace, a bare name means any (section 5.1).
    if let Prefix::Is(namespace) = prefix {
        tests.push(Test::Namespace(N::Space::from(namespace)));
    }
    tests.extend(name.map(|name| Test::Tag(Name::new(&name))));
    Ok(true)
}

/// The namespace that a name says it is in.
pub(super) enum Prefix {
    Unsaid,
    Any,
    Is(&'static str),
}

type QualifiedName<'i> = (Prefix, Option<CowRcStr<'i>>);

/// A name with or without prefix; `*` is `None`, which attributes cannot be called.
pub(super) fn qualified_name<'i>(
    input: &mut Parser<'i>,
    is_attribute: bool,
) -> Result<Option<QualifiedName<'i>>, Fail> {
    let start = input.state();
    let first = match input.next_including_whitespace() {
        Ok(Token::Ident(name)) => Some(name.clone()),
        Ok(Token::Delim('*')) => None,
        Ok(Token::Delim('|')) => {
            return Ok(Some((Prefix::Is(spaces::NONE), local_name(input, is_attribute)?)));
        }
        _ => {
            input.reset(&start);
            return Ok(None);
        }
    };
    let behind = input.state();
    if !matches!(input.next_including_whitespace(), Ok(Token::Delim('|'))) {
        input.reset(&behind);
        if is_attribute && first.is_none() {
            return Err(expected(input, "`|` and a name"));
        }
        return Ok(Some((Prefix::Unsaid, first)));
    }
    let prefix = match first {
        None => Prefix::Any,
        Some(name) => match known_namespace(&name) {
            Some(namespace) => Prefix::Is(namespace),
            None => {
                input.reset(&start);
                let what = format!("the prefix `{name}` is not known; `*|` means any namespace");
                return Err(fail(input, what));
            }
        },
    };
    Ok(Some((prefix, local_name(input, is_attribute)?)))
}

fn local_name<'i>(
    input: &mut Parser<'i>,
    is_attribute: bool,
) -> Result<Option<CowRcStr<'i>>, Fail> {
    let before = input.state();
    match input.next_including_whitespace() {
        Ok(Token::Ident(name)) => Ok(Some(name.clone())),
        Ok(Token::Delim('*')) if !is_attribute => Ok(None),
        _ => {
            input.reset(&before);
            Err(expected(input, "a name"))
        }
    }
}

/// The prefixes that need no declaration here: there is no place to declare them.
fn known_namespace(prefix: &str) -> Option<&'static str> {
    match prefix {
        "html" => Some(spaces::HTML),
        "svg" => Some(spaces::SVG),
        "math" => Some(spaces::MATH),
        "xlink" => Some(spaces::XLINK),
        "xml" => Some(spaces::XML),
        _ => None,
    }
}

/// An error at the next token.
pub(super) fn fail(input: &mut Parser<'_>, what: impl Into<String>) -> Fail {
    fail_at(input.position().byte_index(), what)
}

/// An error at this byte.
pub(super) fn fail_at(at: usize, what: impl Into<String>) -> Fail {
    Fail::custom(Problem { what: what.into(), at })
}

/// The next token does not belong there.
pub(super) fn unexpected(input: &mut Parser<'_>) -> Fail {
    input.skip_whitespace();
    let start = input.position();
    if input.next_including_whitespace().is_err() {
        return fail_at(start.byte_index(), "it ends too early");
    }
    let token: String = input.slice_from(start).chars().take(20).collect();
    fail_at(start.byte_index(), format!("`{token}` is not expected there"))
}

/// Something else should have come.
pub(super) fn expected(input: &mut Parser<'_>, what: &str) -> Fail {
    fail(input, format!("{what} is missing"))
}

/// There is no compound selector where one should be.
fn missing(input: &mut Parser<'_>, is_after_combinator: bool) -> Fail {
    let start = input.state();
    let what = match input.next() {
        Err(_) if is_after_combinator => "a combinator has nothing behind it",
        Err(_) => "it is empty",
        Ok(Token::Comma) if is_after_combinator => "a combinator has nothing behind it",
        Ok(Token::Comma) => "nothing is before a comma",
        Ok(Token::Delim('>' | '+' | '~')) if !is_after_combinator => {
            "a combinator has nothing before it; `:scope` names the element that is searched"
        }
        Ok(_) => {
            input.reset(&start);
            return unexpected(input);
        }
    };
    fail_at(start.position().byte_index(), what)
}
