//! An http(s) URL of any length, read as the URL Standard's basic URL parser reads it.
//!
//! Links are resolved by the hundred per page, so a reference is copied in as few pieces as its
//! content allows (`survey.rs`) to the end of one buffer. The standard's states are found again
//! in the functions: scheme (`split_scheme`), relative, authority (in `authority.rs`), path,
//! query and fragment. It differs from the `url` crate where that departs from the standard:
//! `///host/` against a base, `^` in paths, segments that look like drive letters, and queries
//! in stateful encodings that are interrupted by tabs.
//!
//! Not here: other schemes, the limit on a URL's length.

use std::borrow::Cow;

use super::authority::push_authority;
use super::escape::{FRAGMENT, PATH, QUERY, push_encoded, push_encoded_bytes};
use super::survey::Survey;
use super::{MAX_URL_BYTES, UrlError, key};

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
    #[inline]
    pub fn read(
        buffer: &'t mut String,
        input: &str,
        base: Option<WebUrl<&str>>,
        query: Option<QueryEncoder<'_>>,
    ) -> Result<Self, UrlError> {
        buffer.clear();
        let parts = Reader::read(buffer, input, base, query)?;
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

    /// Scheme and authority: all that decides where a reference leads that begins with a slash.
    #[must_use]
    pub fn before_path(&self) -> &str {
        &self.as_str()[..self.parts.path_start]
    }

    /// The same and the path up to its last slash: all that decides where a relative path leads.
    #[must_use]
    pub fn folder(&self) -> &str {
        let Parts { path_start, path_end, .. } = self.parts;
        &self.as_str()[..folder_end(self.as_str(), path_start, path_end)]
    }

    /// The text by which duplicates are told; see [`CanonicalUrl::key`](crate::CanonicalUrl::key).
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        key::key(self.without_fragment())
    }

    /// Text and places of the [`CanonicalUrl`](crate::CanonicalUrl) that this is without its
    /// fragment ([`CanonicalUrl::parts`](crate::CanonicalUrl::parts)), where it need not be made.
    ///
    /// # Errors
    /// [`UrlError::TooLong`].
    #[inline]
    pub fn canonical(&self) -> Result<(&str, [u32; 3]), UrlError> {
        let Parts { host_start, host_end, path_start, .. } = self.parts;
        let text = self.without_fragment();
        if text.len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong(text.len()));
        }
        Ok((text, [host_start, host_end, path_start].map(|place| place as u32)))
    }

    fn is_https(&self) -> bool {
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
    survey: Survey,
    query: Option<QueryEncoder<'q>>,
}

impl<'o, 'q> Reader<'o, 'q> {
    fn read(
        out: &'o mut String,
        input: &str,
        base: Option<WebUrl<&str>>,
        query: Option<QueryEncoder<'q>>,
    ) -> Result<Parts, UrlError> {
        let survey = Survey::of(input);
        if let Some(base) = base.filter(|_| survey.is_plain())
            && let Some(parts) = plain(out, input, base)
        {
            return Ok(parts);
        }
        let mut reader = Self { out, survey, query };
        if survey.is_clean() {
            reader.reference(input, base)
        } else {
            reader.odd_reference(input, base)
        }
    }

    /// A reference with characters that are to be dropped, perhaps.
    fn odd_reference(
        &mut self,
        input: &str,
        base: Option<WebUrl<&str>>,
    ) -> Result<Parts, UrlError> {
        let trimmed = input.trim_matches(|c| c <= ' ');
        split_scheme(trimmed)?; // `data:` URLs can be long, and need not be read
        let is_dropped = |c| matches!(c, '\t' | '\n' | '\r');
        let tidy = if trimmed.contains(is_dropped) {
            Cow::Owned(trimmed.replace(is_dropped, ""))
        } else {
            Cow::Borrowed(trimmed)
        };
        if tidy.len() < input.len() {
            self.survey = Survey::of(&tidy);
        }
        self.reference(&tidy, base)
    }

    fn reference(&mut self, input: &str, base: Option<WebUrl<&str>>) -> Result<Parts, UrlError> {
        let scheme = if self.survey.may_have_scheme() { split_scheme(input)? } else { None };
        match (scheme, base) {
            (None, Some(base)) => self.relative(input, base),
            (None, None) => Err(UrlError::Invalid("relative URL without a base".to_owned())),
            // "Special relative or authority state": `http:x` is relative to an http base.
            (Some((https, rest)), Some(base))
                if https == base.is_https() && !starts_with_slashes(rest) =>
            {
                self.relative(rest, base)
            }
            (Some((https, rest)), base) => self.absolute(https, rest, base),
        }
    }

    /// "Relative state" and "relative slash state".
    fn relative(&mut self, rest: &str, base: WebUrl<&str>) -> Result<Parts, UrlError> {
        if starts_with_slashes(rest) {
            return self.absolute(base.is_https(), rest, Some(base));
        }
        let (kept, path) = match rest.as_bytes().first() {
            None | Some(b'#') => (base.parts.query_end, None),
            Some(b'?') => (base.parts.path_end, None),
            Some(b'/' | b'\\') => (base.parts.path_start + 1, Some(&rest[1..])),
            Some(_) => {
                let (folder_end, rest) = leading_dots(base, rest);
                (folder_end, Some(rest))
            }
        };
        self.out.push_str(&base.text[..kept]);
        let (path_end, rest) = match path {
            Some(path) => self.path(path, base.parts.path_start),
            None => (base.parts.path_end, rest),
        };
        let query_end = self.query_and_fragment(rest);
        Ok(Parts { path_end, query_end, ..base.parts })
    }

    /// From "special authority ignore slashes state" on.
    fn absolute(
        &mut self,
        https: bool,
        rest: &str,
        base: Option<WebUrl<&str>>,
    ) -> Result<Parts, UrlError> {
        let rest = rest.trim_start_matches(['/', '\\']);
        let (host_start, host_end, rest) =
            match base.and_then(|base| Some((base, same_authority(https, rest, base)?))) {
                Some((base, rest)) => {
                    self.out.push_str(&base.text[..base.parts.path_start]);
                    (base.parts.host_start, base.parts.host_end, rest)
                }
                None => {
                    self.out.push_str(scheme_text(https));
                    let (host, rest) = push_authority(self.out, https, rest)?;
                    (host.start, host.end, rest)
                }
            };
        let path_start = self.out.len();
        self.out.push('/');
        let path = rest.strip_prefix(['/', '\\']).unwrap_or(rest);
        let (path_end, rest) = self.path(path, path_start);
        let query_end = self.query_and_fragment(rest);
        Ok(Parts { host_start, host_end, path_start, path_end, query_end })
    }

    /// "Path state", behind a slash. Returns where the path ends, and what follows it.
    fn path<'r>(&mut self, rest: &'r str, path_start: usize) -> (usize, &'r str) {
        let end = match self.survey.may_have_tail() {
            true => rest.bytes().position(|byte| matches!(byte, b'?' | b'#')),
            false => None,
        };
        let (path, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let has_dots =
            path.starts_with('.') || (self.survey.may_have_inner_dots() && path.contains("/."));
        if self.survey.is_clean() && !has_dots {
            self.out.push_str(path);
        } else {
            self.segments(path, path_start);
        }
        (self.out.len(), rest)
    }

    /// Appends segments one by one; the buffer ends with a slash.
    fn segments(&mut self, mut rest: &str, path_start: usize) {
        loop {
            let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'\\'));
            let segment = &rest[..end.unwrap_or(rest.len())];
            match dot_segment(segment) {
                Some(Dots::Double) => {
                    let end = folder_end(self.out, path_start, self.out.len() - 1);
                    self.out.truncate(end);
                }
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

    /// "Query state" and "fragment state". Returns where the query ends.
    fn query_and_fragment(&mut self, rest: &str) -> usize {
        let end = match rest {
            "" => None,
            _ => rest.bytes().position(|byte| byte == b'#'),
        };
        let (before, fragment) = rest.split_at(end.unwrap_or(rest.len()));
        if self.survey.is_clean() {
            self.out.push_str(before);
        } else if let Some(query) = before.strip_prefix('?') {
            self.out.push('?');
            match self.query {
                Some(encode) if !query.is_ascii() => {
                    push_encoded_bytes(self.out, &encode(query), QUERY);
                }
                _ => push_encoded(self.out, query, QUERY),
            }
        }
        let query_end = self.out.len();
        if let Some(fragment) = fragment.strip_prefix('#') {
            self.out.push('#');
            push_encoded(self.out, fragment, FRAGMENT);
        }
        query_end
    }
}

/// A path that can be copied as it is, as most references are: behind the authority, or into the
/// folder of the base. `None` if it is another kind of reference after all.
fn plain(out: &mut String, path: &str, base: WebUrl<&str>) -> Option<Parts> {
    let Parts { path_start, path_end, .. } = base.parts;
    let kept = match path.as_bytes() {
        [] | [b'.', ..] | [b'/', b'/', ..] => return None,
        [b'/', ..] => path_start,
        _ => folder_end(base.text, path_start, path_end),
    };
    out.push_str(&base.text[..kept]);
    out.push_str(path);
    Some(Parts { path_end: out.len(), query_end: out.len(), ..base.parts })
}

fn starts_with_slashes(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'/' | b'\\', b'/' | b'\\', ..])
}

/// "Scheme start state" and "scheme state": whether the scheme is https, and what follows it;
/// `None` if there is none.
fn split_scheme(text: &str) -> Result<Option<(bool, &str)>, UrlError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let Some(end) = text.bytes().position(|byte| !is_name(byte)) else { return Ok(None) };
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix(':') {
        Some(rest) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            if name.eq_ignore_ascii_case("https") {
                Ok(Some((true, rest)))
            } else if name.eq_ignore_ascii_case("http") {
                Ok(Some((false, rest)))
            } else {
                Err(UrlError::Scheme(name.to_ascii_lowercase()))
            }
        }
        _ => Ok(None),
    }
}

/// What follows the authority, if that is the one of the base. Most links lead to the site
/// they are on, and this spares them the host parser.
fn same_authority<'r>(https: bool, rest: &'r str, base: WebUrl<&str>) -> Option<&'r str> {
    let Parts { host_start, path_start, .. } = base.parts;
    let has_credentials = host_start != scheme_text(https).len();
    if https != base.is_https() || has_credentials {
        return None;
    }
    let rest = rest.strip_prefix(&base.text[host_start..path_start])?;
    matches!(rest.as_bytes().first(), None | Some(b'/' | b'\\' | b'?' | b'#')).then_some(rest)
}

/// Where the folder ends that `text[..end]` lies in: behind its last slash, or the root's.
fn folder_end(text: &str, path_start: usize, end: usize) -> usize {
    let path = &text.as_bytes()[path_start..end];
    path.iter().rposition(|&byte| byte == b'/').map_or(path_start, |slash| path_start + slash) + 1
}

/// How much of its base a relative path keeps, with `./` and `../` at its start followed; and
/// the rest of it.
fn leading_dots<'r>(base: WebUrl<&str>, mut rest: &'r str) -> (usize, &'r str) {
    let mut kept = folder_end(base.text, base.parts.path_start, base.parts.path_end);
    loop {
        if let Some(behind) = rest.strip_prefix("../") {
            kept = folder_end(base.text, base.parts.path_start, kept - 1);
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("./") {
            rest = behind;
        } else {
            return (kept, rest);
        }
    }
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
