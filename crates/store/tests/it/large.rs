//! Questions to a store of a million pages: how soon the first row comes, and at what size.
//!
//! `CRAWL_STORE_PAGES=1000000 cargo test --release -p crawl-store --test it large -- --nocapture`
//! prints its figures; without the variable the same is asked of two thousand pages. The folder
//! that `CRAWL_STORE_AT` names is kept, for `crawl inspect` to be tried on; `CRAWL_STORE_ASK=urls`
//! asks only questions with that in them.
//!
//! Conditions on what the settle log does not have (other fields of records, fields of items) are not
//! among the questions that find nothing: they read all records or all items first, which takes
//! several seconds, and tell on the way how far they are.
//!
//! The rule that a release build holds the figures to: the first row of each question comes within
//! a second by the clock on the wall. Where other processes have the cores that clock says little;
//! then the first row may cost a second of CPU, all threads taken together, for with the cores to
//! itself it would come no later. The process never has more than 300 MiB of RAM.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crawl_model::{Entry, FilterReason, Found, Outcome, Source, Verdict};
use crawl_store::inspect::{Query, answer};
use crawl_store::{Options, Store, StoreConfig};
use serde_json::json;

use crate::rig::{Brings, Rig, item, url};

/// Messages in hand at a time.
const WINDOW: u64 = 1_000;
/// Links of a page that are new.
const CHILDREN: u64 = 10;

#[test]
fn each_question_to_a_large_store_is_answered_at_once() {
    let n = std::env::var("CRAWL_STORE_PAGES").map_or(2_000, |n| n.parse().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("CRAWL_STORE_AT").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(scratch.path());
    if !folder.join("manifest").exists() {
        generate(folder, n);
    }
    let begin = Instant::now();
    let store = Store::inspect(folder).unwrap();
    println!("opened in {:?}; {} MiB of RAM", begin.elapsed(), rss_mib());
    let some = format!("http://{}/p/{}", host(n / 2), n / 2);
    let only = std::env::var("CRAWL_STORE_ASK").unwrap_or_default();
    let mut slow = Vec::new();
    for (query, expected) in questions(n, &some) {
        if !query.to_string().contains(&only) {
            continue;
        }
        let query: Query = serde_json::from_value(query).unwrap();
        let begin = Cost::now();
        let (mut n_rows, mut first) = (0, None);
        let mut row = |_| {
            first.get_or_insert_with(|| begin.elapsed());
            n_rows += 1;
            ControlFlow::Continue(())
        };
        answer(&store.reader(), &query, &mut row, &mut |_| {}).unwrap();
        let all = begin.elapsed();
        let first = first.unwrap_or(all);
        let (what, rss) = (serde_json::to_string(&query).unwrap(), rss_mib());
        println!("first row {first}, all {all}, {n_rows:>8} rows {rss:>4} MiB {what}");
        assert_eq!(n_rows, expected, "{what}");
        let is_soon = first.wall < Duration::from_secs(1) || first.cpu_ms < 1000;
        if !is_soon || rss >= 300 {
            slow.push(format!("{what}: the first row after {first}, {rss} MiB of RAM"));
        }
    }
    assert!(cfg!(debug_assertions) || slow.is_empty(), "{slow:#?}");
}

/// Time on the wall, and milliseconds of CPU of all threads in steps of ten.
struct Cost {
    begin: Instant,
    cpu_ms: u64,
}

#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    cpu_ms: u64,
}

impl Cost {
    fn now() -> Self {
        Self { begin: Instant::now(), cpu_ms: cpu_ms() }
    }

    fn elapsed(&self) -> Spent {
        Spent { wall: self.begin.elapsed(), cpu_ms: cpu_ms() - self.cpu_ms }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7} ms ({:>6} ms CPU)", self.wall.as_millis(), self.cpu_ms)
    }
}

/// What all threads have had of the processors, those that have ended included: user and system
/// time of `/proc/self/stat`, in hundredths of seconds.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    ticks * 10
}

/// Questions, and how many rows answer them.
fn questions(n: u64, some: &str) -> Vec<(serde_json::Value, u64)> {
    let of_host = (0..n).filter(|i| i % 1000 == 7).count() as u64;
    vec![
        (json!({"what": "stats"}), 1),
        (json!({"what": "hosts"}), n.min(1000) + 1),
        (json!({"what": "hosts", "host": host(7)}), 1),
        (json!({"what": "pages"}), n),
        (json!({"what": "pages", "url": some}), 1),
        (json!({"what": "pages", "host": host(7)}), of_host),
        (json!({"what": "pages", "status": "404"}), n / 50),
        (json!({"what": "pages", "fields": ["status=599"]}), 0),
        (json!({"what": "pages", "fields": ["title~'number 77'"], "limit": 5}), 5),
        (json!({"what": "pages", "fields": ["title~'no such title'"]}), 0),
        (json!({"what": "pages", "fields": ["title~'number 77'"]}), titles_of(n)),
        (json!({"what": "pages", "fields": ["url~/no/such/path or label=none"]}), 0),
        (json!({"what": "errors", "fields": ["error~'no such error'"]}), 0),
        (json!({"what": "pages", "fields": ["n>1000000"]}), n.saturating_sub(1_000_000)),
        (json!({"what": "errors"}), n / 50),
        (json!({"what": "timeline", "limit": 1}), 1),
        (json!({"what": "robots"}), 0),
        (json!({"what": "cookies"}), 0),
        (json!({"what": "links", "url": some}), 2 + links_of(n / 2, n)),
        (json!({"what": "items", "url": some}), 1),
        (json!({"what": "items"}), n - n / 50),
        (json!({"what": "items", "fields": ["price=7"]}), n / 100),
        (json!({"what": "urls"}), n + n),
        (json!({"what": "urls", "url": some}), 1),
        (json!({"what": "urls", "verdict": "off-domain"}), n),
    ]
}

/// Links that page `i` is the first to have.
fn links_of(i: u64, n: u64) -> u64 {
    (CHILDREN * i + 1..CHILDREN * (i + 1) + 1).filter(|child| *child < n).count() as u64
}

/// Pages whose title begins with number 77.
fn titles_of(n: u64) -> u64 {
    (0..n).filter(|i| i.to_string().starts_with("77")).count() as u64
}

fn host(i: u64) -> String {
    format!("h{}.test", i % 1000)
}

fn url_of(i: u64) -> String {
    format!("http://{}/p/{i}", host(i))
}

/// Pages in a tree, each with a link that leads out; every fiftieth is missing.
fn generate(folder: &Path, n: u64) {
    let begin = Instant::now();
    let store = Store::open(&StoreConfig::at(folder), Options::default()).unwrap();
    let mut rig = Rig::with(store);
    rig.post(Entry::Found { found: vec![rig.found(&url_of(0))], source: Source::Seeds });
    let sender = rig.entries.clone().unwrap();
    let (mut sent, mut told) = (0, 0);
    while told < n {
        while sent < n.min(told + WINDOW) {
            sender.blocking_send(page(&rig, sent, n)).unwrap();
            sent += 1;
        }
        let outcome = crawl_store::blocking::wait(rig.outcomes.recv()).unwrap();
        told += u64::from(matches!(outcome, Outcome::Settled { .. }));
        while rig.pages.try_recv().is_ok() {}
    }
    rig.open.store(0, std::sync::atomic::Ordering::Release);
    drop(sender);
    rig.end().unwrap();
    println!("{n} pages made in {:?}", begin.elapsed());
}

fn page(rig: &Rig, i: u64, n: u64) -> Entry {
    let from = |mut found: Found| {
        found.request.referrer = Some(url(&url_of(i)));
        found
    };
    let children = (CHILDREN * i + 1)..(CHILDREN * i + 1 + CHILDREN).min(n);
    let mut found: Vec<_> = children.map(|child| from(rig.found(&url_of(child)))).collect();
    let out = from(rig.found(&format!("http://elsewhere.test/from/{i}")));
    found.push(Found { filtered: Some(FilterReason::OffDomain), ..out });
    let is_missing = i % 50 == 49;
    let (verdict, status) = if is_missing { (Verdict::HttpError, 404) } else { (Verdict::Ok, 200) };
    let body = json!({"title": format!("Product number {i}"), "price": i % 100, "sku": format!("A-{i:08}")});
    let items = if is_missing { vec![] } else { vec![item(&body.to_string())] };
    let referrer = (i > 0).then(|| url(&url_of((i - 1) / CHILDREN)));
    let mut entry =
        rig.page(&url_of(i), Brings { verdict, status, items, found, ..Brings::default() });
    if let Entry::Parsed(parsed) = &mut entry {
        let record = &mut parsed.record;
        record.title = format!("Product number {i}");
        record.referrer = referrer;
        record.fetched_ms = 1_700_000_000_000 + i * 10;
        record.elapsed_ms = 20 + i % 300;
        record.content_type = "text/html".to_owned();
        record.n_links = 81;
        record.attempts = 1;
        record.protocol = "HTTP/1.1".to_owned();
        record.digest = format!("{i:032x}");
    }
    entry
}

/// What of the process lies in RAM.
fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
