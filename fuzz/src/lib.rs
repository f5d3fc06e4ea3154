//! What is fed with hostile bytes: each function reads anything, and must neither panic, hang
//! nor grow out of proportion.
//!
//! Besides, each checks a law that must hold for any input.

use crawl_parser::plumbing::{self, Output, Query};
use url::Url;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("decode", decode),
    ("links", links),
    ("sitemap", sitemap),
    ("xpath", xpath),
    ("select", select),
    ("sniff", sniff),
    ("url", url),
];

fn base() -> Url {
    Url::parse("http://h.test/a/b?c").expect("a URL")
}

/// Splits off the first line: a header, a selector or an expression for the rest.
fn first_line(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&data[..end]).into_owned(), rest)
}

/// Decoding, with the first line as `Content-Type` and with none.
pub fn decode(data: &[u8]) {
    let (content_type, body) = first_line(data);
    plumbing::decode(body, Some(&content_type));
    let line = plumbing::decode(data, None);
    if data.is_ascii() {
        // Every encoding of the Web but these reads ASCII as it is.
        let is_odd = ["utf-16", "iso-2022-jp", "replacement"]
            .iter()
            .any(|odd| line.encoding.starts_with(odd));
        assert!(is_odd || line.text.len() == data.len(), "{}", line.encoding);
    }
}

/// Links of HTML; the stream and the tree must agree.
pub fn links(data: &[u8]) {
    for link in plumbing::links(data, Some("text/html"), &base()) {
        assert!(Url::parse(&link.url).is_ok(), "{}", link.url);
    }
}

/// Entries of sitemaps and feeds.
pub fn sitemap(data: &[u8]) {
    for entry in plumbing::sitemap(data, None, &base()) {
        assert!(entry.loc.as_str().starts_with("http"), "{}", entry.loc);
    }
}

/// The first line is an XPath expression for the rest.
pub fn xpath(data: &[u8]) {
    let (expression, body) = first_line(data);
    query(&Query::XPath(expression), body);
}

/// The first line is a CSS selector for the rest.
pub fn select(data: &[u8]) {
    let (selector, body) = first_line(data);
    query(&Query::Css(selector), body);
}

fn query(query: &Query, body: &[u8]) {
    for (content_type, output) in [
        ("text/html", Output::Html),
        ("text/xml", Output::Text),
        ("text/html", Output::Attr("href".to_owned())),
        ("text/html", Output::Markdown),
    ] {
        let base = base();
        let found = plumbing::selected(body, Some(content_type), Some(&base), query, output);
        // One line at a time: matches in matches repeat the document.
        found.into_iter().for_each(|found| found.lines().take(2000).for_each(drop));
    }
}

/// MIME sniffing, with the first line as `Content-Type` and with none.
pub fn sniff(data: &[u8]) {
    let (content_type, body) = first_line(data);
    crawl_parser::sniff_media_type(body, Some(&content_type));
    crawl_parser::sniff_media_type(data, None);
}

/// URLs: normalising twice is normalising once.
pub fn url(data: &[u8]) {
    let (base, input) = first_line(data);
    let input = String::from_utf8_lossy(input);
    for base in [None, Some("http://h.test/a/b?c"), Some(&*base)] {
        let line = plumbing::normalize(&input, base);
        assert_eq!(line.url.is_some(), line.error.is_none());
        let (Some(url), Some(key)) = (line.url, line.key) else { continue };
        let again = plumbing::normalize(&url, None);
        assert_eq!(again.url.as_deref(), Some(&*url), "of {input:?}");
        assert_eq!(again.key.as_deref(), Some(&*key), "of {input:?}");
        let of_key = plumbing::normalize(&key, None);
        assert_eq!(of_key.key.as_deref(), Some(&*key), "of {input:?}");
    }
}
