//! Splits markup into tags and text in one pass, without a tree and without copying.
//!
//! Follows the tokenization rules of the HTML Standard (section 13.2.5) as far as they decide
//! where a tag or a text begins and ends. What is left out is what nobody here asks for: the
//! text of comments and doctypes, line numbers, parse errors. The one thing that needs a tree,
//! whether a tag stands in SVG or MathML, is followed by a small stack ([`Foreign`]).
//!
//! Linear in the length of its input: no byte is looked at again after a failed match but the
//! constant few behind it.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use crate::markup::foreign::Foreign;

/// A piece of markup. Comments, doctypes and processing instructions are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Character data in which references count: ordinary text, `title`, `textarea`.
    Text(&'a str),
    /// Character data as it is: `script`, `style` and their like, CDATA sections.
    Raw(&'a str),
    /// A start tag.
    Start(Start<'a>),
    /// An end tag's name as written, and whether it stands in SVG or MathML.
    End(&'a str, bool),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start<'a> {
    /// Its name as written.
    pub(crate) name: &'a str,
    /// Whether it stands in SVG or MathML, where `title` or `base` mean something else.
    pub(crate) foreign: bool,
    region: &'a str,
}

impl<'a> Start<'a> {
    /// Its attributes as written: name and value, references not decoded.
    pub(crate) fn attrs(&self) -> Attrs<'a> {
        Attrs { text: self.region, pos: 0 }
    }

    /// The value of an attribute as written; the first of that name counts.
    pub(crate) fn attr(&self, name: &str) -> Option<&'a str> {
        self.attrs().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Iterator over the attributes of a tag.
pub(crate) struct Attrs<'a> {
    text: &'a str,
    pos: usize,
}

impl<'a> Iterator for Attrs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        self.pos = skip_blank_or_slash(bytes, self.pos);
        if self.pos >= bytes.len() {
            return None;
        }
        let (name, value) = next_attribute(bytes, &mut self.pos);
        Some((&self.text[name], &self.text[value]))
    }
}

/// Splits one document. An iterator over its [`Token`]s.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    flavour: Flavour,
    raw: Option<&'a str>,
    foreign: Foreign<'a>,
    crowded: Vec<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavour {
    Html,
    Xml,
}

/// Attributes of one tag beyond which the rest are noted as [`Scanner::crowded`].
const MANY_ATTRIBUTES: usize = 256;

impl<'a> Scanner<'a> {
    /// Splits HTML.
    pub(crate) fn html(text: &'a str) -> Self {
        Self::new(text, Flavour::Html)
    }

    /// Splits XML: no raw text elements, and CDATA sections are text.
    pub(crate) fn xml(text: &'a str) -> Self {
        Self::new(text, Flavour::Xml)
    }

    fn new(text: &'a str, flavour: Flavour) -> Self {
        let foreign = Foreign::default();
        Self { text, pos: 0, flavour, raw: None, foreign, crowded: Vec::new() }
    }

    /// Where tags seen so far have attributes beyond the 256th: a tree builder compares each
    /// attribute of a tag with all others, so these are cut out before one sees them.
    pub(crate) fn crowded(&self) -> &[Range<usize>] {
        &self.crowded
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Reads what begins with the `<` at `self.pos`; `None` if it is markup without a token.
    fn markup(&mut self) -> Option<Token<'a>> {
        match self.bytes()[self.pos + 1] {
            b'!' => self.declaration(),
            b'/' => self.end_tag(),
            b'?' => {
                self.skip_past(b'>', self.pos + 1);
                None
            }
            _ => self.start_tag(),
        }
    }

    fn start_tag(&mut self) -> Option<Token<'a>> {
        let (name, region) = self.tag(self.pos + 1)?;
        let foreign = self.foreign.start(name, region);
        if self.flavour == Flavour::Html && !foreign && is_raw_text(name) {
            self.raw = Some(name);
        }
        Some(Token::Start(Start { name, foreign, region }))
    }

    fn end_tag(&mut self) -> Option<Token<'a>> {
        match self.bytes().get(self.pos + 2) {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (name, _) = self.tag(self.pos + 2)?;
                let foreign = self.foreign.end(name);
                Some(Token::End(name, foreign))
            }
            _ => {
                self.skip_past(b'>', self.pos + 2);
                None
            }
        }
    }

    /// Reads the tag whose name begins at `name_at`: its name and all between that and the `>`.
    /// A tag that the document's end cuts off is no tag.
    fn tag(&mut self, name_at: usize) -> Option<(&'a str, &'a str)> {
        let bytes = self.bytes();
        let is_name = |byte: &u8| !is_blank(*byte) && !matches!(byte, b'/' | b'>');
        let name_len = bytes[name_at..].iter().take_while(|byte| is_name(byte)).count();
        let name_end = name_at + name_len;
        let Some(end) = self.tag_end(name_end) else {
            self.pos = bytes.len();
            return None;
        };
        self.pos = end + 1;
        Some((&self.text[name_at..name_end], &self.text[name_end..end]))
    }

    /// Finds the `>` that ends a tag; `from` is just behind its name.
    fn tag_end(&mut self, from: usize) -> Option<usize> {
        let bytes = self.bytes();
        let first = from + memchr(b'>', &bytes[from..])?;
        // Without a quote the first `>` ends it, whatever else there is.
        let short = first - from < 2 * MANY_ATTRIBUTES;
        if short && memchr2(b'"', b'\'', &bytes[from..first]).is_none() {
            return Some(first);
        }
        let mut pos = from;
        let mut count = 0;
        let mut crowd = None;
        loop {
            pos = skip_blank_or_slash(bytes, pos);
            match bytes.get(pos)? {
                b'>' => break,
                _ => next_attribute(bytes, &mut pos),
            };
            count += 1;
            if count == MANY_ATTRIBUTES {
                crowd = Some(pos);
            }
        }
        if let Some(start) = crowd.filter(|&start| start < pos) {
            self.crowded.push(start..pos);
        }
        Some(pos)
    }

    /// `<!`: a comment, a CDATA section, or anything else up to the next `>`.
    fn declaration(&mut self) -> Option<Token<'a>> {
        let start = self.pos + 2;
        let rest = &self.bytes()[start..];
        if rest.starts_with(b"--") {
            self.pos = comment_end(self.bytes(), start + 2);
            return None;
        }
        let has_cdata = self.flavour == Flavour::Xml || self.foreign.is_inside();
        if has_cdata && rest.starts_with(b"[CDATA[") {
            let from = start + "[CDATA[".len();
            let len = memmem::find(&self.bytes()[from..], b"]]>");
            let end = len.map_or(self.text.len(), |len| from + len);
            self.pos = (end + 3).min(self.text.len());
            return Some(Token::Raw(&self.text[from..end]));
        }
        self.skip_past(b'>', start);
        None
    }

    fn skip_past(&mut self, byte: u8, from: usize) {
        let rest = &self.bytes()[from..];
        self.pos = memchr(byte, rest).map_or(self.text.len(), |len| from + len + 1);
    }

    /// The content of a raw text element `name`, up to its end tag or the document's end.
    fn raw_text(&mut self, name: &'a str) -> Token<'a> {
        let start = self.pos;
        let bytes = self.bytes();
        self.pos = if name.eq_ignore_ascii_case("plaintext") {
            bytes.len()
        } else if name.eq_ignore_ascii_case("script") {
            script_end(bytes, start)
        } else {
            let mut at = start;
            loop {
                match memchr(b'<', &bytes[at..]) {
                    None => break bytes.len(),
                    Some(len) if is_tag_of(&bytes[at + len..], b"</", name) => break at + len,
                    Some(len) => at += len + 1,
                }
            }
        };
        let text = &self.text[start..self.pos];
        let has_references = ["title", "textarea"].iter().any(|n| name.eq_ignore_ascii_case(n));
        if has_references { Token::Text(text) } else { Token::Raw(text) }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw_text(name));
        }
        let bytes = self.bytes();
        while self.pos < bytes.len() {
            let start = self.pos;
            let mut end = start;
            // A `<` that begins no markup is text.
            while let Some(len) = memchr(b'<', &bytes[end..]) {
                end += len;
                if begins_markup(&bytes[end..]) {
                    break;
                }
                end += 1;
            }
            if bytes.get(end) != Some(&b'<') {
                end = bytes.len();
            }
            if end > start {
                self.pos = end;
                return Some(Token::Text(&self.text[start..end]));
            }
            if let Some(token) = self.markup() {
                return Some(token);
            }
        }
        None
    }
}

fn begins_markup(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => rest.len() > 2,
        Some(byte) => byte.is_ascii_alphabetic(),
        None => false,
    }
}

/// HTML's whitespace; carriage returns have not been normalised here.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn skip_blank(bytes: &[u8], mut pos: usize) -> usize {
    while bytes.get(pos).is_some_and(|&byte| is_blank(byte)) {
        pos += 1;
    }
    pos
}

fn skip_blank_or_slash(bytes: &[u8], mut pos: usize) -> usize {
    while bytes.get(pos).is_some_and(|&byte| is_blank(byte) || byte == b'/') {
        pos += 1;
    }
    pos
}

/// Reads the attribute at `pos` (sections 13.2.5.33 to 38) and moves `pos` behind it. What the
/// end cuts off counts as far as it goes.
fn next_attribute(bytes: &[u8], pos: &mut usize) -> (Range<usize>, Range<usize>) {
    let start = *pos;
    // A `=` in the first place belongs to the name.
    let is_name = |byte: &u8| !is_blank(*byte) && !matches!(byte, b'/' | b'>' | b'=');
    let name_end = start + 1 + bytes[start + 1..].iter().take_while(|byte| is_name(byte)).count();
    *pos = name_end;
    let equals = skip_blank(bytes, name_end);
    if bytes.get(equals) != Some(&b'=') {
        return (start..name_end, name_end..name_end);
    }
    let from = skip_blank(bytes, equals + 1);
    let value = match bytes.get(from) {
        Some(&quote @ (b'"' | b'\'')) => {
            let len = memchr(quote, &bytes[from + 1..]);
            let end = len.map_or(bytes.len(), |len| from + 1 + len);
            *pos = (end + 1).min(bytes.len());
            from + 1..end
        }
        _ => {
            let is_value = |byte: &u8| !is_blank(*byte) && *byte != b'>';
            let len = bytes[from..].iter().take_while(|byte| is_value(byte)).count();
            *pos = from + len;
            from..from + len
        }
    };
    (start..name_end, value)
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

/// Elements whose content is no markup, scripting off (section 13.2.6.4).
fn is_raw_text(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "script",
        "style",
        "title",
        "textarea",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "plaintext",
    ];
    NAMES.iter().any(|raw| name.eq_ignore_ascii_case(raw))
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
    while let Some(len) = memchr2(b'<', b'-', &bytes[pos..]) {
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
    bytes.len()
}
