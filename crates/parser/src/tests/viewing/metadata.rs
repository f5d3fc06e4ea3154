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
