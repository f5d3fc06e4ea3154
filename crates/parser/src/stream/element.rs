//! What a matcher asks an element that opens, in the stream or in a tree.

use std::borrow::Cow;
use std::ops::Range;

use crawl_spider::NodeId;
use html5ever::ns;

use super::names::Name;
use super::program::slot;
use crate::dom::Dom;
use crate::markup;
use crate::markup::charref::decode_attribute;
use crate::markup::events::Space;
use crate::markup::scan::Start;
use crate::markup::tags::N_TAGS;

/// An element that opens.
pub(super) trait Element {
    /// Its name, in any case.
    fn name(&self) -> &str;

    /// The [`slot`] of its name.
    fn slot(&self) -> usize {
        slot(self.name())
    }

    /// What it stands in.
    fn space(&self) -> Space;

    /// The value of an attribute; of several with this name, the first.
    fn attr(&self, name: &Name) -> Option<Cow<'_, str>>;

    /// Where in `text` its attributes stand; `None` if they do not.
    fn place_in(&self, text: &str) -> Option<Range<usize>>;
}

/// An element of the stream.
pub(super) struct Tag<'t, 'a>(pub(super) &'t Start<'a>, pub(super) Space);

/// The slots of the names that are known.
const SLOTS_OF_TAGS: [u8; N_TAGS] = {
    let (mut table, mut at) = ([0; N_TAGS], 0);
    while at < N_TAGS {
        table[at] = slot(markup::tags::Tag::numbered(at).name()) as u8;
        at += 1;
    }
    table
};

/// Attributes of one tag that count: the tree does not see those beyond either
/// ([`Scanner::crowded`](crate::markup::scan::Scanner::crowded)).
const MAX_ATTRIBUTES: usize = 256;

impl Element for Tag<'_, '_> {
    fn name(&self) -> &str {
        self.0.name
    }

    #[inline]
    fn slot(&self) -> usize {
        match self.0.tag {
            markup::tags::Tag::Other => slot(self.0.name),
            tag => usize::from(SLOTS_OF_TAGS[tag as usize]),
        }
    }

    fn space(&self) -> Space {
        self.1
    }

    fn attr(&self, name: &Name) -> Option<Cow<'_, str>> {
        if !name.can_be_in(self.1) {
            return None;
        }
        self.0.attr_within(name.text(), MAX_ATTRIBUTES).map(cooked)
    }

    #[inline]
    fn place_in(&self, text: &str) -> Option<Range<usize>> {
        self.0.region_in(text)
    }
}

/// An attribute's value as the tree has it: newlines are line feeds (HTML Standard, section
/// 13.2.3.5), NULs are replaced, references decoded.
fn cooked(value: &str) -> Cow<'_, str> {
    // Most are too short for a search to be worth its beginning.
    if !value.bytes().any(|byte| matches!(byte, b'\r' | 0 | b'&')) {
        return Cow::Borrowed(value);
    }
    if memchr::memchr2(b'\r', 0, value.as_bytes()).is_none() {
        return decode_attribute(value);
    }
    let value = value.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}");
    Cow::Owned(decode_attribute(&value).into_owned())
}

/// An element of a tree.
pub(super) struct InTree<'a> {
    dom: &'a Dom,
    node: NodeId,
    space: Space,
}

impl<'a> InTree<'a> {
    pub(super) fn new(dom: &'a Dom, node: NodeId) -> Self {
        let space = match *dom.namespace(node) {
            ns!(svg) => Space::Svg,
            ns!(mathml) => Space::Math,
            _ => Space::Html,
        };
        Self { dom, node, space }
    }
}

impl Element for InTree<'_> {
    fn name(&self) -> &str {
        self.dom.name(self.node)
    }

    fn space(&self) -> Space {
        self.space
    }

    fn attr(&self, name: &Name) -> Option<Cow<'_, str>> {
        let attrs = &self.dom.element(self.node)?.attrs;
        let is_it =
            |key: &html5ever::QualName| key.ns.is_empty() && name.is(&key.local, self.space);
        attrs.iter().find(|(key, _)| is_it(key)).map(|(_, value)| Cow::Borrowed(&**value))
    }

    fn place_in(&self, _: &str) -> Option<Range<usize>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::scan::{Scanner, Token};

    #[test]
    fn values_are_those_of_the_tree() {
        for html in [
            "<p a='1\r\n2\r3\n4' b=x&amp;y c='&#13;\n' d A=2>",
            "<p a='\0&\0amp;' b='a&ampb' c=\"&copy=1\">",
            "<p a=1 a=2 A=3 b='&notit;'>",
        ] {
            let dom = Dom::html(&format!("<!DOCTYPE html>{html}"), &[]);
            let node = dom.range(0..dom.len()).find(|&node| dom.name(node) == "p").unwrap();
            let Some(Token::Start(start)) = Scanner::html(html).next() else { panic!("no tag") };
            for name in ["a", "b", "c", "d", "e"] {
                let name = Name::of_attribute(name);
                let of_tree = InTree::new(&dom, node);
                assert_eq!(Tag(&start, Space::Html).attr(&name), of_tree.attr(&name), "{html}");
            }
        }
    }

    #[test]
    fn attributes_of_a_crowd_do_not_count() {
        let html = format!("<p {} a=2>", (0..256).map(|n| format!("x{n}='' ")).collect::<String>());
        let Some(Token::Start(start)) = Scanner::html(&html).next() else { panic!("no tag") };
        let tag = Tag(&start, Space::Html);
        let has = |name| tag.attr(&Name::of_attribute(name)).is_some();
        assert!(has("x255") && !has("a"));
    }
}
