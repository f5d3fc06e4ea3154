//! Callbacks that never return: what they cost the others, and the end of the crawl.
//!
//! `CRAWL_HANGING_STRICT=1 cargo test --release --test it hanging:: -- --nocapture` measures, on
//! a machine that does nothing else.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crawl::prelude::*;
use crawl::{Counts, Crawl, End, Handle};
use crawl_testsite::TestSite;

use crate::support::{Scratch, Server, again, finish, stderr};

/// Never returns from the page `/forever`.
struct Lost;

impl Spider for Lost {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        while page.url().path() == "/forever" {
            std::thread::park();
        }
        out.follow_links(page);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_that_never_returns_cannot_hold_up_the_close() {
    let site = TestSite::builder()
        .page("/", "<a href=/forever>1</a><a href=/good>2</a>")
        .page("/forever", "x")
        .page("/good", "x")
        .start()
        .await;
    let scratch = Scratch::new();
    let crawl = Crawl::builder().seed("http://a.test/").spider(Lost).folder(scratch.path("store"));
    let crawl = crawl.configure(|config| {
        config.fetch.resolve.insert("a.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.parse.threads = 2;
        config.grace = Duration::from_millis(50);
    });
    let mut running = crawl.build().unwrap().launch().await.unwrap();
    let handle = running.handle();
    while handle.stats().pages < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    handle.close();
    let begun = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(20), running.finish()).await.unwrap();
    println!("closed {:?} after the order, grace time 50ms", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5));
    // The page is not judged: the next run fetches it again.
    let report = ended.unwrap();
    assert!(matches!(report.end, End::Closed), "{report:?}");
    assert_eq!((report.counts.queued, report.counts.settled["ok"]), (1, 2), "{report:?}");
    assert!(report.counts.is_conserved());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_that_never_returns_costs_one_page_and_not_the_crawl() {
    let links: String = (0..40).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    let mut site = TestSite::builder()
        .page("/", format!("<a href=/forever>1</a>{links}"))
        .page("/forever", "x");
    for i in 0..40 {
        site = site.page(&format!("/p{i}"), "x");
    }
    let site = site.start().await;
    let scratch = Scratch::new();
    let crawl = Crawl::builder().seed("http://a.test/").spider(Lost).folder(scratch.path("store"));
    let crawl = crawl.configure(|config| {
        config.fetch.resolve.insert("a.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.parse.threads = 1;
        config.parse.max_time = Duration::from_millis(300);
    });
    let mut running = crawl.build().unwrap().launch().await.unwrap();
    let finish = running.finish();
    let report = tokio::time::timeout(Duration::from_secs(20), finish).await.unwrap().unwrap();
    let counts = &report.counts;
    assert_eq!(counts.settled["ok"], 41, "{counts:?}");
    assert_eq!(counts.settled["spider-timeout"], 1, "{counts:?}");
}

/// Books; about a tenth more pages.
const BOOKS: u32 = 3_000;
/// The same for the strict measure: many turns, so that what else the machine does evens out.
const MANY_BOOKS: u32 = 60_000;
/// Callbacks that never end.
const ENDLESS: usize = 10;
/// How long they are busy, and then at rest, in turns.
const TURN: Duration = Duration::from_millis(200);
/// What the child needs to know: `ADDR FOLDER`.
const CHILD: &str = "CRAWL_HANGING_CHILD";

/// Whether those that never end are busy. Machines change their speed within a second, so the
/// rates beside busy ones and beside idle ones are measured in turns, in the same crawl.
static IS_BUSY: AtomicBool = AtomicBool::new(true);

/// Follows all, works on each page as a spider does, and hangs on some of the first books.
struct Busy {
    hangs: AtomicUsize,
}

impl Spider for Busy {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let hangs = &self.hangs;
        let take = |n: usize| n.checked_sub(1);
        if page.url().path().starts_with("/catalogue/")
            && hangs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
        {
            hang();
        }
        let titles = page.css("h1, h3 a")?.into_iter().map(|node| node.text()).collect::<Vec<_>>();
        out.item(&titles)?;
        out.follow_links(page);
        Ok(())
    }
}

fn hang() -> ! {
    loop {
        while IS_BUSY.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn ten_endless_callbacks_leave_the_good_pages_their_rate_and_the_process_its_end() {
    let is_strict = std::env::var_os("CRAWL_HANGING_STRICT").is_some();
    let (rounds, books) = if is_strict { (5, MANY_BOOKS) } else { (1, BOOKS) };
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let Rates { idle, busy, took } = rates(books);
        let ratio = busy / idle;
        println!(
            "round {round}: beside {ENDLESS} idle ones {idle:.0} pages/s, beside busy ones \
             {busy:.0}: {ratio:.2}; the process ended {took:?} after its crawl"
        );
        assert!(took < Duration::from_secs(5), "{took:?}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    // Unless asked to be strict: other tests run beside this one, and the turns are few.
    let least = if is_strict { 0.9 } else { 0.4 };
    assert!(median >= least, "{median:.2}");
}

/// Good pages per second, and how long the process took to end when its crawl had.
struct Rates {
    idle: f64,
    busy: f64,
    took: Duration,
}

/// Measures in a process of its own.
fn rates(books: u32) -> Rates {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, books, "0ms");
    let value = format!("{} {}", server.addr, scratch.path("store").display());
    let output = finish(again("hanging::crawler_that_is_measured", CHILD, &value));
    let ended = SystemTime::now();
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |name: &str| -> f64 {
        let line = said.split(name).nth(1).unwrap_or_else(|| panic!("no{name}in {said}"));
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let end_ms = number(" ended-ms ") as u64;
    let ended_ms = ended.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let took = Duration::from_millis(ended_ms.saturating_sub(end_ms));
    Rates { idle: number(" idle "), busy: number(" busy "), took }
}

/// The child of the test above: nothing to do unless it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn crawler_that_is_measured() {
    let Ok(value) = std::env::var(CHILD) else { return };
    let (addr, folder) = value.split_once(' ').unwrap();
    let crawl = Crawl::builder()
        .seed("http://bookshop.test/")
        .folder(folder)
        .spider(Busy { hangs: AtomicUsize::new(ENDLESS) })
        .configure(|config| {
            config.fetch.resolve.insert("bookshop.test".into(), addr.into());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.politeness.per_host = 16.try_into().unwrap();
            // Long enough for any good page on a busy machine.
            config.parse.max_time = Duration::from_secs(1);
            config.grace = Duration::from_secs(1);
        });
    let mut running = crawl.build().unwrap().launch().await.unwrap();
    let handle = running.handle();
    let turns = std::thread::spawn(move || take_turns(&handle));
    let report = running.finish().await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let [idle, busy] = turns.join().unwrap();
    let n_hung = report.counts.settled.get("spider-timeout").copied().unwrap_or(0);
    assert!(n_hung >= ENDLESS as u64, "{:?}", report.counts);
    println!("\n idle {idle} busy {busy} ended-ms {}", now.as_millis());
}

/// Has those that hang be busy and idle in turns, once all are given up, till the crawl ends;
/// returns the pages per second beside idle and beside busy ones.
fn take_turns(handle: &Handle) -> [f64; 2] {
    let all_hang = |counts: &Counts| {
        counts.settled.get("spider-timeout").is_some_and(|n| *n >= ENDLESS as u64)
    };
    while !all_hang(&handle.stats()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (mut pages, mut seconds) = ([0, 0], [0.0, 0.0]);
    for turn in 0.. {
        let is_busy = turn % 2 == 1;
        IS_BUSY.store(is_busy, Ordering::Relaxed);
        let (before, since) = (handle.stats(), Instant::now());
        std::thread::sleep(TURN);
        let (after, elapsed) = (handle.stats(), since.elapsed());
        // The last of the crawl is no measure of anything.
        if after.queued == 0 && turn > 1 {
            break;
        }
        pages[usize::from(is_busy)] += after.pages - before.pages;
        seconds[usize::from(is_busy)] += elapsed.as_secs_f64();
    }
    IS_BUSY.store(true, Ordering::Relaxed);
    [0, 1].map(|i| pages[i] as f64 / seconds[i])
}
