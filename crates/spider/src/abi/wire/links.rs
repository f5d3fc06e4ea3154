//! A page's links, from which neither texts nor URLs are made before somebody looks at a link.
//!
//! Most spiders follow links without a look at them, and most links are known: then the text of its
//! URL is all that is needed of a link. So the texts of all links lie in one, with a record of one
//! length for each. To a plugin they go as one frame, and come back as numbers.
//!
//! Of links that are known to be known not even the text is made: see `references.rs`.

mod references;

use std::sync::OnceLock;

use crawl_model::CanonicalUrl;

use self::references::References;
pub use self::references::{LinkEntry, Mark, Resolve};
use super::bytes::{Reader, Wire, WireError, wire_enum};
use crate::{Link, LinkKind};

/// Bytes of a record in a frame: lengths of URL, text and `rel`, the URL's places, `nofollow`, the
/// kind.
const RECORD: usize = 6 * 4 + 2;

/// A page's links in document order.
#[derive(Debug, Default)]
pub struct LinkBook {
    records: Vec<Record>,
    /// Of each link the URL, the text and the `rel`, one behind the other.
    texts: String,
    /// The links once they are read.
    links: OnceLock<Vec<Link>>,
    /// What becomes of links that stand as references; `None` if none does.
    references: Option<References>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// Where its URL begins.
    start: u32,
    url: u32,
    text: u32,
    rel: u32,
    /// [`CanonicalUrl::parts`].
    places: [u32; 3],
    nofollow: bool,
    kind: LinkKind,
    /// Whether the URL is a reference that is not resolved.
    is_reference: bool,
    mark: Mark,
}

impl LinkBook {
    /// An empty one, with room for as many links and as many bytes of text.
    #[must_use]
    pub fn with_capacity(n_links: usize, n_bytes: usize) -> Self {
        let (records, texts) = (Vec::with_capacity(n_links), String::with_capacity(n_bytes));
        Self { records, texts, ..Self::default() }
    }

    /// Adds a link. `url` is text and places of a canonical URL
    /// ([`WebUrl::canonical`](crawl_model::WebUrl::canonical)), which is taken on trust.
    pub fn push(
        &mut self,
        url: (&str, [u32; 3]),
        text: &str,
        rel: &str,
        nofollow: bool,
        kind: LinkKind,
    ) {
        self.push_marked(url, text, rel, nofollow, kind, Mark::default());
    }

    /// As [`push`](Self::push), with what the host remembers the link by.
    pub fn push_marked(
        &mut self,
        url: (&str, [u32; 3]),
        text: &str,
        rel: &str,
        nofollow: bool,
        kind: LinkKind,
        mark: Mark,
    ) {
        self.put(url, [text, rel], (nofollow, kind), mark, false);
    }

    #[inline]
    fn put(
        &mut self,
        (url, places): (&str, [u32; 3]),
        [text, rel]: [&str; 2],
        (nofollow, kind): (bool, LinkKind),
        mark: Mark,
        is_reference: bool,
    ) {
        let start = self.texts.len();
        let end = start + url.len() + text.len() + rel.len();
        if u32::try_from(end).is_err() {
            return; // bodies have limits far below
        }
        let [start, url_len, text_len, rel_len] =
            [start, url.len(), text.len(), rel.len()].map(|length| length as u32);
        // Most have no more than a URL.
        let texts = [url, text, rel].into_iter().filter(|text| !text.is_empty());
        texts.for_each(|text| self.texts.push_str(text));
        let (url, text, rel) = (url_len, text_len, rel_len);
        let record = Record { start, url, text, rel, places, nofollow, kind, is_reference, mark };
        self.records.push(record);
        if self.links.get().is_some() {
            self.links.take();
        }
        if let Some(references) = &mut self.references {
            references.forget();
        }
    }

    /// Adds a link that is made already.
    pub fn push_link(&mut self, link: &Link) {
        let Link { url, text, rel, nofollow, kind } = link;
        self.push(url.parts(), text, rel, *nofollow, *kind);
    }

    /// Number of links.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The text of a link's URL; empty if there is no such link.
    #[must_use]
    pub fn url_text(&self, at: u32) -> &str {
        match self.records.get(at as usize) {
            Some(record) if record.is_reference => self.whole().url_text(at),
            Some(record) => self.cut(record.start, record.url),
            None => "",
        }
    }

    /// A link's URL.
    ///
    /// # Panics
    /// If there is no such link.
    #[must_use]
    pub fn url(&self, at: u32) -> CanonicalUrl {
        match self.links.get() {
            Some(links) => links[at as usize].url.clone(),
            None if self.records[at as usize].is_reference => self.whole().url(at),
            None => self.url_of(&self.records[at as usize]),
        }
    }

    /// Number by number from this one on, whether a link is marked `nofollow`.
    pub(crate) fn nofollows(&self, first: u32) -> impl Iterator<Item = bool> {
        let records = self.records.get(first as usize..).unwrap_or_default();
        records.iter().map(|record| record.nofollow)
    }

    /// The links, made when they are first asked for.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        let own =
            || self.links.get_or_init(|| self.records.iter().map(|it| self.link(it)).collect());
        if self.has_references() { self.whole().links() } else { own() }
    }

    /// The links, if they have been asked for.
    pub(crate) fn read_links(&self) -> Option<&[Link]> {
        let whole = self.references.as_ref().and_then(References::read);
        whole.unwrap_or(self).links.get().map(Vec::as_slice)
    }

    fn link(&self, record: &Record) -> Link {
        let Record { start, url, text, rel, nofollow, kind, .. } = *record;
        Link {
            url: self.url_of(record),
            text: self.cut(start + url, text).into(),
            rel: self.cut(start + url + text, rel).into(),
            nofollow,
            kind,
        }
    }

    fn url_of(&self, record: &Record) -> CanonicalUrl {
        CanonicalUrl::from_parts(self.cut(record.start, record.url), record.places)
            .expect("only canonical URLs are put into a book")
    }

    fn cut(&self, start: u32, len: u32) -> &str {
        &self.texts[start as usize..(start + len) as usize]
    }

    /// All of it as bytes: how many links, a record of each, their texts.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        if self.has_references() {
            return self.whole().frame();
        }
        let n_bytes = 4 + self.records.len() * RECORD + self.texts.len();
        let mut out = Vec::with_capacity(n_bytes);
        out.extend_from_slice(&(self.records.len() as u32).to_le_bytes());
        for Record { url, text, rel, places, nofollow, kind, .. } in &self.records {
            let [host_start, host_end, path_start] = *places;
            let numbers = [*url, *text, *rel, host_start, host_end, path_start];
            out.extend_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
            nofollow.put(&mut out);
            kind.put(&mut out);
        }
        out.extend_from_slice(self.texts.as_bytes());
        out
    }

    /// Reads what a host wrote by [`frame`](Self::frame).
    ///
    /// # Errors
    /// [`WireError`] if it is no frame: its records must say what texts there are, and each URL be
    /// one.
    pub(crate) fn read(frame: &[u8]) -> Result<Self, WireError> {
        let n_links = u32::from_le_bytes(Reader::trusted(frame).array()?) as usize;
        let size = n_links.checked_mul(RECORD).ok_or(WireError::Short)?;
        let (records, texts) = frame[4..].split_at_checked(size).ok_or(WireError::Short)?;
        let texts = std::str::from_utf8(texts).map_err(|_| WireError::Utf8)?;
        let mut book = Self::with_capacity(n_links, 0);
        let mut rest = texts;
        for record in records.chunks_exact(RECORD) {
            let start = (texts.len() - rest.len()) as u32;
            let record = Record::read(start, record)?;
            for length in [record.url, record.text, record.rel] {
                rest = rest.split_at_checked(length as usize).ok_or(WireError::Short)?.1;
            }
            book.records.push(record);
        }
        match rest.len() {
            0 => Ok(Self { texts: texts.to_owned(), ..book }),
            n => Err(WireError::Long(n)),
        }
    }
}

impl Record {
    fn read(start: u32, record: &[u8]) -> Result<Self, WireError> {
        let from = &mut Reader::trusted(record);
        let mut number = || from.array().map(u32::from_le_bytes);
        let [url, text, rel] = [number()?, number()?, number()?];
        let places = [number()?, number()?, number()?];
        let (nofollow, kind) = (from.get()?, from.get()?);
        let (is_reference, mark) = (false, Mark::default());
        Ok(Self { start, url, text, rel, places, nofollow, kind, is_reference, mark })
    }
}

impl From<Vec<Link>> for LinkBook {
    fn from(links: Vec<Link>) -> Self {
        let mut book = Self::default();
        links.iter().for_each(|link| book.push_link(link));
        Self { links: OnceLock::from(links), ..book }
    }
}

wire_enum! {
    LinkKind, "kind of link":
    Anchor = 0, Area = 1, Refresh = 2, Resource = 3, Image = 4, Script = 5, Frame = 6, Form = 7,
    Header = 8, Style = 9, Sitemap = 10, Feed = 11, Reader = 12,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Vec<Link> {
        let link = |url: &str, text: &str, rel: &str, nofollow, kind| Link {
            url: CanonicalUrl::parse(url).unwrap(),
            text: text.into(),
            rel: rel.into(),
            nofollow,
            kind,
        };
        vec![
            link("http://joe:pw@h:81/a?b", "ü", "", false, LinkKind::Anchor),
            link("https://[::1]/", "", "nofollow me", true, LinkKind::Reader),
        ]
    }

    #[test]
    fn links_come_back_whole_and_when_they_are_asked_for() {
        let book = LinkBook::read(&LinkBook::from(links()).frame()).unwrap();
        assert_eq!(Vec::from_iter(book.nofollows(0)), [false, true]);
        assert_eq!(Vec::from_iter(book.nofollows(1)), [true]);
        assert_eq!((book.nofollows(2).count(), book.nofollows(u32::MAX).count()), (0, 0));
        assert_eq!(
            [0, 1, 2].map(|at| book.url_text(at)),
            ["http://joe:pw@h:81/a?b", "https://[::1]/", ""]
        );
        assert_eq!(book.url(1), links()[1].url);
        assert!(book.read_links().is_none());
        assert_eq!(book.links(), links());
        assert_eq!(book.url(0).path(), "/a");
        assert!(LinkBook::read(&LinkBook::default().frame()).unwrap().links().is_empty());
    }

    #[test]
    fn a_link_that_is_added_later_is_read_too() {
        let mut book = LinkBook::from(links());
        assert_eq!(book.links().len(), 2);
        book.push_link(&links()[0]);
        assert_eq!((book.len(), book.links().len()), (3, 3));
        assert_eq!(book.links()[2], links()[0]);
    }

    #[test]
    fn a_frame_that_is_cut_or_too_long_is_none() {
        let frame = LinkBook::from(links()).frame();
        for end in 0..frame.len() {
            // A cut in a character is no text either.
            let error = LinkBook::read(&frame[..end]).unwrap_err();
            assert!(matches!(error, WireError::Short | WireError::Utf8), "{end}: {error}");
        }
        assert_eq!(LinkBook::read(&[&frame[..], b"x"].concat()).unwrap_err(), WireError::Long(1));
        let mut wrong = frame;
        wrong[4 + 2 * RECORD] = 0xff;
        assert_eq!(LinkBook::read(&wrong).unwrap_err(), WireError::Utf8);
    }
}
