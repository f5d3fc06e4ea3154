//! A disk that fills up. Needs one that is small, so it runs where a `tmpfs` may be mounted:
//! `CRAWL_STORE_TEST_FULL_DISK=1 cargo test -p crawl-store --test it full`, as root.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crawl_model::{Entry, Outcome, Source};
use crawl_store::{Options, Store, StoreError};

use crate::rig::{Brings, Rig, config, item};

const WANTED: &str = "CRAWL_STORE_TEST_FULL_DISK";

/// A file system of a few MiB; unmounted on drop.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with the reason printed, where it was not asked for or may not be made.
    fn new(mib: u32) -> Option<Self> {
        if std::env::var_os(WANTED).is_none() {
            println!("skipped: {WANTED} is not set");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .status();
        if !mount.is_ok_and(|status| status.success()) {
            println!("skipped: a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves so many bytes free.
    fn fill(&self, free: usize) {
        let mut ballast = fs::File::create(self.path().join("ballast")).unwrap();
        let piece = [0; 4096];
        while ballast.write_all(&piece).is_ok() {}
        let len = ballast.metadata().unwrap().len();
        ballast.set_len(len.saturating_sub(free as u64)).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Settles pages until the writer gives up; returns how many were acknowledged, and why it did.
fn fill_up(rig: &mut Rig, mut next: impl FnMut(&Rig, u64) -> Entry) -> (u64, StoreError) {
    let mut acked = 0;
    for i in 0.. {
        let entry = next(rig, i);
        if rig.entries.as_ref().unwrap().blocking_send(entry).is_err() {
            break;
        }
        match rig.outcome() {
            Some(Outcome::Settled { .. } | Outcome::Found { .. }) => acked += 1,
            Some(other) => panic!("{other:?}"),
            None => break,
        }
    }
    (acked, rig.end().unwrap_err())
}

fn page(rig: &Rig, i: u64) -> Entry {
    let found = (0..80).map(|j| rig.found(&format!("http://h{}/{i}/{j}", i * j))).collect();
    let items = vec![item(&format!("\"{}\"", "x".repeat(300)))];
    rig.page(&format!("http://h/{i}"), Brings { found, items, ..Brings::default() })
}

fn seeds(rig: &Rig, i: u64) -> Entry {
    let seed = |j: u64| rig.found(&format!("http://h{}/{}", i * j, u64::MAX / (i + j + 1)));
    Entry::Found { found: (0..2000).map(seed).collect(), source: Source::Seeds }
}

#[test]
fn a_full_disk_ends_the_writer_and_loses_nothing() {
    for (free, next, n_events_each) in [
        (300_000, page as fn(&Rig, u64) -> Entry, 81),
        (600_000, page, 81),
        (40_000, page, 81),
        (300_000, seeds, 2000),
        (0, seeds, 2000),
    ] {
        let Some(disk) = SmallDisk::new(24) else { return };
        let crawl = disk.path().join("crawl");
        let mut rig = Rig::new(&crawl);
        disk.fill(free);
        let (acked, error) = fill_up(&mut rig, next);
        assert!(error.is_disk_full(), "{error:?}");
        assert!(error.hint().unwrap().contains("make room"), "{error:?}");
        println!("{free} bytes free: {acked} acknowledged, then: {error}");
        drop(rig);

        // Nor can it be opened with nothing to be had, and that is said; or it can.
        if let Err(error) = Store::open(&config(&crawl), Options::default()) {
            println!("opened without room: {error}");
            assert!(error.is_disk_full(), "{error:?}");
        }
        disk.make_room();
        let mut rig = Rig::new(&crawl);
        let n_events = rig.store.events().map(Result::unwrap).count() as u64;
        assert!(n_events >= acked * n_events_each, "{n_events} events, {acked} acknowledged");
        let last = rig.store.recovery().last;
        rig.settle("http://h/after", Brings::default());
        assert_eq!(rig.store.reader().last().unwrap(), last + 1);
    }
}
