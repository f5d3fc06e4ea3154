//! Links of a page that are known to be known, left as the references that they are.
//!
//! On a usual site nearly every link of a page is known, and the host remembers by what reference it
//! stood on another page. Who only follows links never asks where such a one leads: it is dropped.
//! Should anybody ask for the URL of one of them, all are resolved, and the book is as it would have
//! been.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::OnceLock;

use crawl_model::CanonicalUrl;

use super::{LinkBook, Record};
use crate::LinkKind;

/// What a host remembers a link by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Stands for the reference and for all that decides where it leads; `None` if it is not to be
    /// remembered.
    pub number: Option<NonZeroU64>,
    /// Whether it leads to a URL that is known: a plain request of it will be dropped.
    pub is_known: bool,
}

/// Finds out where references lead.
pub trait Resolve: Send + Sync {
    /// The URLs of all of them, in their order: each has led to one before.
    fn urls(&self, hrefs: &[&str]) -> Vec<CanonicalUrl>;
}

impl LinkBook {
    /// Lets links be added as references ([`push_known`](Self::push_known)), which `resolve`
    /// resolves should anybody ask for their URLs.
    pub fn resolve_later(&mut self, resolve: Box<dyn Resolve>) {
        self.references = Some(References::new(resolve));
    }

    /// Adds a link without a text that is known to lead to a known URL, as the reference that it is.
    /// `false` if there is no room for it; then it is to be resolved.
    #[inline]
    pub fn push_known(
        &mut self,
        href: &str,
        rel: &str,
        nofollow: bool,
        kind: LinkKind,
        mark: Mark,
    ) -> bool {
        let Some(references) = &mut self.references else { return false };
        let start = self.texts.len();
        let has_room = self.records.len() < References::MOST && start < References::MAX_BYTES;
        // Both are shorter than the document.
        let [Ok(start), Ok(url), Ok(rel_len)] = [start, href.len(), rel.len()].map(u32::try_from)
        else {
            return false;
        };
        if has_room {
            references.forget();
            self.texts.push_str(href);
            if rel_len > 0 {
                self.texts.push_str(rel);
            }
            let (text, places, is_reference) = (0, [0; 3], true);
            let rel = rel_len;
            let record =
                Record { start, url, text, rel, places, nofollow, kind, is_reference, mark };
            self.records.push(record);
        }
        has_room
    }

    /// What the host remembers a link by.
    #[must_use]
    pub fn mark(&self, at: u32) -> Mark {
        self.records.get(at as usize).map(|record| record.mark).unwrap_or_default()
    }

    /// Number by number what there is to say of a link.
    pub(crate) fn entries(&self) -> impl Iterator<Item = LinkEntry<'_>> {
        let records = (0..).zip(&self.records);
        records.map(|(at, record)| LinkEntry::new(self, at, record.kind, record.nofollow))
    }

    /// Whether a link stands as a reference.
    pub(super) fn has_references(&self) -> bool {
        self.references.is_some() && self.records.iter().any(|record| record.is_reference)
    }

    /// The same with all references resolved.
    pub(super) fn whole(&self) -> &Self {
        self.references.as_ref().map_or(self, |references| references.book(|all| self.fill(all)))
    }

    /// Puts all links into a book, with the URLs that `resolve` says of the references.
    fn fill(&self, resolve: &dyn Resolve) -> Self {
        let hrefs = self.records.iter().filter(|record| record.is_reference);
        let hrefs: Vec<_> = hrefs.map(|record| self.cut(record.start, record.url)).collect();
        let mut urls = resolve.urls(&hrefs).into_iter();
        let mut book = Self::with_capacity(self.records.len(), self.texts.len() * 2);
        for record in &self.records {
            let Record { start, url, text, rel, places, nofollow, kind, is_reference, mark } =
                *record;
            let resolved = if is_reference { urls.next() } else { None };
            let own = (self.cut(start, url), places);
            let url_parts = resolved.as_ref().map_or(own, CanonicalUrl::parts);
            let texts = [self.cut(start + url, text), self.cut(start + url + text, rel)];
            book.put(url_parts, texts, (nofollow, kind), mark, false);
        }
        book
    }
}

/// What becomes of the references in a book.
pub(super) struct References {
    resolve: Box<dyn Resolve>,
    /// The book with all of them resolved, once somebody has asked.
    book: OnceLock<Box<LinkBook>>,
}

impl References {
    /// Most links of a book that has references, and most bytes of text: resolved, they have room
    /// in it, too.
    pub(super) const MOST: usize = 1 << 16;
    pub(super) const MAX_BYTES: usize = 1 << 31;

    pub(super) fn new(resolve: Box<dyn Resolve>) -> Self {
        Self { resolve, book: OnceLock::new() }
    }

    /// The book that is made by `fill` when it is first asked for.
    pub(super) fn book(&self, fill: impl FnOnce(&dyn Resolve) -> LinkBook) -> &LinkBook {
        self.book.get_or_init(|| Box::new(fill(&*self.resolve)))
    }

    /// The book, if it has been asked for.
    pub(super) fn read(&self) -> Option<&LinkBook> {
        self.book.get().map(|book| &**book)
    }

    /// A link is added: what was made lacks it.
    pub(super) fn forget(&mut self) {
        if self.book.get().is_some() {
            self.book.take();
        }
    }
}

impl fmt::Debug for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("References").field(&self.book).finish()
    }
}

/// What a book says of a link, its URL only if that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct LinkEntry<'a> {
    book: &'a LinkBook,
    at: u32,
    /// What holds the link.
    pub kind: LinkKind,
    /// Whether it is marked `nofollow`.
    pub nofollow: bool,
}

impl<'a> LinkEntry<'a> {
    pub(super) fn new(book: &'a LinkBook, at: u32, kind: LinkKind, nofollow: bool) -> Self {
        Self { book, at, kind, nofollow }
    }

    /// Its number.
    pub(crate) fn at(&self) -> u32 {
        self.at
    }

    /// The text of its URL.
    #[must_use]
    pub fn url(&self) -> &'a str {
        self.book.url_text(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::follow::Follow;

    const MARK: Mark = Mark { number: NonZeroU64::new(7), is_known: true };

    /// Counts how often it is asked.
    #[derive(Clone, Default)]
    struct Base(Arc<AtomicUsize>);

    impl Resolve for Base {
        fn urls(&self, hrefs: &[&str]) -> Vec<CanonicalUrl> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let base = CanonicalUrl::parse("http://h/d/").unwrap();
            hrefs.iter().map(|href| base.join(href).unwrap()).collect()
        }
    }

    /// A link that is resolved, two that are not, and one more that is.
    fn book() -> (LinkBook, Base) {
        let (mut book, base) = (LinkBook::default(), Base::default());
        let (first, last) = (("http://h/a", [7, 8, 8]), ("http://h/bc", [7, 8, 8]));
        assert!(!book.push_known("x", "", false, LinkKind::Area, MARK), "nobody resolves it");
        book.resolve_later(Box::new(base.clone()));
        book.push(first, "text", "", false, LinkKind::Anchor);
        assert!(book.push_known("x?y", "", false, LinkKind::Area, MARK));
        assert!(book.push_known("/", "nofollow", true, LinkKind::Anchor, MARK));
        book.push_marked(last, "", "", false, LinkKind::Anchor, Mark::default());
        (book, base)
    }

    const URLS: [&str; 4] = ["http://h/a", "http://h/d/x?y", "http://h/", "http://h/bc"];

    #[test]
    fn who_asks_for_a_url_finds_all_as_if_they_had_been_resolved() {
        let (book, base) = book();
        assert_eq!((book.len(), book.url_text(0), book.url_text(3)), (4, URLS[0], URLS[3]));
        assert_eq!([0, 1, 3].map(|at| book.mark(at).is_known), [false, true, false]);
        assert!(book.read_links().is_none());
        assert_eq!((book.url(3).as_str(), base.0.load(Ordering::Relaxed)), (URLS[3], 0));
        assert_eq!((book.url_text(1), book.url(2).as_str()), (URLS[1], URLS[2]));
        let links = book.links();
        assert!(links.iter().map(|link| link.url.as_str()).eq(URLS));
        assert_eq!(
            (&*links[0].text, &*links[2].rel, links[2].nofollow),
            ("text", "nofollow", true)
        );
        assert_eq!((links[1].kind, book.read_links()), (LinkKind::Area, Some(links)));
        let read = LinkBook::read(&book.frame()).unwrap();
        assert_eq!((read.links(), read.mark(1)), (links, Mark::default()));
        assert_eq!(base.0.load(Ordering::Relaxed), 1, "once for all");
    }

    #[test]
    fn a_link_that_is_added_later_is_there_too() {
        let (mut book, _) = book();
        assert_eq!(book.links().len(), 4);
        assert!(book.push_known("z", "", false, LinkKind::Anchor, MARK));
        assert_eq!((book.links().len(), book.url_text(4)), (5, "http://h/d/z"));
        book.push(("http://h/", [7, 8, 8]), "", "", false, LinkKind::Anchor);
        assert_eq!((book.links().len(), book.links()[5].url.as_str()), (6, "http://h/"));
    }

    #[test]
    fn who_follows_all_asks_for_no_url_and_copies_have_theirs() {
        let (book, base) = book();
        let book = Arc::new(book);
        let follows: Vec<_> = Follow::each(&book).collect();
        assert_eq!((follows.len(), base.0.load(Ordering::Relaxed)), (4, 0));
        let is_known = follows.iter().map(|follow| follow.mark().is_known);
        assert_eq!(Vec::from_iter(is_known), [false, true, true, false]);
        let copies = follows.clone();
        assert!(copies.iter().map(Follow::url_text).eq(URLS));
        assert!(copies.iter().all(|copy| copy.mark() == Mark::default()));
        assert_eq!(copies, follows);
    }

    #[test]
    fn there_is_room_for_so_many_references_and_the_rest_is_resolved() {
        let (mut book, _) = book();
        let first = "http://h/a";
        while book.push_known("x", "", false, LinkKind::Anchor, MARK) {}
        book.push((first, [7, 8, 8]), "", "", false, LinkKind::Anchor);
        assert_eq!(book.len(), References::MOST + 1);
        let links = book.links();
        assert_eq!(links[References::MOST].url.as_str(), first);
        assert_eq!(links[References::MOST - 1].url.as_str(), "http://h/d/x");
    }
}
