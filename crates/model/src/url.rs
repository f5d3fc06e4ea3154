//! What counts as one URL: the form that goes on the wire, and the key that tells duplicates.

mod web;

mod authority;
mod escape;
mod identity;
mod key;
mod survey;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::{Host, Origin};

pub use self::identity::{FingerprintBits, IdentityConfig, KeyRules, NoParameter};
pub(crate) use self::key::{is_idle_on, key_pieces};
use self::web::Parts;
pub use self::web::{QueryEncoder, WebUrl};

/// Longest URL that is crawled, in bytes. The limit that Scrapy and browsers of old agree on;
/// longer ones are nearly always a trap.
pub const MAX_URL_BYTES: usize = 2083;

/// An absolute `http` or `https` URL without fragment, as the WHATWG URL Standard serialises it.
///
/// The text is what goes on the wire, byte for byte. Two spellings of one resource are told by
/// [`key`](Self::key), never by changing the text. Cloning is cheap (one reference count).
///
/// [`Display`](fmt::Display) hides the password of a URL that carries one; [`as_str`](Self::as_str)
/// does not.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalUrl {
    text: Arc<str>,
    host_start: u32,
    host_end: u32,
    path_start: u32,
}

/// Why a text is not a URL that can be crawled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The WHATWG parser refuses it.
    #[error("not a URL: {0}")]
    Invalid(String),
    /// Only `http` and `https` are crawled.
    #[error("scheme `{0}` is not http or https")]
    Scheme(String),
    /// Longer than [`MAX_URL_BYTES`].
    #[error("URL of {0} bytes is longer than {MAX_URL_BYTES}")]
    TooLong(usize),
}

impl CanonicalUrl {
    /// Parses an absolute URL and removes its fragment.
    ///
    /// # Errors
    /// [`UrlError`] if the text is no URL, of another scheme, or too long.
    ///
    /// # Examples
    /// ```
    /// use crawl_model::CanonicalUrl;
    /// let url = CanonicalUrl::parse("HTTP://Example.org:80/a/../b#top")?;
    /// assert_eq!(url.as_str(), "http://example.org/b");
    /// # Ok::<(), crawl_model::UrlError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::from_web(&WebUrl::parse(text, None)?)
    }

    /// Takes over a parsed URL, without its fragment.
    ///
    /// # Errors
    /// [`UrlError::TooLong`].
    #[inline]
    pub fn from_web<T: AsRef<str>>(url: &WebUrl<T>) -> Result<Self, UrlError> {
        let (text, [host_start, host_end, path_start]) = url.canonical()?;
        Ok(Self { text: text.into(), host_start, host_end, path_start })
    }

    /// Takes over a URL of the `url` crate, without its fragment.
    ///
    /// # Errors
    /// [`UrlError`], as for [`parse`](Self::parse).
    pub fn from_url(url: &Url) -> Result<Self, UrlError> {
        Self::parse(url.as_str()) // whose serialisation is not always the standard's
    }

    /// Resolves `reference` (relative or absolute) against this URL.
    ///
    /// Links of a page go through the parser's own resolver; this is for the odd one, such as a
    /// `Location` header.
    ///
    /// # Errors
    /// [`UrlError`], as for [`parse`](Self::parse).
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        Self::from_web(&WebUrl::parse(reference, Some(self.to_web()))?)
    }

    /// Its text and the places in it of host and path, from which [`from_parts`](Self::from_parts)
    /// makes it again without parsing.
    #[must_use]
    pub fn parts(&self) -> (&str, [u32; 3]) {
        (&self.text, [self.host_start, self.host_end, self.path_start])
    }

    /// Puts a URL together again of its [`parts`](Self::parts), for where it crosses the boundary
    /// to another program. That the text is canonical is taken on trust; `None` if it cannot be,
    /// or the places are not in it.
    #[must_use]
    pub fn from_parts(text: &str, places: [u32; 3]) -> Option<Self> {
        let [host_start, host_end, path_start] = places;
        let scheme = web::scheme_text(web::is_https(text));
        let [start, end, path] = places.map(|place| place as usize);
        let is_sound = text.len() <= MAX_URL_BYTES
            && text.starts_with(scheme)
            && text.is_ascii()
            && scheme.len() <= start
            && start < end
            && end <= path
            && text.as_bytes().get(path) == Some(&b'/');
        is_sound.then(|| Self { text: text.into(), host_start, host_end, path_start })
    }

    /// The URL as a base for others.
    #[must_use]
    pub fn to_web(&self) -> WebUrl<&str> {
        let parts = Parts {
            host_start: self.host_start as usize,
            host_end: self.host_end as usize,
            path_start: self.path_start as usize,
            path_end: self.path_start as usize + self.path().len(),
            query_end: self.text.len(),
        };
        WebUrl::from_parts(&self.text, parts)
    }

    /// The URL as the `url` crate's type.
    #[must_use]
    pub fn to_url(&self) -> Url {
        Url::parse(&self.text).expect("a canonical URL is its own serialisation, so it parses")
    }

    /// The whole URL, credentials included: what goes on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL without user name and password: what is kept in records and shown.
    ///
    /// # Examples
    /// ```
    /// use crawl_model::CanonicalUrl;
    /// let url = CanonicalUrl::parse("http://joe:secret@example.org/a")?;
    /// assert_eq!(url.without_credentials().as_str(), "http://example.org/a");
    /// # Ok::<(), crawl_model::UrlError>(())
    /// ```
    #[must_use]
    pub fn without_credentials(&self) -> Self {
        let scheme = web::scheme_text(self.is_https());
        if self.host_start as usize == scheme.len() {
            return self.clone();
        }
        let shift = self.host_start - scheme.len() as u32;
        Self {
            text: format!("{scheme}{}", &self.text[self.host_start as usize..]).into(),
            host_start: self.host_start - shift,
            host_end: self.host_end - shift,
            path_start: self.path_start - shift,
        }
    }

    /// Host name or address as it stands in the URL, IPv6 with brackets.
    #[must_use]
    pub fn host_str(&self) -> &str {
        &self.text[self.host_start as usize..self.host_end as usize]
    }

    /// Path and query, beginning with `/`.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.text[self.path_start as usize..]
    }

    /// Path without query, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        let whole = self.path_and_query();
        memchr::memchr(b'?', whole.as_bytes()).map_or(whole, |end| &whole[..end])
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        web::is_https(&self.text)
    }

    /// The port, the scheme's default (80, 443) if none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.text[self.host_end as usize..self.path_start as usize]
            .strip_prefix(':')
            .and_then(|port| port.parse().ok())
            .unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Host and port as they stand in a `Host` header (RFC 9110, section 7.2).
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.host_start as usize..self.path_start as usize]
    }

    /// The politeness key: the host name, whatever the port.
    #[must_use]
    pub fn host(&self) -> Host {
        Host::new(self.host_str())
    }

    /// The robots key: scheme, host and port (RFC 9309, section 2.3).
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::new(self.is_https(), self.host_str(), self.port())
    }

    /// The text by which duplicates are told: escapes in upper case, escaped unreserved
    /// characters unescaped (RFC 3986, section 6.2.2). Borrowed if nothing had to change.
    ///
    /// # Examples
    /// ```
    /// use crawl_model::CanonicalUrl;
    /// let url = CanonicalUrl::parse("http://example.org/%7ejoe/%c3%a9")?;
    /// assert_eq!(url.key(), "http://example.org/~joe/%C3%A9");
    /// # Ok::<(), crawl_model::UrlError>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        key::key(&self.text)
    }

    /// Hands over the [`key`](Self::key) in pieces, so that it can be hashed without being built.
    pub fn key_pieces(&self, take: impl FnMut(&str)) {
        key_pieces(&self.text, take);
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before_host = &self.text[..self.host_start as usize];
        match before_host.find("://") {
            Some(scheme) if before_host.len() > scheme + 3 => {
                write!(
                    f,
                    "{}***@{}",
                    &before_host[..scheme + 3],
                    &self.text[self.host_start as usize..]
                )
            }
            _ => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for CanonicalUrl {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for CanonicalUrl {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(CanonicalUrl::parse(text).unwrap().as_str(), expected);
    }

    #[test]
    fn dot_segments_and_fragments_go() {
        check("http://example.org/a/../b#x", "http://example.org/b");
        check("HTTPS://EXAMPLE.org:443", "https://example.org/");
    }

    #[test]
    fn the_parts_are_found() {
        let url = CanonicalUrl::parse("http://joe:pw@[::1]:8080/p/q?x=1").unwrap();
        assert_eq!((url.host_str(), url.port()), ("[::1]", 8080));
        assert_eq!(url.authority(), "[::1]:8080");
        assert_eq!((url.path(), url.path_and_query()), ("/p/q", "/p/q?x=1"));
        assert_eq!(url.to_string(), "http://***@[::1]:8080/p/q?x=1");
    }

    #[test]
    fn the_key_unifies_spellings_and_the_wire_form_stays() {
        let url = CanonicalUrl::parse("http://h/%2f%41%zz%c3?a=%7E").unwrap();
        assert_eq!(url.as_str(), "http://h/%2f%41%zz%c3?a=%7E");
        assert_eq!(url.key(), "http://h/%2FA%zz%C3?a=~");
        let mut pieces = String::new();
        url.key_pieces(|piece| pieces.push_str(piece));
        assert_eq!(pieces, url.key());
    }

    #[test]
    fn a_reference_is_resolved_against_any_url() {
        let url = CanonicalUrl::parse("http://joe@h:81/p/q?x=/y").unwrap();
        assert_eq!(url.join("r?z#f").unwrap().as_str(), "http://joe@h:81/p/r?z");
        assert_eq!(url.join("#f").unwrap(), url);
        assert_eq!(url.join("///g/..").unwrap().as_str(), "http://g/");
        assert_eq!(CanonicalUrl::from_url(&url.to_url()).unwrap(), url);
    }

    #[test]
    fn other_schemes_and_monsters_are_refused() {
        assert!(matches!(CanonicalUrl::parse("mailto:a@b"), Err(UrlError::Scheme(_))));
        assert!(matches!(CanonicalUrl::parse("x y"), Err(UrlError::Invalid(_))));
        let long = format!("http://h/{}", "a".repeat(3000));
        assert!(matches!(CanonicalUrl::parse(&long), Err(UrlError::TooLong(_))));
    }
}
