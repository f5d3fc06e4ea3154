//! What a streaming pass is told: elements that open and close, and the text between.

use std::borrow::Cow;

use super::charref::{decode_raw, decode_text};
use super::scan::Start;

/// Content that an element stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// HTML.
    Html,
    /// SVG.
    Svg,
    /// MathML.
    Math,
}

/// Reads a document as it streams by, as if it were walked as a tree.
///
/// The events nest: each `open` has its `close`, void elements too, and those that the tree
/// builder adds by itself (`html`, `head`, `body`, `tbody`) come as tags without attributes.
/// Attribute values and [`Text::References`] have their character references still in them.
/// Newlines in both are as written, too ([`charref`](super::charref) makes the text of the tree of
/// either). What stands inside of a `template` is not part of the document and not reported.
pub(crate) trait Consumer<'a> {
    /// The document begins; whether in quirks mode, where classes and ids match in any case.
    fn begin(&mut self, is_quirky: bool) {
        let _ = is_quirky;
    }

    /// An element opens inside of those that are open.
    fn open(&mut self, tag: &Start<'a>, space: Space);

    /// Whether it has any use for a text that comes now.
    #[inline(always)]
    fn wants_text(&self) -> bool {
        true
    }

    /// A piece of text in the innermost open element. A text node may come in several.
    fn text(&mut self, text: Text<'a>);

    /// The innermost open element closes.
    fn close(&mut self);
}

/// A reader that does not care.
impl Consumer<'_> for () {
    #[inline(always)]
    fn open(&mut self, _: &Start<'_>, _: Space) {}

    #[inline(always)]
    fn wants_text(&self) -> bool {
        false
    }

    #[inline(always)]
    fn text(&mut self, _: Text<'_>) {}

    #[inline(always)]
    fn close(&mut self) {}
}

/// Two readers of one pass.
impl<'a, A: Consumer<'a>, B: Consumer<'a>> Consumer<'a> for (A, B) {
    #[inline(always)]
    fn begin(&mut self, is_quirky: bool) {
        self.0.begin(is_quirky);
        self.1.begin(is_quirky);
    }

    #[inline(always)]
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        self.0.open(tag, space);
        self.1.open(tag, space);
    }

    #[inline(always)]
    fn wants_text(&self) -> bool {
        self.0.wants_text() || self.1.wants_text()
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'a>) {
        self.0.text(text);
        self.1.text(text);
    }

    #[inline(always)]
    fn close(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// A reader that is lent.
impl<'a, C: Consumer<'a>> Consumer<'a> for &mut C {
    #[inline(always)]
    fn begin(&mut self, is_quirky: bool) {
        (**self).begin(is_quirky);
    }

    #[inline(always)]
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        (**self).open(tag, space);
    }

    #[inline(always)]
    fn wants_text(&self) -> bool {
        (**self).wants_text()
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'a>) {
        (**self).text(text);
    }

    #[inline(always)]
    fn close(&mut self) {
        (**self).close();
    }
}

/// A piece of text, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// Character references count in it.
    References(&'a str),
    /// As it is: `script`, `style` and their like, CDATA sections.
    Raw(&'a str),
}

impl<'a> Text<'a> {
    /// As it is written.
    pub(crate) fn written(self) -> &'a str {
        match self {
            Self::References(text) | Self::Raw(text) => text,
        }
    }

    /// The same kind of text.
    pub(super) fn with(self, text: &'a str) -> Self {
        match self {
            Self::References(_) => Self::References(text),
            Self::Raw(_) => Self::Raw(text),
        }
    }

    /// As the tree has it: references decoded, newlines normalised.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        match self {
            Self::References(text) => decode_text(text),
            Self::Raw(text) => decode_raw(text),
        }
    }
}
