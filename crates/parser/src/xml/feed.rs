//! Links of XML documents that are lists of links: sitemaps, RSS and Atom feeds.
//!
//! Streaming, without a tree: the first tag says what it is, and then only the tags that hold
//! links are looked at.

use crawl_spider::{Link, LinkKind};

use crate::links::resolve::Resolver;
use crate::links::{Scan, prefix, short_text};
use crate::markup::charref::{decode_attribute, decode_text};
use crate::markup::scan::{Scanner, Start, Token};

/// What the root element says it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `urlset` and `sitemapindex` (sitemaps.org protocol): `loc`.
    Sitemap,
    /// RSS 0.9 to 2.0: `link` elements.
    Rss,
    /// Atom (RFC 4287, section 4.2.7): `link href`, alternates only.
    Atom,
}

/// Scans an XML document; no links if it is none of these.
pub(crate) fn scan_xml(text: &str, resolver: &Resolver) -> Scan {
    let mut pass = Pass { format: None, resolver, hold: None, scan: Scan::default() };
    for token in Scanner::xml(text) {
        if !pass.take(token) {
            break;
        }
    }
    pass.scan
}

/// The text of an element that is being collected.
struct Hold {
    is_title: bool,
    text: String,
}

struct Pass<'a> {
    format: Option<Format>,
    resolver: &'a Resolver,
    hold: Option<Hold>,
    scan: Scan,
}

impl Pass<'_> {
    /// Returns whether it is worth going on.
    fn take(&mut self, token: Token<'_>) -> bool {
        match token {
            Token::Text(text) => self.text(&decode_text(text)),
            Token::Raw(text) => self.text(text),
            Token::Start(tag) => match self.format {
                None => {
                    self.format = root(tag.name);
                    return self.format.is_some();
                }
                Some(format) => self.start(format, tag),
            },
            Token::End(..) => self.end(),
        }
        true
    }

    fn text(&mut self, text: &str) {
        // URLs are shorter, by far.
        const MAX_BYTES: usize = 16 * 1024;
        if let Some(hold) = &mut self.hold {
            let room = MAX_BYTES.saturating_sub(hold.text.len());
            hold.text.push_str(prefix(text, room));
        }
    }

    fn start(&mut self, format: Format, tag: Start<'_>) {
        let is_title = tag.name == "title" && self.scan.title.is_empty();
        let holds_link = match format {
            Format::Sitemap => tag.name == "loc",
            Format::Rss => tag.name == "link",
            Format::Atom => false,
        };
        self.hold = (is_title || holds_link).then(|| Hold { is_title, text: String::new() });
        if format == Format::Atom && tag.name == "link" && is_alternate(tag) {
            let href = tag.attr("href").map(decode_attribute).unwrap_or_default();
            self.push(&href, LinkKind::Feed);
        }
    }

    fn end(&mut self) {
        let Some(hold) = self.hold.take() else { return };
        if hold.is_title {
            self.scan.title = short_text(&hold.text);
        } else if self.format == Some(Format::Sitemap) {
            self.push(&hold.text, LinkKind::Sitemap);
        } else {
            self.push(&hold.text, LinkKind::Feed);
        }
    }

    fn push(&mut self, href: &str, kind: LinkKind) {
        let href = href.trim();
        if href.is_empty() {
            return;
        }
        if let Some(url) = self.resolver.link(href) {
            let (text, rel) = (Box::default(), Box::default());
            self.scan.links.push(Link { url, text, rel, nofollow: false, kind });
        }
    }
}

fn root(name: &str) -> Option<Format> {
    // A prefix on the root is rare, but legal.
    match name.rsplit(':').next().unwrap_or(name) {
        "urlset" | "sitemapindex" => Some(Format::Sitemap),
        "rss" | "RDF" => Some(Format::Rss),
        "feed" => Some(Format::Atom),
        _ => None,
    }
}

fn is_alternate(tag: Start<'_>) -> bool {
    tag.attr("rel").is_none_or(|rel| rel == "alternate")
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;
    use url::Url;

    use super::*;

    #[track_caller]
    fn check(xml: &str, expected: &[&str]) -> Scan {
        let resolver = Resolver::new(Url::parse("http://h/d/x.xml").unwrap(), UTF_8);
        let scan = scan_xml(xml, &resolver);
        let urls: Vec<_> = scan.links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, expected);
        scan
    }

    #[test]
    fn sitemaps_give_their_locations() {
        check(
            "<?xml version='1.0'?>\n<!-- <loc>http://h/no</loc> --><urlset xmlns:image='x'>\
             <url><loc>\n http://h/a?x=1&amp;y=2 </loc><lastmod>2020</lastmod>\
             <image:image><image:loc>http://h/i.png</image:loc></image:image></url>\
             <url><loc><![CDATA[http://h/b?x&y]]></loc></url><url><loc></loc></url></urlset>",
            &["http://h/a?x=1&y=2", "http://h/b?x&y"],
        );
        check(
            "<sitemapindex><sitemap><loc>http://h/s1.xml</loc></sitemap></sitemapindex>",
            &["http://h/s1.xml"],
        );
    }

    #[test]
    fn feeds_give_their_links() {
        let scan = check(
            "<rss><channel><title>News &amp; more</title><link>http://h/</link>\
             <atom:link href='http://h/self'/><item><title>x</title><link>a</link></item></channel></rss>",
            &["http://h/", "http://h/d/a"],
        );
        assert_eq!(scan.title, "News & more");
        check(
            "<feed><link rel='self' href='/feed'/><link href='/'/><entry>\
             <link rel='alternate' href='/1?a&amp;b'/><link rel='edit' href='/no'/></entry></feed>",
            &["http://h/", "http://h/1?a&b"],
        );
    }

    #[test]
    fn other_xml_has_no_links() {
        check("<note><loc>http://h/</loc><link>http://h/</link></note>", &[]);
        check("", &[]);
        check("<urlset><url><loc>http://h/cut", &[]);
    }
}
