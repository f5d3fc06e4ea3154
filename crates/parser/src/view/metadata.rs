//! What a document says about itself in `title`, `meta` and `link` elements.
//!
//! Read from the whole tree, for pages put such elements into their bodies, too. What stands in
//! `template` does not count, and neither does an `svg`'s title.

use std::borrow::Cow;
use std::collections::HashMap;

use crawl_model::CanonicalUrl;
use crawl_spider::{HeadLink, MetaMap, Metadata, NodeId, collapse_whitespace};
use html5ever::ns;

use crate::dom::Dom;

/// Prefixes of OpenGraph and of its vocabularies (ogp.me).
const OPEN_GRAPH: [&str; 8] =
    ["og:", "article:", "book:", "profile:", "video:", "music:", "product:", "fb:"];

/// Where the date of publication may stand, the more telling first.
const PUBLISHED: [&str; 12] = [
    "article:published_time",
    "og:published_time",
    "datepublished",
    "dcterms.issued",
    "dc.date.issued",
    "dc.date",
    "dcterms.date",
    "dcterms.created",
    "citation_publication_date",
    "parsely-pub-date",
    "pubdate",
    "date",
];

/// Where the date of the last change may stand.
const MODIFIED: [&str; 5] = [
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "dcterms.modified",
    "last-modified",
];

/// Reads the metadata. `link` resolves an address, `None` if it is nothing that is crawled.
pub(crate) fn metadata(dom: &Dom, link: &dyn Fn(&str) -> Option<CanonicalUrl>) -> Metadata {
    let mut reading = Reading { dom, link, data: Metadata::default(), maps: Default::default() };
    for node in dom.descendants(dom.document()).filter(|node| dom.is_element(*node)) {
        match dom.name(node) {
            _ if dom.namespace(node) != &ns!(html) && !dom.namespace(node).is_empty() => {}
            "title" if reading.data.title.is_none() => {
                let title = collapse_whitespace(&dom.text_content(node)).into_owned();
                reading.data.title = Some(title).filter(|title| !title.is_empty());
            }
            "meta" => reading.meta(node),
            "link" => reading.link(node),
            _ => {}
        }
    }
    reading.finish()
}

/// Names with values, in the order in which the names first occur.
#[derive(Default)]
struct Gathered {
    places: HashMap<String, usize>,
    entries: Vec<(String, Vec<String>)>,
}

impl Gathered {
    fn push(&mut self, name: String, value: &str) {
        let place = *self.places.entry(name).or_insert_with_key(|name| {
            self.entries.push((name.clone(), Vec::new()));
            self.entries.len() - 1
        });
        self.entries[place].1.push(value.to_owned());
    }

    fn finish(self) -> MetaMap {
        self.entries.into_iter().collect()
    }
}

struct Reading<'a> {
    dom: &'a Dom,
    link: &'a dyn Fn(&str) -> Option<CanonicalUrl>,
    data: Metadata,
    /// OpenGraph, Twitter, `http-equiv`, others.
    maps: [Gathered; 4],
}

impl Reading<'_> {
    fn meta(&mut self, node: NodeId) {
        let attr = |name| self.dom.attr(node, name);
        let Some(content) = attr("content").map(str::trim) else { return };
        let http_equiv = attr("http-equiv").into_iter().map(|name| (name, true));
        let names = ["name", "property", "itemprop"].into_iter().filter_map(attr);
        let mut named: Vec<(&str, bool)> = names.map(|name| (name, false)).collect();
        named.dedup();
        for (names, is_equiv) in http_equiv.chain(named) {
            // `property` and `itemprop` are lists of words, and a name is seldom one.
            let is_list = !is_equiv && attr("name") != Some(names);
            let split: Vec<&str> =
                if is_list { names.split_ascii_whitespace().collect() } else { vec![names.trim()] };
            for name in split.into_iter().filter(|name| !name.is_empty()) {
                self.named(name.to_ascii_lowercase(), content, is_equiv);
            }
        }
    }

    fn named(&mut self, name: String, content: &str, is_equiv: bool) {
        let has_prefix = |prefix: &&str| name.starts_with(prefix);
        let map = match &name {
            _ if is_equiv => 2,
            _ if OPEN_GRAPH.iter().any(has_prefix) => 0,
            name if name.starts_with("twitter:") => 1,
            _ => 3,
        };
        if map == 3 && name == "robots" {
            let directives = content.split(',').map(|d| d.trim().to_ascii_lowercase());
            self.data.robots.extend(directives.filter(|directive| !directive.is_empty()));
        }
        self.maps[map].push(name, content);
    }

    fn link(&mut self, node: NodeId) {
        let attr = |name| self.dom.attr(node, name);
        let Some(rel) = attr("rel").filter(|rel| !rel.trim().is_empty()) else { return };
        let href = attr("href").map(|href| href.trim_matches(|c| c <= ' '));
        let Some(url) = href.filter(|href| !href.is_empty()).and_then(self.link) else { return };
        let rel: Vec<String> = rel.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        if self.data.canonical.is_none() && rel.iter().any(|rel| rel == "canonical") {
            self.data.canonical = Some(url.clone());
        }
        let text = |name| {
            let value = attr(name).map(str::trim).filter(|value| !value.is_empty());
            value.map(str::to_owned)
        };
        self.data.links.push(HeadLink {
            rel,
            url,
            hreflang: text("hreflang"),
            media_type: text("type"),
            media: text("media"),
            title: text("title"),
            sizes: text("sizes"),
        });
    }

    fn finish(self) -> Metadata {
        let Self { dom, mut data, maps, .. } = self;
        [data.open_graph, data.twitter, data.http_equiv, data.other] = maps.map(Gathered::finish);
        let other = |name: &str| data.other.get(name).and_then(some_text);
        data.description = other("description");
        data.keywords = data.other.all("keywords").iter().flat_map(|list| split(list)).collect();
        let is_name = |author: &String| !author.contains("://");
        let in_graph = || data.open_graph.get("article:author").and_then(some_text);
        data.author = other("author").or_else(|| in_graph().filter(is_name));
        let first_of = |names: &[&str]| names.iter().find_map(|name| some_text(data.get(name)?));
        let (published, modified) = (first_of(&PUBLISHED), first_of(&MODIFIED));
        (data.published, data.modified) = (published, modified);
        data.language =
            language(dom).or_else(|| data.http_equiv.get("content-language").and_then(some_text));
        data
    }
}

fn language(dom: &Dom) -> Option<String> {
    let root = dom.element(dom.root()?)?;
    let is_lang = |name: &html5ever::QualName| &*name.local == "lang";
    root.attrs.iter().find(|(name, _)| is_lang(name)).and_then(|(_, value)| some_text(value))
}

/// The text with whitespace collapsed; `None` if nothing is left.
fn some_text(text: &str) -> Option<String> {
    let text = collapse_whitespace(text);
    (!text.is_empty()).then(|| Cow::into_owned(text))
}

fn split(list: &str) -> impl Iterator<Item = String> {
    list.split(',').filter_map(some_text)
}
