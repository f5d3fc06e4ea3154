//! The document tree, for what the streaming pass cannot answer.
//!
//! Built once per page and only if something asks for it, for it costs ten times what the
//! streaming pass does. scraper and html5ever do the work (`build.rs`); what is added is an index
//! in document order: every node, attributes included, has a number, and numbers grow in
//! document order. So a [`NodeId`] is that number, the descendants of a node are one range of
//! numbers, "is before" is `<`, and nothing here or above recurses over a tree.
//!
//! What browsers keep out of the tree is not in the index either: the contents of `template`.

mod build;
mod serialize;
mod xml;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crawl_spider::NodeId;
use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use html5ever::tree_builder::QuirksMode;
use html5ever::{Namespace, ns};
use scraper::node::Element;
use scraper::{Html, Node};

/// A node's name inside scraper's tree.
type TreeId = ego_tree::NodeId;

/// What a node is (XPath 1.0, section 5, and the document type, which XPath does not see).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NodeKind {
    /// The document itself, always number 0.
    Document,
    /// `<!DOCTYPE …>`.
    Doctype,
    /// An element.
    Element,
    /// An attribute. Its parent is its element, but it is no child of it.
    Attribute,
    /// A text.
    Text,
    /// A comment.
    Comment,
    /// A processing instruction; only XML has them.
    Instruction,
}

/// Which rules names follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Names of HTML elements and attributes are in lower case and match in any case.
    Html,
    /// Names are as written.
    Xml,
}

/// A document tree with its nodes numbered in document order.
pub(crate) struct Dom {
    html: Html,
    flavour: Flavour,
    slots: Vec<Slot>,
    owners: build::FormOwners,
}

/// One numbered node.
struct Slot {
    tree: TreeId,
    /// The number of its parent; an attribute's is its element. The document's is 0.
    parent: u32,
    /// One past the number of its last descendant, attributes included.
    end: u32,
    /// The number of the sibling before it, or of itself if it is the first.
    prev: u32,
    kind: NodeKind,
    /// An attribute's place in its element's list; the number of attributes of an element.
    attr: u16,
}

impl Dom {
    /// Builds the tree of an HTML document, without the given parts of its text (see
    /// [`Scanner::crowded`](crate::markup::scan::Scanner::crowded)).
    pub(crate) fn html(text: &str, without: &[Range<usize>]) -> Self {
        let (html, owners) = build::html(text, without);
        Self { owners, ..Self::index(html, Flavour::Html) }
    }

    /// Builds the tree of an XML document.
    pub(crate) fn xml(text: &str) -> Self {
        Self::index(xml::xml(text), Flavour::Xml)
    }

    /// Numbers the nodes of a tree.
    pub(crate) fn index(html: Html, flavour: Flavour) -> Self {
        let slots = number(&html);
        Self { html, flavour, slots, owners: Vec::new() }
    }

    /// The same tree under other rules.
    #[cfg(test)]
    pub(crate) fn with_flavour(self, flavour: Flavour) -> Self {
        Self { flavour, ..self }
    }

    /// Which rules names follow.
    pub(crate) fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Whether classes and ids match in any case (DOM Standard, "quirks mode").
    pub(crate) fn is_quirky(&self) -> bool {
        self.html.quirks_mode == QuirksMode::Quirks
    }

    /// The document node.
    pub(crate) fn document(&self) -> NodeId {
        NodeId(0)
    }

    /// The outermost element; `None` if there is none.
    pub(crate) fn root(&self) -> Option<NodeId> {
        self.children(self.document()).find(|&node| self.is_element(node))
    }

    /// How many numbers there are; those from 0 to here are valid.
    pub(crate) fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    fn slot(&self, node: NodeId) -> Option<&Slot> {
        self.slots.get(node.0 as usize)
    }

    /// What a node is; `None` if it is of another page.
    pub(crate) fn kind(&self, node: NodeId) -> Option<NodeKind> {
        self.slot(node).map(|slot| slot.kind)
    }

    /// Whether it is an element.
    pub(crate) fn is_element(&self, node: NodeId) -> bool {
        self.kind(node) == Some(NodeKind::Element)
    }

    /// The parent; an attribute's is its element. `None` for the document.
    pub(crate) fn parent(&self, node: NodeId) -> Option<NodeId> {
        (node.0 > 0).then(|| self.slot(node).map(|slot| NodeId(slot.parent)))?
    }

    /// The parent, its parent, and so on up to the document.
    pub(crate) fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(node), |&node| self.parent(node))
    }

    /// One past the number of the node's last descendant.
    pub(crate) fn end(&self, node: NodeId) -> u32 {
        self.slot(node).map_or(node.0, |slot| slot.end)
    }

    /// All nodes below it in document order, without attributes.
    pub(crate) fn descendants(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.range(node.0.saturating_add(1)..self.end(node))
    }

    /// The nodes of a range of numbers, without attributes.
    pub(crate) fn range(&self, range: Range<u32>) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        let end = range.end.min(self.len());
        let is_node = |node: &NodeId| self.slots[node.0 as usize].kind != NodeKind::Attribute;
        (range.start.min(end)..end).map(NodeId).filter(is_node)
    }

    /// The children in order, without attributes.
    pub(crate) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.first_child(node), |&child| self.next_sibling(child))
    }

    /// The first child.
    pub(crate) fn first_child(&self, node: NodeId) -> Option<NodeId> {
        let slot = self.slot(node)?;
        let attrs = if slot.kind == NodeKind::Element { u32::from(slot.attr) } else { 0 };
        let first = node.0 + 1 + attrs;
        (first < slot.end).then_some(NodeId(first))
    }

    /// The sibling behind it; none for attributes.
    pub(crate) fn next_sibling(&self, node: NodeId) -> Option<NodeId> {
        let slot = self.slot(node).filter(|slot| slot.kind != NodeKind::Attribute)?;
        let end = self.slots[slot.parent as usize].end;
        (slot.end < end && node.0 > 0).then_some(NodeId(slot.end))
    }

    /// The sibling before it; none for attributes.
    pub(crate) fn prev_sibling(&self, node: NodeId) -> Option<NodeId> {
        let slot = self.slot(node).filter(|slot| slot.kind != NodeKind::Attribute)?;
        (slot.prev != node.0).then_some(NodeId(slot.prev))
    }

    pub(crate) fn tree(&self, node: NodeId) -> Option<NodeRef<'_, Node>> {
        self.html.tree.get(self.slot(node)?.tree)
    }

    /// The element's names and attributes (in the order of the document); `None` if it is none.
    ///
    /// Its `attr`, `id` and `classes` methods are not to be used: they rely on sorted attributes.
    pub(crate) fn element(&self, node: NodeId) -> Option<&Element> {
        if !self.is_element(node) {
            return None;
        }
        self.tree(node).and_then(|node| node.value().as_element())
    }

    /// Local name of an element or attribute; empty for other nodes.
    pub(crate) fn name(&self, node: NodeId) -> &str {
        match self.kind(node) {
            Some(NodeKind::Element) => self.element(node).map_or("", |e| &e.name.local),
            Some(NodeKind::Attribute) => self.attribute(node).map_or("", |(name, _)| &name.local),
            _ => "",
        }
    }

    /// Namespace of an element or attribute; empty for other nodes.
    pub(crate) fn namespace(&self, node: NodeId) -> &Namespace {
        const NONE: &Namespace = &ns!();
        match self.kind(node) {
            Some(NodeKind::Element) => self.element(node).map_or(NONE, |e| &e.name.ns),
            Some(NodeKind::Attribute) => self.attribute(node).map_or(NONE, |(name, _)| &name.ns),
            _ => NONE,
        }
    }

    /// The attribute nodes of an element, in the order of the document.
    pub(crate) fn attributes(&self, node: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        let n = match self.slot(node) {
            Some(slot) if slot.kind == NodeKind::Element => u32::from(slot.attr),
            _ => 0,
        };
        let first = node.0.saturating_add(1);
        (first..first.saturating_add(n)).map(NodeId)
    }

    /// Name and value of an attribute node.
    pub(crate) fn attribute(&self, node: NodeId) -> Option<(&html5ever::QualName, &str)> {
        let slot = self.slot(node).filter(|slot| slot.kind == NodeKind::Attribute)?;
        let element = self.element(NodeId(slot.parent))?;
        element.attrs.get(usize::from(slot.attr)).map(|(name, value)| (name, &**value))
    }

    /// The value of an element's attribute that is in no namespace. In HTML `name` is in lower
    /// case.
    pub(crate) fn attr(&self, node: NodeId, name: &str) -> Option<&str> {
        let attrs = &self.element(node)?.attrs;
        let is_it = |key: &html5ever::QualName| key.ns.is_empty() && *key.local == *name;
        attrs.iter().find(|(key, _)| is_it(key)).map(|(_, value)| &**value)
    }

    /// The form of each control that the tree builder gave one, by control: what stands between
    /// the tags of a form in the text, wherever it ended up in the tree.
    pub(crate) fn form_owners(&self) -> HashMap<NodeId, NodeId> {
        let numbers: HashMap<TreeId, u32> = if self.owners.is_empty() {
            HashMap::new()
        } else {
            let elements = (0..self.len()).filter(|&at| self.is_element(NodeId(at)));
            elements.map(|at| (self.slots[at as usize].tree, at)).collect()
        };
        let number = |tree: &TreeId| numbers.get(tree).copied().map(NodeId);
        let pair = |(control, form): &(TreeId, TreeId)| Some((number(control)?, number(form)?));
        self.owners.iter().filter_map(pair).collect()
    }

    /// The text of a text node, comment or processing instruction; `None` for other nodes.
    pub(crate) fn data(&self, node: NodeId) -> Option<&str> {
        match self.tree(node)?.value() {
            Node::Text(text) => Some(text),
            Node::Comment(comment) => Some(comment),
            Node::ProcessingInstruction(instruction) => Some(&instruction.data),
            _ => None,
        }
    }

    /// A processing instruction's target; empty for other nodes.
    pub(crate) fn target(&self, node: NodeId) -> &str {
        match self.tree(node).map(|node| node.value()) {
            Some(Node::ProcessingInstruction(instruction)) => &instruction.target,
            _ => "",
        }
    }

    /// `textContent` (DOM Standard, section 4.4) and XPath's string-value: of an element or the
    /// document the text of all descendants, of other nodes their own. Borrowed if it is one
    /// piece; empty for nodes of other pages.
    pub(crate) fn text_content(&self, node: NodeId) -> Cow<'_, str> {
        match self.kind(node) {
            Some(NodeKind::Element | NodeKind::Document) => self.text_below(node),
            Some(NodeKind::Attribute) => {
                Cow::Borrowed(self.attribute(node).map_or("", |(_, value)| value))
            }
            Some(NodeKind::Text | NodeKind::Comment | NodeKind::Instruction) => {
                Cow::Borrowed(self.data(node).unwrap_or_default())
            }
            Some(NodeKind::Doctype) | None => Cow::Borrowed(""),
        }
    }

    fn text_below(&self, node: NodeId) -> Cow<'_, str> {
        let is_text = |node: &NodeId| self.kind(*node) == Some(NodeKind::Text);
        let mut pieces = self.descendants(node).filter(is_text).filter_map(|node| self.data(node));
        let Some(first) = pieces.next() else { return Cow::Borrowed("") };
        let Some(second) = pieces.next() else { return Cow::Borrowed(first) };
        let mut text = [first, second].concat();
        pieces.for_each(|piece| text.push_str(piece));
        Cow::Owned(text)
    }

    /// The node as HTML or XML, itself included: `outerHTML`.
    pub(crate) fn outer(&self, node: NodeId) -> String {
        match self.kind(node) {
            Some(NodeKind::Attribute) => self.text_content(node).into_owned(),
            _ => {
                self.tree(node).map(|node| serialize::outer(node, self.flavour)).unwrap_or_default()
            }
        }
    }
}

/// Numbers all nodes of a tree in document order, those inside templates left out.
fn number(html: &Html) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::with_capacity(2 * html.tree.values().len());
    // The nodes that are open, each with its last child so far.
    let mut open: Vec<(u32, Option<u32>)> = Vec::new();
    let mut hidden = 0_u32;
    for edge in html.tree.root().traverse() {
        match edge {
            Edge::Open(node) => {
                // What a template holds stands in a fragment of its own.
                hidden += u32::from(node.value().is_fragment());
                if hidden > 0 {
                    continue;
                }
                let at = slots.len() as u32;
                let (parent, prev) = match open.last_mut() {
                    Some((parent, last)) => (*parent, last.replace(at).unwrap_or(at)),
                    None => (0, at),
                };
                push(&mut slots, node, parent, prev);
                open.push((at, None));
            }
            Edge::Close(node) => {
                if hidden == 0
                    && let Some((at, _)) = open.pop()
                {
                    slots[at as usize].end = slots.len() as u32;
                }
                hidden -= u32::from(node.value().is_fragment());
            }
        }
    }
    slots
}

/// Appends a node and its attributes.
fn push(slots: &mut Vec<Slot>, node: NodeRef<'_, Node>, parent: u32, prev: u32) {
    let (at, tree) = (slots.len() as u32, node.id());
    let (kind, n_attrs) = match node.value() {
        Node::Document | Node::Fragment => (NodeKind::Document, 0),
        Node::Doctype(_) => (NodeKind::Doctype, 0),
        Node::Comment(_) => (NodeKind::Comment, 0),
        Node::Text(_) => (NodeKind::Text, 0),
        Node::Element(element) => (NodeKind::Element, element.attrs.len() as u16),
        Node::ProcessingInstruction(_) => (NodeKind::Instruction, 0),
    };
    slots.push(Slot { tree, parent, end: at + 1, prev, kind, attr: n_attrs });
    slots.extend((0..n_attrs).map(|attr| {
        let number = at + 1 + u32::from(attr);
        let kind = NodeKind::Attribute;
        Slot { tree, parent: at, end: number + 1, prev: number, kind, attr }
    }));
}
