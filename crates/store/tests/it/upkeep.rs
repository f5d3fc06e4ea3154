//! The archive made smaller: `gc` and `compact`, and deaths in the midst of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crawl_store::{Options, Store, archive_files, compact, crash, gc};

use crate::kill::command;
use crate::rig::{Brings, Rig};
use crate::verify::copy_all;

fn body(text: &str) -> Brings {
    Brings { body: Bytes::copy_from_slice(text.as_bytes()), ..Brings::default() }
}

/// A crawl of `n` pages in three runs. Two thirds had another body before, each fifth has that of
/// another.
fn crawl(folder: &Path, n: u32) {
    for run in 0..3 {
        let mut rig = Rig::new(folder);
        for i in 0..n {
            let text = match (run, i % 3) {
                (0, 0) | (1, 2) => format!("old {i} {}", "x".repeat(200)),
                (0, 1) | (1, 0) | (2, 2) if i % 5 == 4 => "shared".to_owned(),
                (0, 1) | (1, 0) | (2, 2) => format!("new {i}"),
                _ => continue,
            };
            rig.settle(&format!("http://h/{i}"), body(&text));
        }
        rig.end().unwrap();
    }
}

/// Every page's body, `None` where it has none. Fails where a pointer leads nowhere.
fn bodies(folder: &Path) -> BTreeMap<String, Option<String>> {
    let inspection = Store::inspect(folder).unwrap();
    let reader = inspection.reader();
    let page = |page: Result<(_, crawl_model::PageRecord), _>| {
        let (_, record) = page.unwrap();
        let body = record.body.map(|pointer| reader.body(&pointer).unwrap());
        (record.url.as_str().to_owned(), body.map(|b| String::from_utf8(b.to_vec()).unwrap()))
    };
    reader.pages().unwrap().map(page).collect()
}

#[test]
fn what_no_page_points_to_goes_and_all_bodies_stay() {
    let dir = tempfile::tempdir().unwrap();
    crawl(dir.path(), 30);
    let before = bodies(dir.path());
    assert_eq!(before["http://h/4"].as_deref(), Some("shared"));
    let done = compact(dir.path()).unwrap();
    assert!(done.bytes < done.bytes_before * 3 / 4, "{done:?}");
    assert_eq!((done.notes.len(), done.dropped), (0, 0));
    assert_eq!(bodies(dir.path()), before);
    // There is nothing left to do.
    let again = compact(dir.path()).unwrap();
    assert_eq!((again.bytes_before, again.bytes), (done.bytes, done.bytes));
    assert_eq!(again.files, 0);
    // The crawl goes on, and refers to what is where now.
    let mut rig = Rig::new(dir.path());
    assert_eq!(rig.store.recovery().notes, [""; 0]);
    rig.settle("http://h/more", body("shared"));
    rig.settle("http://h/most", body("shared"));
    rig.end().unwrap();
    drop(rig);
    assert_eq!(bodies(dir.path())["http://h/most"].as_deref(), Some("shared"));
}

#[test]
fn old_bodies_go_but_for_those_that_others_share() {
    let dir = tempfile::tempdir().unwrap();
    crawl(dir.path(), 10);
    let before = bodies(dir.path());
    // The rig's pages have no time, so those that were asked for once are as old as can be.
    let done = gc(dir.path(), Duration::from_secs(3600)).unwrap();
    assert_eq!(done.dropped, 3);
    for (url, body) in bodies(dir.path()) {
        let is_old = ["1", "4", "7"].iter().any(|old| url.ends_with(old));
        assert_eq!(body, before[&url].clone().filter(|_| !is_old), "{url}");
    }
    assert_eq!(before["http://h/9"].as_deref(), Some("shared"), "which is in the record of 4");
    // One that keeps nothing leaves nothing.
    std::thread::sleep(Duration::from_millis(2));
    let done = gc(dir.path(), Duration::ZERO).unwrap();
    assert_eq!((done.dropped, done.bytes), (7, 0));
    assert!(bodies(dir.path()).values().all(Option::is_none));
    assert!(archive_files(dir.path()).unwrap().is_empty());
}

#[test]
fn a_file_that_lost_records_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    crawl(dir.path(), 10);
    let (name, path) = archive_files(dir.path()).unwrap().pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0);
    fs::write(&path, &bytes).unwrap();
    let done = compact(dir.path()).unwrap();
    assert!(done.notes.iter().any(|note| note.contains(&name)), "{done:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_death_at_any_step_loses_no_body_and_the_next_run_goes_on() {
    let points = crash::POINTS.iter().filter(|p| p.starts_with("compact-") || p.starts_with("gc-"));
    for point in points {
        for passings in [1, 2] {
            let dir = tempfile::tempdir().unwrap();
            crawl(dir.path(), 45);
            let before = bodies(dir.path());
            let is_gc = point.starts_with("gc-");
            let role = if is_gc { "gc" } else { "compact" };
            let mut command = command(role, dir.path());
            command
                .env(crash::VARIABLE, format!("{point}:{passings}"))
                .env("CRAWL_LIMIT_UPKEEP", "4");
            let status = command.spawn().unwrap().wait().unwrap();
            let has_died = std::os::unix::process::ExitStatusExt::signal(&status) == Some(6);
            assert!(has_died, "nothing passes {point} {passings} times");
            // Every pointer leads somewhere, and says what it said.
            let after = bodies(dir.path());
            let is_same = |(url, body): (&String, &Option<String>)| {
                *body == before[url] || is_gc && body.is_none()
            };
            assert!(after.len() == before.len() && after.iter().all(is_same), "{point}");
            drop(crate::rig::open(dir.path()));
            assert_eq!(bodies(dir.path()), after, "{point}");
            let done = compact(dir.path()).unwrap();
            assert_eq!((bodies(dir.path()), done.notes), (after, vec![]), "{point}");
            assert_eq!(compact(dir.path()).unwrap().files, 0);
        }
    }
}

/// All that is in the database.
fn values(folder: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    drop(Store::inspect(folder).unwrap());
    let begun = Instant::now();
    let tree = loop {
        match sled::open(folder.join("sled")) {
            Ok(tree) => break tree,
            // The one before is closing.
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    tree.iter().map(|entry| entry.map(|(k, v)| (k.to_vec(), v.to_vec())).unwrap()).collect()
}

fn damage(folder: &Path) -> u64 {
    crawl_store::verify::verify(folder, &mut |_| ()).unwrap().damage
}

/// Two thousand pages, asked for twice. `CRAWL_STORE_AT=DIR` takes a copy of a folder that
/// `CRAWL_STORE_AT=DIR CRAWL_STORE_PAGES=100000 .. --test it large` has made, and prints figures.
#[test]
fn a_database_is_written_anew_without_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    match std::env::var_os("CRAWL_STORE_AT") {
        Some(from) => copy_all(Path::new(&from), dir.path()),
        None => {
            let mut rig = Rig::new(dir.path());
            for run in 0..2 {
                for i in 0..2000 {
                    let entry = rig.page(&format!("http://h/{i}"), body(&format!("{run} {i}")));
                    rig.send(entry);
                }
                (0..2000).for_each(|_| drop(rig.outcome().unwrap()));
            }
            rig.end().unwrap();
        }
    }
    let (before, n_damaged) = (values(dir.path()), damage(dir.path()));
    let begun = Instant::now();
    let done = compact(dir.path()).unwrap();
    let n_bytes: usize = before.iter().map(|(key, value)| key.len() + value.len()).sum();
    println!("{n_bytes} bytes of keys and values: {done:?} in {:?}", begun.elapsed());
    assert!(done.database_bytes < done.database_bytes_before, "{done:?}");
    let now = values(dir.path());
    // What is known of bodies is forgotten.
    let lasts = |values: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<_> {
        values.into_iter().filter(|(key, _)| !matches!(key[0], b'B' | b'P' | b'M')).collect()
    };
    assert_eq!(now.len(), before.iter().filter(|(key, _)| key[0] != b'B').count());
    assert_eq!(lasts(now), lasts(before));
    let again = compact(dir.path()).unwrap();
    assert!(again.database_bytes <= again.database_bytes_before, "{again:?}");
    assert_eq!(damage(dir.path()), n_damaged);
}

#[test]
fn a_death_while_the_database_is_written_anew_leaves_the_old_one_or_the_new_one() {
    for point in crash::POINTS.iter().filter(|point| point.starts_with("shrink-")) {
        let dir = tempfile::tempdir().unwrap();
        crawl(dir.path(), 30);
        let (before, stored) = (bodies(dir.path()), compact(dir.path()).unwrap());
        let (kept, n_damaged) = (values(dir.path()), damage(dir.path()));
        let status = command("compact", dir.path())
            .env(crash::VARIABLE, format!("{point}:1"))
            .envs([("CRAWL_LIMIT_SHRINK", "2000"), ("CRAWL_LIMIT_SHRINK_WORTH", "1000000")])
            .spawn()
            .unwrap()
            .wait()
            .unwrap();
        let has_died = std::os::unix::process::ExitStatusExt::signal(&status) == Some(6);
        assert!(has_died, "nothing passes {point}");
        assert_eq!(values(dir.path()), kept, "{point}");
        for name in ["sled.new", "sled.old"] {
            assert!(!dir.path().join(name).exists(), "{point} leaves {name}");
        }
        assert_eq!(bodies(dir.path()), before, "{point}");
        assert_eq!(damage(dir.path()), n_damaged, "{point}");
        drop(crate::rig::open(dir.path()));
        let done = compact(dir.path()).unwrap();
        assert_eq!((done.files, done.notes), (0, stored.notes), "{point}");
        // Nor is a fresh start hindered by what a death has left.
        let status = command("compact", dir.path())
            .env(crash::VARIABLE, format!("{point}:1"))
            .envs([("CRAWL_LIMIT_SHRINK", "2000"), ("CRAWL_LIMIT_SHRINK_WORTH", "1000000")])
            .spawn()
            .unwrap()
            .wait()
            .unwrap();
        assert!(!status.success(), "{point}");
        let options = Options { fresh: true };
        let store = Store::open(&crate::rig::config(dir.path()), options).unwrap();
        assert_eq!(store.events().count(), 0, "{point}");
        drop(store);
        let names = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name());
        assert_eq!(names.filter(|name| name.to_string_lossy().contains("sled")).count(), 1);
    }
}
