//! Follows the elements of an HTML document as it streams by, or says that it cannot.
//!
//! A browser builds its tree by rules (HTML Standard, section 13.2.6, scripting off) of which
//! nearly all only look back: which elements are open decides what a tag opens and closes. Those
//! are followed here exactly, as html5ever has them, so that a [`Consumer`] sees the elements
//! and texts of the tree in document order, without one. The few rules that change what stands
//! before (text in a table is put in front of it, `</b>` behind a block splits both, a late
//! `<body>` gives its attributes to the first) cannot be followed in one pass. Then the document
//! is [`Ambiguous`] and a real tree decides.
//!
//! It must be right, not complete: what is reported to the end is what the tree says, and a test
//! holds one against the other. What was reported of an ambiguous document is to be thrown away.
//!
//! Most tags nest as they are written, and no rule says anything else of them: those are told
//! without a look at the rules ([`nested`]), which follow the others, tag by tag.
//!
//! Linear in the length of the document: nesting is bounded, and so are the elements that are
//! reopened.

mod body;
mod early;
mod foreign;
mod formatting;
mod nested;
mod scope;
mod stack;
mod table;
mod text;

use super::doctype::is_quirky;
use super::events::{Consumer, Space, Text};
use super::scan::Start;
use super::split::{Markup, Splitter};
use super::tags::{N_TAGS, Tag, set};
use formatting::Entry;
use scope::Scope;
use stack::Open;

/// Why a document cannot be read in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ambiguous {
    /// Something in a table belongs in front of it.
    #[error("content of a table belongs in front of it")]
    Fostered,
    /// A formatting element ends inside of a block that it does not contain.
    #[error("a formatting element ends where a block inside of it is open")]
    Misnested,
    /// A second `html` or `body` tag has attributes.
    #[error("a second html or body tag has attributes")]
    SecondRoot,
    /// Frames instead of a body.
    #[error("the document may be a set of frames")]
    Frameset,
    /// What NULs become depends on where they stand.
    #[error("the document holds NULs")]
    Nul,
    /// A tag has more than 256 attributes.
    #[error("a tag has too many attributes")]
    Crowded,
    /// Elements nest so deep that the tree builder cuts them off.
    #[error("elements nest too deep")]
    Deep,
    /// Too many formatting elements were reopened.
    #[error("too many formatting elements are reopened")]
    Reopened,
    /// Many formatting elements of one name are open at once.
    #[error("too many formatting elements of one name are open")]
    Unclosed,
    /// A character reference stands where it matters whether it is a space.
    #[error("a space is written as a character reference")]
    Reference,
}

/// What the pass found out besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Whether the document is in quirks mode.
    pub(crate) is_quirky: bool,
}

/// Reads a document, telling `consumer` of its elements and texts.
///
/// # Errors
/// [`Ambiguous`] if one pass cannot tell them. What `consumer` was told is then worth nothing.
pub(crate) fn read<'a>(
    text: &'a str,
    consumer: &mut impl Consumer<'a>,
) -> Result<Extent, Ambiguous> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(Ambiguous::Nul);
    }
    Outline::new(text, consumer).run()
}

type Done = Result<(), Ambiguous>;

/// Whether a tag is done with, or has to be looked at again in another mode.
#[derive(PartialEq, Eq)]
enum Next {
    Done,
    Again,
}

/// The insertion mode (section 13.2.4.1). Left out are those of frames, which are ambiguous; "text",
/// for raw text is read at once; "in table text", for such a text is one piece; and those after the
/// body, for what follows the body goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Initial,
    BeforeHtml,
    BeforeHead,
    InHead,
    InHeadNoscript,
    AfterHead,
    InTable,
    InColumnGroup,
    InTableBody,
    InRow,
    InTemplate,
    InBody,
    InCaption,
    InCell,
}

impl Mode {
    /// Whether the rules of the body hold, but for the parts of tables.
    #[inline]
    fn is_of_body(self) -> bool {
        matches!(self, Self::InBody | Self::InCaption | Self::InCell)
    }
}

/// The form that fields belong to (section 13.2.4.4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    None,
    /// Set, but its element is closed.
    Closed,
    /// Its place on the stack.
    Open(usize),
}

struct Outline<'a, 'c, C> {
    splitter: Splitter<'a>,
    consumer: &'c mut C,
    mode: Mode,
    template_modes: Vec<Mode>,
    stack: Vec<Open<'a>>,
    /// What is in scope inside of the innermost open element.
    scope: Scope,
    /// How many of each tag are on the stack.
    counts: [u32; N_TAGS],
    formatting: Vec<Entry<'a>>,
    /// Entries made so far; names the next one.
    n_entries: u32,
    /// Formatting elements reopened so far.
    n_reopened: u32,
    form: Form,
    has_head: bool,
    /// The head has ended, but late elements may go into it: whitespace since then.
    after_head: Option<Vec<Text<'a>>>,
    /// Whether wrong content of a table is being put in front of it.
    fosters: bool,
    is_quirky: bool,
    /// Where a line feed is passed over if it is the next thing: behind `<pre>`.
    line_feed_at: usize,
}

impl<'a, 'c, C: Consumer<'a>> Outline<'a, 'c, C> {
    fn new(text: &'a str, consumer: &'c mut C) -> Self {
        Self {
            splitter: Splitter::new(text),
            consumer,
            mode: Mode::Initial,
            template_modes: Vec::new(),
            stack: Vec::with_capacity(64),
            scope: Scope::NOTHING,
            counts: [0; N_TAGS],
            formatting: Vec::with_capacity(16),
            n_entries: 0,
            n_reopened: 0,
            form: Form::None,
            has_head: false,
            after_head: None,
            fosters: false,
            is_quirky: false,
            line_feed_at: usize::MAX,
        }
    }

    fn run(mut self) -> Result<Extent, Ambiguous> {
        loop {
            let start = self.splitter.pos();
            let markup = self.splitter.next_markup();
            if start < self.splitter.pos() {
                self.written(start)?;
            }
            match markup {
                Some(Markup::Start) => {
                    if let Some(tag) = self.splitter.start_tag() {
                        self.start(tag)?;
                    }
                }
                Some(Markup::End) if self.passes_end() => {}
                Some(Markup::End) => {
                    if let Some((name, tag)) = self.splitter.end_tag() {
                        self.end(name, tag)?;
                    }
                }
                Some(Markup::Declaration) => self.declaration()?,
                Some(Markup::Instruction) => self.splitter.instruction().unwrap_or_default(),
                None => break,
            }
        }
        self.finish()?;
        if !self.splitter.crowded().is_empty() {
            return Err(Ambiguous::Crowded);
        }
        Ok(Extent { is_quirky: self.is_quirky })
    }

    fn declaration(&mut self) -> Done {
        self.splitter.has_cdata = self.is_in_foreign();
        match self.splitter.declaration() {
            Some(cdata) => self.text(Text::Raw(cdata)),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn start(&mut self, tag: Start<'a>) -> Done {
        match self.nests(&tag)? {
            true => Ok(()),
            false => self.start_by_rules(tag),
        }
    }

    fn start_by_rules(&mut self, tag: Start<'a>) -> Done {
        if self.is_in_foreign() && self.is_foreign_start(tag.tag) {
            return self.start_in_foreign(tag);
        }
        self.start_in_html(tag)
    }

    fn start_in_html(&mut self, tag: Start<'a>) -> Done {
        loop {
            let next = match self.mode {
                Mode::InBody => return self.start_in_body(tag),
                Mode::InTable => self.start_in_table(tag)?,
                Mode::InCaption => self.start_in_caption(tag)?,
                Mode::InColumnGroup => self.start_in_column_group(tag)?,
                Mode::InTableBody => self.start_in_table_body(tag)?,
                Mode::InRow => self.start_in_row(tag)?,
                Mode::InCell => self.start_in_cell(tag)?,
                Mode::InTemplate => self.start_in_template(tag)?,
                _ => self.start_early(tag)?,
            };
            if next == Next::Done {
                return Ok(());
            }
        }
    }

    fn end(&mut self, name: &'a str, tag: Tag) -> Done {
        if self.closes(name, tag) {
            return Ok(());
        }
        if self.is_in_foreign() {
            return self.end_in_foreign(name, tag);
        }
        self.end_in_html(name, tag)
    }

    fn end_in_html(&mut self, name: &'a str, tag: Tag) -> Done {
        loop {
            let next = match self.mode {
                Mode::InBody => return self.end_in_body(name, tag),
                Mode::InTable => self.end_in_table(name, tag)?,
                Mode::InCaption => self.end_in_caption(name, tag)?,
                Mode::InColumnGroup => self.end_in_column_group(tag)?,
                Mode::InTableBody => self.end_in_table_body(name, tag)?,
                Mode::InRow => self.end_in_row(name, tag)?,
                Mode::InCell => self.end_in_cell(name, tag)?,
                Mode::InTemplate => {
                    if tag == Tag::Template {
                        self.end_template();
                    }
                    Next::Done
                }
                _ => self.end_early(tag)?,
            };
            if next == Next::Done {
                return Ok(());
            }
        }
    }

    /// Enters the document: now the doctype is known.
    fn begin(&mut self) {
        self.is_quirky = is_quirky(self.splitter.doctype());
        self.consumer.begin(self.is_quirky);
    }

    /// The document ends: what every document has is there, and all is closed.
    fn finish(&mut self) -> Done {
        while self.is_hidden() {
            self.leave_template();
        }
        self.complete_head()?;
        while !self.stack.is_empty() {
            self.pop();
        }
        Ok(())
    }

    /// Whether what is read stands in a template and is not reported.
    #[inline]
    fn is_hidden(&self) -> bool {
        self.counts[Tag::Template as usize] > 0
    }

    /// Whether the innermost open element is one of SVG or MathML.
    #[inline]
    fn is_in_foreign(&self) -> bool {
        self.stack.last().is_some_and(|open| open.tag.is(set::FOREIGN))
    }

    /// Tells of an element that opens, unless it stands in a template.
    #[inline]
    fn tell_open(&mut self, tag: &Start<'a>, space: Space) {
        if !self.is_hidden() {
            self.consumer.open(tag, space);
        }
    }
}
