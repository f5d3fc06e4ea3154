//! Where a document has links, read without following its structure.
//!
//! Who only follows links needs to know of few tags: `a`, `area`, `base`, `meta`, `title`. All others
//! are skipped as fast as bytes go by, a fifth of the [outline](super::outline)'s work. That is only
//! right where no rule of tree construction (HTML Standard, section 13.2.6) makes more, fewer or other
//! links of the tags: where a link is cloned because its tags overlap with others, is moved out of a
//! table, or stands in a `template` or a `select`. Wherever that could be, the document is [`Unsure`],
//! and read by its outline. So both give the same links, or this one gives none.
//!
//! Not known here: the texts of links.

mod keys;

use keys::*;

use super::find::find;
use super::scan::Start;
use super::split::Splitter;
use super::tag_end::{TagEnd, name};
use super::tags::Tag;

/// The document cannot be read this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsure;

/// What is told, in document order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told<'a> {
    /// `a`, `area`, `base` or `meta`.
    Tag(Start<'a>),
    /// What stands in a `title`, character references not decoded.
    Title(&'a str),
}

/// Reads `text` and tells what it has.
///
/// # Errors
/// [`Unsure`]; what was told then is worth nothing.
pub(crate) fn skim<'a>(text: &'a str, tell: impl FnMut(Told<'a>)) -> Result<(), Unsure> {
    let mut skimmer = Skimmer {
        text,
        splitter: Splitter::new(text),
        tell,
        link: None,
        tables: Vec::new(),
        is_in_svg: false,
        is_in_select: false,
        may_be_in_p: false,
        hides_p: false,
        has_noscript: false,
    };
    skimmer.run()
}

struct Skimmer<'a, F> {
    text: &'a str,
    /// For what is not a plain tag.
    splitter: Splitter<'a>,
    tell: F,
    /// The elements that are open inside of the `a` that is open.
    link: Option<Vec<u64>>,
    /// The tables that are open: whether a cell of it is.
    tables: Vec<bool>,
    is_in_svg: bool,
    is_in_select: bool,
    /// Whether a `p` may be open outside of the link, which a block inside of it would close.
    may_be_in_p: bool,
    /// Whether something is open in which no `</p>` closes that one.
    hides_p: bool,
    has_noscript: bool,
}

impl<'a, F: FnMut(Told<'a>)> Skimmer<'a, F> {
    fn run(&mut self) -> Result<(), Unsure> {
        let bytes = self.text.as_bytes();
        let mut pos = 0;
        while let Some(at) = find(b'<', bytes, pos) {
            pos = match bytes.get(at + 1) {
                Some(b'/') => self.end(at + 2)?,
                Some(b'!') if self.is_in_svg && bytes.get(at + 2) == Some(&b'[') => {
                    return Err(Unsure);
                }
                Some(b'!') => self.splitter.past_declaration(at),
                Some(b'?') => past(b'>', bytes, at + 1),
                Some(byte) if byte.is_ascii_alphabetic() => self.start(at + 1)?,
                _ => at + 1,
            };
        }
        Ok(())
    }

    /// Reads the start tag whose name begins at `at`; gives where it ends.
    #[inline]
    fn start(&mut self, at: usize) -> Result<usize, Unsure> {
        let bytes = self.text.as_bytes();
        let (key, name_end) = name(bytes, at);
        let Some(end) = tag_end(bytes, name_end)? else { return Ok(bytes.len()) };
        let next = end + 1;
        if self.is_in_svg {
            let is_plain = is_drawing(key) || (key == TITLE && is_text_alone(bytes, next));
            return if is_plain { Ok(next) } else { Err(Unsure) };
        }
        if self.is_in_select && !matches!(key, OPTION | OPTGROUP) {
            return Err(Unsure);
        }
        let tag = |tag| Start::with_region(tag, &self.text[name_end..end]);
        match key {
            A => {
                self.at_links_place()?;
                (self.tell)(Told::Tag(tag(Tag::A)));
                self.link = Some(Vec::new());
                return Ok(next);
            }
            AREA => {
                self.at_links_place()?;
                (self.tell)(Told::Tag(tag(Tag::Area)));
            }
            BASE => {
                self.at_links_place()?;
                (self.tell)(Told::Tag(tag(Tag::Base)));
            }
            META => {
                let tag = tag(Tag::Meta);
                // Whether a refresh counts depends on where the `noscript` ends.
                if self.has_noscript && tag.attr("http-equiv").is_some() {
                    return Err(Unsure);
                }
                self.at_links_place()?;
                (self.tell)(Told::Tag(tag));
            }
            TITLE => {
                self.at_links_place()?;
                let (content, end) = self.splitter.raw_text_at(next, Tag::Title);
                (self.tell)(Told::Title(content));
                return Ok(end);
            }
            SCRIPT => return self.raw(next, Tag::Script),
            STYLE => return self.raw(next, Tag::Style),
            _ if self.link.is_none()
                && let Some(tag) = other_raw_text(&bytes[at..name_end], key) =>
            {
                return self.raw(next, tag);
            }
            // If it closes itself, what follows is no SVG.
            SVG if bytes[end - 1] == b'/' => return Err(Unsure),
            SVG => self.is_in_svg = true,
            SELECT => self.is_in_select = true,
            NOSCRIPT => self.has_noscript = true,
            TABLE => {
                // Whether it closes the `p` is up to the doctype.
                if self.may_be_in_p || self.tables.last() == Some(&false) {
                    return Err(Unsure);
                }
                self.tables.push(false);
            }
            TD | TH | CAPTION => self.cell(true),
            TR | TBODY | THEAD | TFOOT | COL | COLGROUP => self.cell(false),
            BUTTON | OBJECT | MARQUEE | APPLET => self.hides_p = self.may_be_in_p,
            TEMPLATE | MATH | FRAMESET | PLAINTEXT => return Err(Unsure),
            _ => {}
        }
        if self.link.is_some() || self.may_be_in_p || key == P {
            self.nest(key)?;
        }
        Ok(next)
    }

    /// Reads the end tag whose name begins at `at`; gives where it ends.
    #[inline]
    fn end(&mut self, at: usize) -> Result<usize, Unsure> {
        let bytes = self.text.as_bytes();
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            return Ok(past(b'>', bytes, at));
        }
        let (key, name_end) = name(bytes, at);
        let Some(end) = tag_end(bytes, name_end)? else { return Ok(bytes.len()) };
        if self.is_in_svg {
            match key {
                SVG => self.is_in_svg = false,
                _ if is_drawing(key) || key == TITLE => return Ok(end + 1),
                _ => return Err(Unsure),
            }
        }
        if self.is_in_select {
            match key {
                SELECT => self.is_in_select = false,
                OPTION | OPTGROUP => {}
                _ => return Err(Unsure),
            }
        }
        match key {
            A => match self.link.take() {
                Some(open) if !open.is_empty() => return Err(Unsure),
                _ => return Ok(end + 1),
            },
            P if self.hides_p => return Err(Unsure),
            P => self.may_be_in_p = false,
            TABLE => drop(self.tables.pop()),
            TD | TH | CAPTION | TR | TBODY | THEAD | TFOOT | COLGROUP => self.cell(false),
            BUTTON | OBJECT | MARQUEE | APPLET => self.hides_p = false,
            _ => {}
        }
        if let Some(open) = &mut self.link
            && open.pop() != Some(key)
        {
            return Err(Unsure); // it closes more than was opened in the link
        }
        Ok(end + 1)
    }

    /// Whether a link that begins here stands where it is written, and in no other.
    fn at_links_place(&self) -> Result<(), Unsure> {
        match self.link.is_some() || self.tables.last() == Some(&false) {
            true => Err(Unsure),
            false => Ok(()),
        }
    }

    /// Notes an element beside links; whether it may stand in one.
    fn nest(&mut self, key: u64) -> Result<(), Unsure> {
        match &mut self.link {
            None => self.may_be_in_p |= key == P,
            Some(_) if is_void(key) => {}
            Some(open) if is_inline(key) || (is_block(key) && !self.may_be_in_p) => open.push(key),
            Some(_) => return Err(Unsure),
        }
        Ok(())
    }

    /// A cell begins, or none is open any more.
    fn cell(&mut self, is_open: bool) {
        if let Some(table) = self.tables.last_mut() {
            *table = is_open;
        }
    }

    /// Skips an element whose content is no markup, its end tag included.
    fn raw(&mut self, from: usize, tag: Tag) -> Result<usize, Unsure> {
        let bytes = self.text.as_bytes();
        let (_, end) = self.splitter.raw_text_at(from, tag);
        let (_, name_end) = name(bytes, end + 2);
        Ok(tag_end(bytes, name_end)?.map_or(bytes.len(), |end| end + 1))
    }
}

/// Elements besides `script` and `style` whose content is no markup. A name of more than eight bytes
/// may begin like theirs.
fn other_raw_text(name: &[u8], key: u64) -> Option<Tag> {
    match key {
        TEXTAREA if name.len() == 8 => Some(Tag::Textarea),
        NOFRAMES if name.len() == 8 => Some(Tag::Noframes),
        IFRAME => Some(Tag::Iframe),
        XMP => Some(Tag::Xmp),
        NOEMBED => Some(Tag::Noembed),
        _ => None,
    }
}

/// Whether a `title` in SVG, whose content begins at `from`, ends before another tag begins.
fn is_text_alone(bytes: &[u8], from: usize) -> bool {
    let Some(at) = find(b'<', bytes, from) else { return false };
    bytes.get(at + 1) == Some(&b'/') && name(bytes, at + 2).0 == TITLE
}

/// Finds the `>` that ends a tag; `from` is just behind its name. `None` if the document ends first.
#[inline]
fn tag_end(bytes: &[u8], from: usize) -> Result<Option<usize>, Unsure> {
    match super::tag_end::tag_end(bytes, from) {
        Some(TagEnd { crowd: Some(_), .. }) => Err(Unsure),
        end => Ok(end.map(|end| end.at)),
    }
}

fn past(byte: u8, bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr(byte, rest).map_or(bytes.len(), |len| from + len + 1)
}
