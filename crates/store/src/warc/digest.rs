//! Digests of blocks and payloads.

use std::fmt;

use sha1::{Digest as _, Sha1};

/// The digits of base32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A SHA-1, for that is what archives everywhere are compared by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest([u8; 20]);

impl Digest {
    /// Of some parts, one behind the other.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut sha1 = Sha1::new();
        parts.iter().for_each(|part| sha1.update(part));
        Self(sha1.finalize().into())
    }

    /// Its first bytes, by which an index may look for it.
    pub(crate) fn key(self) -> u64 {
        let Self([a, b, c, d, e, f, g, h, ..]) = self;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Digest {
    /// The [`key`](Self::key) of a digest that is given as text; `None` if it is none of ours.
    pub(crate) fn key_of(text: &str) -> Option<u64> {
        let digits = text.strip_prefix("sha1:").filter(|digits| digits.len() == 32)?;
        let mut bits = 0_u128;
        // Thirteen digits are 65 bits.
        for digit in digits.bytes().take(13) {
            let value = ALPHABET.iter().position(|other| *other == digit.to_ascii_uppercase())?;
            bits = bits << 5 | u128::try_from(value).ok()?;
        }
        u64::try_from(bits >> 1).ok()
    }
}

impl fmt::Display for Digest {
    /// `sha1:` and base32 (RFC 4648, section 6), as archives everywhere write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        // 20 bytes are four times 40 bits: no padding.
        for (five, eight) in self.0.chunks(5).zip(text.chunks_mut(8)) {
            let bits = five.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            for (i, digit) in eight.iter_mut().rev().enumerate() {
                *digit = ALPHABET[(bits >> (5 * i) & 31) as usize];
            }
        }
        write!(f, "sha1:{}", std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard_tools() {
        assert_eq!(Digest::of(&[b""]).to_string(), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        let abc = Digest::of(&[b"a", b"bc"]);
        assert_eq!(abc.to_string(), "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5");
        assert_eq!(abc.key(), 0xa999_3e36_4706_816a);
        assert_eq!(Digest::key_of(&abc.to_string()), Some(abc.key()));
        assert_eq!(Digest::key_of("sha1:X"), None);
    }
}
