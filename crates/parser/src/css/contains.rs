//! `:contains("text")`: jQuery's and cssselect's, not the standard's.
//!
//! Reading the text of every element that is asked would read a page's text as often as its
//! elements nest. So the text below the root of a search is put together once, the places where
//! the wanted one stands are found once, and an element has it if one of them lies in its part.

use std::collections::HashMap;
use std::ops::Range;

use crawl_spider::NodeId;
use memchr::memmem;

use crate::dom::Dom;

/// The text of the part of a page that is searched.
pub(super) struct Words {
    root: NodeId,
    text: Option<Text>,
    /// Where each wanted text begins, overlapping ones included.
    found: HashMap<u32, Vec<usize>>,
}

struct Text {
    text: String,
    /// Text nodes, and where in the text each one begins.
    starts: Vec<(NodeId, usize)>,
}

impl Words {
    pub(super) fn new(root: NodeId) -> Self {
        Self { root, text: None, found: HashMap::new() }
    }

    /// Whether `textContent` of the element has `wanted` in it.
    pub(super) fn are_in(&mut self, dom: &Dom, memo: u32, wanted: &str, node: NodeId) -> bool {
        let (root, end) = (self.root, dom.end(node));
        if node.0 < root.0 || end > dom.end(root) {
            // Beside or above the root: few are asked, and each at most once per search.
            return dom.text_content(node).contains(wanted);
        }
        let text = self.text.get_or_insert_with(|| Text::read(dom, root));
        let found = self.found.entry(memo).or_insert_with(|| text.find_all(wanted));
        let part = text.part(node.0..end);
        let first = found.partition_point(|&start| start < part.start);
        found.get(first).is_some_and(|start| start + wanted.len() <= part.end)
    }
}

impl Text {
    fn read(dom: &Dom, root: NodeId) -> Self {
        let (mut text, mut starts) = (String::new(), Vec::new());
        for node in dom.descendants(root) {
            if dom.kind(node) == Some(crate::dom::NodeKind::Text) {
                starts.push((node, text.len()));
                text.push_str(dom.data(node).unwrap_or_default());
            }
        }
        Self { text, starts }
    }

    fn find_all(&self, wanted: &str) -> Vec<usize> {
        let finder = memmem::Finder::new(wanted);
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(at) = self.text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
            found.push(from + at);
            from += at + 1;
        }
        found
    }

    /// The text of the nodes with these numbers.
    fn part(&self, nodes: Range<u32>) -> Range<usize> {
        let offset = |number: u32| {
            let at = self.starts.partition_point(|(node, _)| node.0 < number);
            self.starts.get(at).map_or(self.text.len(), |&(_, start)| start)
        };
        offset(nodes.start)..offset(nodes.end)
    }
}
