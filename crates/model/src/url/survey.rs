//! What a reference holds, told in one look at many bytes at a time.
//!
//! Most references hold nothing that must be escaped or undone, and can be copied as they are.
//! To find that out costs more than the copying, so it is written as plain comparisons of
//! whole blocks, which compilers turn into vector instructions.

/// What a reference holds.
#[derive(Clone, Copy)]
pub(super) struct Survey(u8);

/// A byte that some part of a URL escapes, drops or reads otherwise: controls, spaces, what is
/// not ASCII, backslashes, and escapes, for they may be those of dots.
const ODD: u8 = 1;
/// A colon, without which there is no scheme.
const COLON: u8 = 1 << 1;
/// A `?` or `#`.
const TAIL: u8 = 1 << 2;
/// A dot behind a slash.
const SLASH_DOT: u8 = 1 << 3;

impl Survey {
    /// Looks at a reference.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        if bytes.len() > BLOCK {
            return Self(blocks(bytes));
        }
        Self(few(bytes))
    }

    /// Whether there is nothing in it to be found: a path alone, without dot segments but for one at
    /// its start.
    pub(super) fn is_plain(self) -> bool {
        self.0 == 0
    }

    /// Whether every part can be copied as it is, dot segments aside.
    pub(super) fn is_clean(self) -> bool {
        self.0 & ODD == 0
    }

    pub(super) fn may_have_scheme(self) -> bool {
        self.0 & COLON != 0
    }

    pub(super) fn may_have_tail(self) -> bool {
        self.0 & TAIL != 0
    }

    pub(super) fn may_have_inner_dots(self) -> bool {
        self.0 & SLASH_DOT != 0
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// Looks at more bytes than a block has, the last block overlapping the one before.
fn blocks(bytes: &[u8]) -> u8 {
    let mut found = [0; BLOCK];
    let last = bytes.len() - BLOCK - 1;
    let mut start = 0;
    loop {
        let these = &bytes[start..start + BLOCK];
        let next = &bytes[start + 1..start + BLOCK + 1];
        for lane in 0..BLOCK {
            found[lane] |= class(these[lane]) | pair(these[lane], next[lane]);
        }
        if start == last {
            break;
        }
        start = last.min(start + BLOCK);
    }
    found.iter().fold(class(bytes[bytes.len() - 1]), |all, lane| all | lane)
}

/// Looks at fewer bytes one by one.
fn few(bytes: &[u8]) -> u8 {
    let (mut found, mut before) = (0, 0);
    for &byte in bytes {
        found |= CLASSES[usize::from(byte)] | pair(before, byte);
        before = byte;
    }
    found
}

/// The [`class`] of each byte.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = class(byte as u8);
        byte += 1;
    }
    table
};

#[inline(always)]
const fn class(byte: u8) -> u8 {
    let odd = (byte <= b' ')
        | (byte >= 0x7f)
        | (byte == b'"')
        | (byte == b'%')
        | (byte == b'\'')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'\\')
        | (byte == b'^')
        | (byte == b'`')
        | (byte == b'{')
        | (byte == b'}');
    let tail = (byte == b'?') | (byte == b'#');
    (odd as u8 * ODD) | ((byte == b':') as u8 * COLON) | (tail as u8 * TAIL)
}

#[inline(always)]
fn pair(byte: u8, next: u8) -> u8 {
    u8::from((byte == b'/') & (next == b'.')) * SLASH_DOT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_seen_wherever_it_stands() {
        for length in 1..60 {
            for at in 0..length {
                let with = |mark: &str| {
                    let mut text = "a".repeat(length);
                    text.replace_range(at..length.min(at + mark.len()), mark);
                    Survey::of(&text)
                };
                assert!(with("a").is_clean() && !with("a").may_have_scheme());
                assert!(
                    !with("%").is_clean() && !with("\t").is_clean() && !with("\x7f").is_clean()
                );
                assert!(with(":").may_have_scheme() && with(":").is_clean());
                assert!(with("#").may_have_tail() && with("?").may_have_tail());
                assert!(with("/.").may_have_inner_dots() && !with("./").may_have_inner_dots());
            }
        }
        assert!(Survey::of("").is_clean());
    }
}
