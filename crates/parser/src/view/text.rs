//! Texts as people read them.

use std::borrow::Cow;

use crawl_spider::{NodeId, collapse_whitespace};

use crate::dom::{Dom, NodeKind};

/// The text of a node as it is shown: whitespace collapsed, a space where a line would end, no
/// scripts and styles.
pub(super) fn shown(dom: &Dom, node: NodeId) -> String {
    shown_up_to(dom, node, usize::MAX)
}

/// As [`shown`], but not much more than `max_bytes` of it are read.
pub(super) fn shown_up_to(dom: &Dom, node: NodeId, max_bytes: usize) -> String {
    let mut text = String::new();
    // The ends of the blocks that are open.
    let mut ends: Vec<u32> = Vec::new();
    let mut skip = 0;
    for at in dom.descendants(node) {
        while ends.last().is_some_and(|&end| at.0 >= end) {
            ends.pop();
            text.push(' ');
        }
        if at.0 < skip {
            continue;
        }
        match dom.kind(at) {
            Some(NodeKind::Text) => text.push_str(dom.data(at).unwrap_or_default()),
            Some(NodeKind::Element) => match dom.name(at) {
                "script" | "style" => skip = dom.end(at),
                "br" => text.push(' '),
                name if is_block(name) => {
                    text.push(' ');
                    ends.push(dom.end(at));
                }
                _ => {}
            },
            _ => {}
        }
        if text.len() > max_bytes {
            break;
        }
    }
    match collapse_whitespace(&text) {
        Cow::Borrowed(clean) if clean.len() == text.len() => text,
        clean => clean.into_owned(),
    }
}

/// Whether a browser shows an element of this name on lines of its own (HTML Standard, section
/// 15.3).
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "optgroup"
            | "option"
            | "p"
            | "plaintext"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "xmp"
    )
}
