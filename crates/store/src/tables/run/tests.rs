//! What is written is read back; what was changed in between is noticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn written(entries: &BTreeMap<u64, u32>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("00000001.run");
    let mut writer = RunWriter::create(&path).unwrap();
    for (&key, &value) in entries {
        writer.push(key, value).unwrap();
    }
    assert!(!path.exists(), "not under its name before it is whole");
    writer.finish().unwrap();
    (dir, path)
}

/// Reads a run in both ways.
fn read(path: &Path, asked: &[u64]) -> Result<Vec<Option<u32>>, StoreError> {
    let run = RunScan::open(path)?.index(|_| {})?;
    let mut reader = run.reader();
    asked.iter().map(|&key| reader.get(key)).collect()
}

fn spread(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_found_and_nothing_else(
        near in prop::collection::btree_map(0_u64..3000, any::<u32>(), 0..400),
        far in prop::collection::btree_map(any::<u64>(), 0_u32..40, 0..900),
    ) {
        let entries: BTreeMap<u64, u32> = near.into_iter().chain(far).collect();
        let (_dir, path) = written(&entries);
        let around = |&key: &u64| [key.wrapping_sub(1), key, key.wrapping_add(1)];
        let mut asked: Vec<u64> = entries.keys().flat_map(around).collect();
        asked.extend([0, u64::MAX]);
        let expected: Vec<_> = asked.iter().map(|key| entries.get(key).copied()).collect();
        prop_assert_eq!(read(&path, &asked).unwrap(), expected);

        let mut scan = RunScan::open(&path).unwrap();
        let mut scanned = Vec::new();
        loop {
            let (keys, values) = scan.next_block().unwrap();
            if keys.is_empty() {
                break;
            }
            scanned.extend(keys.iter().copied().zip(values.iter().copied()));
        }
        prop_assert_eq!(scanned, entries.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn an_entry_takes_six_bytes_and_a_half() {
    // A cut out of ten million: neighbours are as near to each other.
    let gap = u64::MAX / 10_000_000;
    let entries = (0..50_000).map(|n| (n * gap + spread(n) % gap, u32::from(n % 3 == 0)));
    let (_dir, path) = written(&entries.collect());
    let bytes = fs::metadata(&path).unwrap().len();
    assert!(bytes < 50_000 * 13 / 2, "{bytes}");
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let entries: BTreeMap<u64, u32> = (0..300).map(|n| (spread(n), n as u32 % 5)).collect();
    let (_dir, path) = written(&entries);
    let whole = fs::read(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for (at, &byte) in whole.iter().enumerate() {
        file.write_all_at(&[byte ^ 1 << (at % 8)], at as u64).unwrap();
        let error = read(&path, &[]).unwrap_err();
        let StoreError::Damaged { path: named, offset, .. } = &error else { panic!("{error}") };
        assert_eq!(named, &path);
        assert!(*offset <= at as u64, "byte {at}: {error}");
        file.write_all_at(&[byte], at as u64).unwrap();
    }
}

#[test]
fn a_cut_file_is_noticed_wherever_it_is_cut() {
    let entries: BTreeMap<u64, u32> = (0..300).map(|n| (spread(n), 1)).collect();
    let (_dir, path) = written(&entries);
    let whole = fs::read(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for length in (0..whole.len()).rev() {
        file.set_len(length as u64).unwrap();
        let error = read(&path, &[]).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{length}: {error}");
    }
    // A block left out, the rest as it was.
    fs::write(&path, &whole).unwrap();
    let run = RunScan::open(&path).unwrap().index(|_| {}).unwrap();
    let [from, to] = [1, 2].map(|n: usize| usize::try_from(run.fences[n].offset).unwrap());
    let without: Vec<u8> = [&whole[..from], &whole[to..]].concat();
    fs::write(&path, without).unwrap();
    let error = read(&path, &[]).unwrap_err();
    assert!(error.to_string().contains("as many entries"), "{error}");
}

#[test]
fn damage_after_the_open_is_noticed_by_the_look_up_that_meets_it() {
    let entries: BTreeMap<u64, u32> = (0..300).map(|n| (spread(n), 1)).collect();
    let (_dir, path) = written(&entries);
    let run = RunScan::open(&path).unwrap().index(|_| {}).unwrap();
    let whole = fs::read(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for (at, &byte) in whole.iter().enumerate().take(whole.len() - FOOT).skip(8) {
        file.write_all_at(&[byte ^ 0x10], at as u64).unwrap();
        let block = run.fences.iter().rposition(|fence| fence.offset <= at as u64).unwrap();
        for (n, fence) in run.fences.iter().enumerate() {
            let got = run.get(fence.first);
            match n == block {
                true => assert!(matches!(got, Err(StoreError::Damaged { .. })), "byte {at}"),
                false => assert_eq!(got.unwrap(), Some(1)),
            }
        }
        file.write_all_at(&[byte], at as u64).unwrap();
    }
    file.set_len(100).unwrap();
    let error = run.get(run.fences[0].first).unwrap_err();
    assert!(error.to_string().contains("ends too early"), "{error}");
}

#[test]
fn an_empty_run_is_a_run() {
    let (_dir, path) = written(&BTreeMap::new());
    assert_eq!(read(&path, &[0, 7, u64::MAX]).unwrap(), [None, None, None]);
}

#[test]
fn a_run_that_was_given_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = RunWriter::create(&dir.path().join("00000001.run")).unwrap();
    (0..100_000).for_each(|n| writer.push(n, 1).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
