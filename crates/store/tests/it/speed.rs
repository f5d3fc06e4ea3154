//! How many links a second the writer takes. Not run by itself, for its figures are those of a
//! release build:
//! `cargo test --release -p crawl-store --test it speed -- --ignored --nocapture`.

use std::time::Instant;

use crawl_model::{Entry, Found, Outcome, Request, Source};

use crate::rig::{Brings, Rig, url};

const LINKS: u64 = 80;
const BATCHES: u64 = 25_000;
/// Messages in hand at a time.
const WINDOW: u64 = 1_000;

fn links(rig: &Rig, batch: u64) -> Vec<Found> {
    let link = |i: u64| {
        let number = (batch * LINKS + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (host, number) = (number >> 44, number % 10_000_000_000);
        let request = Request::get(url(&format!("http://h{host:07}.test/p/{number:010}")));
        rig.with_print(request)
    };
    (0..LINKS).map(link).collect()
}

fn batch(rig: &Rig, at: u64) -> Entry {
    Entry::Found { found: links(rig, at), source: Source::Page }
}

fn page(rig: &Rig, at: u64) -> Entry {
    let found = links(rig, at);
    rig.page(&format!("http://h{at}.test/"), Brings { found, ..Brings::default() })
}

fn measure(name: &str, batches: u64, make: fn(&Rig, u64) -> Entry) {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let entries: Vec<Entry> = (0..batches).map(|at| make(&rig, at)).collect();
    let begin = Instant::now();
    let (mut sent, mut told, mut commits) = (0, 0, 0);
    let mut entries = entries.into_iter();
    let sender = rig.entries.clone().unwrap();
    while told < batches {
        while sent < batches.min(told + WINDOW) {
            sender.blocking_send(entries.next().unwrap()).unwrap();
            sent += 1;
        }
        match crawl_store::blocking::wait(rig.outcomes.recv()).unwrap() {
            Outcome::Committed(_) => commits += 1,
            _ => told += 1,
        }
        while let Ok(outcome) = rig.outcomes.try_recv() {
            match outcome {
                Outcome::Committed(_) => commits += 1,
                _ => told += 1,
            }
        }
    }
    let time = begin.elapsed();
    let n = batches * LINKS;
    let bytes = rig.store.log_end().offset;
    println!(
        "{name}: {:.0} links/s, {commits} commits of {:.1} ms, {:.1} bytes a link in the last file",
        n as f64 / time.as_secs_f64(),
        time.as_secs_f64() * 1000.0 / f64::from(commits),
        bytes as f64 / n as f64,
    );
    drop(sender);
}

#[test]
#[ignore = "prints figures, which are those of a release build"]
fn links_a_second() {
    measure("batches of 80", BATCHES, batch);
    measure("pages of 80", BATCHES / 5, page);
}
