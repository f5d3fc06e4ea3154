//! Splits markup into tags and text, without copying, and without a word on what they mean.
//!
//! Follows the tokenization rules of the HTML Standard (section 13.2.5) as far as they decide
//! where a tag or a text begins and ends. What depends on the open elements, whether an
//! element's content is raw text and whether CDATA sections exist, the caller says.
//!
//! Linear in the length of its input: no byte is looked at again after a failed match but the
//! constant few behind it.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::find::find;
use super::raw_text::raw_text_end;
use super::scan::Start;
use super::tag_end::{name, tag_end};
use super::tags::Tag;

/// A piece of markup. Comments, doctypes and processing instructions are passed over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// Character data.
    Text(&'a str),
    /// A CDATA section's content.
    Cdata(&'a str),
    /// A start tag.
    Start(Start<'a>),
    /// An end tag: its name, as that of a start tag.
    End(&'a str),
}

/// What begins with a `<`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// A start tag, if the document's end does not cut it off.
    Start,
    /// `</`
    End,
    /// `<!`
    Declaration,
    /// `<?`
    Instruction,
}

impl Markup {
    /// What the `<` in front of `at` begins; `None` if it is text.
    #[inline(always)]
    fn begun(bytes: &[u8], at: usize) -> Option<Self> {
        match bytes.get(at)? {
            b'/' => (at + 1 < bytes.len()).then_some(Self::End),
            b'!' => Some(Self::Declaration),
            b'?' => Some(Self::Instruction),
            byte => byte.is_ascii_alphabetic().then_some(Self::Start),
        }
    }
}

/// Splits one document.
pub(crate) struct Splitter<'a> {
    text: &'a str,
    pos: usize,
    /// Whether CDATA sections exist where it stands.
    pub(crate) has_cdata: bool,
    doctype: Option<&'a str>,
    crowded: Vec<Range<usize>>,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, pos: 0, has_cdata: false, doctype: None, crowded: Vec::new() }
    }

    /// Where tags seen so far have attributes beyond the 256th.
    pub(crate) fn crowded(&self) -> &[Range<usize>] {
        &self.crowded
    }

    /// The first doctype seen so far, without `<!doctype` and `>`.
    pub(crate) fn doctype(&self) -> Option<&'a str> {
        self.doctype
    }

    /// Where the next piece is looked for.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next piece; `None` at the end of the document.
    pub(crate) fn next_piece(&mut self) -> Option<Piece<'a>> {
        loop {
            let start = self.pos;
            let markup = self.next_markup();
            if start < self.pos {
                return Some(Piece::Text(self.text_since(start)));
            }
            let piece = match markup? {
                Markup::Start => self.start_tag().map(Piece::Start),
                Markup::End => self.end_tag().map(|(name, _)| Piece::End(name)),
                Markup::Declaration => self.declaration().map(Piece::Cdata),
                Markup::Instruction => self.instruction(),
            };
            if piece.is_some() {
                return piece;
            }
        }
    }

    /// Goes to the next markup: what it is; `None` at the document's end. What is passed is text, a
    /// `<` that begins no markup, too.
    #[inline(always)]
    pub(crate) fn next_markup(&mut self) -> Option<Markup> {
        let bytes = self.bytes();
        loop {
            if bytes.get(self.pos) == Some(&b'<')
                && let Some(markup) = Markup::begun(bytes, self.pos + 1)
            {
                return Some(markup);
            }
            match find(b'<', bytes, self.pos + 1) {
                Some(at) => self.pos = at,
                None => {
                    self.pos = bytes.len();
                    return None;
                }
            }
        }
    }

    /// What stands between a place and this one.
    #[inline(always)]
    pub(crate) fn text_since(&self, start: usize) -> &'a str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    /// Reads the start tag that begins here; `None` if it is none.
    #[inline(always)]
    pub(crate) fn start_tag(&mut self) -> Option<Start<'a>> {
        let (name, tag, attrs) = self.tag(self.pos + 1)?;
        Some(Start::within(self.text, tag, name, attrs))
    }

    /// Passes over the end tag that begins here, if it ends this element as it is
    /// [usual](Tag::usual_end). Whether it does.
    #[inline(always)]
    pub(crate) fn pass_end_of(&mut self, tag: Tag) -> bool {
        let end = tag.usual_end();
        let Some(rest) = self.bytes().get(self.pos + 2..) else { return false };
        let Some(written) = rest.first_chunk() else { return false };
        // What follows the `>` does not count.
        let unused = end.leading_zeros() & !7;
        let is_it = end != 0 && (u64::from_le_bytes(*written) ^ end) << unused == 0;
        self.pos += if is_it { 2 + 8 - unused as usize / 8 } else { 0 };
        is_it
    }

    /// Reads the end tag that begins here: its name; `None` if it is none.
    #[inline(never)] // for most are not read, but passed over
    pub(crate) fn end_tag(&mut self) -> Option<(&'a str, Tag)> {
        match self.bytes().get(self.pos + 2) {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (name, tag, _) = self.tag(self.pos + 2)?;
                Some((name, tag))
            }
            _ => {
                self.skip_past(b'>', self.pos + 2);
                None
            }
        }
    }

    /// Passes over the `<?` that begins here.
    pub(crate) fn instruction<T>(&mut self) -> Option<T> {
        self.skip_past(b'>', self.pos + 1);
        None
    }

    /// Reads the tag whose name begins at `name_at`: its name as [`Start`] has it, where that ends, and
    /// where the tag does. A tag that the document's end cuts off is no tag.
    #[inline(always)]
    fn tag(&mut self, name_at: usize) -> Option<(&'a str, Tag, Range<usize>)> {
        let bytes = self.bytes();
        let (key, name_end) = name(bytes, name_at);
        let Some(end) = tag_end(bytes, name_end) else {
            self.pos = bytes.len();
            return None;
        };
        if let Some(start) = end.crowd {
            self.crowded.push(start..end.at);
        }
        self.pos = end.at + 1;
        let tag = Tag::of(&bytes[name_at..name_end], key);
        let name = match tag {
            Tag::Other => self.text.get(name_at..name_end).unwrap_or_default(),
            tag => tag.name(),
        };
        Some((name, tag, name_end..end.at))
    }

    /// Passes over the `<!` that begins here: a comment, a doctype, or anything else up to the next
    /// `>`. Gives the content of a CDATA section.
    pub(crate) fn declaration(&mut self) -> Option<&'a str> {
        let start = self.pos + 2;
        let rest = &self.bytes()[start..];
        if rest.starts_with(b"--") {
            self.pos = comment_end(self.bytes(), start + 2);
            return None;
        }
        if self.has_cdata && rest.starts_with(b"[CDATA[") {
            let from = start + "[CDATA[".len();
            let len = memmem::find(&self.bytes()[from..], b"]]>");
            let end = len.map_or(self.text.len(), |len| from + len);
            self.pos = (end + 3).min(self.text.len());
            return Some(&self.text[from..end]);
        }
        self.skip_past(b'>', start);
        let keyword = "doctype".len();
        if self.doctype.is_none()
            && rest.get(..keyword).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype"))
        {
            // One that the end cuts off counts as malformed, which the empty one is, too.
            let inside = self.text[start + keyword..self.pos].strip_suffix('>');
            self.doctype = Some(inside.unwrap_or_default());
        }
        None
    }

    /// Passes over the `<!` at `at`; gives where what follows begins.
    pub(super) fn past_declaration(&mut self, at: usize) -> usize {
        self.pos = at;
        let _ = self.declaration();
        self.pos
    }

    /// [`raw_text`](Self::raw_text) of an element whose start tag ends at `from`, and where its end
    /// tag begins.
    pub(super) fn raw_text_at(&mut self, from: usize, tag: Tag) -> (&'a str, usize) {
        self.pos = from;
        (self.raw_text(tag), self.pos)
    }

    fn skip_past(&mut self, byte: u8, from: usize) {
        let rest = &self.bytes()[from..];
        self.pos = memchr(byte, rest).map_or(self.text.len(), |len| from + len + 1);
    }

    /// The content of a raw text element that has just begun, up to its end tag or the
    /// document's end. `tag` must be one that [`holds_raw_text`].
    pub(crate) fn raw_text(&mut self, tag: Tag) -> &'a str {
        let start = self.pos;
        self.pos = raw_text_end(self.bytes(), start, tag);
        &self.text[start..self.pos]
    }
}

/// HTML's whitespace; carriage returns have not been normalised here.
#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// Finds the end of a comment whose text begins at `start` (sections 13.2.5.43 to 52).
fn comment_end(bytes: &[u8], start: usize) -> usize {
    for (odd, len) in [(&b">"[..], 1), (&b"->"[..], 2)] {
        if bytes[start..].starts_with(odd) {
            return start + len;
        }
    }
    let mut pos = start;
    while let Some(len) = memmem::find(&bytes[pos..], b"--") {
        pos += len + 2;
        while bytes.get(pos) == Some(&b'-') {
            pos += 1;
        }
        match bytes.get(pos..) {
            Some([b'>', ..]) => return pos + 1,
            Some([b'!', b'>', ..]) => return pos + 2,
            _ => {}
        }
    }
    bytes.len()
}
