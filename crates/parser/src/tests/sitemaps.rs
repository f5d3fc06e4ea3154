//! Sitemaps and feeds, as they should be and as they are.

mod feeds;

use std::io::Write;

use encoding_rs::WINDOWS_1252;
use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use crate::page_from_body;
use crate::plumbing::{SitemapLine, sitemap};

pub(super) const BASE: &str = "http://h/d/sitemap.xml";

pub(super) fn lines(body: &[u8], content_type: Option<&str>) -> Vec<SitemapLine> {
    sitemap(body, content_type, &Url::parse(BASE).unwrap()).collect()
}

/// An entry in short: `/` for `http://h/`, then what there is of the rest.
fn short(line: &SitemapLine) -> String {
    let json = serde_json::to_value(line).unwrap();
    let fields = ["lastmod", "changefreq", "priority"].iter().filter_map(|&name| {
        let value = &json[name];
        (!value.is_null())
            .then(|| format!(" {}", value.as_str().map_or(value.to_string(), Into::into)))
    });
    let loc = json["loc"].as_str().unwrap();
    let loc = loc.strip_prefix("http://h").unwrap_or(loc);
    let kind = if json["kind"] == "sitemap" { " SITEMAP" } else { "" };
    format!("{loc}{}{kind}", fields.collect::<String>())
}

#[track_caller]
fn check_bytes(body: &[u8], content_type: Option<&str>, expected: &[&str]) {
    let found: Vec<_> = lines(body, content_type).iter().map(short).collect();
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(body));
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_bytes(text.as_bytes(), None, expected);
}

/// Checks what is in a `urlset`.
#[track_caller]
fn urls(inner: &str, expected: &[&str]) {
    check(&format!("<?xml version='1.0'?><urlset>{inner}</urlset>"), expected);
}

#[test]
fn a_line_is_written_as_documented() {
    let body = b"<urlset><url><loc>http://h/a</loc><lastmod>2005-01-01</lastmod>\
        <changefreq>monthly</changefreq><priority>0.8</priority></url><url><loc>b</loc></url></urlset>";
    let json: Vec<_> =
        lines(body, None).iter().map(|l| serde_json::to_string(l).unwrap()).collect();
    assert_eq!(
        json,
        [
            r#"{"loc":"http://h/a","lastmod":"2005-01-01","changefreq":"monthly","priority":0.8,"kind":"url"}"#,
            r#"{"loc":"http://h/d/b","lastmod":null,"changefreq":null,"priority":null,"kind":"url"}"#,
        ]
    );
}

#[test]
fn sitemaps_of_the_protocol_are_read_in_any_or_no_namespace() {
    const URL: &str = "<url><loc>http://h/a</loc><priority>1.0</priority></url>";
    for root in [
        "<urlset>",
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>",
        "<urlset xmlns='http://www.google.com/schemas/sitemap/0.84'>",
        "<urlset xmlns='urn:other' xmlns:xsi='x' xsi:schemaLocation='a b'>",
        "<URLSET>",
    ] {
        check(&format!("{root}{URL}</urlset>"), &["/a 1.0"]);
    }
    let prefixed = "<s:urlset xmlns:s='u'><s:url><s:loc>http://h/a</s:loc></s:url></s:urlset>";
    check(prefixed, &["/a"]);
    check(&prefixed.replace(" xmlns:s='u'", ""), &["/a"]);
    check("<urlset xmlns='u'><url xmlns=''><loc>/a</loc></url></urlset>", &["/a"]);
    check("<urlset><url xmlns='u'><loc>/a</loc></url></urlset>", &["/a"]);
    check("<s:urlset xmlns:s='u'><url><loc>/a</loc></url></s:urlset>", &["/a"]);
}

#[test]
fn an_index_has_sitemaps() {
    check(
        "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>http://h/1.xml.gz</loc>\
         <lastmod>2004-10-01T18:23:17+00:00</lastmod></sitemap><sitemap><loc>http://x/2.xml</loc></sitemap></sitemapindex>",
        &["/1.xml.gz 2004-10-01T18:23:17+00:00 SITEMAP", "http://x/2.xml SITEMAP"],
    );
    check(
        "<x:sitemapindex xmlns:x='y'><x:sitemap><x:loc>/a</x:loc></x:sitemap></x:sitemapindex>",
        &["/a SITEMAP"],
    );
}

#[test]
fn addresses_are_absolute_and_normalised() {
    for (loc, expected) in [
        ("http://h/a", "/a"),
        ("HTTP://H:80/x/../a#top", "/a"),
        ("\n\t http://h/a \u{a0}\u{feff}\n", "/a"),
        ("a?b", "/d/a?b"),
        ("/a", "/a"),
        ("//x.test/a", "http://x.test/a"),
        ("?q=1", "/d/sitemap.xml?q=1"),
        ("https://h/a b", "https://h/a%20b"),
        ("http://h/ä?ö", "/%C3%A4?%C3%B6"),
        ("http://bücher.test/", "http://xn--bcher-kva.test/"),
        ("http://h/%7ea", "/%7ea"),
        ("http://h/?a=1&amp;b=2", "/?a=1&b=2"),
        ("http://h/?a=1&b=2&copy=3", "/?a=1&b=2&copy=3"),
        ("http://h/?a=1&unknown;b", "/?a=1&unknown;b"),
        ("<![CDATA[http://h/?a&b]]>", "/?a&b"),
        ("<![CDATA[ http://h]]>/a<![CDATA[]]>", "/a"),
        ("http://h/&#97;&#x62;&eacute;", "/ab%C3%A9"),
        ("http://h/<!-- no -->a", "/a"),
        ("http://h/<?no no?>a", "/a"),
        ("http://h/a < b", "/a%20%3C%20b"),
        ("http://h/a<b", "/a%3Cb"),
        ("http://h/<b>a</b>", "/a"),
        ("http://h/<x:b xmlns:x='y'>no</x:b>a", "/a"),
        ("http://h/\na", "/a"),
    ] {
        urls(&format!("<url><loc>{loc}</loc></url>"), &[expected]);
    }
}

#[test]
fn entries_without_usable_address_are_left_out() {
    for loc in [
        "<loc></loc>",
        "<loc/>",
        "<loc> \n </loc>",
        "<loc>ftp://h/a</loc>",
        "<loc>mailto:a@b</loc>",
        "<loc>javascript:void(0)</loc>",
        "<loc>http://</loc>",
        "<loc>http://a b/</loc>",
        "<lastmod>2005</lastmod>",
        "<LOCATION>http://h/a</LOCATION>",
        "<image:loc>http://h/i</image:loc>",
        "",
    ] {
        urls(&format!("<url>{loc}</url><url><loc>/b</loc></url>"), &["/b"]);
    }
    urls(&format!("<url><loc>http://h/{}</loc></url>", "a".repeat(100_000)), &[]);
    urls("<loc>http://h/a</loc>", &[]);
    urls("<url/>", &[]);
}

#[test]
fn of_several_values_the_first_usable_counts() {
    urls("<url><loc>http://h/a</loc><loc>http://h/b</loc></url>", &["/a"]);
    urls("<url><loc>ftp://h/a</loc><loc>http://h/b</loc></url>", &["/b"]);
    urls(
        "<url><lastmod>no</lastmod><loc>a</loc><lastmod>2005</lastmod><lastmod>2006</lastmod></url>",
        &["/d/a 2005"],
    );
    urls("<url><loc>/a</loc></url><url><loc>/a</loc></url>", &["/a", "/a"]);
}

#[test]
fn other_values_are_checked() {
    for (inner, expected) in [
        ("<lastmod> 2005-01-01 </lastmod>", " 2005-01-01"),
        ("<lastmod>2004-12-23T18:00:15+00:00</lastmod>", " 2004-12-23T18:00:15+00:00"),
        ("<lastmod>2004-12-23T18:00Z</lastmod>", " 2004-12-23T18:00Z"),
        ("<lastmod><![CDATA[2005]]></lastmod>", " 2005"),
        ("<lastmod>2005-02-30</lastmod>", ""),
        ("<lastmod>yesterday</lastmod>", ""),
        ("<lastmod/>", ""),
        ("<changefreq>DAILY</changefreq>", " daily"),
        ("<changefreq>\nnever\n</changefreq>", " never"),
        ("<changefreq>sometimes</changefreq>", ""),
        ("<priority>0.80</priority>", " 0.8"),
        ("<priority> 1 </priority>", " 1.0"),
        ("<priority>1.5</priority>", ""),
        ("<priority>-1</priority>", ""),
        ("<priority>high</priority>", ""),
        ("<n:lastmod xmlns:n='news'>2005</n:lastmod>", ""),
        (
            "<changefreq>weekly</changefreq><lastmod>2005</lastmod><priority>0</priority>",
            " 2005 weekly 0.0",
        ),
    ] {
        urls(&format!("<url><loc>/a</loc>{inner}</url>"), &[&format!("/a{expected}")]);
    }
}

#[test]
fn extensions_are_no_entries() {
    check(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:image='http://www.google.com/schemas/sitemap-image/1.1'
          xmlns:video='http://www.google.com/schemas/sitemap-video/1.1' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'
          xmlns:xhtml='http://www.w3.org/1999/xhtml'><url>
          <image:image><image:loc>http://h/i.png</image:loc><image:title>x</image:title></image:image>
          <loc>http://h/a</loc>
          <video:video><video:thumbnail_loc>http://h/t</video:thumbnail_loc><video:player_loc>http://h/p</video:player_loc>
            <video:publication_date>2009-11-05</video:publication_date></video:video>
          <news:news><news:publication><news:name>n</news:name></news:publication><news:publication_date>2008-12-23</news:publication_date></news:news>
          <xhtml:link rel='alternate' hreflang='de' href='http://h/de'/><lastmod>2010</lastmod></url></urlset>",
        &["/a 2010"],
    );
    // Without prefix, without declaration, and with one of another name.
    urls("<url><image><loc>http://h/i</loc></image><loc>/a</loc></url>", &["/a"]);
    urls(
        "<url><image xmlns='http://www.google.com/schemas/sitemap-image/1.1'><loc>/i</loc></image><loc>/a</loc></url>",
        &["/a"],
    );
    urls(
        "<url><loc xmlns='http://www.google.com/schemas/sitemap-image/1.1'>/i</loc><loc>/a</loc></url>",
        &["/a"],
    );
    urls("<url><i:image><i:loc>/i</i:loc></i:image><i:loc>/i</i:loc><loc>/a</loc></url>", &["/a"]);
    urls("<url><loc>/a</loc><odd><url><loc>/no</loc></url></odd></url>", &["/a"]);
    urls(
        "<x:url xmlns:x='y'><x:loc>/no</x:loc></x:url><group><url><loc>/a</loc></url></group>",
        &["/a"],
    );
}

#[test]
fn lists_of_lines_are_read() {
    check("http://h/a\nhttp://h/b\n", &["/a", "/b"]);
    check("\u{feff}http://h/a\r\n\r\n  https://h/b?x#y  \r/c", &["/a", "https://h/b?x", "/c"]);
    check(
        "# a comment\nhttp://h/a b\nno url at all\nmailto:x@y\nc.html\n{\"a\":1}\nftp://h/\n",
        &["/a%20b", "/d/c.html"],
    );
    check("http://h/ü", &["/%C3%BC"]);
    check("", &[]);
    check(" \n ", &[]);
    check("{\n\"url\": \"http://h/\"\n}", &[]);
}

#[test]
fn other_documents_have_no_entries() {
    for text in [
        "<html><head><link href='/a'></head><body><a href='/b'>x</a><url><loc>/c</loc></url></body></html>",
        "<note><url><loc>http://h/a</loc></url></note>",
        "<!DOCTYPE html>",
        "<",
        "<?xml version='1.0'?>",
        "<opml><body><outline xmlUrl='http://h/'/></body></opml>",
    ] {
        check(text, &[]);
    }
}

#[test]
fn prologues_of_all_kinds_are_passed_over() {
    const SET: &str = "<urlset><url><loc>/a</loc></url></urlset>";
    for prologue in [
        "\u{feff}",
        "\u{feff}\u{feff}\n",
        "\n\n  <?xml version='1.0' encoding='UTF-8'?>\n",
        "<?xml version='1.0'>",
        "<?xml version='1.0'?><?xml-stylesheet href='a>b'?>",
        "<!-- <urlset><url><loc>/no</loc></url></urlset> -->",
        "<!-- a -- b > --->",
        "<!DOCTYPE urlset SYSTEM 'http://x/x.dtd'>",
        "<!DOCTYPE urlset PUBLIC '-//x>y' \"http://x/x.dtd\" [ <!ELEMENT url (loc)> ]>",
        "<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC 'x' 'http://x/'> %HTMLlat1;]>",
        "<!doctype urlset>",
    ] {
        check(&format!("{prologue}{SET}"), &["/a"]);
        check(&format!("{prologue}{SET}\n<!-- end --> junk"), &["/a"]);
    }
    check(&format!("{SET}{SET}"), &["/a", "/a"]);
}

#[test]
fn entities_of_the_document_are_resolved_and_others_never_fetched() {
    let with = |dtd: &str, inner: &str, expected: &[&str]| {
        check(
            &format!("<!DOCTYPE urlset [{dtd}]><urlset>{inner}<url><loc>/z</loc></url></urlset>"),
            expected,
        );
    };
    with(
        "<!ENTITY h 'http://h/&p;'><!ENTITY p \"x&#47;\">",
        "<url><loc>&h;a</loc></url>",
        &["/x/a", "/z"],
    );
    with("<!ENTITY u '<url><loc>/a</loc></url>'>", "&u;&u;", &["/a", "/a", "/z"]);
    with(
        "<!ENTITY amp 'no'><!ENTITY a '1'><!ENTITY a '2'>",
        "<url><loc>/?&amp;&a;</loc></url>",
        &["/?&1", "/z"],
    );
    for external in ["SYSTEM 'file:///etc/passwd'", "PUBLIC 'p' 'http://x/'"] {
        with(
            &format!("<!ENTITY x {external}>"),
            "<url><loc>/a&x;</loc></url><url><loc>&x;</loc></url>",
            &["/z"],
        );
        with(&format!("<!ENTITY % x {external}> %x;"), "<url><loc>/a</loc></url>", &["/a", "/z"]);
    }
    with("<!ENTITY x 'a&x;'>", "<url><loc>/&x;</loc></url>", &["/z"]);
    with(
        "",
        "<url><loc><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/hosts' parse='text'/></loc></url>",
        &["/z"],
    );
    check(
        "<!DOCTYPE feed [<!ENTITY b '/x'><!ENTITY x SYSTEM 'y'>]><feed><entry><link href='&b;&x;'/><link href='&b;'/></entry></feed>",
        &["/x"],
    );
}

#[test]
fn bombs_of_entities_cost_little_and_what_follows_is_read() {
    let mut dtd = String::from("<!ENTITY a0 'http://h/'>");
    for n in 1..20 {
        dtd.push_str(&format!("<!ENTITY a{n} '{}'>", format!("&a{};", n - 1).repeat(10)));
    }
    let inner = "<url><loc>&a19;</loc></url><url><loc>/a</loc></url>";
    check(&format!("<!DOCTYPE u [{dtd}]><urlset>{inner}</urlset>"), &["/a"]);
    let quadratic = format!("<!DOCTYPE u [<!ENTITY a '{}'>]>", "x".repeat(100_000));
    let body = "&a;".repeat(50_000);
    check(&format!("{quadratic}<urlset>{body}<url><loc>/a</loc></url></urlset>"), &["/a"]);
}

#[test]
fn encodings_are_those_of_xml() {
    let text =
        "<?xml version='1.0' encoding='iso-8859-1'?><urlset><url><loc>/é?é</loc></url></urlset>";
    let latin = WINDOWS_1252.encode(text).0;
    check_bytes(&latin, None, &["/%C3%A9?%C3%A9"]);
    check_bytes(&[b" \n", &latin[..]].concat(), None, &["/%C3%A9?%C3%A9"]);
    check_bytes(text.as_bytes(), Some("text/xml; charset=utf-8"), &["/%C3%A9?%C3%A9"]);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let xml = "<?xml version='1.0'?><urlset><url><loc>/é</loc></url></urlset>";
    check_bytes(&[b"\xff\xfe", &utf16(xml)[..]].concat(), None, &["/%C3%A9"]);
    check_bytes(&utf16(xml), None, &["/%C3%A9"]);
    check_bytes(&[b"\xef\xbb\xbf", xml.as_bytes()].concat(), Some("application/xml"), &["/%C3%A9"]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_sitemaps_are_told_by_their_bytes() {
    const SET: &[u8] = b"\xef\xbb\xbf<urlset><url><loc>/a</loc></url></urlset>";
    for content_type in [None, Some("text/xml"), Some("application/octet-stream")] {
        check_bytes(&gzip(SET), content_type, &["/a"]);
    }
    let (one, two) = SET.split_at(20);
    check_bytes(&[gzip(one), gzip(two)].concat(), None, &["/a"]);
    check_bytes(&gzip(b"/a\n/b"), None, &["/a", "/b"]);
    check_bytes(&gzip(b"\xff\xfe/\0a\0\n\0"), None, &["/a"]);
    check_bytes(
        &gzip(
            b"<?xml version='1.0' encoding='latin1'?><urlset><url><loc>/\xe9</loc></url></urlset>",
        ),
        None,
        &["/%C3%A9"],
    );
    check_bytes(b"\x1f\x8b\x08", None, &[]);
    check_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage", None, &[]);
}

#[test]
fn a_compressed_document_that_is_cut_yields_what_was_complete() {
    let set: String = (0..2000u32)
        .map(|n| format!("<url><loc>/{}</loc></url>", n.wrapping_mul(2_654_435_761)))
        .collect();
    let list: String =
        (0..2000u32).map(|n| format!("/{}\n", n.wrapping_mul(2_654_435_761))).collect();
    for text in [format!("<urlset>{set}</urlset>"), list] {
        let (all, body) = (lines(text.as_bytes(), None), gzip(text.as_bytes()));
        let found = lines(&body[..body.len() / 2], None);
        assert!(found.len() > 100 && all.starts_with(&found), "{}", found.len());
    }
}

#[test]
fn cut_and_careless_documents_yield_what_was_complete() {
    for (inner, expected) in [
        ("<url><loc>/a</loc></url><url><loc>/b</loc>", &["/a"][..]),
        ("<url><loc>/a</loc></url><url><loc>/b", &["/a"]),
        ("<url><loc>/a</loc></url", &[]),
        ("<url><loc>/a</loc></url><url><loc><![CDATA[/b", &["/a"]),
        ("<url><loc>/a</loc></url><!-- <url><loc>/b</loc></url>", &["/a"]),
        ("<url><loc>/a</loc><url><loc>/b</loc></url></urlset>", &["/a", "/b"]),
        ("<url><loc>/a</url><url><loc>/b</loc></url>", &["/a", "/b"]),
        ("<url><loc>/a</loc></lastmod></url><url></x><loc>/b</loc></url>", &["/a", "/b"]),
        ("<url><loc>/a</loc><x></url><url><loc>/b</loc></url>", &["/a", "/b"]),
        ("<url><loc>/a</loc ></url ><url ><loc >/b</loc></url>", &["/a", "/b"]),
        ("<url><loc foo='>'>/a</loc></url>", &["/a"]),
        ("<url><loc>/a</loc></url>&<>&#;<![]]><!x></><url><loc>/b</loc></url>", &["/a", "/b"]),
        ("<url><loc>/\0a</loc></url>", &["/%00a"]),
    ] {
        check(&format!("<urlset>{inner}"), expected);
    }
}

#[test]
fn pages_that_are_lists_have_their_entries_as_links() {
    let links = |content_type: &str, body: &[u8]| {
        let test = page_from_body("http://h/d/x", content_type, body).unwrap();
        let page = test.page();
        page.links().iter().map(|link| link.url.as_str().to_owned()).collect::<Vec<_>>()
    };
    const SET: &[u8] = b"<urlset><url><image:loc>/i</image:loc><loc>/a</loc></url></urlset>";
    assert_eq!(links("text/xml", SET), ["http://h/a"]);
    for content_type in
        ["application/gzip", "application/x-gzip", "application/octet-stream", "text/xml", ""]
    {
        assert_eq!(links(content_type, &gzip(SET)), ["http://h/a"], "{content_type}");
    }
    assert_eq!(links("application/gzip", &gzip(b"<html><a href=/b>x</a>")), ["http://h/b"]);
    assert!(links("application/gzip", &gzip(b"\0\x01\x02")).is_empty());
    let rss = b"<rss><channel><link>/</link><image><link>/no</link></image><item><link>/a</link></item></channel></rss>";
    assert_eq!(links("application/rss+xml", rss), ["http://h/", "http://h/a"]);
}

#[test]
fn selectors_see_the_names_of_xml() {
    let body = "<rss><channel><item><pubDate>x</pubDate><link>/a</link>y</item></channel></rss>";
    let test = page_from_body("http://h/", "text/xml", body).unwrap();
    assert_eq!(test.page().text_of("item > link").unwrap().as_deref(), Some("/a"));
    assert_eq!(test.page().css("item").unwrap().len(), 1);
}
