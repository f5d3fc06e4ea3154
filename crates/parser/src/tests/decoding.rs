//! Which character encoding a document is read in.

use std::borrow::Cow;

use crate::decode::decode;
use crate::decode::kind::Kind;

#[track_caller]
fn check(kind: Kind, content_type: &str, body: &[u8], encoding: &str, text: &str) {
    let decoded = decode(body, Some(content_type), kind);
    assert_eq!(decoded.encoding.name(), encoding, "{content_type} {body:?}");
    assert!(decoded.text.contains(text), "{:?}", decoded.text);
}

#[track_caller]
fn html(head: &str, encoding: &str) {
    let body = [head.as_bytes(), b" caf\xe9"].concat();
    let expected = if encoding == "UTF-8" { "caf\u{fffd}" } else { "caf" };
    check(Kind::Html, "text/html", &body, encoding, expected);
}

#[test]
fn a_byte_order_mark_wins() {
    check(Kind::Html, "text/html; charset=koi8-r", b"\xef\xbb\xbf\xc3\xa9", "UTF-8", "é");
    check(Kind::Html, "text/html", b"\xff\xfe\xe9\0", "UTF-16LE", "é");
    check(Kind::Html, "text/html; charset=utf-8", b"\xfe\xff\0\xe9", "UTF-16BE", "é");
    let decoded = decode(b"\xef\xbb\xbfx", None, Kind::Other);
    assert_eq!(decoded.text, "x");
}

#[test]
fn then_the_header() {
    let body = b"<meta charset=utf-8>\xe9";
    check(Kind::Html, "text/html; charset=ISO-8859-1", body, "windows-1252", "é");
    check(Kind::Html, "text/html;Charset=\"iso-8859-2\"", body, "ISO-8859-2", "é");
    check(Kind::Html, "text/html; x=y; charset = 'koi8-r'", body, "KOI8-R", "И");
    check(Kind::Html, "text/html; charset=nonsense", body, "UTF-8", "\u{fffd}");
    check(Kind::Html, "text/html; charset=", body, "UTF-8", "\u{fffd}");
    check(Kind::Other, "text/plain; charset=shift_jis", b"\x96\x7b", "Shift_JIS", "本");
    check(Kind::Other, "text/plain; charset=gbk", b"\xd6\xd0", "GBK", "中");
    check(Kind::Other, "text/plain; charset=utf-8", b"a\xffb", "UTF-8", "a\u{fffd}b");
}

#[test]
fn then_what_the_document_says() {
    html("<meta charset=iso-8859-2>", "ISO-8859-2");
    html("<META CHARSET = 'ISO-8859-2' >", "ISO-8859-2");
    html("<meta/charset=\"iso-8859-2\"/>", "ISO-8859-2");
    html("<meta charset=utf-8>", "UTF-8");
    html("<meta charset=utf-16>", "UTF-8");
    html("<meta charset=x-user-defined>", "windows-1252");
    html("<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>", "KOI8-R");
    html("<meta content='text/html; charset = \"koi8-r\" ' http-equiv=content-type>", "KOI8-R");
    html("<meta content='text/html; charset=koi8-r'>", "windows-1252");
    html("<meta http-equiv=content-type content='charsets charset=koi8-r;x'>", "KOI8-R");
    html("<!-- <meta charset=koi8-r> --><meta charset=iso-8859-2>", "ISO-8859-2");
    html("<p title='<meta charset=koi8-r>'><meta charset=iso-8859-2>", "ISO-8859-2");
    html("<!doctype html><?x <meta charset=koi8-r> ?>", "windows-1252");
    html("<metal charset=koi8-r>", "windows-1252");
    html("<meta charset=koi8-r charset=iso-8859-2>", "KOI8-R");
    html("<meta charset=nonsense><meta charset=koi8-r>", "KOI8-R");
    html("<?xml version='1.0' encoding='iso-8859-2'?><html>", "ISO-8859-2");
    html("<meta charset=koi8-r", "windows-1252");
}

#[test]
fn only_its_first_kilobyte_counts() {
    let far = format!("<!--{}--><meta charset=koi8-r>", "x".repeat(1024));
    html(&far, "windows-1252");
    let near = format!("<!--{}--><meta charset=koi8-r>", "x".repeat(900));
    html(&near, "KOI8-R");
}

#[test]
fn xml_has_its_declaration() {
    let xml =
        |text: &str, name| check(Kind::Xml, "", &[text.as_bytes(), b"\xe9"].concat(), name, "");
    xml("<?xml version=\"1.0\" encoding=\"iso-8859-2\"?><a>", "ISO-8859-2");
    xml("<?xml encoding = 'koi8-r' ?>", "KOI8-R");
    xml("<?xml version='1.0'?>", "windows-1252");
    xml("<a encoding='koi8-r'>", "windows-1252");
    let utf16: Vec<u8> = "<?xml?>é".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(Kind::Xml, "", &utf16, "UTF-16LE", "é");
}

#[test]
fn then_utf_8_if_it_is_and_windows_1252_if_not() {
    check(Kind::Html, "text/html", "é€".as_bytes(), "UTF-8", "é€");
    check(Kind::Html, "text/html", b"\xe9\x80", "windows-1252", "é€");
    check(Kind::Html, "text/html", b"", "UTF-8", "");
    // A body that was cut inside of a character is still UTF-8.
    check(Kind::Html, "text/html", "éé".as_bytes().split_last().unwrap().1, "UTF-8", "é\u{fffd}");
}

#[test]
fn utf_8_is_not_copied() {
    for (kind, content_type) in [(Kind::Html, "text/html"), (Kind::Other, "x/y; charset=utf-8")] {
        let decoded = decode("<p>é".as_bytes(), Some(content_type), kind);
        assert!(matches!(decoded.text, Cow::Borrowed(_)));
    }
}
