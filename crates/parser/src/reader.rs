//! Readers that a program adds for media types this crate knows nothing of: PDF, spreadsheets,
//! subtitles, …
//!
//! A reader turns bytes into text and links. It runs on the CPU threads, once per page, before
//! the spider; what it found is what the spider sees as [`Page::text`] and [`Page::links`], and
//! selectors read its text as HTML.
//!
//! [`Page::text`]: crawl_spider::Page::text
//! [`Page::links`]: crawl_spider::Page::links

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crawl_model::CanonicalUrl;

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::{Legacy, decode_with, is_token};

/// Reads bodies of some media type.
///
/// Called from all CPU threads at once. A panic or an error does not stop the crawl: the page
/// is kept, and its record says what went wrong.
pub trait Reader: Send + Sync {
    /// Reads one body.
    ///
    /// # Errors
    /// Whatever keeps it from being read; the page then has neither text nor links.
    fn read(&self, body: &Body<'_>) -> Result<ReadOut, Box<dyn Error + Send + Sync>>;
}

/// What a reader found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOut {
    /// The text, or HTML if selectors are to find something in it.
    pub text: String,
    /// References as they stand there: absolute, or relative to the page's URL. Those that lead
    /// nowhere that is crawled are left out, as for HTML.
    pub links: Vec<String>,
}

/// What a reader gets.
#[derive(Debug)]
pub struct Body<'a> {
    pub(crate) url: &'a CanonicalUrl,
    pub(crate) media_type: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) declared: &'a Declared,
    pub(crate) kind: Kind,
    pub(crate) legacy: Legacy<'a>,
}

impl<'a> Body<'a> {
    /// Where it was fetched.
    #[must_use]
    pub fn url(&self) -> &'a CanonicalUrl {
        self.url
    }

    /// The media type it was taken for: what the server said, corrected by the bytes (MIME
    /// Sniffing Standard, section 7); in lower case, without parameters.
    #[must_use]
    pub fn media_type(&self) -> &'a str {
        self.media_type
    }

    /// The bytes, content codings removed.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes as text: character encoding taken from byte order mark, `Content-Type` or the
    /// document itself, malformed sequences replaced. Decodes with each call.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        decode_with(self.bytes, self.declared, self.kind, self.legacy).text
    }
}

/// Which media types a reader is for: `application/pdf`, `image/*` or `*/*`.
///
/// # Examples
/// ```
/// use crawl_parser::MediaPattern;
///
/// let images: MediaPattern = "image/*".parse()?;
/// assert!(images.matches("image/png") && !images.matches("text/html"));
/// assert!("image".parse::<MediaPattern>().is_err());
/// # Ok::<(), crawl_parser::MediaPatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPattern {
    family: Box<str>,
    subtype: Box<str>,
}

impl MediaPattern {
    /// Whether a media type (without parameters, in lower case) fits.
    #[must_use]
    pub fn matches(&self, media_type: &str) -> bool {
        let Some((family, subtype)) = media_type.split_once('/') else { return false };
        let fits = |pattern: &str, part: &str| pattern == "*" || pattern == part;
        fits(&self.family, family) && fits(&self.subtype, subtype)
    }
}

impl FromStr for MediaPattern {
    type Err = MediaPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.split_once('/') {
            Some((family, subtype))
                if is_token(family.as_bytes())
                    && is_token(subtype.as_bytes())
                    && (family != "*" || subtype == "*") =>
            {
                Ok(Self { family: family.into(), subtype: subtype.into() })
            }
            _ => Err(MediaPatternError { pattern: text.to_owned() }),
        }
    }
}

impl fmt::Display for MediaPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.family, self.subtype)
    }
}

/// A pattern of media types that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no media type: write `application/pdf`, `image/*` or `*/*`")]
pub struct MediaPatternError {
    /// The pattern as it was given.
    pub pattern: String,
}

/// The readers of a program; of several that fit the first counts.
#[derive(Default)]
pub(crate) struct Readers(Vec<(MediaPattern, Arc<dyn Reader>)>);

impl Readers {
    pub(crate) fn push(&mut self, pattern: MediaPattern, reader: Arc<dyn Reader>) {
        self.0.push((pattern, reader));
    }

    pub(crate) fn find(&self, media_type: &str) -> Option<&dyn Reader> {
        let (_, reader) = self.0.iter().find(|(pattern, _)| pattern.matches(media_type))?;
        Some(&**reader)
    }
}
