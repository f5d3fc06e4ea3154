//! Sets of elements that are alike: each may be the items of its page.
//!
//! Alike are elements with one tag and one class anywhere on the page, and children of one element
//! with one tag. So cards are found that stand in rows of a grid, and rows that have no class.

use std::collections::HashMap;

use crawl_spider::NodeId;
use indexmap::IndexMap;

use super::names;
use crate::dom::Dom;

/// Fewest elements that count as repeated.
pub(super) const MIN_ITEMS: usize = 3;
/// Most sets that are looked at closely: those that cover most of the page.
const MAX_GROUPS: usize = 60;
/// Classes of one element that are looked at.
const MAX_CLASSES: usize = 6;

/// Elements that are alike, in document order, none inside another.
pub(super) struct Group<'a> {
    pub(super) nodes: Vec<NodeId>,
    /// The class that they share; empty if they are children of one element.
    pub(super) class: &'a str,
    /// How well it can be named: less is better.
    pub(super) rank: u8,
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Class(&'a str, &'a str),
    Child(NodeId, &'a str),
}

/// The sets of a document that cover most of it.
pub(super) fn groups(dom: &Dom) -> Vec<Group<'_>> {
    let mut sets: IndexMap<Key<'_>, Vec<NodeId>> = IndexMap::new();
    for node in dom.descendants(dom.document()).filter(|&node| dom.is_element(node)) {
        let tag = dom.name(node);
        if !may_repeat(tag) {
            continue;
        }
        let mut add = |key| {
            let set = sets.entry(key).or_default();
            // Outermost ones only: a comment's answers are part of it.
            if set.last().is_none_or(|&last| dom.end(last) <= node.0) {
                set.push(node);
            }
        };
        for class in classes(dom, node) {
            add(Key::Class(tag, class));
        }
        if let Some(parent) = dom.parent(node) {
            add(Key::Child(parent, tag));
        }
    }
    let mut best: HashMap<Vec<NodeId>, Group<'_>> = HashMap::new();
    let mut order = Vec::new();
    for (key, nodes) in sets.into_iter().filter(|(_, nodes)| nodes.len() >= MIN_ITEMS) {
        let (class, rank) = match key {
            // A class that is made up or says "odd" can still tell a set, but not be written.
            Key::Class(_, class) => match names::rank_of(class) {
                Some(0) => (class, 0),
                Some(_) => (class, 2),
                None => continue,
            },
            Key::Child(..) => ("", 1),
        };
        let group = Group { nodes: nodes.clone(), class, rank };
        match best.get_mut(&nodes) {
            Some(known) if known.rank <= rank => {}
            Some(known) => *known = group,
            None => {
                order.push(nodes.clone());
                best.insert(nodes, group);
            }
        }
    }
    let mut groups: Vec<_> = order.iter().filter_map(|nodes| best.remove(nodes)).collect();
    let covered = |group: &Group<'_>| {
        group.nodes.iter().map(|node| u64::from(dom.end(*node) - node.0)).sum::<u64>()
    };
    groups.sort_by_key(|group| std::cmp::Reverse(covered(group)));
    groups.truncate(MAX_GROUPS);
    groups
}

/// The first classes of an element.
pub(super) fn classes<'a>(dom: &'a Dom, node: NodeId) -> impl Iterator<Item = &'a str> + use<'a> {
    dom.attr(node, "class").unwrap_or_default().split_ascii_whitespace().take(MAX_CLASSES)
}

/// Whether elements of this name may be items: not what is inside a line, nor what is not shown.
fn may_repeat(tag: &str) -> bool {
    !matches!(
        tag,
        "html"
            | "head"
            | "body"
            | "script"
            | "style"
            | "link"
            | "meta"
            | "title"
            | "noscript"
            | "template"
            | "br"
            | "hr"
            | "wbr"
            | "input"
            | "option"
            | "optgroup"
            | "select"
            | "button"
            | "label"
            | "svg"
            | "path"
            | "img"
            | "source"
            | "picture"
            | "td"
            | "th"
            | "col"
            | "colgroup"
            | "thead"
            | "tbody"
            | "tfoot"
            | "b"
            | "i"
            | "em"
            | "strong"
            | "span"
            | "small"
            | "time"
            | "sup"
            | "sub"
            | "code"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
    )
}

/// Whether an element stands among what leads about the site.
pub(super) fn is_about_site(dom: &Dom, node: NodeId) -> bool {
    std::iter::once(node).chain(dom.ancestors(node)).any(|node| {
        let tag = dom.name(node);
        if matches!(tag, "html" | "body" | "main" | "article") {
            return false;
        }
        let says = |name: &str| dom.attr(node, name).unwrap_or_default();
        // The header of an article is about the article.
        let is_header = matches!(tag, "header" | "footer")
            && !dom.ancestors(node).any(|node| matches!(dom.name(node), "article" | "li"));
        matches!(tag, "nav" | "aside" | "form" | "menu")
            || is_header
            || matches!(says("role"), "navigation" | "menu" | "menubar" | "banner" | "contentinfo")
            || names::is_about_site(says("id"))
            || classes(dom, node).any(names::is_about_site)
    })
}

/// Selectors for a set, the nicest first, a few at most. Whether one selects just the set is for the caller to
/// see.
pub(super) fn selectors(dom: &Dom, group: &Group<'_>) -> Vec<String> {
    let Some(&first) = group.nodes.first() else { return Vec::new() };
    let tag = dom.name(first);
    let own =
        if group.class.is_empty() { tag.to_owned() } else { format!("{tag}.{}", group.class) };
    let mut all = Vec::new();
    if !group.class.is_empty() {
        all.push(own.clone());
    }
    let mut below: Option<String> = None;
    for above in dom.ancestors(first).take(6) {
        let name = dom.name(above);
        // Rows stand in a `tbody` whether it was written or not.
        if matches!(name, "" | "html" | "body" | "tbody" | "thead") {
            continue;
        }
        if let Some(base) = named(dom, above) {
            if below.is_none() && tag != "tr" {
                all.push(format!("{base} > {own}"));
            } else {
                all.push(format!("{base} {own}"));
                all.extend(below.as_ref().map(|below| format!("{base} {below}")));
            }
        }
        below = Some(match below {
            None if tag == "tr" => format!("{name} {own}"),
            None => format!("{name} > {own}"),
            Some(below) => format!("{name} {below}"),
        });
    }
    all.extend(below);
    all.push(own);
    all
}

/// An element by its id, its class or, of the great parts of a page, its name.
fn named(dom: &Dom, node: NodeId) -> Option<String> {
    let tag = dom.name(node);
    if matches!(tag, "html" | "body") {
        return None;
    }
    if let Some(id) = dom.attr(node, "id").filter(|id| names::rank_of(id) == Some(0)) {
        return Some(format!("#{id}"));
    }
    let good = |wanted| classes(dom, node).find(|class| names::rank_of(class) == Some(wanted));
    match good(0) {
        Some(class) => Some(format!("{tag}.{class}")),
        None => matches!(tag, "main" | "article" | "table").then(|| tag.to_owned()),
    }
}
