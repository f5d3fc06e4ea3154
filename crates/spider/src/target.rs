//! Where a request leads: a URL, or a link of the page by its number.
//!
//! Who follows all links of a page needs no URL of them: most are known, and their text says so.

use std::fmt;
use std::sync::Arc;

use crawl_model::CanonicalUrl;

use crate::abi::wire::LinkBook;

/// Where a request leads.
pub(crate) enum Target {
    /// To this URL.
    Url(CanonicalUrl),
    /// To the link of this number, which nobody in this plugin may have looked at yet.
    Link(Arc<LinkBook>, u32),
}

impl Target {
    /// The URL's text, for which no URL is made.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Url(url) => url.as_str(),
            Self::Link(links, at) => links.url_text(*at),
        }
    }

    /// The URL; this makes those of all links if need be.
    pub(crate) fn url(&self) -> &CanonicalUrl {
        match self {
            Self::Url(url) => url,
            Self::Link(links, at) => &links.links()[*at as usize].url,
        }
    }

    /// The URL.
    pub(crate) fn into_url(self) -> CanonicalUrl {
        match self {
            Self::Url(url) => url,
            Self::Link(links, at) => links.url(at),
        }
    }
}

impl Clone for Target {
    /// A copy may be kept longer than its page, and must not keep the page's links with it.
    fn clone(&self) -> Self {
        match self {
            Self::Url(url) => Self::Url(url.clone()),
            Self::Link(links, at) => Self::Url(links.url(*at)),
        }
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.url() == other.url()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::Follow;
    use crate::{Link, LinkKind};

    #[test]
    fn links_are_followed_by_number_and_copies_keep_their_url_alone() {
        let link = |url: &str, nofollow| Link {
            url: CanonicalUrl::parse(url).unwrap(),
            text: "".into(),
            rel: "".into(),
            nofollow,
            kind: LinkKind::Anchor,
        };
        let links = vec![link("http://h/a", false), link("http://h/b", true)];
        let book = Arc::new(LinkBook::read(&LinkBook::from(links).frame()).unwrap());
        let follows = Vec::from_iter(Follow::each(&book));
        assert!(book.read_links().is_none());
        let plain = Follow::new(CanonicalUrl::parse("http://h/b").unwrap(), true);
        assert_eq!((follows.len(), &follows[1]), (2, &plain));
        let copies = follows.clone();
        assert_eq!((&copies, Arc::strong_count(&book)), (&follows, 3));
        let request = copies.into_iter().next().unwrap().into_request(1, None);
        assert_eq!(request.url.as_str(), "http://h/a");
    }
}
