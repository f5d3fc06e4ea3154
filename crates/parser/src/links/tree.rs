//! Links from the tree, for documents that the stream cannot tell.

use std::borrow::Cow;

use crawl_spider::NodeId;
use html5ever::ns;

use super::collect::{Collected, Collector, Element, LinkTexts};
use super::kinds::Kinds;
use crate::dom::{Dom, NodeKind};
use crate::markup::events::Space;
use crate::markup::tags::Tag;

/// Collects the links of a tree, as [`Links`](super::stream::Links) does those of a stream.
pub(crate) fn collect(dom: &Dom, kinds: Kinds, texts: LinkTexts) -> Collected<'_> {
    let mut collector = Collector::new(kinds, texts);
    // Where the elements end that are open.
    let mut open: Vec<u32> = Vec::new();
    for node in dom.descendants(dom.document()) {
        while open.last().is_some_and(|&end| end <= node.0) {
            open.pop();
            collector.close();
        }
        match dom.kind(node) {
            Some(NodeKind::Element) => {
                open.push(dom.end(node));
                collector.open(&Planted::new(dom, node));
            }
            Some(NodeKind::Text) => {
                collector.text(|| Cow::Borrowed(dom.data(node).unwrap_or_default()));
            }
            _ => {}
        }
    }
    for _ in open {
        collector.close();
    }
    collector.finish()
}

struct Planted<'a> {
    dom: &'a Dom,
    node: NodeId,
    tag: Tag,
    space: Space,
}

impl<'a> Planted<'a> {
    fn new(dom: &'a Dom, node: NodeId) -> Self {
        let space = match *dom.namespace(node) {
            ns!(svg) => Space::Svg,
            ns!(mathml) => Space::Math,
            _ => Space::Html,
        };
        Self { dom, node, tag: Tag::named(dom.name(node)), space }
    }
}

impl<'a> Element<'a> for Planted<'a> {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn space(&self) -> Space {
        self.space
    }

    fn attrs<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
        let attrs = self.dom.element(self.node).map_or(&[][..], |element| &element.attrs);
        names.map(|name| {
            let (space, local) = match name.strip_prefix("xlink:") {
                Some(local) => (ns!(xlink), local),
                None => (ns!(), name),
            };
            let mut attrs = attrs.iter();
            let found = attrs.find(|(key, _)| key.ns == space && *key.local == *local);
            found.map(|(_, value)| Cow::Borrowed(&**value))
        })
    }
}
