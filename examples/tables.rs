//! Tables: one of data, whose cells span rows, and one that was made for looks.
//!
//! `cargo run --example tables [FOLDER]`

use crawl::prelude::*;
use crawl_testsite::Quotes;

pub(crate) struct Tables;

impl Spider for Tables {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://quotes.test/authors/")?.label("data");
        out.get("http://quotes.test/tableful/")?.label("looks");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() == "data" {
            // A country that spans rows is in each of them.
            for row in page.tables("#authors")?.iter().flat_map(|table| table.rows_as_maps()) {
                out.item(&row)?;
            }
            return Ok(());
        }
        // Two rows make a quote: the text with the author, then the tags.
        for cell in page.xpath("//tr[contains(., 'Author:')]")? {
            let text = cell.text();
            let (text, author) = text.rsplit_once(" Author: ").ok_or("no author")?;
            let tags = cell.xpath("following-sibling::tr[1]//a")?.texts();
            out.item(&json!({ "text": text, "author": author, "tags": tags }))?;
        }
        if let Some(next) = page.xpath("//a[. = 'Next']/@href")?.first() {
            out.follow(page, &next.text())?.label("looks");
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/tables".into());
    let mut config = Config::parse("tables", "[testsite]", &[])?;
    let _site = config.serve_testsite().await?;
    let crawl = Crawl::builder().config(config.into_crawl_config(false)?).folder(folder);
    let report = crawl.spider(Tables).build()?.launch().await?.finish().await?;

    let expected = Quotes::quotes().len() + Quotes::authors().len();
    println!("{} of {expected} rows", report.counts.items);
    assert_eq!(report.counts.items, expected as u64);
    Ok(())
}
