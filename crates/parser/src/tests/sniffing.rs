//! What kind of document a body is.

use proptest::prelude::*;

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::sniff::sniff;

#[track_caller]
fn check(content_type: &str, body: &[u8], essence: &str) {
    let declared = Declared::of_header(Some(content_type));
    assert_eq!(sniff(body, &declared), essence, "{content_type:?} {body:?}");
}

#[track_caller]
fn unknown(body: &[u8], essence: &str) {
    for content_type in ["", "unknown/unknown", "application/unknown;x=y", "*/*", "nonsense"] {
        check(content_type, body, essence);
    }
}

#[track_caller]
fn strict(content_type: &str, body: &[u8], essence: &str) {
    let declared = Declared::of_header(Some(content_type)).strictly();
    assert_eq!(sniff(body, &declared), essence, "{content_type:?} {body:?}");
}

#[track_caller]
fn kind(content_type: &str, body: &[u8], kind: Kind) {
    assert_eq!(Kind::of(content_type, body), kind, "{content_type:?} {body:?}");
}

/// A frame of MPEG-1 layer III, 128 kbit/s at 44.1 kHz: 417 bytes.
fn mp3_frame() -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x64];
    frame.resize(417, 0);
    frame
}

#[test]
fn html_begins_with_a_tag_of_html() {
    for tag in [
        "<!DOCTYPE HTML",
        "<HTML",
        "<HEAD",
        "<SCRIPT",
        "<IFRAME",
        "<H1",
        "<DIV",
        "<FONT",
        "<TABLE",
        "<A",
        "<STYLE",
        "<TITLE",
        "<B",
        "<BODY",
        "<BR",
        "<P",
        "<!--",
    ] {
        unknown(format!("{tag}>").as_bytes(), "text/html");
        unknown(format!("{} x", tag.to_ascii_lowercase()).as_bytes(), "text/html");
        unknown(format!("\t\n\x0c\r {tag}>").as_bytes(), "text/html");
        unknown(format!("{tag}x>").as_bytes(), "text/plain");
        unknown(tag.as_bytes(), "text/plain");
    }
    unknown(b"<html\n>", "text/plain");
    unknown(b"<html/>", "text/plain");
    unknown(b"<!DOCTYPE\thtml>", "text/plain");
    unknown(b"< html>", "text/plain");
    unknown(b"x<html>", "text/plain");
    unknown(b"<h2>", "text/plain");
    unknown(b"\x0b<html>", "application/octet-stream");
    unknown(b"\xef\xbb\xbf<html>", "text/plain");
}

#[test]
fn xml_and_documents_have_signatures() {
    unknown(b"<?xml version='1.0'?>", "text/xml");
    unknown(b" \n<?xml", "text/xml");
    unknown(b"<?XML", "text/plain");
    unknown(b"<?xm", "text/plain");
    unknown(b"%PDF-1.7\n\0", "application/pdf");
    unknown(b" %PDF-1.7\n\0", "application/octet-stream");
    unknown(b"%!PS-Adobe-3.0", "application/postscript");
    unknown(b"%!PS", "text/plain");
}

#[test]
fn text_has_no_binary_bytes_or_a_byte_order_mark() {
    unknown(b"", "text/plain");
    unknown(b"text", "text/plain");
    unknown("é\t\n\r\x0c\x1b".as_bytes(), "text/plain");
    unknown(b"caf\xe9", "text/plain");
    unknown(b"\xef\xbb\xbf\0", "text/plain");
    unknown(b"\xfe\xff\0a", "text/plain");
    unknown(b"\xff\xfea\0", "text/plain");
    // Patterns of four bytes need four.
    unknown(b"\xfe\xff\0", "application/octet-stream");
    for byte in (0..=8).chain([0x0b]).chain(0x0e..=0x1a).chain(0x1c..=0x1f) {
        unknown(&[b'a', byte], "application/octet-stream");
    }
    let late = [vec![b' '; 1445], vec![0]].concat();
    unknown(&late, "text/plain");
    unknown(&late[1..], "application/octet-stream");
}

#[test]
fn images_have_signatures() {
    unknown(b"\0\0\x01\0", "image/x-icon");
    unknown(b"\0\0\x02\0", "image/x-icon");
    unknown(b"BM", "image/bmp");
    unknown(b"GIF87a", "image/gif");
    unknown(b"GIF89a", "image/gif");
    unknown(b"GIF88a", "text/plain");
    unknown(b"RIFF\0\x01\x02\x03WEBPVP8 ", "image/webp");
    unknown(b"RIFF\0\0\0\0WEBP", "application/octet-stream");
    unknown(b"\x89PNG\r\n\x1a\n", "image/png");
    unknown(b"\x89PNG\r\n\x1a", "application/octet-stream");
    unknown(b"\xff\xd8\xff", "image/jpeg");
}

#[test]
fn sound_and_video_have_signatures() {
    unknown(b"FORM\0\0\0\0AIFF", "audio/aiff");
    unknown(b"ID3", "audio/mpeg");
    unknown(b"OggS\0", "application/ogg");
    unknown(b"MThd\0\0\0\x06", "audio/midi");
    unknown(b"RIFF    AVI ", "video/avi");
    unknown(b"RIFF    WAVE", "audio/wave");
    unknown(b"\0\0\0\x0cftypmp42", "video/mp4");
    unknown(b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "video/mp4");
    // The bytes of the version are no brand.
    unknown(b"\0\0\0\x10ftypisommp42", "application/octet-stream");
    unknown(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "application/octet-stream");
    unknown(b"\0\0\0\x20ftypmp42", "application/octet-stream");
    unknown(b"\0\0\0\x0dftypmp42\0", "application/octet-stream");
    unknown(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm");
    unknown(b"\x1a\x45\xdf\xa3\x42\x82\x40\x06\0\0webm\0", "video/webm");
    unknown(b"\x1a\x45\xdf\xa3\x42\x82\x88matroska", "application/octet-stream");
    unknown(b"\x1a\x45\xdf\xa3\x42\x82", "application/octet-stream");
    let late = [b"\x1a\x45\xdf\xa3", &[0xec; 40][..], b"\x42\x82\x84webm\0"].concat();
    unknown(&late, "application/octet-stream");
    let two = [mp3_frame(), mp3_frame()].concat();
    unknown(&two, "audio/mpeg");
    unknown(&two[..421], "audio/mpeg");
    unknown(&mp3_frame(), "application/octet-stream");
    let mpeg2 = [&[0xff, 0xf3, 0x80, 0xc4][..], &[0; 204], &[0xff, 0xf3, 0x80, 0xc4]].concat();
    unknown(&mpeg2, "audio/mpeg");
}

#[test]
fn archives_and_fonts_have_signatures() {
    unknown(b"\x1f\x8b\x08", "application/x-gzip");
    unknown(b"PK\x03\x04", "application/zip");
    unknown(b"Rar \x1a\x07\0", "application/x-rar-compressed");
    unknown(b"\0\x01\0\0", "font/ttf");
    unknown(b"OTTO\0", "font/otf");
    unknown(b"ttcf\0", "font/collection");
    unknown(b"wOFF\0", "font/woff");
    unknown(b"wOF2\0", "font/woff2");
    unknown(&[&[0; 34][..], b"LP"].concat(), "application/vnd.ms-fontobject");
    unknown(&[&[b' '; 34][..], b"LP"].concat(), "text/plain");
}

#[test]
fn the_server_is_believed_but_for_apaches_defaults() {
    let png = b"\x89PNG\r\n\x1a\n";
    for content_type in [
        "text/plain",
        "text/plain; charset=ISO-8859-1",
        "text/plain; charset=iso-8859-1",
        "text/plain; charset=UTF-8",
    ] {
        check(content_type, png, "application/octet-stream");
        check(content_type, b"<html>", "text/plain");
        check(content_type, b"\xfe\xff\0", "text/plain");
        check(content_type, b"\xef\xbb\xbf\0", "text/plain");
        strict(content_type, png, "text/plain");
    }
    check("text/plain;charset=UTF-8", png, "text/plain");
    check("text/plain; charset=utf-8", png, "text/plain");
    check("Text/Plain", png, "text/plain");
    check("application/json", b"<html>", "application/json");
    check("application/octet-stream", b"<html>", "application/octet-stream");
    check("image/svg+xml", png, "image/svg+xml");
    check("text/html", png, "text/html");
    check("image/jpeg", png, "image/png");
    check("image/x-odd", b"<html>", "image/x-odd");
    check("audio/x-odd", b"ID3", "audio/mpeg");
    check("video/mp4", b"OggS\0", "application/ogg");
    check("application/ogg", b"RIFF    WAVE", "audio/wave");
    check("video/mp4", png, "video/mp4");
}

#[test]
fn nosniff_forbids_it() {
    strict("", b"<html>", "text/plain");
    strict("", b"<?xml?>", "text/plain");
    strict("", b"%PDF-\0", "application/octet-stream");
    strict("", b"GIF89a", "image/gif");
    strict("image/jpeg", b"GIF89a", "image/jpeg");
    strict("text/html", b"<rss>", "text/html");
    let declared = Declared::of_header(None).strictly();
    assert_eq!(Kind::judge(b"<html><a href=x>", &declared), Kind::Text);
}

#[test]
fn feeds_are_found_in_what_is_called_html() {
    let feed = |body: &str, essence: &str| check("text/html; charset=x", body.as_bytes(), essence);
    let (rss, atom, html) = ("application/rss+xml", "application/atom+xml", "text/html");
    feed("<rss version='2.0'>", rss);
    feed("\u{feff} \n<rss", rss);
    feed("<?xml version='1.0'?>\n<!-- a > b --><!DOCTYPE rss>\n<rss>", rss);
    feed("<?xml version='1.0'?><feed xmlns='x'>", atom);
    feed(
        "<rdf:RDF a='http://purl.org/rss/1.0/' b='http://www.w3.org/1999/02/22-rdf-syntax-ns#'",
        rss,
    );
    feed(
        "<rdf:RDF b='http://www.w3.org/1999/02/22-rdf-syntax-ns#' a='http://purl.org/rss/1.0/'",
        rss,
    );
    feed("<rdf:RDF a='http://purl.org/rss/1.0/'>", html);
    feed("<html><rss>", html);
    feed("text <rss>", html);
    feed("<RSS>", html);
    feed("<!-- <rss>", html);
    feed("<!--><rss>", html);
    feed("<?x > <rss>", html);
    feed("", html);
    feed(&format!("{}<rss>", " ".repeat(1445)), html);
}

#[test]
fn media_types_decide_and_bytes_where_there_is_none() {
    let xhtml = b"<?xml version='1.0'?><!DOCTYPE html><html/>";
    kind("text/html", b"{}", Kind::Html);
    kind("application/xhtml+xml", b"", Kind::Html);
    kind("text/xml", b"<urlset/>", Kind::Xml);
    kind("application/xml", xhtml, Kind::Html);
    kind("application/xml", b"<x:html xmlns:x='y'>", Kind::Html);
    kind("application/xml", b"<rss><![CDATA[<html>]]>", Kind::Xml);
    kind("application/xml", b"<!DOCTYPE a [<!ENTITY b 'c'> ]><html>", Kind::Html);
    kind("application/xml", b"\xff\xfe<\0h\0t\0m\0l\0>\0", Kind::Html);
    kind("application/rss+xml", b"", Kind::Xml);
    kind("image/svg+xml", b"", Kind::Xml);
    kind("application/json", b"<p>", Kind::Json);
    kind("text/json", b"", Kind::Json);
    kind("application/ld+json; x", b"", Kind::Json);
    kind("text/csv", b"<p>", Kind::Csv);
    kind("text/tab-separated-values", b"", Kind::Csv);
    kind("text/plain", b"<p>", Kind::Text);
    kind("text/plain", b"<p>\0", Kind::Binary);
    kind("text/css", b"\0", Kind::Text);
    kind("application/javascript", b"x", Kind::Text);
    kind("application/octet-stream", b"text", Kind::Text);
    kind("application/octet-stream", b"\0", Kind::Binary);
    kind("application/pdf", b"%PDF-", Kind::Binary);
    kind("image/png", b"<p>", Kind::Binary);
    kind("text/html", b"<rss>", Kind::Xml);
    kind("text/html", b"<?xml version='1.0'?><urlset xmlns='x'>", Kind::Xml);
    kind("text/html", b"<sitemapindex>", Kind::Xml);
    kind("text/html", xhtml, Kind::Html);
    kind("", b"\xef\xbb\xbf \n<!DOCTYPE html>", Kind::Html);
    kind("", b"<p>", Kind::Html);
    kind("", b"<section>", Kind::Html);
    kind("", b"<?xml version='1.0'?><urlset/>", Kind::Xml);
    kind("", b"<urlset>", Kind::Xml);
    kind("", b"<rss>", Kind::Xml);
    kind("", b"<?xml version='1.0'?><html>", Kind::Html);
    kind("", b"<\0?\0x\0m\0l\0 \0?\0>\0<\0a\0", Kind::Xml);
    kind("", b"\xfe\xff\0<\0h\0t\0m\0l\0>", Kind::Html);
    kind("", b"{\"a\":1}", Kind::Json);
    kind("", b" [ 1]", Kind::Json);
    kind("", b"[note] x", Kind::Text);
    kind("", b"{curly}", Kind::Text);
    kind("", b"", Kind::Text);
    kind("", b"%PDF-\0", Kind::Binary);
    kind("", b"GIF89a", Kind::Binary);
}

#[test]
fn nosniff_is_read_from_the_header() {
    let declared = |value: &'static str| {
        let field = |name: &str, value: &'static str| {
            (name.into(), bytes::Bytes::from_static(value.as_bytes()))
        };
        let headers = vec![field("x-content-type-options", value), field("content-type", "a/b")];
        let (status, version, body) = (200, "HTTP/1.1", bytes::Bytes::new());
        let (truncated, remote) = (None, None);
        let response = crawl_model::Response { status, version, headers, body, truncated, remote };
        Declared::of_response(&response).nosniff()
    };
    assert!(declared("nosniff") && declared(" NoSniff ,x") && !declared("x, nosniff"));
    assert!(!declared("") && !declared("\"nosniff\""));
}

proptest! {
    #[test]
    fn no_bytes_panic(
        start in prop::sample::select(vec![
            &b""[..], b"<!", b"<rdf:RDF", b"RIFF", b"\0\0\0\x18ftyp", b"\x1a\x45\xdf\xa3\x42\x82",
            b"\xff\xfb\x90", b"\xff\xfe<", b"<?xml", b"<!doctype", b"{", b"PK",
        ]),
        rest in proptest::collection::vec(any::<u8>(), 0..100),
        content_type in "text/(html|xml|plain)|(image|audio|application)/(ogg|x)|",
    ) {
        let body = [start, &rest].concat();
        let declared = Declared::of_header(Some(&content_type));
        let essence = sniff(&body, &declared);
        prop_assert!(essence.contains('/'));
        let _ = (Kind::judge(&body, &declared), sniff(&body, &declared.strictly()));
    }
}
