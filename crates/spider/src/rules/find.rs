//! Finding the links that an extractor means.

use std::borrow::Cow;
use std::collections::HashSet;

use crawl_model::CanonicalUrl;

use super::extractor::LinkExtractor;
use super::place::{Places, Source};
use crate::harvest::is_nofollow;
use crate::{Link, LinkKind, Node, Page, SpiderError, collapse_whitespace};

impl LinkExtractor {
    /// The links of a page, in document order; those below what XPath finds come first.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] or [`SpiderError::Query`] if a selector or pattern does not
    /// parse.
    pub fn links<'a>(&self, page: &Page<'a>) -> Result<Vec<Cow<'a, Link>>, SpiderError> {
        let mut links = self.found(page)?;
        if !self.keeps_repeated && links.len() > 1 {
            let mut seen = HashSet::with_capacity(links.len());
            links.retain(|link| seen.insert(link.url.key().into_owned()));
        }
        Ok(links)
    }

    /// The same, repeated ones included.
    pub(super) fn found<'a>(&self, page: &Page<'a>) -> Result<Vec<Cow<'a, Link>>, SpiderError> {
        let mut links = match &self.source {
            Source::Links(kinds) => {
                let links = page.links().iter().filter(|link| kinds.has(link.kind));
                links.filter(|link| self.fits(&link.url)).map(Cow::Borrowed).collect()
            }
            Source::Query(places) => self.placed_links(page, places)?,
        };
        sift(page, &mut links, &self.allow, true, |link| link.url.as_str())?;
        sift(page, &mut links, &self.deny, false, |link| link.url.as_str())?;
        sift(page, &mut links, &self.restrict_text, true, |link| &link.text)?;
        if self.canonicalize {
            for link in &mut links {
                if let Some(url) = canonical(&link.url) {
                    link.to_mut().url = url;
                }
            }
        }
        Ok(links)
    }

    /// Whether links of a kind are meant, if nothing but their kind is asked of links; whether
    /// repeated ones count is not said by it.
    #[doc(hidden)]
    #[must_use]
    pub fn by_kind(&self) -> Option<impl Fn(LinkKind) -> bool + use<>> {
        let Source::Links(kinds) = self.source else { return None };
        let lists = [
            &self.allow,
            &self.deny,
            &self.restrict_text,
            &self.allow_domains,
            &self.deny_domains,
            &self.deny_extensions,
        ];
        let is_open = !self.canonicalize && lists.iter().all(|list| list.is_empty());
        is_open.then_some(move |kind| kinds.has(kind))
    }

    /// Whether a link may lead to `url`, as far as that can be told without a host.
    fn fits(&self, url: &CanonicalUrl) -> bool {
        let is_of = |domains: &[String]| domains.iter().any(|domain| is_below(url, domain));
        (self.allow_domains.is_empty() || is_of(&self.allow_domains))
            && !is_of(&self.deny_domains)
            && !self.deny_extensions.iter().any(|extension| ends_with(url.path(), extension))
    }

    fn placed_links<'a>(
        &self,
        page: &Page<'a>,
        places: &Places,
    ) -> Result<Vec<Cow<'a, Link>>, SpiderError> {
        let mut links = Vec::new();
        for expression in &self.restrict_xpaths {
            for node in page.xpath(expression)? {
                if is_link(node, places) {
                    self.push_node(page, places, node, &mut links);
                }
                for inner in node.css(&places.below)? {
                    self.push_node(page, places, inner, &mut links);
                }
            }
        }
        let Some(query) = &places.rows else { return Ok(links) };
        let rel_at = places.attrs.len();
        for row in page.rows(query)?.iter() {
            for at in 0..rel_at {
                let Some(value) = row.first(at)? else { continue };
                let Some(url) = self.url(page, &value) else { continue };
                let rel = row.first(rel_at)?.unwrap_or_default();
                let text = row.first(rel_at + 1)?.unwrap_or_default();
                links.push(link(places, url, &text, &rel));
            }
        }
        Ok(links)
    }

    fn push_node<'a>(
        &self,
        page: &Page<'a>,
        places: &Places,
        node: Node<'a>,
        links: &mut Vec<Cow<'a, Link>>,
    ) {
        for attr in &places.attrs {
            if let Some(url) = node.attr(attr).and_then(|value| self.url(page, value)) {
                let (text, rel) = (node.text_content(), node.attr("rel").unwrap_or_default());
                links.push(link(places, url, &collapse_whitespace(&text), rel));
            }
        }
    }

    /// Where an attribute's value leads; `None` if nowhere that is crawled or meant.
    fn url(&self, page: &Page<'_>, value: &str) -> Option<CanonicalUrl> {
        let value = if self.keeps_blanks { value } else { value.trim() };
        let value = match &self.process_value {
            Some(change) => Cow::Owned(change(value)?),
            None => Cow::Borrowed(value),
        };
        if value.starts_with('#') {
            return None; // a place on this page
        }
        page.join(&value).ok().filter(|url| self.fits(url))
    }
}

fn is_link(node: Node<'_>, places: &Places) -> bool {
    let is_named = |tag: &String| tag == "*" || *tag == node.tag();
    places.tags.is_empty() || places.tags.iter().any(is_named)
}

fn link(places: &Places, url: CanonicalUrl, text: &str, rel: &str) -> Cow<'static, Link> {
    let nofollow = is_nofollow(Some(rel));
    Cow::Owned(Link { url, text: text.into(), rel: rel.into(), nofollow, kind: places.kind })
}

/// Keeps the links of whose text one of `patterns` finds something, or of which none does.
fn sift(
    page: &Page<'_>,
    links: &mut Vec<Cow<'_, Link>>,
    patterns: &[String],
    wanted: bool,
    text: impl for<'l> Fn(&'l Link) -> &'l str,
) -> Result<(), SpiderError> {
    if patterns.is_empty() || links.is_empty() {
        return Ok(());
    }
    let texts: Vec<&str> = links.iter().map(|link| text(link)).collect();
    let mut found = vec![false; texts.len()];
    for pattern in patterns {
        let hits = page.services().matching(pattern, &texts)?;
        found.iter_mut().zip(hits).for_each(|(found, hit)| *found |= hit);
    }
    let mut found = found.into_iter();
    links.retain(|_| found.next() == Some(wanted));
    Ok(())
}

/// Whether a URL's host is `domain` or below it.
fn is_below(url: &CanonicalUrl, domain: &str) -> bool {
    let host = if domain.contains(':') { url.authority() } else { url.host_str() };
    match host.strip_suffix(domain) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

/// Whether `path` ends in `extension`, which is in lower case, in any case.
fn ends_with(path: &str, extension: &str) -> bool {
    let start = path.len().checked_sub(extension.len());
    let end = start.and_then(|start| path.as_bytes().get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(extension.as_bytes()))
}

/// The same URL with the parameters of its query sorted, each with its `=`, and its escapes
/// spelled as in the key by which duplicates are told.
fn canonical(url: &CanonicalUrl) -> Option<CanonicalUrl> {
    let key = url.key();
    let Some((path, query)) = key.split_once('?') else { return CanonicalUrl::parse(&key).ok() };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> =
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let mut text = path.to_owned();
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    CanonicalUrl::parse(&text).ok()
}
