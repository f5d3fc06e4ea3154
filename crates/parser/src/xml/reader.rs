//! Splits XML into events, names with their namespaces and references resolved.
//!
//! It never fails: what is wrong is read as it was most likely meant, and a document that is cut
//! yields what was complete. End tags close what they should have found closed; those that close
//! nothing are passed over; a `<` or `&` that begins nothing is text. At the document's end
//! nothing is closed, so that who waits for an end tag can tell what was cut.
//!
//! The whole text is looked at once, names and bindings apart (`scope.rs` bounds those), and
//! entities of the document are read in place (`entity.rs` bounds what comes of them). XInclude
//! elements are elements like others.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::dtd;
use super::entity::{Entities, Meaning};
use super::scope::{Scope, Texts};
use super::tag::{self, Attrs, Lexed, Tag, begins_name};

pub(crate) use super::scope::Name;
use super::scope::Piece;
#[cfg(test)]
pub(crate) use super::scope::{MAX_DEPTH, XMLNS};

/// A piece of a document. It borrows from the reader until the next one is read.
#[derive(Clone, Copy)]
pub(crate) enum Event<'r> {
    /// The document type declaration.
    Doctype {
        /// The root element's name.
        name: &'r str,
        /// The public identifier.
        public: &'r str,
        /// The system identifier.
        system: &'r str,
    },
    /// An element opens. Each has its [`Event::End`], unless the document ends before.
    Start(Start<'r>),
    /// The innermost open element closes.
    End,
    /// Characters, CDATA sections included. What is one text may come in several pieces.
    Text(&'r str),
    /// A reference that must not be resolved, as written: it would be too much.
    Refused(&'r str),
    /// A reference to an external entity, which is never fetched.
    External,
    /// A comment.
    Comment(&'r str),
    /// A processing instruction; the XML declaration is none.
    Instruction {
        /// Whom it is for.
        target: &'r str,
        /// All the rest.
        data: &'r str,
    },
}

/// A start tag.
#[derive(Clone, Copy)]
pub(crate) struct Start<'r> {
    /// The element's name.
    pub(crate) name: Name<'r>,
    region: &'r str,
    scope: &'r Scope,
    texts: &'r Texts<'r>,
}

/// An attribute; those of one name may be several.
pub(crate) struct Attr<'r> {
    /// Its name.
    pub(crate) name: Name<'r>,
    /// Its value, references resolved.
    pub(crate) value: Cow<'r, str>,
}

impl<'r> Start<'r> {
    /// The attributes in the order of the document, declarations of namespaces included.
    pub(crate) fn attrs(&self) -> impl Iterator<Item = Attr<'r>> + use<'r> {
        let Self { region, scope, texts, .. } = *self;
        Attrs::new(region).map(move |(name, value)| Attr {
            name: scope.resolve(texts, &region[name], true),
            value: texts.entities.value(&region[value]).0,
        })
    }

    /// The value of the attribute whose name is written so; `None`, too, if a reference in it
    /// must not be resolved.
    pub(crate) fn attr(&self, qualified: &str) -> Option<Cow<'r, str>> {
        let mut attrs = Attrs::new(self.region);
        let (_, value) = attrs.find(|(name, _)| self.region[name.clone()] == *qualified)?;
        let (value, is_whole) = self.texts.entities.value(&self.region[value]);
        is_whole.then_some(value)
    }
}

/// A text that is being read.
struct Frame {
    source: Option<usize>,
    pos: usize,
}

/// Reads one document.
pub(crate) struct Reader<'a> {
    texts: Texts<'a>,
    scope: Scope,
    /// The document, and in it entities, innermost last.
    frames: Vec<Frame>,
    /// Elements that are to be closed before anything else is read.
    pending_ends: usize,
    /// What a reference to a character stands for.
    chars: String,
    may_declare: bool,
}

/// An event as places, so that it can be found out before it is borrowed.
enum Step {
    Doctype(dtd::Doctype),
    Start { name: Range<usize>, region: Range<usize> },
    End,
    Text(Range<usize>),
    Chars,
    Refused(Range<usize>),
    External,
    Comment(Range<usize>),
    Instruction { target: Range<usize>, data: Range<usize> },
}

impl<'a> Reader<'a> {
    /// Reads a document from its beginning.
    pub(crate) fn new(document: Cow<'a, str>) -> Self {
        let entities = Entities::new(document.len());
        Self {
            texts: Texts { document, entities },
            scope: Scope::default(),
            frames: vec![Frame { source: None, pos: 0 }],
            pending_ends: 0,
            chars: String::new(),
            may_declare: true,
        }
    }

    /// The next event; `None` at the document's end.
    pub(crate) fn read(&mut self) -> Option<Event<'_>> {
        let (source, step) = self.step()?;
        let text = self.texts.source(source);
        Some(match step {
            Step::Doctype(doctype) => Event::Doctype {
                name: &text[doctype.name],
                public: &text[doctype.public],
                system: &text[doctype.system],
            },
            Step::Start { name, region } => Event::Start(Start {
                name: self.scope.resolve(&self.texts, &text[name], false),
                region: &text[region],
                scope: &self.scope,
                texts: &self.texts,
            }),
            Step::End => Event::End,
            Step::Text(range) => Event::Text(&text[range]),
            Step::Chars => Event::Text(&self.chars),
            Step::Refused(range) => Event::Refused(&text[range]),
            Step::External => Event::External,
            Step::Comment(range) => Event::Comment(&text[range]),
            Step::Instruction { target, data } => {
                Event::Instruction { target: &text[target], data: &text[data] }
            }
        })
    }

    fn step(&mut self) -> Option<(Option<usize>, Step)> {
        if self.pending_ends > 0 {
            self.pending_ends -= 1;
            self.scope.pop();
            return Some((None, Step::End));
        }
        loop {
            let &Frame { source, pos } = self.frames.last()?;
            let bytes = self.texts.source(source).as_bytes();
            let found = match bytes.get(pos) {
                None => {
                    self.frames.pop();
                    continue;
                }
                Some(b'<') => self.markup(source, pos),
                Some(b'&') => self.reference(source, pos),
                Some(_) => Found::Nothing,
            };
            let step = match found {
                Found::Step(step, end) => {
                    self.go_to(end);
                    Some(step)
                }
                Found::Passed(end) => {
                    self.go_to(end);
                    None
                }
                Found::Closed(end, n_closed) => {
                    self.go_to(end);
                    self.pending_ends = n_closed.saturating_sub(1);
                    (n_closed > 0).then(|| {
                        self.scope.pop();
                        Step::End
                    })
                }
                Found::Entered(end, number) => {
                    self.go_to(end);
                    self.frames.push(Frame { source: Some(number), pos: 0 });
                    None
                }
                Found::Cut => {
                    self.go_to(usize::MAX);
                    None
                }
                Found::Nothing => {
                    let bytes = self.texts.source(source).as_bytes();
                    let len = memchr2(b'<', b'&', &bytes[pos + 1..]);
                    let end = len.map_or(bytes.len(), |len| pos + 1 + len);
                    self.go_to(end);
                    Some(Step::Text(pos..end))
                }
            };
            if let Some(step) = step {
                return Some((source, step));
            }
        }
    }

    fn go_to(&mut self, pos: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pos = pos;
        }
    }

    /// Reads the reference at `pos`.
    fn reference(&mut self, source: Option<usize>, pos: usize) -> Found {
        let Texts { entities, .. } = &self.texts;
        let rest = &self.texts.source(source)[pos + 1..];
        let Some((meaning, len)) = entities.reference(rest) else { return Found::Nothing };
        let end = pos + 1 + len;
        match meaning {
            Meaning::Chars(first, second) => {
                self.chars.clear();
                self.chars.push(first);
                self.chars.extend(second);
                Found::Step(Step::Chars, end)
            }
            // Entities that are open are those of all frames but the document's.
            Meaning::Entity(number)
                if entities.may_enter(
                    number,
                    self.frames[1..].iter().map(|frame| frame.source.unwrap_or(usize::MAX)),
                ) =>
            {
                Found::Entered(end, number)
            }
            Meaning::Entity(_) => Found::Step(Step::Refused(pos..end), end),
            Meaning::External => Found::Step(Step::External, end),
        }
    }

    /// Reads what the `<` at `pos` begins.
    fn markup(&mut self, source: Option<usize>, pos: usize) -> Found {
        let bytes = self.texts.source(source).as_bytes();
        match bytes.get(pos + 1) {
            Some(b'!') => self.declaration(source, pos),
            Some(b'?') => self.instruction(source, pos),
            Some(b'/') => self.end_tag(source, pos),
            Some(&byte) if begins_name(byte) => self.start_tag(source, pos),
            _ => Found::Nothing,
        }
    }

    fn start_tag(&mut self, source: Option<usize>, pos: usize) -> Found {
        let Tag { name, region, end, is_empty } = match tag::lex(self.texts.source(source), pos + 1)
        {
            Lexed::Tag(tag) => tag,
            Lexed::Cut => return Found::Cut,
            Lexed::Text => return Found::Nothing,
        };
        self.may_declare = false;
        let name_piece = Piece { source, range: name.clone() };
        let region_piece = Piece { source, range: region.clone() };
        let has_room = self.scope.push(&self.texts, name_piece.clone(), &region_piece);
        if !has_room && !is_empty {
            self.scope.shut(&self.texts, name_piece);
        }
        self.pending_ends = usize::from(is_empty || !has_room);
        Found::Step(Step::Start { name, region }, end)
    }

    fn end_tag(&mut self, source: Option<usize>, pos: usize) -> Found {
        let text = self.texts.source(source);
        match text.as_bytes().get(pos + 2) {
            Some(&byte) if begins_name(byte) => match tag::lex(text, pos + 2) {
                Lexed::Tag(tag) => {
                    let n_closed = self.scope.n_closed(&self.texts, &text[tag.name]);
                    Found::Closed(tag.end, n_closed)
                }
                Lexed::Cut => Found::Cut,
                Lexed::Text => Found::Nothing,
            },
            _ => pass(text, b'>', pos + 2),
        }
    }

    /// `<!`: a comment, a CDATA section, the document type, or nothing.
    fn declaration(&mut self, source: Option<usize>, pos: usize) -> Found {
        const CDATA: &[u8] = b"<![CDATA[";
        const DOCTYPE: &[u8] = b"<!DOCTYPE";
        let text = self.texts.source(source);
        let rest = &text.as_bytes()[pos..];
        if rest.starts_with(b"<!--") {
            let Some(len) = memmem::find(&rest[4..], b"-->") else { return Found::Cut };
            let range = pos + 4..pos + 4 + len;
            return Found::Step(Step::Comment(range.clone()), range.end + 3);
        }
        if rest.starts_with(CDATA) {
            let start = pos + CDATA.len();
            let Some(len) = memmem::find(&rest[CDATA.len()..], b"]]>") else {
                // What came of it is text; nothing that waits for an end tag will take it.
                return Found::Step(Step::Text(start..text.len()), text.len());
            };
            return Found::Step(Step::Text(start..start + len), start + len + 3);
        }
        let is_doctype =
            rest.get(..DOCTYPE.len()).is_some_and(|word| word.eq_ignore_ascii_case(DOCTYPE));
        if is_doctype && source.is_none() && self.may_declare && self.scope.is_empty() {
            self.may_declare = false;
            let Texts { document, entities } = &mut self.texts;
            return match dtd::read(document, pos + DOCTYPE.len(), entities) {
                Some((doctype, end)) => Found::Step(Step::Doctype(doctype), end),
                None => Found::Cut,
            };
        }
        pass(text, b'>', pos + 2)
    }

    fn instruction(&mut self, source: Option<usize>, pos: usize) -> Found {
        let text = self.texts.source(source);
        let start = pos + 2;
        let rest = &text[start..];
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '?' | '>');
        let target_len = rest.find(is_end).unwrap_or(rest.len());
        let target = start..start + target_len;
        if text[target.clone()].eq_ignore_ascii_case("xml") {
            // Its last question mark is often forgotten; no honest one has a `>` in it.
            return pass(text, b'>', target.end);
        }
        let after = &text[target.end..];
        let Some(len) = memmem::find(after.as_bytes(), b"?>") else { return Found::Cut };
        let n_blank = after[..len].len() - after[..len].trim_ascii_start().len();
        let data = target.end + n_blank..target.end + len;
        let end = data.end + 2;
        Found::Step(Step::Instruction { target, data }, end)
    }
}

/// What is at a place.
enum Found {
    /// An event, and where to go on.
    Step(Step, usize),
    /// Nothing of interest up to there.
    Passed(usize),
    /// An end tag, and how many elements it closes.
    Closed(usize, usize),
    /// A reference to an entity, to be read before what follows.
    Entered(usize, usize),
    /// Something that does not end.
    Cut,
    /// A character like others.
    Nothing,
}

fn pass(text: &str, byte: u8, from: usize) -> Found {
    let len = text.as_bytes().get(from..).and_then(|rest| memchr(byte, rest));
    len.map_or(Found::Cut, |len| Found::Passed(from + len + 1))
}
