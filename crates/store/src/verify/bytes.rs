//! Numbers and texts out of bytes. Written anew for the check, from the formats' descriptions: were
//! it the writer's own code, both could be wrong alike.

/// Bytes yet to be read; whatever is asked for is `None` where they end too early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, n: u64) -> Option<&'a [u8]> {
        let n = usize::try_from(n).ok()?;
        if n > self.0.len() {
            return None;
        }
        let (first, rest) = self.0.split_at(n);
        self.0 = rest;
        Some(first)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Unsigned LEB128 of at most ten bytes.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for nth in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if nth == 9 && bits > 1 {
                return None;
            }
            value |= bits << (7 * nth);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The same of either sign: 0, -1, 1, -2 ..
    pub(super) fn signed(&mut self) -> Option<i64> {
        let coded = self.number()?;
        let half = i64::try_from(coded / 2).ok()?;
        Some(if coded % 2 == 0 { half } else { -half - 1 })
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// A length, and as many bytes.
    pub(super) fn piece(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        self.take(len)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.piece()?).ok()
    }
}

/// All numbers of a value that is nothing else.
pub(super) fn numbers(value: &[u8]) -> Option<Vec<u64>> {
    let mut bytes = Bytes(value);
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(bytes.number()?);
    }
    Some(numbers)
}

pub(super) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

pub(super) fn be_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
pub(super) fn fnv<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    let mut hash = 14_695_981_039_346_656_037_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_their_end_and_not_beyond() {
        let mut bytes = Bytes(&[0, 0x7f, 0x80, 1, 3, 2, 0x80]);
        assert_eq!(
            (bytes.number(), bytes.number(), bytes.number()),
            (Some(0), Some(127), Some(128))
        );
        assert_eq!((bytes.signed(), bytes.signed(), bytes.number()), (Some(-2), Some(1), None));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Bytes(&most).number(), Some(u64::MAX));
        assert_eq!(Bytes(&most).signed(), Some(i64::MIN));
        assert_eq!(Bytes(&[0x80; 11]).number(), None);
        assert_eq!(numbers(&[1, 0x80]), None);
        assert_eq!(Bytes(&[3, b'a']).piece(), None);
    }
}
