//! MIME types as the MIME Sniffing Standard reads them (section 4), and `Content-Type` headers
//! as Fetch does (section 2.2.2, "extract a MIME type").
//!
//! Works on bytes, because header values may hold any. Of the parameters only the two are kept
//! that somebody reads, so that a header of thousands of them costs no more than its length.

use memchr::{memchr, memchr2};

/// A parsed MIME type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MimeType {
    essence: Box<str>,
    charset: Option<Vec<u8>>,
    has_no_header: bool,
}

impl MimeType {
    /// Parses (section 4.4); `None` if it is none.
    pub(crate) fn parse(input: &[u8]) -> Option<Self> {
        let input = trim_end(trim_start(input));
        let slash = memchr(b'/', input)?;
        let rest = &input[slash + 1..];
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let (kind, subtype) = (&input[..slash], trim_end(&rest[..end]));
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let essence = [kind, b"/", subtype].concat().to_ascii_lowercase();
        let essence = String::from_utf8(essence).ok()?.into_boxed_str();
        let mut mime = Self { essence, charset: None, has_no_header: false };
        mime.read_parameters(&rest[end..]);
        Some(mime)
    }

    /// Type and subtype in lower case, without parameters.
    pub(crate) fn essence(&self) -> &str {
        &self.essence
    }

    /// The first `charset` parameter, as it stands there.
    pub(crate) fn charset(&self) -> Option<&[u8]> {
        self.charset.as_deref()
    }

    /// Whether it says `header=absent` (RFC 4180, section 3).
    pub(crate) fn has_no_header(&self) -> bool {
        self.has_no_header
    }

    /// `input` is empty or begins with a semicolon.
    fn read_parameters(&mut self, input: &[u8]) {
        let mut rest = input;
        while !rest.is_empty() {
            rest = trim_start(&rest[1..]);
            let name_len = memchr2(b';', b'=', rest).unwrap_or(rest.len());
            let name = &rest[..name_len];
            rest = &rest[name_len..];
            if rest.first() != Some(&b'=') {
                continue; // a name alone is no parameter
            }
            rest = &rest[1..];
            let mut value = Vec::new();
            if rest.first() == Some(&b'"') {
                rest = &rest[quoted_string(rest, &mut value)..];
                rest = &rest[memchr(b';', rest).unwrap_or(rest.len())..];
            } else if !rest.is_empty() {
                let len = memchr(b';', rest).unwrap_or(rest.len());
                value.extend_from_slice(trim_end(&rest[..len]));
                rest = &rest[len..];
                if value.is_empty() {
                    continue;
                }
            } else {
                break;
            }
            self.set(name, value);
        }
    }

    fn set(&mut self, name: &[u8], value: Vec<u8>) {
        // Other names need no check: neither of the two could be anything but a token.
        if !value.iter().all(|&byte| is_quotable(byte)) {
            return;
        }
        if name.eq_ignore_ascii_case(b"charset") && self.charset.is_none() {
            self.charset = Some(value);
        } else if name.eq_ignore_ascii_case(b"header") {
            self.has_no_header |= value.eq_ignore_ascii_case(b"absent");
        }
    }
}

/// "Extract a MIME type" of all values of a `Content-Type` header, in their order: the last one
/// that parses, with the `charset` of earlier ones of the same type.
pub(crate) fn extract(values: &[&[u8]]) -> Option<MimeType> {
    let mut last: Option<MimeType> = None;
    for value in split(values) {
        let Some(mut mime) = MimeType::parse(&value).filter(|mime| mime.essence() != "*/*") else {
            continue;
        };
        if let Some(before) = last.filter(|before| before.essence == mime.essence) {
            mime.charset = mime.charset.or(before.charset);
        }
        last = Some(mime);
    }
    last
}

/// "Get, decode, and split" (Fetch, section 2.2.2): the parts between commas that stand outside
/// of quoted strings.
pub(crate) fn split(values: &[&[u8]]) -> Vec<Vec<u8>> {
    let all = values.join(&b", "[..]);
    let (mut parts, mut start, mut pos) = (Vec::new(), 0, 0);
    while let Some(at) = memchr2(b',', b'"', &all[pos..]) {
        pos += at;
        if all[pos] == b'"' {
            pos += quoted_string(&all[pos..], &mut Vec::new());
        } else {
            parts.push(all[start..pos].trim_ascii().to_vec());
            pos += 1;
            start = pos;
        }
    }
    parts.push(all[start..].trim_ascii().to_vec());
    parts
}

/// "Collect an HTTP quoted string" (Fetch, section 2.2): puts what it means into `value` and
/// returns how long it is, quotes included. One without end goes to the end.
fn quoted_string(input: &[u8], value: &mut Vec<u8>) -> usize {
    let mut pos = 1;
    loop {
        let len = memchr2(b'"', b'\\', &input[pos..]).unwrap_or(input.len() - pos);
        value.extend_from_slice(&input[pos..pos + len]);
        pos += len;
        match input.get(pos) {
            None => return pos,
            Some(b'"') => return pos + 1,
            Some(_) => {
                value.push(input.get(pos + 1).copied().unwrap_or(b'\\'));
                pos = (pos + 2).min(input.len());
            }
        }
    }
}

/// HTTP token code points (section 3), at least one.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    let is_mark = |byte: &u8| b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

/// HTTP quoted-string token code points (section 3); bytes stand for Latin-1.
fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// HTTP whitespace (Fetch, section 2.2).
fn is_http_blank(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'\t' | b' ')
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_http_blank(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_http_blank(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}
