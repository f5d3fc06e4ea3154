//! A WARC record: its header, its block, and whether its digests are those of its bytes.

use std::io::{BufRead, Read};

use sha1::{Digest, Sha1};

/// Longest header block of a record, in bytes.
const MOST_HEADER: u64 = 1 << 20;
/// Longest HTTP head, in bytes.
const MOST_HEAD: usize = 4 << 20;
/// Longest body of which the page's own digest is compared; a longer one's SHA-1 alone is.
const MOST_BODY: usize = 64 << 20;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    Info,
    Response,
    Revisit,
    Resource,
    /// Request, metadata, conversion, continuation.
    Other,
}

impl RecordKind {
    /// Whether a page may point to it.
    pub(super) fn is_answer(self) -> bool {
        matches!(self, Self::Response | Self::Revisit)
    }
}

/// When a record was made, as precisely as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    ms: u64,
    has_ms: bool,
}

impl Date {
    /// Whether it may be that millisecond.
    pub(super) fn is(self, ms: u64) -> bool {
        if self.has_ms { self.ms == ms } else { self.ms == ms - ms % 1000 }
    }

    /// `YYYY-MM-DDThh:mm:ss[.f*]Z`.
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let mut date = date.split('-').map(str::parse::<u64>);
        let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let mut time = time.split(':').map(str::parse::<u64>);
        let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
        let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month);
        if !fits || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let is_leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let days: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
        let february = 28 + u64::from(is_leap(year));
        let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let days = days + months.iter().zip(1..month).map(|(days, _)| days).sum::<u64>() + day - 1;
        let ms = match fraction.len() {
            0 => 0,
            _ => format!("{fraction:0<3}").get(..3)?.parse::<u64>().ok()?,
        };
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self { ms: seconds * 1000 + ms, has_ms: fraction.len() >= 3 })
    }
}

/// What a record says, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) kind: RecordKind,
    pub(super) id: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) date: Option<Date>,
    pub(super) date_text: String,
    pub(super) info_id: Option<String>,
    /// Of a revisit: an id, or URL and date with a space between.
    pub(super) refers_to: Option<String>,
    pub(super) is_truncated: bool,
    /// HTTP status.
    pub(super) status: Option<u16>,
    pub(super) payload_len: u64,
    /// The page's own kind of digest of the payload; 0 of an empty one, `None` if it is too long.
    pub(super) digest: Option<u64>,
    pub(super) faults: Vec<String>,
    pub(super) wrong_digests: Vec<String>,
}

impl Seen {
    /// Whether it is as it was written, as far as it says itself.
    pub(super) fn is_sound(&self) -> bool {
        self.wrong_digests.is_empty() && self.faults.is_empty()
    }
}

/// One record, up to its end.
pub(super) fn record(input: &mut impl BufRead) -> Result<Seen, String> {
    let header = header(input)?;
    let field = |name: &str| header.iter().find(|(n, _)| n == name).map(|(_, value)| &**value);
    let text = |name: &str| field(name).map(str::to_owned);
    let len: u64 = field("content-length")
        .and_then(|len| len.parse().ok())
        .ok_or("a record without Content-Length")?;
    let kind = match field("warc-type") {
        Some("warcinfo") => RecordKind::Info,
        Some("response") => RecordKind::Response,
        Some("revisit") => RecordKind::Revisit,
        Some("resource") => RecordKind::Resource,
        Some(_) => RecordKind::Other,
        None => return Err("a record without WARC-Type".to_owned()),
    };
    let is_http = field("content-type").is_some_and(|of| of.starts_with("application/http"));
    let block = block(input, len, is_http)?;
    let mut end = [0; 4];
    let ended = input.read_exact(&mut end);
    if ended.is_err() || end != *b"\r\n\r\n" {
        return Err("a record does not end where it says".to_owned());
    }
    let named = || {
        Some(format!("{} {}", field("warc-refers-to-target-uri")?, field("warc-refers-to-date")?))
    };
    let date_text = text("warc-date").unwrap_or_default();
    let mut seen = Seen {
        kind,
        id: text("warc-record-id"),
        uri: text("warc-target-uri").map(|uri| uri.trim_matches(['<', '>']).to_owned()),
        date: Date::parse(&date_text),
        date_text,
        info_id: text("warc-warcinfo-id"),
        refers_to: text("warc-refers-to").or_else(named),
        is_truncated: field("warc-truncated").is_some(),
        status: block.status,
        payload_len: block.payload_len,
        digest: block.digest,
        faults: Vec::new(),
        wrong_digests: Vec::new(),
    };
    if seen.id.is_none() || seen.date.is_none() {
        seen.faults
            .push("a record without a WARC-Record-ID or a WARC-Date that can be read".to_owned());
    }
    if seen.kind.is_answer() && (seen.uri.is_none() || !is_http) {
        seen.faults.push("an answer without WARC-Target-URI, or that is not HTTP".to_owned());
    }
    let digests = [("block", field("warc-block-digest"), block.sha1)];
    // That of a revisit is of the body it does not have.
    let payload = match seen.kind {
        RecordKind::Response if is_http => Some(block.payload_sha1),
        _ => None,
    };
    let payload = payload.map(|sha1| ("payload", field("warc-payload-digest"), sha1));
    for (of, told, sha1) in digests.into_iter().chain(payload) {
        if told.is_some_and(|told| !is_sha1(told, &sha1)) {
            seen.wrong_digests.push(format!("its {of} digest is not that of its bytes"));
        }
    }
    Ok(seen)
}

/// The fields of a record's header, names in lower case.
fn header(input: &mut impl BufRead) -> Result<Vec<(String, String)>, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut left = MOST_HEADER;
    let mut line = Vec::new();
    let mut is_first = true;
    loop {
        line.clear();
        let read =
            input.by_ref().take(left).read_until(b'\n', &mut line).map_err(|e| e.to_string())?;
        left = left.saturating_sub(read as u64);
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return Err("no WARC record begins here".to_owned());
        };
        let text = std::str::from_utf8(text).map_err(|_| "a WARC header that is no text")?;
        if is_first {
            if !matches!(text, "WARC/1.0" | "WARC/1.1") {
                return Err("no WARC record begins here".to_owned());
            }
            is_first = false;
        } else if text.is_empty() {
            return Ok(fields);
        } else if text.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut().ok_or("a WARC header that makes no sense")?;
            value.push(' ');
            value.push_str(text.trim());
        } else {
            let (name, value) = text.split_once(':').ok_or("a WARC header that makes no sense")?;
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// What a record's block comes to.
struct Block {
    sha1: [u8; 20],
    payload_sha1: [u8; 20],
    payload_len: u64,
    status: Option<u16>,
    digest: Option<u64>,
}

fn block(input: &mut impl BufRead, len: u64, is_http: bool) -> Result<Block, String> {
    let (mut whole, mut payload) = (Sha1::new(), Sha1::new());
    let (mut head, mut body) = (Vec::new(), Vec::new());
    let (mut left, mut payload_len) = (len, 0_u64);
    let mut in_head = is_http;
    while left > 0 {
        let piece = input.fill_buf().map_err(|e| e.to_string())?;
        if piece.is_empty() {
            return Err("a record ends before its Content-Length".to_owned());
        }
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let mut piece = &piece[..n];
        whole.update(piece);
        if in_head {
            let before = head.len();
            head.extend_from_slice(piece);
            let from = before.saturating_sub(3);
            match head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => {
                    in_head = false;
                    piece = &piece[from + at + 4 - before..];
                    head.truncate(from + at + 4);
                }
                None if head.len() > MOST_HEAD => return Err("an HTTP head without end".to_owned()),
                None => piece = &[],
            }
        }
        payload.update(piece);
        payload_len += piece.len() as u64;
        if body.len() <= MOST_BODY {
            body.extend_from_slice(piece);
        }
        left -= n as u64;
        input.consume(n);
    }
    let status = head.split(|byte| *byte == b' ').nth(1).and_then(|code| code.get(..3));
    let status = status.and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    let is_whole = body.len() as u64 == payload_len;
    let digest =
        is_whole.then(|| u64::from_str_radix(&crawl_model::digest(&body), 16).unwrap_or(0));
    let (sha1, payload_sha1) = (whole.finalize().into(), payload.finalize().into());
    Ok(Block { sha1, payload_sha1, payload_len, status, digest })
}

/// Whether a digest field is of these bits: base32 (RFC 4648), as is the custom, or hexadecimal.
/// One of another algorithm cannot be told to be wrong.
fn is_sha1(told: &str, sha1: &[u8; 20]) -> bool {
    let Some((algorithm, text)) = told.split_once(':') else { return false };
    if !algorithm.eq_ignore_ascii_case("sha1") {
        return true;
    }
    let hex: String = sha1.iter().map(|byte| format!("{byte:02x}")).collect();
    text.eq_ignore_ascii_case(&hex) || text.eq_ignore_ascii_case(&base32(sha1))
}

fn base32(bytes: &[u8]) -> String {
    let digit = |bits: u32| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(bits & 31) as usize]);
    let (mut text, mut bits, mut n) = (String::new(), 0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        n += 8;
        while n >= 5 {
            n -= 5;
            text.push(digit(bits >> n));
        }
    }
    text
}

/// A URL without user name and password, or with stars for them.
pub(super) fn without_credentials(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_digests_are_those_of_the_standards() {
        let date = Date::parse("2024-02-29T12:34:56.007000Z").unwrap();
        assert!(date.is(1_709_210_096_007) && !date.is(1_709_210_096_008));
        assert!(Date::parse("2024-02-29T12:34:56Z").unwrap().is(1_709_210_096_999));
        assert_eq!(Date::parse("1970-01-01T00:00:00Z").unwrap().ms, 0);
        assert!(Date::parse("2024-13-01T00:00:00Z").is_none() && Date::parse("now").is_none());
        let empty: [u8; 20] = Sha1::digest(b"").into();
        assert!(is_sha1("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", &empty));
        assert!(is_sha1("SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709", &empty));
        assert!(!is_sha1("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYK", &empty));
    }

    #[test]
    fn records_are_read_by_the_standard_and_not_by_our_habits() {
        let text = "WARC/1.0\r\nwarc-type:  response\r\nWARC-Record-ID: <urn:x>\r\n\
            WARC-Date: 2024-02-29T12:34:56Z\r\nWARC-Target-URI: <http://h/>\r\n\
            Content-Type: application/http;\r\n msgtype=response\r\n\
            WARC-Payload-Digest: sha1:D5NYFJ2QVDHYQH7PV624UIV5QKM2RUMQ\r\n\
            Content-Length: 32\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<p>one\r\n\r\ntwo\r\n\r\n";
        let seen = record(&mut text.as_bytes()).unwrap();
        assert_eq!(
            (seen.kind, seen.status, seen.payload_len),
            (RecordKind::Response, Some(200), 13)
        );
        assert_eq!((seen.uri.as_deref(), seen.faults.len()), (Some("http://h/"), 0));
        assert!(seen.wrong_digests.is_empty(), "{seen:?}");
        for at in 0..text.len() {
            // Whatever it gives, it does not panic.
            let _ = record(&mut &text.as_bytes()[..at]);
        }
        let other = text.replace("two", "owt");
        assert!(!record(&mut other.as_bytes()).unwrap().is_sound());
    }

    #[test]
    fn credentials_are_left_out() {
        assert_eq!(without_credentials("http://***@h/a@b"), "http://h/a@b");
        assert_eq!(without_credentials("http://h/a@b"), "http://h/a@b");
    }
}
