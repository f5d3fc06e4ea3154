use std::io::Cursor;

use super::*;
use crate::warc::BodyCompression;

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
