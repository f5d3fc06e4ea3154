//! The WARC files.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use bytes::Bytes;
use crawl_store::{Bodies, Options, Store, StoreConfig, StoreError};
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
    let rig = rig.reopened(dir.path());
    let mut rig = rig;
    rig.settle("http://h/3", body("three"));
    let records = records(&dir.path().join("bodies/000001.warc.gz"));
    assert_eq!(records.len(), 4);
    assert!(records[0].starts_with("WARC/1.1\r\nWARC-Type: warcinfo\r\n"), "{}", records[0]);
    for (record, (path, text)) in
        records[1..].iter().zip([("1", "one"), ("2", "two"), ("3", "three")])
    {
        assert!(record.starts_with("WARC/1.1\r\nWARC-Type: response\r\n"), "{record}");
        assert!(record.contains(&format!("WARC-Target-URI: http://h/{path}\r\n")));
        assert!(record.ends_with(&format!("\r\n\r\n{text}\r\n\r\n")));
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
    let second = dir.path().join("bodies/000002.warc.gz");
    let good = fs::read(&first).unwrap();
    OpenOptions::new().append(true).open(&first).unwrap().write_all(b"\x1f\x8b torn").unwrap();
    fs::write(&second, "torn as well").unwrap();
    fs::write(dir.path().join("bodies/notes.txt"), "mine").unwrap();
    let mut rig = Rig::new(dir.path());
    let notes = rig.store.recovery().notes.join("\n");
    assert!(notes.contains("cut by 7 bytes") && notes.contains("000002"), "{notes}");
    assert_eq!(fs::read(&first).unwrap(), good);
    assert!(!second.exists() && dir.path().join("bodies/notes.txt").exists());
    rig.settle("http://h/2", body("two"));
    assert_eq!(records(&first).len(), 3);
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
    assert_eq!(records(&dir.path().join("bodies/000004.warc.gz")).len(), 2);
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
