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
use crawl_spider::{Alternate, News};

use super::field::is;
use super::pass::Pass;
use super::reader::{Event, Reader};

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
    pub(super) fn owns(self, namespace: &str) -> bool {
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
    /// Its address; only entries of feeds that are read closely may have none.
    pub(crate) loc: Option<CanonicalUrl>,
    /// When it changed last, in ISO 8601.
    pub(crate) lastmod: Option<String>,
    /// How often it changes: one of the protocol's seven words.
    pub(crate) changefreq: Option<&'static str>,
    /// Its priority, 0 to 1.
    pub(crate) priority: Option<f64>,
    /// Whether it is a sitemap itself.
    pub(crate) is_sitemap: bool,
    /// The same in other languages; only if it is read closely.
    pub(crate) alternates: Vec<Alternate>,
    /// What a feed says of it; only if it is read closely.
    pub(crate) news: Option<Box<News>>,
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

    /// Reads all that is said of the entries, not only what a crawl needs.
    pub(crate) fn closely(mut self) -> Self {
        self.pass.read_closely();
        self
    }

    /// What the document is, once its root element is read.
    pub(crate) fn format(&self) -> Option<Format> {
        self.pass.format()
    }
}

impl Iterator for Entries<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let Self { reader, pass } = self;
        while !pass.is_done() {
            let found = match reader.read()? {
                Event::Start(start) => pass.start(&start),
                Event::End => pass.end(),
                Event::Text(text) => {
                    pass.text(text);
                    None
                }
                Event::Refused(_) | Event::External => {
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
