//! `verify` against damage put in by hand: every kind of value in the database and every kind of
//! file is lost and changed, one at a time, and each time the finding says so. What can be mended
//! is mended, and then nothing is found.
//!
//! The frontier's tables are made by the frontier, so they are damaged in the whole crawl's tests.

mod mend;
mod store;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;

use crawl_store::verify::{Finding, Kind, Level, repair, verify};

use store::Sample;
pub(crate) use store::copy_all;

/// The findings that are damage.
fn damage(path: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let verified = verify(path, &mut |finding| found.push(finding.clone())).unwrap();
    found.retain(|finding| finding.level == Level::Damage);
    assert_eq!(verified.damage, found.len() as u64);
    found
}

fn kinds(found: &[Finding]) -> BTreeSet<Kind> {
    found.iter().map(|finding| finding.finding).collect()
}

/// Something of what is expected is found; if all that is found can be mended, that is done, and
/// nothing is found any more.
#[track_caller]
fn check(path: &Path, expected: &[Kind], how: &str) {
    let found = damage(path);
    let kinds = kinds(&found);
    assert!(
        expected.iter().any(|kind| kinds.contains(kind)),
        "{how}: {expected:?} not in {found:#?}"
    );
    if found.iter().all(|finding| finding.next.contains("mends it")) {
        let mut told = 0;
        let verified = repair(path, &mut |_| told += 1).unwrap();
        assert_eq!(verified.damage, 0, "{how}: {verified:#?} after {found:#?}");
        assert!(told >= found.len() && !verified.repairs.is_empty(), "{how}: {verified:#?}");
        assert_eq!(damage(path), [], "{how}");
    }
}

#[test]
fn a_store_as_it_was_written_is_clean() {
    let sample = Sample::new();
    let mut found = Vec::new();
    let verified = verify(sample.path(), &mut |finding| found.push(finding.clone())).unwrap();
    // Of the page that was settled twice.
    assert_eq!((kinds(&found), verified.damage), (BTreeSet::from([Kind::DeadRecords]), 0));
    assert_eq!((verified.pages, verified.items), (7, 21), "{verified:?}");
    assert_eq!((verified.records, verified.feed_lines), (18, 21), "{verified:?}");
    assert!(verified.urls > verified.pages && verified.events > verified.urls, "{verified:?}");
}

/// What may be found if a value of this key is lost or changed.
fn of_key(key: &[u8]) -> &'static [Kind] {
    match (key[0], std::str::from_utf8(&key[1..]).unwrap_or_default()) {
        (b'M', "format" | "identity" | "clean" | "epoch" | "config") => {
            &[Kind::MissingValue, Kind::UnreadableValue, Kind::SealDiffers]
        }
        (b'M', "totals") => &[
            Kind::LostSettles,
            Kind::LogNumbers,
            Kind::TotalsDiffer,
            Kind::LogShort,
            Kind::MissingLogFile,
        ],
        (b'M', "run") => &[Kind::TotalsDiffer, Kind::UnreadableValue, Kind::FieldCountsDiffer],
        (b'M', "dropped") => &[Kind::DropCountsDiffer],
        (b'M', name) if name.starts_with("warc/") => &[
            Kind::BodySegmentUnknown,
            Kind::BodySegmentShort,
            Kind::BodySegmentDamaged,
            Kind::UnreadableValue,
            Kind::MissingBody,
        ],
        (b'M' | b'C' | b'D' | b'R' | b'G' | b'T', _) => &[Kind::SealDiffers],
        (b'P', _) => &[Kind::MissingPage, Kind::UnreadableValue, Kind::PageDiffers],
        (b'I', _) => &[Kind::ItemsDiffer, Kind::UnreadableItem],
        (b'X', _) => &[Kind::DroppedDamaged, Kind::DropCountsDiffer],
        (b'k' | b'K', _) => &[Kind::ItemKeyDiffers, Kind::PageKeysDamaged],
        (b'F', _) => &[Kind::FieldCountsDiffer],
        (b'N', _) => &[Kind::DropCountsDiffer],
        _ => panic!("{}", key.escape_ascii()),
    }
}

#[test]
fn every_value_that_is_lost_or_changed_is_found() {
    let sample = Sample::new();
    let values = sample.values();
    let tags: BTreeSet<u8> = values.iter().map(|(key, _)| key[0]).collect();
    assert_eq!(tags, BTreeSet::from(*b"BCDFGIKMNPRTXk"), "the sample has all kinds");
    // Those that begin with `B` only save room; whoever reads one looks whether it is true.
    for (key, value) in values.into_iter().filter(|(key, _)| key[0] != b'B') {
        let name = key.escape_ascii();
        let copy = sample.copy();
        copy.edit(|tree| drop(tree.remove(&key).unwrap()));
        check(copy.path(), of_key(&key), &format!("{name} is gone"));
        for at in [value.len() / 2, value.len() - 1] {
            let mut other = value.clone();
            other[at] ^= 0x80;
            let copy = sample.copy();
            copy.edit(|tree| drop(tree.insert(&key, other).unwrap()));
            check(copy.path(), of_key(&key), &format!("{name} is another at {at}"));
        }
    }
}

#[test]
fn values_that_nobody_wrote_are_found() {
    let sample = Sample::new();
    let copy = sample.copy();
    copy.edit(|tree| {
        tree.insert(b"Zwhat", b"is this").unwrap();
        tree.insert(b"I\0\0\0\0\0\0\0\x01\0\0\0\0", b"\x01{").unwrap();
        tree.insert(b"Kk23456789abcdefg", &[7; 8]).unwrap();
    });
    check(copy.path(), &[Kind::UnknownKey], "an unknown tag");
    let copy = sample.copy();
    copy.edit(|tree| {
        let (key, mut json) =
            tree.scan_prefix(b"P").next().unwrap().map(|(k, v)| (k.to_vec(), v)).unwrap();
        let text = String::from_utf8(json.to_vec()).unwrap().replace("\"n\":", "\"n\":9");
        json = text.as_bytes().into();
        tree.insert(key, json).unwrap();
    });
    check(copy.path(), &[Kind::PageDiffers], "a page with another number");
}

#[test]
fn every_file_that_is_lost_cut_or_changed_is_found() {
    let sample = Sample::new();
    for (name, lost, changed) in [
        ("manifest", &[Kind::ManifestDamaged][..], &[Kind::ManifestDamaged][..]),
        ("open", &[Kind::JournalDamaged], &[Kind::JournalDamaged]),
        ("runs", &[Kind::RunsDiffer], &[Kind::RunsDiffer]),
        ("lock", &[Kind::LockDamaged], &[Kind::LockDamaged]),
        ("log/0000000001.log", &[Kind::MissingLogFile], &[Kind::LogDamaged, Kind::LogShort]),
        (
            "bodies/000001.warc.gz",
            &[Kind::MissingBodySegment],
            &[Kind::BodySegmentDamaged, Kind::BodySegmentShort, Kind::DigestMismatch],
        ),
        ("items.jsonl", &[Kind::MissingFeed], &[Kind::FeedDiffers, Kind::FeedShort]),
    ] {
        let copy = sample.copy();
        let file = copy.path().join(name);
        let good = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        check(copy.path(), lost, &format!("{name} is gone"));
        // Of the journal only the head is in use after a clean stop, of the lock the mark.
        let len = match name {
            "open" => 24,
            "lock" => 11,
            _ => good.len(),
        };
        for at in (0..len).step_by(len / 24 + 1).chain([len - 1]) {
            let copy = sample.copy();
            let mut other = good.clone();
            other[at] ^= 0x55;
            fs::write(copy.path().join(name), other).unwrap();
            let near = &good[at.saturating_sub(20)..(at + 8).min(good.len())];
            check(
                copy.path(),
                changed,
                &format!("{name} is another at {at} of {len}: {near:02x?}"),
            );
        }
        if name != "lock" {
            let copy = sample.copy();
            fs::write(copy.path().join(name), &good[..len - 1]).unwrap();
            check(copy.path(), changed, &format!("{name} is cut"));
        }
    }
}

#[test]
fn hosts_of_seeds_that_are_cut_are_found() {
    let sample = Sample::new();
    let copy = sample.copy();
    fs::write(copy.path().join("seed-hosts"), [0; 13]).unwrap();
    check(copy.path(), &[Kind::SeedHostsDamaged], "cut");
}

/// A byte of sled's own files may be one that is not in use any more; then nothing is lost.
#[test]
fn a_changed_byte_of_the_database_is_found_or_does_no_harm() {
    let sample = Sample::new();
    let values = sample.values();
    for name in ["sled/db", "sled/conf"] {
        let good = fs::read(sample.path().join(name)).unwrap();
        let used = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in (0..used).step_by(used / 30 + 1) {
            let copy = sample.copy();
            let mut other = good.clone();
            other[at] ^= 0x55;
            fs::write(copy.path().join(name), other).unwrap();
            // That the last commit is gone, as if it had been killed before it, is a note.
            let mut n_found = 0;
            let verified = verify(copy.path(), &mut |_| n_found += 1);
            if verified.is_ok() && n_found == 0 {
                // Known bodies only save room.
                let lasts = |(key, _): &(Vec<u8>, Vec<u8>)| key[0] != b'B';
                let copied: Vec<_> = copy.values().into_iter().filter(lasts).collect();
                let values: Vec<_> = values.iter().filter(|value| lasts(value)).collect();
                let other = values.iter().find(|value| !copied.contains(value));
                let other =
                    other.map(|(k, v)| format!("{}: {}", k.escape_ascii(), v.escape_ascii()));
                assert!(
                    other.is_none() && copied.len() == values.len(),
                    "{name} at {at}: {other:?}"
                );
            }
        }
    }
}

#[test]
fn a_body_that_points_elsewhere_is_found() {
    let sample = Sample::new();
    let copy = sample.copy();
    copy.edit(|tree| {
        let pages: Vec<_> = tree.scan_prefix(b"P").map(Result::unwrap).collect();
        let body = |json: &[u8]| {
            let record: serde_json::Value = serde_json::from_slice(json).unwrap();
            record["body"].clone()
        };
        let mut first: serde_json::Value = serde_json::from_slice(&pages[0].1).unwrap();
        first["body"] = body(&pages[1].1);
        tree.insert(&pages[0].0, first.to_string().as_bytes()).unwrap();
    });
    check(copy.path(), &[Kind::BodyDiffers], "another page's body");
    let copy = sample.copy();
    copy.edit(|tree| {
        let (key, json) = tree.scan_prefix(b"P").next().unwrap().unwrap();
        let mut record: serde_json::Value = serde_json::from_slice(&json).unwrap();
        record["body"]["offset"] = 3.into();
        tree.insert(key, record.to_string().as_bytes()).unwrap();
    });
    check(copy.path(), &[Kind::MissingBody], "no record begins there");
}

#[test]
fn what_a_kill_leaves_is_noted_and_is_no_damage() {
    let sample = Sample::killed();
    let mut found = Vec::new();
    let tail = |name: &str| {
        let path = sample.path().join(name);
        let bytes = [fs::read(&path).unwrap(), b"half a commit".to_vec()].concat();
        fs::write(path, bytes).unwrap();
    };
    tail("log/0000000001.log");
    tail("bodies/000001.warc.gz");
    tail("items.jsonl");
    fs::write(sample.path().join("log/0000000002.log"), "half a header").unwrap();
    fs::write(sample.path().join("bodies/000009.warc.gz"), "half a member").unwrap();
    verify(sample.path(), &mut |finding| found.push(finding.clone())).unwrap();
    assert!(found.iter().all(|finding| finding.level == Level::Note), "{found:#?}");
    for kind in [
        Kind::UncleanStop,
        Kind::UncommittedLog,
        Kind::UncommittedBodies,
        Kind::FeedAhead,
        Kind::Leftover,
    ] {
        assert!(kinds(&found).contains(&kind), "{kind:?} in {found:#?}");
    }
    // A repair removes what nothing speaks of, and the next run clears the rest away.
    let repaired = repair(sample.path(), &mut |_| ()).unwrap();
    assert_eq!((repaired.damage, repaired.repairs.len()), (0, 1), "{repaired:?}");
    assert!(!sample.path().join("bodies/000009.warc.gz").exists());
    drop(crate::rig::Rig::new(sample.path()));
    assert_eq!(damage(sample.path()), []);
}

#[test]
fn a_store_that_is_in_use_is_left_alone() {
    let sample = Sample::new();
    let _open = crate::rig::open(sample.path());
    let error = verify(sample.path(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, crawl_store::StoreError::InUse { .. }), "{error:?}");
}

#[test]
fn findings_say_where_and_what_to_do() {
    let sample = Sample::new();
    fs::remove_file(sample.path().join("bodies/000001.warc.gz")).unwrap();
    let found = damage(sample.path());
    let lost = found.iter().find(|finding| finding.finding == Kind::MissingBodySegment).unwrap();
    assert!(
        lost.to_string().starts_with("missing-body-segment: bodies/000001.warc.gz: "),
        "{lost}"
    );
    let json = serde_json::to_value(lost).unwrap();
    assert_eq!(json["finding"], "missing-body-segment");
    assert_eq!(json["level"], "damage");
    assert!(json["next"].as_str().unwrap().contains("--repair"));
    let pages = found.iter().filter(|finding| finding.finding == Kind::MissingBody);
    assert!(pages.clone().count() == 6 && pages.clone().all(|finding| finding.url.is_some()));
    assert_eq!(repair(sample.path(), &mut |_| ()).unwrap().damage, 0);
}

/// Not a test of its own: the process of the one below whose memory is measured.
pub(crate) fn measured(folder: &Path) {
    let begun = Instant::now();
    let verified = verify(folder, &mut |finding| println!("{finding}")).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok());
    let peak_kib: u64 = peak.unwrap_or(0);
    println!(
        "checked {} pages, {} URLs, {} damaged: {:?}, peak RSS {peak_kib} KiB",
        verified.pages,
        verified.urls,
        verified.damage,
        begun.elapsed()
    );
}

/// `CRAWL_VERIFY_PAGES=1000000` for the long run.
#[test]
fn memory_does_not_grow_with_the_store() {
    let n_pages = std::env::var("CRAWL_VERIFY_PAGES").map_or(1500, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut rig = crate::rig::Rig::new(dir.path());
    rig.store.put_config("{}").unwrap();
    let (mut sent, mut told) = (0_u64, 0);
    while told < n_pages {
        while sent < n_pages.min(told + 1000) {
            let link = |i: u64| rig.found(&format!("http://h/{sent}/{i}"));
            let own = rig.found(&format!("http://h/{sent}"));
            let found = (0..9).map(link).chain([own]).collect();
            let items = vec![crate::rig::item(&format!("{{\"title\":\"book {sent}\"}}"))];
            let body = Bytes::from(format!("<p>page {sent}"));
            let brings = crate::rig::Brings { found, items, body, ..Default::default() };
            let entry = rig.page(&format!("http://h/{sent}"), brings);
            rig.send(entry);
            sent += 1;
        }
        rig.outcome().unwrap();
        told += 1;
    }
    rig.end().unwrap();
    drop(rig);
    let output = crate::kill::command("verify", dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line =
        text.lines().find(|line| line.contains("checked ")).unwrap_or_else(|| panic!("{text}"));
    println!("{line}");
    assert!(
        line.contains(&format!("checked {n_pages} pages")) && line.contains(" 0 damaged"),
        "{text}"
    );
    let peak = line.rsplit_once("RSS ").unwrap().1.trim_end_matches(" KiB").parse::<u64>().unwrap();
    assert!(peak < 300 << 10, "{line}");
}
