//! Turns references into URLs, as the URL Standard and the document's base and encoding say.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use crawl_model::url::QueryEncoder;
use crawl_model::{CanonicalUrl, UrlError, WebUrl};
use crawl_spider::abi::wire::{LinkBook, Resolve};
use encoding_rs::{EncoderResult, Encoding, UTF_8};
use url::Url;

use super::memo::{Known, Recall};
use super::reticence::Reticence;

/// Resolves the references of one document.
#[derive(Debug)]
pub(crate) struct Resolver {
    base: Base,
    encoding: &'static Encoding,
    /// Where URLs are built, so that a link costs one allocation only: its own text.
    buffer: RefCell<String>,
    /// Which references lead to known URLs, if that is remembered.
    recall: Option<Box<(Recall, CanonicalUrl)>>,
}

/// What references are resolved against.
#[derive(Debug, Clone)]
enum Base {
    Web(WebUrl),
    /// A document that was not fetched from the web, such as a file.
    Other(Url),
}

impl Resolver {
    /// Resolves against `base`; queries are encoded in `encoding` (HTML Standard, section 2.5.1).
    pub(crate) fn new(base: Url, encoding: &'static Encoding) -> Self {
        match WebUrl::parse(base.as_str(), None) {
            Ok(base) => Self::with(Base::Web(base), encoding),
            Err(_) => Self::with(Base::Other(base), encoding),
        }
    }

    /// As [`new`](Self::new), for documents that were fetched.
    pub(crate) fn of(base: &CanonicalUrl, encoding: &'static Encoding) -> Self {
        Self::with(Base::Web(base.to_web().into_owned()), encoding)
    }

    /// As [`new`](Self::new), for a base that is still to be parsed: any absolute URL.
    ///
    /// # Errors
    /// [`UrlError::Invalid`] if it is none.
    pub(crate) fn parse(base: &str, encoding: &'static Encoding) -> Result<Self, UrlError> {
        let base = match WebUrl::parse(base, None) {
            Err(UrlError::Scheme(_)) => {
                Base::Other(Url::parse(base).map_err(|e| UrlError::Invalid(e.to_string()))?)
            }
            base => Base::Web(base?),
        };
        Ok(Self::with(base, encoding))
    }

    fn with(base: Base, encoding: &'static Encoding) -> Self {
        let (encoding, buffer) = (encoding.output_encoding(), RefCell::default());
        Self { base, encoding, buffer, recall: None }
    }

    /// Also tells which references of the page `url` lead to known URLs.
    pub(crate) fn with_recall(self, recall: Option<Recall>, url: &CanonicalUrl) -> Self {
        Self { recall: recall.map(|recall| Box::new((recall, url.clone()))), ..self }
    }

    /// Tells which references lead to known URLs; `None` if that is not remembered.
    pub(super) fn known(&self) -> Option<Known<'_>> {
        let (Some(recall), Base::Web(base)) = (&self.recall, &self.base) else { return None };
        Some(recall.0.from(base.view(), self.encoding))
    }

    /// Lets `links` hold references, which are resolved if somebody asks; `false` if somebody mostly
    /// does.
    pub(super) fn leave_to(&self, links: &mut LinkBook) -> bool {
        let Some((recall, url)) = self.recall.as_deref() else { return false };
        let Some(reticence) = recall.reticence().filter(|it| it.begin()) else { return false };
        let (base, encoding) = (self.base.clone(), self.encoding);
        let (url, reticence) = (url.clone(), reticence.clone());
        links.resolve_later(Box::new(Later { base, encoding, url, reticence }));
        true
    }

    /// Sets the base URL from a `base` element, if its reference is one that is crawled.
    pub(crate) fn rebase(&mut self, href: &str) -> bool {
        let base = self.read(href, |url| url.ok().map(WebUrl::into_owned));
        base.map(|base| self.base = Base::Web(base)).is_some()
    }

    /// Resolves a reference.
    ///
    /// # Errors
    /// [`UrlError`] if it gives no URL that is crawled.
    pub(crate) fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        self.read(href, |url| CanonicalUrl::from_web(&url?))
    }

    /// Resolves a link; `None` if it leads nowhere that is crawled.
    pub(crate) fn link(&self, href: &str) -> Option<CanonicalUrl> {
        self.join(href).ok()
    }

    /// Resolves a reference to the absolute URL that a browser would show for it: of any
    /// scheme and length, fragment kept. `None` if it does not parse.
    pub(crate) fn resolve_text(&self, href: &str) -> Option<String> {
        self.read(href, |url| match url {
            Ok(url) => Some(url.as_str().to_owned()),
            Err(UrlError::Scheme(_)) => self.foreign(href).ok().map(String::from),
            Err(_) => None,
        })
    }

    /// Resolves a reference to a web URL that lies in the buffer as long as it is looked at.
    pub(crate) fn read<R>(
        &self,
        href: &str,
        take: impl FnOnce(Result<WebUrl<&str>, UrlError>) -> R,
    ) -> R {
        let encode: QueryEncoder<'_> = &|query| encode_query(query, self.encoding);
        let encode = (self.encoding != UTF_8).then_some(encode);
        let base = match &self.base {
            Base::Web(base) => Some(base.view()),
            Base::Other(_) => None,
        };
        let mut buffer = self.buffer.take();
        let url = match WebUrl::read(&mut buffer, href, base, encode) {
            Err(UrlError::Invalid(_)) if base.is_none() => Err(self.not_web(href)),
            url => url,
        };
        let answer = take(url);
        // A monster should not stay in memory as long as its document.
        const MAX_KEPT_BYTES: usize = 64 * 1024;
        if buffer.capacity() <= MAX_KEPT_BYTES {
            self.buffer.replace(buffer);
        }
        answer
    }

    /// Why a reference to a base of another scheme gives no web URL.
    fn not_web(&self, href: &str) -> UrlError {
        match self.foreign(href) {
            Ok(url) => UrlError::Scheme(url.scheme().to_owned()),
            Err(error) => UrlError::Invalid(error.to_string()),
        }
    }

    /// Resolves what has another scheme, or is relative to what has.
    fn foreign(&self, href: &str) -> Result<Url, url::ParseError> {
        let base = match &self.base {
            Base::Web(_) => None, // what has a scheme of its own needs no other
            Base::Other(base) => Some(base),
        };
        let encode: QueryEncoder<'_> = &|query| encode_query(query, self.encoding);
        Url::options().base_url(base).encoding_override(Some(encode)).parse(href)
    }
}

/// Resolves what was left as references by a [`Resolver`], should anybody ask where they lead.
pub(super) struct Later {
    base: Base,
    encoding: &'static Encoding,
    /// The page's own URL.
    url: CanonicalUrl,
    reticence: Arc<Reticence>,
}

impl Resolve for Later {
    fn urls(&self, hrefs: &[&str]) -> Vec<CanonicalUrl> {
        self.reticence.note_asked();
        let resolver = Resolver::with(self.base.clone(), self.encoding);
        // Each has led somewhere before. If one is taken for another, it is a link to nothing new.
        let url = |href: &&str| resolver.link(href).unwrap_or_else(|| self.url.clone());
        hrefs.iter().map(url).collect()
    }
}

/// Encodes a query; what the encoding lacks becomes an escaped numeric reference (URL Standard,
/// "percent-encode after encoding").
fn encode_query(query: &str, encoding: &'static Encoding) -> Cow<'static, [u8]> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(query.len() * 2 + 16);
    let mut rest = query;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        out.reserve(room.unwrap_or(rest.len() * 4 + 16));
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return Cow::Owned(out),
            EncoderResult::OutputFull => {} // more room is reserved above
            EncoderResult::Unmappable(c) => {
                out.extend_from_slice(format!("%26%23{}%3B", c as u32).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(label: &str) -> Resolver {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        Resolver::new(Url::parse("http://h/d/p?q").unwrap(), encoding)
    }

    #[track_caller]
    fn check(label: &str, href: &str, expected: &str) {
        assert_eq!(resolver(label).link(href).unwrap().as_str(), expected);
        assert_eq!(resolver(label).join(href).unwrap().as_str(), expected);
    }

    #[test]
    fn queries_take_the_encoding_of_the_document_and_paths_do_not() {
        check("utf-8", "é?é", "http://h/d/%C3%A9?%C3%A9");
        check("iso-8859-1", "é?é", "http://h/d/%C3%A9?%E9");
        check("shift_jis", "?本", "http://h/d/p?%96{");
        check("iso-8859-1", "?a=本&b", "http://h/d/p?a=%26%2326412%3B&b");
        check("utf-16le", "?é", "http://h/d/p?%C3%A9");
    }

    #[test]
    fn other_schemes_are_no_links_and_still_texts() {
        for href in ["mailto:a@b", " JavaScript:void(0)", "tel:1", "data:,x", "x-y+z.1:q"] {
            assert!(resolver("utf-8").link(href).is_none(), "{href}");
            assert!(matches!(resolver("utf-8").join(href), Err(UrlError::Scheme(_))), "{href}");
        }
        check("utf-8", "./a:8/b/../c", "http://h/d/a:8/c");
        check("utf-8", "HTTPS://h/x", "https://h/x");
        check_text("http://h/d/p", " JavaScript:x#y ", Some("javascript:x#y"));
        check_text("http://h/d/p", "mailto:a@b", Some("mailto:a@b"));
        check_text("http://h/d/p", "http://[", None);
    }

    #[track_caller]
    fn check_text(base: &str, href: &str, expected: Option<&str>) {
        let resolver = Resolver::new(Url::parse(base).unwrap(), UTF_8);
        assert_eq!(resolver.resolve_text(href).as_deref(), expected);
    }

    #[test]
    fn texts_keep_their_fragments_and_have_no_limit() {
        check_text("http://h/d/p?q#f", "", Some("http://h/d/p?q"));
        check_text("http://h/d/p?q#f", "#é <", Some("http://h/d/p?q#%C3%A9%20%3C"));
        check_text("http://h/d/p?q#f", "../x#", Some("http://h/x#"));
        let long = format!("/{}#f", "a".repeat(100_000));
        check_text("http://h/", &long, Some(&format!("http://h{long}")));
        assert!(matches!(resolver("utf-8").join(&long), Err(UrlError::TooLong(_))));
    }

    #[test]
    fn documents_from_elsewhere_have_references_too() {
        check_text("file:///d/p", "x#f", Some("file:///d/x#f"));
        check_text("file:///d/p", "http:x", Some("http://x/"));
        check_text("mailto:a@b", "x", None);
        check_text("mailto:a@b", "//h/", None);
        let resolver = Resolver::new(Url::parse("file:///d/p").unwrap(), UTF_8);
        assert!(matches!(resolver.join("x"), Err(UrlError::Scheme(scheme)) if scheme == "file"));
        assert_eq!(resolver.join("//h/").unwrap_err(), UrlError::Scheme("file".to_owned()));
        assert!(matches!(resolver.join("http://"), Err(UrlError::Invalid(_))));
        assert_eq!(resolver.link("https:h").unwrap().as_str(), "https://h/");
    }

    #[test]
    fn a_base_element_is_a_reference_too() {
        let mut resolver = resolver("iso-8859-1");
        assert!(!resolver.rebase("javascript:x") && !resolver.rebase("http://"));
        assert!(resolver.rebase("../b/?é#f"));
        assert_eq!(resolver.link("").unwrap().as_str(), "http://h/b/?%E9");
        assert_eq!(resolver.link("x").unwrap().as_str(), "http://h/b/x");
    }
}
