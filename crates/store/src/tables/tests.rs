//! What is written is read, in its order; what is damaged is told.

use std::fs;

use proptest::prelude::*;

use super::*;

fn key(host: u32, priority: i32, depth: u32) -> LaneKey {
    LaneKey { host, priority, depth }
}

/// A segment of `hosts` hosts, each with lanes of some blocks.
fn written(folder: &Path, hosts: u32, blocks: u32) -> QueueSegment {
    let mut writer = QueueWriter::create(folder, 7).unwrap();
    for host in 0..hosts {
        for (priority, depth) in [(-1, 0), (0, 3), (5, 1)] {
            for nth in 0..blocks {
                let bytes = format!("{host}/{priority}/{depth}/{nth}");
                writer.put(key(host, priority, depth), bytes.as_bytes(), nth + 1).unwrap();
            }
        }
    }
    let texts: Vec<String> = (0..hosts).map(|host| format!("http://h/{host}")).collect();
    writer.finish(texts.iter().map(String::as_str)).unwrap()
}

#[test]
fn blocks_come_back_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 40, 30).sync().unwrap();
    let segment = QueueSegment::open(dir.path(), 7).unwrap();
    assert_eq!(segment.n_entries(), 40 * 3 * (30 * 31 / 2));
    for host in 0..40 {
        for nth in 0..30 {
            let block = segment.block(key(host, 0, 3), nth).unwrap().unwrap();
            assert_eq!(block.bytes, format!("{host}/0/3/{nth}").into_bytes());
            assert_eq!(block.n, nth + 1);
        }
        assert_eq!(segment.block(key(host, 0, 3), 30).unwrap(), None);
        assert_eq!(segment.block(key(host, 0, 4), 0).unwrap(), None);
        assert_eq!(segment.text(host).unwrap(), format!("http://h/{host}"));
    }
    assert!(segment.text(40).is_err());
}

#[test]
fn a_snapshot_is_the_old_one_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let tables = Tables::new(dir.path());
    assert_eq!(tables.snapshot().unwrap(), None);
    for bytes in [&b"one"[..], b"", b"three"] {
        tables.put_snapshot(bytes).unwrap();
        assert_eq!(tables.snapshot().unwrap().as_deref(), Some(bytes));
    }
    let path = dir.path().join(SNAPSHOT);
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(tables.snapshot().is_err(), "cut at {cut}");
    }
}

#[test]
fn a_segment_cut_anywhere_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), 3, 2).path().to_owned();
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(QueueSegment::open(dir.path(), 7).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_is_told_or_harmless(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path(), 3, 2).path().to_owned();
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        let Ok(segment) = QueueSegment::open(dir.path(), 7) else { return Ok(()) };
        for host in 0..3 {
            for nth in 0..2 {
                if let Ok(block) = segment.block(key(host, 0, 3), nth) {
                    let bytes = format!("{host}/0/3/{nth}").into_bytes();
                    prop_assert_eq!(block, Some(QueueBlock { bytes, n: nth + 1 }));
                }
            }
        }
    }
}
