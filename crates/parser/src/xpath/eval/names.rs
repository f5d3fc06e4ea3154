//! Node tests, and what names and prefixes mean in HTML and in XML (section 2.3).

use crawl_query::xpath::Axis;
use crawl_spider::NodeId;
use html5ever::{Namespace, QualName, ns};

use super::{Evaluator, Stop};
use crate::dom::{Dom, Flavour, NodeKind};
use crate::names::Atoms;

type Name = crawl_query::xpath::Name<Atoms>;
type Test = crawl_query::xpath::Test<Atoms>;

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

/// What a prefix stands for in a document. `None` if it is only a part of names: in HTML, or
/// because an XML document declares it nowhere and uses it nevertheless.
pub(super) fn namespace(
    dom: &Dom,
    prefix: &str,
    left: &mut u64,
) -> Result<Option<Namespace>, Stop> {
    let usual = || {
        let found = USUAL.iter().find(|(usual, _)| *usual == prefix);
        found.map(|(_, namespace)| Namespace::from(*namespace))
    };
    if dom.flavour() == Flavour::Html {
        return Ok(usual());
    }
    let root = dom.root().and_then(|root| declared(dom, root, prefix));
    if let Some(namespace) = root.or_else(usual) {
        return Ok(Some(namespace));
    }
    *left = left.checked_sub(u64::from(dom.len())).ok_or(Stop::Steps)?;
    let mut all = dom.descendants(dom.document());
    if let Some(namespace) = all.find_map(|node| declared(dom, node, prefix)) {
        return Ok(Some(namespace));
    }
    let is_used = (0..dom.len()).map(NodeId).any(|node| spelled(dom.name(node)).0 == prefix);
    let reason = || Stop::Wrong(format!("the document declares no prefix `{prefix}`"));
    if is_used { Ok(None) } else { Err(reason()) }
}

/// Prefix and rest of a name that has a colon in it, which the parser made nothing of.
fn spelled(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
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
        let is_spelled_so = || self.is_prefix(prefix, spelled(self.dom.name(node)).0);
        self.is_space(prefix, self.dom.namespace(node)) || is_spelled_so()
    }

    /// Whether a prefix stands for a namespace.
    fn is_space(&self, prefix: usize, space: &Namespace) -> bool {
        self.namespaces[prefix].as_ref() == Some(space)
    }

    /// Whether a prefix is spelled so.
    fn is_prefix(&self, prefix: usize, spelled: &str) -> bool {
        let prefix = &*self.parsed.prefixes[prefix];
        match self.dom.flavour() {
            Flavour::Xml => prefix == spelled,
            Flavour::Html => prefix.eq_ignore_ascii_case(spelled),
        }
    }

    fn is_named(&self, name: &Name, node: NodeId) -> bool {
        let dom = self.dom;
        let found = match dom.kind(node) {
            Some(NodeKind::Attribute) => dom.attribute(node).map(|(name, _)| name),
            _ => dom.element(node).map(|element| &element.name),
        };
        let Some(QualName { local, ns: space, .. }) = found else { return false };
        let is_html = dom.flavour() == Flavour::Html;
        // Only names of SVG and MathML have capitals in HTML.
        let is_it = |local: &str| match is_html {
            true => local.eq_ignore_ascii_case(&name.lower),
            false => *local == *name.local,
        };
        match name.prefix {
            Some(prefix) => {
                let (start, rest) = spelled(local);
                self.is_space(prefix, space) && is_it(local)
                    || self.is_prefix(prefix, start) && is_it(rest)
            }
            None if !is_html => space.is_empty() && *local == name.local,
            None if *space == ns!(html) => *local == name.lower,
            None => (space.is_empty() || dom.is_element(node)) && is_it(local),
        }
    }
}
