//! `kill -9` at random moments, resumed by the same command: nothing lost, nothing twice.
//!
//! The server runs in a process of its own and its log is the oracle. Three rounds here;
//! `CRAWL_KILL_ROUNDS=20 cargo test --release --test it kill -- --nocapture` for the long run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crawl_testsite::Bookshop;

use crate::support::{self, LIMIT, Scratch, Server, crawl, finish, inspect, local_config, stderr};

/// About 2,000 pages: the books, their lists and categories.
const BOOKS: u32 = 1_850;

/// A small generator, so that each round's moments can be printed and repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn a_killed_crawl_resumes_with_every_page_and_item_exactly_once() {
    let rounds = std::env::var("CRAWL_KILL_ROUNDS").map_or(3, |text| text.parse().unwrap());
    let seed = std::env::var("CRAWL_KILL_SEED").map_or_else(
        |_| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1,
        |text| text.parse().unwrap(),
    );
    println!("CRAWL_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    for round in 1..=rounds {
        // Every other round is killed once more while it recovers.
        one_round(round, &mut dice, round % 2 == 0);
    }
}

fn one_round(round: u32, dice: &mut Dice, again: bool) {
    let truth = Bookshop { books: BOOKS, ..Bookshop::default() }.truth();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, BOOKS, "20ms");
    let store = scratch.path("store");
    let feed = scratch.path("items.jsonl");
    let more =
        format!("bodies = \"html\"\n[[feed]]\npath = \"{}\"\n{}", feed.display(), support::BOOKS);
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));

    let at = truth.pages as u64 * (5 + dice.roll(91)) / 100;
    let mut open = kill_when(start(&config), || server.served().len() as u64 >= at, &store);
    let (served, settled) = (server.served().len(), settled(&store));
    let mut kills = 1;
    if again {
        let pause = Duration::from_millis(dice.roll(120));
        let begun = Instant::now();
        open += kill_when(start(&config), || begun.elapsed() >= pause, &store);
        kills += 1;
    }
    let output = finish(start(&config));
    assert!(output.status.success(), "{}", stderr(&output));

    let all = server.served();
    let refetched = refetched(&all);
    let pages = truth.pages;
    println!(
        "round {round}: kills {kills}, served {served} of {pages} pages at the kill, \
         settled {settled}, open {open}, refetched {refetched}"
    );
    assert!(refetched <= open, "refetched {refetched} of {open} open");
    assert_store_is_whole(&store, &truth.urls);
    assert_feed_is_whole(&feed, truth.books);
}

fn start(config: &str) -> Child {
    crawl(&["run", config]).spawn().unwrap()
}

/// Kills the child at the moment, unless it has ended before; returns how many tickets were open.
fn kill_when(mut child: Child, is_time: impl Fn() -> bool, store: &Path) -> usize {
    let begun = Instant::now();
    while !is_time() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT, "the moment never came");
        thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL, on Unix; it may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
    assert_undamaged(store);
    crawl_store::Store::in_hand(store).unwrap()
}

/// Last settle number of a crawl that was killed, by its manifest; 0 if it had not begun.
fn settled(store: &Path) -> u64 {
    let manifest = std::fs::read_to_string(store.join("manifest")).unwrap_or_default();
    manifest.split(' ').nth(3).map_or(0, |number| number.parse().unwrap())
}

/// Requests beyond the first per path, robots.txt aside.
pub(crate) fn refetched(paths: &[String]) -> usize {
    let mut counts = BTreeMap::<&str, usize>::new();
    for path in paths.iter().filter(|path| *path != "/robots.txt") {
        *counts.entry(path).or_default() += 1;
    }
    counts.values().map(|n| n - 1).sum()
}

#[track_caller]
pub(crate) fn assert_store_is_whole(store: &Path, expected: &[String]) {
    let rows = inspect(store, &["pages", "--verdict", "ok"]);
    let urls: Vec<&str> = rows.iter().map(|row| row["url"].as_str().unwrap()).collect();
    let distinct: BTreeSet<&str> = urls.iter().copied().collect();
    assert_eq!(distinct.len(), urls.len(), "a page is stored twice");
    let expected: BTreeSet<String> =
        expected.iter().map(|path| format!("http://bookshop.test{path}")).collect();
    assert!(distinct.iter().copied().eq(expected.iter().map(String::as_str)), "pages differ");
    let stats = &inspect(store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
    assert_eq!(stats["queued"], 0, "{stats}");
    assert!(rows.iter().all(|row| row["body"].is_object()), "a body is missing");
    assert_clean(store);
}

/// What a kill left, before any run has made it good: notes perhaps, and no damage. A process that
/// was killed at once has made no store.
#[track_caller]
fn assert_undamaged(store: &Path) {
    let output = finish(crawl(&["verify", store.to_str().unwrap()]).spawn().unwrap());
    let is_good = matches!(output.status.code(), Some(0 | 2));
    assert!(is_good, "{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
}

/// `crawl verify`, which shares no code with the writer, finds nothing after a stop in order; but for
/// runs of the frontier that were merged when it closed.
#[track_caller]
pub(crate) fn assert_clean(store: &Path) {
    let output = finish(crawl(&["verify", store.to_str().unwrap(), "--json"]).spawn().unwrap());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", stderr(&output));
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let findings = last["findings"].as_object().unwrap();
    assert!(findings.keys().all(|name| name == "leftover"), "{text}");
}

#[track_caller]
pub(crate) fn assert_feed_is_whole(feed: &Path, n_books: usize) {
    let text = std::fs::read_to_string(feed).unwrap();
    let urls: BTreeSet<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["url"].to_string())
        .collect();
    assert_eq!((text.lines().count(), urls.len()), (n_books, n_books), "items differ");
}
