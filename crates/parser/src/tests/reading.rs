//! Readers that the embedding program adds.

use std::error::Error;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Response};

use crate::document::{Document, Reading};
use crate::reader::{Body, MediaPattern, ReadOut, Reader, Readers};
use crawl_spider::{LinkKind, PageServices};

struct Subtitles;

impl Reader for Subtitles {
    fn read(&self, body: &Body<'_>) -> Result<ReadOut, Box<dyn Error + Send + Sync>> {
        let text = body.text();
        let text = text.strip_prefix("WEBVTT").ok_or("no WEBVTT line")?;
        let links = text.split_whitespace().filter(|word| word.contains('/')).map(str::to_owned);
        Ok(ReadOut { text: format!("<p>{}</p>", text.trim()), links: links.collect() })
    }
}

fn readers(patterns: &[&str]) -> Readers {
    let mut readers = Readers::default();
    for pattern in patterns {
        readers.push(pattern.parse().unwrap(), Arc::new(Subtitles));
    }
    readers
}

fn response(content_type: &'static str, body: &'static [u8]) -> Response {
    Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![("content-type".into(), bytes::Bytes::from_static(content_type.as_bytes()))],
        body: bytes::Bytes::from_static(body),
        truncated: None,
        remote: None,
    }
}

fn check(response: &Response, look: impl FnOnce(&Document<'_>)) {
    let readers = readers(&["text/vtt", "video/*"]);
    let reading = Reading { readers: Some(&readers), ..Reading::default() };
    let url = CanonicalUrl::parse("http://h/dir/page").unwrap();
    look(&Document::open(&url, response, &reading));
}

#[test]
fn a_reader_gives_text_and_links() {
    let body = b"WEBVTT caf\xe9 sub/x http://other/y ftp://no/z";
    check(&response("text/vtt; charset=latin1", body), |document| {
        assert!(document.decoded().starts_with("<p>café sub/x"));
        let urls: Vec<_> = document.links().iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, ["http://h/dir/sub/x", "http://other/y"]);
        assert!(document.links().iter().all(|link| link.kind == LinkKind::Reader));
        assert_eq!(document.select("p", None).unwrap().len(), 1);
        assert_eq!(document.reader_error(), None);
    });
}

#[test]
fn a_reader_that_fails_leaves_a_page_without_text() {
    check(&response("video/x", b"nothing /a"), |document| {
        assert_eq!((document.decoded(), document.links().len()), ("", 0));
        assert_eq!(document.reader_error(), Some("no WEBVTT line"));
    });
}

#[test]
fn other_media_types_are_read_as_ever() {
    check(&response("text/html", b"<a href=x>WEBVTT"), |document| {
        assert_eq!(document.links().len(), 1);
    });
}

#[test]
fn patterns_of_media_types_are_checked() {
    let fits = |pattern: &str, media_type: &str| {
        pattern.parse::<MediaPattern>().unwrap().matches(media_type)
    };
    assert!(fits("Application/PDF", "application/pdf") && fits(" image/* ", "image/png"));
    assert!(fits("*/*", "a/b") && !fits("image/*", "video/x") && !fits("a/b", "a/bc"));
    for wrong in ["", "pdf", "a/", "/b", "*/b", "a/b/c", "a b/c", "a/b;c"] {
        let error = wrong.parse::<MediaPattern>().unwrap_err().to_string();
        assert!(error.contains("is no media type"), "{error}");
    }
}
