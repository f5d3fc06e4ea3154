//! The state of a sitemap or feed that is being read: which entry is open, and what is known of
//! it.
//!
//! It sees elements open and close and keeps no more than one entry, so that a document of any
//! length costs the same.

use crawl_model::CanonicalUrl;
use crawl_spider::{Alternate, Enclosure, News};
use encoding_rs::UTF_8;

use super::date;
use super::entries::{Entry, Format, Found};
use super::field::{
    Field, Part, alternate_rank, changefreq, field, is, is_absolute, is_of, part, priority, trim,
};
use super::reader::{Name, Start};
use crate::links::prefix;
use crate::links::resolve::Resolver;

/// Bases inside of bases. Each may make the URL longer that all within are resolved against.
const MAX_BASES: usize = 16;

struct Root {
    format: Format,
    space: Box<str>,
    depth: usize,
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
    alternates: Vec<Alternate>,
    news: News,
}

/// Where the document stands.
pub(super) struct Pass {
    depth: usize,
    /// Bases and the depths of the elements that set them; the first is the document's.
    bases: Vec<(usize, Resolver)>,
    root: Option<Root>,
    /// The depth of the element whose children tell of the feed as a whole.
    head: Option<usize>,
    draft: Option<Draft>,
    hold: Option<Hold>,
    is_done: bool,
    /// Whether all that is said of entries is read.
    is_close: bool,
}

impl Pass {
    pub(super) fn new(base: url::Url) -> Self {
        let bases = vec![(0, Resolver::new(base, UTF_8))];
        let (root, head, draft, hold) = (None, None, None, None);
        Self { depth: 0, bases, root, head, draft, hold, is_done: false, is_close: false }
    }

    /// Reads all that is said of entries.
    pub(super) fn read_closely(&mut self) {
        self.is_close = true;
    }

    /// What the document is, once its root element is read.
    pub(super) fn format(&self) -> Option<Format> {
        self.root.as_ref().map(|root| root.format)
    }

    /// Whether nothing more is to be expected.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    pub(super) fn text(&mut self, text: &str) {
        if let Some(hold) = self.hold.as_mut().filter(|hold| hold.muted.is_none()) {
            let room = hold.field.max_bytes().saturating_sub(hold.text.len());
            hold.text.push_str(prefix(text, room));
        }
    }

    pub(super) fn spoil(&mut self) {
        if let Some(hold) = self.hold.as_mut().filter(|hold| hold.muted.is_none()) {
            hold.is_spoilt = true;
        }
    }

    pub(super) fn start(&mut self, start: &Start<'_>) -> Option<Found> {
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
            // Of an author of Atom only the name is wanted.
            let is_aside = hold.field == Field::News(Part::Author) && !is(name.local, "name");
            if hold.muted.is_none() && (is_aside || !is_of(&name, space)) {
                hold.muted = Some(self.depth);
            }
            return None;
        }
        if let Some(draft) = &self.draft {
            if self.depth == draft.depth + 1 {
                let known = field(format, &name, &draft.space, start);
                let close = || part(format, &name, &draft.space).filter(|_| self.is_close);
                let known = known.or_else(|| close().map(Field::News));
                self.hold = known.map(|field| self.held(field));
                if self.is_close && self.hold.is_none() {
                    self.beside(format, start);
                }
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
            alternates: Vec::new(),
            news: News::default(),
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

    pub(super) fn end(&mut self) -> Option<Found> {
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
        let has_news = draft.news != News::default();
        if draft.loc.is_none() && !has_news {
            return None;
        }
        Some(Found::Entry(Entry {
            loc: draft.loc.map(|(_, url)| url),
            lastmod: draft.lastmod.map(|(_, date)| date),
            changefreq: draft.changefreq,
            priority: draft.priority,
            is_sitemap: draft.is_sitemap,
            alternates: draft.alternates,
            news: has_news.then(|| Box::new(draft.news)),
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
            Field::Guid => {
                self.set_part(Part::Id, text);
                if is_absolute(text) {
                    self.set_loc(2, text);
                }
            }
            Field::Date(rank, is_first) => {
                if let Some(draft) = &mut self.draft
                    && let Some(date) = date::normalise(text)
                {
                    if is_first && self.is_close && draft.news.published.is_none() {
                        draft.news.published = Some(date.clone());
                    }
                    if draft.lastmod.as_ref().is_none_or(|(before, _)| rank < *before) {
                        draft.lastmod = Some((rank, date));
                    }
                }
            }
            Field::News(part) => self.set_part(part, text),
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

    fn set_part(&mut self, part: Part, text: &str) {
        let Some(draft) = self.draft.as_mut().filter(|_| self.is_close) else { return };
        let place = match part {
            Part::Id => &mut draft.news.id,
            Part::Title => &mut draft.news.title,
            Part::Summary => &mut draft.news.summary,
            Part::Content => &mut draft.news.content,
            Part::Author => &mut draft.news.author,
            Part::Category => return draft.news.categories.push(text.to_owned()),
        };
        place.get_or_insert_with(|| text.to_owned());
    }

    /// Reads an element of an entry that says what it says in its attributes.
    fn beside(&mut self, format: Format, start: &Start<'_>) {
        let text = |name: &str| start.attr(name).map(|value| trim(&value).to_owned());
        let address = |name: &str| text(name).and_then(|value| self.resolve(&value));
        let (local, rel) = (start.name.local, text("rel").unwrap_or_default());
        match format {
            Format::Sitemap if is(local, "link") && is(&rel, "alternate") => {
                let language = text("hreflang").unwrap_or_default().into();
                let found = address("href").map(|url| Alternate { url, language });
                if let Some(draft) = &mut self.draft {
                    draft.alternates.extend(found);
                }
            }
            Format::Atom if is(local, "category") => {
                let found = text("term").or_else(|| text("label"));
                if let Some(draft) = &mut self.draft {
                    draft.news.categories.extend(found.filter(|term| !term.is_empty()));
                }
            }
            _ if is(local, "enclosure") || (is(local, "link") && is(&rel, "enclosure")) => {
                let url = address(if is(local, "link") { "href" } else { "url" });
                let media_type = text("type").unwrap_or_default().into();
                let length = text("length").and_then(|length| length.parse().ok());
                let found = url.map(|url| Enclosure { url, media_type, length });
                if let Some(draft) = &mut self.draft {
                    draft.news.enclosures.extend(found);
                }
            }
            _ => {}
        }
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
