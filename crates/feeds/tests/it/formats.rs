//! Each format by itself: what is cut, what is whole, what comes late.

use std::fs;
use std::path::Path;

use crawl_feeds::{Compression, FeedConfig, FeedError};
use serde_json::json;

use crate::read::items;
use crate::rig::{Rig, copy};

const FORMATS: [&str; 6] = ["jsonl", "json", "csv", "xml", "json.gz", "csv.zst"];

fn run(folder: &Path, feed: &FeedConfig, pages: std::ops::Range<u64>) -> Vec<String> {
    let mut rig = Rig::with(folder, std::slice::from_ref(feed), false);
    for i in pages {
        // Later pages have fields that earlier ones have not.
        let late = format!("f{}", i / 5);
        let item = json!({"i": i, late: format!("text, {i}")});
        rig.send_items(i, vec![item.to_string()]);
    }
    rig.end();
    rig.notes.clone()
}

/// Whatever of what was written since the last report has reached the disk, the next run cuts it
/// off and writes it again.
#[test]
fn any_rest_behind_the_last_report_is_cut_off() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let name = format!("items.{format}");
        let (short, long) = (dir.path().join("short"), dir.path().join("long"));
        let at = |folder: &Path| FeedConfig::to(folder.join(&name));
        // The feed's name is its path: the folder is moved to the same place each time.
        let place = dir.path().join("place");
        run(&place, &at(&place), 0..7);
        copy(&place, &short);
        run(&place, &at(&place), 7..9);
        copy(&place, &long);
        let (reported, beyond) =
            (fs::read(short.join(&name)).unwrap(), fs::read(long.join(&name)).unwrap());
        let expected = items(&long.join(&name));
        assert_eq!(expected.len(), 9, "{format}");
        let all = reported.len().saturating_sub(30)..=beyond.len();
        for len in all.filter(|len| *len % 3 == 0 || *len > beyond.len() - 3) {
            fs::remove_dir_all(&place).unwrap();
            copy(&short, &place);
            fs::write(place.join(&name), &beyond[..len]).unwrap();
            run(&place, &at(&place), 7..9);
            assert_eq!(items(&place.join(&name)), expected, "{format} of {len} bytes");
        }
    }
}

/// The new file of a table with more columns takes the place of the old before that is reported.
#[test]
fn a_table_that_was_widened_but_not_reported_is_cut_to_its_rows() {
    for format in ["csv", "csv.gz"] {
        let dir = tempfile::tempdir().unwrap();
        let (place, short) = (dir.path().join("place"), dir.path().join("short"));
        let name = format!("items.{format}");
        let feed = FeedConfig::to(place.join(&name));
        run(&place, &feed, 0..4);
        copy(&place, &short);
        run(&place, &feed, 4..6);
        let wide = fs::read(place.join(&name)).unwrap();
        let expected = items(&place.join(&name));
        fs::remove_dir_all(&place).unwrap();
        copy(&short, &place);
        fs::write(place.join(&name), &wide).unwrap();
        let notes = run(&place, &feed, 4..6);
        assert!(notes.iter().any(|note| note.contains("cut back to 4 rows")), "{notes:?}");
        assert_eq!(items(&place.join(&name)), expected);
        assert_eq!(expected[0], json!({"i": "0", "f0": "text, 0"}));
        assert_eq!(expected[5], json!({"i": "5", "f1": "text, 5"}));
    }
}

#[test]
fn a_list_is_whole_while_the_crawl_runs_and_when_nothing_came() {
    for (format, empty) in [
        ("json", "[\n]\n"),
        ("xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<items>\n</items>\n"),
        ("jsonl", ""),
        ("csv", ""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(format!("items.{format}"));
        let feed = FeedConfig::to(&path);
        for _ in 0..2 {
            run(dir.path(), &feed, 0..0);
            assert_eq!(fs::read_to_string(&path).unwrap(), empty);
        }
        for last in 1..4 {
            run(dir.path(), &feed, last - 1..last);
            assert_eq!(items(&path).len() as u64, last, "{format}");
        }
    }
}

#[test]
fn a_batch_has_its_name_when_it_is_whole_and_is_then_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let feed = FeedConfig {
        batch_items: 3,
        compression: Some(Compression::Gzip),
        ..FeedConfig::to(dir.path().join("out/{batch}.json.gz"))
    };
    run(dir.path(), &feed, 0..7);
    let name = |number: u64| dir.path().join(format!("out/{number:06}.json.gz"));
    let counts = |to| (1..=to).map(|number| items(&name(number)).len()).collect::<Vec<_>>();
    assert_eq!(counts(3), [3, 3, 1]);
    // Taken away by whoever waits for it.
    fs::remove_file(name(1)).unwrap();
    run(dir.path(), &feed, 7..9);
    assert!(!name(1).exists());
    assert_eq!(items(&name(4)).len(), 2);
    // One that somebody else put there is not overwritten.
    fs::write(name(5), "yours").unwrap();
    let mut rig = Rig::with(dir.path(), std::slice::from_ref(&feed), false);
    rig.send(9);
    let end = rig.try_end().pop().unwrap();
    assert!(matches!(end, Err(FeedError::NotOurs { .. })), "{end:?}");
    assert_eq!(fs::read(name(5)).unwrap(), b"yours");
    drop(rig);
    // And is shown when there is room for it.
    fs::remove_file(name(5)).unwrap();
    run(dir.path(), &feed, 0..0);
    assert_eq!(items(&name(5)).len(), 2);
    let mut rig = Rig::with(dir.path(), std::slice::from_ref(&feed), true);
    rig.send(0);
    rig.end();
    assert!(name(1).exists() && !name(2).exists(), "a fresh start leaves nothing of the old");
}

#[test]
fn fields_that_are_data_are_an_error_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let feed = FeedConfig::to(dir.path().join("items.csv"));
    let mut rig = Rig::with(dir.path(), &[feed], false);
    for i in 0..11 {
        let item: serde_json::Map<_, _> =
            (i * 100..i * 100 + 100).map(|f| (f.to_string(), json!(1))).collect();
        rig.send_items(i, vec![json!(item).to_string()]);
    }
    let error = rig.try_end().pop().unwrap().unwrap_err();
    assert!(matches!(error, FeedError::Columns { .. }), "{error}");
    assert!(error.hint().unwrap().contains("`fields`"));
}
