//! How far a tag goes: where its name ends, and where the tag does (HTML Standard, sections 13.2.5.8
//! and 13.2.5.32 to 40).

use super::attrs::{next_attribute, skip_blank_or_slash};
use super::split::find;

/// Attributes of one tag beyond which a tree builder must not see the rest.
pub(crate) const MANY_ATTRIBUTES: usize = 256;

/// Bytes of a tag that may have so many attributes.
const LONG: usize = 2 * MANY_ATTRIBUTES;

/// Where a tag ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagEnd {
    /// Its `>`.
    pub(super) at: usize,
    /// Where the attributes begin that are too many; `None` if there are none.
    pub(super) crowd: Option<usize>,
}

/// The first eight bytes of a name in lower case, as [`key_of`](super::tags::key_of) has them, and
/// where it ends.
#[inline]
pub(super) fn name(bytes: &[u8], from: usize) -> (u64, usize) {
    let rest = bytes.get(from..).unwrap_or_default();
    let mut key = 0;
    for (at, &byte) in rest.iter().take(8).enumerate() {
        let lower = NAME_BYTE[usize::from(byte)];
        if lower == 0 {
            return (key, from + at);
        }
        key |= u64::from(lower) << (8 * at);
    }
    let len = rest.iter().position(|&byte| NAME_BYTE[usize::from(byte)] == 0);
    (key, from + len.unwrap_or(rest.len()))
}

/// Finds the `>` that ends a tag; `from` is just behind its name. `None` if the document ends first.
///
/// Attributes are nearly always written `name="value"`; a tag with others is read again by the rules.
#[inline(always)]
pub(super) fn tag_end(bytes: &[u8], from: usize) -> Option<TagEnd> {
    match bytes.get(from) {
        Some(b'>') => Some(TagEnd { at: from, crowd: None }),
        _ => past_attributes(bytes, from),
    }
}

fn past_attributes(bytes: &[u8], from: usize) -> Option<TagEnd> {
    let mut at = from;
    loop {
        let byte = *bytes.get(at)?;
        if BYTE[usize::from(byte)] & MATTERS == 0 {
            at += 1;
            continue;
        }
        match byte {
            b'>' if at - from > LONG => return exact(bytes, from),
            b'>' => return Some(TagEnd { at, crowd: None }),
            b'=' if BYTE[usize::from(bytes[at - 1])] & ENDS_NAME == 0 => {
                let quote = *bytes.get(at + 1)?;
                if !matches!(quote, b'"' | b'\'') {
                    return exact(bytes, from);
                }
                at = find(quote, bytes, at + 2)? + 1;
                if BYTE[usize::from(*bytes.get(at)?)] & ENDS_NAME == 0 {
                    return exact(bytes, from);
                }
            }
            _ => return exact(bytes, from),
        }
    }
}

/// The same by the rules.
#[cold]
fn exact(bytes: &[u8], from: usize) -> Option<TagEnd> {
    let (mut at, mut count, mut crowd) = (from, 0, None);
    loop {
        at = skip_blank_or_slash(bytes, at);
        match bytes.get(at)? {
            b'>' => break,
            _ => drop(next_attribute(bytes, &mut at)),
        }
        count += 1;
        if count == MANY_ATTRIBUTES {
            crowd = Some(at);
        }
    }
    Some(TagEnd { at, crowd: crowd.filter(|&start| start < at) })
}

/// A byte of a tag's name in lower case, and 0 for what ends a name.
const NAME_BYTE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>' => 0,
            // A name goes on behind a NUL, but none that is known has one.
            0 => 1,
            other => other.to_ascii_lowercase(),
        };
        byte += 1;
    }
    table
};

/// Ends a name: blanks, `/`, `>`.
const ENDS_NAME: u8 = 1;
/// May decide where a tag ends.
const MATTERS: u8 = 2;

const BYTE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if NAME_BYTE[byte] == 0 {
            table[byte] = ENDS_NAME;
        }
        if matches!(byte as u8, b'>' | b'=' | b'"' | b'\'') {
            table[byte] |= MATTERS;
        }
        byte += 1;
    }
    table
};
