//! The WARC files.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use bytes::Bytes;
use crawl_model::Verdict;
use crawl_store::{Bodies, BodyCompression, Options, Store, StoreConfig, StoreError};
use flate2::bufread::GzDecoder;

use crate::rig::{Brings, Rig, config};

/// The records of a file, as text; each must be a gzip member of its own.
fn records(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while !rest.is_empty() {
        let mut decoder = GzDecoder::new(rest);
        let mut record = Vec::new();
        decoder.read_to_end(&mut record).unwrap();
        rest = decoder.into_inner();
        records.push(String::from_utf8_lossy(&record).into_owned());
    }
    records
}

fn body(text: &str) -> Brings {
    Brings { body: Bytes::copy_from_slice(text.as_bytes()), ..Brings::default() }
}

/// Bytes that do not compress.
fn noise(len: usize, mut seed: u64) -> Bytes {
    let next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    };
    std::iter::repeat_with(next).take(len).collect::<Vec<_>>().into()
}

#[test]
fn bodies_are_warc_records_that_can_be_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", body("one"));
    rig.settle("http://h/2", body("two"));
    assert!(dir.path().join("bodies/000001.warc.gz.open").exists());
    let mut rig = rig.reopened(dir.path());
    rig.settle("http://h/3", body("three"));
    let first = records(&dir.path().join("bodies/000001.warc.gz"));
    let second = records(&dir.path().join("bodies/000002.warc.gz.open"));
    assert_eq!((first.len(), second.len()), (5, 3));
    assert!(first[0].starts_with("WARC/1.1\r\nWARC-Type: warcinfo\r\n"), "{}", first[0]);
    let pages =
        [(&first[1..3], "1", "one"), (&first[3..5], "2", "two"), (&second[1..3], "3", "three")];
    for (records, path, text) in pages {
        let [record, metadata] = records else { panic!("{records:?}") };
        assert!(record.starts_with("WARC/1.1\r\nWARC-Type: response\r\n"), "{record}");
        assert!(record.contains(&format!("WARC-Target-URI: http://h/{path}\r\n")));
        assert!(record.ends_with(&format!("\r\n\r\n{text}\r\n\r\n")));
        assert!(metadata.contains("\r\nverdict: ok\r\n"), "{metadata}");
        let page = rig.store.reader().load(rig.print(&format!("http://h/{path}"))).unwrap();
        assert_eq!(page.unwrap().body.unwrap(), text);
    }
}

#[test]
fn what_no_page_points_to_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", body("one"));
    rig.end().unwrap();
    drop(rig);
    let first = dir.path().join("bodies/000001.warc.gz");
    let open = dir.path().join("bodies/000001.warc.gz.open");
    let second = dir.path().join("bodies/000002.warc.gz.open");
    let good = fs::read(&first).unwrap();
    // As a kill leaves it: not closed, and more in it than is committed.
    fs::rename(&first, &open).unwrap();
    OpenOptions::new().append(true).open(&open).unwrap().write_all(b"\x1f\x8b torn").unwrap();
    fs::write(&second, "torn as well").unwrap();
    fs::write(dir.path().join("bodies/notes.txt"), "mine").unwrap();
    let mut rig = Rig::new(dir.path());
    let notes = rig.store.recovery().notes.join("\n");
    assert!(notes.contains("cut by 7 bytes") && notes.contains("000002"), "{notes}");
    assert_eq!(fs::read(&open).unwrap(), good);
    assert!(!second.exists() && dir.path().join("bodies/notes.txt").exists());
    rig.settle("http://h/2", body("two"));
    assert_eq!(records(&open).len(), 5);
}

#[test]
fn the_same_body_is_kept_once_and_read_by_all_who_refer_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", body("the same"));
    rig.settle("http://h/2", body("the same"));
    rig.settle("http://h/empty", body(""));
    rig.settle("http://h/empty2", body(""));
    // What is known survives.
    let mut rig = rig.reopened(dir.path());
    rig.settle("http://h/3", body("the same"));
    let reader = rig.store.reader();
    for path in ["1", "2", "3"] {
        let page = reader.load(rig.print(&format!("http://h/{path}"))).unwrap().unwrap();
        assert_eq!(page.body.unwrap(), "the same");
        assert_eq!(page.record.body.unwrap().of.is_some(), path != "1");
    }
    let all = records(&dir.path().join("bodies/000002.warc.gz.open"));
    let first = &records(&dir.path().join("bodies/000001.warc.gz"))[1];
    let field = |record: &str, name: &str| {
        let line = record.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(": ").to_owned()
    };
    let revisit = &all[1];
    assert_eq!(field(revisit, "WARC-Type"), "revisit");
    assert!(field(revisit, "WARC-Profile").ends_with("/revisit/identical-payload-digest"));
    assert_eq!(field(revisit, "WARC-Refers-To"), field(first, "WARC-Record-ID"));
    assert_eq!(field(revisit, "WARC-Refers-To-Target-URI"), "http://h/1");
    assert_eq!(field(revisit, "WARC-Refers-To-Date"), field(first, "WARC-Date"));
    assert_eq!(field(revisit, "WARC-Payload-Digest"), field(first, "WARC-Payload-Digest"));
    assert!(!revisit.contains("the same"));
    let empty = reader.load(rig.print("http://h/empty2")).unwrap().unwrap().record.body;
    assert_eq!(empty.unwrap().of, None);
}

#[test]
fn a_304_is_a_revisit_of_the_copy_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let all = StoreConfig { bodies: Bodies::All, ..config(dir.path()) };
    let mut rig = Rig::with(Store::open(&all, Options::default()).unwrap());
    let not_modified = || Brings { verdict: Verdict::NotModified, status: 304, ..body("") };
    rig.settle("http://h/1", body("one"));
    rig.settle("http://h/1", not_modified());
    // Where there is no copy it is an answer like any other.
    rig.settle("http://h/2", not_modified());
    let page = |path: &str| rig.store.reader().load(rig.print(path)).unwrap().unwrap();
    assert_eq!(page("http://h/1").body.unwrap(), "one");
    assert_eq!(page("http://h/2").record.status, Some(304));
    assert!(page("http://h/2").record.body.is_some());
    let all = records(&dir.path().join("bodies/000001.warc.gz.open"));
    let kinds: Vec<_> = all
        .iter()
        .map(|record| record.lines().nth(1).unwrap().rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["warcinfo", "response", "metadata", "revisit", "metadata", "response", "metadata"]
    );
    assert!(all[3].contains("/revisit/server-not-modified\r\n"), "{}", all[3]);
}

#[test]
fn another_compression_begins_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", body("one"));
    drop(rig); // no clean stop
    let zstd = StoreConfig { body_compression: BodyCompression::Zstd, ..config(dir.path()) };
    let mut rig = Rig::with(Store::open(&zstd, Options::default()).unwrap());
    rig.settle("http://h/2", body("two"));
    rig.settle("http://h/3", body("one"));
    rig.end().unwrap();
    for (path, text) in [("1", "one"), ("2", "two"), ("3", "one")] {
        let page = rig.store.reader().load(rig.print(&format!("http://h/{path}"))).unwrap();
        assert_eq!(page.unwrap().body.unwrap(), text);
    }
    let files = crawl_store::archive_files(dir.path()).unwrap();
    let names: Vec<_> = files.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["000001.warc.gz", "000002.warc.zst"]);
    let zst = fs::read(&files[1].1).unwrap();
    let whole = String::from_utf8(zstd::stream::decode_all(&*zst).unwrap()).unwrap();
    assert_eq!(whole.matches("WARC-Type: ").count(), 5);
}

#[test]
fn files_are_rotated_and_a_shorter_one_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let small = StoreConfig { body_segment_mib: 1, bodies: Bodies::All, ..config(dir.path()) };
    let open = || Rig::with(Store::open(&small, Options::default()).unwrap());
    let mut rig = open();
    // In one group: a file becomes full in the middle of it.
    for i in 0..5 {
        let brings = Brings { body: noise(600 << 10, i + 1), ..Brings::default() };
        let entry = rig.page(&format!("http://h/{i}"), brings);
        rig.send(entry);
    }
    for _ in 0..5 {
        rig.outcome().unwrap();
    }
    let load = |rig: &Rig, i: u64| rig.store.reader().load(rig.print(&format!("http://h/{i}")));
    rig.end().unwrap();
    drop(rig);
    let rig = open();
    assert_eq!(rig.store.recovery().notes, [""; 0]);
    for i in 0..5 {
        assert_eq!(load(&rig, i).unwrap().unwrap().body.unwrap(), noise(600 << 10, i + 1));
    }
    drop(rig);
    let third = dir.path().join("bodies/000003.warc.gz");
    OpenOptions::new().write(true).open(&third).unwrap().set_len(5000).unwrap();
    let mut rig = open();
    assert!(rig.store.recovery().notes[0].contains("lacks"), "{:?}", rig.store.recovery());
    assert!(matches!(load(&rig, 4), Err(StoreError::Body { .. })));
    rig.settle("http://h/new", body("new"));
    assert_eq!(records(&dir.path().join("bodies/000004.warc.gz.open")).len(), 3);
    assert!(load(&rig, 3).is_ok());
}

#[test]
fn without_archive_no_folder_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let none = StoreConfig { bodies: Bodies::None, ..config(dir.path()) };
    let mut rig = Rig::with(Store::open(&none, Options::default()).unwrap());
    rig.settle("http://h/", body("x"));
    assert!(!dir.path().join("bodies").exists());
    assert_eq!(rig.store.reader().load(rig.print("http://h/")).unwrap().unwrap().body, None);
}
