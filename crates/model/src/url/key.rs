//! The spelling by which duplicates are told (RFC 3986, section 6.2.2).
//!
//! Escapes are written in upper case and those of unreserved characters are undone, all over
//! the URL. Segments stay what they are: the URL parser has read every spelling of `.` and
//! `..` as dots, so undoing an escape can make no new ones.
//!
//! One thing can be made by accident: in `%%32%65` the first `%` escapes nothing, but with
//! both escapes undone it would (`%2e`), and the key would name another resource. So the
//! escape of a hex digit stays where it would complete such a `%`, which also makes the key
//! of a key that key.

use std::borrow::Cow;

use memchr::memchr;

use super::escape::escape;

/// The key of a URL's text.
pub(super) fn key(text: &str) -> Cow<'_, str> {
    let mut changes = Changes::of(text);
    let Some(first) = changes.next() else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, spelling) in std::iter::once(first).chain(changes) {
        out.push_str(&text[done..at]);
        out.push_str(spelling);
        done = at + ESCAPE_BYTES;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Whether the key of `text` is surely `text`: it has no escapes.
pub(crate) fn is_idle_on(text: &str) -> bool {
    memchr(b'%', text.as_bytes()).is_none()
}

/// Hands over the key in pieces, without building it.
pub(crate) fn key_pieces(text: &str, mut take: impl FnMut(&str)) {
    let mut done = 0;
    for (at, spelling) in Changes::of(text) {
        take(&text[done..at]);
        take(spelling);
        done = at + ESCAPE_BYTES;
    }
    take(&text[done..]);
}

const ESCAPE_BYTES: usize = 3;

/// The escapes that are spelled otherwise in the key: where each is, and how it is spelled.
struct Changes<'a> {
    text: &'a str,
    at: usize,
    /// Behind the last `%` that escapes nothing.
    stray: usize,
}

impl<'a> Changes<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0, stray: usize::MAX }
    }

    /// Whether a hex digit at `at` would complete an escape.
    fn completes(&self, at: usize) -> bool {
        match at.checked_sub(self.stray) {
            Some(0) => true,
            Some(1) => self.text.as_bytes()[self.stray].is_ascii_hexdigit(),
            _ => false,
        }
    }
}

impl Iterator for Changes<'_> {
    type Item = (usize, &'static str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let at = self.at + memchr(b'%', &self.text.as_bytes()[self.at..])?;
            let Some((byte, is_upper)) = escaped(&self.text.as_bytes()[at + 1..]) else {
                self.at = at + 1;
                self.stray = at + 1;
                continue;
            };
            self.at = at + ESCAPE_BYTES;
            if is_unreserved(byte) && !(byte.is_ascii_hexdigit() && self.completes(at)) {
                return Some((at, character(byte)));
            }
            if !is_upper {
                return Some((at, escape(byte)));
            }
        }
    }
}

/// The byte whose two hex digits are first, and whether they are in upper case.
fn escaped(hex: &[u8]) -> Option<(u8, bool)> {
    let [high, low, ..] = *hex else { return None };
    let is_upper = !(high.is_ascii_lowercase() || low.is_ascii_lowercase());
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some(((digit(high)? << 4 | digit(low)?) as u8, is_upper))
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// An ASCII character as text.
fn character(byte: u8) -> &'static str {
    const ASCII: [u8; 128] = {
        let mut table = [0; 128];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = byte as u8;
            byte += 1;
        }
        table
    };
    const TEXT: &str = match std::str::from_utf8(&ASCII) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    };
    &TEXT[usize::from(byte)..=usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(key(text), expected);
        assert_eq!(key(expected), expected, "the key of a key is that key");
        let mut pieces = String::new();
        key_pieces(text, |piece| pieces.push_str(piece));
        assert_eq!(pieces, expected);
        assert_eq!(matches!(key(text), Cow::Borrowed(_)), text == expected);
    }

    #[test]
    fn escapes_are_unified_and_structure_stays() {
        check("http://h/", "http://h/");
        check("http://h/%2f%41%zz%c3?a=%7E", "http://h/%2FA%zz%C3?a=~");
        check("http://%6ao%65:%3a@h/%2D%2e%5f%7e", "http://joe:%3A@h/-._~");
        check("http://h/%252e/%", "http://h/%252e/%");
        check("http://h/%C3%A9%2F", "http://h/%C3%A9%2F");
        check("http://h/é%c3", "http://h/é%C3");
    }

    #[test]
    fn undoing_escapes_makes_no_new_ones() {
        check("/%%32%65", "/%%32e");
        check("/%%32e", "/%%32e");
        check("/%2%65", "/%2%65");
        check("/%2%6a%65", "/%2je");
        check("/%%6a%65", "/%je");
        check("/%%%34%31", "/%%%341");
        check("/%a%2d%62", "/%a-b");
        check("/%%a%62", "/%%a%62");
        check("/%%61a", "/%%61a");
        check("/%%e2%61", "/%%E2a");
        check("/%4", "/%4");
        check("%41%", "A%");
        check("/%é%41", "/%éA");
    }
}
