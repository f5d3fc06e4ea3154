//! Normal forms of paths and patterns, and matching in linear time (RFC 9309, section 2.2.2).
//!
//! Both sides are brought to the same spelling, then compared byte by byte. In that spelling the
//! characters `*` and `$` of a *path* are escaped, so in a normal pattern `*` is always the
//! wildcard and no escape for literal ones is needed.

use std::borrow::Cow;

use memchr::memmem;

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

/// Whether the tail of a normal pattern, which is what follows its first literal, matches what
/// follows that literal in a normal path. A tail is empty or begins with `*`.
///
/// Each literal is taken at its first occurrence: whatever a later one could match, the rest after
/// the first can match too. So nothing is ever tried twice, and the time is linear in both.
pub(crate) fn tail_matches(tail: &[u8], anchored: bool, rest: &[u8]) -> bool {
    let Some(literals) = tail.strip_prefix(b"*") else { return !anchored || rest.is_empty() };
    let (inner, last) = match memchr::memrchr(b'*', literals) {
        Some(star) => (Some(&literals[..star]), &literals[star + 1..]),
        None => (None, literals),
    };
    let mut rest = match rest.strip_suffix(last) {
        Some(rest) if anchored => rest,
        None if anchored => return false,
        _ => rest,
    };
    for literal in inner.into_iter().flat_map(|inner| inner.split(|byte| *byte == b'*')) {
        match find(rest, literal) {
            Some(at) => rest = &rest[at + literal.len()..],
            None => return false,
        }
    }
    anchored || find(rest, last).is_some()
}

/// Where `literal` first stands in `text`.
fn find(text: &[u8], literal: &[u8]) -> Option<usize> {
    match literal {
        [] => Some(0),
        // A search for one byte needs no preparation.
        [byte] => memchr::memchr(*byte, text),
        _ => memmem::find(text, literal),
    }
}

/// A sketch of the bytes and the pairs of bytes in a text: what a text has, the sketch of any text
/// around it has, too. Tells most patterns that cannot match a path without looking at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sketch([u64; 4]);

impl Sketch {
    /// The sketch of a path or a literal.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut sketch = Self::default();
        sketch.add(text);
        sketch
    }

    /// The sketch of all literals of a pattern or of its tail.
    pub(crate) fn of_literals(pattern: &[u8]) -> Self {
        let mut sketch = Self::default();
        pattern.split(|byte| *byte == b'*').for_each(|literal| sketch.add(literal));
        sketch
    }

    fn add(&mut self, text: &[u8]) {
        for byte in text {
            self.0[0] |= 1 << (byte & 63);
        }
        for pair in text.windows(2) {
            let mixed = (u32::from(pair[0]) << 8 | u32::from(pair[1])).wrapping_mul(0x9E37_79B1);
            // The top byte is the best mixed one; three words of it are left for pairs.
            let bit = (mixed >> 24) as usize % 192;
            self.0[1 + bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether all of `part` is in here.
    pub(crate) fn covers(&self, part: &Self) -> bool {
        self.0.iter().zip(&part.0).all(|(all, part)| part & !all == 0)
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
