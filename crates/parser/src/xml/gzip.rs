//! Undoes the compression that sitemaps are stored in (`sitemap.xml.gz`).
//!
//! That is no content coding, which the fetcher undoes: the file itself is compressed. It is
//! told by its bytes, for its media type may be anything.

use std::borrow::Cow;
use std::io::{ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// Bytes that are read of one file. The sitemaps protocol allows 50 MB.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// How much of the contents tells whether they are text.
const HEAD_BYTES: usize = 512;

/// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// What is in a file, and whether that is all of it.
#[derive(Debug)]
pub(crate) struct Unzipped {
    /// The contents, as far as they came.
    pub(crate) bytes: Vec<u8>,
    /// Whether something is missing at the end.
    pub(crate) is_cut: bool,
}

/// Decompresses a body that is a gzip file (RFC 1952) of text; all others are given back as they
/// are. A damaged or cut file yields what comes before that, and all end after 64 MiB.
pub(crate) fn gunzip_if(body: &[u8]) -> Cow<'_, [u8]> {
    gunzip(body).map_or(Cow::Borrowed(body), |unzipped| Cow::Owned(unzipped.bytes))
}

/// As [`gunzip_if`]; `None` if it is no such file.
pub(crate) fn gunzip(body: &[u8]) -> Option<Unzipped> {
    gunzip_up_to(body, MAX_BYTES)
}

fn gunzip_up_to(body: &[u8], max_bytes: usize) -> Option<Unzipped> {
    if !is_member(body) {
        return None;
    }
    let mut unzipped = Unzipped { bytes: Vec::new(), is_cut: false };
    let mut rest = body;
    // What follows the last member is no part of the file; tapes were filled up with zeros.
    while is_member(rest) && !unzipped.is_cut {
        let mut member = GzDecoder::new(rest);
        while read_some(&mut member, &mut unzipped, max_bytes) {
            if !is_text(&unzipped.bytes) {
                return None;
            }
        }
        rest = member.into_inner();
    }
    is_text(&unzipped.bytes).then_some(unzipped)
}

fn is_member(bytes: &[u8]) -> bool {
    // Method 8 is the only one there is.
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// Reads a piece; returns whether there may be more.
fn read_some(member: &mut impl Read, unzipped: &mut Unzipped, max_bytes: usize) -> bool {
    let Unzipped { bytes, is_cut } = unzipped;
    let start = bytes.len();
    let end = max_bytes.min(start + PIECE_BYTES);
    if start == end {
        *is_cut = true;
        return false;
    }
    bytes.resize(end, 0);
    let result = member.read(&mut bytes[start..]);
    bytes.truncate(start + *result.as_ref().unwrap_or(&0));
    match result {
        Ok(n) => n > 0,
        Err(error) => {
            *is_cut = error.kind() != ErrorKind::Interrupted;
            !*is_cut
        }
    }
}

/// Whether it begins as a text does: with no control characters, or as UTF-16.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let is_utf16 =
        matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..]);
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f);
    is_utf16 || !head.iter().any(is_control)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_of_text_are_decompressed_and_others_are_not() {
        assert_eq!(&*gunzip_if(&gzip(b"<a/>")), b"<a/>");
        assert_eq!(&*gunzip_if(&gzip(b"\xff\xfe<\0")), b"\xff\xfe<\0");
        assert_eq!(&*gunzip_if(&gzip(b"")), b"");
        for body in [&b"<a/>"[..], b"\x1f\x8b\x07", b"", &gzip(b"\0tar"), &gzip(b"\x89PNG\x1a")] {
            assert!(matches!(gunzip_if(body), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn members_are_one_file_and_what_follows_the_last_is_ignored() {
        let mut body = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(&*gunzip_if(&body), b"one two");
        body.extend([0; 100]);
        let unzipped = gunzip(&body).unwrap();
        assert_eq!((&*unzipped.bytes, unzipped.is_cut), (&b"one two"[..], false));
    }

    #[test]
    fn a_cut_file_yields_what_came() {
        let text: String =
            (0..5000).map(|n: u32| n.wrapping_mul(2_654_435_761).to_string()).collect();
        let body = gzip(text.as_bytes());
        let unzipped = gunzip(&body[..body.len() / 2]).unwrap();
        assert!(unzipped.is_cut && unzipped.bytes.len() > text.len() / 3);
        assert!(text.as_bytes().starts_with(&unzipped.bytes));
        assert!(!gunzip(&body).unwrap().is_cut);
        let mut wrong = body;
        let at = wrong.len() - 8;
        wrong[at] ^= 1; // the checksum
        assert_eq!(gunzip_if(&wrong).len(), text.len());
    }

    #[test]
    fn a_bomb_ends() {
        let body = gzip(&vec![b' '; 200_000]);
        for (max_bytes, expected) in [(100_000, 100_000), (10, 10), (1_000_000, 200_000)] {
            let unzipped = gunzip_up_to(&body, max_bytes).unwrap();
            assert_eq!((unzipped.is_cut, unzipped.bytes.len()), (max_bytes == expected, expected));
        }
    }
}
