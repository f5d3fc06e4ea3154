//! Every coding, whole and cut up, honest and not.

use std::io::Write;
use std::time::Duration;

use super::*;
use crate::pace::Rate;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn br(plain: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let parameters = ::brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    ::brotli::BrotliCompress(&mut &*plain, &mut coded, &parameters).unwrap();
    coded
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(plain, 3).unwrap()
}

type Coding = (&'static str, fn(&[u8]) -> Vec<u8>);

const CODINGS: [Coding; 5] =
    [("gzip", gzip), ("deflate", zlib), ("Deflate", raw_deflate), ("br", br), ("zstd", zstd)];

/// Text that does not compress to nothing.
fn text(n: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 24) as u8 % 16
    };
    (0..n).map(|_| byte()).collect()
}

fn decoder(name: &str) -> Decoder {
    Decoder::new([name.as_bytes()].into_iter()).unwrap()
}

/// Limits of `bytes` decoded, as the config has them.
fn limits(bytes: usize) -> BodyLimits {
    BodyLimits {
        bytes,
        coded_bytes: bytes.saturating_mul(2).saturating_add(64 * 1024),
        ratio: 100,
        idle: Duration::MAX,
        rate: Rate { bytes: 0, window: Duration::MAX },
    }
}

/// Decodes `coded`, fed in pieces, and gives back what came out and why it ended.
fn decode(name: &str, coded: &[u8], piece: usize, limit: usize) -> (Vec<u8>, Option<Truncation>) {
    let mut decoder = decoder(name);
    let mut sink = Sink::new(&limits(limit), 0);
    for piece in coded.chunks(piece) {
        if let Err(why) = decoder.feed(piece, &mut sink) {
            return (sink.into_bytes().to_vec(), Some(why));
        }
    }
    let cut = (!decoder.is_complete(&sink)).then_some(Truncation::Coding);
    (sink.into_bytes().to_vec(), cut)
}

#[test]
fn every_coding_is_removed_however_it_is_cut_up() {
    for n in [0, 1, 1000, 300_000] {
        let plain = text(n);
        for (name, encode) in CODINGS {
            let coded = encode(&plain);
            for piece in [1, 7, 4096, usize::MAX] {
                let (decoded, cut) = decode(name, &coded, piece, 1 << 20);
                assert!(decoded == plain && cut.is_none(), "{name} {n} by {piece}: {cut:?}");
            }
        }
    }
}

#[test]
fn codings_in_a_row_are_removed_in_reverse() {
    let plain = text(50_000);
    let coded = zstd(&br(&gzip(&plain)));
    for piece in [1, 4096] {
        let (decoded, cut) = decode("gzip, br ,zstd", &coded, piece, 1 << 20);
        assert!(decoded == plain && cut.is_none());
    }
}

#[test]
fn a_body_cut_short_is_told_and_what_came_is_kept() {
    let plain = text(600_000);
    for (name, encode) in CODINGS {
        let coded = encode(&plain);
        let (decoded, cut) = decode(name, &coded[..coded.len() / 2], 4096, 1 << 20);
        assert_eq!(cut, Some(Truncation::Coding), "{name}");
        assert!(decoded.len() > 10_000 && plain.starts_with(&decoded), "{name}");
    }
}

#[test]
fn a_bomb_is_stopped_by_its_ratio() {
    let zeros = vec![0; 16 << 20];
    for (name, encode) in CODINGS {
        let coded = encode(&zeros);
        let (decoded, cut) = decode(name, &coded, usize::MAX, 32 << 20);
        assert_eq!(cut, Some(Truncation::Ratio), "{name}");
        let most = (coded.len() * 100).max(RATIO_FLOOR) + STEP;
        assert!(decoded.len() <= most && decoded.len() >= RATIO_FLOOR, "{name} {}", decoded.len());
    }
}

#[test]
fn a_bomb_inside_a_coding_is_stopped_too() {
    let coded = gzip(&br(&vec![0; 16 << 20]));
    let (_, cut) = decode("br, gzip", &coded, usize::MAX, usize::MAX);
    assert_eq!(cut, Some(Truncation::Ratio));
    // The middle swells and the end is small.
    let coded = gzip(&gzip(&vec![0; 16 << 20]));
    let mut garbage = coded.clone();
    garbage.extend_from_slice(b"trailing");
    let (_, cut) = decode("gzip, gzip", &garbage, usize::MAX, usize::MAX);
    assert_eq!(cut, Some(Truncation::Ratio));
}

#[test]
fn a_body_over_the_limit_is_cut_at_the_limit_and_one_at_the_limit_is_not() {
    let plain = text(100_000);
    for (name, encode) in
        CODINGS.into_iter().chain([("identity", <[u8]>::to_vec as fn(&[u8]) -> _)])
    {
        let coded = encode(&plain);
        let (decoded, cut) = decode(name, &coded, 4096, 99_999);
        assert!(decoded == plain[..99_999] && cut == Some(Truncation::Length), "{name}");
        let (decoded, cut) = decode(name, &coded, 4096, 100_000);
        assert!(decoded == plain && cut.is_none(), "{name}");
    }
}

#[test]
fn a_coding_that_gives_nothing_for_ever_is_stopped() {
    // Empty stored blocks: five bytes each that decode to nothing.
    let mut decoder = decoder("deflate");
    let mut sink = Sink::new(&limits(1000), 0);
    let fed =
        (0..20_000).map(|_| decoder.feed(&[0, 0, 0, 0xff, 0xff], &mut sink)).find(Result::is_err);
    assert_eq!(fed, Some(Err(Truncation::Coded)));
}

#[test]
fn members_and_frames_in_a_row_are_one_body_and_what_follows_is_ignored() {
    let twice = [gzip(b"one "), gzip(b"two")].concat();
    for piece in [1, usize::MAX] {
        assert_eq!(decode("gzip", &twice, piece, 100), (b"one two".to_vec(), None));
        let padded = [&twice[..], &[0; 20]].concat();
        assert_eq!(decode("x-gzip", &padded, piece, 100), (b"one two".to_vec(), None));
        let frames = [zstd(b"one "), zstd(b"two")].concat();
        assert_eq!(decode("zstd", &frames, piece, 100), (b"one two".to_vec(), None));
        let padded = [&br(b"one")[..], b"tail"].concat();
        assert_eq!(decode("br", &padded, piece, 100), (b"one".to_vec(), None));
        let padded = [&zlib(b"one")[..], b"tail"].concat();
        assert_eq!(decode("deflate", &padded, piece, 100), (b"one".to_vec(), None));
    }
}

#[test]
fn gzip_headers_with_all_fields_are_read() {
    let plain = b"hello";
    let mut encoder = flate2::GzBuilder::new()
        .filename("page.html")
        .comment("a comment")
        .extra(vec![7; 300])
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    let coded = encoder.finish().unwrap();
    for piece in [1, 50, usize::MAX] {
        assert_eq!(decode("gzip", &coded, piece, 100), (plain.to_vec(), None));
    }
}

#[test]
fn gzip_without_its_trailer_passes_and_with_a_wrong_one_does_not() {
    let mut coded = gzip(b"hello");
    let n = coded.len();
    assert_eq!(decode("gzip", &coded[..n - 8], 9, 100), (b"hello".to_vec(), None));
    assert_eq!(decode("gzip", &coded[..n - 3], 9, 100), (b"hello".to_vec(), None));
    coded[n - 8] ^= 1;
    let (decoded, cut) = decode("gzip", &coded, 9, 100);
    assert_eq!((&*decoded, cut), (&b"hello"[..], Some(Truncation::Coding)));
}

#[test]
fn a_body_that_is_not_gzip_at_all_is_left_as_it_is() {
    for plain in [&b"<html>"[..], b"\x1f", b"\x1fabc", b"\x1f\x8c"] {
        for piece in [1, usize::MAX] {
            let (decoded, _) = decode("gzip", plain, piece, 100);
            let expected = if plain == b"\x1f" { &b""[..] } else { plain };
            assert_eq!(decoded, expected, "{plain:?}");
        }
    }
}

#[test]
fn broken_codings_keep_what_came_before() {
    // The others have no checksum: a change may pass for other text.
    for (name, encode) in [CODINGS[0], CODINGS[1]] {
        let mut coded = encode(&text(600_000));
        let half = coded.len() / 2;
        coded[half..half + 64].fill(0xff);
        let (decoded, cut) = decode(name, &coded, 4096, 1 << 20);
        assert_eq!(cut, Some(Truncation::Coding), "{name}");
        assert!(!decoded.is_empty(), "{name}");
    }
}

#[test]
fn a_zstd_window_over_eight_mebibytes_is_refused() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&text(100_000)).unwrap();
    let coded = encoder.finish().unwrap();
    for piece in [1, 4096] {
        let window = (Vec::new(), Some(Truncation::Window));
        assert_eq!(decode("zstd", &coded, piece, 1 << 20), window);
    }
    let garbage = [&coded[..4], &[0xff; 100]].concat();
    assert_eq!(decode("zstd", &garbage, 4096, 1 << 20).1, Some(Truncation::Coding));
}

#[test]
fn unknown_codings_are_left_in_place_and_too_many_are_refused() {
    for name in ["compress", "utf-8", "gzip, what", "what, gzip", "", "identity", "none, ,"] {
        assert!(decoder(name).is_identity(), "{name}");
    }
    assert!(!decoder("gzip, identity, gzip, , gzip").is_identity());
    for name in ["gzip, gzip, gzip, gzip", "a,b,c,d"] {
        let refused = Decoder::new([name.as_bytes()].into_iter()).err();
        assert_eq!(refused, Some(Truncation::Nesting), "{name}");
    }
    let in_two_fields = [&b"gzip, gzip"[..], b"br, br"];
    assert_eq!(Decoder::new(in_two_fields.into_iter()).err(), Some(Truncation::Nesting));
}

#[test]
fn what_is_transferred_is_limited_to_the_byte() {
    for name in ["identity", "gzip"] {
        let plain = text(10_000);
        let coded = if name == "gzip" { gzip(&plain) } else { plain.clone() };
        let fits = BodyLimits { coded_bytes: coded.len(), ..limits(10_000) };
        for (coded_bytes, expected) in
            [(fits.coded_bytes, None), (fits.coded_bytes - 1, Some(Truncation::Coded))]
        {
            let (mut decoder, mut cut) = (decoder(name), None);
            let mut sink = Sink::new(&BodyLimits { coded_bytes, ..fits }, 0);
            for piece in coded.chunks(1000) {
                cut = cut.or(decoder.feed(piece, &mut sink).err());
            }
            assert_eq!(cut, expected, "{name}");
            assert!(plain.starts_with(&sink.into_bytes()), "{name}");
        }
    }
}

#[test]
fn nothing_at_all_is_a_whole_body() {
    for (name, _) in CODINGS {
        assert_eq!(decode(name, b"", 1, 10), (Vec::new(), None), "{name}");
    }
}
