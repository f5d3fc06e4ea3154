//! The entries of sitemaps and feeds, one after the other as the document is read.
//!
//! Known are the sitemaps.org protocol (urlset and sitemapindex), RSS 0.9 to 2.0 and Atom 0.3
//! and 1.0, told by the root element, whatever its namespace or prefix. What belongs to an entry
//! are its own children in its own vocabulary, so that the `loc` of an image or the `link` of an
//! Atom extension counts for nothing. Of several usable addresses the first counts.
//!
//! An entry is complete with its end tag, or when the next one begins inside of it because its
//! end tag was forgotten. What a cut document has of its last entry is left out, its address
//! too: a prefix of a document gives a prefix of its entries.

use crawl_model::CanonicalUrl;
use encoding_rs::UTF_8;

use super::date;
use super::reader::{Event, Name, Reader, Start};
use crate::links::prefix;
use crate::links::resolve::Resolver;

/// Bases inside of bases. Each may make the URL longer that all within are resolved against.
const MAX_BASES: usize = 16;

/// What the root element says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `urlset` and `sitemapindex` (sitemaps.org protocol).
    Sitemap,
    /// RSS 0.9 to 2.0, RSS 1.0 being RDF.
    Rss,
    /// Atom 1.0 (RFC 4287) and 0.3.
    Atom,
}

impl Format {
    /// Tells the format by the name of the root element.
    pub(crate) fn of_root(local: &str) -> Option<Self> {
        Some(match local {
            _ if is(local, "urlset") || is(local, "sitemapindex") => Self::Sitemap,
            _ if is(local, "rss") || is(local, "RDF") || is(local, "channel") => Self::Rss,
            _ if is(local, "feed") || is(local, "entry") => Self::Atom,
            _ => return None,
        })
    }

    /// Namespaces that an entry may have beside that of the root.
    fn owns(self, namespace: &str) -> bool {
        let own: &[&str] = match self {
            Self::Sitemap => {
                &["http://www.sitemaps.org/schemas/", "http://www.google.com/schemas/sitemap/"]
            }
            Self::Rss => &["http://purl.org/rss/", "http://my.netscape.com/rdf/simple/"],
            Self::Atom => &["http://www.w3.org/2005/Atom", "http://purl.org/atom/"],
        };
        own.iter().any(|own| namespace.starts_with(own))
    }
}

/// One entry of a sitemap or feed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its address.
    pub(crate) loc: CanonicalUrl,
    /// When it changed last, in ISO 8601.
    pub(crate) lastmod: Option<String>,
    /// How often it changes: one of the protocol's seven words.
    pub(crate) changefreq: Option<&'static str>,
    /// Its priority, 0 to 1.
    pub(crate) priority: Option<f64>,
    /// Whether it is a sitemap itself.
    pub(crate) is_sitemap: bool,
}

/// What is found in a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// An entry.
    Entry(Entry),
    /// The page that a feed as a whole belongs to.
    Home(CanonicalUrl),
    /// The title of a feed.
    Title(String),
}

/// Reads what is [`Found`] in a document, in its order.
pub(crate) struct Entries<'a> {
    reader: Reader<'a>,
    pass: Pass,
}

impl<'a> Entries<'a> {
    /// Relative addresses are resolved against `base`, or what the document says (`xml:base`).
    pub(crate) fn new(reader: Reader<'a>, base: url::Url) -> Self {
        Self { reader, pass: Pass::new(base) }
    }

    /// What the document is, once its root element is read.
    pub(crate) fn format(&self) -> Option<Format> {
        self.pass.root.as_ref().map(|root| root.format)
    }
}

impl Iterator for Entries<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let Self { reader, pass } = self;
        while !pass.is_done {
            let found = match reader.read()? {
                Event::Start(start) => pass.start(&start),
                Event::End => pass.end(),
                Event::Text(text) => {
                    pass.text(text);
                    None
                }
                Event::Refused(_) => {
                    pass.spoil();
                    None
                }
                Event::Doctype { .. } | Event::Comment(_) | Event::Instruction { .. } => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

struct Root {
    format: Format,
    space: Box<str>,
    depth: usize,
}

/// A part of an entry or feed whose value is the text of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    /// An address; the lowest number is the best.
    Loc(u8),
    /// An address that counts only if it is absolute: an identifier that may be none.
    Guid,
    /// A date; the lowest number is the best.
    Date(u8),
    Changefreq,
    Priority,
    Home,
    Title,
}

/// An element whose text is being collected.
struct Hold {
    field: Field,
    depth: usize,
    text: String,
    /// The depth of an element of another vocabulary inside, whose text does not count.
    muted: Option<usize>,
    /// Whether there is something in it that cannot be read.
    is_spoilt: bool,
}

/// An entry so far; values with how good they are.
struct Draft {
    depth: usize,
    space: Box<str>,
    is_sitemap: bool,
    loc: Option<(u8, CanonicalUrl)>,
    lastmod: Option<(u8, String)>,
    changefreq: Option<&'static str>,
    priority: Option<f64>,
}

/// Where the document stands.
struct Pass {
    depth: usize,
    /// Bases and the depths of the elements that set them; the first is the document's.
    bases: Vec<(usize, Resolver)>,
    root: Option<Root>,
    /// The depth of the element whose children tell of the feed as a whole.
    head: Option<usize>,
    draft: Option<Draft>,
    hold: Option<Hold>,
    is_done: bool,
}

impl Pass {
    fn new(base: url::Url) -> Self {
        let bases = vec![(0, Resolver::new(base, UTF_8))];
        Self { depth: 0, bases, root: None, head: None, draft: None, hold: None, is_done: false }
    }

    fn text(&mut self, text: &str) {
        // URLs are shorter, by far.
        const MAX_BYTES: usize = 16 * 1024;
        if let Some(hold) = self.hold.as_mut().filter(|hold| hold.muted.is_none()) {
            let room = MAX_BYTES.saturating_sub(hold.text.len());
            hold.text.push_str(prefix(text, room));
        }
    }

    fn spoil(&mut self) {
        if let Some(hold) = self.hold.as_mut().filter(|hold| hold.muted.is_none()) {
            hold.is_spoilt = true;
        }
    }

    fn start(&mut self, start: &Start<'_>) -> Option<Found> {
        self.depth += 1;
        if self.bases.len() < MAX_BASES
            && let Some(base) = start.attr("xml:base")
            && let Some(url) = self.resolve(&base)
        {
            self.bases.push((self.depth, Resolver::new(url.to_url(), UTF_8)));
        }
        let Some(root) = &self.root else {
            self.root(start);
            return None;
        };
        let (format, name) = (root.format, start.name);
        if self.begins_entry(root, &name) {
            // One that is still open lost its end tag.
            let before = self.finish_entry();
            self.hold = None;
            self.open_entry(start);
            return before;
        }
        if let Some(hold) = &mut self.hold {
            let space = self.draft.as_ref().map_or(&*root.space, |draft| &draft.space);
            if hold.muted.is_none() && !is_of(&name, space) {
                hold.muted = Some(self.depth);
            }
            return None;
        }
        if let Some(draft) = &self.draft {
            if self.depth == draft.depth + 1 {
                self.hold = field(format, &name, &draft.space, start).map(|field| self.held(field));
                if format == Format::Atom && self.hold.is_none() {
                    self.atom_link(start);
                }
            }
            return None;
        }
        self.head(format, start)
    }

    fn held(&self, field: Field) -> Hold {
        Hold { field, depth: self.depth, text: String::new(), muted: None, is_spoilt: false }
    }

    fn root(&mut self, start: &Start<'_>) {
        let Some(format) = Format::of_root(start.name.local) else {
            self.is_done = true;
            return;
        };
        self.root = Some(Root { format, space: start.name.space().into(), depth: self.depth });
        if is(start.name.local, "entry") {
            self.open_entry(start);
        } else if format == Format::Atom || is(start.name.local, "channel") {
            self.head = Some(self.depth);
        }
    }

    /// Whether an element is an entry: anywhere, but not in a part of another one.
    fn begins_entry(&self, root: &Root, name: &Name<'_>) -> bool {
        let has_name = match root.format {
            Format::Sitemap => is(name.local, "url") || is(name.local, "sitemap"),
            Format::Rss => is(name.local, "item"),
            Format::Atom => is(name.local, "entry"),
        };
        let is_own = || {
            let space = name.space();
            name.prefix.is_empty() || *space == *root.space || root.format.owns(space)
        };
        let is_free = self.draft.as_ref().is_none_or(|draft| self.depth == draft.depth + 1);
        has_name && is_free && is_own()
    }

    fn open_entry(&mut self, start: &Start<'_>) {
        let mut draft = Draft {
            depth: self.depth,
            space: start.name.space().into(),
            is_sitemap: is(start.name.local, "sitemap"),
            loc: None,
            lastmod: None,
            changefreq: None,
            priority: None,
        };
        // RSS 1.0 names its items by their addresses.
        if let Some(about) = start.attr("rdf:about").filter(|about| is_absolute(about)) {
            draft.loc = self.resolve(&about).map(|url| (3, url));
        }
        self.draft = Some(draft);
    }

    /// Reads an element that tells of the feed as a whole.
    fn head(&mut self, format: Format, start: &Start<'_>) -> Option<Found> {
        let name = start.name;
        if format == Format::Rss && self.head.is_none() && is(name.local, "channel") {
            self.head = Some(self.depth);
        }
        let is_core =
            name.prefix.is_empty() || self.root.as_ref().is_some_and(|r| *r.space == *name.space());
        let is_atom = name.namespace.is_some_and(|space| Format::Atom.owns(space));
        if self.head != Some(self.depth - 1) || !is_core || (is_atom && format == Format::Rss) {
            return None;
        }
        if is(name.local, "title") {
            self.hold = Some(self.held(Field::Title));
        } else if is(name.local, "link") && format == Format::Rss {
            self.hold = Some(self.held(Field::Home));
        } else if is(name.local, "link") && alternate_rank(start).is_some() {
            let href = start.attr("href")?;
            return self.resolve(&href).map(Found::Home);
        }
        None
    }

    fn atom_link(&mut self, start: &Start<'_>) {
        let Some(draft) = &self.draft else { return };
        if !is(start.name.local, "link") || !is_of(&start.name, &draft.space) {
            return;
        }
        if let Some(rank) = alternate_rank(start)
            && let Some(href) = start.attr("href")
        {
            self.set_loc(rank, &href);
        }
    }

    fn end(&mut self) -> Option<Found> {
        let mut found = None;
        if let Some(hold) = &mut self.hold {
            if hold.depth == self.depth {
                found = self.hold.take().and_then(|hold| self.finish_field(hold));
            } else if hold.muted == Some(self.depth) {
                hold.muted = None;
            }
        }
        if self.draft.as_ref().is_some_and(|draft| draft.depth == self.depth) {
            found = self.finish_entry();
        }
        if self.head == Some(self.depth) {
            self.head = None;
        }
        if self.root.as_ref().is_some_and(|root| root.depth == self.depth) {
            // Documents have been glued together before.
            self.root = None;
        }
        self.bases.pop_if(|(depth, _)| *depth == self.depth && self.depth > 0);
        self.depth = self.depth.saturating_sub(1);
        found
    }

    fn finish_entry(&mut self) -> Option<Found> {
        let draft = self.draft.take()?;
        Some(Found::Entry(Entry {
            loc: draft.loc?.1,
            lastmod: draft.lastmod.map(|(_, date)| date),
            changefreq: draft.changefreq,
            priority: draft.priority,
            is_sitemap: draft.is_sitemap,
        }))
    }

    fn finish_field(&mut self, hold: Hold) -> Option<Found> {
        let text = trim(&hold.text);
        if hold.is_spoilt || text.is_empty() {
            return None;
        }
        match hold.field {
            Field::Title => return Some(Found::Title(text.to_owned())),
            Field::Home => return self.resolve(text).map(Found::Home),
            Field::Loc(rank) => self.set_loc(rank, text),
            Field::Guid if is_absolute(text) => self.set_loc(2, text),
            Field::Guid => {}
            Field::Date(rank) => {
                if let Some(draft) = &mut self.draft
                    && draft.lastmod.as_ref().is_none_or(|(before, _)| rank < *before)
                    && let Some(date) = date::normalise(text)
                {
                    draft.lastmod = Some((rank, date));
                }
            }
            Field::Changefreq => {
                if let Some(draft) = &mut self.draft {
                    draft.changefreq = draft.changefreq.or_else(|| changefreq(text));
                }
            }
            Field::Priority => {
                if let Some(draft) = &mut self.draft {
                    draft.priority = draft.priority.or_else(|| priority(text));
                }
            }
        }
        None
    }

    fn set_loc(&mut self, rank: u8, reference: &str) {
        let is_better = |draft: &Draft| draft.loc.as_ref().is_none_or(|(before, _)| rank < *before);
        if self.draft.as_ref().is_some_and(is_better)
            && let Some(url) = self.resolve(reference)
            && let Some(draft) = &mut self.draft
        {
            draft.loc = Some((rank, url));
        }
    }

    /// The URL of a reference in the innermost element; `None` if it is none that is crawled.
    fn resolve(&self, reference: &str) -> Option<CanonicalUrl> {
        let reference = trim(reference);
        let (_, resolver) = self.bases.last()?;
        if reference.is_empty() { None } else { resolver.link(reference) }
    }
}

/// Which field of an entry an element is.
fn field(format: Format, name: &Name<'_>, space: &str, start: &Start<'_>) -> Option<Field> {
    let local = name.local;
    let is_dublin_core =
        || name.namespace.map_or(name.prefix == "dc", |ns| ns.starts_with("http://purl.org/dc/"));
    if format == Format::Rss && is(local, "date") && is_dublin_core() {
        return Some(Field::Date(1));
    }
    if !is_of(name, space) {
        return None;
    }
    match format {
        Format::Sitemap if is(local, "loc") => Some(Field::Loc(0)),
        Format::Sitemap if is(local, "lastmod") => Some(Field::Date(0)),
        Format::Sitemap if is(local, "changefreq") => Some(Field::Changefreq),
        Format::Sitemap if is(local, "priority") => Some(Field::Priority),
        Format::Rss if is(local, "link") => Some(Field::Loc(0)),
        Format::Rss if is(local, "pubDate") => Some(Field::Date(0)),
        Format::Rss if is(local, "guid") => {
            let is_link = start.attr("isPermaLink").is_none_or(|value| !is(value.trim(), "false"));
            is_link.then_some(Field::Guid)
        }
        Format::Atom => {
            const DATES: [&str; 5] = ["updated", "modified", "published", "issued", "created"];
            DATES.iter().position(|date| is(local, date)).map(|rank| Field::Date(rank as u8))
        }
        _ => None,
    }
}

/// How good an Atom link is as the address of what it is a link of (RFC 4287, section 4.2.7);
/// `None` if it is another relation.
fn alternate_rank(start: &Start<'_>) -> Option<u8> {
    const IANA: &str = "http://www.iana.org/assignments/relation/";
    let rel = start.attr("rel").unwrap_or_default();
    let rel = rel.trim();
    let is_alternate = rel.is_empty() || is(rel.strip_prefix(IANA).unwrap_or(rel), "alternate");
    let is_html = start.attr("type").is_none_or(|media_type| {
        media_type.trim().is_empty() || media_type.to_ascii_lowercase().contains("html")
    });
    is_alternate.then_some(u8::from(!is_html))
}

/// Names of these formats are written in many ways.
fn is(name: &str, expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected)
}

/// Whether a name is of this vocabulary, or of none.
fn is_of(name: &Name<'_>, space: &str) -> bool {
    name.space() == space || (name.prefix.is_empty() && name.namespace == Some(""))
}

fn is_absolute(reference: &str) -> bool {
    let reference = trim(reference);
    ["http://", "https://"].iter().any(|scheme| {
        reference.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// White space of all kinds, and byte order marks, which editors leave behind.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

fn changefreq(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 7] = ["always", "hourly", "daily", "weekly", "monthly", "yearly", "never"];
    WORDS.into_iter().find(|word| is(text, word))
}

/// A decimal number from 0 to 1.
fn priority(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| is_decimal)?;
    (0.0..=1.0).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_decimal_numbers_from_0_to_1() {
        for (text, expected) in [
            ("0.5", Some(0.5)),
            ("1", Some(1.0)),
            ("0", Some(0.0)),
            (".3", Some(0.3)),
            ("1.", Some(1.0)),
            ("+0.5", Some(0.5)),
            ("1.01", None),
            ("-0.1", None),
            ("1e-1", None),
            ("0,5", None),
            ("NaN", None),
            ("inf", None),
            (".", None),
            ("", None),
            ("high", None),
        ] {
            assert_eq!(priority(text), expected, "{text}");
        }
    }
}
