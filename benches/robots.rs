//! What a URL costs against a robots.txt of 500 KB, and how long such a file takes to compile.
//!
//! `cargo bench -p crawl-robots` prints a line per file and fails if a URL of any of them takes
//! 1 ms or more, each URL's median of five rounds. The last is the worst we know.

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crawl_robots::Robots;

const BYTES: usize = 500_000;
const ALLOWED: Duration = Duration::from_millis(1);
const ROUNDS: usize = 5;
const WILDCARDS: usize = 50;

struct Case {
    name: &'static str,
    file: String,
    urls: Vec<String>,
}

fn main() -> ExitCode {
    let cases = cases();
    let kept = cases.iter().filter(|case| holds(case)).count();
    if kept == cases.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cases() -> Vec<Case> {
    let shop = |i: usize| format!("/shop/category-{}/item-{i}?page={}&sort=price", i % 97, i % 7);
    let shop: Vec<String> = (0..200).map(|i| shop(i * 61)).collect();
    vec![
        Case {
            name: "prefixes",
            file: file(|i| format!("/shop/category-{}/item-{}", i % 97, i * 7)),
            urls: shop.clone(),
        },
        Case { name: "short prefixes", file: file(|i| format!("/{i}")), urls: shop.clone() },
        Case {
            name: "one wildcard",
            file: file(|i| format!("/shop/*/item-{}*sort=", i * 7)),
            urls: shop.clone(),
        },
        Case { name: "wildcard first", file: file(|i| format!("/*item-{i}$")), urls: shop.clone() },
        Case {
            name: "50 wildcards, words",
            file: file(|i| format!("/{}{i}", "*item-".repeat(WILDCARDS))),
            urls: shop,
        },
        Case {
            name: "50 wildcards, the last one in vain",
            file: file(|i| in_vain(i) + "*c"),
            urls: vec![format!("/c{}", "ab".repeat(50)), format!("/c{}", "ab".repeat(1000))],
        },
        // The worst we know: the wildcards of all rules are tried one by one.
        Case {
            name: "50 wildcards, the last but one in vain",
            file: file(|i| in_vain(i) + "*c*b"),
            urls: vec![format!("/c{}", "ab".repeat(50)), format!("/c{}", "ab".repeat(1000))],
        },
    ]
}

/// A rule that fits any path of enough `a` and `b`.
fn in_vain(i: usize) -> String {
    let letter =
        |at: usize| if (i.wrapping_mul(0x9E37_79B9) >> (at % 32)) & 1 == 0 { "*a" } else { "*b" };
    (2..WILDCARDS).map(letter).collect()
}

/// A file of `BYTES` with one rule per number.
fn file(pattern: impl Fn(usize) -> String) -> String {
    let mut file = String::from("User-agent: *\n");
    for i in 0.. {
        let field = if i % 5 == 0 { "Allow" } else { "Disallow" };
        writeln!(file, "{field}: {}", pattern(i)).expect("a String takes all");
        if file.len() >= BYTES {
            break;
        }
    }
    file
}

fn holds(case: &Case) -> bool {
    let mut compile = Vec::new();
    let mut per_url = vec![Vec::new(); case.urls.len()];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let rules = black_box(Robots::parse(case.file.as_bytes())).rules("ExampleBot");
        compile.push(begun.elapsed());
        for (url, times) in case.urls.iter().zip(&mut per_url) {
            let begun = Instant::now();
            black_box(rules.allows(black_box(url)));
            times.push(begun.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let medians: Vec<Duration> = per_url.into_iter().map(median).collect();
    let slowest = medians.iter().max().copied().unwrap_or_default();
    println!(
        "robots/{}: {} rules, {:.1} us per URL, slowest {:.1} us; compiled in {:.1} ms",
        case.name,
        case.file.lines().count() - 1,
        us(medians.iter().sum()) / medians.len() as f64,
        us(slowest),
        us(median(compile)) / 1e3,
    );
    slowest < ALLOWED
}
