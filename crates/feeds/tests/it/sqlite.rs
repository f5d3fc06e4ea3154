//! Tables of SQLite files.

use std::path::Path;

use crawl_feeds::{FeedConfig, FeedError};
use rusqlite::Connection;
use serde_json::json;

use crate::read::table;
use crate::rig::{Rig, open};
use crate::servers::until;

fn feed(folder: &Path, name: &str, key: &[&str]) -> FeedConfig {
    FeedConfig {
        table: Some(name.to_owned()),
        key: key.iter().map(|&key| key.to_owned()).collect(),
        ..FeedConfig::to(folder.join("items.sqlite"))
    }
}

fn run(
    folder: &Path,
    feeds: &[FeedConfig],
    fresh: bool,
    pages: std::ops::Range<u64>,
    items: &[&str],
) {
    let mut rig = Rig::with(folder, feeds, fresh);
    pages.for_each(|i| rig.send_items(i, items.iter().map(ToString::to_string).collect()));
    rig.end();
}

#[test]
fn with_a_key_a_later_item_takes_the_place_of_an_earlier() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("items.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE shop (id, note); INSERT INTO shop VALUES (1, 'mine')")
        .unwrap();
    let feeds = [feed(dir.path(), "shop", &["id"]), feed(dir.path(), "all rows", &[])];
    run(dir.path(), &feeds, false, 0..1, &[r#"{"id":1,"price":2.5,"old":true}"#, r#"{"id":2}"#]);
    run(dir.path(), &feeds, false, 1..2, &[r#"{"id":1,"price":3}"#, r#"{"price":9}"#, "{}"]);
    assert_eq!(
        table(&path, "shop"),
        [json!({"id": 1, "note": "mine", "price": 3}), json!({"id": 2}), json!({"price": 9})]
    );
    assert_eq!(table(&path, "\"all rows\"").len(), 4);
    // What another crawl knows of, this one adds to, and replaces.
    run(dir.path(), &feeds[..1], true, 0..1, &[r#"{"id":2,"price":4}"#]);
    let rows = table(&path, "shop");
    assert_eq!((rows.len(), &rows[1]), (3, &json!({"id": 2, "price": 4})));
}

#[test]
fn without_a_key_a_table_of_others_is_left_alone_and_fresh_clears_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("items.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    let store = open(dir.path(), false);
    for fresh in [false, true] {
        let opened =
            crawl_feeds::Feed::open(&feed(dir.path(), "theirs", &[]), store.reader(), fresh);
        assert!(matches!(opened, Err(FeedError::TableNotOurs { .. })), "{opened:?}");
    }
    drop(store);
    let ours = [feed(dir.path(), "ours", &[])];
    run(dir.path(), &ours, false, 0..3, &["{\"a\":1}"]);
    assert_eq!(table(&path, "ours").len(), 3);
    run(dir.path(), &ours, true, 0..2, &["{\"b\":1}"]);
    assert_eq!(table(&path, "ours"), [json!({"b": 1}), json!({"b": 1})]);
}

#[test]
fn names_that_sqlite_takes_for_one_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(dir.path(), "items", &[])];
    for i in 0..2 {
        run(
            dir.path(),
            &feeds,
            false,
            i..i + 1,
            &[r#"{"Title":"a","title":"b","say \"x\"":null}"#],
        );
    }
    let rows = table(&dir.path().join("items.sqlite"), "items");
    assert_eq!(rows, vec![json!({"Title": "a", "title_2": "b"}); 2]);
}

#[test]
fn a_file_that_somebody_keeps_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(dir.path(), "items", &[])];
    let mut rig = Rig::with(dir.path(), &feeds, false);
    let other = Connection::open(dir.path().join("items.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    rig.send(0);
    rig.settled();
    // Longer than the feed waits in SQLite: it is on its way to try again.
    let freed = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(700));
        other.execute_batch("COMMIT").unwrap();
    });
    rig.end();
    freed.join().unwrap();
    assert_eq!(table(&dir.path().join("items.sqlite"), "items").len(), 2);
}

#[test]
fn a_table_that_somebody_dropped_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(dir.path(), "items", &[])];
    run(dir.path(), &feeds, false, 0..3, &["{\"a\":1}"]);
    std::fs::remove_file(dir.path().join("items.sqlite")).unwrap();
    let mut rig = Rig::with(dir.path(), &feeds, false);
    assert!(rig.notes[0].contains("written anew"), "{:?}", rig.notes);
    rig.send_items(3, vec!["{\"a\":1}".to_owned()]);
    rig.end();
    assert_eq!(table(&dir.path().join("items.sqlite"), "items").len(), 4);
}

#[test]
fn a_feed_that_waits_says_so_and_says_when_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(dir.path(), "shop", &[])];
    let name = feeds[0].name();
    let mut rig = Rig::with(dir.path(), &feeds, false);
    for round in 0..2 {
        // Somebody else keeps the file.
        let other = Connection::open(dir.path().join("items.sqlite")).unwrap();
        other.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        rig.send_items(round, vec![format!("{{\"id\":{round}}}")]);
        rig.settled();
        let first = until(|| rig.outages.get().get(&*name).cloned());
        assert!(first.what.contains("cannot be reached") && first.what.contains("locked"));
        assert!(!first.hint.is_empty() && first.next_try_ms > first.since_ms, "{first:?}");
        let later = until(|| rig.outages.get().get(&*name).filter(|now| now.tries > 1).cloned());
        assert_eq!(later.since_ms, first.since_ms, "it is one outage");
        other.execute_batch("ROLLBACK").unwrap();
        until(|| rig.outages.get().is_empty().then_some(()));
    }
    rig.end();
    assert!(rig.outages.get().is_empty());
    assert_eq!(table(&dir.path().join("items.sqlite"), "shop").len(), 2);
}
