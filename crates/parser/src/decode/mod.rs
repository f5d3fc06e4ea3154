//! Bytes to text: which kind of document a body is, and which character encoding it is in.
//!
//! A byte order mark decides, then the `charset` of the `Content-Type` header. What comes then
//! depends on the kind:
//!
//! - HTML: what the document says in its first 1,024 bytes (HTML Standard, section 13.2.3.2);
//!   UTF-8 if it is valid; windows-1252, which is what browsers take for Western pages of old,
//!   or a guess if the config asks for one.
//! - XML, and whatever is sent as XML: UTF-16 without a mark, the declaration, else UTF-8 (XML
//!   1.0, section 4.3.3): no guessing there.
//! - JSON: UTF-8 if it is valid, whatever `charset` says, for it has no meaning there (RFC 8259,
//!   section 11); UTF-16 by its zero bytes, which older standards allowed. The Encoding Standard
//!   has no UTF-32. Only where the bytes are not UTF-8, `charset` is believed.
//! - All else: UTF-8 if it is valid, else windows-1252 or a guess.
//!
//! Text that is UTF-8 already is borrowed; malformed sequences become U+FFFD as the Encoding
//! Standard says. A body that is no text (an image) can be decoded all the same if somebody
//! asks for it, as windows-1252 mostly.

pub(crate) mod kind;
pub(crate) mod sniff;

pub(crate) mod declared;
mod mime;
mod signature;

mod guess;
pub(crate) mod prescan;

use std::borrow::Cow;

use encoding_rs::{CoderResult, Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use self::declared::{Declared, is_xml};
pub(crate) use self::guess::Legacy;
use self::kind::Kind;
#[cfg(test)]
pub(crate) use self::mime::extract;
pub(crate) use self::mime::is_token;

/// Tells what a body is by its `Content-Type` and its first bytes, as browsers do: the essence of
/// the computed MIME type (MIME Sniffing Standard, section 7).
///
/// # Examples
/// ```
/// use crawl_parser::sniff_media_type;
/// assert_eq!(sniff_media_type(b"%PDF-1.7", None), "application/pdf");
/// assert_eq!(sniff_media_type(b"%PDF-1.7", Some("text/css")), "text/css");
/// ```
#[must_use]
pub fn sniff_media_type(body: &[u8], content_type: Option<&str>) -> String {
    sniff::sniff(body, &Declared::of_header(content_type)).to_owned()
}

/// A body as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The text, without byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// What it was in.
    pub(crate) encoding: &'static Encoding,
}

impl Decoded<'_> {
    /// Lets go of the body.
    pub(crate) fn into_owned(self) -> Decoded<'static> {
        Decoded { text: Cow::Owned(self.text.into_owned()), encoding: self.encoding }
    }
}

/// Decodes `body`, which came with this `Content-Type`.
#[cfg(test)]
pub(crate) fn decode<'a>(body: &'a [u8], content_type: Option<&str>, kind: Kind) -> Decoded<'a> {
    decode_with(body, &Declared::of_header(content_type), kind, Legacy::Western)
}

/// Decodes `body`; malformed sequences become U+FFFD.
pub(crate) fn decode_with<'a>(
    body: &'a [u8],
    declared: &Declared,
    kind: Kind,
    legacy: Legacy<'_>,
) -> Decoded<'a> {
    if let Some((encoding, bom_len)) = Encoding::for_bom(body) {
        return decode_as(&body[bom_len..], encoding);
    }
    let charset = declared.charset();
    let is_xml = kind == Kind::Xml || declared.essence().is_some_and(is_xml);
    let encoding = match kind {
        _ if is_xml => Some(charset.or_else(|| prescan::xml(body)).unwrap_or(UTF_8)),
        Kind::Json => return decode_json(body, charset),
        Kind::Html => charset.or_else(|| prescan::html(body)),
        Kind::Xml | Kind::Csv | Kind::Text | Kind::Binary => charset,
    };
    match encoding {
        Some(encoding) => decode_as(body, encoding),
        None => decode_undeclared(body, legacy),
    }
}

fn decode_json<'a>(body: &'a [u8], charset: Option<&'static Encoding>) -> Decoded<'a> {
    let encoding = match body {
        // Zero bytes as in UTF-32, which is no encoding of the Web.
        [_, 0, 0, 0, ..] => UTF_8,
        // JSON begins with an ASCII character, and none of its characters is zero (RFC 4627,
        // section 3).
        [1..=255, 0, ..] => UTF_16LE,
        [0, 1..=255, ..] => UTF_16BE,
        _ if std::str::from_utf8(body).is_ok() => UTF_8,
        _ => charset.unwrap_or(UTF_8),
    };
    decode_as(body, encoding)
}

fn decode_undeclared<'a>(body: &'a [u8], legacy: Legacy<'_>) -> Decoded<'a> {
    match std::str::from_utf8(body) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), encoding: UTF_8 },
        // Cut in the middle of a character, with whole ones before: a truncated body, not another
        // encoding.
        Err(error) if error.error_len().is_none() && !body[..error.valid_up_to()].is_ascii() => {
            decode_as(body, UTF_8)
        }
        Err(_) => decode_as(body, legacy.encoding(body)),
    }
}

fn decode_as<'a>(body: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    let text = match as_utf8(body, encoding) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(transcode(body, encoding)),
    };
    Decoded { text, encoding }
}

/// The bytes themselves, if they mean the same in UTF-8.
fn as_utf8<'a>(body: &'a [u8], encoding: &'static Encoding) -> Option<&'a str> {
    let is_same = if encoding == UTF_8 {
        true // what is not valid is found below
    } else if encoding == ISO_2022_JP {
        Encoding::iso_2022_jp_ascii_valid_up_to(body) == body.len()
    } else {
        encoding.is_ascii_compatible() && body.is_ascii()
    };
    is_same.then(|| std::str::from_utf8(body).ok()).flatten()
}

/// Decodes piece by piece: asking for the room of the worst case at once would take several
/// times the body's size.
fn transcode(body: &[u8], encoding: &'static Encoding) -> String {
    /// Room for the longest that one step may write, with some to spare.
    const STEP_BYTES: usize = 4096;
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    let guess = if is_wide { body.len() / 2 } else { body.len() + body.len() / 16 };
    let mut text = String::with_capacity(guess + STEP_BYTES);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut rest = body;
    loop {
        let (result, n_read, _) = decoder.decode_to_string(rest, &mut text, true);
        rest = &rest[n_read..];
        match result {
            CoderResult::InputEmpty => return text,
            CoderResult::OutputFull => text.reserve(rest.len() / 2 + STEP_BYTES),
        }
    }
}

/// What browsers take where nothing else says.
const WESTERN: &Encoding = WINDOWS_1252;
