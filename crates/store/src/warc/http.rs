//! HTTP messages as archives have them.

use std::io::{self, Read};

use bytes::Bytes;
use crawl_model::{Response, Truncation};

/// Headers that say how a body was wrapped on the wire.
const WIRE_HEADERS: [&str; 3] = ["content-encoding", "transfer-encoding", "content-length"];

/// What stands before the names of those.
pub(crate) const ORIGINAL: &str = "X-Archive-Orig-";

/// Longest head of a message that is read, in bytes.
const MAX_HEAD: usize = 1 << 20;

/// Status line and header fields of a response, as they would have been without codings.
pub(crate) fn response_head(response: &Response) -> Vec<u8> {
    // Readers of archives know the versions that have a status line.
    let version = if response.version == "HTTP/1.0" { "HTTP/1.0" } else { "HTTP/1.1" };
    let reason = reason_phrase(response.status);
    let mut head = format!("{version} {} {reason}\r\n", response.status).into_bytes();
    let mut field = |prefix: &str, name: &str, value: &[u8]| {
        let is_whole = !value.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if is_whole {
            for part in [prefix.as_bytes(), name.as_bytes(), b": ", value, b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
    };
    for (name, value) in &response.headers {
        let is_wire = WIRE_HEADERS.iter().any(|wire| name.eq_ignore_ascii_case(wire));
        field(if is_wire { ORIGINAL } else { "" }, name, value);
    }
    field("", "Content-Length", response.body.len().to_string().as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

/// Reason phrases of RFC 9110, section 15; empty for others, which the grammar allows.
fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// The standard's four reasons (section 5.13).
pub(crate) fn truncated_reason(truncation: Truncation) -> &'static str {
    match truncation {
        Truncation::Length | Truncation::Coded => "length",
        Truncation::Time | Truncation::Idle | Truncation::Slow => "time",
        Truncation::Disconnect => "disconnect",
        Truncation::Ratio
        | Truncation::Coding
        | Truncation::Window
        | Truncation::Nesting
        | Truncation::Framing => "unspecified",
    }
}

/// A reason of `WARC-Truncated` as one of ours; what is none of the standard's is a broken framing.
#[must_use]
pub fn truncation_of(reason: &str) -> Truncation {
    match reason {
        "length" => Truncation::Length,
        "time" => Truncation::Time,
        "disconnect" => Truncation::Disconnect,
        _ => Truncation::Framing,
    }
}

/// The head of a message in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHead {
    /// Request or status line, without its end.
    pub line: String,
    /// Fields in their order; names in lower case. Our own marks are undone: a field
    /// `X-Archive-Orig-Content-Length` is the `content-length` that came.
    pub fields: Vec<(Box<str>, Bytes)>,
    /// Whether the codings that it names have been taken off the body, as we do: it had such marks.
    pub is_decoded: bool,
}

impl HttpHead {
    /// Reads a head; `from` stands behind it then.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        Self::parse(from, false)
    }

    /// The same of one that [`response_head`] wrote.
    pub(crate) fn read_own(from: &mut impl Read) -> io::Result<Self> {
        Self::parse(from, true)
    }

    fn parse(from: &mut impl Read, mut is_ours: bool) -> io::Result<Self> {
        let bytes = head_bytes(from)?;
        let mut lines = bytes.split(|byte| *byte == b'\n').map(trim_end);
        let line = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let mut fields: Vec<(Box<str>, Vec<u8>)> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if let ([b' ' | b'\t', ..], Some((_, value))) = (line, fields.last_mut()) {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
                continue;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let name = String::from_utf8_lossy(line[..colon].trim_ascii());
            let is_original =
                name.get(..ORIGINAL.len()).is_some_and(|p| p.eq_ignore_ascii_case(ORIGINAL));
            is_ours |= is_original;
            let name = if is_original { &name[ORIGINAL.len()..] } else { &name };
            // Ours, as `response_head` writes it: the length of what is stored.
            if !is_original && name == "Content-Length" && is_ours {
                continue;
            }
            fields
                .push((name.to_ascii_lowercase().into(), line[colon + 1..].trim_ascii().to_vec()));
        }
        let fields = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
        Ok(Self { line, fields, is_decoded: is_ours })
    }

    /// Status code of a response; `None` if it is none.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let code = self.line.split_ascii_whitespace().nth(1)?;
        code.parse().ok().filter(|_| self.line.starts_with("HTTP/"))
    }

    /// First value of a field as text; `name` in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(its, _)| **its == *name)?;
        std::str::from_utf8(value).ok()
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// All up to the empty line, and that.
fn head_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    let mut byte = [0];
    while from.read(&mut byte)? == 1 {
        head.push(byte[0]);
        let is_end = head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n");
        if is_end || head.len() >= MAX_HEAD {
            return match is_end {
                true => Ok(head),
                false => Err(io::Error::other("an HTTP head of more than 1 MiB")),
            };
        }
    }
    // One without a body may end with its last field.
    if head.starts_with(b"HTTP/") || head.ends_with(b"\n") {
        return Ok(head);
    }
    Err(io::Error::other("no HTTP head"))
}

/// Takes transfer and content codings off the body of another crawler's record, which keeps them;
/// gives at most `limit` bytes, and why it is not more. What is not coded as its head says is taken
/// as it is: not every tool keeps the two in step.
#[must_use]
pub fn decode_body(
    head: &HttpHead,
    mut body: Vec<u8>,
    limit: usize,
) -> (Vec<u8>, Option<Truncation>) {
    if head.is_decoded {
        let cut = (body.len() > limit).then_some(Truncation::Length);
        body.truncate(limit);
        return (body, cut);
    }
    let is_chunked =
        head.get("transfer-encoding").is_some_and(|t| t.to_ascii_lowercase().contains("chunked"));
    if is_chunked && let Some(whole) = unchunk(&body) {
        body = whole;
    }
    let codings = head.get("content-encoding").unwrap_or_default().to_ascii_lowercase();
    for coding in codings.rsplit(',').map(str::trim).filter(|coding| !coding.is_empty()).take(4) {
        let Some((decoded, cut)) = decode(coding, &body, limit) else { break };
        body = decoded;
        if cut.is_some() {
            return (body, cut);
        }
    }
    let cut = (body.len() > limit).then_some(Truncation::Length);
    body.truncate(limit);
    (body, cut)
}

/// Takes one coding off; `None` if it is not there, or not known.
fn decode(coding: &str, body: &[u8], limit: usize) -> Option<(Vec<u8>, Option<Truncation>)> {
    let limit = limit as u64;
    let mut out = Vec::new();
    let read = match coding {
        "gzip" | "x-gzip" if body.starts_with(&[0x1f, 0x8b]) => {
            flate2::read::MultiGzDecoder::new(body).take(limit + 1).read_to_end(&mut out)
        }
        // Deflate is to be in a zlib wrapper, and often is not (RFC 9110, section 8.4.1.2).
        "deflate"
            if matches!(body, [first, second, ..]
            if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0) =>
        {
            flate2::read::ZlibDecoder::new(body).take(limit + 1).read_to_end(&mut out)
        }
        "deflate" => flate2::read::DeflateDecoder::new(body).take(limit + 1).read_to_end(&mut out),
        "br" => brotli_decompressor::Decompressor::new(body, 64 << 10)
            .take(limit + 1)
            .read_to_end(&mut out),
        "zstd" => {
            zstd::stream::read::Decoder::new(body).ok()?.take(limit + 1).read_to_end(&mut out)
        }
        _ => return None,
    };
    match read {
        Ok(_) if out.len() as u64 > limit => {
            out.pop();
            Some((out, Some(Truncation::Length)))
        }
        Ok(_) => Some((out, None)),
        // Not coded at all, it seems: what is packed is no text.
        Err(_) if out.is_empty() || std::str::from_utf8(body).is_ok() => None,
        Err(_) => Some((out, Some(Truncation::Coding))),
    }
}

/// RFC 9112, section 7.1; `None` if it is not chunked. One that breaks off gives what is there.
fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut is_first = true;
    loop {
        let end = body.iter().take(64).position(|byte| *byte == b'\n');
        let line = end.map(|end| body[..end].trim_ascii());
        let size = line.and_then(|line| {
            let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
            usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        });
        let (Some(end), Some(size)) = (end, size) else {
            return Some(out).filter(|_| !is_first);
        };
        is_first = false;
        body = &body[end + 1..];
        out.extend_from_slice(&body[..size.min(body.len())]);
        if size == 0 || size >= body.len() {
            return Some(out);
        }
        body = &body[size..];
        body = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n")).unwrap_or(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_decoded_and_what_is_not_coded_is_left() {
        let head = |fields: &[(&str, &str)]| HttpHead {
            line: "HTTP/1.1 200 OK".into(),
            is_decoded: false,
            fields: fields
                .iter()
                .map(|(n, v)| ((*n).into(), Bytes::copy_from_slice(v.as_bytes())))
                .collect(),
        };
        let check = |fields: &[(&str, &str)], body: &[u8], expected: &str| {
            let (body, cut) = decode_body(&head(fields), body.to_vec(), 20);
            assert_eq!((&*String::from_utf8(body).unwrap(), cut), (expected, None));
        };
        let chunked = ("transfer-encoding", "chunked");
        check(&[chunked], b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde");
        check(&[chunked], b"not chunked", "not chunked");
        check(&[chunked], b"5\r\nabc", "abc");
        for coding in ["gzip", "br", "deflate", "zstd", "none"] {
            check(&[("content-encoding", coding)], b"<html>plain", "<html>plain");
        }
        let mut zipped = Vec::new();
        super::super::BodyCompression::Gzip.append(&[b"hello"], &mut zipped).unwrap();
        check(&[("content-encoding", "gzip")], &zipped, "hello");
        let mut zst = Vec::new();
        super::super::BodyCompression::Zstd.append(&[b"hello"], &mut zst).unwrap();
        check(&[("content-encoding", "ZSTD")], &zst, "hello");
        let (cut, why) = decode_body(&head(&[("content-encoding", "gzip")]), zipped, 3);
        assert_eq!((&*cut, why), (&b"hel"[..], Some(Truncation::Length)));
    }

    #[test]
    fn a_head_is_read_with_folded_fields_and_our_marks_undone() {
        let text = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nX-Archive-Orig-content-length: 7\r\n\
                    Content-Length: 9\r\n\r\nbody";
        let mut from = text.as_bytes();
        let head = HttpHead::read(&mut from).unwrap();
        assert_eq!((head.status(), from), (Some(200), &b"body"[..]));
        assert_eq!((head.get("a"), head.get("content-length")), (Some("b c"), Some("7")));
        assert_eq!(head.fields.len(), 2);
        assert!(HttpHead::read(&mut &b"nothing"[..]).is_err());
    }
}
