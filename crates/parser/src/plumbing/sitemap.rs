//! `crawl sitemap`: the entries of a sitemap or feed, one line each.
//!
//! Lazy: an entry is read when it is asked for, so that what is kept at a time is the document
//! and one entry.

use std::borrow::Cow;

use crawl_model::CanonicalUrl;
use crawl_spider::EntryKind;
use encoding_rs::UTF_8;
use serde::Serialize;
use url::Url;

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::{Legacy, decode_with};
use crate::links::resolve::Resolver;
use crate::xml::entries::{Entries, Entry, Format, Found};
use crate::xml::reader::Reader;
use crate::xml::{gunzip, trim};

/// An entry of a sitemap or feed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SitemapLine {
    /// Its address: absolute, as the URL Standard serialises it, without fragment.
    pub loc: CanonicalUrl,
    /// When it changed last, in ISO 8601. Dates of sitemaps and Atom have the precision and the
    /// zone that they are written with; those of RSS become `2003-05-17T19:00:00+00:00`.
    pub lastmod: Option<String>,
    /// How often it changes: `always`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `never`.
    pub changefreq: Option<&'static str>,
    /// Its priority, 0 to 1.
    pub priority: Option<f64>,
    /// What the address leads to.
    pub kind: SitemapKind,
}

/// What an entry leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SitemapKind {
    /// A page.
    Url,
    /// A further sitemap.
    Sitemap,
}

/// Reads a sitemap (sitemaps.org protocol: urlset, sitemapindex, or one URL per line), an RSS or
/// an Atom feed; compressed ones, too. Any other body has no entries.
///
/// Relative addresses are resolved against `base`; entries without an address that can be
/// crawled are left out, and so is the last one of a document that is cut within it.
///
/// # Examples
/// ```
/// let base = url::Url::parse("http://h/sitemap.xml")?;
/// let xml = b"<urlset><url><loc>/a</loc><priority>0.5</priority></url></urlset>";
/// let lines: Vec<_> = crawl_parser::plumbing::sitemap(xml, None, &base).collect();
/// assert_eq!(lines[0].loc.as_str(), "http://h/a");
/// assert_eq!(lines[0].priority, Some(0.5));
/// # Ok::<(), url::ParseError>(())
/// ```
pub fn sitemap<'a>(body: &'a [u8], content_type: Option<&str>, base: &Url) -> Sitemap<'a> {
    let (text, is_cut) = match gunzip(body) {
        Some(unzipped) => (Cow::Owned(decode_owned(unzipped.bytes, content_type)), unzipped.is_cut),
        None => (as_xml(body, content_type), false),
    };
    Sitemap(if is_xml(&text) {
        Source::Xml(Box::new(Entries::new(Reader::new(text), base.clone())))
    } else {
        Source::Lines { text, pos: 0, is_cut, resolver: Resolver::new(base.clone(), UTF_8) }
    })
}

/// All entries of a text, with all that is said of them; none if it is no list of URLs. Of texts
/// that are not XML those count that begin with a whole URL.
///
/// What is kept is in proportion to the text: short references with long bases are cut off.
pub(crate) fn entries(text: &str, is_cut: bool, base: &CanonicalUrl) -> Vec<crawl_spider::Entry> {
    let (base, text) = (base.to_url(), Cow::Borrowed(text));
    let mut room = 1024 * 1024 + 4 * text.len();
    let source = if is_xml(&text) {
        Source::Xml(Box::new(Entries::new(Reader::new(text), base).closely()))
    } else if is_absolute(trim(&text)) {
        Source::Lines { text, pos: 0, is_cut, resolver: Resolver::new(base, UTF_8) }
    } else {
        return Vec::new();
    };
    let is_feed = |source: &Source<'_>| match source {
        Source::Xml(entries) => entries.format() != Some(Format::Sitemap),
        Source::Lines { .. } => false,
    };
    let mut source = source;
    let mut all = Vec::new();
    while let Some(entry) = source.next() {
        let urls = entry.loc.iter().chain(entry.alternates.iter().map(|it| &it.url));
        let n_bytes: usize = urls.map(|url| url.as_str().len()).sum();
        let Some(rest) = room.checked_sub(n_bytes) else { break };
        room = rest;
        let kind = match entry.is_sitemap {
            true => EntryKind::Sitemap,
            false if is_feed(&source) => EntryKind::News,
            false => EntryKind::Page,
        };
        all.push(crawl_spider::Entry {
            url: entry.loc,
            kind,
            lastmod: entry.lastmod.map(Into::into),
            changefreq: entry.changefreq.map(Into::into),
            priority: entry.priority,
            alternates: entry.alternates,
            news: entry.news,
        });
    }
    all
}

fn is_xml(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').starts_with('<')
}

fn as_xml<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let declared = Declared::of_header(content_type);
    decode_with(without_blanks(body), &declared, Kind::Xml, Legacy::Western).text
}

/// Blanks before the XML declaration hide it from who looks for the encoding in it.
fn without_blanks(body: &[u8]) -> &[u8] {
    let rest = body.trim_ascii_start();
    if rest.starts_with(b"<?xml") { rest } else { body }
}

/// Decodes without copying what is UTF-8 already.
fn decode_owned(bytes: Vec<u8>, content_type: Option<&str>) -> String {
    let start = match as_xml(&bytes, content_type) {
        // What is borrowed is all from some place on.
        Cow::Borrowed(text) => bytes.len() - text.len(),
        Cow::Owned(text) => return text,
    };
    let mut rest = bytes;
    rest.drain(..start);
    String::from_utf8(rest)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Iterator over the entries of a sitemap or feed; see [`sitemap`].
pub struct Sitemap<'a>(Source<'a>);

enum Source<'a> {
    Xml(Box<Entries<'a>>),
    Lines { text: Cow<'a, str>, pos: usize, is_cut: bool, resolver: Resolver },
}

impl Iterator for Sitemap<'_> {
    type Item = SitemapLine;

    fn next(&mut self) -> Option<SitemapLine> {
        loop {
            let entry = self.0.next()?;
            if let Some(loc) = entry.loc {
                return Some(SitemapLine {
                    loc,
                    lastmod: entry.lastmod,
                    changefreq: entry.changefreq,
                    priority: entry.priority,
                    kind: if entry.is_sitemap { SitemapKind::Sitemap } else { SitemapKind::Url },
                });
            }
        }
    }
}

impl Source<'_> {
    fn next(&mut self) -> Option<Entry> {
        match self {
            Self::Xml(entries) => entries.find_map(|found| match found {
                Found::Entry(entry) => Some(entry),
                Found::Home(_) | Found::Title(_) => None,
            }),
            Self::Lines { text, pos, is_cut, resolver } => {
                while *pos < text.len() {
                    let rest = &text[*pos..];
                    let len = rest.find(['\n', '\r']);
                    if len.is_none() && *is_cut {
                        return None;
                    }
                    let line = trim(&rest[..len.unwrap_or(rest.len())]);
                    *pos += len.map_or(rest.len(), |len| len + 1);
                    if is_reference(line)
                        && let Some(loc) = resolver.link(line)
                    {
                        let (lastmod, changefreq, priority, news) = (None, None, None, None);
                        let (is_sitemap, alternates) = (false, Vec::new());
                        let loc = Some(loc);
                        return Some(Entry {
                            loc,
                            lastmod,
                            changefreq,
                            priority,
                            is_sitemap,
                            alternates,
                            news,
                        });
                    }
                }
                None
            }
        }
    }
}

/// Whether a line can be meant as a URL. Any text would resolve against a base; so what is not
/// absolute must be written as URLs are (URL Standard, "URL code points"), and no comment.
fn is_reference(line: &str) -> bool {
    let is_code_point =
        |c: char| c.is_ascii_alphanumeric() || "!$&'()*+,-./:;=?@_~%#".contains(c) || c >= '\u{a0}';
    is_absolute(line)
        || (!line.is_empty() && !line.starts_with('#') && line.chars().all(is_code_point))
}

fn is_absolute(line: &str) -> bool {
    ["http:", "https:"].iter().any(|scheme| {
        line.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}
