//! `crawl links`, and the kinds of links that are read only if asked for, case by case.

use crawl_spider::LinkKind;
use url::Url;

use crate::document::Document;
use crate::links::kinds::LinkSource;
use crate::plumbing;

fn lines(body: &[u8], content_type: Option<&str>) -> Vec<plumbing::LinkLine> {
    plumbing::links(body, content_type, &Url::parse("http://h/d/p?q").unwrap())
}

/// Compares links as `URL|text|rel,rel` (without the common `http://h/`, empty ends left out), a
/// `!` in front of those that are not to be followed.
#[track_caller]
fn check(html: &str, expected: &[&str]) {
    let found: Vec<_> = lines(html.as_bytes(), None)
        .iter()
        .map(|line| {
            let url = line.url.strip_prefix("http://h/").unwrap_or(&line.url);
            let whole = format!("{url}|{}|{}", line.text, line.rel.join(","));
            let mark = if line.nofollow { "!" } else { "" };
            format!("{mark}{}", whole.trim_end_matches('|'))
        })
        .collect();
    assert_eq!(found, expected, "{html}");
}

#[test]
fn lines_have_the_fields_of_the_command() {
    let html = "<a rel='a NoFollow' href=x#y>t</a><map><area href=z></map>\
        <meta http-equiv=refresh content='0;url=n'><svg><a xlink:href=s>u</a></svg>";
    let json: Vec<_> = lines(html.as_bytes(), None)
        .iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect();
    assert_eq!(
        json,
        [
            r#"{"url":"http://h/d/x#y","text":"t","rel":["a","NoFollow"],"tag":"a","attr":"href","nofollow":true}"#,
            r#"{"url":"http://h/d/z","text":"","rel":[],"tag":"area","attr":"href","nofollow":false}"#,
            r#"{"url":"http://h/d/n","text":"","rel":[],"tag":"meta","attr":"content","nofollow":false}"#,
            r#"{"url":"http://h/d/s","text":"u","rel":[],"tag":"a","attr":"xlink:href","nofollow":false}"#,
        ]
    );
}

#[test]
fn fragments_are_kept() {
    check(
        "<a href=#x>1</a><a href=#>2</a><a href='a#b'>3</a>",
        &["d/p?q#x|1", "d/p?q#|2", "d/a#b|3"],
    );
    check("<base href=/b><a href=#x>1</a>", &["b#x|1"]);
    check("<a href='a#b c\"é'>1", &["d/a#b%20c%22%C3%A9|1"]);
    check("<a href='#a#b'>1", &["d/p?q#a#b|1"]);
}

#[test]
fn urls_of_the_web_are_links_and_others_are_not() {
    check("<a href=mailto:x@y>1</a><a href='javascript:void(0)'>2</a><a href=tel:1>3</a>", &[]);
    check("<a href=data:,x>1</a><a href=ftp://h/>2</a><a href=about:blank>3</a>", &[]);
    check("<a href=HTTPS://H/x>1</a><a href=//o/>2</a>", &["https://h/x|1", "http://o/|2"]);
    check("<a href='http://['>1</a><a href='http://h:99999/'>2</a><a href=http://>3</a>", &[]);
    check("<a href=''>1</a><a href=' '>2</a><a>3</a>", &["d/p?q|1", "d/p?q|2"]);
    check("<a href='\\x\\y'>1", &["x/y|1"]);
    check("<a href='a\tb\nc'>1", &["d/abc|1"]);
    check("<a href=http://user:pw@h/>1", &["http://user:pw@h/|1"]);
    check("<a href=http:x>1", &["d/x|1"]);
    let long = "x".repeat(5000);
    check(&format!("<a href={long}>"), &[&format!("d/{long}")]);
}

#[test]
fn text_is_the_text_content_as_it_stands() {
    check("<a href=1>  a \n b </a>", &["d/1|  a \n b "]);
    check("<a href=1>a<b>b<i>c</i></b><br>d</a>", &["d/1|abcd"]);
    check("<a href=1>a&amp;b&nbsp;&lt;c&gt;</a>", &["d/1|a&b\u{a0}<c>"]);
    check("<a href=1>a\r\nb\rc</a>", &["d/1|a\nb\nc"]);
    check("<a href=1>a<!-- x -->b</a>", &["d/1|ab"]);
    check("<a href=1><img alt=x><img src=y></a>", &["d/1"]);
    check("<a href=1><script>s</script><style>t</style>u</a>", &["d/1|stu"]);
    check("<a href=1>a<template>b</template>c</a>", &["d/1|ac"]);
    check("<a href=1><noscript>n<b>m</b></noscript></a>", &["d/1|nm"]);
    check("<a href=1><textarea>\n<b></textarea></a>", &["d/1|<b>"]);
    check("<a href=1><pre>\nx</pre></a>", &["d/1|x"]);
    check("<a href=1><svg><title>t</title><![CDATA[<c>]]></svg></a>", &["d/1|t<c>"]);
    check("<a href=1>to the end", &["d/1|to the end"]);
    check("<a href=1>a</A >b", &["d/1|a"]);
    check("<a href=1>a\u{0}b</a>", &["d/1|ab"]);
    let long = "é ".repeat(5000);
    check(&format!("<a href=1>{long}</a>"), &[&format!("d/1|{long}")]);
}

#[test]
fn anchors_nest_as_in_a_browser() {
    check("<a href=1>a<a href=2>b</a>c", &["d/1|a", "d/2|b"]);
    check("<a href=1>a<p>b</a>c", &["d/1|a", "d/1|b"]);
    check("<p><a href=1>a<p>b</a>c", &["d/1|a", "d/1|b"]);
    check("<p><a href=1>a<b>b</p>c</a>d", &["d/1|ab", "d/1|c"]);
    check("<a href=1><table><tr><td><a href=2>b</a></td></tr></table>c</a>", &["d/1|bc", "d/2|b"]);
    check("<a href=1>a<table>b<tr><td>c</table>d</a>", &["d/1|abcd"]);
    check("<table><a href=1>a</a><tr><td><a href=2>b</a></table>", &["d/1|a", "d/2|b"]);
    check("<table><tr><td><a href=1>a</table>b", &["d/1|a"]);
    check("<a href=1><object><a href=2>b</a></object>c</a>", &["d/1|bc", "d/2|b"]);
    check("<a href=1><div><div>a</div></div></a>b", &["d/1|a"]);
    check("<ul><li><a href=1>a<li>b</ul>", &["d/1|a", "d/1|b"]);
    check("<a href=1>a<button>b</a>c</button>", &["d/1|a", "d/1|b"]);
    check("<select><option><a href=1>a</select><a href=2>b</a>", &["d/1|a", "d/2|b"]);
    check("<svg><a href=1>a<a href=2>b</a></a></svg>", &["d/1|ab", "d/2|b"]);
    check("<svg><a href=1 xlink:href=2>a</a><a xlink:href=3>b</a></svg>", &["d/1|a", "d/3|b"]);
    check("<a xlink:href=1>a</a><math><a href=2>b</a></math>", &[]);
    check("<svg><a href=1><p><a href=2>b", &["d/1", "d/2|b"]);
}

#[test]
fn rel_comes_in_words_and_says_nofollow() {
    check("<a href=1 rel=' tag\n NoOpener\tx '>t", &["d/1|t|tag,NoOpener,x"]);
    check("<a href=1 rel=nofollow>t", &["!d/1|t|nofollow"]);
    check("<a href=1 rel='UGC NOFOLLOW'>t", &["!d/1|t|UGC,NOFOLLOW"]);
    check("<a href=1 rel=nofollows>t", &["d/1|t|nofollows"]);
    check("<a href=1 rel=a rel=nofollow>t", &["d/1|t|a"]);
    check("<a href=1 rel='a&#32;b'>t", &["d/1|t|a,b"]);
    check("<map><area href=1 rel=nofollow></map>", &["!d/1||nofollow"]);
    check("<meta name=robots content=nofollow><a href=1>t", &["!d/1|t"]);
    check("<meta name=Robots content='noindex , NONE'><a href=1>t", &["!d/1|t"]);
    check("<a href=1>t</a><meta name=robots content=nofollow>", &["!d/1|t"]);
    check("<meta name=robots content=follow><meta name=x content=nofollow><a href=1>t", &["d/1|t"]);
    check("<meta name=robots content=nofollow-x><a href=1>t", &["d/1|t"]);
    check("<template><meta name=robots content=none></template><a href=1>t", &["d/1|t"]);
}

#[test]
fn the_first_usable_base_counts() {
    check("<a href=1>t</a><base href=/b/>", &["b/1|t"]);
    check("<base href=mailto:x><base href=/b/><base href=/c/><a href=1>t", &["b/1|t"]);
    check("<base href='http://['><a href=1>t", &["d/1|t"]);
    check("<base href=//o/x/y><a href=1>t", &["http://o/x/1|t"]);
    check("<base href=' /b/ '><a href=>t", &["b/|t"]);
    check("<base><base target=x href=/b/><a href=1>t", &["b/1|t"]);
    check("<body><p><base href=/b/><a href=1>t", &["b/1|t"]);
    check("<table><base href=/b/></table><a href=1>t", &["b/1|t"]);
    check("<!-- <base href=/b/> --><a href=1>t", &["d/1|t"]);
    check("<base href=data:,x><base href=b><a href=1>t", &["d/1|t"]);
}

#[test]
fn refreshes_are_links() {
    check("<meta http-equiv=refresh content='0;url=/n'>", &["n"]);
    check("<meta http-equiv=REFRESH content='5, URL = \"x y\"'>", &["d/x%20y"]);
    check("<meta http-equiv=refresh content=5><meta http-equiv=refresh content='5;'>", &[]);
    check("<meta http-equiv=refresh content='0;#x'>", &["d/p?q#x"]);
    check("<meta http-equiv=refresh content='0;url=javascript:x'>", &[]);
    check("<noscript><meta http-equiv=refresh content='0;url=n'></noscript>", &["d/n"]);
    check("<body><p><meta http-equiv=refresh content='0;n'><base href=/b/>", &["b/n"]);
    check("<meta name=refresh content='0;n'><meta http-equiv=refreshx content='0;n'>", &[]);
    check("<svg><meta http-equiv=refresh content='0;n'></svg>", &["d/n"]);
    check("<meta http-equiv=refresh content='0;url=?a=1&amp;b'>", &["d/p?a=1&b"]);
}

#[test]
fn other_elements_are_no_links() {
    check("<link href=1><img src=2><script src=3></script><iframe src=4></iframe>", &[]);
    check("<form action=5><button formaction=6></form><object data=7></object><embed src=8>", &[]);
    check("<ab href=1><abbr href=2><a:b href=3><p href=4><svg:a href=5>", &[]);
    check("<p style='background:url(x)'><q cite=x><blockquote cite=y><del cite=z>", &[]);
    check("<div onclick=\"location='x'\"><script>location='<a href=y>'</script>", &[]);
    check("<frameset><frame src=1><noframes><a href=2></noframes></frameset>", &[]);
}

#[test]
fn queries_are_in_the_documents_encoding() {
    let url = |body: &[u8], content_type| lines(body, content_type)[0].url.clone();
    let latin = b"<a href='\xe9?\xe9#\xe9'>x</a>";
    assert_eq!(url(latin, Some("text/html; charset=iso-8859-1")), "http://h/d/%C3%A9?%E9#%C3%A9");
    assert_eq!(url(b"<meta charset=shift_jis><a href='?\x96{'>", None), "http://h/d/p?%96{");
    assert_eq!(url("<a href='?é'>".as_bytes(), None), "http://h/d/p?%C3%A9");
    assert_eq!(
        url("<meta charset=windows-1252><a href='?&#26412;&amp;a'>".as_bytes(), None),
        "http://h/d/p?%26%2326412%3B&a"
    );
    assert_eq!(lines(latin, Some("text/html; charset=latin1"))[0].text, "x");
    // Whatever the type says, it is read as HTML.
    assert_eq!(lines(b"<a href=1>x", Some("text/plain")).len(), 1);
    assert_eq!(lines(b"no link, <a href=1>x", None).len(), 1);
    assert!(lines(b"", None).is_empty());
}

/// What a page gives if all kinds of links are asked for: `kind URL`, without `http://h/`.
#[track_caller]
fn all_kinds(html: &str, fields: &[&str], expected: &str) {
    use LinkSource::*;
    let all = [A, Area, Refresh, Link, Img, Srcset, Script, Iframe, Form, Header, Css];
    let field =
        |value: &&str| (Box::<str>::from("link"), bytes::Bytes::copy_from_slice(value.as_bytes()));
    let response = crawl_model::Response {
        status: 200,
        version: "HTTP/1.1",
        headers: fields.iter().map(field).map(|(name, value)| (name.into(), value)).collect(),
        body: bytes::Bytes::copy_from_slice(html.as_bytes()),
        truncated: None,
        remote: None,
    };
    let url = crawl_model::CanonicalUrl::parse("http://h/d/p").unwrap();
    let document = Document::new(&url, &response).with_links(all.into_iter().collect(), &response);
    let links = crawl_spider::PageServices::links(&document).iter();
    let found: Vec<_> = links
        .map(|link| format!("{:?} {}", link.kind, link.url.as_str().replace("http://h/", "")))
        .collect();
    assert_eq!(found.join(", "), expected, "{html}");
    let is_header = |link: &&crawl_spider::Link| link.kind == LinkKind::Header;
    assert_eq!(
        crawl_spider::PageServices::links(&document).iter().any(|l| is_header(&l)),
        !fields.is_empty()
    );
}

#[test]
fn other_kinds_are_read_if_asked_for() {
    all_kinds("<link rel=stylesheet href=/a><link href=b>", &[], "Resource a, Resource d/b");
    all_kinds("<link rel=preload imagesrcset='a 1x, b 2x' href=''>", &[], "Image d/a, Image d/b");
    all_kinds(
        "<!doctype html><img src=a srcset='b 1x, c 2x'>",
        &[],
        "Image d/a, Image d/b, Image d/c",
    );
    all_kinds("<picture><source srcset=a><img src=b></picture>", &[], "Image d/a, Image d/b");
    all_kinds(
        "<video src=a poster=b><track src=c></video><audio src=d>",
        &[],
        "Image d/a, Image d/b, Image d/c, Image d/d",
    );
    all_kinds(
        "<input type=image src=a formaction=b><input src=c formaction=d>",
        &[],
        "Image d/a, Form d/b",
    );
    all_kinds("<svg><image href=a /><image xlink:href=b /></svg>", &[], "Image d/a, Image d/b");
    all_kinds("<svg><image href=a xlink:href=b /></svg><image src=c>", &[], "Image d/a, Image d/c");
    all_kinds("<script src=a></script><script>'<a href=b>'</script>", &[], "Script d/a");
    all_kinds(
        "<iframe src=a></iframe><embed src=b><object data=c></object>",
        &[],
        "Frame d/a, Frame d/b, Frame d/c",
    );
    all_kinds("<frameset><frame src=a><frame src=b></frameset>", &[], "Frame d/a, Frame d/b");
    all_kinds(
        "<form action=a><button formaction=b></button><input type=submit formaction=c></form>",
        &[],
        "Form d/a, Form d/b, Form d/c",
    );
    all_kinds("<form action=''><img src=''><img src=' '><iframe src></iframe>", &[], "");
    all_kinds(
        "<style>@import 'a';b{c:url(d)}</style><p style='e:url(f)'>",
        &[],
        "Style d/a, Style d/d, Style d/f",
    );
    all_kinds(
        "<svg><style>a{b:url(c)}</style><path fill='url(#no)' style='fill:url(#no)'></svg>",
        &[],
        "Style d/c",
    );
    all_kinds("<a href=a style='b:url(c)'>x</a>", &[], "Anchor d/a, Style d/c");
    all_kinds(
        "<base href=/b/><a href=x>y",
        &["</n>; rel=next, <m>; rel=nofollow"],
        "Header n, Header d/m, Anchor b/x",
    );
    all_kinds("<img src=data:,x><img src=blob:x><script src=javascript:x></script>", &[], "");
}

#[test]
fn the_head_says_what_the_document_is() {
    let html = "<!doctype html><html lang=' de '><title> A \n title </title>\
        <meta name=Description content=' about '><meta name=robots content='noindex'>\
        <base href=/b/><link rel='x Canonical' href=c#f><link rel=next href=n><link rel=previous href=p>\
        <link rel=alternate hreflang=en href=/en title=E><link rel='alternate' type=text/rss href=feed>\
        <link rel='alternate stylesheet' href=s.css><link rel=stylesheet href=s.css><link rel=next>\
        <template><link rel=canonical href=no></template>";
    for html in [html.to_owned(), format!("{html}<table>the tree decides")] {
        let response = crate::page_from_html("http://h/", &html).unwrap();
        let page = response.page();
        assert_eq!(page.title(), "A title");
        let response = crawl_model::Response {
            status: 200,
            version: "HTTP/1.1",
            headers: vec![("content-type".into(), bytes::Bytes::from_static(b"text/html"))],
            body: bytes::Bytes::from(html),
            truncated: None,
            remote: None,
        };
        let url = crawl_model::CanonicalUrl::parse("http://h/").unwrap();
        let document = Document::new(&url, &response);
        let head = document.head();
        assert_eq!((&*head.title, &*head.language), ("A title", "de"));
        assert_eq!((head.description(), head.robots()), (Some("about"), Some("noindex")));
        let text = |url: Option<&crawl_model::CanonicalUrl>| url.map(|url| url.as_str().to_owned());
        assert_eq!(text(head.canonical()).as_deref(), Some("http://h/b/c"));
        assert_eq!(text(head.next()).as_deref(), Some("http://h/b/n"));
        assert_eq!(text(head.prev()).as_deref(), Some("http://h/b/p"));
        let alternates: Vec<_> = head
            .alternates()
            .map(|link| {
                format!("{} {} {} {}", link.url, link.hreflang, link.media_type, link.title)
            })
            .collect();
        assert_eq!(alternates, ["http://h/en en  E", "http://h/b/feed  text/rss "]);
    }
}

#[test]
fn the_configuration_names_kinds() {
    let read = |text: &str| toml::from_str::<crate::ParseConfig>(text);
    assert_eq!(read("").unwrap().links, LinkSource::DEFAULT);
    assert_eq!(
        read("links = ['css', 'header', 'srcset']").unwrap().links,
        [LinkSource::Css, LinkSource::Header, LinkSource::Srcset]
    );
    assert_eq!(read("links = []").unwrap().links, []);
    let error = read("links = ['a', 'href']").unwrap_err().to_string();
    assert!(error.contains("unknown variant `href`") && error.contains("`refresh`"), "{error}");
}
