//! What reading a page costs, beside the libraries that do a part of it.
//!
//! A product list of 24 KB with 81 links and 15 cards, as shops have them. Every contender reads
//! the same page in turn, so that a noisy machine is noisy for all; the figure is the median of
//! the rounds, the ratio that of the medians. One core, one thread.
//!
//! `cargo bench --manifest-path benches/parser/Cargo.toml` prints a line per contender and fails
//! if a floor is broken.

mod contenders;
mod page;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use contenders::Contenders;

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 41;
/// Time of one contender in one round.
const SLICE: Duration = Duration::from_millis(40);

/// A part of the reading, and by whom.
struct Lane<'a> {
    name: &'static str,
    work: Box<dyn Fn() -> usize + 'a>,
    /// Seconds per page, by round.
    times: Vec<f64>,
}

/// A ratio of speeds that must hold: `faster` is at least `floor` times as fast as `than`.
struct Floor {
    what: &'static str,
    faster: &'static str,
    than: &'static str,
    floor: f64,
}

const FLOORS: [Floor; 3] = [
    Floor {
        what: "decode, links, metadata, URLs, fingerprints against the links alone",
        faster: "ours: links",
        than: "lol_html: links",
        floor: 0.95,
    },
    Floor {
        what: "the same with the fields of 15 cards against links and fields alone",
        faster: "ours: links and cards",
        than: "lol_html: links and cards",
        floor: 0.9,
    },
    Floor {
        what: "DOM and five selectors against bare scraper",
        faster: "ours: tree and five selectors",
        than: "scraper: tree and five selectors",
        floor: 1.0 / 1.2,
    },
];

fn main() -> ExitCode {
    let page = page::product_list();
    let contenders = Contenders::new(&page);
    contenders.agree();
    let mut lanes: Vec<Lane<'_>> = contenders
        .all()
        .into_iter()
        .map(|(name, work)| Lane { name, work, times: Vec::new() })
        .collect();
    for _ in 0..ROUNDS {
        for lane in &mut lanes {
            let time = time_of(&lane.work);
            lane.times.push(time);
        }
    }
    println!("a page of {} bytes, {} links, {} cards", page.len(), page::LINKS, page::CARDS);
    for lane in &mut lanes {
        lane.times.sort_by(f64::total_cmp);
        let time = median(lane);
        println!("{:<34} {:7.1} us {:7.1} MB/s", lane.name, time * 1e6, page.len() as f64 / time / 1e6);
    }
    let kept = FLOORS.iter().filter(|floor| holds(floor, &lanes)).count();
    if kept == FLOORS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seconds per page over one slice.
fn time_of(work: &dyn Fn() -> usize) -> f64 {
    let start = Instant::now();
    let mut n = 0_u32;
    while start.elapsed() < SLICE {
        for _ in 0..8 {
            black_box(work());
        }
        n += 8;
    }
    start.elapsed().as_secs_f64() / f64::from(n)
}

fn median(lane: &Lane<'_>) -> f64 {
    lane.times[lane.times.len() / 2]
}

fn holds(floor: &Floor, lanes: &[Lane<'_>]) -> bool {
    let time = |name| median(lanes.iter().find(|lane| lane.name == name).expect("a lane's name"));
    let ratio = time(floor.than) / time(floor.faster);
    let holds = ratio >= floor.floor;
    let verdict = if holds { "holds" } else { "BROKEN" };
    println!("{}: {ratio:.2} times as fast (floor {:.2}, {verdict})", floor.what, floor.floor);
    holds
}
