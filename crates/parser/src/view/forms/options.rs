//! The options of selects and of lists of suggestions.

use crawl_spider::{FieldKind, FieldOption, NodeId};

use crate::dom::{Dom, NodeKind};

/// Suggestions that are kept for all fields of a page together: many fields may name one list.
const MAX_SUGGESTIONS: usize = 20_000;

/// The options of a select as a browser shows it first (HTML Standard, section 4.10.7).
pub(super) fn of_select(dom: &Dom, select: NodeId, kind: FieldKind) -> Vec<FieldOption> {
    let mut options = all(dom, select).0;
    if kind == FieldKind::SelectMultiple {
        return options;
    }
    // One only: the last that says so, else, in a drop-down, the first that can be chosen.
    let last = options.iter().rposition(|option| option.selected);
    let size = dom.attr(select, "size").and_then(|size| size.trim().parse::<u32>().ok());
    let is_drop_down = size.is_none_or(|size| size <= 1);
    let first = || options.iter().position(|option| !option.disabled).filter(|_| is_drop_down);
    let chosen = last.or_else(first);
    for (at, option) in options.iter_mut().enumerate() {
        option.selected = Some(at) == chosen;
    }
    options
}

/// The suggestions of lists, as far as the budget goes.
#[derive(Default)]
pub(super) struct Suggestions {
    n_kept: usize,
}

impl Suggestions {
    /// The options of a `datalist` that can be chosen; none if it is no such element.
    pub(super) fn of(&mut self, dom: &Dom, list: NodeId) -> Vec<FieldOption> {
        if dom.name(list) != "datalist" || self.n_kept >= MAX_SUGGESTIONS {
            return Vec::new();
        }
        let (mut options, n_nodes) = all(dom, list);
        options.retain(|option| !option.disabled && !option.value.is_empty());
        options.iter_mut().for_each(|option| option.selected = false);
        options.truncate(MAX_SUGGESTIONS - self.n_kept);
        // Reading a list again and again costs, too.
        self.n_kept += options.len().max(n_nodes / 8);
        options
    }
}

/// All options below an element, and how many nodes were seen.
fn all(dom: &Dom, top: NodeId) -> (Vec<FieldOption>, usize) {
    let mut options: Vec<(FieldOption, String)> = Vec::new();
    // Ends of the open option, the open group that is disabled, and what is no text.
    let (mut option_end, mut group_end, mut skip) = (0, 0, 0);
    let mut n_nodes = 0;
    for node in dom.descendants(top) {
        n_nodes += 1;
        match (dom.kind(node), dom.name(node)) {
            (Some(NodeKind::Text), _) if node.0 < option_end && node.0 >= skip => {
                if let Some((_, text)) = options.last_mut() {
                    text.push_str(dom.data(node).unwrap_or_default());
                }
            }
            (Some(NodeKind::Element), "script") => skip = dom.end(node),
            (Some(NodeKind::Element), "optgroup") if dom.attr(node, "disabled").is_some() => {
                group_end = dom.end(node).max(group_end);
            }
            (Some(NodeKind::Element), "option") => {
                option_end = dom.end(node);
                let disabled = dom.attr(node, "disabled").is_some() || node.0 < group_end;
                options.push((option(dom, node, disabled), String::new()));
            }
            _ => {}
        }
    }
    let filled = options.into_iter().map(|(mut option, text)| {
        // "Strip and collapse ASCII whitespace" (section 4.10.10).
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let text = words.join(" ");
        if option.label.is_empty() {
            option.label.clone_from(&text);
        }
        (option, text)
    });
    let with_value = filled.zip(values(dom, top)).map(|((mut option, text), value)| {
        option.value = value.map_or(text, str::to_owned);
        option
    });
    (with_value.collect(), n_nodes)
}

/// The `value` attributes of all options below an element.
fn values(dom: &Dom, top: NodeId) -> impl Iterator<Item = Option<&str>> {
    let is_option = |node: &NodeId| dom.is_element(*node) && dom.name(*node) == "option";
    dom.descendants(top).filter(is_option).map(|node| dom.attr(node, "value"))
}

fn option(dom: &Dom, node: NodeId, disabled: bool) -> FieldOption {
    FieldOption {
        value: String::new(),
        label: dom.attr(node, "label").unwrap_or_default().to_owned(),
        selected: dom.attr(node, "selected").is_some(),
        disabled,
    }
}
