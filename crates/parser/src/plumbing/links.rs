//! `crawl links`: which links a document has.

use std::borrow::Cow;

use encoding_rs::{EncoderResult, Encoding, UTF_8};
use serde::Serialize;
use url::Url;

use crate::decode::kind::Kind;
use crate::decode::{Decoded, decode};
use crate::dom::Dom;
use crate::links::collect::Collected;
use crate::links::kinds::Kinds;
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
/// **Only URLs of the web are links**: what resolves to `mailto:`, `javascript:`, `data:` or any
/// other scheme than http and https is left out, as is what does not parse. Links within the page
/// (`href="#top"`) are links here. They are resolved against the first `base` whose `href` gives a
/// URL of the web, or `base`; queries are encoded in the document's encoding (HTML Standard,
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
    let Decoded { text, encoding } = decode(body, content_type, Kind::Html);
    let mut links = Links::new(Kinds::default(), true);
    if outline::read(&text, &mut links).is_ok() {
        lines(&links.finish(), base, encoding)
    } else {
        let dom = Dom::html(&text, &crowds(&text));
        lines(&tree::collect(&dom, Kinds::default(), true), base, encoding)
    }
}

fn lines(found: &Collected<'_>, base: &Url, encoding: &'static Encoding) -> Vec<LinkLine> {
    let own = found.bases.iter().find_map(|href| join(base, encoding, href));
    let base = own.as_ref().unwrap_or(base);
    let line = |link: &crate::links::collect::RawLink<'_>| {
        Some(LinkLine {
            url: join(base, encoding, &link.href)?.into(),
            text: found.texts[link.text.clone()].to_owned(),
            rel: link.rel.split_ascii_whitespace().map(str::to_owned).collect(),
            tag: link.tag,
            attr: link.attr,
            nofollow: found.is_nofollow(link),
        })
    };
    found.links.iter().filter_map(line).collect()
}

/// Resolves a reference; `None` if it gives no URL of the web.
fn join(base: &Url, encoding: &'static Encoding, href: &str) -> Option<Url> {
    let encoding = encoding.output_encoding();
    let encode: &dyn Fn(&str) -> Cow<'_, [u8]> = &|query| encode_query(query, encoding);
    let encode = (encoding != UTF_8).then_some(encode);
    let url = Url::options().base_url(Some(base)).encoding_override(encode).parse(href).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// "Percent-encode after encoding" (URL Standard, section 1.3), but for the percents.
fn encode_query(query: &str, encoding: &'static Encoding) -> Cow<'static, [u8]> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(query.len() * 2 + 16);
    let mut rest = query;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        out.reserve(room.unwrap_or(rest.len() * 4 + 16));
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return Cow::Owned(out),
            EncoderResult::OutputFull => {} // more room is reserved above
            EncoderResult::Unmappable(c) => {
                out.extend_from_slice(format!("%26%23{}%3B", u32::from(c)).as_bytes());
            }
        }
    }
}
