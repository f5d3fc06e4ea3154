//! The page's URLs by number, so that they need not be written out on the way back.

use std::sync::Arc;

use crawl_model::CanonicalUrl;

use crate::abi::wire::{KnownUrl, LinkBook, UrlBook};

/// How far ahead a URL is looked for. Spiders follow links in the order of the page, or few of
/// them; one that is not found is written out.
const WINDOW: usize = 256;

/// A page's URLs, and how far the harvest has come in them.
pub(super) struct GuestBook<'a> {
    links: Option<&'a Arc<LinkBook>>,
    joined: &'a [CanonicalUrl],
    next_link: usize,
    next_joined: usize,
}

impl<'a> GuestBook<'a> {
    pub(super) fn new(links: Option<&'a Arc<LinkBook>>, joined: &'a [CanonicalUrl]) -> Self {
        Self { links, joined, next_link: 0, next_joined: 0 }
    }
}

/// Whether two are copies of one, which needs no look at the text.
fn is_same(a: &CanonicalUrl, b: &CanonicalUrl) -> bool {
    std::ptr::eq(a.as_str(), b.as_str())
}

impl UrlBook for GuestBook<'_> {
    fn number(&mut self, url: &CanonicalUrl) -> Option<KnownUrl> {
        // Of links that nobody has read, nobody has a URL.
        let links = self.links.and_then(|links| links.read_links()).unwrap_or_default();
        let links = links.get(self.next_link..).unwrap_or_default();
        let joined = self.joined.get(self.next_joined..).unwrap_or_default();
        if let Some(at) = links.iter().take(WINDOW).position(|link| is_same(&link.url, url)) {
            self.next_link += at + 1;
            return u32::try_from(self.next_link - 1).ok().map(KnownUrl::Link);
        }
        let at = joined.iter().take(WINDOW).position(|known| is_same(known, url))?;
        self.next_joined += at + 1;
        u32::try_from(self.next_joined - 1).ok().map(KnownUrl::Joined)
    }

    fn has(&self, links: &Arc<LinkBook>) -> bool {
        self.links.is_some_and(|own| Arc::ptr_eq(own, links))
    }

    fn joined(&self, number: u32) -> Option<&CanonicalUrl> {
        self.joined.get(number as usize)
    }

    fn links(&self) -> Option<&Arc<LinkBook>> {
        self.links
    }
}
