//! Turns references into URLs, as the URL Standard and the document's base and encoding say.

use std::borrow::Cow;

use crawl_model::{CanonicalUrl, UrlError};
use encoding_rs::{EncoderResult, Encoding, UTF_8};
use url::Url;

/// Resolves the references of one document.
#[derive(Debug)]
pub(crate) struct Resolver {
    base: Url,
    encoding: &'static Encoding,
}

impl Resolver {
    /// Resolves against `base`; queries are encoded in `encoding` (HTML Standard, section 2.5.1).
    pub(crate) fn new(base: Url, encoding: &'static Encoding) -> Self {
        Self { base, encoding: encoding.output_encoding() }
    }

    /// Sets the base URL from a `base` element, if its reference is one that is crawled.
    pub(crate) fn rebase(&mut self, href: &str) -> bool {
        let usable =
            self.join_url(href).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        usable.map(|url| self.base = url).is_some()
    }

    /// Resolves a reference.
    ///
    /// # Errors
    /// [`UrlError`] if it gives no URL that is crawled.
    pub(crate) fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        if let Some(scheme) = foreign_scheme(href) {
            return Err(UrlError::Scheme(scheme.to_ascii_lowercase()));
        }
        let url = self.join_url(href).map_err(|error| UrlError::Invalid(error.to_string()))?;
        CanonicalUrl::from_url(url)
    }

    /// Resolves a link; `None` if it leads nowhere that is crawled.
    pub(crate) fn link(&self, href: &str) -> Option<CanonicalUrl> {
        if foreign_scheme(href).is_some() {
            return None;
        }
        self.join_url(href).ok().and_then(|url| CanonicalUrl::from_url(url).ok())
    }

    /// Makes a reference absolute, whatever its scheme, its fragment kept; `None` if it is no URL.
    pub(crate) fn absolute(&self, href: &str) -> Option<String> {
        self.join_url(href).ok().map(String::from)
    }

    fn join_url(&self, href: &str) -> Result<Url, url::ParseError> {
        if self.encoding == UTF_8 || href.is_ascii() {
            return self.base.join(href);
        }
        let encode: &dyn Fn(&str) -> Cow<'_, [u8]> = &|query| encode_query(query, self.encoding);
        Url::options().base_url(Some(&self.base)).encoding_override(Some(encode)).parse(href)
    }
}

/// The scheme of an absolute reference that is not http(s), found without parsing the URL.
fn foreign_scheme(href: &str) -> Option<&str> {
    let href = href.trim_start_matches(|c: char| c <= ' ');
    let end = href.bytes().position(|byte| matches!(byte, b':' | b'/' | b'?' | b'#'))?;
    let scheme = &href[..end];
    let is_scheme = href.as_bytes()[end] == b':'
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    (is_scheme && !is_web).then_some(scheme)
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
    fn other_schemes_are_told_without_parsing() {
        for href in ["mailto:a@b", " JavaScript:void(0)", "tel:1", "data:,x", "x-y+z.1:q"] {
            assert!(resolver("utf-8").link(href).is_none(), "{href}");
            assert!(matches!(resolver("utf-8").join(href), Err(UrlError::Scheme(_))), "{href}");
        }
        check("utf-8", "./a:8/b/../c", "http://h/d/a:8/c");
        check("utf-8", "HTTPS://h/x", "https://h/x");
    }
}
