//! From the places in the items to fields worth having.

use std::cmp::Reverse;
use std::collections::HashSet;

use crawl_spider::{NodeId, collapse_whitespace};

use super::field::{Kind, kind_of};
use super::names;
use super::slots::{Slot, slots};
use super::{FieldDraft, groups};
use crate::dom::{Dom, NodeKind};

/// Most fields of an item.
pub(super) const MAX_FIELDS: usize = 12;

/// What items have in common.
pub(super) struct Fields<'a> {
    pub(super) dom: &'a Dom,
    pub(super) items: &'a [NodeId],
    /// A class of the items; their fields' names need not repeat it.
    class: &'a str,
    pub(super) drafts: Vec<FieldDraft>,
    /// Elements with text of their own, whose text is in a field already.
    claimed: HashSet<NodeId>,
    weight: f64,
}

impl<'a> Fields<'a> {
    /// Finds the fields of these items.
    pub(super) fn of(dom: &'a Dom, items: &'a [NodeId], class: &'a str) -> Self {
        let (drafts, claimed) = (Vec::new(), HashSet::new());
        let mut fields = Self { dom, items, class, drafts, claimed, weight: 0.0 };
        let slots = slots(dom, items, class);
        let is_table = items.iter().all(|&item| dom.name(item) == "tr");
        if is_table {
            fields.cells(&slots);
        } else {
            fields.title_and_link(&slots);
            fields.image(&slots);
            slots.iter().for_each(|slot| fields.other(slot));
            fields.own_text();
        }
        fields
    }

    /// How much the fields tell.
    pub(super) fn weight(&self) -> f64 {
        self.weight.min(12.0)
    }

    fn push(&mut self, said: Option<&str>, draft: FieldDraft, weight: f64) {
        if self.drafts.len() >= MAX_FIELDS {
            return;
        }
        let name = names::of_field(said, draft.kind, self.class);
        self.push_as(name, draft, weight);
    }

    pub(super) fn push_as(&mut self, name: String, draft: FieldDraft, weight: f64) {
        let taken = |name: &str| self.drafts.iter().any(|draft| draft.name == name);
        let name = names::unlike(name, taken);
        self.weight += weight;
        self.drafts.push(FieldDraft { name, ..draft });
    }

    /// The elements at or below `node` that have text of their own.
    fn leaves(&self, node: NodeId) -> Vec<NodeId> {
        let all = std::iter::once(node).chain(self.dom.descendants(node));
        all.filter(|&node| self.dom.is_element(node) && !self.own(node).is_empty())
            .take(64)
            .collect()
    }

    /// The text that stands in an element itself.
    fn own(&self, node: NodeId) -> String {
        let texts = self.dom.children(node);
        let texts = texts.filter(|&node| self.dom.kind(node) == Some(NodeKind::Text));
        let text: String = texts.filter_map(|node| self.dom.data(node)).take(64).collect();
        let text = text.trim();
        // Marks between the parts of a line say nothing.
        if text.chars().any(char::is_alphanumeric) { text.to_owned() } else { String::new() }
    }

    pub(super) fn text(&self, node: NodeId) -> String {
        collapse_whitespace(&self.dom.text_content(node)).into_owned()
    }

    pub(super) fn is_common(&self, slot: &Slot) -> bool {
        slot.n_items() * 2 >= self.items.len()
    }

    /// Whether an element holds one text, not several.
    fn is_one_text(&self, node: NodeId) -> bool {
        let leaves = self.leaves(node);
        match leaves[..] {
            [] => false,
            [_] => true,
            [first, ..] => {
                let all = self.text(node).len();
                // A line with a word in it marked, or a link.
                first == node && self.own(node).len() * 2 >= all
            }
        }
    }

    fn claim(&mut self, slot: &Slot) {
        for node in slot.hits.iter().map(|(_, node)| *node) {
            let leaves = self.leaves(node);
            self.claimed.extend(leaves);
            self.claimed.insert(node);
        }
    }

    fn is_claimed(&self, node: NodeId) -> bool {
        let leaves = self.leaves(node);
        self.claimed.contains(&node)
            || !leaves.is_empty() && leaves.iter().all(|leaf| self.claimed.contains(leaf))
    }

    pub(super) fn attr<'s>(
        &'s self,
        nodes: impl Iterator<Item = NodeId> + 's,
        name: &'s str,
    ) -> Vec<&'s str> {
        nodes.filter_map(|node| self.dom.attr(node, name)).filter(|v| !v.is_empty()).collect()
    }

    /// What the items are called and where they lead.
    fn title_and_link(&mut self, slots: &[Slot]) {
        let says_title = |slot: &Slot| {
            let said = slot.said.as_deref().unwrap_or_default().to_ascii_lowercase();
            ["title", "name", "headline", "heading"].iter().any(|word| said.contains(word))
        };
        let is_title = |slot: &&Slot| {
            let is_shown = |node| !matches!(self.dom.name(node), "meta" | "img" | "a" if self.text(node).is_empty());
            self.is_common(slot)
                && says_title(slot)
                && slot.found().all(|node| is_shown(node) && self.leaves(node).len() <= 2)
                && slot.found().filter(|&node| self.is_one_text(node)).count() * 2 >= slot.n_items()
        };
        let heads = |slot: &&Slot| {
            slot.found().next().is_some_and(|node| self.dom.name(node).starts_with('h'))
        };
        let title = slots.iter().filter(heads).find(is_title).or(slots.iter().find(is_title));
        let is_anchor = |slot: &&Slot| {
            self.is_common(slot)
                && slot.found().all(|node| self.dom.name(node) == "a")
                && self.attr(slot.found(), "href").len() * 2 >= self.items.len()
        };
        let goes_with = |slot: &&Slot| {
            let Some(title) = title else { return !self.attr(slot.found(), "href").is_empty() };
            let pairs = slot.firsts.iter().zip(&title.firsts);
            let n = pairs.filter(|pair| matches!(pair, (Some(a), Some(b)) if self.touch(*a, *b)));
            n.count() * 2 >= slot.n_items()
        };
        let length = |slot: &&Slot| slot.found().map(|node| self.text(node).len()).sum::<usize>();
        let mut anchors: Vec<&Slot> = slots.iter().filter(is_anchor).collect();
        // The nicest of those around the title, else that with most to say.
        let anchor = match anchors.iter().find(|slot| title.is_some() && goes_with(slot)) {
            Some(anchor) => Some(*anchor),
            None => {
                anchors.reverse();
                anchors.into_iter().max_by_key(|slot| (length(slot), Reverse(slot.css.len())))
            }
        };
        let whole = self.items.iter().all(|&item| self.dom.name(item) == "a");
        let longer = anchor.filter(|slot| {
            let titles = |node| self.dom.attr(node, "title").map(|title| (title, self.text(node)));
            let is_longer = |(title, text): &(&str, String)| title.len() >= text.len();
            slot.found().filter_map(titles).filter(is_longer).count() * 5 >= slot.n_items() * 4
        });
        let cut = |slot: &Slot| {
            slot.found().any(|node| {
                let text = self.text(node);
                text.ends_with("...") || text.ends_with('…')
            })
        };
        if let Some(slot) = longer.filter(|slot| cut(slot)) {
            let draft = FieldDraft::attr(Kind::Title, &slot.css, "title");
            self.push_as("title".to_owned(), draft, 3.0);
            self.claim(slot);
        } else if let Some(slot) = title {
            self.push(slot.said.as_deref(), FieldDraft::text(Kind::Title, &slot.css), 3.0);
            self.claim(slot);
        } else if let Some(slot) = anchor.filter(|slot| length(slot) >= 3 * slot.n_items())
            && self.varies(slot.found())
        {
            self.push_as("title".to_owned(), FieldDraft::text(Kind::Title, &slot.css), 2.0);
            self.claim(slot);
        }
        if whole && self.attr(self.items.iter().copied(), "href").len() * 2 >= self.items.len() {
            self.push_as("link".to_owned(), FieldDraft::attr(Kind::Link, "", "href"), 1.5);
        } else if let Some(slot) = anchor
            && self.differ(&self.attr(slot.found(), "href"))
        {
            self.push_as("link".to_owned(), FieldDraft::attr(Kind::Link, &slot.css, "href"), 1.5);
        }
    }

    /// Whether one of two elements holds the other.
    fn touch(&self, a: NodeId, b: NodeId) -> bool {
        let holds = |a: NodeId, b: NodeId| a.0 <= b.0 && b.0 < self.dom.end(a);
        holds(a, b) || holds(b, a)
    }

    pub(super) fn differ<T: PartialEq>(&self, values: &[T]) -> bool {
        let first = values.first();
        values.iter().any(|value| Some(value) != first)
    }

    fn varies(&self, nodes: impl Iterator<Item = NodeId>) -> bool {
        self.differ(&nodes.map(|node| self.text(node)).collect::<Vec<_>>())
    }

    fn image(&mut self, slots: &[Slot]) {
        let is_image = |slot: &&Slot| {
            self.is_common(slot) && slot.found().all(|node| self.dom.name(node) == "img")
        };
        let Some(slot) = slots.iter().filter(is_image).min_by_key(|slot| slot.css.len()) else {
            return;
        };
        let n = slot.n_items();
        let is_real = |name: &str| {
            let urls = self.attr(slot.found(), name);
            urls.iter().filter(|url| !url.starts_with("data:")).count() * 5 >= n * 4
        };
        let name =
            ["src", "data-src", "data-original", "data-lazy-src"].into_iter().find(|n| is_real(n));
        if let Some(name) = name {
            self.push_as("image".to_owned(), FieldDraft::attr(Kind::Image, &slot.css, name), 1.5);
        }
    }

    /// A field of any other kind, if the place is good for one.
    fn other(&mut self, slot: &Slot) {
        if !self.is_common(slot) || self.drafts.len() >= MAX_FIELDS {
            return;
        }
        let said = slot.said.as_deref();
        let named = |wanted: &str| slot.found().all(|node| self.dom.name(node) == wanted);
        let n = slot.n_items();
        if slot.found().filter(|&node| self.is_claimed(node)).count() * 2 > n {
            return;
        }
        for (tag, attr) in [("time", "datetime"), ("meta", "content")] {
            if named(tag) && self.attr(slot.found(), attr).len() == n {
                let kind = if tag == "time" { Kind::Date } else { Kind::Text };
                if tag == "meta" && said.is_none() {
                    return;
                }
                self.push(said, FieldDraft::attr(kind, &slot.css, attr), 2.0);
                self.claim(slot);
                return;
            }
        }
        if slot.per_item() >= 1.5 && slot.is_named() && said.is_some() && self.list(slot) {
            return;
        }
        let texts: Vec<String> = slot.found().map(|node| self.text(node)).collect();
        if texts.iter().all(String::is_empty) {
            self.class_of(slot);
            return;
        }
        let is_text = slot.found().filter(|&node| self.is_one_text(node)).count() * 2 > n;
        if !is_text || named("button") || named("label") || named("a") && !self.differ(&texts) {
            return;
        }
        let kind = kind_of(texts.iter().map(String::as_str));
        let name = names::of_field(said, kind, self.class);
        let tells = self.differ(&texts) || (said.is_some() && names::is_telling(&name));
        if !tells {
            return;
        }
        let weight = match kind {
            Kind::Price => 3.0,
            Kind::Date => 2.0,
            _ if texts.iter().map(String::len).sum::<usize>() > 40 * texts.len() => 2.0,
            _ => 1.0,
        };
        // What holds several items tells of each but the first one.
        let weight = if slot.per_item() >= 1.5 { weight / 3.0 } else { weight };
        self.push(said, FieldDraft::text(kind, &slot.css), weight);
        self.claim(slot);
    }

    /// Several texts of one kind, side by side; says whether it is such.
    fn list(&mut self, slot: &Slot) -> bool {
        let is_short = |node| self.is_one_text(node) && self.text(node).len() <= 60;
        if slot.hits.iter().filter(|(_, node)| is_short(*node)).count() < slot.hits.len() {
            return false;
        }
        let parents: HashSet<_> =
            slot.hits.iter().map(|(n, node)| (n, self.dom.parent(*node))).collect();
        if parents.len() * 3 > slot.hits.len() * 2 {
            return false;
        }
        let mut draft = FieldDraft::text(Kind::List, &slot.css);
        draft.all = true;
        let plural = slot.said.as_deref().map(|said| match said.ends_with('s') {
            true => said.to_owned(),
            false => format!("{said}s"),
        });
        self.push(plural.as_deref(), draft, 1.5);
        self.claim(slot);
        true
    }

    /// What only a class tells: one is on all, another differs.
    fn class_of(&mut self, slot: &Slot) {
        let Some(shared) = slot.css.strip_prefix('.').filter(|css| !css.contains(' ')) else {
            return;
        };
        if slot.per_item() > 1.2 || slot.found().any(|node| self.dom.name(node) == "img") {
            return;
        }
        let second = |node| {
            let mut others = groups::classes(self.dom, node).filter(|class| *class != shared);
            others.next().filter(|class| class.bytes().all(|b| b.is_ascii_alphanumeric()))
        };
        let values: Vec<&str> = slot.found().filter_map(second).collect();
        if values.len() < slot.n_items() || !self.differ(&values) {
            return;
        }
        let comes_first = |node| groups::classes(self.dom, node).next() == Some(shared);
        if !slot.found().all(comes_first) {
            return;
        }
        let mut draft = FieldDraft::attr(Kind::Class, &slot.css, "class");
        draft.regex = Some(format!("{shared} ([A-Za-z0-9]+)"));
        self.push(slot.said.as_deref(), draft, 1.0);
    }

    /// The text of items that have nothing else.
    fn own_text(&mut self) {
        let has_text =
            self.drafts.iter().any(|draft| draft.kind != Kind::Link && draft.kind != Kind::Image);
        let items = self.items.iter().copied();
        if !has_text && self.varies(items) {
            let whole =
                self.drafts.iter().any(|draft| draft.kind == Kind::Link && draft.css.is_empty());
            let (name, weight) = if whole { ("title", 2.0) } else { ("text", 0.5) };
            self.push_as(name.to_owned(), FieldDraft::text(Kind::Text, ""), weight);
        }
    }
}
