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

/// An option and the text in it so far.
struct Read<'a> {
    option: FieldOption,
    value: Option<&'a str>,
    text: String,
}

/// All options below an element, and how many nodes were seen.
fn all(dom: &Dom, top: NodeId) -> (Vec<FieldOption>, usize) {
    let mut options: Vec<Read<'_>> = Vec::new();
    // Ends of the open option, the open group that is disabled, and what is no text.
    let (mut option_end, mut group_end, mut skip) = (0, 0, 0);
    let mut n_nodes = 0;
    for node in dom.descendants(top) {
        n_nodes += 1;
        match (dom.kind(node), dom.name(node)) {
            (Some(NodeKind::Text), _) if node.0 < option_end && node.0 >= skip => {
                if let Some(read) = options.last_mut() {
                    read.text.push_str(dom.data(node).unwrap_or_default());
                }
            }
            (Some(NodeKind::Element), "script") => skip = dom.end(node),
            (Some(NodeKind::Element), "optgroup") if dom.attr(node, "disabled").is_some() => {
                group_end = dom.end(node).max(group_end);
            }
            (Some(NodeKind::Element), "option") => {
                option_end = dom.end(node);
                options.push(begin(dom, node, node.0 < group_end));
            }
            _ => {}
        }
    }
    (options.into_iter().map(finish).collect(), n_nodes)
}

fn begin(dom: &Dom, node: NodeId, in_disabled_group: bool) -> Read<'_> {
    let option = FieldOption {
        value: String::new(),
        label: dom.attr(node, "label").unwrap_or_default().to_owned(),
        selected: dom.attr(node, "selected").is_some(),
        disabled: in_disabled_group || dom.attr(node, "disabled").is_some(),
    };
    Read { option, value: dom.attr(node, "value"), text: String::new() }
}

fn finish(read: Read<'_>) -> FieldOption {
    // "Strip and collapse ASCII whitespace" (section 4.10.10).
    let words: Vec<&str> = read.text.split_ascii_whitespace().collect();
    let text = words.join(" ");
    let mut option = read.option;
    if option.label.is_empty() {
        option.label.clone_from(&text);
    }
    option.value = read.value.map_or(text, str::to_owned);
    option
}
