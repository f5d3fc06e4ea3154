//! The streaming pass and the tree say the same, and no bytes make either panic.

use proptest::prelude::*;
use scraper::Html;

use crate::decode::decode;
use crate::decode::kind::Kind;
use crate::markup::scan::{Scanner, Token};
use crate::{page_from_body, page_from_html};

/// The links of a document as html5ever's tree has them.
fn links_of_tree(html: &str) -> Vec<String> {
    let test = page_from_html("http://h/d/p", html).unwrap();
    let page = test.page();
    let hrefs = page.css("a[href], area[href]").unwrap().into_iter();
    let has_base = !page.css("base[href]").unwrap().is_empty();
    hrefs
        .filter_map(|node| {
            let href = node.attr("href")?.trim_matches(|c| c <= ' ');
            (has_base || !href.starts_with('#')).then(|| page.join(href).ok())?
        })
        .map(|url| url.to_string())
        .collect()
}

fn links_of_stream(html: &str) -> Vec<String> {
    let test = page_from_html("http://h/d/p", html).unwrap();
    test.page().links().iter().map(|link| link.url.to_string()).collect()
}

/// A reference with the odd characters that attributes may hold.
fn href() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/.?=&#]{0,12}",
        "[a-z]{1,3}(&amp;|&copy;|&copy|&#x2f;|&#47|%20|é| )[a-z=]{0,3}",
        Just("mailto:x@y".to_owned()),
        "(https?:)?//[a-z]{1,5}/[a-z]{0,4}",
    ]
}

fn attribute(
    name: &'static str,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    (value, 0..3u8, "[ \n\t]{0,2}").prop_map(move |(value, quote, blank)| match quote {
        0 => format!(" {name}{blank}=\"{value}\""),
        1 => format!(" {name}={blank}'{value}'"),
        _ => format!(" {}={}x ", name.to_uppercase(), value.replace([' ', '>'], "")),
    })
}

/// A piece of a document whose nesting the tree builder leaves as it is.
fn piece() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-zA-Z0-9 .&;é]{0,10}",
        (attribute("title", "[a-z>]{0,4}"), attribute("href", href()))
            .prop_map(|(title, href)| format!("<a{title}{href}>x</a>")),
        attribute("href", href()).prop_map(|href| format!("<area{href}>")),
        "<!--[a-z <>/=-]{0,12}-->".prop_map(|text| text.replacen("<!-->", "<!-- >", 1)),
        "[a-z<>/= ]{0,8}".prop_map(|text| format!("<script>{text}<a href=no></script>")),
        "[a-z<>= ]{0,8}".prop_map(|text| format!("<style>{text}<a href=no></style>")),
        "[a-z<>= &]{0,8}".prop_map(|text| format!("<textarea>{text}<a href=no></textarea>")),
        Just("<img src='>'>".to_owned()),
        Just("<svg><title>t</title><a href=svg>y</a></svg>".to_owned()),
        Just("<svg><style><a href=in-style></a></style></svg>".to_owned()),
        Just("< 3 <3 </ x>".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        (
            prop::sample::select(vec!["div", "section", "ul", "noscript", "main"]),
            prop::collection::vec(inner, 0..5),
        )
            .prop_map(|(tag, inner)| format!("<{tag} class='x y'>{}</{tag}>", inner.concat()))
    })
}

proptest! {
    #[test]
    fn links_agree_with_those_of_the_tree(pieces in prop::collection::vec(piece(), 0..8)) {
        let html = format!("<!DOCTYPE html><html><body>{}", pieces.concat());
        prop_assert_eq!(links_of_stream(&html), links_of_tree(&html));
    }

    #[test]
    fn no_bytes_make_anything_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&body);
    }

    #[test]
    fn no_markup_makes_anything_panic(
        text in "([<>/!?\"'=& a-]|<a|href=|<!--|-->|--!>|<script|</script>|<svg|<template>|&#x?|<meta|charset=|content=|<title|\\]\\]>|<!\\[CDATA\\[|é|\u{0}|\r){0,60}"
    ) {
        read_all(text.as_bytes());
    }

    #[test]
    fn tokens_cover_the_text_in_order(text in "([<>/!\"'= a-]|<a|<!--|-->|<script>|</script>){0,40}") {
        let base = text.as_ptr() as usize;
        let mut end = 0;
        for token in Scanner::html(&text) {
            let piece = match token {
                Token::Text(piece) | Token::Raw(piece) => piece,
                Token::Start(tag) => &text[tag.region_in(&text).unwrap()],
                Token::End(..) => continue,
            };
            let start = piece.as_ptr() as usize - base;
            prop_assert!(start >= end);
            end = start + piece.len();
        }
        prop_assert!(end <= text.len());
    }
}

fn read_all(body: &[u8]) {
    for (content_type, kind) in [
        ("text/html", Kind::Html),
        ("text/xml", Kind::Xml),
        ("text/plain", Kind::Text),
        ("", Kind::Html),
    ] {
        let _ = decode(body, Some(content_type), kind);
        let test = page_from_body("http://h/", content_type, body).unwrap();
        let page = test.page();
        let _ = (page.links(), page.title(), page.text());
        for node in page.css("*").unwrap() {
            let _ = (node.text(), node.html(), node.attr("href"));
        }
    }
}

#[test]
fn attributes_agree_with_those_of_the_tree() {
    for html in [
        "<p a=1 b='2' c=\"3\" d e= f g=h/ =i=j k\"l=m>",
        "<p a='1'b=2 a=3 A=4>",
        "<p a&amp;=&amp; b='&copy=1&copy;'>",
        "<p/a/b=c/>",
    ] {
        let tree = Html::parse_fragment(html);
        let p = tree.select(&scraper::Selector::parse("p").unwrap()).next().unwrap();
        let Some(Token::Start(tag)) = Scanner::html(html).next() else { panic!("no tag") };
        let mut seen = std::collections::BTreeMap::new();
        for (name, value) in tag.attrs() {
            let value = crate::markup::charref::decode_attribute(value).into_owned();
            seen.entry(name.to_ascii_lowercase()).or_insert(value);
        }
        let tree: std::collections::BTreeMap<_, _> =
            p.value().attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(seen, tree, "{html}");
    }
}
