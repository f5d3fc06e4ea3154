//! How many instructions and allocations a crawl takes: by valgrind, which counts them whatever else
//! the machine is at.
//!
//! Callgrind notes each call, so no build of its own with an allocator that counts is needed, and a
//! plugin's allocations and those of C code are among them. The kernel's instructions are not; what
//! the start of the process costs is, so figures of few pages are too high.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::crawler::{Crawler, broken};
use crate::cli::failure::{Exit, Failure};

/// What a crawl took, a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Counts {
    /// Instructions in user mode.
    pub(crate) instructions: f64,
    /// Calls that gave memory, `realloc` among them.
    pub(crate) allocations: f64,
}

/// Sums over a whole process.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    instructions: u64,
    allocations: u64,
}

/// Demands that there is something to count with.
pub(crate) fn check() -> Result<(), Failure> {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match version.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(Failure::new(Exit::Usage, "`--count` needs valgrind, which is not there")
            .hint("install the package valgrind")),
    }
}

/// Crawls once more under callgrind.
pub(crate) fn count(crawler: &Crawler, cores: &[usize]) -> Result<Counts, Failure> {
    let calls = crawler.file("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", calls.display()))
        .arg(std::env::current_exe().map_err(broken)?);
    let crawled = crawler.crawl_by(valgrind, cores)?;
    let sums = sums_in(&calls).map_err(broken)?;
    let per_page = |sum: u64| sum as f64 / crawled.pages as f64;
    Ok(Counts {
        instructions: per_page(sums.instructions),
        allocations: per_page(sums.allocations),
    })
}

fn sums_in(path: &Path) -> io::Result<Sums> {
    let mut sums = Sums::default();
    let mut reading = Reading::default();
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        reading.take(&String::from_utf8_lossy(&line?), &mut sums);
    }
    Ok(sums)
}

/// Where in a profile the reading is: its lines hang together.
#[derive(Default)]
struct Reading {
    is_in_allocator: bool,
    calls_allocator: bool,
}

impl Reading {
    /// The next line of a profile: "Callgrind Format Specification", in valgrind's manual.
    fn take(&mut self, line: &str, sums: &mut Sums) {
        if let Some(name) = line.strip_prefix("fn=") {
            self.is_in_allocator = is_of_allocator(name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            self.calls_allocator = gives_memory(name);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            // One function of the allocator asks another: that is one allocation.
            if std::mem::take(&mut self.calls_allocator) && !self.is_in_allocator {
                sums.allocations += first_number(calls);
            }
        } else if let Some(totals) = line.strip_prefix("totals:") {
            sums.instructions = first_number(totals);
        }
    }
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Whether this function is mimalloc's, or one of those names under which libc's callers get it.
fn is_of_allocator(name: &str) -> bool {
    name.trim_start_matches('_').starts_with("mi_") || gives_memory(name)
}

fn gives_memory(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["malloc", "zalloc", "calloc", "realloc", "posix_memalign", "memalign", "aligned_alloc"];
    let name = name.strip_prefix("mi_").unwrap_or(name);
    // A function that calls itself has a number behind its name.
    let name = name.split_once('\'').map_or(name, |(name, _)| name);
    NAMES.contains(&name.strip_suffix("_aligned").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_allocation_is_counted_once() {
        let profile = "fl=x.rs\nfn=alloc::raw_vec::finish_grow\n0 12\ncfi=static.c\n\
            cfn=mi_malloc_aligned\ncalls=7 0\n0 99\ncfn=mi_free\ncalls=6 0\n0 5\n\n\
            fn=mi_malloc_aligned\n0 3\ncfn=mi_malloc\ncalls=7 0\n0 9\n\n\
            fn=(below main)\ncfn=mi_realloc_aligned\ncalls=2 0\n0 1\ncfn=calloc\ncalls=1 0\n\n\
            totals: 4711\n";
        let (mut sums, mut reading) = (Sums::default(), Reading::default());
        profile.lines().for_each(|line| reading.take(line, &mut sums));
        assert_eq!(sums, Sums { instructions: 4_711, allocations: 10 });
    }
}
