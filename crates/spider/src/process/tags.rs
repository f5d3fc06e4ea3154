//! HTML that was taken as a text.
//!
//! For pieces of HTML in attributes, JSON and scripts; of an element of the page there is
//! [`Node::text`](crate::Node::text), which a real parser has read.

use std::borrow::Cow;

/// Takes tags and comments out of a text. What is between them stays as it is, references
/// included ([`unescape`]); a `<` that begins no tag is text.
#[must_use]
pub fn strip_tags(html: &str) -> Cow<'_, str> {
    if !html.contains('<') {
        return Cow::Borrowed(html);
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let len = tag_len(rest);
        if len == 0 {
            text.push('<');
        }
        rest = &rest[len.max(1)..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// How long the tag or comment is that a text begins with; 0 if it begins with none.
fn tag_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map_or(text.len(), |end| end + "<!--".len() + "-->".len());
    }
    let begins = match bytes.get(1) {
        Some(b'/') => bytes.get(2).is_some_and(u8::is_ascii_alphabetic),
        Some(byte) => byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'?'),
        None => false,
    };
    if !begins {
        return 0;
    }
    let mut quote = None;
    for (at, &byte) in bytes.iter().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            // A quote opens a value only behind an equals sign.
            None if matches!(byte, b'"' | b'\'') && is_value(&bytes[..at]) => quote = Some(byte),
            None if byte == b'>' => return at + 1,
            None => {}
        }
    }
    text.len()
}

fn is_value(before: &[u8]) -> bool {
    before.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'=')
}

/// Longest reference: `&#x10FFFF;`, with some zeros.
const MAX_REFERENCE: usize = 16;

/// Decodes numeric character references, and `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and
/// `&nbsp;`. Other named ones stay: a page's own are decoded when it is read.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(MAX_REFERENCE).position(|byte| byte == b';');
        match end.and_then(|end| Some((referred(&rest[1..end])?, end + 1))) {
            Some((found, len)) => {
                decoded.push(found);
                rest = &rest[len..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// What stands between `&` and `;`.
fn referred(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|&c| c != '\0');
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_comments_go_and_text_stays() {
        for (html, text) in [
            ("a <b class='x>y'>c</b>d", "a cd"),
            ("1 < 2 <br/> 3 > 2", "1 < 2  3 > 2"),
            ("x<!-- <p> -- > -->y<!--", "xy"),
            ("<!DOCTYPE html><?pi?>t", "t"),
            ("<a href=it's>z</a>", "z"),
            ("<a href = \"a>b\" >z</", "z</"),
            ("a<b", "a"),
            ("&lt;b&gt;", "&lt;b&gt;"),
            ("plain", "plain"),
        ] {
            assert_eq!(strip_tags(html), text, "{html}");
        }
    }

    #[test]
    fn references_are_decoded_once() {
        for (text, decoded) in [
            ("a &amp;amp; b", "a &amp; b"),
            ("&#65;&#x42;&#X43;", "ABC"),
            ("&lt;&gt;&quot;&apos;&nbsp;", "<>\"'\u{a0}"),
            (
                "&eacute; &; &#; &#xD800; &#0; & &#99999999999999999;",
                "&eacute; &; &#; &#xD800; &#0; & &#99999999999999999;",
            ),
            ("&é;", "&é;"),
        ] {
            assert_eq!(unescape(text), decoded, "{text}");
        }
    }
}
