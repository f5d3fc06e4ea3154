//! Attribute selectors, pseudo-classes and pseudo-elements.

use cssparser::{Parser, Token, match_ignore_ascii_case, parse_nth};

use super::ast::{AttrTest, Case, Ending, Name, Nth, Operator, State, Test, ValueTest};
use super::parse::{Fail, Place, Prefix, Reader, expected, fail_at, qualified_name, unexpected};
use crate::names::{Names, spaces};

/// What a colon begins: something asked of the element, or taken of it.
pub(super) enum Pseudo<N: Names> {
    Test(Test<N>),
    Ending(Ending<N>),
}

/// What stands between square brackets (Selectors Level 4, section 6).
pub(super) fn attribute<N: Names>(input: &mut Parser<'_>) -> Result<Test<N>, Fail> {
    input.skip_whitespace();
    let Some((prefix, Some(name))) = qualified_name(input, true)? else {
        return Err(expected(input, "the name of an attribute"));
    };
    let namespace = match prefix {
        Prefix::Unsaid => Some(spaces::NONE),
        Prefix::Is(namespace) => Some(namespace),
        Prefix::Any => None,
    };
    let is_plain = namespace == Some(spaces::NONE);
    let namespace = namespace.map(N::Space::from);
    let value = if input.is_exhausted() { None } else { Some(value_test(input, &name, is_plain)?) };
    Ok(Test::Attr(Box::new(AttrTest { namespace, name: Name::new(&name), value })))
}

fn value_test(input: &mut Parser<'_>, name: &str, is_plain: bool) -> Result<ValueTest, Fail> {
    let before = input.state();
    let operator = match input.next() {
        Ok(Token::Delim('=')) => Operator::Equal,
        Ok(Token::IncludeMatch) => Operator::Word,
        Ok(Token::DashMatch) => Operator::Dash,
        Ok(Token::PrefixMatch) => Operator::Prefix,
        Ok(Token::SuffixMatch) => Operator::Suffix,
        Ok(Token::SubstringMatch) => Operator::Inside,
        _ => {
            input.reset(&before);
            return Err(unexpected(input));
        }
    };
    let value = word(input, "a name or a string in quotes")?;
    let before = input.state();
    let case = match input.next() {
        Err(_) if is_plain && matches_in_any_case(&name.to_ascii_lowercase()) => Case::AnyInHtml,
        Err(_) => Case::Exact,
        Ok(Token::Ident(flag)) if flag.eq_ignore_ascii_case("i") => Case::Any,
        Ok(Token::Ident(flag)) if flag.eq_ignore_ascii_case("s") => Case::Exact,
        Ok(_) => {
            input.reset(&before);
            return Err(unexpected(input));
        }
    };
    end(input)?;
    Ok(ValueTest { operator, value, case })
}

/// A name or a string.
fn word(input: &mut Parser<'_>, what: &str) -> Result<Box<str>, Fail> {
    input.skip_whitespace();
    let before = input.state();
    match input.next() {
        Ok(Token::Ident(word) | Token::QuotedString(word)) => Ok((&**word).into()),
        _ => {
            input.reset(&before);
            Err(expected(input, what))
        }
    }
}

/// Nothing may follow.
fn end(input: &mut Parser<'_>) -> Result<(), Fail> {
    if input.is_exhausted() { Ok(()) } else { Err(unexpected(input)) }
}

impl<N: Names> Reader<N> {
    /// What follows a colon; the colon itself is at byte `at`.
    pub(super) fn pseudo(
        &mut self,
        input: &mut Parser<'_>,
        place: Place,
        at: usize,
    ) -> Result<Pseudo<N>, Fail> {
        let before = input.state();
        let is_element = matches!(input.next_including_whitespace(), Ok(Token::Colon));
        if !is_element {
            input.reset(&before);
        }
        let before = input.state();
        let (name, has_brackets) = match input.next_including_whitespace() {
            Ok(Token::Ident(name)) => (name.clone(), false),
            Ok(Token::Function(name)) => (name.clone(), true),
            _ => {
                input.reset(&before);
                return Err(expected(input, "the name of a pseudo-class"));
            }
        };
        match (is_element, has_brackets) {
            (true, false) => ending(&name, place, at).map(Pseudo::Ending),
            (true, true) => input
                .parse_nested_block(|input| ending_of(input, &name, place, at))
                .map(Pseudo::Ending),
            (false, false) => plain(self, &name, at).map(Pseudo::Test),
            (false, true) => input
                .parse_nested_block(|input| self.function(input, &name, place, at))
                .map(Pseudo::Test),
        }
    }

    /// A pseudo-class with brackets.
    fn function(
        &mut self,
        input: &mut Parser<'_>,
        name: &str,
        place: Place,
        at: usize,
    ) -> Result<Test<N>, Fail> {
        let inside = Place { in_brackets: true, is_relative: false, ..place };
        match_ignore_ascii_case! { name,
            "is" | "where" => self.forgiving_list(input, inside).map(Test::Is),
            "not" => self.list(input, inside).map(Test::Not),
            "has" if place.in_has => Err(fail_at(at, "`:has()` cannot stand in `:has()`")),
            "has" => {
                let inside = Place { in_brackets: true, in_has: true, is_relative: true };
                self.list(input, inside).map(Test::Has)
            },
            "nth-child" => self.nth(input, inside, (false, false)),
            "nth-last-child" => self.nth(input, inside, (true, false)),
            "nth-of-type" => self.nth(input, inside, (false, true)),
            "nth-last-of-type" => self.nth(input, inside, (true, true)),
            "lang" => {
                let ranges = languages(input)?;
                Ok(Test::Lang { memo: self.memo(), ranges })
            },
            "contains" => {
                let text = word(input, "a text in quotes")?;
                end(input)?;
                Ok(Test::Contains { memo: self.memo(), text })
            },
            _ => Err(fail_at(at, format!("the pseudo-class `:{}()` is not known", short(name)))),
        }
    }

    fn nth(
        &mut self,
        input: &mut Parser<'_>,
        place: Place,
        (from_end, of_type): (bool, bool),
    ) -> Result<Test<N>, Fail> {
        input.skip_whitespace();
        let at = input.position().byte_index();
        let what = "a number, `odd`, `even` or a step like `2n+1` is missing";
        let (step, offset) = parse_nth(input).map_err(|_| fail_at(at, what))?;
        let has_list =
            !of_type && input.try_parse(|input| input.expect_ident_matching("of")).is_ok();
        let of = if has_list { self.list(input, place)? } else { Vec::new() };
        end(input)?;
        let memo = self.memo();
        Ok(Test::Nth(Box::new(Nth { step, offset, from_end, of_type, of, memo })))
    }
}

/// A pseudo-class without brackets.
fn plain<N: Names>(reader: &mut Reader<N>, name: &str, at: usize) -> Result<Test<N>, Fail> {
    let first_of_type = |reader: &mut Reader<N>, from_end| {
        let memo = reader.memo();
        Box::new(Nth { step: 0, offset: 1, from_end, of_type: true, of: Vec::new(), memo })
    };
    Ok(match_ignore_ascii_case! { name,
        "root" => Test::Root,
        "scope" => Test::Scope,
        "empty" => Test::Empty,
        "first-child" => Test::First,
        "last-child" => Test::Last,
        "only-child" => Test::All(vec![Test::First, Test::Last]),
        "first-of-type" => Test::Nth(first_of_type(reader, false)),
        "last-of-type" => Test::Nth(first_of_type(reader, true)),
        "only-of-type" => Test::All(vec![
            Test::Nth(first_of_type(reader, false)),
            Test::Nth(first_of_type(reader, true)),
        ]),
        "link" | "any-link" => Test::State(State::Link),
        "checked" => Test::State(State::Checked),
        "disabled" => Test::State(State::Disabled),
        "enabled" => Test::State(State::Enabled),
        "required" => Test::State(State::Required),
        "optional" => Test::State(State::Optional),
        "read-only" => Test::State(State::ReadOnly),
        "read-write" => Test::State(State::ReadWrite),
        // What only a user or a running page brings about.
        "active" | "autofill" | "buffering" | "current" | "focus" | "focus-visible"
            | "focus-within" | "fullscreen" | "future" | "hover" | "modal" | "muted" | "past"
            | "paused" | "picture-in-picture" | "playing" | "popover-open" | "seeking"
            | "stalled" | "target" | "target-within" | "user-invalid" | "user-valid"
            | "visited" | "volume-locked" => Test::Never,
        _ => {
            let name = short(name);
            return Err(fail_at(at, format!("the pseudo-class `:{name}` is not known")));
        },
    })
}

fn ending<N: Names>(name: &str, place: Place, at: usize) -> Result<Ending<N>, Fail> {
    match name {
        _ if place.in_brackets => Err(in_brackets(name, at)),
        _ if name.eq_ignore_ascii_case("text") => Ok(Ending::Text),
        _ if name.eq_ignore_ascii_case("attr") => {
            Err(fail_at(at, "`::attr` needs the name of an attribute: `::attr(href)`"))
        }
        _ => Err(unknown_ending(name, at)),
    }
}

fn ending_of<N: Names>(
    input: &mut Parser<'_>,
    name: &str,
    place: Place,
    at: usize,
) -> Result<Ending<N>, Fail> {
    if place.in_brackets {
        return Err(in_brackets(name, at));
    }
    if !name.eq_ignore_ascii_case("attr") {
        return Err(unknown_ending(name, at));
    }
    let name = word(input, "the name of an attribute")?;
    end(input)?;
    Ok(Ending::Attr(Name::new(&name)))
}

fn in_brackets(name: &str, at: usize) -> Fail {
    fail_at(at, format!("`::{}` cannot stand in brackets", short(name)))
}

fn unknown_ending(name: &str, at: usize) -> Fail {
    fail_at(at, format!("`::{}` is not `::text` or `::attr(name)`", short(name)))
}

/// As much of a name as a message needs.
fn short(name: &str) -> String {
    name.chars().take(24).collect()
}

/// What stands in `:lang()`.
fn languages(input: &mut Parser<'_>) -> Result<Box<[Box<str>]>, Fail> {
    let mut ranges = Vec::new();
    loop {
        ranges.push(word(input, "a language")?);
        if input.is_exhausted() {
            return Ok(ranges.into());
        }
        if input.try_parse(Parser::expect_comma).is_err() {
            return Err(unexpected(input));
        }
    }
}

/// Attributes whose values match in any case on HTML elements (HTML Standard, section 4.16.2).
fn matches_in_any_case(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-charset"
            | "align"
            | "alink"
            | "axis"
            | "bgcolor"
            | "charset"
            | "checked"
            | "clear"
            | "codetype"
            | "color"
            | "compact"
            | "declare"
            | "defer"
            | "dir"
            | "direction"
            | "disabled"
            | "enctype"
            | "face"
            | "frame"
            | "hreflang"
            | "http-equiv"
            | "lang"
            | "language"
            | "link"
            | "media"
            | "method"
            | "multiple"
            | "nohref"
            | "noresize"
            | "noshade"
            | "nowrap"
            | "readonly"
            | "rel"
            | "rev"
            | "rules"
            | "scope"
            | "scrolling"
            | "selected"
            | "shape"
            | "target"
            | "text"
            | "type"
            | "valign"
            | "valuetype"
            | "vlink"
    )
}
