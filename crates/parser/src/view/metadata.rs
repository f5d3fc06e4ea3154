//! What a document says about itself in `title`, `meta` and `link` elements.
//!
//! Read from the whole document, for pages put such elements into their bodies, too. What stands in
//! `template` does not count, and neither does an `svg`'s title.
//!
//! A tree costs ten times the streaming pass, so it is asked only if there is one anyway: the pass
//! notes where the tags stand ([`HeadTags`]), and both give the same [`Attribute`]s to one reading.

use std::borrow::Cow;
use std::collections::HashMap;

use crawl_model::CanonicalUrl;
use crawl_spider::{HeadLink, MetaMap, Metadata, collapse_whitespace};
use html5ever::ns;

use crate::dom::Dom;
use crate::links::head::{HeadTags, MAX_HEAD_TAGS};
use crate::markup::charref::decode_attribute;
use crate::markup::scan::Start;
use crate::markup::tags::Tag;

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

/// The value of an element's attribute; names in lower case.
type Attribute<'e> = dyn Fn(&str) -> Option<Cow<'e, str>> + 'e;

/// Resolves an address; `None` if it is nothing that is crawled.
type Resolve<'r> = dyn Fn(&str) -> Option<CanonicalUrl> + 'r;

/// Reads the metadata of a document that was streamed: `text`, in which `head` was found.
pub(crate) fn of_stream(text: &str, head: &HeadTags, link: &Resolve<'_>) -> Metadata {
    let mut reading = Reading::new(link);
    reading.title(&head.title);
    for tag in head.tags(text) {
        reading.element(tag.tag, &|name| written(&tag, name));
    }
    let language = head.root(text).and_then(|root| some_text(&written(&root, "lang")?));
    reading.finish(language)
}

/// Reads the metadata of a document that has a tree.
pub(crate) fn of_tree(dom: &Dom, link: &Resolve<'_>) -> Metadata {
    let mut reading = Reading::new(link);
    let mut n_tags = 0;
    for node in dom.descendants(dom.document()).filter(|node| dom.is_element(*node)) {
        match dom.name(node) {
            _ if dom.namespace(node) != &ns!(html) && !dom.namespace(node).is_empty() => {}
            "title" if reading.data.title.is_none() => reading.title(&dom.text_content(node)),
            name @ ("meta" | "link") if n_tags < MAX_HEAD_TAGS => {
                n_tags += 1;
                reading.element(Tag::named(name), &|name| dom.attr(node, name).map(Cow::Borrowed));
            }
            _ => {}
        }
    }
    reading.finish(language(dom))
}

/// The value of an attribute that is still as it was written.
fn written<'t>(tag: &Start<'t>, name: &str) -> Option<Cow<'t, str>> {
    tag.attr(name).map(decode_attribute)
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
    link: &'a Resolve<'a>,
    data: Metadata,
    /// OpenGraph, Twitter, `http-equiv`, others.
    maps: [Gathered; 4],
}

impl<'a> Reading<'a> {
    fn new(link: &'a Resolve<'a>) -> Self {
        Self { link, data: Metadata::default(), maps: Default::default() }
    }

    fn title(&mut self, text: &str) {
        self.data.title = some_text(text);
    }

    fn element(&mut self, tag: Tag, attr: &Attribute<'_>) {
        match tag {
            Tag::Meta => self.meta(attr),
            Tag::Link => self.link(attr),
            _ => {}
        }
    }

    fn meta(&mut self, attr: &Attribute<'_>) {
        let Some(content) = attr("content") else { return };
        let content = content.trim();
        if let Some(names) = attr("http-equiv") {
            self.named(names.trim(), content, true);
        }
        let name = attr("name");
        let lists = ["property", "itemprop"].into_iter().filter_map(attr);
        let mut named: Vec<Cow<'_, str>> = name.clone().into_iter().chain(lists).collect();
        named.dedup();
        for names in named {
            // `property` and `itemprop` are lists of words, and a name is seldom one.
            if name.as_ref() == Some(&names) {
                self.named(names.trim(), content, false);
            } else {
                names.split_ascii_whitespace().for_each(|name| self.named(name, content, false));
            }
        }
    }

    fn named(&mut self, name: &str, content: &str, is_equiv: bool) {
        if name.is_empty() {
            return;
        }
        let name = name.to_ascii_lowercase();
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

    fn link(&mut self, attr: &Attribute<'_>) {
        let Some(rel) = attr("rel").filter(|rel| !rel.trim().is_empty()) else { return };
        let Some(href) = attr("href") else { return };
        let href = Some(href.trim_matches(|c| c <= ' ')).filter(|href| !href.is_empty());
        let Some(url) = href.and_then(self.link) else { return };
        let rel: Vec<String> = rel.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        if self.data.canonical.is_none() && rel.iter().any(|rel| rel == "canonical") {
            self.data.canonical = Some(url.clone());
        }
        let text = |name| {
            let value = attr(name)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
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

    /// `language` is what the root element says.
    fn finish(self, language: Option<String>) -> Metadata {
        let Self { mut data, maps, .. } = self;
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
            language.or_else(|| data.http_equiv.get("content-language").and_then(some_text));
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
