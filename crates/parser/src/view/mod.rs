//! What a page gives to spiders besides selections: forms, metadata, structured data, tables,
//! Markdown and the main text.
//!
//! All of it is read from the [`Dom`], but for metadata, which needs a tree only where the streaming
//! pass could not tell. Nothing here recurses over the tree. A subtree is a range of numbers, so
//! "skip this element" is a jump. Where a document can ask for more work than its size (spans of
//! tables, references between items, texts in texts) there is a budget, and what it cuts off is
//! told.

pub(crate) mod article;
pub(crate) mod forms;
pub(crate) mod markdown;
pub(crate) mod metadata;
pub(crate) mod structured;
pub(crate) mod table;

mod text;

use std::cell::OnceCell;

use crawl_spider::{Article, FormParts, Metadata, NodeId, Step, StructuredData};

use crate::dom::Dom;

pub(crate) use markdown::markdown;

/// Makes a reference absolute, its fragment kept; `None` if it is no URL.
pub(crate) type Join<'j> = dyn Fn(&str) -> Option<String> + 'j;

/// What was read of a page, each when it was first asked for.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) forms: OnceCell<Vec<FormParts>>,
    pub(crate) metadata: OnceCell<Metadata>,
    pub(crate) structured: OnceCell<StructuredData>,
    pub(crate) article: OnceCell<Option<Article>>,
}

/// The element one step from a node.
pub(crate) fn step(dom: &Dom, node: NodeId, step: Step) -> Option<NodeId> {
    let is_element = |node: &NodeId| dom.is_element(*node);
    match step {
        Step::Parent => dom.parent(node).filter(is_element),
        Step::FirstChild => dom.children(node).find(is_element),
        Step::Next => {
            std::iter::successors(dom.next_sibling(node), |&n| dom.next_sibling(n)).find(is_element)
        }
        Step::Prev => {
            std::iter::successors(dom.prev_sibling(node), |&n| dom.prev_sibling(n)).find(is_element)
        }
    }
}

/// Names and values of an element's attributes.
pub(crate) fn attrs(dom: &Dom, node: NodeId) -> Vec<(&str, &str)> {
    let attributes = dom.element(node).into_iter().flat_map(|element| &element.attrs);
    attributes.map(|(name, value)| (&*name.local, &**value)).collect()
}

/// Elements by their `id`, the first of each.
fn by_id(dom: &Dom) -> std::collections::HashMap<&str, NodeId> {
    let mut ids = std::collections::HashMap::new();
    for node in dom.descendants(dom.document()) {
        if let Some(id) = dom.attr(node, "id").filter(|id| !id.is_empty()) {
            ids.entry(id).or_insert(node);
        }
    }
    ids
}
