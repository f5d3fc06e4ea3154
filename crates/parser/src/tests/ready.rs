//! The SDK's ready spiders and what they read, on pages.

mod config;
mod entries;
mod login;

use crawl_spider::ready::{CsvTables, Feeds, Sitemaps, Step, XmlNodes};
use crawl_spider::{Harvest, Page, Rule, Rules, Spider, SpiderError, Value, json};

use crate::{TestPage, page_from_body, start};

/// What a spider gives on a page: items, requests as `URL label`, log lines.
#[derive(Debug, Default, PartialEq)]
struct Given {
    items: Vec<Value>,
    follows: Vec<String>,
    logs: Vec<String>,
}

fn given(out: Harvest) -> Given {
    let parts = out.into_parts();
    let follows = parts.follows.into_iter().map(|follow| {
        let request = follow.into_request(1, None);
        format!("{} {}", request.url, request.label).trim_end().to_owned()
    });
    Given {
        items: parts.items.iter().map(|item| serde_json::from_str(&item.json).unwrap()).collect(),
        follows: follows.collect(),
        logs: parts.logs.into_iter().map(|line| line.text).collect(),
    }
}

fn parse(spider: &dyn Spider, page: &TestPage) -> Result<Given, SpiderError> {
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out)?;
    Ok(given(out))
}

/// The page that comes back to the first request of a spider.
fn first(spider: &dyn Spider, content_type: &str, body: impl AsRef<[u8]>) -> TestPage {
    let requests = start(spider).unwrap();
    let mut page = page_from_body(requests[0].url.as_str(), content_type, body).unwrap();
    page.set_label(&requests[0].label);
    page
}

/// A spider that takes the label of each page and follows by rules.
struct Labels;

impl Spider for Labels {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://h/own").map(drop)
    }

    fn rules(&self) -> Rules {
        Rules::new().rule(Rule::url("/rule/"))
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(page.label())
    }
}

const SITEMAP: &str = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' \
    xmlns:xhtml='http://www.w3.org/1999/xhtml'>\
    <url><loc>http://h/book/1</loc><lastmod>2024-01-05</lastmod>\
    <xhtml:link rel='alternate' hreflang='de' href='http://h/de/book/1'/></url>\
    <url><loc>http://h/book/2</loc><lastmod>2023-12-31T23:00:00Z</lastmod></url>\
    <url><loc>http://h/rule/3</loc></url></urlset>";

#[test]
fn a_sitemap_gives_its_pages_and_nobody_else_sees_it() {
    let sitemaps = || Sitemaps::new("http://h/sitemap.xml");
    let run = |sitemaps: Sitemaps| {
        let spider = sitemaps.then(Labels);
        let page = first(&spider, "text/xml", SITEMAP);
        parse(&spider, &page).unwrap()
    };
    let all = run(sitemaps());
    assert_eq!(all.follows, ["http://h/book/1", "http://h/book/2", "http://h/rule/3"]);
    assert_eq!((all.items.len(), all.logs.len()), (0, 0));
    let books = run(sitemaps().rule("/book/1$", "one").rule("/book/", "book").alternates(true));
    assert_eq!(
        books.follows,
        ["http://h/book/1 one", "http://h/de/book/1 one", "http://h/book/2 book"]
    );
    assert_eq!(run(sitemaps().since("2024-01-01")).follows, ["http://h/book/1", "http://h/rule/3"]);
    let dated = run(sitemaps().filter(|entry| entry.lastmod.is_some()));
    assert_eq!(dated.follows, ["http://h/book/1", "http://h/book/2"]);
}

#[test]
fn other_pages_go_to_the_spider_behind_with_its_rules() {
    let spider = Sitemaps::new("http://h/sitemap.xml").then(Labels);
    let mut page = page_from_body("http://h/x", "text/html", "<a href=/rule/1></a>").unwrap();
    page.set_label("book");
    let found = parse(&spider, &page).unwrap();
    assert_eq!((found.items, found.follows), (vec![json!("book")], vec!["http://h/rule/1".into()]));
    let urls: Vec<_> = start(&spider).unwrap().iter().map(|r| r.url.to_string()).collect();
    assert_eq!(urls, ["http://h/sitemap.xml", "http://h/own"]);
}

#[test]
fn indexes_and_robots_lead_to_the_sitemaps_that_are_wanted() {
    let index = "<sitemapindex><sitemap><loc>/books.xml.gz</loc><lastmod>2024-02-01</lastmod>\
                 </sitemap><sitemap><loc>/old-books.xml</loc><lastmod>2020</lastmod></sitemap>\
                 <sitemap><loc>/news.xml</loc></sitemap></sitemapindex>";
    let spider =
        Sitemaps::new("http://h/index.xml").follow("books").since("2024-01-01").then(Labels);
    let page = first(&spider, "text/xml", index);
    assert_eq!(parse(&spider, &page).unwrap().follows, ["http://h/books.xml.gz @sitemap:spider"]);
    let robots = "User-agent: *\nDisallow: /x\nSITEMAP : /a.xml # the first\nsitemap:\n\
                  Sitemap: http://other/b.xml\n";
    let spider = Sitemaps::new("http://h/robots.txt").then(Labels);
    let page = first(&spider, "text/plain", robots);
    assert_eq!(
        parse(&spider, &page).unwrap().follows,
        ["http://h/a.xml @sitemap:spider", "http://other/b.xml @sitemap:spider"]
    );
    let page = first(&spider, "text/plain", "Disallow:");
    assert_eq!(parse(&spider, &page).unwrap().logs, ["this robots.txt names no sitemap"]);
    // Without URLs of its own, what the crawl begins with is a sitemap.
    let spider = Sitemaps::default().then(Labels);
    let page = page_from_body("http://h/list.txt", "text/plain", "http://h/1\nhttp://h/2\n");
    let found = parse(&spider, &page.unwrap()).unwrap();
    assert_eq!(found.follows, ["http://h/1", "http://h/2"]);
}

const FEED: &str = "<rss version='2.0'><channel><title>News</title><link>http://h/</link>\
    <item><title>One</title><link>/1</link><pubDate>Sat, 06 Jan 2024 10:00:00 GMT</pubDate></item>\
    <item><title>Two</title><guid isPermaLink='false'>id-2</guid></item></channel></rss>";

#[test]
fn entries_of_feeds_are_items_or_are_followed() {
    let spider = Feeds::new("http://h/feed").then(Labels);
    let page = first(&spider, "application/rss+xml", FEED);
    let found = parse(&spider, &page).unwrap();
    assert_eq!(
        found.items,
        [
            json!({"url": "http://h/1", "kind": "news", "lastmod": "2024-01-06T10:00:00+00:00",
            "title": "One", "published": "2024-01-06T10:00:00+00:00"}),
            json!({"kind": "news", "id": "id-2", "title": "Two"})
        ]
    );
    assert!(found.follows.is_empty());
    let spider = Feeds::new("http://h/feed").follow("article").then(Labels);
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).unwrap();
    let request = out.into_parts().follows.remove(0).into_request(1, None);
    assert_eq!((&*request.label, &request.meta["title"]), ("article", &json!("One")));
    let each = Feeds::default().since("2024-01-06").each(|entry, _, out| out.item(&entry.url));
    let page = page_from_body("http://h/feed", "text/xml", FEED).unwrap();
    assert_eq!(parse(&each.then(Labels), &page).unwrap().items, [json!("http://h/1"), json!(null)]);
}

#[test]
fn elements_of_xml_are_items() {
    let xml = "<feed xmlns='urn:shop' xmlns:x='urn:price'><product id='1'><name> Tea </name>\
               <x:price>3.5</x:price></product><x:product><name>no</name></x:product>\
               <product id='2'><name>Salt</name></product></feed>";
    let nodes = XmlNodes::new("http://h/p.xml", "product")
        .field("id", "@id")
        .field("name", "*[local-name() = 'name']")
        .field("price", "number(x:price)")
        .field("is-dear", "x:price > 3");
    let spider = nodes.then(Labels);
    let page = first(&spider, "text/xml", xml);
    let found = parse(&spider, &page).unwrap();
    assert_eq!(
        found.items,
        [
            json!({"id": "1", "name": "Tea", "price": 3.5, "is-dear": true}),
            json!({"id": null, "name": "no", "price": null, "is-dear": false}),
            json!({"id": "2", "name": "Salt", "price": null, "is-dear": false})
        ]
    );
    let names = |nodes: XmlNodes| {
        let nodes = nodes.each(|node, _, out| out.item(&node.text_of("name")?));
        let page = page_from_body("http://h/p.xml", "text/xml", xml).unwrap();
        parse(&nodes.then(Labels), &page).unwrap()
    };
    let named = |uri: &str| names(XmlNodes::seeds("p:product").namespace("p", uri)).items;
    assert_eq!(named("urn:price"), [json!("no")]);
    assert_eq!(named("urn:shop"), [json!("Tea"), json!("Salt")]);
    assert_eq!(names(XmlNodes::seeds("x:product")).items, [json!("no")]);
    assert_eq!(names(XmlNodes::seeds("nothing")).logs, ["this has no `nothing` elements"]);
    let error = start(&XmlNodes::seeds("a").then(Labels)).unwrap_err().to_string();
    assert!(error.contains("nothing is taken from the `a` elements"), "{error}");
    let wrong = XmlNodes::seeds("a").field("price", "x[").then(Labels);
    let error = start(&wrong).unwrap_err().to_string();
    assert!(error.starts_with("xml, field `price`: `x[`"), "{error}");
}

#[test]
fn rows_of_csv_are_items() {
    let run = |tables: CsvTables, text: &str| {
        let page = page_from_body("http://h/p.csv", "text/csv", text).unwrap();
        parse(&tables.then(Labels), &page).unwrap().items
    };
    let new = CsvTables::default;
    assert_eq!(run(new(), "id,name\n1,Tea\n"), [json!({"id": "1", "name": "Tea"})]);
    let odd = new().delimiter('^').quote('\'').headers(["a", "b"]);
    assert_eq!(
        run(odd, "1^'x^y'\n2^z\n"),
        [json!({"a": "1", "b": "x^y"}), json!({"a": "2", "b": "z"})]
    );
    let each = new().each(|row, page, out| out.item(&(row.at(0), page.url().path())));
    assert_eq!(run(each, "id\n7\n"), [json!(["7", "/p.csv"])]);
    let error = start(&new().delimiter('→').then(Labels)).unwrap_err().to_string();
    assert!(error.contains("delimiter of CSV files must be ASCII"), "{error}");
}
