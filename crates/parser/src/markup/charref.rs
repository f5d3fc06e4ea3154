//! Character references (HTML Standard, section 13.2.5.72 to 80): `&amp;`, `&#38;`, `&#x26;`.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Decodes the references in an attribute's value. Borrowed if there is nothing to do.
///
/// Differs from text by one rule: a named reference without its semicolon that is followed by
/// `=` or an alphanumeric stays as it is, so that `?a=1&copy=2` means what its author meant.
pub(crate) fn decode_attribute(value: &str) -> Cow<'_, str> {
    decode(value, Rules::Attribute)
}

/// Decodes the references in text. Borrowed if there is nothing to do.
pub(crate) fn decode_text(text: &str) -> Cow<'_, str> {
    decode(text, Rules::Text)
}

/// Normalises the newlines of text in which there are no references. Borrowed if there is
/// nothing to do.
pub(crate) fn decode_raw(text: &str) -> Cow<'_, str> {
    decode(text, Rules::Raw)
}

/// Bytes of a text that is looked through one by one.
const SHORT: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    Attribute,
    Text,
    Raw,
}

/// Decodes references, and makes a line feed of each carriage return and the line feed behind it
/// (section 13.2.3.5).
fn decode(text: &str, rules: Rules) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let matters = |byte: &u8| *byte == b'\r' || (*byte == b'&' && rules != Rules::Raw);
    // Most are too short for a search to be worth its beginning.
    if bytes.len() < SHORT && !bytes.iter().any(matters) {
        return Cow::Borrowed(text);
    }
    let next = |from: usize| {
        let rest = &bytes[from..];
        let found = match rules {
            Rules::Raw => memchr::memchr(b'\r', rest),
            Rules::Attribute | Rules::Text => memchr::memchr2(b'&', b'\r', rest),
        };
        found.map(|len| from + len)
    };
    let Some(mut at) = next(0) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    loop {
        let rest = &text[at + 1..];
        if bytes[at] == b'\r' {
            out.push_str(&text[done..at]);
            out.push('\n');
            done = at + 1 + usize::from(rest.starts_with('\n'));
        } else if let Some((decoded, len)) = reference(rest, rules == Rules::Attribute) {
            out.push_str(&text[done..at]);
            out.extend(decoded);
            done = at + 1 + len;
        }
        match next(done.max(at + 1)) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

type Decoded = std::iter::Flatten<std::array::IntoIter<Option<char>, 2>>;

/// Reads the reference that `rest` begins with, behind its `&`: characters and length in bytes.
fn reference(rest: &str, in_attribute: bool) -> Option<(Decoded, usize)> {
    match rest.as_bytes().first()? {
        b'#' => {
            numeric(&rest[1..]).map(|(c, len)| ([Some(c), None].into_iter().flatten(), len + 1))
        }
        byte if byte.is_ascii_alphabetic() => named(rest, in_attribute),
        _ => None,
    }
}

fn numeric(rest: &str) -> Option<(char, usize)> {
    let bytes = rest.as_bytes();
    let (radix, start) = match bytes.first()? {
        b'x' | b'X' => (16, 1),
        _ => (10, 0),
    };
    let mut code: u32 = 0;
    let mut end = start;
    while let Some(digit) = bytes.get(end).and_then(|&byte| char::from(byte).to_digit(radix)) {
        // Saturates beyond the last code point, so that no number of digits overflows.
        code = (code * radix + digit).min(0x11_0000);
        end += 1;
    }
    if end == start {
        return None;
    }
    let len = end + usize::from(bytes.get(end) == Some(&b';'));
    Some((code_point(code), len))
}

/// Section 13.2.5.80: what a number stands for, wrong ones included.
fn code_point(code: u32) -> char {
    match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => C1_REPLACEMENTS[(code - 0x80) as usize]
            .or(char::from_u32(code))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn named(rest: &str, in_attribute: bool) -> Option<(Decoded, usize)> {
    let bytes = rest.as_bytes();
    // The usual form: a name with its semicolon, than which none that begins here is longer.
    let run = bytes.iter().take(33).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let whole = rest.get(..run + 1).filter(|name| name.ends_with(';'));
    let mut found = whole
        .and_then(|name| NAMED_ENTITIES.get(name))
        .filter(|chars| chars.0 != 0)
        .map(|&(first, second)| (first, second, run + 1));
    let mut end = if found.is_some() { bytes.len() } else { 0 };
    // The table holds every prefix of a name, too, with zeros: so a miss ends the search, which
    // the longest name (33 bytes) bounds.
    while let Some(byte) = bytes.get(end) {
        if !byte.is_ascii_alphanumeric() && *byte != b';' {
            break;
        }
        end += 1;
        match NAMED_ENTITIES.get(&rest[..end]) {
            Some(&(0, _)) => {}
            Some(&(first, second)) => found = Some((first, second, end)),
            None => break,
        }
    }
    let (first, second, len) = found?;
    let next = bytes.get(len);
    let is_query = |byte: &u8| *byte == b'=' || byte.is_ascii_alphanumeric();
    if in_attribute && bytes[len - 1] != b';' && next.is_some_and(is_query) {
        return None;
    }
    let second = (second != 0).then(|| char::from_u32(second)).flatten();
    Some(([char::from_u32(first), second].into_iter().flatten(), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn attribute(text: &str, expected: &str) {
        assert_eq!(decode_attribute(text), expected);
    }

    #[test]
    fn numbers_decode_wrong_ones_included() {
        attribute("&#47;&#x2F;&#X2f;", "///");
        attribute("&#47a&#x2fg", "/a/g");
        attribute("&#0;&#xD800;&#99999999999999;", "\u{fffd}\u{fffd}\u{fffd}");
        attribute("&#128;&#x81;", "\u{20ac}\u{81}");
        attribute("&#;&#x;&#g", "&#;&#x;&#g");
    }

    #[test]
    fn names_decode_with_the_rule_for_attributes() {
        attribute("a&amp;b&lt;&quot;&nbsp;&eacute;", "a&b<\"\u{a0}é");
        attribute("?a=1&copy=2&reg1&amp=3", "?a=1&copy=2&reg1&amp=3");
        attribute("?a&copy;&copy&", "?a©©&");
        attribute("&notit;&nosuch;& &", "&notit;&nosuch;& &");
        attribute("&NotEqualTilde;", "\u{2242}\u{338}");
        assert_eq!(decode_text("&notit;&copy=1&ampx"), "¬it;©=1&x");
        assert_eq!(decode_text("&CounterClockwiseContourIntegral;"), "\u{2233}");
    }

    #[test]
    fn newlines_are_line_feeds_unless_they_are_references() {
        attribute("a\r\nb\rc\n\r", "a\nb\nc\n\n");
        attribute("&#13;&#10;\r&amp;\r\n", "\r\n\n&\n");
        assert_eq!(decode_raw("a\r\n&amp;\r"), "a\n&amp;\n");
    }

    #[test]
    fn text_without_references_is_borrowed() {
        assert!(matches!(decode_text("plain"), Cow::Borrowed(_)));
    }
}
