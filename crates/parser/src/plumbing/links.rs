//! `crawl links`: which links a document has.

use encoding_rs::Encoding;
use serde::Serialize;
use url::Url;

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::{Decoded, Legacy, decode_with};
use crate::dom::Dom;
use crate::links::collect::{Collected, LinkTexts, RawLink};
use crate::links::kinds::Kinds;
use crate::links::resolve::Resolver;
use crate::links::stream::Links;
use crate::links::tree;
use crate::markup::outline;
use crate::markup::scan::crowds;

/// A line of `crawl links`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkLine {
    /// The absolute URL, fragment kept.
    pub url: String,
    /// The link's `textContent` as it stands in the document; empty for `area` and `meta`.
    pub text: String,
    /// The words of its `rel`, as written.
    pub rel: Vec<String>,
    /// The element it stands in: `a`, `area` or `meta`.
    pub tag: &'static str,
    /// The attribute it stands in: `href`, `content`, or `xlink:href` in SVG.
    pub attr: &'static str,
    /// Whether its `rel` or the document's robots meta tag says `nofollow`.
    pub nofollow: bool,
}

/// The links of an HTML document, in document order, repeated ones included: `a` and `area` with
/// an `href` (in SVG, too) and `meta http-equiv=refresh` with a target.
///
/// All that parses is a link here: `mailto:` and `javascript:`, too, which a crawl leaves alone, and
/// places within the page (`href="#top"`). They are resolved against the first `base` whose `href`
/// gives a URL of the web, or `base`; queries are encoded in the document's encoding (HTML Standard,
/// section 2.4.1). Whatever the body is, it is read as HTML.
///
/// # Examples
/// ```
/// let base = url::Url::parse("http://h/d/").expect("it is a URL");
/// let html = b"<base href=/b/><p>See <a href=x#y rel='next tag'>the <b>next</b></a>";
/// let lines = crawl_parser::plumbing::links(html, None, &base);
/// assert_eq!(lines.len(), 1);
/// assert_eq!((&*lines[0].url, &*lines[0].text), ("http://h/b/x#y", "the next"));
/// assert_eq!(lines[0].rel, ["next", "tag"]);
/// ```
#[must_use]
pub fn links(body: &[u8], content_type: Option<&str>, base: &Url) -> Vec<LinkLine> {
    let declared = Declared::of_header(content_type);
    let Decoded { text, encoding } = decode_with(body, &declared, Kind::Html, Legacy::Western);
    let mut links = Links::new(Kinds::default(), LinkTexts::Whole);
    if outline::read(&text, &mut links).is_ok() {
        lines(&links.finish(), base, encoding)
    } else {
        let dom = Dom::html(&text, &crowds(&text));
        lines(&tree::collect(&dom, Kinds::default(), LinkTexts::Whole), base, encoding)
    }
}

fn lines(found: &Collected<'_>, base: &Url, encoding: &'static Encoding) -> Vec<LinkLine> {
    let mut resolver = Resolver::new(base.clone(), encoding);
    let _ = found.bases.iter().any(|href| resolver.rebase(href));
    let line = |link: &RawLink<'_>| {
        Some(LinkLine {
            url: resolver.resolve_text(&link.href)?,
            text: found.texts[link.text.clone()].to_owned(),
            rel: link.rel.split_ascii_whitespace().map(str::to_owned).collect(),
            tag: link.tag,
            attr: link.attr,
            nofollow: found.is_nofollow(link),
        })
    };
    found.links.iter().filter_map(line).collect()
}
