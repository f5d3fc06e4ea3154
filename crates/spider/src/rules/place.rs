//! Where the links of an extractor stand: whether the pass that finds all links is enough, or a
//! query has to tell them apart.

use super::extractor::LinkExtractor;
use crate::{FieldQuery, ItemQuery, LinkKind};

/// Where the links are taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// From the pass that finds all links: those of these kinds.
    Links(Kinds),
    /// From the rows of a query, which streams, too, and from the tree, below what XPath finds.
    Query(Box<Places>),
}

/// Which links of the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    All,
    Of { a: bool, area: bool },
}

/// Where links stand that the pass does not tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// A row per element: a field for each attribute, its `rel` and its text. `None` if only
    /// XPath restricts them.
    pub(super) rows: Option<ItemQuery>,
    /// The same below an element, as CSS, for what XPath finds.
    pub(super) below: String,
    /// Names of tags; empty for all.
    pub(super) tags: Vec<String>,
    /// Names of attributes.
    pub(super) attrs: Vec<String>,
    /// What kind the links are said to be.
    pub(super) kind: LinkKind,
}

impl Default for Source {
    fn default() -> Self {
        Self::Links(Kinds::All)
    }
}

impl Kinds {
    pub(super) fn has(self, kind: LinkKind) -> bool {
        match self {
            Self::All => true,
            Self::Of { a, area } => {
                (a && kind == LinkKind::Anchor) || (area && kind == LinkKind::Area)
            }
        }
    }
}

impl LinkExtractor {
    /// Settles where the links are taken from.
    pub(super) fn place(&self) -> Source {
        let is_href = self.attrs.iter().all(|name| name == "href");
        let is_plain = is_href && self.restrict_css.is_empty() && self.restrict_xpaths.is_empty();
        let has = |name: &str| self.tags.iter().any(|tag| tag == name);
        if is_plain && self.process_value.is_none() {
            if self.tags.is_empty() && self.attrs.is_empty() {
                return Source::Links(Kinds::All);
            }
            let (a, area) = match self.tags.is_empty() {
                true => (true, true),
                false => (has("a"), has("area")),
            };
            if self.tags.iter().all(|tag| tag == "a" || tag == "area") {
                return Source::Links(Kinds::Of { a, area });
            }
        }
        let or = |names: &[String], usual: &[&str]| match names {
            [] => usual.iter().map(|&name| name.to_owned()).collect(),
            names => names.to_vec(),
        };
        let (tags, attrs) = (or(&self.tags, &["a", "area"]), or(&self.attrs, &["href"]));
        let elements = Elements { tags: &tags, attrs: &attrs };
        let is_open = self.tags.is_empty() && self.attrs.is_empty();
        let kind = match &*tags {
            _ if is_open => LinkKind::Anchor,
            [tag] if tag == "a" => LinkKind::Anchor,
            [tag] if tag == "area" => LinkKind::Area,
            _ => LinkKind::Resource,
        };
        let rows = match (self.restrict_css.is_empty(), self.restrict_xpaths.is_empty()) {
            (true, false) => None,
            (true, true) => Some(elements.selector()),
            (false, _) => {
                let all = self.restrict_css.iter().flat_map(|css| inside(css, &elements, is_open));
                Some(all.collect::<Vec<_>>().join(", "))
            }
        };
        let below = elements.selector();
        let tags = if is_open { Vec::new() } else { tags };
        let rows = rows.map(|css| row_query(css, &attrs));
        Source::Query(Box::new(Places { rows, below, tags, attrs, kind }))
    }
}

/// Elements by name and attribute.
struct Elements<'a> {
    tags: &'a [String],
    attrs: &'a [String],
}

impl<'a> Elements<'a> {
    fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let attrs = self.attrs;
        self.tags.iter().flat_map(|tag| attrs.iter().map(|attr| (tag.as_str(), attr.as_str())))
    }

    fn selector(&self) -> String {
        let all: Vec<_> = self.iter().map(|(tag, attr)| format!("{tag}[{attr}]")).collect();
        all.join(", ")
    }
}

/// Selectors of those elements that are found by `css`, or stand inside of what it finds.
fn inside(css: &str, elements: &Elements<'_>, is_open: bool) -> Vec<String> {
    let mut all = Vec::new();
    // One by one, because a list in `:is()` cannot be matched while the page streams by, and what
    // is wrong in one would not be noticed.
    for region in split(css) {
        match is_open {
            true => all.push(format!("{region}[href]")),
            false => all.extend(elements.iter().map(|(tag, attr)| match tag {
                "*" => format!("{region}[{attr}]"),
                tag => format!("{region}:is({tag})[{attr}]"),
            })),
        }
        all.extend(elements.iter().map(|(tag, attr)| format!("{region} {tag}[{attr}]")));
    }
    all
}

/// The selectors of a list, as they stand between its commas.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' | b'\'' if quote.is_none() => quote = Some(byte),
            _ if quote.is_some() => quote = quote.filter(|open| *open != byte),
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}

fn row_query(css: String, attrs: &[String]) -> ItemQuery {
    let values = attrs.iter().map(|attr| FieldQuery::attr("", attr));
    let rest = [FieldQuery::attr("", "rel"), FieldQuery::text("")];
    ItemQuery { select: Some(css), fields: values.chain(rest).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_at_their_commas_only() {
        assert_eq!(
            split("a, b > c:is(d, e),[x=\",\"],f\\,g"),
            ["a", "b > c:is(d, e)", "[x=\",\"]", "f\\,g"]
        );
        assert_eq!(split("a:is(b"), ["a:is(b"]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn links_that_the_pass_tells_apart_need_no_query() {
        let new = LinkExtractor::new;
        for links in [new(), new().allow("x"), new().tags("a"), new().tags(["area"]).attrs("href")]
        {
            assert_eq!(links.wants(), None);
        }
        for links in [new().tags("img"), new().attrs("src"), new().restrict_css("p")] {
            assert!(links.wants().is_some());
        }
        assert_eq!(new().restrict_xpaths("//p").wants(), None);
        let query = new().restrict_css("p, q").tags("a").wants().cloned().unwrap();
        let css = "p:is(a)[href], p a[href], q:is(a)[href], q a[href]";
        assert_eq!(query.select.as_deref(), Some(css));
    }
}
