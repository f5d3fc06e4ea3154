//! The link to the next page of a list.

use crawl_spider::{NodeId, collapse_whitespace};

use super::groups::classes;
use crate::css::compile;
use crate::dom::Dom;

/// Links of a page that are looked at.
const MAX_LINKS: usize = 20_000;

/// A selector of the one link that leads to the next page; `None` if none is found.
pub(super) fn next_link(dom: &Dom) -> Option<String> {
    let all = dom.descendants(dom.document());
    let links: Vec<NodeId> = all
        .filter(|&node| dom.name(node) == "a" && dom.attr(node, "href").is_some_and(leads_on))
        .take(MAX_LINKS)
        .collect();
    let by_rel = links.iter().find(|&&node| {
        let rel = dom.attr(node, "rel").unwrap_or_default();
        rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
    });
    if by_rel.is_some() {
        return Some("a[rel~=\"next\"]".to_owned());
    }
    let with_class = |node: NodeId| classes(dom, node).find(|class| is_next_class(class));
    for &node in &links {
        let tries = [
            with_class(node).map(|class| format!("a.{class}")),
            dom.parent(node).and_then(|parent| {
                let class = with_class(parent)?;
                Some(format!("{}.{class} a", dom.name(parent)))
            }),
        ];
        if let Some(css) = tries.into_iter().flatten().find(|css| selects(dom, css, node)) {
            return Some(css);
        }
    }
    let node = links.iter().copied().find(|&node| {
        let text = shown(dom, node);
        let label = dom.attr(node, "aria-label").unwrap_or_default();
        is_next_text(&text) || is_next_text(label)
    })?;
    let label = dom.attr(node, "aria-label").filter(|label| is_next_text(label));
    if let Some(label) = label.filter(|label| !label.contains(['"', '\\', '\n'])) {
        return Some(format!("a[aria-label=\"{label}\"]"));
    }
    let text = shown(dom, node);
    if text.contains(['"', '\\']) {
        return None;
    }
    let css = format!("a:contains(\"{text}\")");
    selects(dom, &css, node).then_some(css)
}

fn shown(dom: &Dom, node: NodeId) -> String {
    collapse_whitespace(&dom.text_content(node)).into_owned()
}

/// Whether the first that `css` selects is this one.
fn selects(dom: &Dom, css: &str, node: NodeId) -> bool {
    compile(css).is_ok_and(|selector| selector.select(dom, None).first() == Some(&node))
}

fn leads_on(href: &str) -> bool {
    !href.is_empty() && !href.starts_with('#') && !href.starts_with("javascript:")
}

fn is_next_class(class: &str) -> bool {
    class.len() <= 40
        && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && class.starts_with(|c: char| c.is_ascii_alphabetic())
        && class.to_ascii_lowercase().split(['-', '_']).any(|word| matches!(word, "next" | "older"))
}

fn is_next_text(text: &str) -> bool {
    const TEXTS: [&str; 18] = [
        "next",
        "next page",
        "older",
        "older posts",
        "older entries",
        "more",
        "more results",
        "show more",
        "load more",
        "weiter",
        "nächste",
        "nächste seite",
        "suivant",
        "page suivante",
        "siguiente",
        "successivo",
        "próxima",
        "volgende",
    ];
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let is_arrow = matches!(text.trim(), "»" | "›" | "→" | ">" | ">>" | "⟩");
    is_arrow || TEXTS.contains(&&*bare)
}
