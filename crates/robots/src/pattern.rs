//! Normal forms of paths and patterns (RFC 9309, section 2.2.2); `matching` compares them.
//!
//! Both sides are brought to the same spelling, then compared byte by byte. In that spelling the
//! characters `*` and `$` of a *path* are escaped, so in a normal pattern `*` is always the
//! wildcard and no escape for literal ones is needed.

use std::borrow::Cow;

/// A pattern in normal form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// Literals with one `*` between them, so that each step of a match uses up some of the path;
    /// the anchor is cut off.
    pub(crate) text: Vec<u8>,
    /// Whether the path must end where the pattern does.
    pub(crate) anchored: bool,
    /// Octets by which the more specific of two patterns is told: the normal form's, in which
    /// wildcard, anchor and a literal `$` count one each, as written.
    pub(crate) octets: usize,
}

impl Pattern {
    /// Normalises the value of an allow or disallow line; `None` if it is empty, for that matches
    /// nothing.
    pub(crate) fn new(written: &str) -> Option<Self> {
        if written.is_empty() {
            return None;
        }
        let (body, anchored) = match written.strip_suffix('$') {
            Some(body) => (body, true),
            None => (written, false),
        };
        let mut text = Vec::with_capacity(body.len());
        let mut folded = 0;
        for (i, literal) in body.split('*').enumerate() {
            match text.last() {
                Some(b'*') if i > 0 => folded += 1,
                _ if i > 0 => text.push(b'*'),
                _ => {}
            }
            push_normal(&mut text, literal.as_bytes());
        }
        let dollars = body.bytes().filter(|b| *b == b'$').count();
        let octets = text.len() + folded - 2 * dollars + usize::from(anchored);
        Some(Self { text, anchored, octets })
    }

    /// Octets of the literal before the first wildcard.
    pub(crate) fn head_len(&self) -> usize {
        memchr::memchr(b'*', &self.text).unwrap_or(self.text.len())
    }
}

/// Brings path and query to normal form; borrowed if they are in it. A fragment is cut off, a
/// missing first `/` added.
pub(crate) fn normal_path(path: &str) -> Cow<'_, [u8]> {
    let bytes = path.as_bytes();
    let bytes = memchr::memchr(b'#', bytes).map_or(bytes, |hash| &bytes[..hash]);
    if bytes.first() == Some(&b'/') && bytes.iter().all(|byte| PLAIN[usize::from(*byte)]) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    if bytes.first() != Some(&b'/') {
        out.push(b'/');
    }
    push_normal(&mut out, bytes);
    Cow::Owned(out)
}

/// Appends `literal`: escapes in upper case, unreserved characters unescaped, what may not stand
/// in a URL escaped (a `%` that begins no escape, too). `%2F` stays apart from `/`.
fn push_normal(out: &mut Vec<u8>, literal: &[u8]) {
    let mut rest = literal;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if PLAIN[usize::from(byte)] {
            out.push(byte);
            continue;
        }
        match escape(byte, after) {
            Some(escaped) => {
                rest = &after[2..];
                if is_unreserved(escaped) {
                    out.push(escaped);
                } else {
                    push_escaped(out, escaped);
                }
            }
            None => push_escaped(out, byte),
        }
    }
}

/// The byte that `%` and the next two digits stand for.
fn escape(byte: u8, after: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
    match byte {
        b'%' => u8::try_from(digit(0)? << 4 | digit(1)?).ok(),
        _ => None,
    }
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// RFC 3986, section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Bytes that stand for themselves: unreserved and reserved ones (RFC 3986, section 2.2), without
/// `*` and `$`, which mean more in a pattern, and `#`, which ends a path.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        plain[byte] = is_unreserved(b)
            || matches!(b, b':' | b'/' | b'?' | b'[' | b']' | b'@' | b'!' | b'&' | b'\'')
            || matches!(b, b'(' | b')' | b'+' | b',' | b';' | b'=');
        byte += 1;
    }
    plain
};
