//! The attributes of a tag, read where they stand (HTML Standard, sections 13.2.5.32 to 40).

use std::ops::Range;

use super::find::find;
use super::split::is_blank;

/// Iterator over the attributes of a tag: name and value as written, references not decoded.
pub(crate) struct Attrs<'a> {
    text: &'a str,
    pos: usize,
}

impl<'a> Attrs<'a> {
    /// Reads `region`, all between a tag's name and its `>`.
    pub(super) fn new(region: &'a str) -> Self {
        Self { text: region, pos: 0 }
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        self.pos = skip_blank_or_slash(bytes, self.pos);
        if self.pos >= bytes.len() {
            return None;
        }
        let (name, value) = next_attribute(bytes, &mut self.pos);
        Some((&self.text[name], &self.text[value]))
    }
}

/// The value as written of the attribute of this name, in any case: the first one, if it is among the
/// first `most` of the tag.
#[inline]
pub(super) fn find_attribute<'a>(region: &'a str, name: &str, most: usize) -> Option<&'a str> {
    let [value] = find_attributes(region, [name], most);
    value
}

/// The same of several attributes.
#[inline]
pub(super) fn find_attributes<'a, const N: usize>(
    region: &'a str,
    names: [&str; N],
    most: usize,
) -> [Option<&'a str>; N] {
    let bytes = region.as_bytes();
    let (mut values, mut n_found, mut pos) = ([None; N], 0, 0);
    for _ in 0..most {
        pos = skip_blank_or_slash(bytes, pos);
        if pos >= bytes.len() || n_found == N {
            break;
        }
        let (found, value) = next_attribute(bytes, &mut pos);
        for (name, known) in names.iter().zip(&mut values) {
            let is_it = || is_named(&bytes[found.clone()], name);
            if name.len() == found.len() && known.is_none() && is_it() {
                *known = region.get(value.clone());
                n_found += 1;
            }
        }
    }
    values
}

/// Whether a name is this one, which is in lower case.
#[inline]
fn is_named(written: &[u8], name: &str) -> bool {
    written
        .iter()
        .zip(name.as_bytes())
        .all(|(byte, lower)| byte == lower || byte.to_ascii_lowercase() == *lower)
}

/// Whether the tag with this region closes itself: its last `/` belongs to no attribute.
pub(super) fn is_self_closing(region: &str) -> bool {
    let bytes = region.as_bytes();
    if bytes.last() != Some(&b'/') {
        return false;
    }
    let mut pos = 0;
    loop {
        pos = skip_blank_or_slash(bytes, pos);
        if pos >= bytes.len() {
            return true;
        }
        next_attribute(bytes, &mut pos);
        if pos >= bytes.len() {
            return false; // an unquoted value ends with it
        }
    }
}

fn skip_blank(bytes: &[u8], mut pos: usize) -> usize {
    while bytes.get(pos).is_some_and(|&byte| is_blank(byte)) {
        pos += 1;
    }
    pos
}

#[inline]
pub(super) fn skip_blank_or_slash(bytes: &[u8], mut pos: usize) -> usize {
    while bytes.get(pos).is_some_and(|&byte| is_blank(byte) || byte == b'/') {
        pos += 1;
    }
    pos
}

/// Reads the attribute at `pos` and moves `pos` behind it. What the end cuts off counts as far
/// as it goes.
#[inline(always)]
pub(super) fn next_attribute(bytes: &[u8], pos: &mut usize) -> (Range<usize>, Range<usize>) {
    let start = *pos;
    // A `=` in the first place belongs to the name.
    let rest = bytes.get(start + 1..).unwrap_or_default();
    let len = rest.iter().position(|&byte| ENDS_NAME[usize::from(byte)]);
    let name_end = start + 1 + len.unwrap_or(rest.len());
    *pos = name_end;
    // The usual form first: `name="value"`.
    let mut from = name_end + 1;
    if bytes.get(name_end) != Some(&b'=') {
        let equals = skip_blank(bytes, name_end);
        if bytes.get(equals) != Some(&b'=') {
            return (start..name_end, name_end..name_end);
        }
        from = equals + 1;
    }
    if bytes.get(from).is_some_and(|&byte| is_blank(byte)) {
        from = skip_blank(bytes, from);
    }
    let value = match bytes.get(from) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = find(quote, bytes, from + 1).unwrap_or(bytes.len());
            *pos = (end + 1).min(bytes.len());
            from + 1..end
        }
        _ => {
            let is_value = |byte: &u8| !is_blank(*byte) && *byte != b'>';
            let rest = bytes.get(from..).unwrap_or_default();
            let len = rest.iter().take_while(|byte| is_value(byte)).count();
            *pos = (from + len).min(bytes.len());
            *pos - len..*pos
        }
    };
    (start..name_end, value)
}

const ENDS_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let ends = b"\t\n\x0c\r />=";
    let mut at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = true;
        at += 1;
    }
    table
};
