//! Covers: small PNGs (third edition), made by code, the same for all books of a category.
//!
//! One bit per pixel and two colours; the image data is stored, not compressed (RFC 1950 around a
//! stored block of RFC 1951), so making one costs microseconds.

use crate::gzip::crc32;
use crate::random::mix;

/// Width in pixels, a multiple of eight.
pub(crate) const WIDTH: u32 = 64;
/// Height in pixels.
pub(crate) const HEIGHT: u32 = 96;

/// The cover of the books of a category.
pub(super) fn png(category: usize) -> Vec<u8> {
    let n = category as u64;
    let colour = |seed| mix(seed, n).to_le_bytes();
    let ([r, g, b, ..], [x, y, z, ..]) = (colour(21), colour(22));
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let (width, height) = (WIDTH.to_be_bytes(), HEIGHT.to_be_bytes());
    // Depth 1, colour type 3: a palette.
    chunk(&mut file, b"IHDR", &[&width[..], &height, &[1, 3, 0, 0, 0]].concat());
    chunk(&mut file, b"PLTE", &[r, g, b, x, y, z]);
    chunk(&mut file, b"IDAT", &zlib(&rows(n)));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// A filter byte and the pixels, row by row.
fn rows(n: u64) -> Vec<u8> {
    let mut rows = Vec::with_capacity((HEIGHT * (WIDTH / 8 + 1)) as usize);
    for y in 0..u64::from(HEIGHT) {
        rows.push(0);
        // Stripes of noise.
        rows.extend(mix(23 + n, y / 6).to_le_bytes());
    }
    rows
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// One stored block; what there is of rows fits into it.
fn zlib(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let mut out = vec![0x78, 0x01, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(data);
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}
