//! What is matched beside the links while a document streams by is what matching in its tree finds.

use crawl_model::CanonicalUrl;
use crawl_spider::{FieldQuery, ItemQuery, MatchedRows};
use encoding_rs::UTF_8;

use super::mutated::{PAGES, Random, TAGS, mutate, n_cases, soup};
use super::{Dom, Kinds, Resolver};
use crate::links::{Scan, scan_tree, skim_beside};
use crate::stream::{Matches, Table};

/// Selectors that lean on all that the pass keeps: classes, ids, ancestors, siblings, places.
pub(super) fn table() -> Table {
    let card = ItemQuery::each("p.a, li, .b.a, div#c, td")
        .field(FieldQuery::attr("a", "href"))
        .field(FieldQuery::text(".b"))
        .field(FieldQuery::text("b.a, i > .a").all())
        .field(FieldQuery::text(":scope > .a").all())
        .field(FieldQuery::attr("", "class"));
    let page = ItemQuery::page()
        .field(FieldQuery::text(".a + .b").all())
        .field(FieldQuery::attr(".a ~ [href]", "href").all())
        .field(FieldQuery::text("ul > li:first-child .a").all())
        .field(FieldQuery::text("h1, h2, title").all())
        .field(FieldQuery::attr("path.a, g .b", "class").all());
    let nested = ItemQuery::each(".a .a").field(FieldQuery::text(".A, .b").all());
    Table::new(vec![card, page, nested])
}

/// Whether the stream could tell; panics if it tells another thing than the tree.
#[track_caller]
pub(super) fn agrees(table: &Table, html: &str) -> bool {
    let url = CanonicalUrl::parse("http://h/d/p").unwrap();
    let mut resolver = Resolver::of(&url, UTF_8);
    let mut matcher = table.matcher(false).over(html);
    let Some(scan) = skim_beside(html, &mut resolver, &mut matcher) else { return false };
    let dom = Dom::html(html, &[]);
    let mut of_tree = table.matcher(dom.is_quirky());
    of_tree.walk(&dom);
    assert_eq!(told(&matcher.finish()), told(&of_tree.finish()), "{html:?}");
    let mut resolver = Resolver::of(&url, UTF_8);
    let tree = scan_tree(&dom, &mut resolver, Kinds::default());
    assert_eq!(links(&scan), links(&tree), "{html:?}");
    true
}

/// All values, row by row.
fn told(found: &[Option<Matches>]) -> String {
    let value = |matches: &Matches, row, field| {
        let values = (0..matches.n_matches(row, field)).map(|n| matches.value(row, field, n));
        format!("{:?}", Vec::from_iter(values))
    };
    let rows = |matches: &Matches| {
        let fields = |row| Vec::from_iter((0..5).map(|field| value(matches, row, field)));
        Vec::from_iter((0..matches.n_rows()).map(fields))
    };
    format!("{:#?}", Vec::from_iter(found.iter().map(|found| found.as_ref().map(rows))))
}

fn links(scan: &Scan) -> String {
    let links = scan.links.links().iter();
    let links = Vec::from_iter(links.map(|link| (&link.url, &link.rel, link.nofollow, link.kind)));
    format!("{links:?} {} {:?} {:?}", scan.title, scan.robots, scan.refresh)
}

#[test]
fn any_soup_of_tags_that_is_told_agrees() {
    let (mut random, table) = (Random(0x1f83_d9ab_fb41_bd6b), table());
    let (mut told, n) = (0, n_cases(2000));
    for case in 0..n {
        let len = 3 + random.next(8);
        let tags: Vec<_> = (0..len).map(|_| random.pick(TAGS)).collect();
        told += usize::from(agrees(&table, &soup(&mut random, &tags, 4 + case % 30)));
    }
    println!("{told} of {n} told");
    assert!(told > n / 4, "only {told} of {n} were told");
}

#[test]
fn mutated_pages_that_are_told_agree() {
    let (mut random, table) = (Random(0xa54f_f53a_5f1d_36f1), table());
    let cards = include_str!("../../../../../benches/parts/list.html");
    assert!(agrees(&table, cards));
    let (mut told, n) = (0, n_cases(500));
    for case in 0..n {
        told += usize::from(agrees(&table, &mutate(PAGES[case % PAGES.len()], &mut random)));
    }
    println!("{told} of {n} told");
    assert!(told > n / 3, "only {told} of {n} were told");
}

#[test]
fn classes_are_found_however_they_are_written() {
    let table = table();
    for html in [
        "<!doctype html><p CLASS=\"x a\"><i class='b'>1</i><p class=&#97;><b class=b>2</b>",
        "<!doctype html><p class=ab><p class=A><p class='a&Tab;b'><a class=b href=x>3</a>",
        // In quirks mode the case does not count.
        "<p class=A><i class=B>1</i><li class='x\u{c}B\ra'><b class=A>2</b>",
        // A formatting element that is reopened comes again, after others.
        "<!doctype html><div id=c><p><b class=a>1<p class=b>2<i class=b>3</i></b></div><p class=a>4",
        "<!doctype html><li class=b><svg class=a><path class=a /><g><path class='b'/></g></svg>",
    ] {
        let is_told = agrees(&table, html);
        assert!(is_told || html.contains("</b></div>"), "{html}");
    }
}
