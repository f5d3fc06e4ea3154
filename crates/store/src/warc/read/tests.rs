//! Archives of others: every form that is met, and every damage.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::warc::head::MAX_HEAD;
use crate::warc::{BodyCompression, HttpHead, decode_body};

fn record(body: &str) -> String {
    format!(
        "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {}\r\n\r\n{body}\r\n\r\n",
        body.len()
    )
}

/// What is read of a file: bodies, and what is wrong where.
#[track_caller]
fn read(file: &[u8]) -> Vec<Result<String, u64>> {
    let mut warc = Warc::at(Cursor::new(file), Path::new("x.warc"), 0).unwrap();
    let mut all = Vec::new();
    while let Some(next) = warc.next() {
        let head = match next {
            Ok(head) => head,
            Err(bad) => {
                all.push(Err(bad.offset));
                continue;
            }
        };
        let mut body = String::new();
        let read = warc.read_to_string(&mut body).is_ok();
        all.push(match warc.finish() {
            Ok(end) if read => {
                assert!(end.is_none_or(|end| end > head.offset));
                Ok(body)
            }
            _ => Err(head.offset),
        });
        assert!(all.len() < 100, "it never ends");
    }
    all
}

fn compressed(texts: &[&str], compression: BodyCompression) -> Vec<u8> {
    let mut out = Vec::new();
    for text in texts {
        compression.append(&[text.as_bytes()], &mut out).unwrap();
    }
    out
}

#[test]
fn plain_gzip_and_zstd_files_are_read_alike() {
    let (a, b) = (record("one"), record("two\r\n\r\nlines"));
    let expected = [Ok("one".to_owned()), Ok("two\r\n\r\nlines".to_owned())];
    assert_eq!(read(format!("{a}{b}").as_bytes()), expected);
    for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
        assert_eq!(read(&compressed(&[&a, &b], compression)), expected);
        // All in one member.
        assert_eq!(read(&compressed(&[&format!("{a}{b}")], compression)), expected);
        // An empty member between them.
        assert_eq!(read(&compressed(&[&a, "", &b], compression)), expected);
    }
    assert_eq!(read(b""), []);
}

#[test]
fn heads_may_be_folded_and_old() {
    let text = "WARC/0.17\nWARC-Type: response\nX: a\n  b\nWARC-Target-URI: <http://h/>\n\
                content-length: 2\n\nok\n\n";
    let mut warc = Warc::at(Cursor::new(text.as_bytes()), Path::new("x"), 0).unwrap();
    let head = warc.next().unwrap().unwrap();
    assert_eq!((head.get("x"), head.target(), head.len), (Some("a b"), Some("http://h/"), 2));
    assert_eq!(head.kind(), "response");
    assert_eq!(warc.finish(), Ok(Some(text.len() as u64)));
    assert!(warc.next().is_none());
}

#[test]
fn a_bad_record_is_told_and_the_next_one_found() {
    let (a, b) = (record("one"), record("two"));
    let bad = "WARC/1.0\r\nno field\r\n\r\n\r\n\r\n";
    let text = format!("{a}{bad}{b}");
    let expected = [Ok("one".to_owned()), Err(a.len() as u64), Ok("two".to_owned())];
    assert_eq!(read(text.as_bytes()), expected);
    for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
        let first = compressed(&[&a], compression).len();
        let file = compressed(&[&a, bad, &b], compression);
        let expected = [Ok("one".to_owned()), Err(first as u64), Ok("two".to_owned())];
        assert_eq!(read(&file), expected);
        // A flipped bit in the middle one.
        let mut file = compressed(&[&a, &record("middle"), &b], compression);
        file[first + 30] ^= 0x10;
        let all = read(&file);
        assert_eq!((&all[0], all.last().unwrap()), (&Ok("one".to_owned()), &Ok("two".to_owned())));
        assert!(all.contains(&Err(first as u64)), "{all:?}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_gives_what_is_whole() {
    let (a, b) = (record("one"), record("two"));
    for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
        let whole = compressed(&[&a, &b], compression);
        let first = compressed(&[&a], compression).len();
        for len in first + 1..whole.len() {
            let all = read(&whole[..len]);
            assert_eq!(all[0], Ok("one".to_owned()), "{len}");
            assert_eq!(all[1..], [Err(first as u64)], "{len}");
        }
    }
    let whole = format!("{a}{b}");
    for len in 0..whole.len() {
        read(&whole.as_bytes()[..len]);
    }
}

#[test]
fn an_endless_head_is_refused() {
    let long = format!("WARC/1.0\r\nX: {}", "y".repeat(MAX_HEAD * 2));
    assert_eq!(read(long.as_bytes()), [Err(0)]);
    let huge = "WARC/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n";
    assert_eq!(read(huge.as_bytes()), [Err(0)]);
}

proptest! {
    #[test]
    fn whatever_happens_to_a_file_reading_it_ends(
        kind in 0..4,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let texts = [record("one"), record("two"), record("three")];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut file = match kind {
            0 => texts.concat().into_bytes(),
            1 => compressed(&texts, BodyCompression::Gzip),
            2 => compressed(&[&texts.concat()], BodyCompression::Gzip),
            _ => compressed(&texts, BodyCompression::Zstd),
        };
        for (at, byte) in flips {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len() + 1));
        let mut warc = Warc::at(Cursor::new(file), Path::new("x"), 0).unwrap();
        let mut n = 0;
        while let Some(next) = warc.next() {
            if next.is_ok() {
                let _ = HttpHead::read(&mut warc);
                let _ = warc.finish();
            }
            n += 1;
            prop_assert!(n < 50, "it never ends");
        }
    }

    #[test]
    fn whatever_a_message_holds_decoding_it_ends_within_the_limit(
        head in "(HTTP/1.1 200 OK\r\n)?(transfer-encoding: chunked\r\n)?\
                 (content-encoding: (gzip|br|zstd|deflate)(, gzip)?\r\n)?[ -~\r\n]{0,40}\r\n\r\n",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(head) = HttpHead::read(&mut head.as_bytes()) {
            prop_assert!(decode_body(&head, body, 100).0.len() <= 100);
        }
    }
}
