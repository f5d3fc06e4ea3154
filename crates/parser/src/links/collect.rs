//! Collects what a document says of links: told of one element after the other, in document order,
//! by the stream or by the tree.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use super::directives::{Directives, MAX_TAGS};
use super::kinds::{Kinds, LinkSource, Place, places};
use super::refresh::{Refresh, refresh};
use super::texts::{has_word, push_collapsed, trim_reference};
use super::{MAX_TEXT_BYTES, css, srcset};
use crate::markup::events::Space;
use crate::markup::tags::Tag;

/// An element that opens.
pub(super) trait Element<'a> {
    fn tag(&self) -> Tag;

    fn space(&self) -> Space;

    /// The values of these attributes; names in lower case.
    fn attrs<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N];
}

/// A link that is not resolved yet.
#[derive(Debug)]
pub(crate) struct RawLink<'a> {
    pub(crate) href: Cow<'a, str>,
    pub(crate) rel: Cow<'a, str>,
    pub(crate) source: LinkSource,
    pub(crate) tag: &'static str,
    pub(crate) attr: &'static str,
    /// Its text's place in [`Collected::texts`].
    pub(crate) text: Range<usize>,
}

/// All that was collected.
#[derive(Debug, Default)]
pub(crate) struct Collected<'a> {
    /// In document order.
    pub(crate) links: Vec<RawLink<'a>>,
    /// The texts of all links, those of nested links inside of the outer ones.
    pub(crate) texts: String,
    /// References of `base` elements, in document order.
    pub(crate) bases: Vec<Cow<'a, str>>,
    /// Whether a robots meta tag says `nofollow`.
    pub(crate) nofollow: bool,
    /// What meta tags ask of crawlers, and of which.
    pub(crate) robots: Vec<(Box<str>, Directives)>,
    /// The first refresh that a browser with scripting would obey: when, and where to.
    pub(crate) refresh: Option<(Duration, Box<str>)>,
    /// The text of the first `title`; empty if there is none.
    pub(crate) title: Cow<'a, str>,
}

impl Collected<'_> {
    /// Whether a link is not to be followed.
    pub(crate) fn is_nofollow(&self, link: &RawLink<'_>) -> bool {
        self.nofollow || has_word(&link.rel, "nofollow")
    }
}

/// Enough for any honest document; a list of thousands would be resolved one by one.
const MAX_BASES: usize = 16;

/// What is kept of the texts of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkTexts {
    /// Nothing.
    None,
    /// Their beginnings, whitespace collapsed.
    Short,
    /// All, as they stand.
    Whole,
}

/// Collects.
pub(super) struct Collector<'a> {
    kinds: Kinds,
    texts: LinkTexts,
    /// Whether some kind is wanted beyond the usual ones.
    is_curious: bool,
    depth: u32,
    /// Links whose element is open: index and depth.
    open: Vec<(usize, u32)>,
    /// A `title` or `style` that is open.
    hold: Option<Hold<'a>>,
    has_title: bool,
    /// Depth of the `noscript` that is open; 0 if none is.
    noscript: u32,
    found: Collected<'a>,
}

struct Hold<'a> {
    depth: u32,
    is_title: bool,
    text: Cow<'a, str>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(kinds: Kinds, texts: LinkTexts) -> Self {
        let usual: Kinds = Kinds::default();
        Self {
            kinds,
            texts,
            is_curious: kinds != usual,
            depth: 0,
            open: Vec::new(),
            hold: None,
            has_title: false,
            noscript: 0,
            found: Collected::default(),
        }
    }

    pub(super) fn finish(self) -> Collected<'a> {
        self.found
    }

    #[inline(always)] // for most elements are of no use
    pub(super) fn open(&mut self, element: &impl Element<'a>) {
        self.depth += 1;
        if self.is_curious || is_of_use(element.tag()) {
            self.look_at(element);
        }
    }

    fn look_at(&mut self, element: &impl Element<'a>) {
        match (element.space(), element.tag()) {
            (Space::Html | Space::Svg, Tag::A) => self.anchor(element),
            (Space::Html, Tag::Area) => self.places(element),
            (Space::Html, Tag::Meta) => self.meta(element),
            (Space::Html, Tag::Base) => self.base(element),
            (Space::Html, Tag::Noscript) if self.noscript == 0 => self.noscript = self.depth,
            (Space::Html, Tag::Title) if !self.has_title => {
                self.has_title = true;
                self.hold(true);
            }
            (Space::Html | Space::Svg, Tag::Style) if self.kinds.has(LinkSource::Css) => {
                self.hold(false);
            }
            _ if self.is_curious => self.places(element),
            _ => {}
        }
        if self.is_curious && self.kinds.has(LinkSource::Css) {
            self.style_attribute(element);
        }
    }

    /// Whether text that comes now is part of anything.
    #[inline(always)]
    pub(super) fn wants_text(&self) -> bool {
        !self.open.is_empty() || self.hold.is_some()
    }

    /// Text, made as the tree has it only if somebody wants it.
    #[inline(always)]
    pub(super) fn text(&mut self, text: impl FnOnce() -> Cow<'a, str>) {
        if self.wants_text() {
            self.keep(text());
        }
    }

    #[inline(always)]
    pub(super) fn close(&mut self) {
        if self.wants_text() || self.noscript == self.depth {
            self.end();
        }
        self.depth -= 1;
    }

    /// Ends what the innermost element has begun.
    fn end(&mut self) {
        if let Some(&(index, depth)) = self.open.last()
            && depth == self.depth
        {
            self.open.pop();
            self.found.links[index].text.end = self.found.texts.len();
        }
        if self.hold.as_ref().is_some_and(|hold| hold.depth == self.depth)
            && let Some(hold) = self.hold.take()
        {
            self.release(hold);
        }
        if self.noscript == self.depth {
            self.noscript = 0;
        }
    }

    fn keep(&mut self, text: Cow<'a, str>) {
        if let Some(&(index, _)) = self.open.last() {
            if self.texts == LinkTexts::Whole {
                self.found.texts.push_str(&text);
            } else {
                let kept = self.found.texts.len() - self.found.links[index].text.start;
                push_collapsed(&mut self.found.texts, &text, MAX_TEXT_BYTES.saturating_sub(kept));
            }
        }
        if let Some(hold) = &mut self.hold {
            if hold.text.is_empty() {
                hold.text = text;
            } else {
                hold.text.to_mut().push_str(&text);
            }
        }
    }

    fn hold(&mut self, is_title: bool) {
        if self.hold.is_none() {
            self.hold = Some(Hold { depth: self.depth, is_title, text: Cow::Borrowed("") });
        }
    }

    fn release(&mut self, hold: Hold<'a>) {
        if hold.is_title {
            self.found.title = hold.text;
        } else {
            self.css(&hold.text, "style", "");
        }
    }

    fn anchor(&mut self, element: &impl Element<'a>) {
        if !self.kinds.has(LinkSource::A) {
            return;
        }
        let [href, rel] = element.attrs(["href", "rel"]);
        let (href, attr) = match href {
            Some(href) => (href, "href"),
            None if element.space() == Space::Svg => match element.attrs(["xlink:href"]) {
                [Some(href)] => (href, "xlink:href"),
                [None] => return,
            },
            None => return,
        };
        let rel = rel.unwrap_or_default();
        let index = self.found.links.len();
        self.push(href, rel, LinkSource::A, "a", attr);
        if self.texts != LinkTexts::None {
            self.open.push((index, self.depth));
        }
    }

    /// The links in an element's attributes.
    fn places(&mut self, element: &impl Element<'a>) {
        let (tag, space) = (element.tag(), element.space());
        let mut is_taken = false;
        for place in places(tag, space) {
            // Of two names of one attribute the first counts.
            if !self.kinds.has(place.source) || (space == Space::Svg && is_taken) {
                continue;
            }
            let [value, rel, kind] = element.attrs([place.attr, "rel", "type"]);
            let Some(value) = value else { continue };
            if tag == Tag::Input && !is_button(place, kind.as_deref()) {
                continue;
            }
            is_taken = true;
            let rel = rel.filter(|_| matches!(tag, Tag::Area | Tag::Link | Tag::Form));
            if place.source == LinkSource::Srcset {
                for url in srcset::urls(&value) {
                    let href = Cow::Owned(url.to_owned());
                    self.push(href, Cow::Borrowed(""), place.source, tag.name(), place.attr);
                }
            } else if place.may_be_empty || !value.trim_ascii().is_empty() {
                self.push(value, rel.unwrap_or_default(), place.source, tag.name(), place.attr);
            }
        }
    }

    fn push(
        &mut self,
        href: Cow<'a, str>,
        rel: Cow<'a, str>,
        source: LinkSource,
        tag: &'static str,
        attr: &'static str,
    ) {
        let end = self.found.texts.len();
        let href = trim_reference(href);
        self.found.links.push(RawLink { href, rel, source, tag, attr, text: end..end });
    }

    fn base(&mut self, element: &impl Element<'a>) {
        if self.found.bases.len() < MAX_BASES
            && let [Some(href)] = element.attrs(["href"])
        {
            self.found.bases.push(trim_reference(href));
        }
    }

    fn meta(&mut self, element: &impl Element<'a>) {
        let [name, http_equiv, content] = element.attrs(["name", "http-equiv", "content"]);
        let Some(content) = content else { return };
        if let Some(name) = name.as_deref().map(str::trim_ascii)
            && self.found.robots.len() < MAX_TAGS
            && let directives = Directives::of_list(&content)
            && directives.is_some()
        {
            self.found.nofollow |= directives.nofollow && name.eq_ignore_ascii_case("robots");
            self.found.robots.push((name.into(), directives));
        }
        let Some(http_equiv) = http_equiv else { return };
        if !http_equiv.eq_ignore_ascii_case("refresh") {
            return;
        }
        let Some(Refresh { delay, target }) = refresh(&content) else { return };
        // "If you have no scripts, go there": to a page of excuses, mostly.
        if self.noscript == 0 && self.found.refresh.is_none() {
            self.found.refresh = Some((delay, target.into()));
        }
        if self.kinds.has(LinkSource::Refresh) {
            let href = Cow::Owned(target.to_owned());
            self.push(href, Cow::Borrowed(""), LinkSource::Refresh, "meta", "content");
        }
    }

    fn style_attribute(&mut self, element: &impl Element<'a>) {
        if let [Some(style)] = element.attrs(["style"])
            && memchr::memchr(b'(', style.as_bytes()).is_some()
        {
            self.css(&style, element.tag().name(), "style");
        }
    }

    fn css(&mut self, css: &str, tag: &'static str, attr: &'static str) {
        for url in css::urls(css) {
            // A fragment alone names something in this document: a filter, a gradient.
            if !url.is_empty() && !url.starts_with('#') {
                let href = Cow::Owned(url.into_owned());
                self.push(href, Cow::Borrowed(""), LinkSource::Css, tag, attr);
            }
        }
    }
}

/// Whether an element of this name may say something of the usual links, or of the document.
#[inline]
fn is_of_use(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::A | Tag::Area | Tag::Base | Tag::Meta | Tag::Noscript | Tag::Style | Tag::Title
    )
}

/// Whether an `input` is such a button that the attribute means something.
fn is_button(place: &Place, kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default();
    kind.eq_ignore_ascii_case("image")
        || (place.source == LinkSource::Form && kind.eq_ignore_ascii_case("submit"))
}
