//! What single elements say: whether they are shown, and what code they hold.

use crawl_spider::NodeId;

use crate::dom::{Dom, NodeKind};
use crate::view::text::is_block;

/// Whether an element is not shown, or is no text.
pub(super) fn is_hidden(dom: &Dom, node: NodeId) -> bool {
    let by_name = match dom.name(node) {
        "script" | "style" | "template" | "head" | "svg" | "canvas" | "audio" | "video"
        | "iframe" | "frameset" | "noembed" | "noframes" | "object" | "select" | "datalist"
        | "textarea" | "annotation" | "annotation-xml" | "rp" => true,
        "dialog" => dom.attr(node, "open").is_none(),
        // Mostly the picture that a script would load; its words are for people, too.
        "noscript" => {
            let is_word = |at: NodeId| {
                dom.kind(at) == Some(NodeKind::Text)
                    && dom.data(at).is_some_and(|text| !text.trim().is_empty())
            };
            !dom.descendants(node).any(is_word)
        }
        _ => false,
    };
    let hides = |style: &str| {
        style.split(';').take(64).any(|rule| {
            let (name, value) = rule.split_once(':').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("display")
                && value.trim().get(..4).is_some_and(|value| value.eq_ignore_ascii_case("none"))
        })
    };
    by_name || dom.attr(node, "hidden").is_some() || dom.attr(node, "style").is_some_and(hides)
}

/// The text of preformatted code: line breaks and lines that are elements count.
pub(super) fn preformatted(dom: &Dom, node: NodeId) -> String {
    let mut out = String::new();
    let mut ends: Vec<u32> = Vec::new();
    let start_line = |out: &mut String| {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    };
    for at in dom.descendants(node) {
        while ends.pop_if(|end| *end <= at.0).is_some() {
            start_line(&mut out);
        }
        match dom.kind(at) {
            Some(NodeKind::Text) => {
                let text = dom.data(at).unwrap_or_default();
                out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
            }
            Some(NodeKind::Element) if dom.name(at) == "br" => out.push('\n'),
            Some(NodeKind::Element) if is_block(dom.name(at)) => {
                start_line(&mut out);
                ends.push(dom.end(at));
            }
            _ => {}
        }
    }
    out
}

/// The language of a code block as its classes name it; empty if they do not.
pub(super) fn language(dom: &Dom, node: NodeId) -> &str {
    let code = dom.children(node).find(|child| dom.name(*child) == "code");
    let around = dom.parent(node).filter(|parent| dom.name(*parent) == "div");
    for element in [Some(node), code, around].into_iter().flatten() {
        let classes = dom.attr(element, "class").unwrap_or_default();
        for class in classes.split_ascii_whitespace().take(32) {
            let named = ["language-", "lang-", "highlight-source-", "highlight-"]
                .iter()
                .find_map(|prefix| class.strip_prefix(prefix));
            let is_name = |name: &&str| {
                let fits =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.');
                !name.is_empty() && name.len() <= 30 && name.chars().all(fits)
            };
            let is_known =
                |name: &&str| !matches!(*name, "none" | "text" | "default" | "plaintext");
            if let Some(name) = named.filter(is_name).filter(is_known) {
                return name;
            }
        }
    }
    ""
}
