//! A spider in Rust inside a program: lists lead to books, books become typed items.
//!
//! `cargo run --example embedded_spider [FOLDER]`

use std::time::Duration;

use crawl::Crawl;
use crawl::prelude::*;
use crawl_testsite::{Bookshop, TestSite};

#[derive(serde::Serialize)]
struct Book {
    title: String,
    price: f64,
}

struct Books;

impl Spider for Books {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.label() {
            "book" => {
                let title = page.first("h1")?.ok_or("no title")?.text_trimmed();
                let price = page.first(".price_color")?.ok_or("no price")?.text_trimmed();
                let price = price.trim_start_matches('£').parse().map_err(|_| "odd price")?;
                out.item(&Book { title, price })
            }
            _ => {
                for link in page.css("article.product_pod h3 a")? {
                    if let Some(href) = link.attr("href") {
                        out.follow(page, href)?.label("book");
                    }
                }
                out.follow_css(page, "li.next a")
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/embedded".into());
    let site = TestSite::builder().bookshop(Bookshop { books: 100, ..Default::default() });
    let site = site.start().await?;
    let crawl = Crawl::builder().seed("http://bookshop.test/").spider(Books).folder(&folder);
    let crawl = crawl.configure(|config| {
        config.fetch.resolve.insert("bookshop.test".into(), site.addr().to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
    });
    let report = crawl.build()?.launch().await?.finish().await?;
    println!("{} pages, {} items in {folder}", report.counts.pages, report.counts.items);
    Ok(())
}
