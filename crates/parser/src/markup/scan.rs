//! HTML as a stream of tags and text, without a tree.
//!
//! [`Scanner`] gives every tag as it is written. The one thing that needs a tree, whether a tag
//! stands in SVG or MathML, it follows by a small stack ([`Foreign`]), which is nearly always
//! right; who must be sure reads a document by its [outline](super::outline).

use std::ops::Range;

use super::attrs::{Attrs, find_attribute, find_attributes};
use super::foreign::Foreign;
use super::raw_text::{has_references, holds_raw_text};
use super::split::{Piece, Splitter};
use super::tags::Tag;

pub(crate) use super::split::is_blank;

/// A piece of markup. Comments, doctypes and processing instructions are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Character data in which references count: ordinary text, `title`, `textarea`.
    Text(&'a str),
    /// Character data as it is: `script`, `style` and their like, CDATA sections.
    Raw(&'a str),
    /// A start tag.
    Start(Start<'a>),
    /// An end tag's name, as that of a start tag, and whether it stands in SVG or MathML.
    End(&'a str, bool),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start<'a> {
    /// Its name: in lower case, if it is one that rules speak of, and as written, if not.
    pub(crate) name: &'a str,
    /// Its name as a number, whatever it stands in.
    pub(crate) tag: Tag,
    /// Whether it stands in SVG or MathML, where `title` or `base` mean something else.
    pub(crate) foreign: bool,
    /// Where its attributes stand, from its name to its `>`: most are never looked at.
    text: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Start<'a> {
    /// A tag without attributes, as the tree builder adds them by itself.
    pub(super) fn implied(tag: Tag) -> Self {
        Self { name: tag.name(), tag, foreign: false, text: "", start: 0, end: 0 }
    }

    /// A tag of this name with the attributes that `region` holds.
    pub(crate) fn with_region(tag: Tag, region: &'a str) -> Self {
        Self { text: region, end: region.len(), ..Self::implied(tag) }
    }

    /// A tag of this name with the attributes that stand there in `text`.
    #[inline]
    pub(super) fn within(text: &'a str, tag: Tag, name: &'a str, attrs: Range<usize>) -> Self {
        Self { name, tag, foreign: false, text, start: attrs.start, end: attrs.end }
    }

    /// The same tag with another name.
    pub(super) fn named(self, tag: Tag) -> Self {
        Self { name: tag.name(), tag, ..self }
    }

    /// The same tag in SVG or MathML.
    pub(super) fn in_foreign(self) -> Self {
        Self { foreign: true, ..self }
    }

    /// Where in `text` its attributes stand, from its name to its `>`; `None` if it is no tag of
    /// this text. Whoever keeps that needs neither borrow nor copy.
    #[inline]
    pub(crate) fn region_in(&self, text: &str) -> Option<Range<usize>> {
        std::ptr::eq(self.text, text).then_some(self.start..self.end)
    }

    /// All between its name and its `>`.
    #[inline]
    pub(super) fn region(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// Its attributes as written: name and value, references not decoded.
    pub(crate) fn attrs(&self) -> Attrs<'a> {
        Attrs::new(self.region())
    }

    /// The value of an attribute as written; the first of that name counts.
    pub(crate) fn attr(&self, name: &str) -> Option<&'a str> {
        self.attr_within(name, usize::MAX)
    }

    /// The same of several attributes.
    #[inline]
    pub(crate) fn attrs_of<const N: usize>(&self, names: [&str; N]) -> [Option<&'a str>; N] {
        find_attributes(self.region(), names, usize::MAX)
    }

    /// The same as [`attr`](Self::attr), if it is among the first `most` attributes.
    #[inline]
    pub(crate) fn attr_within(&self, name: &str, most: usize) -> Option<&'a str> {
        find_attribute(self.region(), name, most)
    }
}

/// Where the tags of an HTML document have attributes beyond the 256th. A tree builder compares each
/// attribute of a tag with all others, so these are cut out before one sees them.
pub(crate) fn crowds(text: &str) -> Vec<Range<usize>> {
    let mut scanner = Scanner::html(text);
    scanner.by_ref().for_each(drop);
    scanner.splitter.crowded().to_vec()
}

/// Splits one document. An iterator over its [`Token`]s.
pub(crate) struct Scanner<'a> {
    splitter: Splitter<'a>,
    raw: Option<Tag>,
    foreign: Foreign<'a>,
}

impl<'a> Scanner<'a> {
    /// Splits HTML.
    pub(crate) fn html(text: &'a str) -> Self {
        Self { splitter: Splitter::new(text), raw: None, foreign: Foreign::default() }
    }

    fn start(&mut self, mut tag: Start<'a>) -> Token<'a> {
        tag.foreign = self.foreign.start(tag.name, tag.region());
        self.splitter.has_cdata = self.foreign.is_inside();
        if !tag.foreign && holds_raw_text(tag.tag) {
            self.raw = Some(tag.tag);
        }
        Token::Start(tag)
    }

    fn end(&mut self, name: &'a str) -> Token<'a> {
        let foreign = self.foreign.end(name);
        self.splitter.has_cdata = self.foreign.is_inside();
        Token::End(name, foreign)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(tag) = self.raw.take() {
            let text = self.splitter.raw_text(tag);
            return Some(if has_references(tag) { Token::Text(text) } else { Token::Raw(text) });
        }
        Some(match self.splitter.next_piece()? {
            Piece::Text(text) => Token::Text(text),
            Piece::Cdata(text) => Token::Raw(text),
            Piece::Start(tag) => self.start(tag),
            Piece::End(name) => self.end(name),
        })
    }
}
