//! What the set costs with nearly all of it on disk. Proves nothing, prints figures:
//!
//! ```text
//! SEEN_MILLIONS=10 cargo test --release -p crawl-frontier figures -- --ignored --nocapture
//! ```
//!
//! `SEEN_FOLDER` is where the runs go; else the system's folder for temporary files.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::*;

/// As many as a crawl with little memory keeps young.
const YOUNG: usize = 2_000_000;
const N_CHECKS: u64 = 4_000_000;

fn print(n: u64) -> Fingerprint {
    Fingerprint(Fingerprint(n).number(1))
}

/// The checks of a crawl in no order: half of them known, spread over all.
fn asked(n: u64, n_known: u64) -> Fingerprint {
    let chosen = Fingerprint(n).number(2);
    print(if chosen & 1 == 0 { (chosen >> 1) % n_known } else { 1 << 62 | chosen })
}

fn rss_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0_u64) / 1024
}

fn disk_bytes(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// Time on the clock and time of this thread on a processor: the machine may have other work.
#[derive(Clone, Copy)]
struct Took(Duration, Duration);

impl Took {
    fn now() -> Self {
        static START: OnceLock<Instant> = OnceLock::new();
        let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let ns = stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
        Self(START.get_or_init(Instant::now).elapsed(), Duration::from_nanos(ns))
    }

    fn since(start: Self) -> Self {
        let now = Self::now();
        Self(now.0 - start.0, now.1 - start.1)
    }
}

fn rate(what: &str, n: u64, took: Took) {
    let [clock, own] = [took.0, took.1].map(|took| n as f64 / took.as_secs_f64());
    println!("{what:<34} {clock:>9.0} a second, {own:>9.0} a second of its thread's");
}

/// Learns so many, while another thread writes and merges.
fn learn(seen: &Seen, folder: &Path, n: u64) -> Took {
    let (send, frozen) = sync_channel::<Frozen>(1);
    std::thread::scope(|scope| {
        let background = scope.spawn(move || {
            for frozen in frozen {
                seen.install(frozen.write(folder).unwrap());
                merge(seen);
            }
        });
        let start = Took::now();
        for n in 0..n {
            assert_eq!(seen.learn(print(n), None, 3, false), Learnt::New);
            if seen.n_young() >= YOUNG {
                seen.freeze().into_iter().for_each(|frozen| send.send(frozen).unwrap());
            }
        }
        let took = Took::since(start);
        let start = Instant::now();
        drop(send);
        background.join().unwrap();
        seen.freeze().into_iter().for_each(|last| seen.install(last.write(folder).unwrap()));
        merge(seen);
        println!("{:<34} {:>9.2} s more", "until all is written and merged", {
            start.elapsed().as_secs_f64()
        });
        took
    })
}

fn merge(seen: &Seen) {
    while let Some(old) = seen.merge_once().unwrap() {
        old.iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

fn check_one_by_one(seen: &Seen, from: u64, n_known: u64) -> u64 {
    (from..from + N_CHECKS).filter(|&n| seen.get(asked(n, n_known)).is_some()).count() as u64
}

fn check_many(seen: &Seen, at_once: u64, n_known: u64) -> u64 {
    let (mut prints, mut out, mut known) = (Vec::new(), Vec::new(), 0);
    for page in 0..N_CHECKS / at_once {
        prints.clear();
        let from = (1 << 50) + page * at_once;
        prints.extend((from..from + at_once).map(|n| asked(n, n_known)));
        seen.get_many(&prints, &mut out);
        known += out.iter().flatten().count() as u64;
    }
    known
}

#[test]
#[ignore = "prints figures; takes minutes and gigabytes with many"]
fn figures() {
    let millions = std::env::var("SEEN_MILLIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let n = millions * 1_000_000_u64;
    let dir = match std::env::var_os("SEEN_FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let dir = dir.unwrap();
    let before = rss_mb();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    rate("learn, one thread", n, learn(&seen, dir.path(), n));
    println!("{:<34} {:>9}", "runs", seen.run_names().len());
    let on_disk = disk_bytes(dir.path()) as f64 / n as f64;
    println!("{:<34} {on_disk:>9.2}", "bytes of disk a print");

    let names = seen.run_names();
    drop(seen);
    let start = Instant::now();
    let seen = Seen::open(dir.path(), &names).unwrap();
    println!("{:<34} {:>9.2} s", "open", start.elapsed().as_secs_f64());
    let in_ram = seen.ram_bytes();
    println!("{:<34} {:>9.2}", "bytes of memory a print", in_ram as f64 / n as f64);

    for at in [1 << 48, 1 << 49] {
        let start = Took::now();
        let known = check_one_by_one(&seen, at, n);
        rate("check, one thread, one by one", N_CHECKS, Took::since(start));
        assert!(known.abs_diff(N_CHECKS / 2) < N_CHECKS / 100);
    }
    for at_once in [50, 500] {
        let start = Took::now();
        let known = check_many(&seen, at_once, n);
        rate(&format!("check, one thread, {at_once} at once"), N_CHECKS, Took::since(start));
        assert!(known.abs_diff(N_CHECKS / 2) < N_CHECKS / 100);
    }
    let start = Took::now();
    std::thread::scope(|scope| {
        scope.spawn(|| check_one_by_one(&seen, 1 << 51, n));
        check_one_by_one(&seen, 1 << 52, n);
    });
    rate("check, one of two threads", N_CHECKS, Took::since(start));
    let start = Took::now();
    (0..N_CHECKS).for_each(|n| seen.set(print(n), Standing::Ended(crawl_model::Verdict::Ok)));
    rate("set", N_CHECKS, Took::since(start));
    let own = seen.ram_bytes() >> 20;
    println!("{:<34} {:>9} MB, {own} of them told", "memory", rss_mb() - before);
}
