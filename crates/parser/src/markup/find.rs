//! Finds what is near: most tags, names and values are too short for a search that has to begin first.

use memchr::memchr;

/// Finds a byte from a place on. What is near, as it mostly is, is found without the cost of a
/// call.
#[inline]
pub(super) fn find(byte: u8, bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..3 {
        let Some(eight) = bytes.get(at..)?.first_chunk() else { break };
        if let Some(len) = first_zero(u64::from_le_bytes(*eight) ^ (EACH * u64::from(byte))) {
            return Some(at + len);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let len = match rest.len() {
        ..8 => rest.iter().position(|&other| other == byte),
        _ => memchr(byte, rest),
    };
    len.map(|len| at + len)
}

/// Times a byte it is eight of them.
pub(super) const EACH: u64 = 0x0101_0101_0101_0101;

/// Which of eight bytes is the first that is zero.
#[inline]
pub(super) fn first_zero(eight: u64) -> Option<usize> {
    // The lowest bit that is set marks it; higher ones may be wrong.
    let zeros = eight.wrapping_sub(EACH) & !eight & (EACH << 7);
    (zeros != 0).then_some(zeros.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_a_search_finds() {
        let text: Vec<u8> = (0..97_u8).map(|n| n.wrapping_mul(37) % 7 + 0x3a).collect();
        for end in 0..text.len() {
            for from in 0..end + 2 {
                for byte in [b'<', b'=', b'"', 0x3b, 0x3d, 0x80] {
                    let rest = text[..end].get(from..);
                    let slow = rest.and_then(|rest| memchr(byte, rest)).map(|len| from + len);
                    assert_eq!(find(byte, &text[..end], from), slow, "{byte} in {from}..{end}");
                }
            }
        }
    }
}
