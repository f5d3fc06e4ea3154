//! What a body is, judged by its first bytes where the server's word is not enough: the MIME
//! Sniffing Standard (mimesniff.spec.whatwg.org).
//!
//! Two things differ. Feeds that are sent as HTML are recognised by the rules that the standard
//! had until 2022: browsers no longer show feeds, a crawler reads them. Fonts are recognised
//! among unknown bytes that are not text, which the standard leaves to font loads.
//!
//! Pure: no more than the first 1,445 bytes are looked at.

use memchr::memmem::find;

use super::declared::{Declared, is_xml};
use super::signature;

/// How much of a resource is its "resource header" (section 5.2), in bytes.
const HEAD_BYTES: usize = 1445;

const TEXT: &str = "text/plain";
const BINARY: &str = "application/octet-stream";

/// The computed MIME type (section 7), without parameters.
pub(crate) fn sniff<'a>(body: &[u8], declared: &'a Declared) -> &'a str {
    let head = &body[..body.len().min(HEAD_BYTES)];
    let supplied = match declared.essence() {
        None | Some("unknown/unknown" | "application/unknown" | "*/*") => {
            return unknown(head, !declared.nosniff());
        }
        Some(supplied) => supplied,
    };
    if declared.nosniff() || is_xml(supplied) {
        return supplied;
    }
    if declared.is_apache_default() {
        return text_or_binary(head);
    }
    let kind = supplied.split('/').next().unwrap_or_default();
    let found = match kind {
        "text" if supplied == "text/html" => feed(head),
        "image" => signature::image_type(head),
        "audio" | "video" => signature::media_type(head),
        _ if supplied == "application/ogg" => signature::media_type(head),
        _ => None,
    };
    found.unwrap_or(supplied)
}

/// Whether the server's word does not say what a body is.
pub(crate) fn is_unknown(declared: &Declared) -> bool {
    matches!(declared.essence(), None | Some("unknown/unknown" | "application/unknown" | "*/*"))
}

/// Section 7.1. Without `scriptable`, nothing is taken for HTML, XML or PDF.
fn unknown(head: &[u8], scriptable: bool) -> &'static str {
    if scriptable {
        if signature::is_html(head) {
            return "text/html";
        }
        if signature::is_xml(head) {
            return "text/xml";
        }
        if head.starts_with(b"%PDF-") {
            return "application/pdf";
        }
    }
    let found = signature::text_type(head)
        .or_else(|| signature::image_type(head))
        .or_else(|| signature::media_type(head))
        .or_else(|| signature::archive_type(head));
    match found {
        Some(essence) => essence,
        None if !head.iter().any(is_binary) => TEXT,
        None => signature::font_type(head).unwrap_or(BINARY),
    }
}

/// Section 7.2: whether what is called text is text.
pub(crate) fn text_or_binary(body: &[u8]) -> &'static str {
    let head = &body[..body.len().min(HEAD_BYTES)];
    let marks: [&[u8]; 3] = [b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf"];
    let has_mark = marks.iter().any(|mark| head.starts_with(mark));
    if has_mark || !head.iter().any(is_binary) { TEXT } else { BINARY }
}

/// Binary data bytes (section 3).
fn is_binary(byte: &u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// Section 7.3 of 2021: whether what is called HTML is a feed.
fn feed(head: &[u8]) -> Option<&'static str> {
    const RSS: &str = "application/rss+xml";
    let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    loop {
        rest = signature::skip_blank(rest).strip_prefix(b"<")?;
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = &comment[find(comment, b"-->")? + 3..];
        } else if let Some(declaration) = rest.strip_prefix(b"!") {
            rest = &declaration[find(declaration, b">")? + 1..];
        } else if let Some(instruction) = rest.strip_prefix(b"?") {
            rest = &instruction[find(instruction, b"?>")? + 2..];
        } else if rest.starts_with(b"rss") {
            return Some(RSS);
        } else if rest.starts_with(b"feed") {
            return Some("application/atom+xml");
        } else {
            let names = rest.strip_prefix(b"rdf:RDF")?;
            let is_rss = find(names, b"http://purl.org/rss/1.0/").is_some()
                && find(names, b"http://www.w3.org/1999/02/22-rdf-syntax-ns#").is_some();
            return is_rss.then_some(RSS);
        }
    }
}
