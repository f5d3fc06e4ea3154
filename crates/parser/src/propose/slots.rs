//! What stands at the same place in all items: each place by the selectors a person would write.

use crawl_spider::NodeId;
use indexmap::IndexMap;

use super::groups::classes;
use super::names;
use crate::dom::Dom;

/// Items that are looked at; the others are taken to be like them.
pub(super) const SAMPLE: usize = 16;
/// Elements of one item that are looked at.
const MAX_ELEMENTS: usize = 250;
/// Places that are told apart.
const MAX_SLOTS: usize = 400;

/// A place in the items.
pub(super) struct Slot {
    /// Its selector within the item.
    pub(super) css: String,
    /// What its microdata or class calls it.
    pub(super) said: Option<String>,
    /// How nice the selector is: less is better.
    rank: u8,
    /// The elements there, each with the number of its item.
    pub(super) hits: Vec<(usize, NodeId)>,
    /// The first of each item.
    pub(super) firsts: Vec<Option<NodeId>>,
}

impl Slot {
    /// In how many of the items there is something.
    pub(super) fn n_items(&self) -> usize {
        self.firsts.iter().flatten().count()
    }

    /// The first elements.
    pub(super) fn found(&self) -> impl Iterator<Item = NodeId> + Clone + '_ {
        self.firsts.iter().flatten().copied()
    }

    /// How many elements there are in an item that has any.
    pub(super) fn per_item(&self) -> f64 {
        self.hits.len() as f64 / self.n_items().max(1) as f64
    }

    /// Whether the selector says what the thing is, not only what element.
    pub(super) fn is_named(&self) -> bool {
        self.rank <= 2
    }
}

/// The places of these items, the nicest selectors first. What is inside of a further element of
/// their class is that one's.
pub(super) fn slots(dom: &Dom, items: &[NodeId], class: &str) -> Vec<Slot> {
    let mut slots: IndexMap<String, Slot> = IndexMap::new();
    let n_items = items.len();
    for (n, &item) in items.iter().enumerate() {
        let elements = dom.descendants(item).filter(|&node| dom.is_element(node));
        let mut inner_end = 0;
        for node in elements.take(MAX_ELEMENTS) {
            if node.0 < inner_end {
                continue;
            }
            if !class.is_empty() && classes(dom, node).any(|of| of == class) {
                inner_end = dom.end(node);
                continue;
            }
            each_key(dom, item, node, |css, rank, said| {
                if slots.len() >= MAX_SLOTS && !slots.contains_key(&css) {
                    return;
                }
                let slot = slots.entry(css).or_insert_with_key(|css| Slot {
                    css: css.clone(),
                    said: said.map(str::to_owned),
                    rank,
                    hits: Vec::new(),
                    firsts: vec![None; n_items],
                });
                slot.hits.push((n, node));
                slot.firsts[n].get_or_insert(node);
            });
        }
    }
    let mut slots: Vec<Slot> = slots.into_values().collect();
    slots.sort_by_key(|slot| (slot.rank, slot.hits.first().map(|(_, node)| node.0)));
    slots
}

/// The selectors of an element within its item, each with its rank and what it calls the thing.
fn each_key(dom: &Dom, item: NodeId, node: NodeId, mut key: impl FnMut(String, u8, Option<&str>)) {
    let tag = dom.name(node);
    if matches!(tag, "script" | "style" | "template" | "svg" | "path" | "br" | "wbr" | "source") {
        return;
    }
    if let Some(name) = dom.attr(node, "itemprop").and_then(|all| all.split_whitespace().next())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.is_empty()
    {
        // The class is shorter, the property says what it is.
        key(format!("[itemprop=\"{name}\"]"), 1, Some(name));
    }
    for class in classes(dom, node) {
        match names::rank_of(class) {
            Some(0) => key(format!(".{class}"), u8::from(!names::says(class)), Some(class)),
            Some(_) => key(format!(".{class}"), 6, None),
            None => {}
        }
    }
    match tag {
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => key(tag.to_owned(), 1, Some("title")),
        "img" | "time" => key(tag.to_owned(), 3, None),
        _ => key(tag.to_owned(), 5, None),
    }
    let Some(parent) = dom.parent(node) else { return };
    if matches!(tag, "td" | "th") {
        let before = std::iter::successors(dom.prev_sibling(node), |&at| dom.prev_sibling(at));
        let place = 1 + before.take(100).filter(|&node| dom.is_element(node)).count();
        key(format!("{tag}:nth-child({place})"), 2, None);
        return;
    }
    // Within the nearest element that has a name.
    let above = dom.ancestors(node).take_while(|&above| above.0 > item.0).take(3);
    for above in above {
        let name = dom.name(above);
        let class = classes(dom, above).find(|class| names::rank_of(class) == Some(0));
        let base = match class {
            Some(class) => format!(".{class}"),
            None if matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") => name.to_owned(),
            None => continue,
        };
        key(format!("{base} {tag}"), 4, class);
        break;
    }
    let same = |at: NodeId| dom.is_element(at) && dom.name(at) == tag;
    let before = std::iter::successors(dom.prev_sibling(node), |&at| dom.prev_sibling(at));
    let n_before = before.take(50).filter(|&at| same(at)).count();
    if parent == item && n_before > 0 {
        key(format!("{tag}:nth-of-type({})", n_before + 1), 7, None);
    }
}
