//! A death at each step that brings something to the disk, one after the other.
//!
//! `cargo test -p crawl-store --features crash-points --test it crash`

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crawl_store::{Options, Store, StoreError, crash};

use crate::kill::{check_whole, child, command};
use crate::rig::{Brings, Rig, config};

/// Small files, so that many are begun.
const LIMITS: [(&str, &str); 2] = [("CRAWL_LIMIT_SEGMENT", "600"), ("CRAWL_LIMIT_BODIES", "4000")];
/// What a process settles at most before it is killed where it did not die by itself.
const ENOUGH: usize = 40;

/// Lets a process of `role` run until it dies at `point`, or has done enough. Returns the last
/// number that it told of, and whether it died there.
fn die_at(role: &str, folder: &Path, point: &str, passings: u64) -> (u64, bool) {
    let mut child = command(role, folder)
        .env(crash::VARIABLE, format!("{point}:{passings}"))
        .envs(LIMITS)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (mut last, mut n_acks) = (0, 0);
    for line in lines {
        if let Some((_, n)) = line.split_once("ack ") {
            last = n.parse().unwrap();
            n_acks += 1;
        }
        if n_acks == ENOUGH {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    (last, std::os::unix::process::ExitStatusExt::signal(&status) == Some(6))
}

#[test]
fn a_death_at_any_step_loses_nothing_that_was_acknowledged() {
    let mut reached = BTreeSet::new();
    for point in crash::POINTS.iter().filter(|point| is_ours(point) && !point.starts_with("wipe")) {
        let dir = tempfile::tempdir().unwrap();
        let mut acked = 0;
        // First something for the next start to make good.
        let befores = ["log-half-appended", "segment-synced", "log-appended", "log-synced"];
        for (before, passings) in befores.into_iter().zip([1, 1, 2, 3]) {
            acked = acked.max(die_at("settle", dir.path(), before, 2).0);
            let (last, has_died) = die_at("settle", dir.path(), point, passings);
            acked = acked.max(last);
            if has_died {
                reached.insert(*point);
            }
            check_whole(dir.path(), acked);
        }
        assert!(reached.contains(point), "nothing passes {point}");
    }
}

#[test]
fn a_death_while_a_crawl_is_removed_leaves_the_old_one_or_none() {
    for point in crash::POINTS.iter().filter(|point| point.starts_with("wipe")) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        rig.settle("http://h/0", Brings::default());
        rig.end().unwrap();
        drop(rig);
        std::fs::create_dir(dir.path().join("frontier")).unwrap();
        let (_, has_died) = die_at("fresh", dir.path(), point, 1);
        assert!(has_died, "nothing passes {point}");
        let store = Store::open(&config(dir.path()), Options::default()).unwrap();
        let (last, n_events) = (store.recovery().last, store.events().count());
        assert!(matches!((last, n_events), (1, 1) | (0, 0)), "{point}: {last}, {n_events}");
        for folder in ["log", "frontier"] {
            assert_eq!(dir.path().join(folder).exists(), last == 1, "{point}: {folder}");
        }
        drop(store);
        child("fresh", dir.path()).wait().unwrap();
        let store: Result<Store, StoreError> = Store::open(&config(dir.path()), Options::default());
        assert_eq!(store.unwrap().recovery().last, 0);
    }
}

/// Other crates have points, too.
fn is_ours(point: &str) -> bool {
    ["recovery-", "log-", "journal-", "commit-", "bodies-", "segment-", "database-", "manifest-"]
        .iter()
        .any(|part| point.starts_with(part))
}
