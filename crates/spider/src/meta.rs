//! What a document says about itself.

use crawl_model::CanonicalUrl;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The document's metadata, from its head (and wherever else such elements stand).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metadata {
    /// The text of the first `title`, whitespace collapsed.
    pub title: Option<String>,
    /// `meta name=description`.
    pub description: Option<String>,
    /// `meta name=keywords`, split at commas.
    pub keywords: Vec<String>,
    /// `meta name=author`, else `article:author` that is no URL.
    pub author: Option<String>,
    /// `link rel=canonical`, resolved.
    pub canonical: Option<CanonicalUrl>,
    /// `lang` of the root element, else `meta http-equiv=content-language`.
    pub language: Option<String>,
    /// The directives of `meta name=robots`, in lower case. (There may be more in the header
    /// `x-robots-tag`.)
    pub robots: Vec<String>,
    /// When it was published, as it is written: `article:published_time`, or one of the other
    /// usual names (`datePublished`, `dc.date`, `dcterms.issued`, `date` ..).
    pub published: Option<String>,
    /// When it was last changed, as it is written: `article:modified_time`, `og:updated_time`,
    /// `dateModified`, `dcterms.modified`, `last-modified`.
    pub modified: Option<String>,
    /// OpenGraph and its vocabularies (`og:`, `article:`, `book:`, `profile:`, `video:`,
    /// `music:`, `product:`, `fb:`), by whole name.
    pub open_graph: MetaMap,
    /// `twitter:` cards, by whole name.
    pub twitter: MetaMap,
    /// All other `meta` with a `name`, `property` or `itemprop`, by name.
    pub other: MetaMap,
    /// `meta http-equiv`, by name.
    pub http_equiv: MetaMap,
    /// The `link` elements that lead to something that is crawled, in document order.
    pub links: Vec<HeadLink>,
}

impl Metadata {
    /// The first value of a `meta` of that name, wherever it is kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let maps = [&self.open_graph, &self.twitter, &self.other, &self.http_equiv];
        maps.into_iter().find_map(|map| map.get(name))
    }

    /// The links of a relation (`next`, `prev`, `alternate`, `icon` ..), in document order.
    pub fn links_of(&self, rel: &str) -> impl Iterator<Item = &HeadLink> {
        self.links.iter().filter(move |link| link.rel.iter().any(|r| r.eq_ignore_ascii_case(rel)))
    }

    /// The next page of a series: `link rel=next`.
    #[must_use]
    pub fn next(&self) -> Option<&CanonicalUrl> {
        self.links_of("next").next().map(|link| &link.url)
    }

    /// The page before in a series: `link rel=prev` (or `previous`).
    #[must_use]
    pub fn prev(&self) -> Option<&CanonicalUrl> {
        self.links_of("prev").chain(self.links_of("previous")).next().map(|link| &link.url)
    }

    /// Other forms of the document: other languages, feeds (`link rel=alternate`).
    pub fn alternates(&self) -> impl Iterator<Item = &HeadLink> {
        self.links_of("alternate")
    }
}

/// A `link` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeadLink {
    /// Its relations, in lower case.
    pub rel: Vec<String>,
    /// Where it leads, without fragment.
    pub url: CanonicalUrl,
    /// `hreflang`.
    pub hreflang: Option<String>,
    /// `type`: the media type.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// `media`: for which screens.
    pub media: Option<String>,
    /// `title`.
    pub title: Option<String>,
    /// `sizes`: of an icon.
    pub sizes: Option<String>,
}

/// Names (in lower case) with their values, both in document order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetaMap {
    entries: Vec<(String, Vec<String>)>,
}

impl MetaMap {
    /// The first value of a name (in any case).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All values of a name (in any case).
    #[must_use]
    pub fn all(&self, name: &str) -> &[String] {
        let found = self.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }

    /// Names and values, names in the order in which they first occur.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.entries.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(String, Vec<String>)> for MetaMap {
    fn from_iter<T: IntoIterator<Item = (String, Vec<String>)>>(entries: T) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl Serialize for MetaMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// What a document says in the machine-readable ways.
///
/// Microdata and RDFa come in the JSON form of the HTML Standard (section 5.3): an object per
/// item with `type` (a list), `id` and `properties`: name to list of values, a value being a
/// string or an item. RDFa's types and names are whole IRIs, microdata's names as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StructuredData {
    /// Each `script type=application/ld+json` as it is, arrays and `@graph` included.
    pub json_ld: Vec<Value>,
    /// How many such scripts are no JSON, and so left out.
    pub json_ld_invalid: usize,
    /// Top-level microdata items.
    pub microdata: Vec<Value>,
    /// Top-level items of RDFa (Lite 1.1, and `about`).
    pub rdfa: Vec<Value>,
    /// OpenGraph with its structured properties nested: name without `og:` to list of values,
    /// a value being a string, or an object with the string as `value` and what was said of it.
    /// Null if there is none.
    pub open_graph: Value,
    /// Whether something was left out because the document has far more of it (or nested far
    /// deeper) than an honest one would.
    pub truncated: bool,
}

impl StructuredData {
    /// The objects of all JSON-LD scripts, those of arrays and of `@graph` one by one.
    pub fn json_ld_objects(&self) -> impl Iterator<Item = &Value> {
        self.json_ld.iter().flat_map(objects)
    }
}

/// The objects of a script: itself, or those of its array, or of its `@graph`.
fn objects(value: &Value) -> Vec<&Value> {
    let top = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
    let graph = |value| match Value::get(value, "@graph").and_then(Value::as_array) {
        Some(list) => list.iter().collect(),
        None => vec![value],
    };
    top.into_iter().flat_map(graph).filter(|value| value.is_object()).collect()
}
