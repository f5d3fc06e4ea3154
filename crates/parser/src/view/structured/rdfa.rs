//! RDFa Lite 1.1, and `about`: the processing rules of RDFa Core 1.1 (section 7.5) without `rel`,
//! `rev`, `datatype` and `inlist`, with those that HTML adds (HTML+RDFa 1.1, section 3).
//!
//! Statements are kept as items, one for each element that names a subject. Two elements that
//! name the same one give two items with the same `id`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use crawl_spider::NodeId;

use super::item::{Budget, Item, Items, Property, to_json};
use crate::dom::Dom;
use crate::view::Join;

/// Prefixes that need not be declared (the RDFa Core Initial Context, and those that are usual in
/// HTML).
const INITIAL_CONTEXT: [(&str, &str); 31] = [
    ("as", "https://www.w3.org/ns/activitystreams#"),
    ("cc", "http://creativecommons.org/ns#"),
    ("csvw", "http://www.w3.org/ns/csvw#"),
    ("ctag", "http://commontag.org/ns#"),
    ("dc", "http://purl.org/dc/terms/"),
    ("dc11", "http://purl.org/dc/elements/1.1/"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("gr", "http://purl.org/goodrelations/v1#"),
    ("grddl", "http://www.w3.org/2003/g/data-view#"),
    ("ical", "http://www.w3.org/2002/12/cal/icaltzd#"),
    ("ma", "http://www.w3.org/ns/ma-ont#"),
    ("odrl", "http://www.w3.org/ns/odrl/2/"),
    ("og", "http://ogp.me/ns#"),
    ("org", "http://www.w3.org/ns/org#"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("qb", "http://purl.org/linked-data/cube#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfa", "http://www.w3.org/ns/rdfa#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("rev", "http://purl.org/stuff/rev#"),
    ("schema", "http://schema.org/"),
    ("sioc", "http://rdfs.org/sioc/ns#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("v", "http://rdf.data-vocabulary.org/#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("void", "http://rdfs.org/ns/void#"),
    ("xhv", "http://www.w3.org/1999/xhtml/vocab#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// Longest vocabulary or prefix, in bytes: it is repeated in each name that stands for it.
const MAX_IRI_BYTES: usize = 2000;

/// The top-level items of a document. `url` is its own.
pub(super) fn rdfa(dom: &Dom, url: &str, join: &Join<'_>) -> Items {
    let has = |node: NodeId, name| dom.attr(node, name).is_some();
    let speaks = |node: NodeId| has(node, "property") || has(node, "typeof");
    if !dom.descendants(dom.document()).any(speaks) {
        return Items { items: Vec::new(), truncated: false };
    }
    let mut reading = Reading {
        dom,
        url,
        join,
        subjects: vec![Subject { name: Name::Document, item: None }],
        items: Vec::new(),
        is_value: Vec::new(),
        budget: Budget::default(),
    };
    reading.run();
    let Reading { items, is_value, budget, .. } = reading;
    let top = (0..items.len()).filter(|place| !is_value[*place]);
    to_json(&items, top, budget.exceeded)
}

/// What statements are about. Most are never spoken of, so their items are made late.
struct Subject {
    name: Name,
    item: Option<usize>,
}

/// How a subject is named.
#[derive(Clone)]
enum Name {
    /// It is the document.
    Document,
    /// By an attribute of an element, with the prefixes that hold there.
    Attribute(NodeId, &'static str, Option<Rc<Prefixes>>),
    /// Not at all.
    Blank,
}

/// What an element passes on to those in it.
#[derive(Clone)]
struct Context {
    end: u32,
    vocab: Option<Rc<str>>,
    prefixes: Option<Rc<Prefixes>>,
    /// A place in the list of subjects.
    subject: usize,
}

/// The prefixes that an element declares, before those around it.
struct Prefixes {
    own: HashMap<String, String>,
    around: Option<Rc<Prefixes>>,
}

struct Reading<'a> {
    dom: &'a Dom,
    url: &'a str,
    join: &'a Join<'a>,
    subjects: Vec<Subject>,
    items: Vec<Item>,
    /// Which items are values of others.
    is_value: Vec<bool>,
    budget: Budget,
}

impl Reading<'_> {
    fn run(&mut self) {
        let dom = self.dom;
        let bottom = Context { end: u32::MAX, vocab: None, prefixes: None, subject: 0 };
        let mut open = vec![bottom];
        for node in dom.descendants(dom.document()).filter(|node| dom.is_element(*node)) {
            while open.last().is_some_and(|context| node.0 >= context.end) {
                open.pop();
            }
            let around = open.last().expect("the bottom one never ends");
            let element = dom.element(node).expect("only elements are walked over");
            if element.attrs.is_empty() {
                continue;
            }
            if let Some(context) = self.element(node, around)
                && context.end > node.0 + 1
            {
                open.push(context);
            }
        }
    }

    /// Reads an element; `None` if it passes on what it was given.
    fn element(&mut self, node: NodeId, around: &Context) -> Option<Context> {
        let dom = self.dom;
        let has = |name| dom.attr(node, name).is_some();
        let mut context = Context { end: dom.end(node), ..around.clone() };
        let mut differs = false;
        if let Some(vocab) = dom.attr(node, "vocab").map(str::trim) {
            let absolute = || (self.join)(vocab).unwrap_or_else(|| vocab.to_owned());
            let vocab = (!vocab.is_empty()).then(absolute);
            context.vocab = vocab.filter(|iri| iri.len() <= MAX_IRI_BYTES).map(Rc::from);
            differs = true;
        }
        if let Some(declared) = dom.attr(node, "prefix") {
            let around = context.prefixes.take();
            context.prefixes = Some(Rc::new(Prefixes { own: declarations(declared), around }));
            differs = true;
        }
        let (typed, property) = (has("typeof"), dom.attr(node, "property"));
        let first = |names: &[&'static str]| {
            let name = names.iter().copied().find(|name| has(name));
            name.map(|name| Name::Attribute(node, name, context.prefixes.clone()))
        };
        // Steps 5.1 and 5.2: whom the element speaks of, and whom those in it.
        let (speaks_of, inner) = if property.is_some() && !has("content") && !has("datatype") {
            let about = first(&["about"]).map(|name| self.subject(name));
            let speaks_of = about.unwrap_or(around.subject);
            let inner = match (typed, about) {
                (true, None) => {
                    self.subject(first(&["resource", "href", "src"]).unwrap_or(Name::Blank))
                }
                _ => speaks_of,
            };
            (speaks_of, inner)
        } else {
            let subject = match first(&["about", "resource", "href", "src"]) {
                Some(name) => self.subject(name),
                None if typed && dom.name(node) != "html" => self.subject(Name::Blank),
                None => around.subject,
            };
            (subject, subject)
        };
        if typed {
            let item = self.item(inner);
            let types = dom.attr(node, "typeof").unwrap_or_default();
            for kind in types.split_ascii_whitespace().take(64) {
                if let Some(kind) = context.expand(kind)
                    && let Some(kind) = self.budget.text(Cow::Owned(kind))
                    && !self.items[item].types.contains(&kind)
                {
                    self.items[item].types.push(kind);
                }
            }
        }
        if let Some(names) = property {
            self.statements(node, names, &context, speaks_of, inner);
        }
        differs |= inner != around.subject;
        context.subject = inner;
        differs.then_some(context)
    }

    fn subject(&mut self, name: Name) -> usize {
        self.subjects.push(Subject { name, item: None });
        self.subjects.len() - 1
    }

    /// The item of a subject.
    fn item(&mut self, subject: usize) -> usize {
        if let Some(item) = self.subjects[subject].item {
            return item;
        }
        let id = match &self.subjects[subject].name {
            Name::Document => Some(self.url.to_owned()),
            Name::Attribute(node, name, prefixes) => {
                Some(self.resource(*node, name, prefixes.as_ref()))
            }
            Name::Blank => None,
        };
        self.items.push(Item { id, ..Item::default() });
        self.is_value.push(false);
        self.subjects[subject].item = Some(self.items.len() - 1);
        self.items.len() - 1
    }

    /// What an attribute names: "SafeCURIEorCURIEorIRI" in `about` and `resource`, else an IRI.
    fn resource(&self, node: NodeId, name: &str, prefixes: Option<&Rc<Prefixes>>) -> String {
        let value = self.dom.attr(node, name).unwrap_or_default().trim();
        if matches!(name, "about" | "resource") {
            let safe = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
            let curie = safe.unwrap_or(value);
            if curie.starts_with("_:") {
                return curie.to_owned();
            }
            if let Some(iri) = expand_curie(curie, prefixes) {
                return iri;
            }
        }
        (self.join)(value).unwrap_or_else(|| value.to_owned())
    }

    /// Step 11: gives the element's value to its properties.
    fn statements(
        &mut self,
        node: NodeId,
        names: &str,
        context: &Context,
        speaks_of: usize,
        inner: usize,
    ) {
        let names = names.split_ascii_whitespace().take(256);
        let expanded = names.filter_map(|name| context.expand(name));
        let names: Vec<String> =
            expanded.filter_map(|name| self.budget.text(Cow::Owned(name))).collect();
        if names.is_empty() || !self.budget.value() {
            return;
        }
        let dom = self.dom;
        let has = |name: &&str| dom.attr(node, name).is_some();
        let literal = ["content", "datetime"].into_iter().find(has);
        let is_item = has(&"typeof") && !has(&"about") && literal.is_none();
        let iri = ["resource", "href", "src"].into_iter().find(has);
        let item = self.item(speaks_of);
        if is_item {
            let value = self.item(inner);
            self.is_value[value] = true;
            let properties = names.into_iter().map(|name| (name, Property::Item(value)));
            self.items[item].properties.extend(properties);
            return;
        }
        let text = match (literal, iri) {
            (Some(name), _) => Cow::Borrowed(dom.attr(node, name).unwrap_or_default()),
            (None, Some(name)) => Cow::Owned(self.resource(node, name, context.prefixes.as_ref())),
            (None, None) => dom.text_content(node),
        };
        for name in names {
            let text = self.budget.text(Cow::Borrowed(&text));
            let property = text.map(|text| (name, Property::Text(text)));
            self.items[item].properties.extend(property);
        }
    }
}

impl Context {
    /// A whole IRI of a "TERMorCURIEorAbsIRI" (section 7.4.3); `None` if it means nothing here.
    fn expand(&self, word: &str) -> Option<String> {
        if word.starts_with("_:") {
            return None;
        }
        if word.contains(':') {
            let known = expand_curie(word, self.prefixes.as_ref());
            return Some(known.unwrap_or_else(|| word.to_owned()));
        }
        match &self.vocab {
            Some(vocab) => Some(format!("{vocab}{word}")),
            None => ["describedby", "license", "role"]
                .iter()
                .find(|term| word.eq_ignore_ascii_case(term))
                .map(|term| format!("http://www.w3.org/1999/xhtml/vocab#{term}")),
        }
    }
}

/// The IRI of a prefixed name, if the prefix is known.
fn expand_curie(word: &str, prefixes: Option<&Rc<Prefixes>>) -> Option<String> {
    let (prefix, rest) = word.split_once(':')?;
    if rest.starts_with("//") {
        return None;
    }
    let prefix = prefix.to_ascii_lowercase();
    let mut scopes =
        std::iter::successors(prefixes.map(Rc::as_ref), |scope| scope.around.as_deref());
    let declared = scopes.find_map(|scope| scope.own.get(&prefix));
    let initial = || INITIAL_CONTEXT.iter().find(|(known, _)| *known == prefix);
    let iri = declared.map(String::as_str).or_else(|| initial().map(|(_, iri)| *iri))?;
    Some(format!("{iri}{rest}"))
}

/// `dc: http://purl.org/dc/terms/ foaf: …` (section 5, "prefix").
fn declarations(text: &str) -> HashMap<String, String> {
    let mut words = text.split_ascii_whitespace();
    let mut own = HashMap::new();
    while let Some(word) = words.next() {
        let Some(prefix) = word.strip_suffix(':').filter(|p| !p.is_empty() && *p != "_") else {
            continue;
        };
        let Some(iri) = words.next() else { break };
        if iri.len() > MAX_IRI_BYTES {
            continue;
        }
        own.insert(prefix.to_ascii_lowercase(), iri.to_owned());
    }
    own
}
