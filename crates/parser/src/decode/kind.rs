//! The router: which way a body is read.
//!
//! The computed MIME type decides (`sniff`). Only where the server said nothing at all, and does
//! not forbid guessing, more is tried than browsers do: any tag makes HTML, known roots make
//! XML, braces make JSON. A crawler that is wrong there reads a page in vain; a browser would
//! run a script.

use memchr::{memchr, memmem};

use super::declared::{Declared, is_json, is_xml};
use super::signature::skip_blank;
use super::sniff::{is_unknown, sniff, text_or_binary};

/// What kind of document a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTML, XHTML included.
    Html,
    /// Other XML: perhaps a sitemap or a feed, which its root tells.
    Xml,
    /// JSON: no links of its own.
    Json,
    /// Rows of values: no links of its own.
    Csv,
    /// Any other text: no links of its own.
    Text,
    /// Not text.
    Binary,
}

/// How far into a document its root element is looked for, in bytes.
const ROOT_BYTES: usize = 8192;

/// Root elements of what is XML, whatever it is sent as.
const LIST_ROOTS: [&[u8]; 5] = [b"urlset", b"sitemapindex", b"rss", b"feed", b"RDF"];

impl Kind {
    /// Judges by a media type, and by the bytes where that does not say.
    #[cfg(test)]
    pub(crate) fn of(media_type: &str, body: &[u8]) -> Self {
        Self::judge(body, &Declared::of_header(Some(media_type)))
    }

    /// Judges by what the server says, and by the bytes where that does not say.
    pub(crate) fn judge(body: &[u8], declared: &Declared) -> Self {
        let kind = Self::of_computed(sniff(body, declared), body);
        if declared.nosniff() {
            kind
        } else if is_unknown(declared) {
            match kind {
                Self::Text => Self::guess(body).unwrap_or(kind),
                Self::Binary => utf16(body).and_then(|text| Self::guess(&text)).unwrap_or(kind),
                known => known,
            }
        } else if kind == Self::Html && declared.essence() == Some("text/html") {
            Self::of_html(body)
        } else {
            kind
        }
    }

    fn of_computed(essence: &str, body: &[u8]) -> Self {
        let (family, _) = essence.split_once('/').unwrap_or_default();
        match (family, essence) {
            (_, "text/html" | "application/xhtml+xml") => Self::Html,
            (_, "text/xml" | "application/xml") => Self::of_xml(body),
            (_, xml) if is_xml(xml) => Self::Xml,
            (_, json) if is_json(json) => Self::Json,
            (_, csv) if is_csv(csv) => Self::Csv,
            ("text", _) => Self::Text,
            ("image" | "audio" | "video" | "font", _) => Self::Binary,
            (_, "application/pdf" | "application/zip" | "application/x-gzip") => Self::Binary,
            // Scripts, YAML, forms, and whatever is sent as `application/octet-stream`.
            _ if text_or_binary(body) == "text/plain" => Self::Text,
            _ => Self::Binary,
        }
    }

    /// XHTML is often sent as plain XML.
    fn of_xml(body: &[u8]) -> Self {
        let text = utf16(body);
        let is_html = root(text.as_deref().unwrap_or(body))
            .is_some_and(|name| name.eq_ignore_ascii_case(b"html"));
        if is_html { Self::Html } else { Self::Xml }
    }

    /// Sitemaps are sometimes sent as HTML, as feeds are; no element of HTML has such a name.
    fn of_html(body: &[u8]) -> Self {
        match root(body) {
            Some(b"urlset" | b"sitemapindex") => Self::Xml,
            _ => Self::Html,
        }
    }

    /// For bodies of which nobody says what they are.
    fn guess(body: &[u8]) -> Option<Self> {
        let text = utf16(body);
        let body = text.as_deref().unwrap_or(body);
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match skip_blank(body) {
            [b'<', b'?', b'x' | b'X', ..] => Some(Self::of_xml(body)),
            [b'<', byte, ..] if byte.is_ascii_alphabetic() || *byte == b'!' => {
                let is_list = root(body).is_some_and(|name| LIST_ROOTS.contains(&name));
                Some(if is_list { Self::Xml } else { Self::Html })
            }
            start => is_json_start(start).then_some(Self::Json),
        }
    }
}

fn is_csv(essence: &str) -> bool {
    let (_, subtype) = essence.split_once('/').unwrap_or_default();
    matches!(
        subtype,
        "csv"
            | "x-csv"
            | "comma-separated-values"
            | "x-comma-separated-values"
            | "tab-separated-values"
    )
}

/// An object or array that goes on as one: text in brackets does not.
fn is_json_start(bytes: &[u8]) -> bool {
    let inside = || skip_blank(&bytes[1..]).first();
    match bytes.first() {
        Some(b'{') => matches!(inside(), Some(b'"' | b'}')),
        Some(b'[') => matches!(inside(), Some(b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9')),
        _ => false,
    }
}

/// The start of a UTF-16 document with its zero bytes left out, good enough to find ASCII in;
/// `None` if it does not begin like one.
fn utf16(body: &[u8]) -> Option<Vec<u8>> {
    let body = match body {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => rest,
        [b'<', 0, _, 0, ..] | [0, b'<', 0, _, ..] => body,
        _ => return None,
    };
    Some(body.iter().take(ROOT_BYTES).copied().filter(|&byte| byte != 0).collect())
}

/// The root element's name without prefix, as it stands there. A doctype's is as good.
fn root(body: &[u8]) -> Option<&[u8]> {
    let head = &body[..body.len().min(ROOT_BYTES)];
    let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    loop {
        // What is left of a doctype with declarations inside ends in `]>`.
        let start = rest.iter().position(|byte| !b"\t\n\x0c\r ]>".contains(byte))?;
        rest = rest[start..].strip_prefix(b"<")?;
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = &comment[memmem::find(comment, b"-->")? + 3..];
        } else if let Some(instruction) = rest.strip_prefix(b"?") {
            rest = &instruction[memmem::find(instruction, b"?>")? + 2..];
        } else if let Some(declaration) = rest.strip_prefix(b"!") {
            if let Some(html) = doctype(declaration).filter(|n| n.eq_ignore_ascii_case(b"html")) {
                return Some(html);
            }
            rest = &declaration[memchr(b'>', declaration)? + 1..];
        } else {
            let name = name(rest);
            return Some(&name[memchr(b':', name).map_or(0, |colon| colon + 1)..]);
        }
    }
}

fn doctype(declaration: &[u8]) -> Option<&[u8]> {
    let is_doctype = declaration.get(..7)?.eq_ignore_ascii_case(b"doctype");
    is_doctype.then(|| name(skip_blank(&declaration[7..])))
}

fn name(bytes: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'[');
    &bytes[..bytes.iter().position(is_end).unwrap_or(bytes.len())]
}
