//! Pages of all kinds.

use crawl_model::{CanonicalUrl, Request, Response, Truncation};
use crawl_parser::{TestPage, page_from_body, page_from_html};
use serde_json::json;

pub(crate) const SHOP: &str = r#"<!doctype html><html lang=en><head><title>A  shop</title>
<base href="/base/"><meta name=description content="All &amp; more"><meta property="og:title" content=T>
<meta property="og:image" content=i.png><link rel=next href=p2><meta charset=utf-8>
<script type="application/ld+json">{"@type":"Thing","n":[1,-2,0.1,1e300,5e-324,18446744073709551615]}</script>
<script type="application/ld+json">{nope</script></head><body>
<nav><a href="/a-1" rel="nofollow">one-1</a> <a href='b?x=1&y=2'>two <b>bold</b></a><a href=#top>top</a></nav>
<article class=product_pod><h3><a href="../c" title="C">Tea &euro; 3</a></h3><b class=x>&lt;b&gt;</b></article>
<article class=product_pod><h3><a href="d">Kaffee</a></h3></article>
<div><p>Para <i>graph</i></p></div><ul><li class=next><a href="/next">next 42</a></ul>
<table><caption>Sizes</caption><tr><th>S<th>M<tr><td>1<td rowspan=2>2-22<tr><td>3</table>
<form action="/search" name=f accept-charset="windows-1252"><input name=q value="x"><select name=s>
<option>1<option selected>2</select><input type=checkbox name=c checked><button name=go value=1>go</button></form>
<form method=post enctype="multipart/form-data" action="mailto:x"><textarea name=t>
text</textarea></form><div itemscope itemtype="http://schema.org/Book"><span itemprop=name>N</span></div>
<a href="http://ünïcode.test/ä?ö">u</a><a href="mailto:me">m</a></body></html>"#;

/// What a test may be run over.
pub(crate) fn all() -> Vec<TestPage> {
    let html =
        |path: &str, text: &str| page_from_html(&format!("http://h.test{path}"), text).unwrap();
    let body = |kind: &str, body: &[u8]| page_from_body("http://h.test/x", kind, body).unwrap();
    let csv: String = (0..1000).map(|n| format!("{n};row {n};{}\n", n % 7)).collect();
    let paragraphs =
        "<p>A sentence, with commas, of some length, so that it counts.</p>".repeat(40);
    vec![
        html("/", SHOP),
        html("/fails", SHOP),
        html(
            "/article",
            &format!("<title>Long</title><article><h1>Long</h1>{paragraphs}</article>"),
        ),
        html("/empty", ""),
        html("/deep", &"<div><p>x".repeat(60)),
        html("/many", &many()),
        body(
            "application/json",
            br#"{"items":[{"price":0.1},{"price":-7e-9},{"price":null}],"x":1e400}"#,
        ),
        body(
            "application/json",
            br#"{"items":[{"price":0.1},{"price":-7e-9},{"price":"\u00fc"}]}"#,
        ),
        body("text/csv", format!("id;name;n\n{csv}1;2;3;4;5\n").as_bytes()),
        body("text/csv; header=absent", b"1,2\n3,4,5\n"),
        body(
            "application/rss+xml",
            b"<rss><channel><item><link>http://h.test/f</link></item></channel></rss>",
        ),
        body(
            "application/xml",
            br#"<urlset><url><loc>http://h.test/s</loc><priority>0.3</priority></url></urlset>"#,
        ),
        body("image/png", b"\x89PNG\r\n\x1a\n\0\xff"),
        body("text/html; charset=iso-8859-1", b"<title>\xe4\xf6</title><a href=\xfc?\xe4>x</a>"),
        odd(),
    ]
}

/// More rows than are taken at once, and texts in texts that together are too long to be kept.
fn many() -> String {
    let card = |n: usize| {
        let text = "a<i>b</i>".repeat(n % 3);
        format!("<li class=c{n}><a href=/{n} title='T{n}' rel=nofollow>n<b>{n}</b></a><p>{text}")
    };
    let cards: String = (0..70).map(card).collect();
    let nested = "<div>".repeat(30) + &"x".repeat(40_000) + "<b>y</b>" + &"</div>".repeat(30);
    cards + &nested
}

/// A request and a response with all that there can be.
fn odd() -> TestPage {
    let url = |text: &str| CanonicalUrl::parse(text).unwrap();
    let mut request = Request::get(url("https://joe:pw@[::1]:8443/p/q?x=1"));
    request.label = "detail".into();
    request.meta = json!({"a": [1, 0.1, null], "text": "ü"});
    request.depth = 7;
    request.chain = vec![url("http://before.test/")];
    request.referrer = Some(url("http://from.test/"));
    request.headers = vec![("X-A".into(), "1".into())];
    request.options_mut().accept = vec![404];
    let header = |name: &str, value: &'static [u8]| (name.into(), value.into());
    let response = Response {
        status: 404,
        version: "HTTP/2",
        headers: vec![header("content-type", b"text/html"), header("x", b"\xff"), header("x", b"")],
        body: SHOP.as_bytes().into(),
        truncated: Some(Truncation::Length),
        remote: None,
    };
    TestPage::new(request, response)
}
