//! Trees as text again: "serializing HTML fragments" (HTML Standard, section 13.3), and XML.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use html5ever::ns;
use html5ever::{Namespace, QualName};
use scraper::Node;
use scraper::node::Element;

use super::Flavour;

/// The node with all that is in it, the contents of templates too.
pub(crate) fn outer(node: NodeRef<'_, Node>, flavour: Flavour) -> String {
    let mut out = String::new();
    for edge in node.traverse() {
        match edge {
            Edge::Open(node) => open(&mut out, node, flavour),
            Edge::Close(node) => close(&mut out, node, flavour),
        }
    }
    out
}

fn open(out: &mut String, node: NodeRef<'_, Node>, flavour: Flavour) {
    match node.value() {
        Node::Document | Node::Fragment => {}
        Node::Doctype(doctype) => {
            out.extend(["<!DOCTYPE ", doctype.name(), ">"]);
        }
        Node::Comment(comment) => out.extend(["<!--", comment, "-->"]),
        Node::ProcessingInstruction(instruction) => {
            let end = if flavour == Flavour::Xml { "?>" } else { ">" };
            out.extend(["<?", &instruction.target, " ", &instruction.data, end]);
        }
        Node::Text(text) => {
            let parent = node.parent().and_then(|parent| parent.value().as_element());
            if flavour == Flavour::Html && parent.is_some_and(is_raw) {
                out.push_str(text);
            } else {
                escape(out, text, false);
            }
        }
        Node::Element(element) => start(out, node, element, flavour),
    }
}

fn start(out: &mut String, node: NodeRef<'_, Node>, element: &Element, flavour: Flavour) {
    out.push('<');
    name(out, &element.name, flavour);
    for (key, value) in &element.attrs {
        out.push(' ');
        attribute_name(out, key, flavour);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }
    let is_empty = flavour == Flavour::Xml && !node.has_children();
    out.push_str(if is_empty { "/>" } else { ">" });
}

fn close(out: &mut String, node: NodeRef<'_, Node>, flavour: Flavour) {
    let Node::Element(element) = node.value() else { return };
    let is_closed = match flavour {
        Flavour::Html => is_void(element),
        Flavour::Xml => !node.has_children(),
    };
    if !is_closed {
        out.push_str("</");
        name(out, &element.name, flavour);
        out.push('>');
    }
}

fn name(out: &mut String, name: &QualName, flavour: Flavour) {
    if flavour == Flavour::Xml
        && let Some(prefix) = name.prefix.as_ref().filter(|prefix| !prefix.is_empty())
    {
        out.extend([&**prefix, ":"]);
    }
    out.push_str(&name.local);
}

fn attribute_name(out: &mut String, key: &QualName, flavour: Flavour) {
    const XMLNS: &Namespace = &ns!(xmlns);
    let prefix = match flavour {
        Flavour::Xml => key.prefix.as_deref().unwrap_or_default(),
        Flavour::Html if key.ns == ns!(xml) => "xml",
        Flavour::Html if key.ns == *XMLNS && *key.local != *"xmlns" => "xmlns",
        Flavour::Html if key.ns == ns!(xlink) => "xlink",
        Flavour::Html => "",
    };
    if !prefix.is_empty() {
        out.extend([prefix, ":"]);
    }
    out.push_str(&key.local);
}

/// "Escaping a string" (section 13.3).
fn escape(out: &mut String, text: &str, in_attribute: bool) {
    let mut done = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '&' => "&amp;",
            '\u{a0}' => "&nbsp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if in_attribute => "&quot;",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        out.push_str(escaped);
        done = at + c.len_utf8();
    }
    out.push_str(&text[done..]);
}

/// Elements whose text is written as it is, scripting off.
fn is_raw(element: &Element) -> bool {
    element.name.ns == ns!(html)
        && matches!(
            &*element.name.local,
            "style" | "script" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext"
        )
}

fn is_void(element: &Element) -> bool {
    element.name.ns == ns!(html)
        && matches!(
            &*element.name.local,
            "area"
                | "base"
                | "basefont"
                | "bgsound"
                | "br"
                | "col"
                | "embed"
                | "frame"
                | "hr"
                | "img"
                | "input"
                | "keygen"
                | "link"
                | "meta"
                | "param"
                | "source"
                | "track"
                | "wbr"
        )
}
