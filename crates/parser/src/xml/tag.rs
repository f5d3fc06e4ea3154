//! Where a tag ends, and which attributes it has.
//!
//! XML 1.0, section 3.1, with what is wrong tolerated: attributes without value or quotes, and a
//! `<` that begins no tag at all. Each tag is looked at once, whatever is in it.

use std::ops::Range;

use memchr::memchr;

use crate::markup::scan::is_blank;

/// A complete tag, as places in its text.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    /// Its name with prefix.
    pub(super) name: Range<usize>,
    /// All that is between its name and its end.
    pub(super) region: Range<usize>,
    /// Behind its `>`.
    pub(super) end: usize,
    /// Whether it ends with `/>`.
    pub(super) is_empty: bool,
}

/// What a `<` begins.
#[derive(Debug)]
pub(super) enum Lexed {
    /// A tag.
    Tag(Tag),
    /// A tag that the end of the text cuts off.
    Cut,
    /// No tag: it is a character like others.
    Text,
}

/// Whether a name may begin with this byte.
pub(super) fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !byte.is_ascii()
}

fn ends_name(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'/' | b'>' | b'<' | b'=' | b'"' | b'\'')
}

/// Reads the tag whose name begins at `at`.
pub(super) fn lex(text: &str, at: usize) -> Lexed {
    let bytes = text.as_bytes();
    let name_end = position(bytes, at, ends_name);
    let mut pos = name_end;
    let mut last = 0; // the last byte that is not blank
    let mut has_value = false;
    loop {
        match bytes.get(pos) {
            None => return Lexed::Cut,
            Some(b'>') => break,
            // Behind a value it may be one that somebody forgot to escape. Before one it is more
            // likely that this is no tag; then at most the way to the next `<` was in vain.
            Some(b'<') if !has_value => return Lexed::Text,
            Some(&quote @ (b'"' | b'\'')) if last == b'=' => {
                has_value = true;
                let Some(len) = memchr(quote, &bytes[pos + 1..]) else { return Lexed::Cut };
                pos += len + 1;
                last = quote;
            }
            Some(&byte) if !is_blank(byte) => last = byte,
            Some(_) => {}
        }
        pos += 1;
    }
    let is_empty = pos > name_end && bytes[pos - 1] == b'/';
    let region = name_end..pos - usize::from(is_empty);
    Lexed::Tag(Tag { name: at..name_end, region, end: pos + 1, is_empty })
}

fn position(bytes: &[u8], from: usize, is_it: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&byte| is_it(byte)).map_or(bytes.len(), |len| from + len)
}

/// Iterator over the attributes of a tag's region: places of name and value as written.
pub(super) struct Attrs<'r> {
    region: &'r str,
    pos: usize,
}

impl<'r> Attrs<'r> {
    pub(super) fn new(region: &'r str) -> Self {
        Self { region, pos: 0 }
    }
}

impl Iterator for Attrs<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.region.as_bytes();
        let start = position(bytes, self.pos, |byte| !is_blank(byte) && byte != b'/');
        if start == bytes.len() {
            self.pos = start;
            return None;
        }
        // One at least, so that it goes on whatever the byte is.
        let name_end = position(bytes, start + 1, |byte| is_blank(byte) || byte == b'=');
        let equals = position(bytes, name_end, |byte| !is_blank(byte));
        if bytes.get(equals) != Some(&b'=') {
            self.pos = name_end;
            return Some((start..name_end, name_end..name_end));
        }
        let from = position(bytes, equals + 1, |byte| !is_blank(byte));
        let value = match bytes.get(from) {
            Some(&quote @ (b'"' | b'\'')) => {
                let end = position(bytes, from + 1, |byte| byte == quote);
                self.pos = (end + 1).min(bytes.len());
                from + 1..end
            }
            _ => {
                self.pos = position(bytes, from, is_blank);
                from..self.pos
            }
        };
        Some((start..name_end, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, attrs: &[(&str, &str)], is_empty: bool) {
        let Lexed::Tag(tag) = lex(text, 1) else { panic!("no tag: {text}") };
        assert_eq!((&text[tag.name], tag.is_empty), (name, is_empty), "{text}");
        let region = &text[tag.region];
        let found: Vec<_> =
            Attrs::new(region).map(|(name, value)| (&region[name], &region[value])).collect();
        assert_eq!(found, attrs, "{text}");
    }

    #[test]
    fn tags_and_attributes_are_told_apart() {
        check("<a>", "a", &[], false);
        check("<a/>", "a", &[], true);
        check("<a:b c='1>2' d = \"/\" />", "a:b", &[("c", "1>2"), ("d", "/")], true);
        check("<a b c=d e='f'g='h'>", "a", &[("b", ""), ("c", "d"), ("e", "f"), ("g", "h")], false);
        check("<a it's>", "a", &[("it's", "")], false);
        check("<a b='<'>", "a", &[("b", "<")], false);
        check("<a b='1' < c='2'>", "a", &[("b", "1"), ("<", ""), ("c", "2")], false);
        check("<é ü='ö'/>", "é", &[("ü", "ö")], true);
    }

    #[test]
    fn what_is_no_tag_is_text_and_what_is_cut_is_nothing() {
        for text in ["<b</loc>", "<b and c</loc>", "<a <b x='1'>"] {
            assert!(matches!(lex(text, 1), Lexed::Text), "{text}");
        }
        for text in ["<b", "<b c='>", "<b c", "<b c='1'<"] {
            assert!(matches!(lex(text, 1), Lexed::Cut), "{text}");
        }
    }
}
