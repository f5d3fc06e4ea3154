//! Microdata (HTML Standard, section 5.2).

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crawl_spider::NodeId;

use super::item::{Budget, Item, Items, Property, to_json};
use crate::dom::Dom;
use crate::view::{Join, by_id};

/// The top-level items of a document.
pub(super) fn microdata(dom: &Dom, join: &Join<'_>) -> Items {
    let has = |node: &NodeId, name| dom.attr(*node, name).is_some();
    let scopes: Vec<NodeId> =
        dom.descendants(dom.document()).filter(|node| has(node, "itemscope")).collect();
    if scopes.is_empty() {
        return Items { items: Vec::new(), truncated: false };
    }
    let places = scopes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
    let ids = by_id(dom);
    // Items may refer to one and the same part of the document; honest ones do so now and then.
    let n_steps = 4 * dom.len() as usize + 100_000;
    let mut reading = Reading { dom, join, places, ids, budget: Budget::default(), n_steps };
    let items: Vec<Item> = scopes.iter().map(|node| reading.item(*node)).collect();
    let top = (0..scopes.len()).filter(|place| !has(&scopes[*place], "itemprop"));
    to_json(&items, top, reading.budget.exceeded)
}

struct Reading<'a> {
    dom: &'a Dom,
    join: &'a Join<'a>,
    places: HashMap<NodeId, usize>,
    ids: HashMap<&'a str, NodeId>,
    budget: Budget,
    /// Elements that may still be looked at.
    n_steps: usize,
}

impl Reading<'_> {
    fn item(&mut self, node: NodeId) -> Item {
        let dom = self.dom;
        let mut types: Vec<String> = Vec::new();
        for kind in dom.attr(node, "itemtype").unwrap_or_default().split_ascii_whitespace().take(64)
        {
            if !types.iter().any(|known| known == kind) {
                types.push(kind.to_owned());
            }
        }
        let id = dom.attr(node, "itemid").filter(|_| !types.is_empty());
        let id = id.map(|id| (self.join)(id).unwrap_or_else(|| id.to_owned()));
        let mut item = Item { types, id, properties: Vec::new() };
        for property in self.properties(node) {
            self.put(&mut item, property);
        }
        item
    }

    fn put(&mut self, item: &mut Item, node: NodeId) {
        let names = self.dom.attr(node, "itemprop").unwrap_or_default();
        for name in names.split_ascii_whitespace() {
            if !self.budget.value() {
                return;
            }
            let value = match self.places.get(&node) {
                Some(place) => Some(Property::Item(*place)),
                None => self.text(node).map(Property::Text),
            };
            item.properties.extend(value.map(|value| (name.to_owned(), value)));
        }
    }

    /// The elements with the properties of an item, in document order: "the properties of an
    /// item" (section 5.2.5).
    fn properties(&mut self, root: NodeId) -> Vec<NodeId> {
        let dom = self.dom;
        let mut found = Vec::new();
        self.gather(root.0 + 1..dom.end(root), &mut found);
        let refs = dom.attr(root, "itemref").unwrap_or_default();
        for id in refs.split_ascii_whitespace() {
            if let Some(node) = self.ids.get(id).copied().filter(|node| *node != root) {
                self.gather(node.0..dom.end(node), &mut found);
            }
        }
        found.sort_unstable_by_key(|node| node.0);
        found.dedup();
        found.retain(|node| *node != root);
        found
    }

    /// Adds the properties of a part of the document, those of items in it left out.
    fn gather(&mut self, range: Range<u32>, found: &mut Vec<NodeId>) {
        let (dom, end) = (self.dom, range.end);
        let mut at = range.start;
        while at < end {
            let Some(left) = self.n_steps.checked_sub(1) else {
                self.budget.exceeded = true;
                return;
            };
            self.n_steps = left;
            let node = NodeId(at);
            at += 1;
            if !dom.is_element(node) {
                continue;
            }
            let has_names = |names: &str| names.split_ascii_whitespace().next().is_some();
            if dom.attr(node, "itemprop").is_some_and(has_names) {
                found.push(node);
            }
            if self.places.contains_key(&node) {
                at = dom.end(node);
            }
        }
    }

    /// "Property value" (section 5.2.4) of an element that is no item.
    fn text(&mut self, node: NodeId) -> Option<String> {
        let dom = self.dom;
        let attr = |name| Cow::Borrowed(dom.attr(node, name).unwrap_or_default());
        let url = |name| {
            let absolute = dom.attr(node, name).and_then(|value| (self.join)(value));
            Cow::Owned(absolute.unwrap_or_default())
        };
        let value = match dom.name(node) {
            "meta" => attr("content"),
            "audio" | "embed" | "iframe" | "img" | "source" | "track" | "video" => url("src"),
            "a" | "area" | "link" => url("href"),
            "object" => url("data"),
            "data" | "meter" => attr("value"),
            "time" if dom.attr(node, "datetime").is_some() => attr("datetime"),
            _ => dom.text_content(node),
        };
        self.budget.text(value)
    }
}
