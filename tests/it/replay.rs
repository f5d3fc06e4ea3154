//! `crawl replay`: the same items from stored pages as from the site, without a request, and for no
//! more CPU a page than the crawl took.
//!
//! 300 books here; `CRAWL_REPLAY_BOOKS=9000 cargo test --release --test it replay:: -- --nocapture` for
//! 10,000 pages.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    BOOKS, Scratch, Server, crawl, finish, inspect, local_config, run, run_ok, stderr,
};

fn n_books() -> u32 {
    std::env::var("CRAWL_REPLAY_BOOKS").map_or(300, |text| text.parse().unwrap())
}

/// Runs `crawl` to its end; user and system time that it took.
fn timed(args: &[&str]) -> Duration {
    let before = children();
    let output = finish(crawl(args).spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    children() - before
}

/// CPU time of this thread's ended children, as the kernel counts it: fields 16 and 17 of
/// proc_pid_stat(5), in hundredths of a second. Other tests have children, too: a nuisance for the
/// printed figure only.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(13).take(2);
    Duration::from_millis(ticks.map(|n| n.parse::<u64>().unwrap_or(0) * 10).sum())
}

/// Items by their pages' URLs.
fn items(store: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for row in inspect(store, &["items"]) {
        all.entry(row["url"].as_str().unwrap().into()).or_default().push(row["item"].clone());
    }
    all
}

#[test]
fn a_replay_gives_the_items_of_the_crawl_without_a_request() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, n_books(), "0ms");
    let (store, into) = (scratch.path("store"), scratch.path("replayed"));
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    let crawled = timed(&["run", &config]);
    let requests = server.served().len();
    let (from, to) = (store.to_str().unwrap(), into.to_str().unwrap());
    let replayed = timed(&["replay", from, &config, "--into", to]);
    assert_eq!(server.served().len(), requests, "a replay asks nobody");

    let (old, new) = (items(&store), items(&into));
    assert_eq!(old.len(), n_books() as usize);
    assert_eq!(old, new);
    let pages = inspect(&store, &["pages"]).len() as u32;
    assert_eq!(inspect(&into, &["pages"]).len() as u32, pages);
    println!(
        "{pages} pages: {:?} of CPU a page crawled, {:?} replayed",
        crawled / pages,
        replayed / pages
    );
    if std::env::var_os("CRAWL_REPLAY_BOOKS").is_some() {
        assert!(replayed <= crawled, "replayed in {replayed:?}, crawled in {crawled:?}");
    }
    crate::kill::assert_clean(&into);
    // The order is that of the crawl, whatever thread read which page.
    let urls = |store: &Path| -> Vec<String> {
        inspect(store, &["pages"]).iter().map(|row| row["url"].to_string()).collect()
    };
    assert_eq!(urls(&store), urls(&into));
}

#[test]
fn another_spider_takes_other_items_of_the_same_pages() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 30, "0ms");
    let (store, into) = (scratch.path("store"), scratch.path("replayed"));
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    let other = BOOKS.replace("title = \"h1\"", "name = \"h1\"");
    let other = scratch.write("other.toml", &format!("seeds = []\n{other}"));
    let feed = scratch.path("new.jsonl");
    let (from, to) = (store.to_str().unwrap(), into.to_str().unwrap());
    let feed_arg = feed.to_str().unwrap();
    run_ok(&["replay", from, &other, "--into", to, "-o", feed_arg]);
    let lines = std::fs::read_to_string(&feed).unwrap();
    assert_eq!(lines.lines().count(), 30);
    assert!(lines.lines().all(|line| line.contains("\"name\":")), "{lines}");
    crate::kill::assert_clean(&into);

    // A folder of its own, or afresh; never the stored crawl's.
    let output = run(&["replay", from, &other, "--into", to]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("--fresh"), "{}", stderr(&output));
    run_ok(&["replay", from, &other, "--into", to, "--fresh"]);
    let output = run(&["replay", from, &other, "--into", from, "--fresh"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(inspect(&store, &["items"]).len(), 30);
}

#[test]
fn metadata_and_labels_come_back_with_the_pages() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let (store, into) = (scratch.path("store"), scratch.path("replayed"));
    // An item that begins on the list and ends on the page of its own: what is known of it
    // travels as metadata.
    let spider = r#"
[[spider.pages]]
next = "li.next a"
[[spider.items]]
select = "article.product_pod"
[spider.items.fields]
listed = "h3 a @title"
[spider.items.detail]
follow = "h3 a"
[spider.items.detail.fields]
title = "h1"
"#;
    let more = format!("bodies = \"html\"\n{spider}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    let (from, to) = (store.to_str().unwrap(), into.to_str().unwrap());
    run_ok(&["replay", from, &config, "--into", to]);
    let (old, new) = (items(&store), items(&into));
    assert!(old.len() >= 10, "{old:?}");
    assert_eq!(old, new);
}
