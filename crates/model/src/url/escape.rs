//! Percent-encode sets (URL Standard, section 1.3) and escapes, as tables.

/// The path percent-encode set.
pub(super) const PATH: u8 = 1;
/// The special-query percent-encode set.
pub(super) const QUERY: u8 = 1 << 1;
/// The fragment percent-encode set.
pub(super) const FRAGMENT: u8 = 1 << 2;
/// The userinfo percent-encode set.
pub(super) const USERINFO: u8 = 1 << 3;

/// In which sets each byte is.
const SETS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x20 || byte >= 0x7f {
            table[byte] = PATH | QUERY | FRAGMENT | USERINFO;
        }
        byte += 1;
    }
    table = mark(table, b" \"<>", PATH | QUERY | FRAGMENT | USERINFO);
    table = mark(table, b"`", PATH | FRAGMENT | USERINFO);
    table = mark(table, b"#?^{}", PATH | USERINFO);
    table = mark(table, b"#'", QUERY);
    mark(table, b"/:;=@[\\]|", USERINFO)
};

const fn mark(mut table: [u8; 256], bytes: &[u8], sets: u8) -> [u8; 256] {
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] |= sets;
        i += 1;
    }
    table
}

/// All escapes behind each other: `%00%01` up to `%FF`.
const ESCAPES: [u8; 768] = {
    let digits = b"0123456789ABCDEF";
    let mut table = [b'%'; 768];
    let mut byte = 0;
    while byte < 256 {
        table[3 * byte + 1] = digits[byte >> 4];
        table[3 * byte + 2] = digits[byte & 15];
        byte += 1;
    }
    table
};

const ESCAPES_TEXT: &str = match std::str::from_utf8(&ESCAPES) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

/// The escape of a byte, in upper case.
pub(super) fn escape(byte: u8) -> &'static str {
    let start = 3 * usize::from(byte);
    &ESCAPES_TEXT[start..start + 3]
}

/// Appends `text`, with what is in `set` escaped (URL Standard, "UTF-8 percent-encode").
pub(super) fn push_encoded(out: &mut String, text: &str, set: u8) {
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        if SETS[usize::from(byte)] & set != 0 {
            // Bytes inside a character are all in the set, so no clean run begins or ends there.
            if clean < i {
                out.push_str(&text[clean..i]);
            }
            out.push_str(escape(byte));
            clean = i + 1;
        }
    }
    if clean < bytes.len() {
        out.push_str(&text[clean..]);
    }
}

/// As [`push_encoded`], for text that was encoded in another encoding (URL Standard,
/// "percent-encode after encoding").
pub(super) fn push_encoded_bytes(out: &mut String, bytes: &[u8], set: u8) {
    for &byte in bytes {
        if SETS[usize::from(byte)] & set == 0 {
            out.push(char::from(byte));
        } else {
            out.push_str(escape(byte));
        }
    }
}
