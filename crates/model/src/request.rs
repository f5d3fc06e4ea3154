//! What is to be fetched, and what the spider wants to know of it later.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CanonicalUrl, FetchOptions, FileKind, Fingerprint};

/// The HTTP methods that a crawler sends (RFC 9110, section 9.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum Method {
    /// Safe and idempotent: nearly every request.
    #[default]
    Get = 0,
    /// GET without the body.
    Head = 1,
    /// Carries [`Request::body`]. Never sent again by itself after it may have arrived.
    Post = 2,
}

impl Method {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// One thing to fetch, with all that must survive until its page is parsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Where to.
    pub url: CanonicalUrl,
    /// How.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: Method,
    /// Extra headers; these win over the crawl's defaults of the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body, for POST.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<u8>,
    /// Which of the spider's callbacks the page is for; empty for the default one.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub label: Arc<str>,
    /// Which of the spider's error callbacks is for it if it gives no page; empty for the default
    /// one.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub errback: Arc<str>,
    /// The spider's own notes for that callback; `Null` if there are none.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub meta: serde_json::Value,
    /// Higher goes first within its host; 0 is usual.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Link distance from the nearest seed at admission; 0 for seeds. A redirect hop keeps it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depth: u32,
    /// The URLs that redirected here, first one first; empty if none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<CanonicalUrl>,
    /// The page that linked here; `None` for seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<CanonicalUrl>,
    /// What it asks of its fetch; few requests ask anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Box<FetchOptions>>,
}

impl Request {
    /// The label of sitemaps that a robots.txt named. Their entries are followed by the crawler
    /// itself; no callback sees them.
    pub const SITEMAP: &str = "@sitemap";

    /// The label of sitemaps that a spider asks for and reads by itself.
    pub const SPIDERS_SITEMAP: &str = "@sitemap:spider";

    /// The label of files that items ask for. No callback sees them.
    pub const FILE: &str = "@file";

    /// The label of images that items ask for.
    pub const IMAGE: &str = "@image";

    /// Stands in the fingerprints of files, so that a URL may be a page and a file.
    const FILE_NUMBER: u64 = 0x6d65_6469_6121_0001;

    /// A file that an item asks for; before the pages of its host, so that items wait less long.
    #[must_use]
    pub fn file(url: CanonicalUrl, kind: FileKind) -> Self {
        let label = match kind {
            FileKind::File => Self::FILE,
            FileKind::Image => Self::IMAGE,
        };
        Self { label: label.into(), priority: 1, ..Self::get(url) }
    }

    /// What is wanted of a file; `None` if it is none that an item asks for.
    #[must_use]
    pub fn file_kind(&self) -> Option<FileKind> {
        Self::file_kind_of(&self.label)
    }

    /// The same by the label.
    #[must_use]
    pub fn file_kind_of(label: &str) -> Option<FileKind> {
        match label {
            Self::FILE => Some(FileKind::File),
            Self::IMAGE => Some(FileKind::Image),
            _ => None,
        }
    }

    /// Whether it asks for a file that an item wants.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.file_kind().is_some()
    }

    /// What makes it a request of its own in its fingerprint, if anything does.
    pub(crate) fn number(&self) -> Option<u64> {
        self.options().unique.or(self.is_file().then_some(Self::FILE_NUMBER))
    }

    /// Whether pages of this label are sitemaps, which may be compressed files and need not be
    /// what the crawl's scope takes for pages.
    #[must_use]
    pub fn is_sitemap_label(label: &str) -> bool {
        label == Self::SITEMAP || label == Self::SPIDERS_SITEMAP
    }

    /// Whether it asks for a sitemap, whoever named it.
    #[must_use]
    pub fn is_sitemap(&self) -> bool {
        Self::is_sitemap_label(&self.label)
    }

    /// Whether it asks for a sitemap that a robots.txt, or such a sitemap, named, so that the
    /// crawler reads it by itself.
    #[must_use]
    pub fn is_crawlers_sitemap(&self) -> bool {
        *self.label == *Self::SITEMAP
    }

    /// Whether header fields, metadata or settings of its own make more of it than its URL and its
    /// label tell.
    #[must_use]
    pub fn has_extras(&self) -> bool {
        !self.headers.is_empty()
            || !self.errback.is_empty()
            || !self.meta.is_null()
            || self.options.is_some()
    }

    /// A plain GET of `url`, as a seed.
    #[must_use]
    pub fn get(url: CanonicalUrl) -> Self {
        Self {
            url,
            method: Method::Get,
            headers: Vec::new(),
            body: Vec::new(),
            label: Arc::from(""),
            errback: Arc::from(""),
            meta: serde_json::Value::Null,
            priority: 0,
            depth: 0,
            chain: Vec::new(),
            referrer: None,
            options: None,
        }
    }

    /// What it asks of its fetch; the defaults if it asks nothing.
    #[must_use]
    pub fn options(&self) -> &FetchOptions {
        static NOTHING: FetchOptions = FetchOptions::NOTHING;
        self.options.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be changed.
    pub fn options_mut(&mut self) -> &mut FetchOptions {
        self.options.get_or_insert_default()
    }

    /// The request that follows a redirect of this one to `target`: carries chain, labels,
    /// metadata, priority and depth. Method and body follow RFC 9110, section 15.4:
    /// 307 and 308 keep them, 303 makes a GET of all but HEAD, 301 and 302 make a GET of POST;
    /// with the body go the header fields that describe it. Credentials do not travel to another
    /// origin. The options stay; of a request that is one of its own
    /// ([`FetchOptions::unique`]) the hop is, too.
    #[must_use]
    pub fn redirected(&self, target: CanonicalUrl, status: u16) -> Self {
        let mut hop = self.clone();
        let keeps_method = matches!(status, 307 | 308) || self.method != Method::Post;
        if !keeps_method {
            hop.method = Method::Get;
            hop.body.clear();
            hop.headers.retain(|(name, _)| !is_content(name));
        }
        if target.origin() != self.url.origin() {
            hop.headers.retain(|(name, _)| !is_credential(name));
        }
        hop.chain.push(self.url.clone());
        hop.url = target;
        if let Some(number) = self.options().unique {
            hop.renumber(number);
        }
        hop
    }

    /// As [`redirected`](Self::redirected), to a URL that may have been asked before and is to be
    /// asked again because the cookies have changed: it is a request of its own, or it would be
    /// dropped as known.
    #[must_use]
    pub fn refetched(&self, target: CanonicalUrl, status: u16) -> Self {
        let mut hop = self.redirected(target, status);
        hop.options_mut().cookies_changed = false;
        hop.renumber(self.options().unique.unwrap_or(0));
        hop
    }

    /// Makes a hop a request of its own, though its fingerprint is that of a URL asked before.
    #[must_use]
    pub fn as_its_own(mut self) -> Self {
        self.renumber(self.options().unique.unwrap_or(0));
        self
    }

    /// Chooses a number by `number` and the length of the chain: the same whenever the same
    /// answer is read.
    fn renumber(&mut self, number: u64) {
        let length = self.chain.len() as u64;
        self.options_mut().unique = Some(Fingerprint(number).number(length));
    }
}

/// Header fields that speak of the request's body (RFC 9110, section 15.4, point 5).
fn is_content(name: &str) -> bool {
    let starts_with = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    // Content-Type, -Length, -Encoding, -Language, -Location; Digest is of the body, too.
    ["content-", "digest", "repr-digest", "last-modified"].iter().any(|word| starts_with(word))
}

/// Headers that must not travel to another origin.
fn is_credential(name: &str) -> bool {
    ["authorization", "cookie", "proxy-authorization"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_empty(label: &Arc<str>) -> bool {
    label.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_what_the_spider_wrote_and_drops_secrets_across_origins() {
        let mut request = Request::get(CanonicalUrl::parse("http://a/x").unwrap());
        request.method = Method::Post;
        request.body = b"q".to_vec();
        request.label = "detail".into();
        request.errback = "gone".into();
        request.depth = 3;
        request.headers = vec![("Cookie".into(), "s".into()), ("X-A".into(), "1".into())];
        let hop = request.redirected(CanonicalUrl::parse("http://b/y").unwrap(), 302);
        assert_eq!((hop.method, hop.body.len(), hop.depth), (Method::Get, 0, 3));
        assert_eq!((&*hop.label, &*hop.errback, hop.headers.len()), ("detail", "gone", 1));
        assert_eq!(hop.chain[0].as_str(), "http://a/x");
        request.headers =
            vec![("content-Type".into(), "a/b".into()), ("Accept".into(), "*".into())];
        assert_eq!(request.redirected(hop.url.clone(), 303).headers[0].0, "Accept");
        assert_eq!(request.redirected(hop.url.clone(), 308).headers.len(), 2);
        let kept = request.redirected(CanonicalUrl::parse("http://a/y").unwrap(), 307);
        assert_eq!((kept.method, kept.body.as_slice()), (Method::Post, &b"q"[..]));
    }

    #[test]
    fn a_hop_of_a_request_of_its_own_is_one_too_and_the_same_each_time() {
        let mut request = Request::get(CanonicalUrl::parse("http://a/x").unwrap());
        let target = CanonicalUrl::parse("http://a/y").unwrap();
        assert!(request.redirected(target.clone(), 302).options.is_none());
        let again = request.refetched(request.url.clone(), 302);
        assert_eq!((&again.url, again.chain.len()), (&request.url, 1));
        assert!(again.options().unique.is_some());
        request.options_mut().unique = Some(7);
        let hop = request.redirected(target.clone(), 302);
        assert!(hop.options().unique.is_some_and(|number| number != 7));
        assert_eq!(hop, request.redirected(target, 302));
    }
}
