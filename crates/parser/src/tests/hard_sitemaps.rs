//! Sitemaps and feeds that are cut, broken or made to hurt.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use url::Url;

use super::sitemaps::{BASE, lines};
use crate::plumbing::sitemap;
use crate::xml::reader::{Event, Reader};

#[test]
fn hostile_documents_take_time_in_proportion_to_their_length() {
    let big = |unit: &str| format!("<urlset>{}", unit.repeat(100_000 / unit.len().min(100_000)));
    let mut units = vec![
        "<url><loc>/a</loc></url>",
        "<url>",
        "<a",
        "<a ",
        "<a '\"",
        "<a b='",
        "<a b=\"<a b='",
        "</x>",
        "<x:a xmlns:x='y'>",
        "<a xml:base='b/'>",
        "&",
        "&a",
        "&#",
        "&a;",
        "<!--",
        "<![CDATA[",
        "<?a",
        "<!DOCTYPE",
        "</",
        "<",
        "\0",
        "\r",
    ];
    let named: Vec<String> = (0..4_000).map(|n| format!("<n{n} a{n}='{n}'>")).collect();
    let named = named.concat();
    units.push(&named);
    for unit in units {
        let start = Instant::now();
        let text = big(unit);
        lines(text.as_bytes(), None);
        // Unoptimised and with other tests beside it; what is quadratic takes minutes.
        assert!(start.elapsed() < Duration::from_secs(10), "{unit:.20}: {:?}", start.elapsed());
    }
    let attributes =
        format!("<urlset{}><url><loc>/a</loc></url></urlset>", " a='b'".repeat(100_000));
    assert_eq!(lines(attributes.as_bytes(), None).len(), 1);
    let doctype = format!("<!DOCTYPE u [{}]><urlset/>", "<!ENTITY a 'b'>".repeat(30_000));
    assert_eq!(lines(doctype.as_bytes(), None).len(), 0);
}

#[test]
fn entries_are_read_one_at_a_time() {
    let text = format!("<urlset>{}", "<url><loc>/a</loc></url>".repeat(10_000));
    let base = Url::parse(BASE).unwrap();
    let mut sitemap = sitemap(text.as_bytes(), None, &base);
    let start = Instant::now();
    assert!(sitemap.next().is_some());
    let one = start.elapsed();
    assert_eq!(sitemap.count(), 9_999);
    assert!(one < start.elapsed() / 10);
}

/// Pieces that sitemaps and feeds are made of, and what breaks them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "<url><loc>http://h/a</loc><lastmod>2005</lastmod></url>",
            "<sitemap><loc>/s</loc></sitemap>",
            "<item><link>/i</link><guid>http://h/g</guid></item>",
            "<entry><link href='/e'/><updated>2005</updated></entry>",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "<url>", "</url>", "<loc>", "</loc>", "<item>", "</item>", "<link>", "</link>", "<entry>",
            "</entry>", "<link href='", "'/>", "<image:loc>", "<x xmlns='u'>", "</x>", "<!--", "-->",
            "<![CDATA[", "]]>", "&e;", "&amp;", "&x;", "&", "<", ">", "\"", "'", "/", "<?a", "?>",
            "<a xml:base='b/'>", "</a>", "é", "http://h/", "\n", "]", "<urlset>", "</urlset>",
        ]).prop_map(str::to_owned),
        1 => "[a-z<>&;/='\" ]{0,6}",
    ]
}

fn document() -> impl Strategy<Value = String> {
    let prologue = prop::sample::select(vec![
        "",
        "<?xml version='1.0'?>",
        "<!DOCTYPE u [<!ENTITY e '<url><loc>/e</loc></url>&f;'><!ENTITY f '&e;x'><!ENTITY x SYSTEM 'y'>]>",
    ]);
    let root = prop::sample::select(vec![
        "<urlset>",
        "<sitemapindex xmlns='u'>",
        "<rss>",
        "<feed>",
        "<p:urlset>",
    ]);
    (prologue, root, prop::collection::vec(piece(), 0..12))
        .prop_map(|(prologue, root, pieces)| format!("{prologue}{root}{}", pieces.concat()))
}

proptest! {
    #[test]
    fn every_element_that_opens_closes_but_those_that_are_cut(text in document()) {
        let mut reader = Reader::new(text.as_str().into());
        let (mut n_open, mut n_expanded) = (0_usize, 0);
        while let Some(event) = reader.read() {
            match event {
                Event::Start(start) => {
                    n_open += 1;
                    n_expanded += start.attrs().map(|attr| attr.value.len()).sum::<usize>();
                }
                Event::End => {
                    prop_assert!(n_open > 0);
                    n_open -= 1;
                }
                Event::Text(text) => n_expanded += text.len(),
                _ => {}
            }
        }
        prop_assert!(n_expanded < 3 * text.len() + 1024 * 1024);
    }

    #[test]
    fn no_bytes_make_sitemaps_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        lines(&body, None);
        lines(&[b"\x1f\x8b\x08\0\0\0\0\0\0\0", &body[..]].concat(), None);
        lines(&[b"<urlset>", &body[..]].concat(), Some("text/xml"));
        lines(&[b"<!DOCTYPE ", &body[..]].concat(), None);
    }

    #[test]
    fn no_dates_panic(text in "[0-9A-Za-z:+,. T-]{0,40}") {
        let _ = crate::xml::normalise_date(&text);
    }
}

proptest! {
    // Each may cost its full megabyte.
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn expansion_is_bounded_whatever_the_entities_are(
        entities in prop::collection::vec("(&[abc];|x|<p y='&[abc];'/>){0,400}", 3),
        body in "(&[abc];){0,50}",
    ) {
        let dtd: String =
            entities.iter().zip(["a", "b", "c"]).map(|(e, name)| format!("<!ENTITY {name} \"{e}\">")).collect();
        let text = format!("<!DOCTYPE r [{dtd}]><r>{body}");
        let mut reader = Reader::new(text.as_str().into());
        let mut n_events = 0;
        while reader.read().is_some() {
            n_events += 1;
        }
        prop_assert!(n_events < 3 * text.len() + 1024 * 1024);
    }
}

proptest! {
    // Each reads the document a hundred times.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_prefix_of_a_document_gives_a_prefix_of_its_entries(text in document()) {
        let all = lines(text.as_bytes(), None);
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let found = lines(&text.as_bytes()[..end], None);
            prop_assert!(all.starts_with(&found), "{}", &text[..end]);
        }
    }
}
