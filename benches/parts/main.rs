//! `parts NAME N` does one part of the crawler's work N times, to be counted from outside: see
//! `README.md`.

mod knowing;
mod reading;

mod guest;

mod lasting;
mod waiting;

use std::process::ExitCode;

/// As in the `crawl` binary, with its `override`, so that a plugin's memory is its, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A part of the work.
struct Part {
    name: &'static str,
    /// How often it is done to be counted: the difference of the two is what counts.
    few: u64,
    many: u64,
    work: fn(u64),
}

const fn part(name: &'static str, few: u64, many: u64, work: fn(u64)) -> Part {
    Part { name, few, many, work }
}

/// The parts, in the order of a page's way.
const PARTS: [Part; 14] = [
    part("tokens", 20, 120, reading::tokens),
    part("urls", 20, 120, reading::urls),
    part("links", 20, 120, reading::links),
    part("cards", 20, 120, reading::cards),
    part("known-links", 20, 120, knowing::links),
    part("known-cards", 20, 120, knowing::cards),
    part("tree", 20, 120, reading::tree),
    part("scraper", 20, 120, reading::scraper),
    part("select", 20, 120, reading::select),
    part("plugin", 20, 120, guest::plugin),
    part("seen", 200, 2_200, waiting::seen),
    part("queue", 200, 2_200, waiting::queue),
    // Whole commits.
    part("settle", 1_024, 4_096, lasting::settle),
    part("items", 1_024, 4_096, lasting::items),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let part = args.first().and_then(|name| PARTS.iter().find(|part| part.name == name));
    let n = args.get(1).and_then(|n| n.parse().ok());
    match (part, n) {
        (Some(part), Some(n)) => {
            (part.work)(n);
            ExitCode::SUCCESS
        }
        _ if args.is_empty() => {
            PARTS.iter().for_each(|Part { name, few, many, .. }| println!("{name} {few} {many}"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "usage: parts NAME N; without arguments the parts are listed, each with two N"
            );
            ExitCode::from(2)
        }
    }
}
