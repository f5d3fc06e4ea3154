//! References in XML (section 4.1): characters, entities of the document, names of HTML.
//!
//! Entities come from the document's own internal subset only; nothing is ever fetched. What
//! they expand to is bounded three ways, so that no handful of declarations becomes gigabytes:
//! all of it together, how deep they nest, and none stands in itself. A reference beyond that
//! stays as it is written.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use html5ever::data::NAMED_ENTITIES;
use memchr::{memchr, memchr3};

use super::tag::begins_name;

/// Bytes that any document may expand its entities to; two for each of its own come on top.
pub(super) const FREE_BYTES: usize = 1024 * 1024;

/// Entities inside of entities.
pub(super) const MAX_NESTING: usize = 16;

/// Entities that are kept, and bytes of them; more are as if they were not declared.
const MAX_ENTITIES: usize = 10_000;
const MAX_DECLARED_BYTES: usize = 1024 * 1024;

/// The entities of one document.
pub(super) struct Entities {
    by_name: HashMap<Box<str>, Option<usize>>,
    texts: Vec<Box<str>>,
    declared_bytes: usize,
    /// Bytes that may still be expanded.
    budget: Cell<usize>,
}

/// What a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One character, seldom two.
    Chars(char, Option<char>),
    /// An internal entity, by number.
    Entity(usize),
    /// An external entity.
    External,
}

impl Entities {
    /// None yet, for a document of `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        let budget = Cell::new(len.saturating_mul(2).saturating_add(FREE_BYTES));
        Self { by_name: HashMap::new(), texts: Vec::new(), declared_bytes: 0, budget }
    }

    /// Declares an entity, external if there is no value. The first declaration of a name counts
    /// (section 4.2).
    pub(super) fn declare(&mut self, name: &str, value: Option<&str>) {
        let size = name.len() + value.map_or(0, str::len);
        if self.by_name.len() >= MAX_ENTITIES
            || self.declared_bytes + size > MAX_DECLARED_BYTES
            || self.by_name.contains_key(name)
        {
            return;
        }
        self.declared_bytes += size;
        let number = value.map(|value| {
            self.texts.push(replacement_text(value).into());
            self.texts.len() - 1
        });
        self.by_name.insert(name.into(), number);
    }

    /// The replacement text of an entity.
    pub(super) fn text(&self, number: usize) -> &str {
        self.texts.get(number).map_or("", |text| text)
    }

    /// Whether the entity may be expanded inside of those that are `open`; if so it is paid for.
    pub(super) fn may_enter(
        &self,
        number: usize,
        open: impl ExactSizeIterator<Item = usize>,
    ) -> bool {
        let left = self.budget.get().checked_sub(self.text(number).len());
        let Some(left) = left else { return false };
        if open.len() >= MAX_NESTING || open.into_iter().any(|open| open == number) {
            return false;
        }
        self.budget.set(left);
        true
    }

    /// Reads the reference that `rest` begins with, behind its `&`: meaning and length. `None`
    /// if it is none, or one that nobody knows.
    pub(super) fn reference(&self, rest: &str) -> Option<(Meaning, usize)> {
        let bytes = rest.as_bytes();
        if *bytes.first()? == b'#' {
            let (c, len) = numeric(rest)?;
            return Some((Meaning::Chars(c, None), len));
        }
        if !begins_name(bytes[0]) {
            return None;
        }
        let is_name =
            |byte: &u8| begins_name(*byte) || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let len = bytes.iter().take_while(|byte| is_name(byte)).count();
        if bytes.get(len) != Some(&b';') {
            return None;
        }
        let name = &rest[..len];
        let is_predefined = matches!(name, "amp" | "lt" | "gt" | "quot" | "apos");
        let meaning = match self.by_name.get(name) {
            Some(declared) if !is_predefined => declared.map_or(Meaning::External, Meaning::Entity),
            // Feeds are full of HTML's names, though XML has but five.
            _ => match NAMED_ENTITIES.get(&rest[..=len]) {
                Some(&(first, second)) if first != 0 => {
                    let second = if second == 0 { None } else { char::from_u32(second) };
                    Meaning::Chars(char::from_u32(first)?, second)
                }
                _ => return None,
            },
        };
        Some((meaning, len + 1))
    }

    /// The value of an attribute (section 3.3.3), and whether all its references were resolved.
    pub(super) fn value<'r>(&self, raw: &'r str) -> (Cow<'r, str>, bool) {
        if memchr(b'&', raw.as_bytes()).is_none()
            && memchr3(b'\t', b'\n', b'\r', raw.as_bytes()).is_none()
        {
            return (Cow::Borrowed(raw), true);
        }
        let mut out = String::with_capacity(raw.len());
        let mut is_whole = true;
        // Texts that are being read, outermost first: number of the entity and place in it.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut pos = 0;
        loop {
            let text = open.last().map_or(raw, |&(number, _)| self.text(number));
            let at = open.last().map_or(pos, |&(_, at)| at);
            let rest = &text[at..];
            let mut entered = None;
            let len = match rest.chars().next() {
                None if open.pop().is_some() => continue,
                None => break,
                Some('\r') if rest.starts_with("\r\n") => 1,
                Some('\t' | '\n' | '\r') => {
                    out.push(' ');
                    1
                }
                Some('&') => match self.reference(&rest[1..]) {
                    Some((Meaning::Chars(first, second), len)) => {
                        out.push(first);
                        out.extend(second);
                        len + 1
                    }
                    Some((Meaning::Entity(number), len))
                        if self.may_enter(number, open.iter().map(|&(number, _)| number)) =>
                    {
                        entered = Some(number);
                        len + 1
                    }
                    Some((_, len)) => {
                        is_whole = false;
                        out.push_str(&rest[..=len]);
                        len + 1
                    }
                    None => {
                        out.push('&');
                        1
                    }
                },
                Some(_) => {
                    let is_plain = |byte: &u8| !matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
                    let len = rest.bytes().take_while(|byte| is_plain(byte)).count();
                    out.push_str(&rest[..len]);
                    len
                }
            };
            match open.last_mut() {
                Some((_, at)) => *at += len,
                None => pos += len,
            }
            open.extend(entered.map(|number| (number, 0)));
        }
        (Cow::Owned(out), is_whole)
    }
}

/// Reads `#38;` or `#x26;`: character and length.
fn numeric(rest: &str) -> Option<(char, usize)> {
    let bytes = rest.as_bytes();
    let (radix, start) = if matches!(bytes.get(1), Some(b'x' | b'X')) { (16, 2) } else { (10, 1) };
    let mut code: u32 = 0;
    let mut end = start;
    while let Some(digit) = bytes.get(end).and_then(|&byte| char::from(byte).to_digit(radix)) {
        // Saturates beyond the last code point, so that no number of digits overflows.
        code = (code * radix + digit).min(0x11_0000);
        end += 1;
    }
    if end == start || bytes.get(end) != Some(&b';') {
        return None;
    }
    let c = char::from_u32(code).filter(|&c| c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, end + 1))
}

/// The replacement text of a literal (section 4.5): references to characters are resolved, those
/// to entities wait until it is used.
fn replacement_text(literal: &str) -> Cow<'_, str> {
    if !literal.contains("&#") {
        return Cow::Borrowed(literal);
    }
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.starts_with('#').then(|| numeric(rest)).flatten() {
            Some((c, len)) => {
                out.push(c);
                rest = &rest[len..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(declared: &[(&str, Option<&str>)]) -> Entities {
        let mut entities = Entities::new(0);
        declared.iter().for_each(|(name, value)| entities.declare(name, *value));
        entities
    }

    #[track_caller]
    fn check(raw: &str, expected: &str, is_whole: bool) {
        let entities = entities(&[
            ("e", Some("1&f;3")),
            ("f", Some("2\t&amp;")),
            ("me", Some("<&me;>")),
            ("amp", Some("no")),
            ("x", None),
            ("num", Some("&#38;#38;")),
            ("e", Some("second")),
        ]);
        assert_eq!(entities.value(raw), (Cow::Borrowed(expected), is_whole), "{raw}");
    }

    #[test]
    fn references_in_values_are_resolved() {
        check("a", "a", true);
        check("&e;&e;", "12 &312 &3", true);
        check("&num;", "&", true);
        check("&amp;lt;&lt;&#60;&#x3C;&#X3c;", "&lt;<<<<", true);
        check("&nbsp;&eacute;&NotEqualTilde;", "\u{a0}é\u{2242}\u{338}", true);
        check("a\r\nb\tc\n&#10;", "a b c \n", true);
        check("&#0;&#xD800;&#999999999999;&#150;", "\u{fffd}\u{fffd}\u{fffd}\u{96}", true);
    }

    #[test]
    fn what_is_no_reference_stays() {
        check("&", "&", true);
        check("?a=1&copy=2&b;&#;&#x;&#12&amp", "?a=1&copy=2&b;&#;&#x;&#12&amp", true);
        check("& &é; &-a;", "& &é; &-a;", true);
    }

    #[test]
    fn entities_that_are_external_or_stand_in_themselves_stay_as_written() {
        check("a&x;b", "a&x;b", false);
        check("&me;", "<&me;>", false);
    }

    #[test]
    fn expansion_ends_where_it_is_too_much() {
        let mut declared = vec![("a0".to_owned(), "x".repeat(1000))];
        for n in 1..10 {
            declared.push((format!("a{n}"), format!("&a{};", n - 1).repeat(10)));
        }
        let declared: Vec<_> = declared.iter().map(|(n, v)| (&**n, Some(&**v))).collect();
        let (value, is_whole) = entities(&declared).value("&a9;");
        assert!(!is_whole && value.len() < 2 * FREE_BYTES, "{}", value.len());
        let chain: Vec<_> = (0..30).map(|n| (format!("c{n}"), format!("&c{};", n + 1))).collect();
        let chain: Vec<_> = chain.iter().map(|(n, v)| (&**n, Some(&**v))).collect();
        assert_eq!(entities(&chain).value("&c0;").0, "&c16;");
    }
}
