//! Reading a page: what the CPU threads do with it.

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Fingerprinter, Request, Response};
use crawl_parser::{
    ConfigSpider, FieldConfig, ItemConfig, LinkSpider, PageOpener, ParseConfig, SpiderConfig,
};
use crawl_spider::{Harvest, Harvested, Page, Spider};
use scraper::{Html, Selector};

/// A page of a shop: 24 KB, 81 links, 15 products.
const LIST: &str = include_str!("list.html");
const LINKS: usize = 81;
const CARDS: usize = 15;
const SELECTORS: [&str; 3] = ["article.product_pod", "h3 > a[title]", "ul.more li:last-child a"];

fn response() -> Response {
    let content_type = ("content-type".into(), Bytes::from_static(b"text/html; charset=utf-8"));
    Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![content_type],
        body: Bytes::from_static(LIST.as_bytes()),
        truncated: None,
        remote: None,
    }
}

/// Reads the page `n` times for this spider.
fn read(n: u64, spider: &dyn Spider, look: impl Fn(&Page<'_>, Harvested)) {
    let request = Request::get(CanonicalUrl::parse("http://shop.test/p/77").expect("a URL"));
    let response = response();
    let opener = PageOpener::new(&ParseConfig::default(), spider);
    for _ in 0..n {
        opener.open(&request, &response, 0, |page| {
            let mut out = Harvest::new();
            spider.parse(page, &mut out).expect("the spider works");
            look(page, out.into_parts());
        });
    }
}

/// Decoding, the streaming pass, 81 URLs resolved and fingerprinted.
pub(crate) fn links(n: u64) {
    let prints = Fingerprinter::new([7; 16]);
    read(n, &LinkSpider, |page, harvest| {
        let print = |sum, text| sum ^ prints.get_text(text).0;
        let sum = harvest.follows.iter().map(|follow| follow.url_text()).fold(0, print);
        assert!(sum != 0 && harvest.follows.len() == LINKS && !page.title().is_empty());
    });
}

/// The same with title and price of 15 products, selected in the same pass.
pub(crate) fn cards(n: u64) {
    let title = FieldConfig::Short("h3 a @title".into());
    let price = FieldConfig::Short(".price_color".into());
    let fields = [("title".to_owned(), title), ("price".to_owned(), price)];
    let items = ItemConfig {
        select: Some("article.product_pod".into()),
        fields: fields.into_iter().collect(),
        ..ItemConfig::default()
    };
    let config = SpiderConfig { items: vec![items], ..SpiderConfig::default() };
    let spider = ConfigSpider::new(config).expect("a spider");
    read(n, &spider, |_, harvest| {
        assert_eq!((harvest.items.len(), harvest.follows.len()), (CARDS, LINKS));
    });
}

/// The document's tree, and three selectors in it.
pub(crate) fn tree(n: u64) {
    read(n, &LinkSpider, |page, _| {
        let found = SELECTORS.map(|css| page.css(css).expect("a selector").len());
        assert_eq!(found, [CARDS, CARDS, 1]);
    });
}

/// The same tree and selectors by scraper alone: what a page costs that needs its tree, without us.
pub(crate) fn scraper(n: u64) {
    let selectors = SELECTORS.map(|css| Selector::parse(css).expect("a selector"));
    for _ in 0..n {
        let html = Html::parse_document(LIST);
        let found = selectors.each_ref().map(|css| html.select(css).count());
        assert_eq!(found, [CARDS, CARDS, 1]);
    }
}

/// 81 references resolved, made canonical and fingerprinted, one by one.
pub(crate) fn urls(n: u64) {
    let base = CanonicalUrl::parse("http://shop.test/p/77").expect("a URL");
    let prints = Fingerprinter::new([7; 16]);
    let hrefs: Vec<String> = (0..LINKS).map(|i| format!("/p/{}", i * 37)).collect();
    for _ in 0..n {
        let join = |href: &String| base.join(href).expect("a URL");
        let sum = hrefs.iter().map(join).fold(0, |sum, url| sum ^ prints.get(&url).0);
        assert_ne!(sum, 0);
    }
}
