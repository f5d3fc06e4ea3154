//! `crawl links`, and the kinds of links that are read only if asked for, case by case.

use crawl_spider::LinkKind;
use url::Url;

use crate::dom::Dom;
use crate::links::collect::{Collected, LinkTexts, RawLink};
use crate::links::kinds::{Kinds, LinkSource};
use crate::links::resolve::Resolver;
use crate::links::stream::Links;
use crate::links::{scan_header, tree};
use crate::markup::outline;
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
fn references_are_resolved_as_in_browsers() {
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

/// What a page gives if all kinds of links are asked for: `kind reference`. Twice, the second time
/// from the tree.
#[track_caller]
fn all_kinds(html: &str, expected: &str) {
    use LinkSource::{A, Area, Css, Form, Iframe, Img, Link, Refresh, Script, Srcset};
    let kinds: Kinds =
        [A, Area, Refresh, Link, Img, Srcset, Script, Iframe, Form, Css].into_iter().collect();
    let told = |found: &Collected<'_>| {
        let link = |link: &RawLink<'_>| format!("{:?} {}", link.source.kind(), link.href);
        found.links.iter().map(link).collect::<Vec<_>>().join(", ")
    };
    let mut links = Links::new(kinds, LinkTexts::Short);
    if outline::read(html, &mut links).is_ok() {
        assert_eq!(told(&links.finish()), expected, "{html}");
    }
    let dom = Dom::html(html, &[]);
    assert_eq!(
        told(&tree::collect(&dom, kinds, LinkTexts::Short)),
        expected,
        "{html}, by the tree"
    );
}

#[test]
fn other_kinds_are_read_if_asked_for() {
    all_kinds("<link rel=stylesheet href=/a><link href=b>", "Resource /a, Resource b");
    all_kinds("<link rel=preload imagesrcset='a 1x, b 2x' href=''>", "Image a, Image b");
    all_kinds("<img src=a srcset='b 1x, c 2x'>", "Image a, Image b, Image c");
    all_kinds("<picture><source srcset=a><img src=b></picture>", "Image a, Image b");
    all_kinds("<video src=a poster=b><track src=c></video>", "Image a, Image b, Image c");
    all_kinds("<audio src=a><source src=b></audio>", "Image a, Image b");
    all_kinds("<input type=image src=a formaction=b><input src=c>", "Image a, Form b");
    all_kinds("<svg><image href=a /><image xlink:href=b /></svg>", "Image a, Image b");
    all_kinds("<svg><image href=a xlink:href=b /></svg><image src=c>", "Image a, Image c");
    all_kinds("<script src=a></script><script>'<a href=b>'</script>", "Script a");
    all_kinds("<iframe src=a></iframe><embed src=b>", "Frame a, Frame b");
    all_kinds("<object data=a></object>", "Frame a");
    all_kinds("<frameset><frame src=a><frame src=b></frameset>", "Frame a, Frame b");
    all_kinds("<form action=a><button formaction=b></button></form>", "Form a, Form b");
    all_kinds("<input type=Submit formaction=a><input formaction=b>", "Form a");
    all_kinds("<form action=''><img src=''><img src=' '><iframe src></iframe>", "");
    all_kinds("<style>@import 'a';b{c:url(d)}</style>", "Style a, Style d");
    all_kinds("<p style='e:url(f)'><p style=e><style></style>", "Style f");
    all_kinds("<svg><style>a{b:url(c)}</style><path fill='url(#no)' /></svg>", "Style c");
    all_kinds("<p style='fill:url(#no)'>", "");
    all_kinds("<a href=a style='b:url(c)'>x</a>", "Anchor a, Style c");
    all_kinds("<a href=1><map><area href=2></map>", "Anchor 1, Area 2");
    all_kinds("<template><img src=a><style>url(b)</style></template>", "");
    all_kinds("<table><img src=a><tr><td style='x:url(b)'></table>", "Image a, Style b");
}

#[test]
fn links_of_the_header_know_nothing_of_the_base() {
    let resolver = Resolver::new(Url::parse("http://h/d/p").unwrap(), encoding_rs::UTF_8);
    let fields =
        ["</n>; rel=next, <m>; rel='x nofollow'", "<mailto:x>, <o>; rel=\"a nofollow\"", "x"];
    let links = scan_header(fields, &resolver);
    let told: Vec<_> =
        links.iter().map(|link| (link.url.as_str(), &*link.rel, link.nofollow)).collect();
    assert_eq!(
        told,
        [
            ("http://h/n", "next", false),
            ("http://h/d/m", "'x nofollow'", false),
            ("http://h/d/o", "a nofollow", true)
        ]
    );
    assert!(links.iter().all(|link| link.kind == LinkKind::Header));
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
