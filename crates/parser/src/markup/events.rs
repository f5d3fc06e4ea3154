//! What a streaming pass is told: elements that open and close, and the text between.

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
pub(crate) trait Consumer<'a> {
    /// An element opens inside of those that are open.
    fn open(&mut self, tag: &Start<'a>, space: Space);

    /// A piece of text in the innermost open element. A text node may come in several.
    fn text(&mut self, text: Text<'a>);

    /// The innermost open element closes.
    fn close(&mut self);
}

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// Character references count in it.
    References(&'a str),
    /// As it is: `script`, `style` and their like, CDATA sections.
    Raw(&'a str),
}
