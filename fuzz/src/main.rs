//! A generator of hostile input for machines without a nightly compiler.
//!
//! Takes honest documents apart and puts them together wrong: pieces cut, doubled, swapped,
//! nested, mixed with markup that is known to be awkward. Deterministic for a seed. Each input
//! is held against a limit of time and of memory that grows with its length.
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml -- SECONDS [TARGET...]`; a failure prints
//! its seed and leaves the input in `fuzz-TARGET-SEED.bin`.

mod generate;
mod memory;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crawl_fuzz::{TARGETS, Target};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Memory an input may need at its peak: a share by its length, and what everything costs.
fn allowed_bytes(len: usize) -> usize {
    400 * len + (24 << 20)
}

/// CPU time of this thread so far; the wall clock's where Linux does not tell it.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap_or_default(), Duration::from_nanos)
}

/// CPU time an input may take.
fn allowed_time(len: usize) -> Duration {
    // Unoptimised, the same work takes some ten times as long.
    let factor = if cfg!(debug_assertions) { 4 } else { 1 };
    factor * (Duration::from_millis(1500) + Duration::from_micros(20 * len as u64))
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(seconds) = args.next().and_then(|text| text.parse().ok()) else {
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: crawl-fuzz SECONDS [TARGET...]\ntargets: {}", names.join(" "));
        return ExitCode::from(2);
    };
    let wanted: Vec<String> = args.collect();
    let seed = std::env::var("CRAWL_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64)
    });
    let chosen = |target: &&Target| wanted.is_empty() || wanted.iter().any(|name| name == target.0);
    let mut failed = false;
    for target in TARGETS.iter().filter(chosen) {
        failed |= !run(target, Duration::from_secs(seconds), seed);
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Feeds one target; whether nothing went wrong.
fn run((name, target): &Target, time: Duration, first: u64) -> bool {
    let start = Instant::now();
    let (mut n, mut bytes, mut worst_time, mut worst_peak) = (0_u64, 0, Duration::ZERO, 0);
    while start.elapsed() < time {
        let seed = first.wrapping_add(n);
        let input = generate::input(name, seed);
        memory::reset();
        let began = cpu_time();
        let result = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let (took, peak) = (cpu_time().saturating_sub(began), memory::peak());
        let problem = match result {
            Err(_) => Some("a panic".to_owned()),
            Ok(()) if took > allowed_time(input.len()) => Some(format!("it took {took:?}")),
            Ok(()) if peak > allowed_bytes(input.len()) => Some(format!("it took {peak} bytes")),
            Ok(()) => None,
        };
        if let Some(problem) = problem {
            let file = format!("fuzz-{name}-{seed}.bin");
            let kept = std::fs::write(&file, &input).is_ok();
            println!("{name}: seed {seed}, {} bytes: {problem}; in {file}: {kept}", input.len());
            return false;
        }
        n += 1;
        bytes += input.len();
        worst_time = worst_time.max(took);
        worst_peak = worst_peak.max(peak);
    }
    println!(
        "{name}: {n} inputs, {} MB, seeds from {first}; longest {worst_time:?}, most memory {} KB",
        bytes >> 20,
        worst_peak >> 10
    );
    true
}
