//! Every item stands in the file exactly once, whatever happened on the way.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crawl_feeds::{Feed, FeedConfig, FeedError};
use crawl_store::{Progress, Store, WriterEdges};
use tokio::sync::{mpsc, watch};

use crate::rig::{Rig, open};

fn feed(folder: &Path, store: &Store, fresh: bool) -> Result<Feed, FeedError> {
    Feed::open(&FeedConfig::to(folder.join("items.jsonl")), store.reader(), fresh)
}

/// The file's lines for pages `0..n`.
fn lines(n: u64) -> String {
    (0..n).map(|i| format!("{{\"i\":{i},\"of\":\"a\"}}\n{{\"i\":{i},\"of\":\"b\"}}\n")).collect()
}

fn file(folder: &Path) -> String {
    fs::read_to_string(folder.join("items.jsonl")).unwrap()
}

#[test]
fn what_is_still_on_its_way_when_the_crawl_ends_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let mut rig = Rig::new(dir.path());
        (run * 50..(run + 1) * 50).for_each(|i| rig.send(i));
        rig.end(); // without waiting for a single outcome
        assert_eq!(file(dir.path()), lines((run + 1) * 50));
        let name = dir.path().join("items.jsonl").display().to_string();
        let cursor = rig.store.reader().feed_cursor(&name).unwrap().unwrap();
        assert_eq!((cursor.n, cursor.len), ((run + 1) * 50, file(dir.path()).len() as u64));
    }
}

#[test]
fn what_lies_beyond_the_last_report_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::write(dir.path().join("items.jsonl"), lines(9) + "{\"torn").unwrap();
    let mut rig = Rig::new(dir.path());
    assert!(rig.notes[0].contains("cut back"), "{:?}", rig.notes);
    (5..7).for_each(|i| rig.send(i));
    rig.end();
    assert_eq!(file(dir.path()), lines(7));
}

#[test]
fn a_missing_or_shorter_file_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::write(dir.path().join("items.jsonl"), &lines(5)[..30]).unwrap();
    let mut rig = Rig::new(dir.path());
    assert!(rig.notes[0].contains("written anew"), "{:?}", rig.notes);
    rig.end();
    drop(rig);
    assert_eq!(file(dir.path()), lines(5));
    fs::remove_file(dir.path().join("items.jsonl")).unwrap();
    let mut rig = Rig::new(dir.path());
    rig.send(5);
    rig.end();
    assert_eq!(file(dir.path()), lines(6));
}

#[test]
fn a_file_that_this_crawl_did_not_write_is_refused_and_fresh_overwrites_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("items.jsonl"), "yours\n").unwrap();
    let store = open(dir.path(), false);
    let error = feed(dir.path(), &store, false).unwrap_err();
    assert!(matches!(error, FeedError::NotOurs { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--fresh"));
    assert_eq!(file(dir.path()), "yours\n");
    drop(store);
    let mut rig = Rig::with(dir.path(), &[FeedConfig::to(dir.path().join("items.jsonl"))], true);
    rig.send(0);
    rig.end();
    assert_eq!(file(dir.path()), lines(1));
}

#[test]
fn two_feeds_cannot_share_a_file_and_unknown_formats_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), false);
    let _first = feed(dir.path(), &store, false).unwrap();
    assert!(matches!(feed(dir.path(), &store, false), Err(FeedError::InUse { .. })));
    let odd = Feed::open(&FeedConfig::to("items.xyz"), store.reader(), false).unwrap_err();
    assert!(odd.to_string().contains("items.xyz"));
    assert!(!Path::new("items.xyz").exists());
}

#[test]
fn a_new_feed_of_an_old_crawl_starts_with_its_first_item() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::rename(dir.path().join("items.jsonl"), dir.path().join("old.jsonl")).unwrap();
    let store = open(dir.path(), false);
    let config = FeedConfig::to(dir.path().join("sub/new.jsonl"));
    let feed = Feed::open(&config, store.reader(), false).unwrap();
    let (entries, from_entries) = mpsc::channel(64);
    let settled = Arc::new(watch::channel(Progress { n: 5, last: true }).0);
    let progress = settled.subscribe();
    let writer = store.writer(WriterEdges {
        entries: from_entries,
        outcomes: mpsc::channel(1).0,
        pages: None,
        settled,
        open: Arc::default(),
    });
    let writer = std::thread::spawn(move || writer.run());
    feed.run(progress, entries).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("sub/new.jsonl")).unwrap(), lines(5));
}

#[test]
fn a_feed_ends_when_its_writer_has_failed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), false);
    // The engine keeps the sender; only the closed edge tells that the writer is gone.
    let settled = watch::channel(Progress::default()).0;
    let (entries, from_entries) = mpsc::channel(64);
    let feed = feed(dir.path(), &store, false).unwrap();
    let progress = settled.subscribe();
    let running = std::thread::spawn(move || feed.run(progress, entries));
    drop(from_entries);
    running.join().unwrap().unwrap();
}
