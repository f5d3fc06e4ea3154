//! Reading a page: what the CPU threads do with it.

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Fingerprinter, Request, Response};
use crawl_parser::bare::BareTree;
use crawl_parser::{
    ConfigSpider, FieldConfig, ItemConfig, LinkSpider, PageOpener, ParseConfig, SpiderConfig,
    TestPage,
};
use crawl_spider::{Harvest, Harvested, Page, Spider};

/// A page of a shop: 24 KB, 81 links, 15 products.
const LIST: &str = include_str!("list.html");
pub(crate) const LINKS: usize = 81;
pub(crate) const CARDS: usize = 15;
const SELECTORS: [&str; 3] = ["article.product_pod", "h3 > a[title]", "ul.more li:last-child a"];

fn response(html: String) -> Response {
    let content_type = ("content-type".into(), Bytes::from_static(b"text/html; charset=utf-8"));
    Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![content_type],
        body: html.into(),
        truncated: None,
        remote: None,
    }
}

/// The page as it comes from the fetcher.
pub(crate) fn list() -> Response {
    response(LIST.to_owned())
}

pub(crate) fn request() -> Request {
    Request::get(CanonicalUrl::parse("http://shop.test/p/77").expect("a URL"))
}

/// Reads the page `n` times for this spider.
fn read(n: u64, spider: &dyn Spider, look: impl Fn(&Page<'_>, Harvested)) {
    read_html(n, LIST.to_owned(), spider, look);
}

fn read_html(n: u64, html: String, spider: &dyn Spider, look: impl Fn(&Page<'_>, Harvested)) {
    let request = request();
    let response = response(html);
    let opener = PageOpener::new(&ParseConfig::default(), spider);
    for _ in 0..n {
        opener.open(&request, &response, 0, |page| {
            let mut out = Harvest::new();
            spider.parse(page, &mut out).expect("the spider works");
            look(page, out.into_parts());
        });
    }
}

/// Decoding and the streaming pass, of a page without a link.
pub(crate) fn tokens(n: u64) {
    let html = LIST.replace("<a ", "<b ").replace("</a>", "</b>");
    read_html(n, html, &LinkSpider, |page, harvest| {
        assert!(harvest.follows.is_empty() && !page.title().is_empty());
    });
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
    read(n, &cards_spider(), |_, harvest| {
        assert_eq!((harvest.items.len(), harvest.follows.len()), (CARDS, LINKS));
    });
}

/// Takes title and price of the products, and follows all links.
pub(crate) fn cards_spider() -> ConfigSpider {
    let title = FieldConfig::Short("h3 a @title".into());
    let price = FieldConfig::Short(".price_color".into());
    let fields = [("title".to_owned(), title), ("price".to_owned(), price)];
    let items = ItemConfig {
        select: Some("article.product_pod".into()),
        fields: fields.into_iter().collect(),
        ..ItemConfig::default()
    };
    let config = SpiderConfig { items: vec![items], ..SpiderConfig::default() };
    ConfigSpider::new(config).expect("a spider")
}

/// The document's tree, and three selectors in it.
pub(crate) fn tree(n: u64) {
    read(n, &LinkSpider, |page, _| {
        let found = SELECTORS.map(|css| page.css(css).expect("a selector").len());
        assert_eq!(found, [CARDS, CARDS, 1]);
    });
}

/// Three selectors in a tree that is there.
pub(crate) fn select(n: u64) {
    let page = TestPage::new(request(), response(LIST.to_owned()));
    let page = page.page();
    for _ in 0..n {
        let found = SELECTORS.map(|css| page.css(css).expect("a selector").len());
        assert_eq!(found, [CARDS, CARDS, 1]);
    }
}

/// Title and price of the products by scraper alone: what a spider that needs the tree would cost
/// without us.
pub(crate) fn scraper(n: u64) {
    let fields = [("h3 a", Some("title")), (".price_color", None)];
    let bare = BareTree::new("article.product_pod", &fields).expect("they are selectors");
    for _ in 0..n {
        assert_eq!(bare.read(LIST), 2 * CARDS);
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
