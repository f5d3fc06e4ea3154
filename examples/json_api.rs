//! A JSON API with a cursor: each answer says where the next one begins, and each product has more
//! to tell at an address of its own.
//!
//! `cargo run --example json_api [FOLDER]`

use crawl::prelude::*;
use crawl_testsite::Products;
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    items: Vec<Listed>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    url: String,
    in_stock: bool,
}

pub(crate) struct Api;

impl Spider for Api {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://api.test/v1/products?limit=50")?;
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() == "product" {
            return out.item(&page.json::<Value>()?);
        }
        let answer: Answer = page.json()?;
        for product in answer.items.iter().filter(|product| product.in_stock) {
            out.follow(page, &product.url)?.label("product");
        }
        if let Some(cursor) = answer.next_cursor {
            // Lists first, so that nothing waits for a cursor that may run out.
            out.follow(page, &format!("/v1/products?limit=50&cursor={cursor}"))?.priority(1);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/json-api".into());
    let mut config = Config::parse("api", "[testsite]", &[])?;
    let _site = config.serve_testsite().await?;
    let crawl = Crawl::builder().config(config.into_crawl_config(false)?).folder(folder);
    let report = crawl.spider(Api).build()?.launch().await?.finish().await?;

    let expected = Products::products().iter().filter(|product| product.in_stock).count();
    println!("{} of {expected} products in stock", report.counts.items);
    assert_eq!(report.counts.items, expected as u64);
    Ok(())
}
