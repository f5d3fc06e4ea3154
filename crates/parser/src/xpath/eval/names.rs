//! Node tests, and what names and prefixes mean in HTML and in XML (section 2.3).

use crawl_spider::NodeId;
use html5ever::{Namespace, ns};

use super::{Evaluator, Stop};
use crate::dom::{Dom, Flavour, NodeKind};
use crate::xpath::ast::{Axis, Name, Test};

/// Prefixes that need no declaration.
const USUAL: [(&str, &str); 24] = [
    ("xml", "http://www.w3.org/XML/1998/namespace"),
    ("xlink", "http://www.w3.org/1999/xlink"),
    ("html", "http://www.w3.org/1999/xhtml"),
    ("xhtml", "http://www.w3.org/1999/xhtml"),
    ("svg", "http://www.w3.org/2000/svg"),
    ("math", "http://www.w3.org/1998/Math/MathML"),
    ("mathml", "http://www.w3.org/1998/Math/MathML"),
    ("atom", "http://www.w3.org/2005/Atom"),
    ("rss", "http://purl.org/rss/1.0/"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("slash", "http://purl.org/rss/1.0/modules/slash/"),
    ("sy", "http://purl.org/rss/1.0/modules/syndication/"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("georss", "http://www.georss.org/georss"),
    ("g", "http://base.google.com/ns/1.0"),
    ("sitemap", "http://www.sitemaps.org/schemas/sitemap/0.9"),
    ("sm", "http://www.sitemaps.org/schemas/sitemap/0.9"),
    ("image", "http://www.google.com/schemas/sitemap-image/1.1"),
    ("video", "http://www.google.com/schemas/sitemap-video/1.1"),
    ("news", "http://www.google.com/schemas/sitemap-news/0.9"),
];

/// What a prefix stands for in a document. `None` in HTML, where a name may have a colon that
/// means nothing.
pub(super) fn namespace(dom: &Dom, prefix: &str) -> Result<Option<Namespace>, Stop> {
    let usual = || {
        let found = USUAL.iter().find(|(usual, _)| *usual == prefix);
        found.map(|(_, namespace)| Namespace::from(*namespace))
    };
    if dom.flavour() == Flavour::Html {
        return Ok(usual());
    }
    let root = dom.root().and_then(|root| declared(dom, root, prefix));
    let anywhere = || dom.descendants(dom.document()).find_map(|node| declared(dom, node, prefix));
    match root.or_else(usual).or_else(anywhere) {
        Some(namespace) => Ok(Some(namespace)),
        None => Err(Stop::Wrong(format!("the document declares no prefix `{prefix}`"))),
    }
}

/// What an element declares a prefix to be.
fn declared(dom: &Dom, element: NodeId, prefix: &str) -> Option<Namespace> {
    dom.attributes(element).filter_map(|node| dom.attribute(node)).find_map(|(name, value)| {
        (name.ns == ns!(xmlns) && *name.local == *prefix).then(|| Namespace::from(value))
    })
}

impl Evaluator<'_> {
    /// Whether a node of an axis passes a node test.
    pub(super) fn matches(&self, axis: Axis, test: &Test, node: NodeId) -> bool {
        let Some(kind) = self.dom.kind(node) else { return false };
        // The principal node type of the axis.
        let is_principal = match axis {
            Axis::Attribute => kind == NodeKind::Attribute,
            _ => kind == NodeKind::Element,
        };
        match test {
            // XPath's model has no document type.
            Test::Node => kind != NodeKind::Doctype,
            Test::Text => kind == NodeKind::Text,
            Test::Comment => kind == NodeKind::Comment,
            Test::Instruction(target) => {
                kind == NodeKind::Instruction
                    && target.as_deref().is_none_or(|target| self.dom.target(node) == target)
            }
            Test::Any => is_principal,
            Test::AnyOf(prefix) => is_principal && self.is_of(*prefix, node),
            Test::Name(name) => is_principal && self.is_named(name, node),
        }
    }

    /// `prefix:*`
    fn is_of(&self, prefix: usize, node: NodeId) -> bool {
        let is_spelled_so = || {
            let (name, prefix) = (self.dom.name(node), &*self.parsed.prefixes[prefix]);
            let start = name.split_once(':').map_or("", |(start, _)| start);
            start.eq_ignore_ascii_case(prefix)
        };
        self.namespaces[prefix].as_ref() == Some(self.dom.namespace(node))
            || self.dom.flavour() == Flavour::Html && is_spelled_so()
    }

    fn is_named(&self, name: &Name, node: NodeId) -> bool {
        let dom = self.dom;
        let qualified = match dom.kind(node) {
            Some(NodeKind::Attribute) => dom.attribute(node).map(|(name, _)| name),
            _ => dom.element(node).map(|element| &element.name),
        };
        let Some(qualified) = qualified else { return false };
        let (local, space) = (&qualified.local, &qualified.ns);
        let is_in_space = |prefix: usize| self.namespaces[prefix].as_ref() == Some(space);
        if dom.flavour() == Flavour::Xml {
            return *local == name.local && name.prefix.map_or(space.is_empty(), is_in_space);
        }
        // Only names of SVG and MathML have capitals.
        let is_lower = || *local == name.lower || local.eq_ignore_ascii_case(&name.lower);
        match name.prefix {
            Some(prefix) => {
                is_in_space(prefix) && is_lower() || local.eq_ignore_ascii_case(&name.qualified)
            }
            None if *space == ns!(html) => *local == name.lower,
            None => is_lower() && (space.is_empty() || dom.is_element(node)),
        }
    }
}
