//! Faults of content codings: bombs, what is no code at all, and too much of it.
//!
//! The bombs have no end, so they are made of pieces that can be sent again and again: deflate
//! after a full flush, zstd in blocks that repeat one byte.

use flate2::{Compress, Compression, FlushCompress};

use super::script::{End, Script};

const GZIP: &str = "Content-Encoding: gzip";
/// A gzip header without name or time (RFC 1952, section 2.3).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A zstd block that stands for 128 KiB of zeros and is not the last (RFC 8878, section 3.1.1.2).
const ZSTD_ZEROS: [u8; 4] = [0x02, 0x00, 0x10, 0x00];
/// The last block, empty.
const ZSTD_END: [u8; 3] = [0x01, 0x00, 0x00];
const PAGE: &[u8] = b"<!doctype html>\n<title>coded</title>\n<p>a page that is worth its coding\n";

/// 64 MiB of zeros, as the reference format has them at its best (RFC 7932).
pub(super) const BROTLI_BOMB: &[u8] = &[
    0xcf, 0xff, 0xff, 0x7f, 0x00, 0x24, 0x00, 0xe2, 0xb1, 0x40, 0x72, 0xef, 0xff, 0xf9, 0xff, 0xff,
    0x0f, 0x80, 0x04, 0x40, 0x1c, 0x16, 0x80, 0xee, 0xfd, 0x3f, 0xff, 0xff, 0xff, 0x01, 0x90, 0x00,
    0x88, 0xc3, 0x02, 0xd0, 0xbd, 0xff, 0xe7, 0xff, 0xff, 0x3f, 0x00, 0x12, 0x00, 0x71, 0x58, 0x00,
    0xba, 0xf7, 0xff, 0x03,
];

pub(super) fn script(name: &str) -> Option<Script> {
    bombs(name).or_else(|| nothing(name)).or_else(|| broken(name)).or_else(|| beyond(name))
}

fn coded(coding: &str) -> Script {
    Script::html(&[&format!("Content-Encoding: {coding}")])
}

/// A message that is whole, whatever its coding says.
fn whole(coding: &str, body: &[u8]) -> Script {
    let length = format!("Content-Length: {}", body.len());
    Script::html(&[&format!("Content-Encoding: {coding}"), &length]).then(body.to_vec())
}

fn bombs(name: &str) -> Option<Script> {
    Some(match name {
        "gzip-bomb" => {
            let (first, more) = gzip_without_end(PAGE);
            coded("gzip").then(first).forever(more)
        }
        "deflate-bomb" => {
            let (first, more) = deflate_without_end(PAGE, &zeros());
            // In the zlib format (RFC 9110, section 8.4.1.2).
            coded("deflate").then(&[0x78, 0x9c][..]).then(first).forever(more)
        }
        "gzip-in-gzip-bomb" => {
            let (first, more) = gzip_without_end(PAGE);
            let (first, more) = deflate_without_end(&first, &more.repeat(1024));
            coded("gzip, gzip").then(&GZIP_HEAD[..]).then(first).forever(more)
        }
        "brotli-bomb" => coded("br").then(BROTLI_BOMB).end(End::Close),
        "zstd-bomb" => coded("zstd").then(zstd_head(20)).forever(ZSTD_ZEROS.repeat(64)),
        "gzip-too-long" => {
            let (first, more) = deflate_without_end(PAGE, &noise(256 * 1024));
            coded("gzip").then(&GZIP_HEAD[..]).then(first).forever(more)
        }
        _ => return None,
    })
}

/// What takes bytes and gives none.
fn nothing(name: &str) -> Option<Script> {
    /// A stored block of no bytes (RFC 1951, section 3.2.4).
    const STORED: [u8; 5] = [0, 0, 0, 0xff, 0xff];
    /// A compressed block of no bytes, checksum and size.
    const MEMBER_END: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Some(match name {
        "gzip-of-nothing" => coded("gzip").then(&GZIP_HEAD[..]).forever(STORED.repeat(10_000)),
        "gzip-members-of-nothing" => {
            coded("gzip").forever([&GZIP_HEAD[..], &MEMBER_END].concat().repeat(2_000))
        }
        "zstd-skippable" => {
            let mut frame = vec![0x50, 0x2a, 0x4d, 0x18];
            frame.extend_from_slice(&16_000_u32.to_le_bytes());
            frame.resize(frame.len() + 16_000, b's');
            coded("zstd").forever(frame)
        }
        _ => return None,
    })
}

fn broken(name: &str) -> Option<Script> {
    Some(match name {
        "gzip-garbage" => whole("gzip", PAGE),
        "gzip-cut" => {
            let member = gzip(PAGE);
            whole("gzip", &member[..member.len() / 2])
        }
        "gzip-checksum" => {
            let mut member = gzip(PAGE);
            let crc = member.len() - 8;
            member[crc] ^= 0xff;
            whole("gzip", &member)
        }
        "deflate-garbage" => whole("deflate", &[0x78, 0x9c, 0x07, 0x55, 0x55, 0x55]),
        // No window begins like this (RFC 7932, section 9.1).
        "brotli-garbage" => whole("br", b"\x11\x11 this is no brotli"),
        "zstd-garbage" => whole("zstd", PAGE),
        _ => return None,
    })
}

/// What a client need not be able to decode.
fn beyond(name: &str) -> Option<Script> {
    Some(match name {
        "zstd-window" => whole("zstd", &[&zstd_head(27)[..], &ZSTD_ZEROS, &ZSTD_END].concat()),
        "zstd-single-segment" => {
            // Single segment, content size in four bytes (RFC 8878, section 3.1.1.1.1).
            let mut head = ZSTD_MAGIC.to_vec();
            head.push(0xa0);
            head.extend_from_slice(&(1_u32 << 30).to_le_bytes());
            coded("zstd").then(head).forever(ZSTD_ZEROS.repeat(64))
        }
        "codings-4" => whole("gzip, gzip, gzip, gzip", &gzip(&gzip(&gzip(&gzip(PAGE))))),
        "codings-100" => {
            let field = format!("{GZIP}{}", ", gzip".repeat(9));
            let body = gzip(PAGE);
            let length = format!("Content-Length: {}", body.len());
            let mut fields = vec![field.as_str(); 10];
            fields.push(&length);
            Script::html(&fields).then(body)
        }
        _ => return None,
    })
}

fn zeros() -> Vec<u8> {
    vec![0; 1024 * 1024]
}

/// Compresses, but not very well.
fn noise(n: usize) -> Vec<u8> {
    let letter = |i: u64| b'a' + (crate::random::mix(i, 7) % 26) as u8;
    (0..n as u64 / 16).flat_map(|i| [letter(i); 16]).collect()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut bytes = GZIP_HEAD.to_vec();
    bytes.extend(deflate(&mut compressor(), data, FlushCompress::Finish));
    let mut crc = flate2::Crc::new();
    crc.update(data);
    bytes.extend_from_slice(&crc.sum().to_le_bytes());
    bytes.extend_from_slice(&crc.amount().to_le_bytes());
    bytes
}

/// The beginning of a gzip member that holds `text`, and what may follow it any number of times:
/// a megabyte of zeros.
pub(super) fn gzip_without_end(text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (first, more) = deflate_without_end(text, &zeros());
    ([&GZIP_HEAD[..], &first].concat(), more)
}

/// Two pieces of deflate that do not refer to what came before them.
fn deflate_without_end(first: &[u8], more: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut stream = compressor();
    let first = deflate(&mut stream, first, FlushCompress::Full);
    (first, deflate(&mut stream, more, FlushCompress::Full))
}

fn compressor() -> Compress {
    Compress::new(Compression::best(), false)
}

fn deflate(stream: &mut Compress, data: &[u8], flush: FlushCompress) -> Vec<u8> {
    // Deflate never adds more than five bytes to a block, so this is always room enough.
    let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 1024);
    stream.compress_vec(data, &mut out, flush).expect("compressing from memory cannot fail");
    out
}

/// The head of a frame with a window of `2^log` bytes and no size.
fn zstd_head(log: u8) -> Vec<u8> {
    [&ZSTD_MAGIC[..], &[0, (log - 10) << 3]].concat()
}
