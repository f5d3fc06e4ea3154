//! `crawl decode`: a file as text.

use std::borrow::Cow;

use serde::Serialize;

/// One line of `crawl decode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecodeLine<'a> {
    /// The encoding's name in the WHATWG Encoding Standard, in lower case.
    pub encoding: String,
    /// The text, without byte order mark; U+FFFD where the bytes are malformed.
    pub text: Cow<'a, str>,
}

/// Decodes `body` as a page with this `Content-Type` would be.
///
/// Without a `Content-Type`, or with one that does not parse, the first bytes tell XML and JSON;
/// all else is read by the rules of HTML, which for text without tags are those of plain text.
/// The answer is text also if the type says that the body is none (`image/png`), for that is
/// what was asked for: by its byte order mark or `charset`, else as UTF-8 if it is valid, else as
/// windows-1252, in which every byte is a character.
#[must_use]
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> DecodeLine<'a> {
    let (_, decoded) = super::text_of(body, content_type);
    DecodeLine { encoding: decoded.encoding.name().to_ascii_lowercase(), text: decoded.text }
}
