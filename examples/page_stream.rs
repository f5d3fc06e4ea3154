//! Reads a crawl as a stream of pages, and stops when it has seen enough.
//!
//! `cargo run --example page_stream [FOLDER]`

use std::time::Duration;

use crawl::Crawl;
use crawl_testsite::{Bookshop, TestSite};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/page-stream".into());
    let site = TestSite::builder().bookshop(Bookshop::default()).start().await;
    let crawl = Crawl::builder().seed("http://bookshop.test/").folder(folder).configure(|config| {
        // A local site needs no politeness; the real web gets the defaults.
        config.fetch.resolve.insert("bookshop.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
    });

    let mut pages = crawl.build()?.start().await?;
    let mut n_pages = 0;
    while let Some(page) = pages.next().await {
        let page = page?; // an error here is a broken crawl; a failed page is a value
        println!("{:>6} {:?} {}", page.n(), page.status(), page.url());
        n_pages += 1;
        if n_pages == 100 {
            break;
        }
    }
    let report = pages.close().await?;
    println!("{n_pages} read, {} settled; run again to go on", report.counts.n_settled());
    Ok(())
}
