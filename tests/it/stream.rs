//! The page stream under a slow reader, a curious reader, and a reader that leaves.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl::Crawl;
use crawl_testsite::{TestSite, Tree};

use crate::support::{Scratch, again, finish, stderr};

const READ_AHEAD: usize = 32;
const CONNECTIONS: usize = 16;

/// What a child of this binary needs to know, in one variable: `ADDR FOLDER`.
const CHILD: &str = "CRAWL_STREAM_CHILD";

fn tree(pages: u32) -> TestSite {
    // The root is a page, too.
    let tree = Tree { pages: pages - 1, links_per_page: 20, bytes: 8_000 };
    TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(tree)))
}

fn crawl(addr: &str, folder: &str) -> Crawl {
    Crawl::builder()
        .seed("http://tree.test/")
        .folder(folder)
        .read_ahead(READ_AHEAD.try_into().unwrap())
        .configure(|config| {
            config.fetch.resolve.insert("tree.test".into(), addr.into());
            config.fetch.allow_private_addresses = true;
            config.fetch.connections = (CONNECTIONS as u32).try_into().unwrap();
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.politeness.per_host = 16.try_into().unwrap();
        })
        .build()
        .unwrap()
}

/// Resident set of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn a_slow_reader_bounds_what_is_fetched_and_what_is_kept_in_memory() {
    let site = tree(5_000);
    let scratch = Scratch::new();
    let folder = scratch.path("store").display().to_string();
    let value = format!("{} {folder}", site.addr);
    let child = again("stream::reader_of_three_hundred_pages", CHILD, &value);
    let mut child = Some(child);
    let begun = Instant::now();
    let mut most = 0;
    let progress = scratch.path("read");
    // The child notes each page it is about to ask for, so what it has read is never less.
    while child.as_mut().unwrap().try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(90), "the reader hangs");
        let served = site.requests().len();
        let read = std::fs::read_to_string(&progress).unwrap_or_default().len();
        most = most.max(served.saturating_sub(read));
        std::thread::sleep(Duration::from_millis(3));
    }
    let output = finish(child.take().unwrap());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", stderr(&output));
    println!(
        "served minus read: at most {most}; {}",
        said.lines().find(|l| l.contains("rss ")).unwrap_or("")
    );
    // robots.txt is served, but is no page.
    assert!(most <= READ_AHEAD + CONNECTIONS + 1, "served minus read was {most}");

    let served = site.requests().len();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(site.requests().len(), served, "something runs on");
}

/// The child of the test above: nothing to do unless it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn reader_of_three_hundred_pages() {
    let Ok(value) = std::env::var(CHILD) else { return };
    let (addr, folder) = value.split_once(' ').unwrap();
    let progress = std::path::Path::new(folder).with_file_name("read");
    let mut progress = std::fs::File::create(progress).unwrap();
    let mut pages = crawl(addr, folder).start().await.unwrap();
    let handle = pages.handle();
    let mut rss_at_50 = 0;
    let mut most = 0;
    let mut seen = Vec::new();
    for n in 1..=300usize {
        let page = pages.next().await.unwrap().unwrap();
        let is_added = page.url().as_str().ends_with("?added");
        assert_eq!(page.status(), Some(if is_added { 404 } else { 200 }));
        assert_eq!(page.n(), n as u64, "pages come in settle order");
        seen.push(page.url().clone());
        progress.write_all(b"x").unwrap();
        if n == 100 {
            assert!(handle.stats().is_conserved());
            let seeded = handle.add_seed("http://tree.test/p/0?added").await.unwrap();
            assert_eq!((seeded.admitted, seeded.known), (1, 0));
        }
        if n == 50 {
            rss_at_50 = resident();
        }
        most = most.max(resident());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let growth = most.saturating_sub(rss_at_50);
    println!("rss {rss_at_50} at page 50, grown by at most {growth}");
    assert!(growth < 20_000_000, "RSS grew by {growth}");
    let report = pages.close().await.unwrap();
    assert!(report.counts.is_conserved(), "{report:?}");
    assert_eq!(report.counts.in_flight, 0);

    // Everything settled is in the store, and the stream re-reads it.
    let again = Crawl::builder()
        .seed("http://tree.test/")
        .folder(folder)
        .pages_from(1)
        .configure(|config| config.frontier.scope.max_pages = 1)
        .build()
        .unwrap();
    let mut pages = again.start().await.unwrap();
    let mut n = 0;
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        if let Some(url) = seen.get(n) {
            assert_eq!(page.url(), url);
        }
        n += 1;
    }
    assert_eq!(n as u64, report.counts.n_settled());
    // The end of the process shows that nothing keeps running.
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_stream_closes_the_crawl() {
    let site = tree(2_000);
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let mut pages = crawl(&site.addr.to_string(), folder.to_str().unwrap()).start().await.unwrap();
    for _ in 0..20 {
        pages.next().await.unwrap().unwrap();
    }
    let handle = pages.handle();
    drop(pages);
    // The folder's lock is free when all has ended.
    let begun = Instant::now();
    while crawl_store::Store::inspect(&folder).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the crawl does not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(handle.add_seed("http://tree.test/late").await.is_err());
    let counts = handle.stats();
    assert!(counts.is_conserved() && counts.in_flight == 0, "{counts:?}");
    assert!(counts.n_settled() >= 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_site_comes_through_the_stream_once() {
    let site = tree(300);
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let mut pages = crawl(&site.addr.to_string(), folder.to_str().unwrap()).start().await.unwrap();
    let mut urls = std::collections::BTreeSet::new();
    let mut bodies = 0;
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        bodies += usize::from(page.text().contains("</html>"));
        assert!(urls.insert(page.url().to_string()), "{} came twice", page.url());
    }
    let report = pages.close().await.unwrap();
    assert_eq!(report.counts.pages as usize, urls.len());
    assert_eq!((urls.len(), bodies), (300, 300), "{report:?}");
}
