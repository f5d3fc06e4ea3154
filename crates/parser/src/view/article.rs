//! The main text of a page, by dom_smoothie: the algorithm of Firefox's reader view.
//!
//! It reads a text and builds a tree of its own, so it is given ours, written out: nested no
//! deeper than 512, and without the attributes that only hostile documents have. What it found
//! is read by our own tree and Markdown again.

use crawl_spider::Article;
use dom_smoothie::{Config, Readability};

use super::Join;
use super::markdown::{markdown, plain};
use crate::dom::Dom;

/// Largest tree, in nodes and attributes, that is searched. The search looks at most of them
/// several times over.
const MAX_NODES: u32 = 400_000;

/// Elements, likewise.
const MAX_ELEMENTS: usize = 100_000;

/// Longest HTML, in bytes, that is searched.
const MAX_BYTES: usize = 4 << 20;

/// Searches a document for its main text. `None` if there is none, or the document is too large.
pub(crate) fn article(dom: &Dom, url: &str, join: &Join<'_>) -> Option<Article> {
    if dom.len() > MAX_NODES {
        return None;
    }
    let html = dom.outer(dom.document());
    if html.len() > MAX_BYTES {
        return None;
    }
    let config = Config {
        // Its reader of JSON is lenient to the point of guessing; the page view has its own.
        disable_json_ld: true,
        max_elements_to_parse: MAX_ELEMENTS,
        ..Config::default()
    };
    let found = Readability::new(html, Some(url), Some(config)).ok()?.parse().ok()?;
    let content = Dom::html(&found.content, &[]);
    let text = plain(&content, content.document());
    if text.is_empty() {
        return None;
    }
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Some(Article {
        title: found.title,
        byline: some(found.byline),
        excerpt: some(found.excerpt),
        site_name: some(found.site_name),
        language: some(found.lang),
        published: some(found.published_time),
        modified: some(found.modified_time),
        image: some(found.image).map(|image| join(&image).unwrap_or(image)),
        markdown: markdown(&content, content.document(), join),
        text,
        html: found.content.to_string(),
    })
}
