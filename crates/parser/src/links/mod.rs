//! Links, and where a document speaks of itself, in one pass without a tree.
//!
//! `kinds.rs` says which markup is a link, `collect.rs` gathers it, told of elements and texts by
//! the stream (`stream.rs`) or, where that is ambiguous, by the tree (`tree.rs`): both give the same
//! list. What counts follows the HTML Standard with scripting off: `noscript` content counts,
//! `template` content does not.

pub(crate) mod kinds;

pub(crate) mod collect;
pub(crate) mod stream;
pub(crate) mod tree;

pub(crate) mod head;
pub(crate) mod memo;
pub(crate) mod resolve;
pub(crate) mod reticence;

pub(crate) mod directives;
pub(crate) mod refresh;

mod css;
mod header;
mod srcset;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use crawl_model::CanonicalUrl;
use crawl_spider::abi::wire::LinkBook;
use crawl_spider::{Link, LinkKind, collapse_whitespace};

use crate::dom::Dom;
use crate::links::collect::{Collected, LinkTexts};
use crate::links::directives::Directives;
use crate::links::head::{HeadReader, HeadTags};
use crate::links::kinds::Kinds;
use crate::links::resolve::Resolver;
use crate::links::stream::Links;
use crate::markup::events::Consumer;
use crate::markup::outline;

/// Longest title and link text that is kept, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// Bytes that a reference grows by when it is resolved, mostly.
const USUAL_ORIGIN: usize = 24;

/// Bytes of text that are collected for it.
const MAX_TEXT_BYTES: usize = 4 * MAX_TEXT_CHARS + 2;

/// What a document gave.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// All links in document order.
    pub(crate) links: Arc<LinkBook>,
    /// The title; empty if there is none.
    pub(crate) title: String,
    /// What its meta tags ask of crawlers, by the name they are asked by.
    pub(crate) robots: Vec<(Box<str>, Directives)>,
    /// After which time its first refresh leads where; `None` if it leads nowhere that is crawled.
    pub(crate) refresh: Option<(Duration, CanonicalUrl)>,
    /// Where an HTML document says something of itself; nothing if the stream was not enough.
    pub(crate) head: HeadTags,
    /// Whether the stream was enough.
    pub(crate) is_streamed: bool,
}

/// Scans an HTML document for links of these kinds, and for what else its head says. Sets the
/// resolver's base to the document's. `beside` reads along. `None` if the stream cannot tell.
pub(crate) fn scan_html<'t>(
    text: &'t str,
    resolver: &mut Resolver,
    kinds: Kinds,
    beside: impl Consumer<'t>,
) -> Option<Scan> {
    let links = Links::new(kinds, LinkTexts::Short);
    let mut readers = ((links, HeadReader::new(text)), beside);
    outline::read(text, &mut readers).ok()?;
    let (links, head) = readers.0;
    Some(Scan {
        is_streamed: true,
        head: head.finish(),
        ..resolve(links.finish(), resolver, false)
    })
}

/// The same of the document's tree, but for the head.
pub(crate) fn scan_tree(dom: &Dom, resolver: &mut Resolver, kinds: Kinds) -> Scan {
    resolve(tree::collect(dom, kinds, LinkTexts::Short), resolver, false)
}

/// Scans an HTML document for links of the usual kinds, whose texts nobody needs; nor what the head
/// says otherwise. `None` if that takes a [whole scan](scan_html).
pub(crate) fn skim_html(text: &str, resolver: &mut Resolver) -> Option<Scan> {
    Some(resolve(stream::skimmed(text).ok()?, resolver, true))
}

/// The same while `beside` reads all of the document. `None` if the stream cannot tell.
pub(crate) fn skim_beside<'t>(
    text: &'t str,
    resolver: &mut Resolver,
    beside: impl Consumer<'t>,
) -> Option<Scan> {
    let mut readers = (Links::new(Kinds::default(), LinkTexts::None), beside);
    outline::read(text, &mut readers).ok()?;
    Some(resolve(readers.0.finish(), resolver, true))
}

/// The links of the values of `Link` fields, which know nothing of the document's base.
pub(crate) fn scan_header<'v>(
    values: impl IntoIterator<Item = &'v str>,
    resolver: &Resolver,
) -> Vec<Link> {
    let found = values.into_iter().flat_map(header::links);
    let link = |link: header::HeaderLink<'_>| {
        let url = resolver.link(link.target)?;
        let nofollow = texts::has_word(&link.rel, "nofollow");
        let rel = link.rel.into();
        Some(Link { url, text: Box::default(), rel, nofollow, kind: LinkKind::Header })
    };
    found.filter_map(link).collect()
}

/// Makes links of what was collected. Those that are known to be known may be left as references if
/// `is_bare`: their texts were not collected.
fn resolve(collected: Collected<'_>, resolver: &mut Resolver, is_bare: bool) -> Scan {
    // Only now, because the base holds for the links before it, too.
    let rebased = collected.bases.iter().any(|href| resolver.rebase(href));
    let hrefs = collected.links.iter().map(|raw| raw.href.len() + USUAL_ORIGIN).sum::<usize>();
    let n_bytes = hrefs + collected.texts.len();
    let mut links = LinkBook::with_capacity(collected.links.len(), n_bytes);
    let known = resolver.known();
    // Whether known ones are left as references; asked when there is one.
    let mut leaves = (!is_bare).then_some(false);
    for raw in &collected.links {
        if !rebased && raw.href.starts_with('#') {
            continue; // a place on this page
        }
        let (nofollow, kind) = (collected.is_nofollow(raw), raw.source.kind());
        let mark = known.as_ref().map(|known| known.mark(&raw.href)).unwrap_or_default();
        if mark.is_known
            && *leaves.get_or_insert_with(|| resolver.leave_to(&mut links))
            && links.push_known(&raw.href, &raw.rel, nofollow, kind, mark)
        {
            continue;
        }
        resolver.read(&raw.href, |url| {
            let Ok(url) = url else { return };
            let Ok(url) = url.canonical() else { return };
            let text = shortened(&collected.texts[raw.text.clone()]);
            links.push_marked(url, text, &raw.rel, nofollow, kind, mark);
        });
    }
    let links = Arc::new(links);
    let refresh = collected.refresh.and_then(|(delay, to)| Some((delay, resolver.link(&to)?)));
    let (title, robots) = (short_text(&collected.title), collected.robots);
    Scan { links, title, robots, refresh, ..Scan::default() }
}

/// Collapses whitespace and shortens to 200 characters.
pub(crate) fn short_text(text: &str) -> String {
    shortened(&collapse_whitespace(text)).to_owned()
}

/// Shortens to 200 characters what is collapsed, but for its ends.
fn shortened(text: &str) -> &str {
    let text = text.trim_matches(' ');
    if text.len() <= MAX_TEXT_CHARS {
        return text;
    }
    let end = text.char_indices().nth(MAX_TEXT_CHARS).map_or(text.len(), |(end, _)| end);
    text[..end].trim_end_matches(' ')
}

/// The first `max_bytes` of `text`, or a little less so that no character is cut.
pub(crate) fn prefix(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let end = (0..=max_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}
