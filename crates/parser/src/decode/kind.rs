//! Which way a body is read.

use crate::markup::scan::is_blank;

/// What kind of document a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTML, XHTML included.
    Html,
    /// Other XML: perhaps a sitemap or a feed.
    Xml,
    /// JSON, text, anything else: no links.
    Other,
}

impl Kind {
    /// Judges by media type (without parameters, in lower case); by the first bytes if there is
    /// none.
    pub(crate) fn of(media_type: &str, body: &[u8]) -> Self {
        match media_type {
            "text/html" | "application/xhtml+xml" => Self::Html,
            "text/xml" | "application/xml" => Self::of_xml(body),
            "" => Self::sniff(body),
            other if other.ends_with("+xml") => Self::Xml,
            _ => Self::Other,
        }
    }

    /// XHTML is often sent as plain XML.
    fn of_xml(body: &[u8]) -> Self {
        let head = body[..body.len().min(1024)].to_ascii_lowercase();
        let is_html = [&b"<html"[..], b"<!doctype html"]
            .iter()
            .any(|tag| memchr::memmem::find(&head, tag).is_some());
        if is_html { Self::Html } else { Self::Xml }
    }

    fn sniff(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let start = body.iter().position(|&byte| !is_blank(byte)).unwrap_or(body.len());
        match &body[start..] {
            [b'<', b'?', b'x' | b'X', ..] => Self::of_xml(body),
            [b'<', byte, ..] if byte.is_ascii_alphabetic() || *byte == b'!' => Self::Html,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_decide_and_bytes_where_there_is_none() {
        let xhtml = b"<?xml version='1.0'?><!DOCTYPE html><html/>";
        for (media_type, body, kind) in [
            ("text/html", &b"{}"[..], Kind::Html),
            ("application/xhtml+xml", b"", Kind::Html),
            ("text/xml", b"<urlset/>", Kind::Xml),
            ("application/xml", xhtml, Kind::Html),
            ("application/rss+xml", b"", Kind::Xml),
            ("application/json", b"<p>", Kind::Other),
            ("text/plain", b"<p>", Kind::Other),
            ("", b"\xef\xbb\xbf \n<!DOCTYPE html>", Kind::Html),
            ("", b"<p>", Kind::Html),
            ("", b"<?xml version='1.0'?><urlset/>", Kind::Xml),
            ("", b"{\"a\":1}", Kind::Other),
            ("", b"", Kind::Other),
        ] {
            assert_eq!(Kind::of(media_type, body), kind, "{media_type} {body:?}");
        }
    }
}
