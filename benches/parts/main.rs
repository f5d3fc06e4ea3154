//! `parts NAME N` does one part of the crawler's work N times, to be counted from outside: see
//! `README.md`.

mod reading;

use std::process::ExitCode;

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The parts, by name.
const PARTS: [(&str, fn(u64)); 5] = [
    ("urls", reading::urls),
    ("links", reading::links),
    ("cards", reading::cards),
    ("tree", reading::tree),
    ("scraper", reading::scraper),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let part = args.first().and_then(|name| PARTS.iter().find(|part| part.0 == name));
    let n = args.get(1).and_then(|n| n.parse().ok());
    match (part, n) {
        (Some((_, work)), Some(n)) => {
            work(n);
            ExitCode::SUCCESS
        }
        _ if args.is_empty() => {
            PARTS.iter().for_each(|(name, _)| println!("{name}"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: parts NAME N; without arguments the names are listed");
            ExitCode::from(2)
        }
    }
}
