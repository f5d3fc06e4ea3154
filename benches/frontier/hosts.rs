//! What a host costs in memory that waits and has nothing in hand.
//!
//! `cargo bench --manifest-path benches/frontier/Cargo.toml --bench hosts` takes in a million hosts
//! with one URL each; a number behind `--` is another number of millions, a second one another number
//! of URLs each.
//!
//! Every host is alone in its registered domain, and its name has 20 bytes. A checkpoint brings all
//! URLs to the disk, the crawl is killed, and what is measured is the memory of the process that opens
//! it again, when every host has its appointment: first with as many URLs on one host, so that what a
//! URL costs is not counted as the host's. Judged is what is in use; what the process has of the kernel
//! is more, for an allocator keeps some of what was used on the way there, such as the bytes of the
//! checkpoint.

use std::path::Path;
use std::process::ExitCode;

use cap::Cap;
use crawl_bench_frontier::crawl::{Crawl, Error};
use crawl_bench_frontier::figures::{cpu_by_thread, load, resident_bytes};
use crawl_bench_frontier::growth::new_folder;
use crawl_bench_frontier::judge::{Judge, show};
use crawl_bench_frontier::process::{Figures, Part, run_and_kill, tell_and_wait};
use crawl_frontier::FrontierConfig;
use crawl_model::{CanonicalUrl, Entry, Found, Request, Source};

/// As in the `crawl` binary, with a count of what is in use.
#[global_allocator]
static ALLOCATOR: Cap<mimalloc::MiMalloc> = Cap::new(mimalloc::MiMalloc, usize::MAX);

/// URLs in one message to the store.
const BATCH: u64 = 1000;
const MOST_BYTES: f64 = 128.0;

fn main() -> Result<ExitCode, Error> {
    match Part::read() {
        Part::Lead(args) => lead(&args),
        Part::Child(part, folder, numbers) => match (part.as_str(), &numbers[..]) {
            ("crawl", &[n_hosts, n_urls]) => crawl(&folder, n_hosts, n_urls),
            ("resume", &[n_hosts, n_urls]) => resume(&folder, n_hosts, n_urls),
            _ => Err(format!("there is no part `{part}` with numbers {numbers:?}").into()),
        },
    }
}

fn lead(args: &[String]) -> Result<ExitCode, Error> {
    let numbers = args.iter().map(|arg| arg.parse::<f64>()).collect::<Result<Vec<_>, _>>()?;
    let (millions, each) = match numbers[..] {
        [] if cfg!(debug_assertions) => (0.02, 1.0),
        [] => (1.0, 1.0),
        [millions] => (millions, 1.0),
        [millions, each] => (millions, each),
        _ => return Err("it takes two numbers: millions of hosts, and URLs of each".into()),
    };
    let n_hosts = (millions * 1e6).max(1.0) as u64;
    let n_urls = n_hosts * (each as u64).max(1);
    println!("hosts: {} with {each} URLs each; load {}", show(n_hosts as f64), load());
    let one = measure(1, n_urls)?;
    let all = measure(n_hosts, n_urls)?;
    let each = |name: &str| (all[name] - one[name]) / n_hosts as f64;
    println!(
        "  {} MB resident, {} MB with all URLs on one host: {:.1} bytes a host",
        show(all["resident"] / 1e6),
        show(one["resident"] / 1e6),
        each("resident")
    );
    let mut judge = Judge::of(millions);
    judge.at_most("bytes in use for a host that waits", each("in use"), MOST_BYTES);
    Ok(judge.exit())
}

/// What there is in memory once `n_urls` on `n_hosts` hosts wait.
fn measure(n_hosts: u64, n_urls: u64) -> Result<Figures, Error> {
    let folder = new_folder("hosts")?;
    let crawl = run_and_kill("crawl", &folder, &[n_hosts, n_urls])?;
    let resume = run_and_kill("resume", &folder, &[n_hosts, n_urls])?;
    std::fs::remove_dir_all(&folder)?;
    println!(
        "  {} hosts: {:.2} us of the frontier's CPU for each URL",
        show(n_hosts as f64),
        crawl["frontier cpu"] / n_urls as f64 * 1e6
    );
    Ok(resume)
}

/// One checkpoint, when all is there.
fn at_the_end(n_urls: u64) -> impl FnOnce(&mut FrontierConfig) {
    move |config| {
        config.queue.memory_mib = 1024.try_into().expect("it is not zero");
        config.queue.checkpoint_after =
            u32::try_from(n_urls).ok().and_then(|n| n.try_into().ok()).expect("a number of URLs");
        config.scope.max_hosts_per_domain = 10_000;
    }
}

fn url(i: u64, n_hosts: u64) -> CanonicalUrl {
    let text = format!("http://www.host{:07}.test/p/{i}", i % n_hosts);
    CanonicalUrl::parse(&text).expect("it is a URL")
}

fn crawl(folder: &Path, n_hosts: u64, n_urls: u64) -> Result<ExitCode, Error> {
    let running = Crawl::open(folder, at_the_end(n_urls))?.start();
    let mut i = 0;
    while i < n_urls {
        let end = (i + BATCH).min(n_urls);
        let found = (i..end).map(|i| {
            let request = Request { depth: 3, ..Request::get(url(i, n_hosts)) };
            let print = running.view.fingerprint_of(&request);
            Found { print, request, filtered: None, renews: false }
        });
        let entry = Entry::Found { found: found.collect(), source: Source::Page };
        running.entries.blocking_send(entry).expect("the writer is there");
        i = end;
    }
    let _ = running.wait_for(n_urls);
    wait_for_checkpoint(folder);
    let figures = [("frontier cpu".to_owned(), cpu_by_thread()["frontier"])];
    Ok(tell_and_wait(figures))
}

/// Waits for the file that a checkpoint puts into its place when all of it is on the disk.
fn wait_for_checkpoint(folder: &Path) {
    for _ in 0..6000 {
        if folder.join("frontier/checkpoint").exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("there is no checkpoint after a minute");
}

fn resume(folder: &Path, n_hosts: u64, n_urls: u64) -> Result<ExitCode, Error> {
    let crawl = Crawl::open(folder, at_the_end(n_urls))?;
    assert!(crawl.has_checkpoint, "it begins with the checkpoint");
    assert_eq!(crawl.resumed.queued, n_urls, "every URL waits, on {n_hosts} hosts");
    give_back();
    let figures = [("in use", ALLOCATOR.allocated() as f64), ("resident", resident_bytes() as f64)];
    Ok(tell_and_wait(figures.map(|(name, figure)| (name.to_owned(), figure))))
}

/// Lets the allocator give back what was freed, such as the bytes of the checkpoint: it does so a
/// while later, when it is asked for something.
fn give_back() {
    for _ in 0..50 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        drop(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}
