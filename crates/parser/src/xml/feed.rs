//! Links of XML documents that are lists of links: sitemaps, RSS and Atom feeds.
//!
//! The entries are those of [`entries`](super::entries). For a crawl the page that a feed belongs
//! to is a link as well, though it is no entry.

use std::borrow::Cow;
use std::sync::Arc;

use crawl_spider::{Link, LinkKind};
use url::Url;

use super::entries::{Entries, Format, Found};
use super::reader::Reader;
use crate::links::{Scan, short_text};

/// Scans an XML document; no links if it is none of these.
pub(crate) fn scan_xml(text: &str, base: Url) -> Scan {
    let (mut links, mut title) = (Vec::new(), String::new());
    let mut entries = Entries::new(Reader::new(Cow::Borrowed(text)), base);
    while let Some(found) = entries.next() {
        let url = match found {
            Found::Entry(entry) => match entry.loc {
                Some(url) => url,
                None => continue,
            },
            Found::Home(url) => url,
            Found::Title(text) => {
                if title.is_empty() {
                    title = short_text(&text);
                }
                continue;
            }
        };
        let kind = match entries.format() {
            Some(Format::Sitemap) => LinkKind::Sitemap,
            _ => LinkKind::Feed,
        };
        let (text, rel) = (Box::default(), Box::default());
        links.push(Link { url, text, rel, nofollow: false, kind });
    }
    Scan { links: Arc::new(links.into()), title, ..Scan::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(xml: &str, expected: &[&str]) -> Scan {
        let scan = scan_xml(xml, Url::parse("http://h/d/x.xml").unwrap());
        let urls: Vec<_> = scan.links.links().iter().map(|link| link.url.as_str()).collect();
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
