//! Many hosts at once: each is treated as gently as a single one would be, and the speed comes from
//! their number. A page is judged by what it is, not by whose it is.
//!
//! `cargo run --example broad_crawl [FOLDER]`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crawl::prelude::*;
use crawl_testsite::ManyHosts;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/broad".into());
    let text = "seeds = ['http://many.test/']\n\
        [scope]\nallowed-domains = ['many.test']   # the real web: ['org', 'net']\n\
        max-depth = 4\nmax-pages-per-host = 3      # no host may eat the crawl\n\
        [testsite]\ndelay = '100ms'\nper-host = 1";
    let mut config = Config::parse("broad", text, &[])?;
    let _site = config.serve_testsite().await?;
    let crawl = Crawl::builder().config(config.into_crawl_config(false)?).folder(folder);

    let begun = Instant::now();
    let mut by_host = BTreeMap::<String, u32>::new();
    let mut pages = crawl.build()?.start().await?;
    while let Some(page) = pages.next().await {
        let page = page?;
        if page.status() == Some(200) {
            *by_host.entry(page.url().host_str().to_owned()).or_default() += 1;
        }
    }
    let n_pages: u32 = by_host.values().sum();
    let elapsed = begun.elapsed();
    println!("{n_pages} pages of {} hosts in {elapsed:?}", by_host.len());

    // The hub, then three pages of each host, robots.txt before them: four times 100 ms each, but
    // side by side.
    let n_hosts = ManyHosts::tutorial().hosts;
    assert_eq!((by_host.len(), n_pages), (1 + n_hosts as usize, 1 + 3 * n_hosts));
    assert!(elapsed < Duration::from_millis(100) * 4 * n_hosts / 2);
    Ok(())
}
