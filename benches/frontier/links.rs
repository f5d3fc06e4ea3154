//! How fast links are taken in: read, judged, queued and durable.
//!
//! `cargo bench --manifest-path benches/frontier/Cargo.toml --bench links` takes in 10 million;
//! a number behind `--` is another number of millions. Half of the links are known.

use std::process::ExitCode;

use crawl_bench_frontier::crawl::Error;
use crawl_bench_frontier::growth::{Growth, Unit};

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode, Error> {
    let growth = Growth {
        name: "links",
        unit: Unit::Links,
        judge: |grown, judge| {
            judge.at_least("links a second", grown.crawl["links/s"], 500_000.0);
            judge.at_most("peak RSS in MB", grown.crawl["peak MB"], 300.0);
        },
    };
    growth.run()
}
