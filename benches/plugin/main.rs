//! What the boundary of a plugin costs: the same spider, linked in and loaded.
//!
//! A product list of 24 KB with 81 links and 15 cards. Both read the same page in turn, for some
//! milliseconds each, so that a noisy machine is noisy for both; the times are those of the thread's
//! own CPU, the figures the medians of the rounds.
//!
//! `cargo bench --manifest-path benches/plugin/Cargo.toml` builds the plugin as `crawl` does, prints
//! the costs, and fails if the boundary costs more than 10 us a page.

#[path = "../parser/page.rs"]
mod page;

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use crawl_bench_spider::Shop;
use crawl_parser::{TestPage, page_from_html};
use crawl_spider::{Args, FromArgs, Harvest, Spider};
use rustix::time::{ClockId, clock_gettime};

/// As in the `crawl` binary; here with its `override`, so that a plugin's memory is its, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 61;
/// Seconds of one contender in one round.
const SLICE: f64 = 0.02;
/// Most that the boundary may cost, in microseconds a page.
const MOST: f64 = 10.0;

fn main() -> ExitCode {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("spider");
    let mut tree = Args::default();
    tree.set("tree", "yes");
    let mut is_fine = true;
    for (what, args) in [("cards while streaming", Args::default()), ("cards of the tree", tree)] {
        let linked = Shop::from_args(&args).expect("it takes these");
        let loaded = crawl_plugin::load(&plugin, &args).expect("it builds and loads");
        let html = page::product_list();
        let open = || page_from_html("http://shop.test/list", &html).expect("a URL");
        let kept = open().with_spider(&linked);
        check(&linked, &loaded, &kept);
        // The callback alone, over a page that has been read; then with all the reading.
        let callback = measure(&|spider| parse(spider, &kept), &linked, &loaded);
        let whole = measure(&|spider| parse(spider, &open().with_spider(spider)), &linked, &loaded);
        for (part, [linked, loaded]) in [("callback", callback), ("page read", whole)] {
            let more = loaded - linked;
            println!("{what}, {part:9}: linked in {linked:6.1} us, loaded {loaded:6.1} us, boundary {more:5.1} us");
        }
        is_fine &= callback[1] - callback[0] <= MOST;
    }
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(spider: &dyn Spider, page: &TestPage) -> usize {
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).expect("it reads the page");
    out.items().len() + out.follows().len()
}

/// Both give the same.
fn check(linked: &dyn Spider, loaded: &dyn Spider, page: &TestPage) {
    let harvest = |spider: &dyn Spider| {
        let mut out = Harvest::new();
        spider.parse(&page.page(), &mut out).expect("it reads the page");
        out.into_parts()
    };
    let (linked, loaded) = (harvest(linked), harvest(loaded));
    assert_eq!((linked.items.len(), linked.follows.len()), (page::CARDS, page::LINKS));
    assert_eq!((linked.items, linked.follows), (loaded.items, loaded.follows));
}

/// Microseconds a page, linked in and loaded.
fn measure(
    work: &dyn Fn(&dyn Spider) -> usize,
    linked: &dyn Spider,
    loaded: &dyn Spider,
) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (spider, times) in [linked, loaded].into_iter().zip(&mut times) {
            let (start, mut n) = (cpu_seconds(), 0.0);
            let spent = loop {
                for _ in 0..16 {
                    black_box(work(spider));
                }
                n += 16.0;
                let spent = cpu_seconds() - start;
                if spent >= SLICE {
                    break spent;
                }
            };
            times.push(spent / n * 1e6);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
