//! Whose the folder is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crawl_store::{Options, Store, StoreError};

use crate::rig::{Brings, Rig, config, item, open};

#[test]
fn a_second_open_names_folder_and_process() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let error = Store::open(&config(dir.path()), Options::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    assert!(error.hint().unwrap().contains("crawl inspect"));
    assert!(matches!(Store::inspect(dir.path()), Err(StoreError::InUse { .. })));
}

#[test]
fn the_folder_is_private_and_free_again_once_all_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er");
    let secret = open(&path).identity().secret;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(open(&path).identity().secret, secret);
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let thesis = dir.path().join("thesis.tex");
    fs::write(&thesis, "years of work").unwrap();
    for options in [Options { fresh: false }, Options { fresh: true }] {
        let error = Store::open(&config(dir.path()), options).unwrap_err();
        assert!(matches!(error, StoreError::NotACrawl { .. }), "{error}");
    }
    assert!(matches!(Store::inspect(dir.path()), Err(StoreError::NoCrawl { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let missing = dir.path().join("missing");
    assert!(matches!(Store::inspect(&missing), Err(StoreError::NoCrawl { .. })));
    assert!(!missing.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&config(&file.join("crawl")), Options::default()).unwrap_err();
    assert!(error.to_string().contains("file/crawl"), "{error}");
}

#[test]
fn a_database_cut_short_is_a_clear_error_and_fresh_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for n in 0..200 {
        let items = vec![item(&format!("\"{}\"", "x".repeat(20_000)))];
        rig.settle(&format!("http://h/{n}"), Brings { items, ..Brings::default() });
    }
    rig.end().unwrap();
    drop(rig);
    for eighth in 0..8 {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(dir.path(), copy.path());
        let db = copy.path().join("sled/db");
        let len = fs::metadata(&db).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&db).unwrap();
        file.set_len(len * eighth / 8).unwrap();
        match Store::open(&config(copy.path()), Options::default()) {
            // What was cut off held nothing.
            Ok(store) => assert_eq!(store.recovery().last, 200),
            Err(error) => {
                let is_clear =
                    matches!(error, StoreError::Corrupt { .. } | StoreError::LostSettles { .. });
                assert!(is_clear, "cut to {eighth}/8: {error:?}");
                assert!(error.hint().unwrap().contains("--fresh"));
            }
        }
        Store::open(&config(copy.path()), Options { fresh: true }).unwrap();
    }
}

/// Copies files and folders.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn fresh_removes_the_crawl_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", Brings { items: vec![item("1")], ..Brings::default() });
    let secret = rig.store.identity().secret;
    rig.end().unwrap();
    drop(rig);
    let export = dir.path().join("items.jsonl");
    fs::write(&export, "1\n").unwrap();
    let store = Store::open(&config(dir.path()), Options { fresh: true }).unwrap();
    assert_ne!(store.identity().secret, secret);
    assert_eq!(store.events().count(), 0);
    assert_eq!(store.recovery().last, 0);
    assert!(!dir.path().join("bodies").exists());
    assert!(export.exists());
}

#[test]
fn a_database_that_comes_up_short_is_a_loud_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", Brings::default());
    rig.end().unwrap();
    drop(rig);
    fs::rename(dir.path().join("sled"), dir.path().join("sled.away")).unwrap();
    let error = Store::open(&config(dir.path()), Options::default()).unwrap_err();
    let StoreError::LostSettles { acknowledged: 1, found: 0, .. } = &error else {
        panic!("{error}");
    };
    assert!(error.hint().unwrap().contains("--fresh"));
    // Again: the first try must not have made it good.
    assert!(Store::open(&config(dir.path()), Options::default()).is_err());
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::rename(dir.path().join("sled.away"), dir.path().join("sled")).unwrap();
    assert_eq!(open(dir.path()).recovery().last, 1);
}

#[test]
fn a_half_written_snapshot_does_not_spoil_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", Brings::default());
    rig.end().unwrap();
    drop(rig);
    let torn = dir.path().join("sled/snap.0000000000000001.generating");
    fs::write(&torn, "half").unwrap();
    assert_eq!(open(dir.path()).recovery().last, 1);
    assert!(!torn.exists());
}

#[test]
fn another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let db = sled::open(dir.path().join("sled")).unwrap();
    db.insert("Mformat", "9").unwrap();
    drop(db);
    let error = Store::open(&config(dir.path()), Options::default()).unwrap_err();
    assert!(error.to_string().contains("store format 9"), "{error}");
}

#[test]
fn looking_marks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path())); // never closed cleanly
    for _ in 0..2 {
        let inspection = Store::inspect(dir.path()).unwrap();
        assert_eq!(inspection.reader().counts().unwrap().discovered, 0);
    }
    assert!(!open(dir.path()).recovery().clean);
}

#[test]
fn the_configuration_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.config().unwrap(), None);
    let long = format!("{{\"scope\":\"{}\"}}", "x".repeat(20_000));
    store.put_config(&long).unwrap();
    drop(store);
    assert_eq!(open(dir.path()).config().unwrap(), Some(long));
}

#[test]
fn a_settle_log_that_is_gone_or_damaged_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", Brings::default());
    rig.end().unwrap();
    drop(rig);
    let log = dir.path().join("log/0000000001.log");
    let good = fs::read(&log).unwrap();

    let open = || Store::open(&config(dir.path()), Options::default());
    fs::remove_file(&log).unwrap();
    let errors = [open().unwrap_err(), Store::inspect(dir.path()).unwrap_err()];
    for error in errors {
        assert!(matches!(&error, StoreError::LogMissing { path } if *path == log), "{error:?}");
        assert!(error.hint().unwrap().contains("--fresh"));
    }
    fs::write(&log, &good[..good.len() - 1]).unwrap();
    let error = open().unwrap_err();
    let (expected, found) = (good.len() as u64, good.len() as u64 - 1);
    let is_short = matches!(
        error,
        StoreError::LogShort { expected: e, found: f, .. } if (e, f) == (expected, found)
    );
    assert!(is_short, "{error:?}");

    // What is in the records is seen when they are read.
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&log, &bad).unwrap();
    let store = open().unwrap();
    let error = store.events().next().unwrap().unwrap_err();
    assert!(matches!(error, StoreError::LogDamaged { offset: 32, .. }), "{error:?}");
    assert!(
        store.reader().counts().is_err()
            && store.reader().settled_after(0).unwrap().any(|s| s.is_err())
    );
    drop(store);
    fs::write(&log, &good).unwrap();
    assert_eq!(open().unwrap().events().count(), 1);
}

#[test]
fn what_the_log_holds_of_an_unfinished_commit_is_cut_off_with_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", Brings::default());
    rig.end().unwrap();
    drop(rig);
    let log = dir.path().join("log/0000000001.log");
    let good = fs::read(&log).unwrap();
    fs::write(&log, [&good[..], b"half a record"].concat()).unwrap();
    fs::write(dir.path().join("log/0000000002.log"), "half a header").unwrap();
    assert_eq!(Store::inspect(dir.path()).unwrap().reader().events().count(), 1);
    let store = open(dir.path());
    let notes = &store.recovery().notes;
    assert!(notes[0].starts_with("cut 13 bytes"), "{notes:?}");
    assert!(notes[1].contains("0000000002.log"), "{notes:?}");
    assert_eq!((fs::read(&log).unwrap(), store.events().count()), (good, 1));
}
