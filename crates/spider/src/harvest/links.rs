//! Following the links of a page.

use std::borrow::Cow;

use crawl_model::CanonicalUrl;

use super::Harvest;
use crate::abi::wire::LinkEntry;
use crate::query::LINKS;
use crate::{Follow, Followed, ItemQuery, Link, Node, Page, Row, SpiderError};

impl Harvest {
    /// Follows a link of `page`, relative or absolute.
    ///
    /// # Errors
    /// [`SpiderError::Link`] if it leads nowhere that is crawled (`mailto:`, say). To pass over
    /// such links, ignore the result instead of using `?`.
    pub fn follow(&mut self, page: &Page<'_>, href: &str) -> Result<&mut Follow, SpiderError> {
        let url = page.join(href)?;
        Ok(self.push(Follow::new(url, false)))
    }

    /// Follows all links of `page` ([`Page::links`]).
    pub fn follow_links(&mut self, page: &Page<'_>) -> Followed<'_> {
        self.follow_targets(page, |_| true)
    }

    /// Follows the links of `page` for which `wanted` holds. Nothing is read of them but what it
    /// asks for.
    #[doc(hidden)]
    pub fn follow_targets(
        &mut self,
        page: &Page<'_>,
        wanted: impl FnMut(LinkEntry<'_>) -> bool,
    ) -> Followed<'_> {
        let first = self.follows.len();
        let links = page.services().link_targets();
        self.follows.reserve(links.len());
        self.follows.extend(Follow::those(links, wanted));
        Followed::new(&mut self.follows[first..])
    }

    /// Follows the links of `page` ([`Page::links`]) for which `wanted` holds.
    pub fn follow_where(
        &mut self,
        page: &Page<'_>,
        mut wanted: impl FnMut(&Link) -> bool,
    ) -> Followed<'_> {
        let first = self.follows.len();
        let links = page.links().iter().filter(|link| wanted(link));
        self.follows.extend(links.map(|link| Follow::new(link.url.clone(), link.nofollow)));
        Followed::new(&mut self.follows[first..])
    }

    /// Follows the links that a CSS selector finds: elements with an `href`, and the links inside
    /// elements without one. Links that lead nowhere that is crawled are passed over.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn follow_css(
        &mut self,
        page: &Page<'_>,
        selector: &str,
    ) -> Result<Followed<'_>, SpiderError> {
        self.follow_css_where(page, selector, |_| true)
    }

    /// Follows those of the links of [`follow_css`](Self::follow_css) for whose URL `wanted`
    /// holds.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn follow_css_where(
        &mut self,
        page: &Page<'_>,
        selector: &str,
        mut wanted: impl FnMut(&CanonicalUrl) -> bool,
    ) -> Result<Followed<'_>, SpiderError> {
        let first = self.follows.len();
        for node in page.css(selector)? {
            if node.has_attr("href") {
                self.follows.extend(link_of(node).filter(|follow| wanted(follow.url())));
                continue;
            }
            for link in node.css(LINKS)? {
                self.follows.extend(link_of(link).filter(|follow| wanted(follow.url())));
            }
        }
        Ok(Followed::new(&mut self.follows[first..]))
    }

    /// Follows those of the links that [`ItemQuery::links`] finds for whose URL `wanted` holds:
    /// the same as [`follow_css_where`](Self::follow_css_where) of its selector, but without a
    /// document tree if the spider told the host of the query ([`Spider::wants`](crate::Spider::wants)).
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn follow_rows(
        &mut self,
        page: &Page<'_>,
        query: &ItemQuery,
        mut wanted: impl FnMut(&CanonicalUrl) -> bool,
    ) -> Result<Followed<'_>, SpiderError> {
        let first = self.follows.len();
        for row in page.rows(query)?.iter() {
            let links = links_of(row)?.into_iter();
            let links = links.filter_map(|(href, rel)| resolve(page, &href, rel.as_deref()));
            self.follows.extend(links.filter(|follow| wanted(follow.url())));
        }
        Ok(Followed::new(&mut self.follows[first..]))
    }

    /// Follows links of the page that were resolved before; each with whether it is marked
    /// `nofollow`.
    pub fn follow_resolved(
        &mut self,
        links: impl IntoIterator<Item = (CanonicalUrl, bool)>,
    ) -> Followed<'_> {
        let first = self.follows.len();
        self.follows.extend(links.into_iter().map(|(url, nofollow)| Follow::new(url, nofollow)));
        Followed::new(&mut self.follows[first..])
    }
}

/// What an element with an `href` links to; `None` if that is nothing that is crawled.
fn link_of(node: Node<'_>) -> Option<Follow> {
    let url = node.href().ok()??;
    Some(Follow::new(url, is_nofollow(node.attr("rel"))))
}

/// `href` and `rel` of the links of a row of [`ItemQuery::links`].
type RowLinks<'a> = Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>;

fn links_of(row: Row<'_>) -> Result<RowLinks<'_>, SpiderError> {
    if let Some(href) = row.first(0)? {
        return Ok(vec![(href, row.first(1)?)]);
    }
    let inner = row.all(2)?.into_iter().zip(row.all(3)?);
    Ok(inner.filter_map(|(href, rel)| Some((href?, rel))).collect())
}

/// A link with this `href` and `rel`; `None` if it leads nowhere that is crawled.
fn resolve(page: &Page<'_>, href: &str, rel: Option<&str>) -> Option<Follow> {
    Some(Follow::new(page.join(href).ok()?, is_nofollow(rel)))
}

pub(crate) fn is_nofollow(rel: Option<&str>) -> bool {
    let rel = rel.unwrap_or_default();
    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("nofollow"))
}
