//! WARC 1.1 (ISO 28500:2017): one gzip member per record, as section A.2 of it advises.
//!
//! Bodies reach the store with their content codings removed, so that is how they are archived:
//! `Content-Encoding` and `Transfer-Encoding` are taken out of the HTTP head, `Content-Length` is
//! set to the length of what is stored, and the value that went over the wire is kept under
//! `X-Archive-Orig-*`. Each file's `warcinfo` record says so.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Response, Truncation};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha1::{Digest, Sha1};

/// Headers that say how a body was wrapped on the wire.
const WIRE_HEADERS: [&str; 3] = ["content-encoding", "transfer-encoding", "content-length"];

/// What stands before the names of those.
const ORIGINAL: &str = "X-Archive-Orig-";

/// What a response record is made of.
pub(crate) struct Archived<'a> {
    pub(crate) url: &'a CanonicalUrl,
    pub(crate) response: &'a Response,
    /// When the request was sent: milliseconds since the Unix epoch.
    pub(crate) sent_ms: u64,
    /// The record's id.
    pub(crate) id: Urn,
    /// The id of the file's `warcinfo` record.
    pub(crate) info: Urn,
}

/// A record id: a UUID as a URN (RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Urn([u8; 16]);

impl Urn {
    /// A name-based UUID: unlike any other as long as the parts are.
    pub(crate) fn new(parts: &[&[u8]]) -> Self {
        let mut sha1 = Sha1::new();
        for part in parts {
            sha1.update((part.len() as u64).to_be_bytes());
            sha1.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&sha1.finalize()[..16]);
        id[6] = id[6] & 0x0f | 0x50; // version 5
        id[8] = id[8] & 0x3f | 0x80; // the RFC's variant
        Self(id)
    }
}

impl std::fmt::Display for Urn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<urn:uuid:")?;
        for (i, byte) in self.0.iter().enumerate() {
            f.write_str(if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" })?;
            write!(f, "{byte:02x}")?;
        }
        f.write_str(">")
    }
}

/// The gzip member that begins a file.
pub(crate) fn info_member(id: Urn, file: &str, now_ms: u64) -> io::Result<Vec<u8>> {
    let block = "software: crawl\r\n\
        format: WARC File Format 1.1\r\n\
        conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
        description: bodies are stored decoded; Content-Encoding and Transfer-Encoding are \
        removed, Content-Length is corrected, the originals are in X-Archive-Orig-*\r\n";
    let head = format!(
        "WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: {id}\r\nWARC-Date: {}\r\n\
         WARC-Filename: {file}\r\nContent-Type: application/warc-fields\r\n\
         Content-Length: {}\r\n\r\n",
        date(now_ms),
        block.len()
    );
    gzip(&[head.as_bytes(), block.as_bytes()])
}

/// The gzip member of a response.
pub(crate) fn response_member(archived: &Archived<'_>) -> io::Result<Vec<u8>> {
    let response = archived.response;
    let http = http_head(response);
    let mut head = String::with_capacity(768);
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        write!(head, "{name}: {value}\r\n").expect("a string takes all that is written to it");
    };
    line("WARC-Type", &"response");
    line("WARC-Record-ID", &archived.id);
    line("WARC-Warcinfo-ID", &archived.info);
    // `Display` hides a password in the URL: archives are passed on.
    line("WARC-Target-URI", archived.url);
    line("WARC-Date", &date(archived.sent_ms));
    if let Some(remote) = response.remote {
        line("WARC-IP-Address", &remote.ip());
    }
    if response.version == "HTTP/2" {
        line("WARC-Protocol", &"h2");
    }
    line("WARC-Block-Digest", &digest(&[&http, &response.body]));
    line("WARC-Payload-Digest", &digest(&[&response.body]));
    if let Some(truncation) = response.truncated {
        line("WARC-Truncated", &reason(truncation));
    }
    line("Content-Type", &"application/http;msgtype=response");
    line("Content-Length", &(http.len() + response.body.len()));
    gzip(&[b"WARC/1.1\r\n", head.as_bytes(), b"\r\n", &http, &response.body])
}

/// Takes the body out of a response's gzip member.
///
/// # Errors
/// What is wrong with the member, for people.
pub(crate) fn body_of(member: &[u8]) -> Result<Bytes, String> {
    Ok(http_of(member)?.1)
}

/// Takes the response out of its gzip member. Why it was cut and who answered is not in it.
///
/// # Errors
/// What is wrong with the member, for people.
pub(crate) fn response_of(member: &[u8]) -> Result<Response, String> {
    let (head, body) = http_of(member)?;
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let status = lines.next().and_then(|line| {
        let code = line.split(|byte| *byte == b' ').nth(1)?;
        std::str::from_utf8(code).ok()?.parse().ok()
    });
    let status = status.ok_or("no HTTP status")?;
    let mut headers = Vec::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let Ok(name) = std::str::from_utf8(&line[..colon]) else { continue };
        let value = Bytes::copy_from_slice(line[colon + 1..].trim_ascii());
        match name.strip_prefix(ORIGINAL) {
            Some(name) => headers.push((name.into(), value)),
            // Ours: the length of what is stored.
            None if name == "Content-Length" => {}
            None => headers.push((name.into(), value)),
        }
    }
    let (version, truncated, remote) = ("HTTP/1.1", None, None);
    Ok(Response { status, version, headers, body, truncated, remote })
}

/// The HTTP head of a record and what follows it.
fn http_of(member: &[u8]) -> Result<(Bytes, Bytes), String> {
    let mut record = Vec::new();
    GzDecoder::new(member).read_to_end(&mut record).map_err(|e| e.to_string())?;
    let record = Bytes::from(record);
    let (head, block) = split_head(&record).ok_or("no WARC header")?;
    let head = std::str::from_utf8(&head).map_err(|_| "a WARC header that is no text")?;
    let length = header(head, "content-length").and_then(|n| n.parse::<usize>().ok());
    let length = length.ok_or("no Content-Length in the WARC header")?;
    if !head.starts_with("WARC/1.1\r\n") || length > block.len() {
        return Err("a record that is cut short".to_owned());
    }
    Ok(split_head(&block.slice(..length)).ok_or("no HTTP header")?)
}

fn split_head(record: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = record.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((record.slice(..end + 2), record.slice(end + 4..)))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Status line and header fields, as they would have been without codings.
fn http_head(response: &Response) -> Vec<u8> {
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
fn reason(truncation: Truncation) -> &'static str {
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

fn gzip(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    // Fast, because it runs on the one thread that writes.
    let mut encoder = GzEncoder::new(Vec::with_capacity(size / 3 + 256), Compression::fast());
    for part in parts {
        encoder.write_all(part)?;
    }
    encoder.write_all(b"\r\n\r\n")?;
    encoder.finish()
}

/// `sha1:` and base32 (RFC 4648, section 6), as archives everywhere write it.
fn digest(parts: &[&[u8]]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut sha1 = Sha1::new();
    parts.iter().for_each(|part| sha1.update(part));
    let mut text = String::from("sha1:");
    // 20 bytes are four times 40 bits: no padding.
    for five in sha1.finalize().chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        for i in (0..8).rev() {
            text.push(char::from(ALPHABET[(bits >> (5 * i) & 31) as usize]));
        }
    }
    text
}

/// A W3C date with microseconds, which WARC 1.1 allows; the last three digits are not measured.
fn date(ms: u64) -> String {
    let (days, in_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (seconds, ms) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}000Z")
}

/// Year, month and day of a day since the Unix epoch (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response() -> Response {
        let field =
            |name: &str, value: &'static str| (name.into(), Bytes::from_static(value.as_bytes()));
        Response {
            status: 200,
            version: "HTTP/2",
            headers: vec![
                field("content-type", "text/html"),
                field("content-encoding", "gzip"),
                field("content-length", "7"),
                field("x-evil", "a\r\nb: c"),
            ],
            body: Bytes::from_static(b"<p>one\r\n\r\ntwo"),
            truncated: Some(Truncation::Length),
            remote: Some("127.0.0.1:80".parse().unwrap()),
        }
    }

    #[test]
    fn a_record_says_what_the_standard_asks() {
        let url = CanonicalUrl::parse("http://joe:secret@h/a").unwrap();
        let (id, info) = (Urn::new(&[b"1"]), Urn::new(&[b"2"]));
        let response = response();
        let archived =
            Archived { url: &url, response: &response, sent_ms: 1_709_210_096_007, id, info };
        let member = response_member(&archived).unwrap();
        let mut text = String::new();
        GzDecoder::new(&*member).read_to_string(&mut text).unwrap();
        for line in [
            "WARC/1.1",
            "WARC-Type: response",
            "WARC-Target-URI: http://***@h/a",
            "WARC-Date: 2024-02-29T12:34:56.007000Z",
            "WARC-IP-Address: 127.0.0.1",
            "WARC-Protocol: h2",
            "WARC-Truncated: length",
            "WARC-Payload-Digest: sha1:D5NYFJ2QVDHYQH7PV624UIV5QKM2RUMQ",
            "Content-Type: application/http;msgtype=response",
            "HTTP/1.1 200 OK",
            "content-type: text/html",
            "X-Archive-Orig-content-encoding: gzip",
            "X-Archive-Orig-content-length: 7",
            "Content-Length: 13",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in {text}");
        }
        assert!(!text.contains("x-evil"));
        assert!(text.ends_with("two\r\n\r\n"));
        assert_eq!(body_of(&member).unwrap(), response.body);
        let read = response_of(&member).unwrap();
        assert_eq!((read.status, &read.body), (200, &response.body));
        // All but the field that no archive can hold.
        assert_eq!(read.headers, response.headers[..3]);
    }

    #[test]
    fn a_damaged_member_is_an_error() {
        assert!(body_of(b"not gzip").is_err());
        assert!(body_of(&gzip(&[b"WARC/1.1\r\nContent-Length: 99\r\n\r\nx"]).unwrap()).is_err());
        assert!(body_of(&gzip(&[b"no header"]).unwrap()).is_err());
    }

    #[test]
    fn digests_are_those_of_the_standard_tools() {
        assert_eq!(digest(&[b""]), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        assert_eq!(digest(&[b"a", b"bc"]), "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(date(951_782_400_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(date(4_102_444_799_999), "2099-12-31T23:59:59.999000Z");
    }
}
