//! The document type declaration (XML 1.0, sections 2.8 and 4.2), for the entities in it.
//!
//! Read is the internal subset only, and of that only the general entities. External subsets,
//! external entities and parameter entities are never fetched or expanded; what they would have
//! declared is unknown. Attribute defaults are not read.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::entity::Entities;
use crate::markup::scan::is_blank;

/// Places of the parts of a declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Doctype {
    /// The root element's name.
    pub(super) name: Range<usize>,
    /// The public identifier.
    pub(super) public: Range<usize>,
    /// The system identifier.
    pub(super) system: Range<usize>,
}

/// Reads the declaration whose keyword ends at `at`, and declares its entities. Gives it and the
/// place behind it; `None` if the text's end cuts it off.
pub(super) fn read(text: &str, at: usize, entities: &mut Entities) -> Option<(Doctype, usize)> {
    let mut cursor = Cursor { text, pos: at };
    let name = cursor.word();
    let mut doctype = Doctype { name, ..Doctype::default() };
    let (mut is_public, mut n_literals) = (false, 0);
    loop {
        cursor.skip_blank();
        match *cursor.text.as_bytes().get(cursor.pos)? {
            b'>' => return Some((doctype, cursor.pos + 1)),
            b'[' => {
                cursor.pos += 1;
                subset(&mut cursor, entities)?;
            }
            b'"' | b'\'' => {
                let literal = cursor.literal()?;
                if is_public && n_literals == 0 {
                    doctype.public = literal;
                } else {
                    doctype.system = literal;
                }
                n_literals += 1;
            }
            _ => is_public |= text[cursor.word()].eq_ignore_ascii_case("public"),
        }
    }
}

/// Reads the internal subset up to its `]`.
fn subset(cursor: &mut Cursor<'_>, entities: &mut Entities) -> Option<()> {
    loop {
        let rest = &cursor.text.as_bytes()[cursor.pos..];
        match *rest.first()? {
            b']' => {
                cursor.pos += 1;
                return Some(());
            }
            _ if rest.starts_with(b"<!--") => {
                cursor.pos += 4 + memmem::find(&rest[4..], b"-->")? + 3;
            }
            _ if rest.starts_with(b"<?") => cursor.pos += 2 + memmem::find(&rest[2..], b"?>")? + 2,
            _ if rest.starts_with(b"<!ENTITY") => {
                cursor.pos += "<!ENTITY".len();
                entity(cursor, entities)?;
            }
            b'<' => cursor.skip_declaration()?,
            _ => cursor.pos += 1,
        }
    }
}

/// Reads an entity declaration, behind its keyword.
fn entity(cursor: &mut Cursor<'_>, entities: &mut Entities) -> Option<()> {
    cursor.skip_blank();
    let is_parameter = cursor.text.as_bytes().get(cursor.pos) == Some(&b'%');
    let name = &cursor.text[cursor.word()];
    cursor.skip_blank();
    let is_literal = matches!(cursor.text.as_bytes().get(cursor.pos)?, b'"' | b'\'');
    let value = if is_literal { Some(cursor.literal()?) } else { None };
    // Only when it is complete, so that a cut document declares no less than its beginning.
    cursor.skip_declaration()?;
    if !is_parameter && !name.is_empty() {
        entities.declare(name, value.map(|value| &cursor.text[value]));
    }
    Some(())
}

struct Cursor<'a> {
    text: &'a str,
    pos: usize,
}

impl Cursor<'_> {
    fn skip_blank(&mut self) {
        let rest = &self.text.as_bytes()[self.pos..];
        self.pos += rest.iter().take_while(|&&byte| is_blank(byte)).count();
    }

    /// Reads what goes on to the next blank or delimiter; one character at least.
    fn word(&mut self) -> Range<usize> {
        self.skip_blank();
        let start = self.pos;
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '[' | ']' | '"' | '\'');
        let rest = &self.text[start..];
        let len = rest.find(is_end).unwrap_or(rest.len());
        self.pos += len;
        if len == 0 && !matches!(rest.as_bytes().first(), None | Some(b'>' | b'[' | b'"' | b'\'')) {
            self.pos += 1;
        }
        start..start + len
    }

    /// Reads the literal whose quote is next; `None` if it does not end.
    fn literal(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let quote = *bytes.get(self.pos)?;
        let start = self.pos + 1;
        let end = start + memchr(quote, &bytes[start..])?;
        self.pos = end + 1;
        Some(start..end)
    }

    /// Goes behind the next `>` that is in no literal.
    fn skip_declaration(&mut self) -> Option<()> {
        loop {
            let rest = &self.text.as_bytes()[self.pos..];
            self.pos += rest.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\''))?;
            if self.text.as_bytes()[self.pos] == b'>' {
                self.pos += 1;
                return Some(());
            }
            self.literal()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, parts: [&str; 3], entities: &[(&str, &str)]) {
        let mut declared = Entities::new(text.len());
        let (doctype, end) = read(text, 0, &mut declared).unwrap();
        assert_eq!(&text[end..], "<", "{text}");
        let found = [doctype.name, doctype.public, doctype.system].map(|part| &text[part]);
        assert_eq!(found, parts, "{text}");
        for (raw, value) in entities {
            assert_eq!(declared.value(raw).0, *value, "{text}");
        }
    }

    #[test]
    fn the_parts_of_a_declaration_are_found() {
        check(" html><", ["html", "", ""], &[]);
        check(" a SYSTEM 'x>y'><", ["a", "", "x>y"], &[]);
        check(" a PUBLIC \"p\"\n's' [ ] ><", ["a", "p", "s"], &[]);
        check("><", ["", "", ""], &[]);
        check(" a ] x><", ["a", "", ""], &[]);
    }

    #[test]
    fn internal_entities_are_declared_and_nothing_else() {
        check(
            " r [<!-- <!ENTITY a 'no'> ]> --><?x ]> ?><!ELEMENT r (#PCDATA)>
             <!ATTLIST r a CDATA ']>'><!ENTITY a \"1'&#50;\"> %p; <!ENTITY % q 'no'>
             <!ENTITY b SYSTEM 'file:///etc/passwd'><!ENTITY c PUBLIC 'p' 's' NDATA n>
             <!NOTATION n SYSTEM 's'> ]><",
            ["r", "", ""],
            &[("&a;", "1'2"), ("&q;", "&q;"), ("&b;", "&b;"), ("&c;", "&c;")],
        );
    }

    #[test]
    fn a_declaration_that_is_cut_is_none() {
        for text in [" a", " a [", " a [ ]", " a [<!ENTITY b 'c", " a [<!ENTITY b", " a 'x>", ""] {
            assert_eq!(read(text, 0, &mut Entities::new(0)), None, "{text}");
        }
    }
}
