//! Builds the tree of an XML document from its events, for selectors and XPath.
//!
//! The tree is scraper's, as for HTML, and bounded in the same way: the reader lets nothing nest
//! deeper than 512, and a document that has made too many nodes ends. Declarations of namespaces
//! are attributes in the namespace of such declarations, so that a document can be written again;
//! XPath does not count them as attributes. A name whose prefix nobody declared keeps it as a
//! part of the name.

use std::borrow::Cow;
use std::collections::HashSet;

use html5ever::tendril::StrTendril;
use html5ever::{LocalName, Namespace, Prefix, QualName, ns};
use scraper::node::{Comment, Doctype, Element, ProcessingInstruction, Text};
use scraper::{Html, Node};

use super::TreeId;
use crate::xml::reader::{Event, Name, Reader, Start};

/// Attributes of an element; more are left out, as in HTML.
const MAX_ATTRIBUTES: usize = 256;

/// Builds scraper's tree of an XML document.
pub(super) fn xml(text: &str) -> Html {
    let mut reader = Reader::new(normalise_newlines(text));
    let mut html = Html::new_document();
    let document = html.tree.root().id();
    let mut open: Vec<TreeId> = vec![document];
    // A node takes some bytes of text; those of entities come on top.
    let max_nodes = text.len() / 2 + 10_000;
    while let Some(event) = reader.read() {
        let parent = open.last().copied().unwrap_or(document);
        let node = match event {
            Event::Start(start) => Node::Element(element(&start)),
            Event::End => {
                if open.len() > 1 {
                    open.pop();
                }
                continue;
            }
            Event::External => continue,
            Event::Text(text) | Event::Refused(text) => {
                // Between document and root there is no text (XPath 1.0, section 5.1).
                if parent != document && !extend_text(&mut html, parent, text) {
                    Node::Text(Text { text: tendril(text) })
                } else {
                    continue;
                }
            }
            Event::Comment(text) => Node::Comment(Comment { comment: tendril(text) }),
            Event::Instruction { target, data } => {
                let (target, data) = (tendril(target), tendril(data));
                Node::ProcessingInstruction(ProcessingInstruction { target, data })
            }
            Event::Doctype { name, public, system } => Node::Doctype(Doctype {
                name: tendril(name),
                public_id: tendril(public),
                system_id: tendril(system),
            }),
        };
        if html.tree.values().len() > max_nodes {
            break;
        }
        let is_element = node.is_element();
        let Some(mut parent) = html.tree.get_mut(parent) else { break };
        let id = parent.append(node).id();
        if is_element {
            open.push(id);
        }
    }
    html
}

fn tendril(text: &str) -> StrTendril {
    StrTendril::from_slice(text)
}

/// Line ends become line feeds (XML 1.0, section 2.11).
fn normalise_newlines(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Appends to the text node that comes last in `parent`; returns whether there is one.
fn extend_text(html: &mut Html, parent: TreeId, text: &str) -> bool {
    let Some(mut parent) = html.tree.get_mut(parent) else { return false };
    let Some(mut last) = parent.last_child() else { return false };
    let Node::Text(before) = last.value() else { return false };
    before.text.push_slice(text);
    true
}

fn element(start: &Start<'_>) -> Element {
    let mut element = Element::new(qual_name(&start.name), Vec::new());
    let mut seen = HashSet::new();
    for attr in start.attrs() {
        if element.attrs.len() == MAX_ATTRIBUTES {
            break;
        }
        if seen.insert(attr.name.qualified) {
            element.attrs.push((qual_name(&attr.name), tendril(&attr.value)));
        }
    }
    element
}

fn qual_name(name: &Name<'_>) -> QualName {
    match name.namespace {
        Some(namespace) => {
            let prefix = (!name.prefix.is_empty()).then(|| Prefix::from(name.prefix));
            QualName::new(prefix, Namespace::from(namespace), LocalName::from(name.local))
        }
        None => QualName::new(None, ns!(), LocalName::from(name.qualified)),
    }
}

#[cfg(test)]
mod tests {
    use crate::dom::{Dom, Flavour, NodeKind};
    use crate::xml::reader::{MAX_DEPTH, XMLNS};

    /// Checks how a document looks when it is written again.
    #[track_caller]
    fn check(text: &str, expected: &str) -> Dom {
        let dom = Dom::xml(text);
        assert_eq!(dom.outer(dom.document()), expected, "{text}");
        dom
    }

    #[test]
    fn documents_are_read_as_they_are_written() {
        let dom = check(
            "<?xml version='1.0'?>\r\n<!DOCTYPE r [<!ENTITY e '<b>&amp;</b>y'>]><!--c-->\
             <r xmlns='u' xmlns:p='v' B='2' a='&lt;1'>x&e;<p:c p:d=''/><![CDATA[<&]]>\r\n</r><?t d?>",
            "<!DOCTYPE r><!--c--><r xmlns=\"u\" xmlns:p=\"v\" B=\"2\" a=\"&lt;1\">x<b>&amp;</b>y\
             <p:c p:d=\"\"/>&lt;&amp;\n</r><?t d?>",
        );
        assert_eq!(dom.flavour(), Flavour::Xml);
        let root = dom.root().unwrap();
        assert_eq!((dom.name(root), &**dom.namespace(root)), ("r", "u"));
        let attrs: Vec<_> =
            dom.attributes(root).map(|a| (dom.name(a), &**dom.namespace(a))).collect();
        assert_eq!(attrs, [("xmlns", XMLNS), ("p", XMLNS), ("B", ""), ("a", "")]);
        let kinds: Vec<_> = dom.children(root).map(|node| dom.kind(node).unwrap()).collect();
        assert_eq!(
            kinds,
            [NodeKind::Text, NodeKind::Element, NodeKind::Text, NodeKind::Element, NodeKind::Text]
        );
        let c = dom.children(root).nth(3).unwrap();
        assert_eq!((dom.name(c), &**dom.namespace(c)), ("c", "v"));
        assert_eq!(&**dom.namespace(dom.attributes(c).next().unwrap()), "v");
        assert_eq!(dom.text_content(root), "x&y<&\n");
    }

    #[test]
    fn what_is_wrong_is_read_as_it_was_meant() {
        check("<a><b>x</a>", "<a><b>x</b></a>");
        check("<a>x</b></a>", "<a>x</a>");
        check("<a x=1 x=2 y>1 < 2 & 3 <4</a>", "<a x=\"1\" y=\"\">1 &lt; 2 &amp; 3 &lt;4</a>");
        check("x<a/>y<b/>", "<a/><b/>");
        check("<a><b>x", "<a><b>x</b></a>");
        check("<a><b c='", "<a/>");
        check("<p:a p:b='1'/>", "<p:a p:b=\"1\"/>");
        check("<a>&no;&nbsp;</a>", "<a>&amp;no;&nbsp;</a>");
        check(
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "<!DOCTYPE a><a/>",
        );
        check("", "");
    }

    #[test]
    fn prefixes_hold_where_they_are_declared() {
        let dom = Dom::xml(
            "<a xmlns:p='1'><p:b xmlns:p='2'/><p:b/><c xmlns='3'><d xmlns=''/><d/></c><d/></a>",
        );
        let spaces: Vec<_> = dom
            .descendants(dom.document())
            .map(|node| format!("{}={}", dom.name(node), &**dom.namespace(node)))
            .collect();
        assert_eq!(spaces, ["a=", "b=2", "b=1", "c=3", "d=", "d=3", "d="]);
        let a = dom.root().unwrap();
        assert_eq!(dom.attr(a, "p"), None, "no attribute of that name");
    }

    #[test]
    fn deep_documents_become_flat_and_what_follows_is_where_it_belongs() {
        let text = format!("<r>{}x{}<after/></r>", "<d>".repeat(5000), "</d>".repeat(5000));
        let dom = Dom::xml(&text);
        let all: Vec<_> = dom.descendants(dom.document()).filter(|&n| dom.is_element(n)).collect();
        assert_eq!(all.len(), 5002);
        let depth = all.iter().map(|&node| dom.ancestors(node).count()).max().unwrap();
        assert_eq!(depth, MAX_DEPTH + 1);
        let after = *all.last().unwrap();
        assert_eq!((dom.name(after), dom.parent(after)), ("after", dom.root()));
    }

    #[test]
    fn unclosed_elements_end_with_what_they_stand_in() {
        let item = format!("<item><p>{}</item>", "<br>".repeat(600));
        let dom = Dom::xml(&format!("<r>{}</r>", item.repeat(3)));
        let items: Vec<_> = dom.children(dom.root().unwrap()).map(|node| dom.name(node)).collect();
        assert_eq!(items, ["item"; 3]);
    }

    #[test]
    fn bombs_stay_small() {
        let mut dtd = String::from("<!ENTITY a0 '<x/>'>");
        for n in 1..12 {
            dtd.push_str(&format!("<!ENTITY a{n} '{}'>", format!("&a{};", n - 1).repeat(10)));
        }
        let dom = Dom::xml(&format!("<!DOCTYPE r [{dtd}]><r>&a11;</r>"));
        assert!(dom.len() < 400_000, "{}", dom.len());
        let many: String = (0..70_000).map(|n| format!(" a{n}=''")).collect();
        let dom = Dom::xml(&format!("<r{many}/>"));
        assert_eq!(dom.attributes(dom.root().unwrap()).count(), super::MAX_ATTRIBUTES);
    }
}
