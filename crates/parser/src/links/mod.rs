//! Links, title, base and robots flags of an HTML document, in one pass without a tree.
//!
//! What counts follows the HTML Standard with scripting off: `noscript` content counts,
//! `template` content does not.

pub(crate) mod resolve;

use std::borrow::Cow;
use std::ops::Range;

use crawl_spider::{Link, LinkKind, collapse_whitespace};

use crate::links::resolve::Resolver;
use crate::markup::charref::{decode_attribute, decode_text};
use crate::markup::scan::{Scanner, Start, Token};

/// Longest title and link text that is kept, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// Bytes of markup text that are collected for it.
const MAX_TEXT_BYTES: usize = 4 * MAX_TEXT_CHARS;

/// What the pass brought.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// All links in document order.
    pub(crate) links: Vec<Link>,
    /// The title; empty if there is none.
    pub(crate) title: String,
    /// Parts of tags that a tree builder must not see; see [`Scanner::crowded`].
    pub(crate) crowded: Vec<Range<usize>>,
}

/// Scans an HTML document. Sets the resolver's base to the document's.
pub(crate) fn scan_html(text: &str, resolver: &mut Resolver) -> Scan {
    let mut scanner = Scanner::html(text);
    let mut pass = Pass::default();
    for token in scanner.by_ref() {
        pass.take(token);
    }
    pass.close_anchor();
    let crowded = scanner.crowded().to_vec();
    // Only now, because the base holds for the links before it, too.
    let rebased = pass.bases.iter().any(|href| resolver.rebase(href));
    let mut links = Vec::with_capacity(pass.links.len());
    for raw in pass.links {
        if !rebased && raw.href.starts_with('#') {
            continue; // a place on this page
        }
        if let Some(url) = resolver.link(&raw.href) {
            let nofollow = pass.nofollow || has_word(&raw.rel, "nofollow");
            links.push(Link {
                url,
                text: raw.text.into(),
                rel: raw.rel.into(),
                nofollow,
                kind: raw.kind,
            });
        }
    }
    Scan { links, title: pass.title, crowded }
}

/// Collapses whitespace and shortens to 200 characters.
pub(crate) fn short_text(text: &str) -> String {
    let text = collapse_whitespace(text);
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => text[..end].trim_end().to_owned(),
        None => text.into_owned(),
    }
}

/// The first `max_bytes` of `text`, or a little less so that no character is cut.
pub(crate) fn prefix(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let end = (0..=max_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// A link that is not resolved yet.
struct RawLink<'a> {
    href: Cow<'a, str>,
    rel: Cow<'a, str>,
    text: String,
    kind: LinkKind,
}

/// Where the pass stands.
#[derive(Default)]
struct Pass<'a> {
    links: Vec<RawLink<'a>>,
    bases: Vec<Cow<'a, str>>,
    title: String,
    nofollow: bool,
    /// Whether the last link's anchor is open; its text so far.
    anchor_open: bool,
    anchor_text: String,
    in_title: bool,
    templates: u32,
}

impl<'a> Pass<'a> {
    fn take(&mut self, token: Token<'a>) {
        match token {
            Token::Text(text) => self.text(text),
            Token::Raw(_) => {}
            Token::Start(tag) => self.start(tag),
            Token::End(name, foreign) => self.end(name, foreign),
        }
    }

    fn text(&mut self, text: &'a str) {
        if self.in_title {
            self.title = short_text(&decode_text(text));
            self.in_title = false;
        } else if self.anchor_open {
            let room = MAX_TEXT_BYTES.saturating_sub(self.anchor_text.len());
            self.anchor_text.push_str(prefix(text, room));
        }
    }

    fn end(&mut self, name: &str, foreign: bool) {
        self.in_title = false;
        if self.anchor_open && name.eq_ignore_ascii_case("a") {
            self.close_anchor();
        } else if self.templates > 0 && !foreign && name.eq_ignore_ascii_case("template") {
            self.templates -= 1;
        }
    }

    fn start(&mut self, tag: Start<'a>) {
        // By length first: this runs once per tag, and most tags are none of these.
        match tag.name.len() {
            1 if tag.name.eq_ignore_ascii_case("a") => self.link(tag, LinkKind::Anchor),
            4 if tag.name.eq_ignore_ascii_case("area") && !tag.foreign => {
                self.link(tag, LinkKind::Area);
            }
            4 if tag.name.eq_ignore_ascii_case("base") && !tag.foreign => self.base(tag),
            4 if tag.name.eq_ignore_ascii_case("meta") && !tag.foreign => self.meta(tag),
            5 if tag.name.eq_ignore_ascii_case("title") && !tag.foreign => {
                self.in_title = self.templates == 0 && self.title.is_empty();
            }
            8 if tag.name.eq_ignore_ascii_case("template") && !tag.foreign => {
                self.templates = self.templates.saturating_add(1);
            }
            _ => {}
        }
    }

    fn link(&mut self, tag: Start<'a>, kind: LinkKind) {
        if self.templates > 0 {
            return;
        }
        if kind == LinkKind::Anchor {
            self.close_anchor(); // anchors do not nest
        }
        let (mut href, mut rel) = (None, None);
        for (name, value) in tag.attrs() {
            if href.is_none() && name.eq_ignore_ascii_case("href") {
                href = Some(value);
            } else if rel.is_none() && name.eq_ignore_ascii_case("rel") {
                rel = Some(value);
            }
        }
        let Some(href) = href else { return };
        self.links.push(RawLink {
            href: trim_reference(decode_attribute(href)),
            rel: decode_attribute(rel.unwrap_or_default()),
            text: String::new(),
            kind,
        });
        self.anchor_open = kind == LinkKind::Anchor;
    }

    fn close_anchor(&mut self) {
        if self.anchor_open
            && let Some(link) = self.links.iter_mut().rfind(|link| link.kind == LinkKind::Anchor)
        {
            link.text = short_text(&decode_text(&self.anchor_text));
        }
        self.anchor_open = false;
        self.anchor_text.clear();
    }

    fn base(&mut self, tag: Start<'a>) {
        // Enough for any honest document; a list of thousands would be resolved one by one.
        const MAX_BASES: usize = 16;
        if self.templates == 0
            && self.bases.len() < MAX_BASES
            && let Some(href) = tag.attr("href")
        {
            self.bases.push(trim_reference(decode_attribute(href)));
        }
    }

    fn meta(&mut self, tag: Start<'a>) {
        if self.templates > 0 {
            return;
        }
        let Some(content) = tag.attr("content") else { return };
        if tag.attr("name").is_some_and(|name| name.trim().eq_ignore_ascii_case("robots")) {
            let content = decode_attribute(content);
            self.nofollow |= content.split(',').any(|directive| {
                let directive = directive.trim();
                ["nofollow", "none"].iter().any(|word| directive.eq_ignore_ascii_case(word))
            });
        } else if tag.attr("http-equiv").is_some_and(|v| v.trim().eq_ignore_ascii_case("refresh"))
            && let Some(target) = refresh_target(&decode_attribute(content))
        {
            self.links.push(RawLink {
                href: Cow::Owned(target.to_owned()),
                rel: Cow::Borrowed(""),
                text: String::new(),
                kind: LinkKind::Refresh,
            });
        }
    }
}

/// Strips C0 controls and spaces from both ends (URL Standard, section 4.4).
fn trim_reference(href: Cow<'_, str>) -> Cow<'_, str> {
    let is_junk = |c: char| c <= ' ';
    match href {
        Cow::Borrowed(href) => Cow::Borrowed(href.trim_matches(is_junk)),
        Cow::Owned(href) => Cow::Owned(href.trim_matches(is_junk).to_owned()),
    }
}

fn has_word(list: &str, word: &str) -> bool {
    !list.is_empty() && list.split_ascii_whitespace().any(|w| w.eq_ignore_ascii_case(word))
}

/// "Shared declarative refresh steps" (HTML Standard, section 4.2.5.3): the URL in
/// `5; url='/next'`. `None` if it only reloads the page.
fn refresh_target(content: &str) -> Option<&str> {
    let is_space = |c: char| c.is_ascii_whitespace();
    let rest = content.trim_start_matches(is_space);
    let after_time = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if after_time.len() == rest.len() || !after_time.starts_with([';', ',', ' ', '\t', '\n', '\r'])
    {
        return None;
    }
    let rest = after_time.trim_start_matches(is_space);
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start_matches(is_space);
    let named = rest
        .get(..3)
        .filter(|word| word.eq_ignore_ascii_case("url"))
        .and_then(|_| rest[3..].trim_start_matches(is_space).strip_prefix('='));
    let target = named.map_or(rest, |value| value.trim_start_matches(is_space));
    let target = match target.chars().next()? {
        quote @ ('"' | '\'') => target[1..].split(quote).next().unwrap_or_default(),
        _ => target,
    };
    let target = target.trim_matches(|c: char| c <= ' ');
    (!target.is_empty()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_gives_its_target() {
        for (content, target) in [
            ("0; url=/a", Some("/a")),
            ("5;URL='/a b'", Some("/a b")),
            (" 1.5 , url = \"/a\" x", Some("/a")),
            ("0 /a", Some("/a")),
            ("0;/a", Some("/a")),
            ("0; url", Some("url")),
            ("5", None),
            ("5;", None),
            ("url=/a", None),
            ("x; url=/a", None),
            ("", None),
        ] {
            assert_eq!(refresh_target(content), target, "{content}");
        }
    }
}
