//! Numbers and texts as bytes: the alphabet of all tables.

pub use crate::codec::{Take, put_number};

/// Appends a number of either sign; small ones take one byte.
pub fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a text with its length.
pub fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text);
}
