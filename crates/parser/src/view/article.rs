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

/// Most elements of a document that is searched.
const MAX_ELEMENTS: usize = 100_000;

/// Most that the depths of its elements may sum up to: the search walks up from each of them
/// again and again. An honest page with that many elements has a fifth of it.
const MAX_DEPTHS: usize = 3_000_000;

/// Longest HTML, in bytes, that is searched.
const MAX_BYTES: usize = 4 << 20;

/// Searches a document for its main text. `None` if there is none, or the document is too large.
pub(crate) fn article(dom: &Dom, url: &str, join: &Join<'_>) -> Option<Article> {
    if !is_affordable(dom) {
        return None;
    }
    let html = dom.outer(dom.document());
    if html.len() > MAX_BYTES {
        return None;
    }
    let config = Config {
        // Its reader of JSON is lenient to the point of guessing; the page view has its own.
        disable_json_ld: true,
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

fn is_affordable(dom: &Dom) -> bool {
    let (mut n_elements, mut depths) = (0, 0);
    // The ends of the elements that are open.
    let mut open: Vec<u32> = Vec::new();
    for node in dom.descendants(dom.document()).filter(|node| dom.is_element(*node)) {
        while open.pop_if(|end| *end <= node.0).is_some() {}
        open.push(dom.end(node));
        n_elements += 1;
        depths += open.len();
        if n_elements > MAX_ELEMENTS || depths > MAX_DEPTHS {
            return false;
        }
    }
    true
}
