//! The log by itself: what is cut back, what is an error, what readers see.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Fingerprint, Found, Request, Verdict};

use super::*;
use crate::codec::{Facts, Packer, RawEnding};

/// A log, and how to write to it.
struct Rig {
    dir: tempfile::TempDir,
    files: Arc<LogFiles>,
    appender: Appender,
    packer: Packer,
}

impl Rig {
    fn new(segment_bytes: u64) -> Self {
        Self::at(tempfile::tempdir().unwrap(), LogPosition::default(), segment_bytes).unwrap()
    }

    fn at(
        dir: tempfile::TempDir,
        committed: LogPosition,
        segment_bytes: u64,
    ) -> Result<Self, StoreError> {
        let mut files = LogFiles::open(dir.path().join("log"), prints(), committed)?;
        files.segment_bytes = segment_bytes;
        let files = Arc::new(files);
        let (appender, packer) =
            (Appender::new(files.clone()), Packer::new(prints(), committed.n + 1));
        Ok(Self { dir, files, appender, packer })
    }

    /// Packs a settle with three links; its print is its number.
    fn settle(&mut self) {
        let n = self.packer.last_n() + 1;
        let host = format!("h{}", n % 3);
        let ending =
            RawEnding { print: Fingerprint(n), host: &host, at_ms: 1000 + n, rest_until_ms: 0 };
        assert_eq!(self.packer.settled(ending, Verdict::Ok, Facts::default()), n);
        for link in 0..3 {
            self.find(&format!("http://{host}/{n}/link-{link}"));
        }
    }

    fn find(&mut self, url: &str) {
        let request = Request::get(CanonicalUrl::parse(url).unwrap());
        let print = prints().request(&request);
        self.packer.found(&Found { print, request, filtered: None, renews: false });
    }

    /// Appends what was packed, and does not say so.
    fn append(&mut self) -> LogPosition {
        let (blocks, last_n) = (self.packer.take(), self.packer.last_n());
        self.appender.append(&blocks, last_n).unwrap()
    }

    fn commit(&mut self, n_settles: u64) -> LogPosition {
        (0..n_settles).for_each(|_| self.settle());
        let position = self.append();
        self.files.publish(position);
        position
    }

    fn path(&self, segment: u32) -> PathBuf {
        path_of(&self.files.dir, segment)
    }

    fn events(&self) -> Result<Vec<crawl_model::Event>, StoreError> {
        Events::new(Log::all(&self.files)).collect()
    }

    /// Opens the files anew, as the next process does; gives up the old ones.
    fn reopened(self) -> (Self, Vec<String>) {
        let committed = self.files.committed();
        let notes = recover(&self.files.dir, committed).unwrap();
        let rig = Self::at(self.dir, committed, self.files.segment_bytes).unwrap();
        (rig, notes)
    }
}

fn prints() -> Fingerprinter {
    Fingerprinter::new([5; 16])
}

/// Opens what lies in `dir` and reads all of it.
fn read(dir: &Path, committed: LogPosition) -> Result<usize, StoreError> {
    let files = Arc::new(LogFiles::open(dir.to_owned(), prints(), committed)?);
    Events::new(Log::all(&files)).try_fold(0, |n, event| event.map(|_| n + 1))
}

/// The numbers of what settled from number `n` on.
fn settled_from(files: &Arc<LogFiles>, n: u64) -> Result<Vec<u64>, StoreError> {
    let mut log = Log::settles_from(files, n)?;
    let mut numbers = Vec::new();
    while let Some(settle) = log.next_settle()? {
        let number = settle.n;
        assert_eq!((settle.ending.print, settle.verdict), (Fingerprint(number), Verdict::Ok));
        numbers.extend((number >= n).then_some(number));
    }
    Ok(numbers)
}

fn is_clear(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::LogDamaged { .. } | StoreError::LogShort { .. } | StoreError::LogMissing { .. }
    )
}

#[test]
fn what_was_appended_is_read_in_order_over_many_files() {
    let mut rig = Rig::new(2_000);
    let places: Vec<_> = (0..40).map(|i| rig.commit(1 + i % 5)).collect();
    let end = *places.last().unwrap();
    assert!(end.segment > 3, "{end:?}");
    let (rig, notes) = rig.reopened();
    assert_eq!(notes, Vec::<String>::new());
    let all = rig.events().unwrap();
    assert_eq!(all.len() as u64, end.n * 4);
    for place in places {
        let log = Log::after(&rig.files, place).unwrap();
        let rest: Vec<_> = Events::new(log).map(Result::unwrap).collect();
        assert_eq!(rest, all[usize::try_from(place.n).unwrap() * 4..], "{place:?}");
    }
    let log = Log::after(&rig.files, LogPosition::default()).unwrap();
    assert_eq!(Events::new(log).count(), all.len());
}

#[test]
fn a_place_that_the_log_does_not_reach_is_an_error() {
    let mut rig = Rig::new(2_000);
    let place = rig.commit(3);
    for beyond in [
        LogPosition { offset: place.offset + 1, ..place },
        LogPosition { segment: place.segment + 1, ..place },
    ] {
        let error = Log::after(&rig.files, beyond).unwrap_err();
        assert!(matches!(error, StoreError::LogShort { .. }), "{error:?}");
    }
}

#[test]
fn a_settle_number_is_found_wherever_it_lies() {
    let mut rig = Rig::new(3_000);
    assert!(settled_from(&rig.files, 1).unwrap().is_empty());
    for i in 0..60 {
        rig.commit(i % 4);
        if i % 7 == 0 {
            // Also while it grows.
            let last = rig.files.committed().n;
            assert_eq!(
                settled_from(&rig.files, last).unwrap(),
                (last.max(1)..=last).collect::<Vec<_>>()
            );
        }
    }
    let (rig, _) = rig.reopened();
    let last = rig.files.committed().n;
    for n in (1..=last + 2).rev() {
        assert_eq!(settled_from(&rig.files, n).unwrap(), (n..=last).collect::<Vec<_>>());
    }
}

#[test]
fn readers_see_what_was_committed_when_they_began() {
    let mut rig = Rig::new(2_000);
    rig.commit(2);
    let before = Log::all(&rig.files);
    rig.settle();
    rig.append(); // on the disk, and not committed
    assert_eq!(rig.events().unwrap().len(), 8);
    for _ in 0..30 {
        rig.commit(2);
    }
    assert_eq!(Events::new(before).count(), 8);
    assert_eq!(rig.events().unwrap().len(), 8 + 4 + 240);
}

#[test]
fn a_reader_keeps_up_with_a_writer() {
    let mut rig = Rig::new(4_000);
    let files = rig.files.clone();
    let reader = std::thread::spawn(move || {
        let mut seen = 0;
        while seen < 600 {
            let numbers = settled_from(&files, seen + 1).unwrap();
            let expected: Vec<_> = (seen + 1..=seen + numbers.len() as u64).collect();
            assert_eq!(numbers, expected);
            seen += numbers.len() as u64;
            std::thread::yield_now();
        }
    });
    for i in 0..200 {
        rig.commit(3);
        // Records without a settle lie there, too.
        for seed in 0..3 {
            rig.find(&format!("http://seed/{i}/{seed}"));
            rig.commit(0);
        }
    }
    reader.join().unwrap();
}

#[test]
fn what_a_reader_looks_up_lies_before_its_end() {
    let mut rig = Rig::new(100_000);
    rig.commit(2);
    let end = rig.commit(1);
    for seed in 0..3 {
        rig.find(&format!("http://seed/{seed}"));
        rig.commit(0);
    }
    let place = rig.files.find(end.n + 1, end).unwrap();
    assert!(place.offset < end.offset, "{place:?}, {end:?}");
    assert!(rig.files.find(end.n + 1, rig.files.committed()).unwrap().offset > end.offset);
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_was_torn() {
    let mut rig = Rig::new(100_000);
    let committed = rig.commit(5);
    let good = fs::read(rig.path(1)).unwrap();
    rig.settle();
    rig.append();
    let torn = fs::read(rig.path(1)).unwrap();
    let file = fs::OpenOptions::new().write(true).open(rig.path(1)).unwrap();
    for len in good.len()..=torn.len() {
        file.set_len(len as u64).unwrap();
        file.write_all_at(&torn[..len], 0).unwrap();
        // To look at it cuts nothing.
        assert_eq!(read(&rig.files.dir, committed).unwrap(), 20);
        let notes = recover(&rig.files.dir, committed).unwrap();
        assert_eq!(notes.len(), usize::from(len > good.len()), "{notes:?}");
        let note = format!("cut {} bytes", len - good.len());
        assert!(notes.iter().all(|text| text.contains(&note) && text.contains("0000000001.log")));
        assert_eq!(fs::read(rig.path(1)).unwrap(), good);
    }
    // What comes next takes the place of what was torn.
    let (mut rig, _) = rig.reopened();
    rig.commit(2);
    assert_eq!(rig.events().unwrap().len(), 28);
}

#[test]
fn a_file_that_no_commit_speaks_of_is_removed() {
    let mut rig = Rig::new(1);
    let committed = rig.commit(1);
    rig.settle();
    assert_eq!(rig.append().segment, 2);
    fs::write(rig.path(3), "half a head").unwrap();
    let other = rig.files.dir.join("notes.log");
    fs::write(&other, "mine").unwrap();
    let (mut rig, notes) = rig.reopened();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(!rig.path(2).exists() && !rig.path(3).exists() && other.exists());
    assert_eq!(rig.files.committed(), committed);
    rig.commit(1);
    assert_eq!(rig.events().unwrap().len(), 8);
}

/// Changes one byte of a file, and back once `each` has looked.
fn with_damage(path: &Path, flip: u8, mut each: impl FnMut(usize)) {
    let good = fs::read(path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    for (at, byte) in good.iter().enumerate() {
        file.write_all_at(&[byte ^ flip], at as u64).unwrap();
        each(at);
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
}

#[test]
fn every_damaged_byte_is_a_clear_error() {
    let mut rig = Rig::new(700);
    while rig.files.committed().segment < 3 {
        rig.commit(2);
    }
    let (committed, dir) = (rig.files.committed(), rig.files.dir.clone());
    let n_events = read(&dir, committed).unwrap();
    for (segment, flip) in [(1, 0x01), (2, 0x80), (3, 0xff), (1, 0x10)] {
        with_damage(&rig.path(segment), flip, |at| {
            let error = read(&dir, committed).expect_err("damage is told");
            assert!(is_clear(&error), "byte {at} of {segment}: {error:?}");
            assert!(error.to_string().contains("/log/000000000"), "{error}");
            assert!(error.hint().unwrap().contains("--fresh"));
        });
    }
    assert_eq!(read(&dir, committed).unwrap(), n_events);
}

#[test]
fn damage_never_hides_a_settle() {
    let mut rig = Rig::new(300);
    for _ in 0..6 {
        rig.commit(1);
    }
    let (committed, dir) = (rig.files.committed(), rig.files.dir.clone());
    assert!(committed.segment > 1);
    for segment in 1..=committed.segment {
        with_damage(&rig.path(segment), 0x11, |_| {
            let Ok(files) = LogFiles::open(dir.clone(), prints(), committed) else { return };
            let files = Arc::new(files);
            for n in 1..=committed.n {
                match settled_from(&files, n) {
                    Ok(numbers) => assert_eq!(numbers, (n..=committed.n).collect::<Vec<_>>()),
                    Err(error) => assert!(is_clear(&error), "{error:?}"),
                }
            }
        });
    }
}

#[test]
fn a_file_that_is_short_or_gone_is_a_clear_error() {
    let mut rig = Rig::new(700);
    while rig.files.committed().segment < 3 {
        rig.commit(2);
    }
    let (committed, dir) = (rig.files.committed(), rig.files.dir.clone());
    for segment in 1..=3 {
        let path = rig.path(segment);
        let good = fs::read(&path).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        for len in (0..good.len()).rev() {
            file.set_len(len as u64).unwrap();
            let error = read(&dir, committed).expect_err("a loss is told");
            assert!(matches!(error, StoreError::LogShort { .. }), "{len} of {segment}: {error:?}");
        }
        fs::remove_file(&path).unwrap();
        let error = read(&dir, committed).expect_err("a loss is told");
        assert!(matches!(&error, StoreError::LogMissing { path: p } if *p == path), "{error:?}");
        fs::write(&path, &good).unwrap();
    }
    // One that was sealed and is longer now is damaged, too.
    let mut file = fs::OpenOptions::new().append(true).open(rig.path(1)).unwrap();
    file.write_all(b"x").unwrap();
    assert!(read(&dir, committed).is_err());
}
