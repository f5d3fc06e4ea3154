//! Bytes to text: which character encoding a document is in.
//!
//! In this order: byte order mark; `charset` of the `Content-Type` header; what the document
//! says of itself in its first 1,024 bytes (HTML Standard, section 13.2.3.2, and XML 1.0,
//! section 4.3.3); UTF-8 if it is valid; windows-1252, which is what browsers take for Western
//! pages of old. Text that is UTF-8 already is borrowed.

pub(crate) mod kind;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use crate::decode::kind::Kind;
use crate::markup::scan::is_blank;

/// How far into the document its own word is looked for, in bytes.
const PRESCAN_BYTES: usize = 1024;

/// A body as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The text, without byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// What it was in.
    pub(crate) encoding: &'static Encoding,
}

/// Decodes `body`; malformed sequences become U+FFFD.
pub(crate) fn decode<'a>(body: &'a [u8], content_type: Option<&str>, kind: Kind) -> Decoded<'a> {
    if let Some((encoding, bom_len)) = Encoding::for_bom(body) {
        return decode_as(&body[bom_len..], encoding);
    }
    let declared = content_type.and_then(charset_param).or_else(|| declared_inside(body, kind));
    if let Some(encoding) = declared {
        return decode_as(body, encoding);
    }
    match std::str::from_utf8(body) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), encoding: UTF_8 },
        // Cut in the middle of a character, with whole ones before: a truncated body, not another
        // encoding.
        Err(error) if error.error_len().is_none() && !body[..error.valid_up_to()].is_ascii() => {
            decode_as(body, UTF_8)
        }
        Err(_) => decode_as(body, WINDOWS_1252),
    }
}

fn decode_as<'a>(body: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    let (text, _) = encoding.decode_without_bom_handling(body);
    Decoded { text, encoding }
}

/// The `charset` parameter of a `Content-Type`, quoted or not.
fn charset_param(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|param| {
        let (name, value) = param.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| label(value.trim().trim_matches(['"', '\''])))?
    })
}

fn label(text: &str) -> Option<&'static Encoding> {
    Encoding::for_label(text.as_bytes())
}

fn declared_inside(body: &[u8], kind: Kind) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(PRESCAN_BYTES)];
    match kind {
        Kind::Html => utf16_declaration(head).or_else(|| prescan(head)).or_else(|| xml(head)),
        Kind::Xml => utf16_declaration(head).or_else(|| xml(head)),
        Kind::Other => None,
    }
}

/// `<?x` in UTF-16 without a byte order mark.
fn utf16_declaration(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [b'<', 0, b'?', 0, b'x', 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// `<?xml … encoding="…"?>`.
fn xml(head: &[u8]) -> Option<&'static Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', declaration)?;
    let text = std::str::from_utf8(&declaration[..end]).ok()?;
    let value = text.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value[1..].split(quote).next()?;
    label(name).map(not_utf16)
}

/// What is read as ASCII is not in UTF-16, whatever it says.
fn not_utf16(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding }
}

/// "Prescan a byte stream to determine its encoding" (HTML Standard, section 13.2.3.2).
fn prescan(head: &[u8]) -> Option<&'static Encoding> {
    let mut pos = 0;
    loop {
        pos += memchr::memchr(b'<', &head[pos..])?;
        let rest = &head[pos..];
        if rest.starts_with(b"<!--") {
            // The two dashes may be those of `-->`.
            pos += 2 + memchr::memmem::find(&rest[2..], b"-->")? + 3;
        } else if is_meta(rest) {
            pos += "<meta".len();
            if let Some(encoding) = meta(head, &mut pos) {
                return Some(encoding);
            }
        } else if is_tag(rest) {
            pos += rest.iter().position(|&b| is_blank(b) || b == b'>')?;
            while attribute(head, &mut pos)?.is_some() {}
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            pos += memchr::memchr(b'>', rest)? + 1;
        } else {
            pos += 1;
        }
    }
}

fn is_meta(rest: &[u8]) -> bool {
    rest.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"<meta"))
        && rest.get(5).is_some_and(|&b| is_blank(b) || b == b'/')
}

fn is_tag(rest: &[u8]) -> bool {
    let name = if rest.get(1) == Some(&b'/') { rest.get(2) } else { rest.get(1) };
    name.is_some_and(u8::is_ascii_alphabetic)
}

/// Reads the attributes of a meta tag; its encoding if it declares one.
fn meta(head: &[u8], pos: &mut usize) -> Option<&'static Encoding> {
    let (mut has_pragma, mut needs_pragma, mut charset) = (false, None, None);
    let mut seen = Vec::new();
    while let Some((name, value)) = attribute(head, pos)? {
        if seen.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => has_pragma = value == b"content-type",
            b"content" if charset.is_none() => {
                if let Some(encoding) = charset_in_content(&value) {
                    charset = Some(encoding);
                    needs_pragma = Some(true);
                }
            }
            b"charset" => {
                charset = Encoding::for_label(&value);
                needs_pragma = Some(false);
            }
            _ => {}
        }
        seen.push(name);
    }
    let encoding = charset.filter(|_| needs_pragma == Some(false) || has_pragma)?;
    Some(if encoding == X_USER_DEFINED { WINDOWS_1252 } else { not_utf16(encoding) })
}

/// "Extract a character encoding from a meta element" (section 2.6.5).
fn charset_in_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        let at = memchr::memmem::find(rest, b"charset")?;
        rest = rest[at + "charset".len()..].trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            return match value.first()? {
                &quote @ (b'"' | b'\'') => {
                    let end = memchr::memchr(quote, &value[1..])?;
                    Encoding::for_label(&value[1..1 + end])
                }
                _ => {
                    let is_end = |b: &u8| is_blank(*b) || *b == b';';
                    Encoding::for_label(
                        &value[..value.iter().position(is_end).unwrap_or(value.len())],
                    )
                }
            };
        }
    }
}

/// Name and value in lower case.
type Attribute = (Vec<u8>, Vec<u8>);

/// "Get an attribute" (section 13.2.3.2). `None` at the end of the bytes, `Some(None)` at the
/// end of the tag.
fn attribute(head: &[u8], pos: &mut usize) -> Option<Option<Attribute>> {
    while is_blank(*head.get(*pos)?) || head[*pos] == b'/' {
        *pos += 1;
    }
    if head[*pos] == b'>' {
        *pos += 1;
        return Some(None);
    }
    let (mut name, mut value) = (Vec::new(), Vec::new());
    loop {
        let byte = *head.get(*pos)?;
        if (byte == b'=' && !name.is_empty()) || is_blank(byte) {
            break;
        }
        if matches!(byte, b'/' | b'>') {
            return Some(Some((name, value)));
        }
        name.push(byte.to_ascii_lowercase());
        *pos += 1;
    }
    skip_blank(head, pos)?;
    if head[*pos] != b'=' {
        return Some(Some((name, value)));
    }
    *pos += 1;
    skip_blank(head, pos)?;
    match head[*pos] {
        quote @ (b'"' | b'\'') => {
            let end = memchr::memchr(quote, &head[*pos + 1..])?;
            value.extend(head[*pos + 1..*pos + 1 + end].to_ascii_lowercase());
            *pos += end + 2;
        }
        _ => loop {
            let byte = *head.get(*pos)?;
            if is_blank(byte) || byte == b'>' {
                break;
            }
            value.push(byte.to_ascii_lowercase());
            *pos += 1;
        },
    }
    Some(Some((name, value)))
}

/// `None` at the end of the bytes.
fn skip_blank(head: &[u8], pos: &mut usize) -> Option<()> {
    while is_blank(*head.get(*pos)?) {
        *pos += 1;
    }
    Some(())
}
