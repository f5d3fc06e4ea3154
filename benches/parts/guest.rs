//! A page's way through a plugin: over the real boundary, from its entry to its items.

use std::path::Path;

use crawl_parser::{TestPage, page_from_html};
use crawl_spider::{Args, Harvest, Spider};

#[path = "../parser/page.rs"]
mod page;

/// The callback of a plugin over a page that has been read: 15 cards with five fields each, and all
/// links.
pub(crate) fn plugin(n: u64) {
    let crate_of_it = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/spider");
    let spider = crawl_plugin::load(&crate_of_it, &Args::default()).expect("it builds and loads");
    let html = page::product_list();
    let page = page_from_html("http://shop.test/list", &html).expect("a URL").with_spider(&spider);
    for _ in 0..n {
        call(&spider, &page);
    }
}

fn call(spider: &dyn Spider, page: &TestPage) {
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).expect("it reads the page");
    let harvest = out.into_parts();
    assert_eq!((harvest.items.len(), harvest.follows.len()), (page::CARDS, page::LINKS));
}
