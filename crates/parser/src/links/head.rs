//! What a document says of itself: title, language, metas, and the links of its head.

use std::borrow::Cow;

use crawl_model::CanonicalUrl;

use super::collect::{Element, has_word, trim_reference};
use super::resolve::Resolver;
use super::short_text;

/// What a document says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The text of the first `title`, whitespace collapsed, at most 200 characters; empty if there
    /// is none.
    pub(crate) title: String,
    /// `lang` of the root element, else `meta http-equiv=content-language`; empty if neither is.
    pub(crate) language: Box<str>,
    /// Name and content of the `meta` elements with a `name`, as written, in document order.
    pub(crate) metas: Vec<(Box<str>, Box<str>)>,
    /// The `link` elements that tell of other documents, in document order.
    pub(crate) links: Vec<HeadLink>,
}

/// A `link` that tells of another document: the canonical one, the next or previous one of a
/// series, one in another language or format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeadLink {
    /// Its `rel` as written.
    pub(crate) rel: Box<str>,
    /// Where it leads, without fragment.
    pub(crate) url: CanonicalUrl,
    /// Its `hreflang`; empty if it has none.
    pub(crate) hreflang: Box<str>,
    /// Its `type`; empty if it has none.
    pub(crate) media_type: Box<str>,
    /// Its `title`; empty if it has none.
    pub(crate) title: Box<str>,
}

impl Head {
    /// The first content of a `meta` of this name (in any case) that is not empty.
    pub(crate) fn meta(&self, name: &str) -> Option<&str> {
        let is_it = |(n, content): &&(Box<str>, Box<str>)| {
            n.trim_ascii().eq_ignore_ascii_case(name) && !content.trim_ascii().is_empty()
        };
        self.metas.iter().find(is_it).map(|(_, content)| content.trim_ascii())
    }

    /// `meta name=description`.
    pub(crate) fn description(&self) -> Option<&str> {
        self.meta("description")
    }

    /// `meta name=robots`.
    pub(crate) fn robots(&self) -> Option<&str> {
        self.meta("robots")
    }

    /// The links with this relation, in document order.
    pub(crate) fn links_of(&self, rel: &str) -> impl Iterator<Item = &HeadLink> {
        self.links.iter().filter(move |link| has_word(&link.rel, rel))
    }

    /// `link rel=canonical`: of several the first.
    pub(crate) fn canonical(&self) -> Option<&CanonicalUrl> {
        self.links_of("canonical").next().map(|link| &link.url)
    }

    /// `link rel=next`.
    pub(crate) fn next(&self) -> Option<&CanonicalUrl> {
        self.links_of("next").next().map(|link| &link.url)
    }

    /// `link rel=prev`, or `previous`, as some write.
    pub(crate) fn prev(&self) -> Option<&CanonicalUrl> {
        let mut before = self.links_of("prev").chain(self.links_of("previous"));
        before.next().map(|link| &link.url)
    }

    /// `link rel=alternate`: other languages (`hreflang`), other formats (`type`).
    pub(crate) fn alternates(&self) -> impl Iterator<Item = &HeadLink> {
        self.links_of("alternate").filter(|link| !has_word(&link.rel, "stylesheet"))
    }
}

/// The same as it was collected, nothing resolved.
#[derive(Debug, Default)]
pub(crate) struct RawHead<'a> {
    pub(super) title: Cow<'a, str>,
    language: Cow<'a, str>,
    content_language: Cow<'a, str>,
    metas: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    links: Vec<[Cow<'a, str>; 5]>,
}

/// Metas and links that are kept: more is no metadata.
const MAX_ENTRIES: usize = 1000;

/// The relations that tell of other documents.
const RELATIONS: [&str; 7] =
    ["canonical", "next", "prev", "previous", "alternate", "amphtml", "shortlink"];

impl<'a> RawHead<'a> {
    pub(super) fn root(&mut self, element: &impl Element<'a>) {
        if let [Some(language)] = element.attrs(["lang"]) {
            self.language = language;
        }
    }

    pub(super) fn content_language(&mut self, content: Cow<'a, str>) {
        if self.content_language.is_empty() {
            self.content_language = content;
        }
    }

    pub(super) fn meta(&mut self, name: Cow<'a, str>, content: Cow<'a, str>) {
        if self.metas.len() < MAX_ENTRIES {
            self.metas.push((name, content));
        }
    }

    pub(super) fn link(&mut self, element: &impl Element<'a>) {
        let [rel, href, hreflang, kind, title] =
            element.attrs(["rel", "href", "hreflang", "type", "title"]);
        let (Some(rel), Some(href)) = (rel, href) else { return };
        if self.links.len() < MAX_ENTRIES
            && RELATIONS.iter().any(|relation| has_word(&rel, relation))
            && !href.trim_ascii().is_empty()
        {
            let [hreflang, kind, title] = [hreflang, kind, title].map(Option::unwrap_or_default);
            self.links.push([rel, trim_reference(href), hreflang, kind, title]);
        }
    }

    /// Resolves and keeps it; the resolver's base is the document's.
    pub(crate) fn resolve(self, resolver: &Resolver) -> Head {
        let language = match self.language.trim_ascii() {
            // A list of languages says nothing (HTML Standard, section 4.2.5.3).
            "" if self.content_language.contains(',') => "",
            "" => self.content_language.split_ascii_whitespace().next().unwrap_or_default(),
            language => language,
        };
        let keep = |text: Cow<'_, str>| -> Box<str> { text.trim_ascii().into() };
        let links = self.links.into_iter().filter_map(|[rel, href, hreflang, kind, title]| {
            let url = resolver.link(&href)?;
            let [rel, hreflang, media_type, title] = [rel, hreflang, kind, title].map(keep);
            Some(HeadLink { rel, url, hreflang, media_type, title })
        });
        Head {
            title: short_text(&self.title),
            language: language.into(),
            links: links.collect(),
            metas: self.metas.into_iter().map(|(name, text)| (keep(name), keep(text))).collect(),
        }
    }
}
