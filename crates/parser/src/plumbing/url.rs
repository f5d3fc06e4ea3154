//! `crawl url normalize`: how a URL is spelled on the wire, and by which key it is known.

use crawl_model::{UrlError, WebUrl};
use encoding_rs::UTF_8;
use serde::Serialize;

use crate::links::resolve::Resolver;

/// A line of `crawl url normalize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UrlLine {
    /// What was given.
    pub input: String,
    /// The absolute http(s) URL without fragment, as the URL Standard serialises it.
    pub url: Option<String>,
    /// By what duplicates are told; see [`CanonicalUrl::key`](crawl_model::CanonicalUrl::key).
    pub key: Option<String>,
    /// Why there is no URL.
    pub error: Option<String>,
}

/// Parses `input`, or resolves it against `base`, by the URL Standard.
///
/// The base is any absolute URL. One that does not parse is an error even if the input needs
/// none, as it is for the standard's `URL` constructor. There is no limit on the length: what
/// is too long to be crawled is a URL all the same.
///
/// # Examples
/// ```
/// let line = crawl_parser::plumbing::normalize("../%7ejoe/%c3#top", Some("http://h/a/b"));
/// assert_eq!(line.url.as_deref(), Some("http://h/%7ejoe/%c3"));
/// assert_eq!(line.key.as_deref(), Some("http://h/~joe/%C3"));
/// assert_eq!(line.error, None);
/// ```
#[must_use]
pub fn normalize(input: &str, base: Option<&str>) -> UrlLine {
    let line = |url: Result<WebUrl<&str>, UrlError>| match url {
        Ok(url) => UrlLine {
            input: input.to_owned(),
            url: Some(url.without_fragment().to_owned()),
            key: Some(url.key().into_owned()),
            error: None,
        },
        Err(error) => failed(input, error.to_string()),
    };
    match base.map(|base| Resolver::parse(base, UTF_8)) {
        None => line(WebUrl::read(&mut String::new(), input, None, None)),
        Some(Ok(resolver)) => resolver.read(input, line),
        Some(Err(error)) => failed(input, format!("base: {error}")),
    }
}

fn failed(input: &str, error: String) -> UrlLine {
    UrlLine { input: input.to_owned(), url: None, key: None, error: Some(error) }
}
