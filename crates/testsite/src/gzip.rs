//! A gzip file without compression (RFC 1952 around the stored blocks of RFC 1951, section 3.2.4),
//! so that the site needs no crate for the one file of it that is zipped.

/// `data` as a gzip file.
pub(crate) fn stored(data: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    loop {
        let block = blocks.next().unwrap_or_default();
        let length =
            u16::try_from(block.len()).expect("chunks are at most as long as a u16 can say");
        let is_last = blocks.peek().is_none();
        file.push(u8::from(is_last));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
        if is_last {
            break;
        }
    }
    file.extend(crc32(data).to_le_bytes());
    // The size modulo 2^32 (section 2.3.1).
    file.extend((data.len() as u32).to_le_bytes());
    file
}

/// The checksum of RFC 1952, section 8, bit by bit.
pub(crate) fn crc32(data: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
    !data.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(stored(b"")[10..], [1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
        let long = vec![7; 70_000];
        assert_eq!(stored(&long).len(), 70_000 + 10 + 2 * 5 + 8);
    }
}
