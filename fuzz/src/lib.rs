//! What is fed with hostile bytes: each function reads anything, and must neither panic, hang
//! nor grow out of proportion.
//!
//! Besides, each checks a law that must hold for any input.

use crawl_parser::plumbing::{self, Output, Query};
use crawl_robots::{Robots, Rules};
use url::Url;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 9] = [
    ("decode", decode),
    ("links", links),
    ("sitemap", sitemap),
    ("xpath", xpath),
    ("select", select),
    ("propose", propose),
    ("sniff", sniff),
    ("url", url),
    ("robots", robots),
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
    let _ = plumbing::decode(body, Some(&content_type));
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

/// A spider for a page: its names and selectors are fit for a config, and it finds what it says.
pub fn propose(data: &[u8]) {
    // What repeats is a list.
    let body = data.repeat(if data.len() < 4096 { 4 } else { 1 });
    let page = crawl_parser::page_from_body(base().as_str(), "text/html", body);
    let Ok(proposal) = crawl_parser::propose(page.expect("the base is a URL")) else { return };
    assert!(proposal.items.len() >= 3 && !proposal.fields.is_empty());
    for field in &proposal.fields {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(!field.name.is_empty() && field.name.chars().all(is_name), "{field:?}");
        assert!(!field.css.contains(char::is_control), "{field:?}");
    }
    assert!(crawl_parser::ConfigSpider::new(proposal.to_config()).is_ok());
}

/// MIME sniffing, with the first line as `Content-Type` and with none.
pub fn sniff(data: &[u8]) {
    let (content_type, body) = first_line(data);
    let _ = crawl_parser::sniff_media_type(body, Some(&content_type));
    let _ = crawl_parser::sniff_media_type(data, None);
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

/// A robots.txt: the first line is a path to ask for, the rest the file.
///
/// However a path is spelled, the verdict is the same; robots.txt itself is always allowed; a
/// file without a byte order mark says the same with one.
pub fn robots(data: &[u8]) {
    let (path, file) = first_line(data);
    // The fragment is no part of the path, and escaping its sign would make it one.
    let path = format!("/{}", path.split('#').next().unwrap_or_default());
    let robots = Robots::parse(file);
    let marked = Robots::parse(&[b"\xEF\xBB\xBF", file].concat());
    for agent in ["ExampleBot", "a", "*", &path] {
        let rules = robots.rules(agent);
        assert!(rules.allows("/robots.txt") && rules.allows("/%72obots.txt#x"));
        assert!(rules.crawl_delay().is_none_or(|delay| delay.is_finite() && delay >= 0.0));
        spellings(&rules, &path);
        if !file.starts_with(b"\xEF\xBB\xBF") && file.len() < (500 << 10) {
            assert_eq!(marked.rules(agent).allows(&path), rules.allows(&path), "{path:?}");
        }
        // Long paths, of what the file itself is made of.
        let long = String::from_utf8_lossy(&file[..file.len().min(4096)]);
        let _ = rules.allows(&long);
    }
    assert!(Robots::parse(b"").rules("a").allows(&path));
    assert!(path == "/robots.txt" || !Rules::disallow_all().allows(&format!("{path}?")));
    let sitemaps = robots.sitemaps();
    assert!(sitemaps.iter().all(|url| !url.is_empty() && !url.contains(['\n', '\r', '#'])));
}

/// Escapes what may be escaped without a change of meaning; the verdict stays.
fn spellings(rules: &Rules, path: &str) {
    let verdict = rules.allows(path);
    let escape = |bytes: &[u8], upper: bool| -> String {
        let hex = |byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        bytes.iter().map(hex).collect()
    };
    for upper in [true, false] {
        let mut spelled = String::new();
        let mut rest = path;
        while let Some(c) = rest.chars().next() {
            let bytes = rest.as_bytes();
            let is_escape =
                c == '%' && bytes.len() > 2 && bytes[1..3].iter().all(u8::is_ascii_hexdigit);
            let len = if is_escape { 3 } else { c.len_utf8() };
            let (piece, after) = rest.split_at(len);
            rest = after;
            let stands_for_itself = c.is_ascii() && "/:?[]@!&'()+,;=".contains(c);
            spelled += &match piece {
                piece if is_escape && upper => piece.to_uppercase(),
                piece if is_escape => piece.to_lowercase(),
                piece if stands_for_itself => piece.to_owned(),
                piece => escape(piece.as_bytes(), upper),
            };
        }
        assert_eq!(rules.allows(&spelled), verdict, "{path:?} and {spelled:?}");
    }
}
