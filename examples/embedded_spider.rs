//! A spider in Rust inside a program: lists lead to books, books become typed items.
//!
//! `cargo run --example embedded_spider [FOLDER]`

use std::time::Duration;

use crawl::prelude::*;
use crawl_testsite::{Bookshop, TestSite};

#[derive(Item)]
struct Book {
    #[item(css = "h1")]
    title: String,
    #[item(css = ".price_color", number)]
    price: f64,
}

struct Books;

impl Spider for Books {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.label() {
            "book" => {
                out.extract::<Book>(page)?;
            }
            _ => {
                out.follow_css(page, "article.product_pod h3 a")?.label("book");
                out.follow_css(page, "li.next a")?;
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/embedded".into());
    let site = TestSite::builder().bookshop(Bookshop { books: 100, ..Default::default() });
    let site = site.start().await;
    let crawl = Crawl::builder().seed("http://bookshop.test/").spider(Books).folder(&folder);
    let crawl = crawl.configure(|config| {
        config.fetch.resolve.insert("bookshop.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
    });
    let report = crawl.build()?.launch().await?.finish().await?;
    println!("{} pages, {} items in {folder}", report.counts.pages, report.counts.items);
    Ok(())
}
