//! A news feed, RSS and Atom alike: what the entries say, without a visit to their pages.
//!
//! `cargo run --example feed [FOLDER]`

use crawl::prelude::*;
use crawl_testsite::News;

pub(crate) struct Feed;

impl Spider for Feed {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for entry in page.entries() {
            out.item(entry)?; // an object of what the entry says
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/feed".into());
    let seeds = "seeds = ['http://news.test/feed.rss', 'http://news.test/feed.atom']\n[testsite]";
    let mut config = Config::parse("feed", seeds, &[])?;
    let _site = config.serve_testsite().await?;
    let crawl = Crawl::builder().config(config.into_crawl_config(false)?).folder(folder);
    let report = crawl.spider(Feed).build()?.launch().await?.finish().await?;

    let expected = 2 * News::newest().len();
    println!("{} of {expected} entries", report.counts.items);
    assert_eq!(report.counts.items, expected as u64);
    Ok(())
}
