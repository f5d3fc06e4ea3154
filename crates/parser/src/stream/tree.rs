//! Walks a document tree as if it streamed by.

use super::element::InTree;
use super::matcher::Matcher;
use crate::dom::{Dom, NodeKind};
use crate::markup::events::Text;

impl Matcher<'_> {
    /// Reads a whole tree.
    pub(crate) fn walk(&mut self, dom: &Dom) {
        // Where the open elements end.
        let mut open: Vec<u32> = Vec::new();
        for node in dom.descendants(dom.document()) {
            while open.last().is_some_and(|&end| end <= node.0) {
                open.pop();
                self.leave();
            }
            match dom.kind(node) {
                Some(NodeKind::Element) => {
                    self.enter(&InTree::new(dom, node));
                    open.push(dom.end(node));
                }
                Some(NodeKind::Text) => {
                    self.read(Text::Raw(dom.data(node).unwrap_or_default()));
                }
                _ => {}
            }
        }
        open.into_iter().for_each(|_| self.leave());
    }
}
