//! Many pages through plugins leave nothing behind. A process of its own, for its memory is read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crawl_parser::page_from_html;
use crawl_spider::{Args, Harvest, Spider};

#[path = "../../../tests/plugins/built.rs"]
mod built;

#[test]
fn memory_stays_flat_over_many_pages() {
    let rounds: usize =
        std::env::var("CRAWL_PLUGIN_PAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let load = |name| crawl_plugin::load(&built::built(name), &Args::default()).unwrap();
    let (all, few, noise) = (load("good"), load("bad"), load("garbage"));
    let shop = "<title>Shop</title><form action=/s><input name=q></form>\
                <table><tr><td>1</table><a href=/a>a</a><a href=/b>b</a>";
    let page = page_from_html("http://h/", shop).unwrap().with_spider(&all);
    let failing = page_from_html("http://h/fails", shop).unwrap();
    let read = |n: usize| {
        for i in 0..n {
            let mut out = Harvest::new();
            let _ = match i % 400 {
                0 => all.parse(&page.page(), &mut out),
                1 => all.parse(&failing.page(), &mut out),
                2 => noise.parse(&page.page(), &mut out),
                _ => few.parse(&page.page(), &mut out),
            };
        }
    };
    read(5000);
    let before = rss_kib();
    read(rounds);
    let grown = rss_kib().saturating_sub(before);
    println!("{rounds} pages: {grown} KiB more than {before} KiB");
    assert!(grown < 2048, "{grown} KiB more after {rounds} pages");
}

fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
