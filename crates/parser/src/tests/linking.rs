//! Which links a document has, case by case, by the HTML Standard's tokenization rules.

mod lines;

use std::time::{Duration, Instant};

use crawl_spider::{Link, LinkKind};

use crate::links::collect::LinkTexts;
use crate::links::kinds::Kinds;
use crate::links::stream::Links;
use crate::markup::outline;
use crate::page_from_html;

const PAGE: &str = "http://h/d/p?q";

fn links(html: &str) -> Vec<Link> {
    page_from_html(PAGE, html).unwrap().page().links().to_vec()
}

/// Compares the links' URLs, without their common `http://h/`, joined by spaces.
#[track_caller]
fn check(html: &str, expected: &str) {
    let links = links(html);
    let urls: Vec<_> =
        links.iter().map(|link| link.url.as_str().trim_start_matches("http://h/")).collect();
    assert_eq!(urls.join(" "), expected, "{html}");
}

#[test]
fn attributes_are_read_as_the_standard_says() {
    check("<a href=1>x</a>", "d/1");
    check("<A HREF='1'>x</A>", "d/1");
    check("<a\n\thref\n=\n\"1\"\n>", "d/1");
    check("<a href=\"a>b\">", "d/a%3Eb");
    check("<a title='>' href=1>", "d/1");
    check("<a title=it's href=1>", "d/1");
    check("<a it's href=1>", "d/1");
    check("<a href=1/>", "d/1/");
    check("<a/href=1>", "d/1");
    check("<a =href=x href=1>", "d/1");
    check("<a href=1 href=2>", "d/1");
    check("<a HREF=1 href=2>", "d/1");
    check("<a href =>", "d/p?q");
    check("<a href>", "d/p?q");
    check("<a href=''>", "d/p?q");
    check("<a data-href=1 xhref=2 hrefs=3>", "");
    check("<a title=\"a\"href=1>", "d/1");
    check("<a href=a'b\"c>", "d/a'b%22c");
    check("<a href='1", "");
    check("<a href=1", "");
    check("<a href=1 <a href=2>", "d/1");
    check("<a<b href=1><a href=2>", "d/2");
    check("<ab href=1><abbr href=2><a:b href=3>", "");
}

#[test]
fn references_in_urls_are_decoded_and_half_ones_stay() {
    check("<a href='?a=1&amp;b=2'>", "d/p?a=1&b=2");
    check("<a href='?a=1&b=2'>", "d/p?a=1&b=2");
    check("<a href='?a=1&copy=2&lt=3&para=4'>", "d/p?a=1&copy=2&lt=3&para=4");
    check("<a href='?a&copy;b'>", "d/p?a%C2%A9b");
    check("<a href='&#47;x&#x2f;y'>", "x/y");
    check("<a href='&sol;x&quest;y&equals;&num;z'>", "x?y=");
    check("<a href=x&period;html>", "d/x.html");
    check("<a href='?&nosuch;&'>", "d/p?&nosuch;&");
}

#[test]
fn urls_are_trimmed_resolved_and_lose_their_fragments() {
    check("<a href='  \n1\t '>", "d/1");
    check("<a href='1\n2'>", "d/12");
    check("<a href=/x><a href=//h/y><a href=../z><a href=?w><a href=./>", "x y z d/p?w d/");
    check("<a href='x y'>", "d/x%20y");
    check("<a href='\\x'>", "x");
    check("<a href=http:1>", "d/1");
    check("<a href=1#a><a href=#b><a href='#'>", "d/1");
    check(
        "<a href=mailto:a@b><a href=javascript:x()><a href=data:,x><a href='JAVA\nSCRIPT:x'>",
        "",
    );
    check("<a href=ftp://h/x><a href=https://h/x>", "https://h/x");
    check("<a href='http://'><a href='http://[x'><a href='//:80'>", "");
}

#[test]
fn the_base_holds_for_all_links_even_those_before_it() {
    check("<a href=1><base href=/b/><a href=2>", "b/1 b/2");
    check("<base href=/b/><base href=/c/><a href=1>", "b/1");
    check("<base target=x><base href=/b/><a href=1>", "b/1");
    check("<base href=javascript:x><a href=1>", "d/1");
    check("<base href=/b/><a href=#x>", "b/");
    check("<base href='http://other/x'><a href=y>", "http://other/y");
    check("<template><base href=/b/></template><a href=1>", "d/1");
    check("<svg><base href=/b/></svg><a href=1>", "d/1");
}

#[test]
fn comments_end_where_browsers_end_them() {
    check("<!-- <a href=1> --><a href=2>", "d/2");
    check("<!--><a href=1>-->", "d/1");
    check("<!---><a href=1>-->", "d/1");
    check("<!-- --!><a href=1>", "d/1");
    check("<!-- --!-><a href=1>--><a href=2>", "d/2");
    check("<!-- --- --><a href=1>", "d/1");
    check("<!-- ----><a href=1>", "d/1");
    check("<!-- -- ><a href=1>--><a href=2>", "d/2");
    check("<!-- <!-- --><a href=1> -->", "d/1");
    check("<!-- <a href=1>", "");
    check("<!-- <!--><a href=1>", "d/1");
    check("<! x <a href=1><a href=2>", "d/2");
    check("<!doctype html '>'><a href=1>", "d/1");
    check("<?php echo '<a href=1>' ?><a href=2>", "d/2");
    check("</ <a href=1><a href=2>", "d/2");
    check("</><a href=1>", "d/1");
    check("<![CDATA[<a href=1>]]><a href=2>", "d/2");
    check("<svg><![CDATA[<a href=1>]]></svg><a href=2>", "d/2");
    check("a < b <3 <<a href=1> <", "d/1");
}

#[test]
fn raw_text_holds_no_links() {
    check("<script>'<a href=1>'</script><a href=2>", "d/2");
    check("<script>x</scripty><a href=1></SCRIPT ><a href=2>", "d/2");
    check("<script><!-- <script> </script> <a href=1> --></script><a href=2>", "d/2");
    check("<script><!-- </script><a href=1> --><a href=2>", "d/1 d/2");
    check("<script><!--><script></script><a href=1>", "d/1");
    check("<script><a href=1>", "");
    check("<style><a href=1></style><a href=2>", "d/2");
    check("<textarea><a href=1></textarea><title><a href=2></title><a href=3>", "d/3");
    check("<xmp><a href=1></xmp><iframe><a href=1></iframe><a href=2>", "d/2");
    check("<noembed><a href=1></noembed><noframes><a href=1></noframes><a href=2>", "d/2");
    check("<a href=1><plaintext><a href=2></plaintext><a href=3>", "d/1");
    check("<svg><style><a href=1></a></style></svg><a href=2>", "d/1 d/2");
    check("<svg><title><a href=1></a></title></svg><svg></p><title><a href=2></title>", "d/1");
}

#[test]
fn noscript_counts_and_templates_do_not() {
    check("<noscript><a href=1></noscript>", "d/1");
    check("<template><a href=1><template></template><a href=2></template><a href=3>", "d/3");
    check("</template><a href=1>", "d/1");
}

#[test]
fn areas_and_refreshes_are_links_and_others_are_not() {
    check("<map><area href=1></map><link href=2><img src=3><form action=4>", "d/1");
    check("<meta http-equiv=Refresh content='0; url=/n'>", "n");
    check("<meta http-equiv=refresh content=5>", "");
    check("<svg><a href=1></a></svg>", "d/1");
    let kinds: Vec<_> = links("<a href=1><area href=2>").iter().map(|link| link.kind).collect();
    assert_eq!(kinds, [LinkKind::Anchor, LinkKind::Area]);
}

#[test]
fn anchor_text_and_rel_come_with_the_link() {
    let found = links(
        "<a href=1 rel='external NoFollow'> Tea &amp;\n <b>cakes</b> </a> no \
         <a href=2><script>x</script>y<a href=3 rel=me>z",
    );
    let texts: Vec<_> = found.iter().map(|l| (&*l.text, l.nofollow)).collect();
    assert_eq!(texts, [("Tea & cakes", true), ("xy", false), ("z", false)]);
    assert_eq!(&*found[0].rel, "external NoFollow");
    let all = links("<a href=1>x</a><meta name=ROBOTS content='noindex, NOFOLLOW'>");
    assert!(all[0].nofollow);
    let long = links(&format!("<a href=1>{}</a>", "é".repeat(5000)));
    assert_eq!(long[0].text.chars().count(), 200);
}

#[test]
fn the_title_is_the_first_one_of_the_document() {
    for (html, title) in [
        ("<title> A &lt;b&gt;\n c </title>", "A <b> c"),
        ("<svg><title>no</title></svg><title>yes</title><title>later</title>", "yes"),
        ("<template><title>no</title></template>", ""),
        ("<title><b>raw</b></title>", "<b>raw</b>"),
        ("<!-- <title>no</title> -->", ""),
        ("<title>cut", "cut"),
    ] {
        let page = page_from_html(PAGE, html).unwrap();
        assert_eq!(page.page().title(), title, "{html}");
    }
    let page = page_from_html(PAGE, &format!("<title>{}", "x ".repeat(500))).unwrap();
    assert!(page.page().title().len() <= 200);
}

/// Reads as far as one pass can.
fn stream(html: &str) {
    let mut links = Links::new(Kinds::default(), LinkTexts::Short);
    let _ = outline::read(html, &mut links);
}

#[test]
fn hostile_documents_take_linear_time() {
    let open = [
        "<a ",
        "<a x=",
        "<a href='",
        "<!--",
        "<!-- --",
        "<script>",
        "<script><!--<script>",
        "</script",
        "<title></titl",
        "&",
        "&#",
        "&CounterClockwise",
        "<svg><",
        "<![CDATA[",
        "<",
        "<a href=1>",
        "<base href=1>",
        "<svg>",
        "<template>",
        "<textarea></",
        "<p>",
        "</p>",
        "<b>x<p>",
        "<i x=#>",
        "<i x=#></i>",
        "<li><a href=#>y",
        "<x></y>",
        "<form><div></form>",
        "<table><tr>",
        "<select><option>",
        "</head> <!---->",
        "<svg><a href=#>",
        "<style>url(</style>",
        "<svg><desc>",
    ];
    let size = if cfg!(debug_assertions) { 128 * 1024 } else { 512 * 1024 };
    let start = Instant::now();
    for unit in open {
        let text: String =
            (0..size / unit.len()).map(|n| unit.replace('#', &n.to_string())).collect();
        stream(&text);
        links(&text[..text.len().min(16 * 1024)]);
    }
    // A deep part at first, and then what looks through it.
    for deep in ["<span>", "<x>", "<div>", "<i #>", "<a href=#><object>"] {
        let deep: String = (0..200).map(|n| deep.replace('#', &n.to_string())).collect();
        for unit in ["</y>", "</em>", "<b x=1></b>", "<li>", "<p>", "x<i>y</i>", "</form>"] {
            stream(&format!("{deep}{}", unit.repeat(size / 4 / unit.len())));
        }
    }
    // Unoptimised; anything quadratic takes minutes.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn thousands_of_attributes_do_not_reach_the_tree_builder() {
    let attrs: String = (0..50_000).map(|n| format!(" a{n}")).collect();
    let start = Instant::now();
    let page = page_from_html(PAGE, &format!("<p{attrs}>x</p><p id=y>")).unwrap();
    assert_eq!(page.page().css("p").unwrap().len(), 2);
    assert_eq!(page.page().css("#y").unwrap().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
