//! Whether a crawl stays as fast, and small, when it has seen a hundred million URLs.
//!
//! `cargo bench --manifest-path benches/frontier/Cargo.toml --bench seen -- 100` finds 100 million
//! URLs by 200 million links; without a number it is 10 million.

use std::process::ExitCode;

use crawl_bench_frontier::crawl::Error;
use crawl_bench_frontier::growth::{Growth, Unit};

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode, Error> {
    let growth = Growth {
        name: "seen",
        unit: Unit::Urls,
        judge: |grown, judge| {
            judge.at_least("checks a second", grown.crawl["links/s"], 200_000.0);
            let last = grown.crawl["last links/s"];
            judge.at_least("checks a second in the last tenth", last, 200_000.0);
            judge.at_most("peak RSS in MB", grown.crawl["peak MB"], 1000.0);
            judge.at_most("bytes of disk a URL", grown.disk_per_url(), 40.0);
            judge.at_most("seconds to reopen", grown.resume["seconds"], 30.0);
        },
    };
    growth.run()
}
