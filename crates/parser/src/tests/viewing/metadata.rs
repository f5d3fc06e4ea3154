//! What documents say about themselves.

use crawl_spider::Metadata;

use crate::page_from_html;

fn metadata(html: &str) -> Metadata {
    page_from_html("http://h/d/p", html).unwrap().page().metadata().clone()
}

#[track_caller]
fn check(html: &str, what: impl Fn(&Metadata) -> Option<String>, expected: Option<&str>) {
    assert_eq!(what(&metadata(html)).as_deref(), expected, "{html}");
}

#[test]
fn the_usual_things_are_found() {
    check("<title> A \n B </title><title>C</title>", |m| m.title.clone(), Some("A B"));
    check("<svg><title>A</title></svg><title>B</title>", |m| m.title.clone(), Some("B"));
    check("<meta name=Description content=' A  b '>", |m| m.description.clone(), Some("A b"));
    check("<meta name=description content=''>", |m| m.description.clone(), None);
    check("<meta name=author content=Ann>", |m| m.author.clone(), Some("Ann"));
    check("<meta property=article:author content=http://x/ann>", |m| m.author.clone(), None);
    check("<meta property=article:author content=Ann>", |m| m.author.clone(), Some("Ann"));
    check("<html lang=de-AT>", |m| m.language.clone(), Some("de-AT"));
    check("<meta http-equiv=Content-Language content=fr>", |m| m.language.clone(), Some("fr"));
    check(
        "<link rel='Canonical x' href=../c>",
        |m| m.canonical.as_ref().map(ToString::to_string),
        Some("http://h/c"),
    );
    check(
        "<base href=http://b/><link rel=canonical href=c>",
        |m| m.canonical.as_ref().map(ToString::to_string),
        Some("http://b/c"),
    );
    check(
        "<meta name=keywords content='a, b,,c '><meta name=keywords content=d>",
        |m| Some(m.keywords.join("|")),
        Some("a|b|c|d"),
    );
    check(
        "<meta name=ROBOTS content='NoIndex, nofollow'>",
        |m| Some(m.robots.join("|")),
        Some("noindex|nofollow"),
    );
    check(
        "<meta name=date content=2020><meta property=article:published_time content=2021>",
        |m| m.published.clone(),
        Some("2021"),
    );
    check("<meta itemprop=dateModified content=2022>", |m| m.modified.clone(), Some("2022"));
    check("<template><meta name=author content=Ann></template>", |m| m.author.clone(), None);
}

#[test]
fn maps_keep_the_order_and_all_values() {
    let data = metadata(
        "<meta property=og:image content=1><meta property='OG:Title' content=T>\
         <meta property=og:image content=2><meta name=twitter:card content=s>\
         <meta name=generator content=x><meta name=a property=b content=c><meta name=nothing>\
         <meta name='google site' content=y><meta http-equiv=refresh content=5>",
    );
    let names: Vec<_> =
        data.open_graph.iter().map(|(n, v)| format!("{n}={}", v.join("|"))).collect();
    assert_eq!(names, ["og:image=1|2", "og:title=T"]);
    assert_eq!(
        (data.get("Twitter:Card"), data.get("b"), data.get("refresh")),
        (Some("s"), Some("c"), Some("5"))
    );
    let others: Vec<_> = data.other.iter().map(|(name, _)| name).collect();
    assert_eq!(others, ["generator", "a", "b", "google site"]);
    assert_eq!(data.open_graph.all("og:none").len(), 0);
    let json = serde_json::to_value(&data).unwrap();
    assert_eq!(json["open_graph"]["og:image"], serde_json::json!(["1", "2"]));
}

#[test]
fn head_links_come_with_what_they_say() {
    let data = metadata(
        "<link rel=next href=/2><link rel=prev href=/0><link rel=alternate hreflang=de href=/de>\
         <link rel=alternate type=application/rss+xml title='Feed ' href=/f>\
         <link rel=icon sizes=16x16 href=data:x><link href=/no><link rel=stylesheet href=''>",
    );
    assert_eq!(data.next().unwrap().as_str(), "http://h/2");
    assert_eq!(data.prev().unwrap().as_str(), "http://h/0");
    let alternates: Vec<_> = data
        .alternates()
        .map(|l| (l.url.path(), l.hreflang.as_deref(), l.media_type.as_deref(), l.title.as_deref()))
        .collect();
    assert_eq!(
        alternates,
        [("/de", Some("de"), None, None), ("/f", None, Some("application/rss+xml"), Some("Feed"))]
    );
    assert_eq!(data.links.len(), 4);
}

/// Pieces of documents that say something, or seem to.
const PIECES: &[&str] = &[
    "<title>A &amp; b</title>",
    "<title> \n </title>",
    "<TITLE>\r\nx\r y&nbsp;&#x7a;&notit;",
    "<title>never ends",
    "<title><!-- x --><b>y</b></title>",
    "<svg><title>tooltip</title><link rel=next href=1><meta name=author content=a></svg>",
    "<svg><foreignObject><title>deep</title><link rel=next href=2></foreignObject></svg>",
    "<svg><style><foreignObject><title>held</title></foreignObject></style></svg>",
    "<math><mi><title>m</title><link rel=prev href=3></mi><title>n</title></math>",
    "<html lang=de>",
    "<html LANG=' de&#45;AT ' lang=fr class=x>",
    "<html lang>",
    "<html xml:lang=en>",
    "<base href=/b/>",
    "<meta name=description content='a &lt; b&copy=1 &copy; \r\n c'>",
    "<meta name=Description content=' '>",
    "<META NAME=KEYWORDS CONTENT='a, b,,c'>",
    "<meta name=author name=x content=Ann content=Bob>",
    "<meta name=author content>",
    "<meta name=author>",
    "<meta>",
    "<meta/name=author/content=Cy/>",
    "<meta property='og:title dc:title' content=\"it's\">",
    "<meta name=og:title property=og:title itemprop='og:title x' content=y>",
    "<meta name=a property=b itemprop=a content=z>",
    "<meta property=article:author content=http://x/ann>",
    "<meta property=article:published_time content=2021><meta name=date content=2020>",
    "<meta itemprop='dateModified &#32; x' content=2022>",
    "<meta http-equiv=Content-Language content=fr>",
    "<meta http-equiv=refresh name=robots content='5; NoIndex, nofollow'>",
    "<meta name='\u{a0}robots ' property='\u{a0}robots' content='none'>",
    "<meta name=twitter:card content=s>",
    "<link rel='Canonical x' href=' ../c?a=1&amp;b&lang=2#f '>",
    "<link rel=canonical href=''><link rel=' ' href=x><link href=x><link rel=next>",
    "<link rel=alternate hreflang=de type='' media=' print' title='&quot;T&quot;' href=/de>",
    "<link rel=icon sizes=16x16 href=data:x><link rel=icon href=javascript:x>",
    "<link rel=a href=x",
    "<template><title>t</title><meta name=author content=T><link rel=next href=t></template>",
    "<noscript><link rel=stylesheet href=n.css><meta name=n content=m></noscript>",
    "<script>'<meta name=author content=s>'</script><!-- <meta name=author content=c> -->",
    "<textarea><meta name=author content=t></textarea>",
    "</head> ",
    "<body lang=en><p>text",
    "<div itemscope><meta itemprop=price content=5><link itemprop=x rel=y href=z></div>",
    "<table><tr><td><meta name=cell content=1></table>",
    "<select><option><meta name=s content=t></select>",
];

/// Compares what a page says without a tree and with one. Whether the stream was enough.
#[track_caller]
fn agrees(html: &str) -> bool {
    let test = page_from_html("http://h/d/p", html).unwrap();
    let _ = test.page().links();
    let is_streamed = !test.document.has_dom();
    let metadata = test.page().metadata().clone();
    assert_eq!(test.document.has_dom(), !is_streamed, "a tree was built for {html:?}");
    assert_eq!(
        format!("{metadata:?}"),
        format!("{:?}", test.document.metadata_of_tree()),
        "{html}"
    );
    is_streamed
}

#[test]
fn a_streamed_page_needs_no_tree_for_its_metadata() {
    for piece in PIECES {
        assert!(agrees(piece), "ambiguous: {piece}");
    }
    let rich = metadata(&PIECES[9..].concat());
    assert_eq!(rich.language.as_deref(), Some("de"));
    assert_eq!(rich.canonical.unwrap().as_str(), "http://h/c?a=1&b&lang=2");
}

#[test]
fn stream_and_tree_give_the_same_metadata() {
    let mut n_streamed = 0;
    for first in PIECES {
        for second in PIECES {
            n_streamed += usize::from(agrees(&format!("{first}{second}")));
            n_streamed +=
                usize::from(agrees(&format!("<!doctype html><p>{second}{first}é{second}")));
        }
    }
    assert!(n_streamed > PIECES.len() * PIECES.len(), "{n_streamed}");
}

#[test]
fn a_flood_of_tags_is_cut_off_alike() {
    let flood = "<meta name=a content=b><link rel=x href=y>".repeat(6000);
    assert!(agrees(&format!("{flood}<title>T</title>")));
    assert_eq!(metadata(&flood).links.len(), 5000);
}
