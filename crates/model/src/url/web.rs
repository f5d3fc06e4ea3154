//! An http(s) URL of any length, read as the URL Standard's basic URL parser reads it.
//!
//! Links are resolved by the hundred per page, so this is one pass over the reference that
//! appends to one buffer. The standard's states are found again in the functions: scheme
//! (`split_scheme`), relative, authority (in `authority.rs`), path, query and fragment. It
//! differs from the `url` crate where that departs from the standard: `///host/` against a
//! base, `^` in paths, segments that look like drive letters, and queries in stateful
//! encodings that are interrupted by tabs.
//!
//! Not here: other schemes, the limit on a URL's length.

use std::borrow::Cow;

use super::authority::push_authority;
use super::escape::{CLASS, DOT, END, FRAGMENT, PATH, QUERY, SLASH};
use super::escape::{push_encoded, push_encoded_bytes};
use super::{UrlError, key};

/// Encodes the text of a query in the encoding of the document that holds it.
pub type QueryEncoder<'a> = &'a dyn Fn(&str) -> Cow<'_, [u8]>;

/// An absolute `http` or `https` URL with its fragment, as the URL Standard serialises it.
///
/// Unlike [`CanonicalUrl`](crate::CanonicalUrl) of any length, and a good base for others. Its
/// text is owned, or lies in a buffer that is used again ([`read`](WebUrl::read)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebUrl<T = String> {
    text: T,
    parts: Parts,
}

/// Where the parts of a URL begin and end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) host_start: usize,
    pub(super) host_end: usize,
    pub(super) path_start: usize,
    pub(super) path_end: usize,
    /// End of the query, or of the path if there is none.
    pub(super) query_end: usize,
}

impl WebUrl {
    /// Parses an absolute URL, or resolves a reference against `base`.
    ///
    /// # Errors
    /// [`UrlError::Scheme`] for URLs of other schemes, [`UrlError::Invalid`] for what the
    /// standard refuses. Never [`UrlError::TooLong`].
    ///
    /// # Examples
    /// ```
    /// use crawl_model::WebUrl;
    /// let base = WebUrl::parse("http://example.org/a/b?c", None)?;
    /// let url = WebUrl::parse("../d#top", Some(base.view()))?;
    /// assert_eq!(url.as_str(), "http://example.org/d#top");
    /// assert_eq!(url.without_fragment(), "http://example.org/d");
    /// # Ok::<(), crawl_model::UrlError>(())
    /// ```
    pub fn parse(input: &str, base: Option<WebUrl<&str>>) -> Result<Self, UrlError> {
        let known = base.map_or(0, |base| base.parts.query_end);
        let mut text = String::with_capacity(known + input.len() + 8);
        let parts = WebUrl::read(&mut text, input, base, None)?.parts;
        Ok(Self { text, parts })
    }
}

impl<'t> WebUrl<&'t str> {
    /// As [`parse`](WebUrl::parse), into a buffer whose content is overwritten. `query` is the
    /// encoder of documents that are not in UTF-8.
    ///
    /// # Errors
    /// As [`parse`](WebUrl::parse); the buffer is then empty or half filled.
    pub fn read(
        buffer: &'t mut String,
        input: &str,
        base: Option<WebUrl<&str>>,
        query: Option<QueryEncoder<'_>>,
    ) -> Result<Self, UrlError> {
        buffer.clear();
        let mut reader = Reader { out: buffer, parts: Parts::default(), query };
        reader.reference(input, base)?;
        let parts = reader.parts;
        Ok(Self { text: buffer, parts })
    }

    /// The URL with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> WebUrl {
        WebUrl { text: self.text.to_owned(), parts: self.parts }
    }

    pub(super) fn from_parts(text: &'t str, parts: Parts) -> Self {
        Self { text, parts }
    }
}

impl<T: AsRef<str>> WebUrl<T> {
    /// The whole URL, with credentials and fragment.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_ref()
    }

    /// The URL up to its fragment.
    #[must_use]
    pub fn without_fragment(&self) -> &str {
        &self.as_str()[..self.parts.query_end]
    }

    /// The URL without owning its text, as bases are handed over.
    #[must_use]
    pub fn view(&self) -> WebUrl<&str> {
        WebUrl { text: self.as_str(), parts: self.parts }
    }

    /// The text by which duplicates are told; see [`CanonicalUrl::key`](crate::CanonicalUrl::key).
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        key::key(self.without_fragment())
    }

    pub(super) fn parts(&self) -> Parts {
        self.parts
    }

    pub(super) fn is_https(&self) -> bool {
        is_https(self.as_str())
    }
}

/// Whether the text of a canonical URL has the scheme `https`.
pub(super) fn is_https(text: &str) -> bool {
    text.as_bytes().get(4) == Some(&b's')
}

/// `scheme://`
pub(super) fn scheme_text(https: bool) -> &'static str {
    if https { "https://" } else { "http://" }
}

/// A reference that becomes a URL.
struct Reader<'o, 'q> {
    out: &'o mut String,
    parts: Parts,
    query: Option<QueryEncoder<'q>>,
}

impl Reader<'_, '_> {
    fn reference(&mut self, input: &str, base: Option<WebUrl<&str>>) -> Result<(), UrlError> {
        let mut rest = trim(input);
        let mut scheme = split_scheme(rest)?;
        let tidied;
        if has_break(rest) {
            tidied = without_breaks(rest);
            rest = &tidied;
            scheme = split_scheme(rest)?;
        }
        match (scheme, base) {
            (None, Some(base)) => self.relative(rest, base),
            (None, None) => Err(UrlError::Invalid("relative URL without a base".to_owned())),
            // "Special relative or authority state": `http:x` is relative to an http base.
            (Some(https), Some(base))
                if https == base.is_https() && !starts_with_slashes(behind_scheme(rest, https)) =>
            {
                self.relative(behind_scheme(rest, https), base)
            }
            (Some(https), base) => self.absolute(https, behind_scheme(rest, https), base),
        }
    }

    /// "Relative state" and "relative slash state".
    fn relative(&mut self, rest: &str, base: WebUrl<&str>) -> Result<(), UrlError> {
        if starts_with_slashes(rest) {
            return self.absolute(base.is_https(), rest, Some(base));
        }
        self.parts = base.parts;
        let rest = match rest.as_bytes().first() {
            None | Some(b'#') => {
                self.out.push_str(&base.text[..base.parts.query_end]);
                rest
            }
            Some(b'?') => {
                self.out.push_str(&base.text[..base.parts.path_end]);
                rest
            }
            Some(b'/' | b'\\') => {
                self.out.push_str(&base.text[..=base.parts.path_start]);
                self.path(&rest[1..])
            }
            Some(_) => {
                let path = &base.text.as_bytes()[..base.parts.path_end];
                let slash = path.iter().rposition(|&byte| byte == b'/');
                let slash = slash.expect("the path of a web URL begins with a slash");
                self.out.push_str(&base.text[..=slash]);
                self.path(rest)
            }
        };
        self.query_and_fragment(rest);
        Ok(())
    }

    /// From "special authority ignore slashes state" on.
    fn absolute(
        &mut self,
        https: bool,
        rest: &str,
        base: Option<WebUrl<&str>>,
    ) -> Result<(), UrlError> {
        let rest = rest.trim_start_matches(['/', '\\']);
        let rest = match base.and_then(|base| same_authority(https, rest, base)) {
            Some((known, parts, rest)) => {
                self.out.push_str(known);
                self.parts = parts;
                rest
            }
            None => {
                self.out.push_str(scheme_text(https));
                let (host, rest) = push_authority(self.out, https, rest)?;
                (self.parts.host_start, self.parts.host_end) = (host.start, host.end);
                self.parts.path_start = self.out.len();
                rest
            }
        };
        self.out.push('/');
        let rest = match rest.as_bytes().first() {
            Some(b'/' | b'\\') => self.path(&rest[1..]),
            _ => self.path(rest),
        };
        self.query_and_fragment(rest);
        Ok(())
    }

    /// "Path state", behind a slash. Returns what follows the path.
    fn path<'r>(&mut self, rest: &'r str) -> &'r str {
        let (mut seen, mut dots, mut before) = (0, 0, SLASH);
        let mut end = rest.len();
        for (i, &byte) in rest.as_bytes().iter().enumerate() {
            let class = CLASS[usize::from(byte)];
            if class & END != 0 {
                end = i;
                break;
            }
            seen |= class;
            dots |= (before << 1) & class;
            before = class;
        }
        if seen & PATH == 0 && dots & DOT == 0 {
            self.out.push_str(&rest[..end]);
        } else {
            self.segments(&rest[..end]);
        }
        self.parts.path_end = self.out.len();
        &rest[end..]
    }

    /// Appends segments one by one; the buffer ends with a slash.
    fn segments(&mut self, mut rest: &str) {
        loop {
            let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'\\'));
            let segment = &rest[..end.unwrap_or(rest.len())];
            match dot_segment(segment) {
                Some(Dots::Double) => self.shorten(),
                Some(Dots::Single) => {}
                None => {
                    push_encoded(self.out, segment, PATH);
                    if end.is_some() {
                        self.out.push('/');
                    }
                }
            }
            match end {
                Some(end) => rest = &rest[end + 1..],
                None => return,
            }
        }
    }

    /// Removes the last segment; the root stays.
    fn shorten(&mut self) {
        let root = self.parts.path_start;
        let segments = &self.out.as_bytes()[root..self.out.len() - 1];
        if let Some(slash) = segments.iter().rposition(|&byte| byte == b'/') {
            self.out.truncate(root + slash + 1);
        }
    }

    /// "Query state" and "fragment state".
    fn query_and_fragment(&mut self, rest: &str) {
        let end = rest.bytes().position(|byte| byte == b'#').unwrap_or(rest.len());
        let (before, fragment) = rest.split_at(end);
        if let Some(query) = before.strip_prefix('?') {
            self.out.push('?');
            match self.query {
                Some(encode) if !query.is_ascii() => {
                    push_encoded_bytes(self.out, &encode(query), QUERY);
                }
                _ => push_encoded(self.out, query, QUERY),
            }
        }
        self.parts.query_end = self.out.len();
        if let Some(fragment) = fragment.strip_prefix('#') {
            self.out.push('#');
            push_encoded(self.out, fragment, FRAGMENT);
        }
    }
}

/// Strips C0 controls and spaces from both ends.
fn trim(input: &str) -> &str {
    match input.as_bytes() {
        [] => input,
        [first, .., last] if *first > b' ' && *last > b' ' => input,
        _ => input.trim_matches(|c: char| c <= ' '),
    }
}

/// Whether there are tabs or newlines, which the parser ignores wherever they are.
fn has_break(text: &str) -> bool {
    // Without an early end, so that the compiler compares many bytes at a time.
    text.as_bytes().iter().fold(false, |found, &byte| found | matches!(byte, b'\t' | b'\n' | b'\r'))
}

fn without_breaks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

fn starts_with_slashes(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'/' | b'\\', b'/' | b'\\', ..])
}

/// "Scheme start state" and "scheme state": whether the scheme is https, `None` if there is
/// none.
fn split_scheme(rest: &str) -> Result<Option<bool>, UrlError> {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let bytes = rest.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return Ok(None);
    }
    let end = bytes.iter().position(|byte| !is_name(byte)).unwrap_or(bytes.len());
    if bytes.get(end) != Some(&b':') {
        return Ok(None);
    }
    match &rest[..end] {
        name if name.eq_ignore_ascii_case("http") => Ok(Some(false)),
        name if name.eq_ignore_ascii_case("https") => Ok(Some(true)),
        name => Err(UrlError::Scheme(name.to_ascii_lowercase())),
    }
}

fn behind_scheme(rest: &str, https: bool) -> &str {
    &rest[if https { "https:".len() } else { "http:".len() }..]
}

/// If the URL has the authority of its base: what they share, and what follows it. Most links
/// lead to the site they are on, and this spares them the host parser.
fn same_authority<'b, 'r>(
    https: bool,
    rest: &'r str,
    base: WebUrl<&'b str>,
) -> Option<(&'b str, Parts, &'r str)> {
    let parts = base.parts;
    let has_credentials = parts.host_start != scheme_text(https).len();
    if https != base.is_https() || has_credentials {
        return None;
    }
    let rest = rest.strip_prefix(&base.text[parts.host_start..parts.path_start])?;
    let ends = matches!(rest.as_bytes().first(), None | Some(b'/' | b'\\' | b'?' | b'#'));
    ends.then(|| (&base.text[..parts.path_start], parts, rest))
}

enum Dots {
    Single,
    Double,
}

/// "Single-dot" and "double-dot URL path segment".
fn dot_segment(segment: &str) -> Option<Dots> {
    fn after_dot(bytes: &[u8]) -> Option<&[u8]> {
        match bytes {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => Some(rest),
            _ => None,
        }
    }
    match after_dot(segment.as_bytes())? {
        [] => Some(Dots::Single),
        rest => after_dot(rest)?.is_empty().then_some(Dots::Double),
    }
}
