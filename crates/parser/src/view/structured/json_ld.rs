//! JSON-LD in scripts (JSON-LD 1.1, section 7).
//!
//! Strict JSON first; what fails is read once more without the usual blemishes: wrapped into a
//! comment or CDATA, line breaks within strings, commas too many.

use crawl_spider::NodeId;
use serde_json::Value;

use crate::dom::Dom;

/// Bytes of all scripts of a document together that are read.
const MAX_BYTES: usize = 8 << 20;

/// What was found.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) values: Vec<Value>,
    pub(super) n_invalid: usize,
    pub(super) truncated: bool,
}

/// All JSON-LD scripts of a document that are JSON.
pub(super) fn json_ld(dom: &Dom) -> Scripts {
    let mut scripts = Scripts::default();
    let mut left = MAX_BYTES;
    for node in dom.descendants(dom.document()).filter(|node| is_json_ld(dom, *node)) {
        let text = dom.text_content(node);
        match left.checked_sub(text.len()) {
            Some(rest) => left = rest,
            None => {
                scripts.truncated = true;
                continue;
            }
        }
        match parse(&text) {
            Some(value) => scripts.values.push(value),
            None if text.trim().is_empty() => {}
            None => scripts.n_invalid += 1,
        }
    }
    scripts
}

fn is_json_ld(dom: &Dom, node: NodeId) -> bool {
    let kind = if dom.name(node) == "script" { dom.attr(node, "type") } else { None };
    let essence = kind.and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/ld+json"))
}

fn parse(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&cleaned(unwrapped(text)))).ok()
}

/// Without comment and CDATA marks around it, and without a semicolon behind it.
fn unwrapped(mut text: &str) -> &str {
    const BEFORE: [&str; 7] = [
        "<!--",
        "<![CDATA[",
        "//<![CDATA[",
        "// <![CDATA[",
        "/*<![CDATA[*/",
        "/* <![CDATA[ */",
        "//<!--",
    ];
    const BEHIND: [&str; 9] =
        ["//]]>", "// ]]>", "/*]]>*/", "/* ]]> */", "]]>", "//-->", "// -->", "-->", ";"];
    // Each round takes a mark away, and honest scripts have two or three.
    for _ in 0..8 {
        let before = text.len();
        text = BEFORE.iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text).trim();
        text = BEHIND.iter().find_map(|mark| text.strip_suffix(mark)).unwrap_or(text).trim();
        if text.len() == before {
            break;
        }
    }
    text
}

/// With control characters in strings escaped, and without those elsewhere and commas before a
/// closing bracket.
fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut in_string = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                in_string = !in_string;
                out.push(c);
            }
            '\\' if in_string => match chars.next() {
                Some((_, '\'')) => out.push('\''),
                Some((_, next)) if next >= ' ' => out.extend([c, next]),
                _ => {}
            },
            _ if in_string && c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            ',' if !in_string => {
                let next = text[at + 1..].trim_start().chars().next();
                if !matches!(next, Some('}' | ']')) {
                    out.push(c);
                }
            }
            _ if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => {}
            _ => out.push(c),
        }
    }
    out
}
