//! Splits markup into tags and text, without copying, and without a word on what they mean.
//!
//! Follows the tokenization rules of the HTML Standard (section 13.2.5) as far as they decide
//! where a tag or a text begins and ends. What depends on the open elements, whether an
//! element's content is raw text and whether CDATA sections exist, the caller says.
//!
//! Linear in the length of its input: no byte is looked at again after a failed match but the
//! constant few behind it.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

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
    /// An end tag: its name as written.
    End(&'a str, Tag),
}

/// Splits one document.
pub(crate) struct Splitter<'a> {
    text: &'a str,
    pos: usize,
    /// Whether it is known that markup begins at `pos`.
    is_at_markup: bool,
    /// Whether CDATA sections exist where it stands.
    pub(crate) has_cdata: bool,
    doctype: Option<&'a str>,
    crowded: Vec<Range<usize>>,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (pos, is_at_markup, has_cdata) = (0, false, false);
        Self { text, pos, is_at_markup, has_cdata, doctype: None, crowded: Vec::new() }
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
    #[inline(always)] // for a piece is large, and copying it is a good part of the work
    pub(crate) fn next_piece(&mut self) -> Option<Piece<'a>> {
        let bytes = self.bytes();
        while self.pos < bytes.len() {
            if std::mem::take(&mut self.is_at_markup) {
                match self.markup() {
                    Some(piece) => return Some(piece),
                    None => continue,
                }
            }
            let start = self.pos;
            let mut end = start;
            // A `<` that begins no markup is text.
            while end < bytes.len() {
                if bytes[end] != b'<' {
                    end = find(b'<', bytes, end + 1).unwrap_or(bytes.len());
                } else if begins_markup(&bytes[end..]) {
                    self.is_at_markup = true;
                    break;
                } else {
                    end += 1;
                }
            }
            if end > start {
                self.pos = end;
                return Some(Piece::Text(&self.text[start..end]));
            }
        }
        None
    }

    /// Reads what begins with the `<` at `self.pos`; `None` if it is markup without a piece.
    #[inline(always)]
    fn markup(&mut self) -> Option<Piece<'a>> {
        match self.bytes()[self.pos + 1] {
            b'!' => self.declaration(),
            b'/' => self.end_tag(),
            b'?' => {
                self.skip_past(b'>', self.pos + 1);
                None
            }
            _ => {
                let (name, tag, region) = self.tag(self.pos + 1)?;
                let region = &self.text[region];
                Some(Piece::Start(Start { name, tag, foreign: false, region }))
            }
        }
    }

    fn end_tag(&mut self) -> Option<Piece<'a>> {
        match self.bytes().get(self.pos + 2) {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (name, tag, _) = self.tag(self.pos + 2)?;
                Some(Piece::End(name, tag))
            }
            _ => {
                self.skip_past(b'>', self.pos + 2);
                None
            }
        }
    }

    /// Reads the tag whose name begins at `name_at`: its name, where that ends, and where the tag
    /// does. A tag that the document's end cuts off is no tag.
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
        let name = &self.text[name_at..name_end];
        Some((name, Tag::of(name, key), name_end..end.at))
    }

    /// `<!`: a comment, a CDATA section, a doctype, or anything else up to the next `>`.
    fn declaration(&mut self) -> Option<Piece<'a>> {
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
            return Some(Piece::Cdata(&self.text[from..end]));
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
        let bytes = self.bytes();
        self.pos = match tag {
            Tag::Plaintext => bytes.len(),
            Tag::Script => script_end(bytes, start),
            tag => {
                let mut at = start;
                loop {
                    match memchr(b'<', &bytes[at..]) {
                        None => break bytes.len(),
                        Some(len) if is_tag_of(&bytes[at + len..], b"</", tag.name()) => {
                            break at + len;
                        }
                        Some(len) => at += len + 1,
                    }
                }
            }
        };
        &self.text[start..self.pos]
    }
}

/// Elements whose content is no markup, scripting off (section 13.2.6.4).
pub(crate) fn holds_raw_text(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Script
            | Tag::Style
            | Tag::Title
            | Tag::Textarea
            | Tag::Xmp
            | Tag::Iframe
            | Tag::Noembed
            | Tag::Noframes
            | Tag::Plaintext
    )
}

/// Of those, the ones in which character references count.
pub(crate) fn has_references(tag: Tag) -> bool {
    matches!(tag, Tag::Title | Tag::Textarea)
}

/// Finds a byte from a place on. What is near, as it mostly is, is found without the cost of a
/// call.
#[inline]
pub(super) fn find(byte: u8, bytes: &[u8], from: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let mut at = from;
    for _ in 0..3 {
        let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        // The lowest bit that is set marks the first byte that is equal.
        let differ = u64::from_le_bytes(*eight) ^ (LOW * u64::from(byte));
        let equal = differ.wrapping_sub(LOW) & !differ & (LOW << 7);
        if equal != 0 {
            return Some(at + equal.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr(byte, bytes.get(at..)?).map(|len| at + len)
}

#[inline]
fn begins_markup(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => rest.len() > 2,
        Some(byte) => byte.is_ascii_alphabetic(),
        None => false,
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

/// Whether `rest` begins with `prefix`, `name` in any case, and a character that ends a name.
fn is_tag_of(rest: &[u8], prefix: &[u8], name: &str) -> bool {
    let Some(rest) = rest.strip_prefix(prefix) else { return false };
    let (Some(found), Some(&next)) = (rest.get(..name.len()), rest.get(name.len())) else {
        return false;
    };
    found.eq_ignore_ascii_case(name.as_bytes()) && (is_blank(next) || matches!(next, b'/' | b'>'))
}

/// Finds the `</script` that ends a script which begins at `start`, minding its escaped states:
/// in `<!-- <script> </script> -->` the first one does not (sections 13.2.5.4 and 15 to 31).
fn script_end(bytes: &[u8], start: usize) -> usize {
    #[derive(PartialEq)]
    enum State {
        Plain,
        Escaped,
        DoubleEscaped,
    }
    let mut state = State::Plain;
    let mut pos = start;
    loop {
        let rest = &bytes[pos..];
        // Dashes matter only inside of `<!-- -->`.
        let found = match state {
            State::Plain => memchr(b'<', rest),
            _ => memchr2(b'<', b'-', rest),
        };
        let Some(len) = found else { return bytes.len() };
        pos += len;
        let rest = &bytes[pos..];
        let closes = is_tag_of(rest, b"</", "script");
        match state {
            State::Plain | State::Escaped if closes => return pos,
            State::Plain if rest.starts_with(b"<!--") => {
                state = State::Escaped;
                // The dashes may be those of `-->`, too.
                pos += 1;
            }
            State::Escaped if is_tag_of(rest, b"<", "script") => state = State::DoubleEscaped,
            State::DoubleEscaped if closes => state = State::Escaped,
            State::Escaped | State::DoubleEscaped if rest.starts_with(b"-->") => {
                state = State::Plain;
            }
            _ => {}
        }
        pos += 1;
    }
}
