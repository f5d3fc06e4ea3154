//! Runs that are not what was written: an error or a fault, and never a wrong answer.

use std::fs;

use super::super::*;
use super::{spill, spread};

#[test]
fn a_damaged_run_is_a_fault_and_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    (0..1000).for_each(|n| seen.set(spread(n), Standing::Queued));
    spill(&seen, dir.path());
    let path = dir.path().join(&seen.run_names()[0]);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let got: Vec<_> = (0..1000).map(|n| seen.get(spread(n))).collect();
    let missing = got.iter().filter(|got| got.is_none()).count();
    assert!((1..=128).contains(&missing), "{missing}: only the block that is damaged");
    assert!(got.iter().flatten().all(|&got| got == Standing::Queued));
    let missing = got.iter().position(Option::is_none).unwrap() as u64;
    assert!(seen.is_faulty());
    let fault = seen.fault().unwrap();
    assert!(matches!(fault, StoreError::Damaged { .. }), "{fault}");
    assert!(fault.to_string().contains("00000001.run"), "{fault}");
    assert!(seen.fault().is_none() && seen.is_faulty(), "told once, true for ever");

    assert_eq!(seen.learn(spread(missing), None, 0, false), Learnt::Nothing);
    seen.set(spread(5000), Standing::Queued);
    assert!(seen.freeze().is_none(), "nothing is made of half a set");
    let error = Seen::open(dir.path(), &["00000001.run".to_owned()]).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn an_entry_of_a_later_version_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = tables::RunWriter::create(&dir.path().join("00000001.run")).unwrap();
    let standing = Standing::Filtered(FilterReason::OffDomain, 0);
    let code = Place { standing, has_entry: false }.code() + 38;
    writer.push(7, code).unwrap();
    writer.finish().unwrap();
    for many in [false, true] {
        let seen = Seen::open(dir.path(), &["00000001.run".to_owned()]).unwrap();
        let mut out = Vec::new();
        match many {
            true => seen.get_many(&[Fingerprint(7)], &mut out),
            false => out.push(seen.get(Fingerprint(7))),
        }
        assert_eq!(out, [None]);
        assert!(seen.fault().unwrap().to_string().contains("this version does not know"));
    }
}

#[test]
fn a_run_that_is_gone_is_an_error_at_the_open() {
    let dir = tempfile::tempdir().unwrap();
    let error = Seen::open(dir.path(), &["00000009.run".to_owned()]).unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");
}

#[test]
fn what_a_kill_left_is_removed_and_what_is_not_ours_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    seen.set(spread(1), Standing::Ended(crawl_model::Verdict::Ok));
    spill(&seen, dir.path());
    for name in ["00000002.run", "00000003.run.new", "notes.txt"] {
        fs::write(dir.path().join(name), "half").unwrap();
    }
    let seen = Seen::open(dir.path(), &seen.run_names()).unwrap();
    let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["00000001.run", "notes.txt"]);
    assert_eq!(seen.get(spread(1)), Some(Standing::Ended(crawl_model::Verdict::Ok)));
}
