//! Percent-encode sets and escapes, as tables that a scan reads once per byte.

/// In the path percent-encode set (URL Standard, section 1.3). The backslash is marked, too:
/// it is a slash in these URLs, so a path that holds one cannot be copied as it stands.
pub(super) const PATH: u8 = 1;
/// In the special-query percent-encode set.
pub(super) const QUERY: u8 = 1 << 1;
/// In the fragment percent-encode set.
pub(super) const FRAGMENT: u8 = 1 << 2;
/// In the userinfo percent-encode set.
pub(super) const USERINFO: u8 = 1 << 3;
/// Ends a segment of the path.
pub(super) const SLASH: u8 = 1 << 4;
/// Begins a dot segment, if it stands behind a slash. Twice [`SLASH`], so that a shift of the
/// byte before tells.
pub(super) const DOT: u8 = SLASH << 1;
/// Ends the path.
pub(super) const END: u8 = 1 << 6;

/// What each byte means in the parts of a URL.
pub(super) const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
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
    table = mark(table, b"/:;=@[\\]|", USERINFO);
    table = mark(table, b"/\\", SLASH);
    table = mark(table, b"\\", PATH);
    table = mark(table, b".%", DOT);
    mark(table, b"?#", END)
}

const fn mark(mut table: [u8; 256], bytes: &[u8], class: u8) -> [u8; 256] {
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] |= class;
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
        if CLASS[usize::from(byte)] & set != 0 {
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
        if CLASS[usize::from(byte)] & set == 0 {
            out.push(char::from(byte));
        } else {
            out.push_str(escape(byte));
        }
    }
}
