//! How far a tag goes: where its name ends, and where the tag does (HTML Standard, sections 13.2.5.8
//! and 13.2.5.32 to 40).

use super::attrs::{next_attribute, skip_blank_or_slash};
use super::find::{EACH, find, first_zero};

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
#[inline(always)]
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

#[inline(always)]
fn past_attributes(bytes: &[u8], from: usize) -> Option<TagEnd> {
    let mut at = find_mark(bytes, from)?;
    while bytes[at] != b'>' {
        // A name, `=`, a quoted value, and what may stand behind one.
        let quote = *bytes.get(at + 1)?;
        if ends_name(bytes[at - 1]) || !matches!(quote, b'"' | b'\'') {
            return exact(bytes, from);
        }
        at = find(quote, bytes, at + 2)? + 1;
        match *bytes.get(at)? {
            b'>' => break,
            byte if ends_name(byte) => at = find_mark(bytes, at + 1)?,
            _ => return exact(bytes, from),
        }
    }
    match at - from > LONG {
        true => exact(bytes, from),
        false => Some(TagEnd { at, crowd: None }),
    }
}

/// Finds the next `=` or `>`.
#[inline]
fn find_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(eight) = bytes.get(at..)?.first_chunk() {
        // `<` and `?`, too, are equal to these but for the last two bits.
        let eight = (u64::from_le_bytes(*eight) | (EACH * 3)) ^ (EACH * u64::from(b'=' | 3));
        match first_zero(eight) {
            None => at += 8,
            Some(len) if matches!(bytes[at + len], b'=' | b'>') => return Some(at + len),
            Some(len) => at += len + 1,
        }
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'=' | b'>')).map(|len| at + len)
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

/// Whether a byte ends a name: blanks, `/`, `>`.
#[inline]
fn ends_name(byte: u8) -> bool {
    NAME_BYTE[usize::from(byte)] == 0
}
