//! Ready spiders from TOML.

use std::sync::Arc;

use crawl_spider::{Spider, json};

use super::{SITEMAP, parse};
use crate::{SpiderConfig, configured, page_from_body, page_from_html, start};

fn spider(text: &str) -> Arc<dyn Spider> {
    configured(toml::from_str::<SpiderConfig>(text).unwrap()).unwrap()
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = configured(toml::from_str(text).unwrap()).err().unwrap().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_kind_is_enough_where_the_seeds_are_of_it() {
    let run = |text: &str, content_type: &str, body: &str| {
        let page = page_from_body("http://h/seed", content_type, body).unwrap();
        parse(&*spider(text), &page).unwrap()
    };
    let followed = run("kind = 'sitemap'", "text/xml", SITEMAP).follows;
    assert_eq!(followed, ["http://h/book/1", "http://h/book/2", "http://h/rule/3"]);
    let items = run("kind = 'csv'", "text/csv", "a;b\n1;2\n").items;
    assert_eq!(items, [json!({"a": "1", "b": "2"})]);
    let feed = "<feed><entry><title>T</title></entry></feed>";
    assert_eq!(
        run("kind = 'feed'", "text/xml", feed).items,
        [json!({"kind": "news", "title": "T"})]
    );
    let xml = "kind = 'xml'\nxml = { tag = 'p', fields = { n = '.' } }";
    assert_eq!(run(xml, "text/xml", "<r><p>1</p></r>").items, [json!({"n": "1"})]);
}

#[test]
fn what_they_lead_to_is_read_by_the_rest_of_the_table() {
    let text = "kind = 'sitemap'\n[sitemap]\nurls = ['http://h/s.xml']\nsince = '2024-01-01'\n\
                rules = [{ url = '/book/', label = 'book' }]\n\
                [[items]]\nlabel = 'book'\nfields = { title = 'h1' }";
    let spider = spider(text);
    let requests = start(&*spider).unwrap();
    let mut page = page_from_body(requests[0].url.as_str(), "text/xml", SITEMAP).unwrap();
    page.set_label(&requests[0].label);
    assert_eq!(parse(&*spider, &page).unwrap().follows, ["http://h/book/1 book"]);
    let mut page = page_from_html("http://h/book/1", "<h1>Tea</h1><a href=/x>x</a>").unwrap();
    page.set_label("book");
    let found = parse(&*spider, &page).unwrap();
    assert_eq!(found.items, [json!({"title": "Tea", "url": "http://h/book/1"})]);
    assert!(found.follows.is_empty(), "links are followed only if that is asked for");
}

#[test]
fn mistakes_name_the_key() {
    refused(
        "kind = 'feed'\n[sitemap]",
        "spider.sitemap: is of no use without `kind = \"sitemap\"`",
    );
    refused("kind = 'sitemap'\nsitemap.rules = [{url = '('}]", "spider.sitemap.rules[0].url: `(`");
    refused("kind = 'sitemap'\nsitemap.follow = ['a', '[']", "spider.sitemap.follow[1]: `[`");
    refused("kind = 'sitemap'\nsitemap.urls = ['ftp://h/']", "spider.sitemap.urls[0]: `ftp://h/`");
    refused("kind = 'sitemap'\nsitemap.since = 'May'", "spider.sitemap.since: `May` is no date");
    refused("kind = 'xml'", "spider.xml.tag: is empty");
    refused("kind = 'xml'\nxml.tag = 'a'", "spider.xml.fields: has no fields");
    refused("kind = 'xml'\nxml = {tag = 'a', fields = {x = '['}}", "spider.xml.fields.x: `[`");
    refused("kind = 'csv'\ncsv.delimiter = '→'", "spider.csv.delimiter: must be an ASCII");
}
