//! Body files that are damaged: written anew without what is lost, with all else as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crawl_store::inspect::{Query, answer};
use crawl_store::verify::{Finding, Kind, Verified, repair};
use crawl_store::{
    BodyCompression, Options, Store, StoreConfig, StoredAnswer, Warc, archive_files, compact, crash,
};

use super::damage;
use super::store::copy_all;
use crate::kill::command;
use crate::rig::{Brings, Rig, config};

/// Pages in a run.
const PAGES: u64 = 12;

/// A crawl of two runs, so of two body files; each fourth page has the body of the first.
struct Crawl {
    dir: tempfile::TempDir,
    kept: tempfile::TempDir,
}

impl Crawl {
    fn new(compression: BodyCompression) -> Self {
        let (dir, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = StoreConfig { body_compression: compression, ..config(dir.path()) };
        for run in 0..2 {
            let mut rig = Rig::with(Store::open(&config, Options::default()).unwrap());
            rig.store.put_config("{}").unwrap();
            for i in run * PAGES..(run + 1) * PAGES {
                let found = vec![rig.found(&url(i))];
                let body = Bytes::from(text(i));
                let fetched_ms = 1_700_000_000_123 + i;
                let brings = Brings { found, body, fetched_ms, ..Brings::default() };
                let entry = rig.page(&url(i), brings);
                rig.post(entry);
            }
            rig.end().unwrap();
        }
        copy_all(&dir.path().join("bodies"), &kept.path().join("bodies"));
        Self { dir, kept }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A body file, as it was written.
    fn file(&self, number: usize) -> Whole {
        let (name, path) = archive_files(self.kept.path()).unwrap().remove(number);
        Whole { bytes: fs::read(&path).unwrap(), records: records(&path), name }
    }

    /// Every page's body, or why it is lost.
    fn bodies(&self) -> BTreeMap<String, Result<String, String>> {
        let inspection = Store::inspect(self.path()).unwrap();
        let reader = inspection.reader();
        let page = |page: Result<(_, crawl_model::PageRecord), _>| {
            let (_, record) = page.unwrap();
            let body = record.body.map(|pointer| reader.body(&pointer).unwrap());
            let body = body.map(|body| String::from_utf8(body.to_vec()).unwrap());
            (record.url.as_str().to_owned(), body.ok_or(record.body_lost))
        };
        reader.pages().unwrap().map(page).collect()
    }

    /// All records of all files, but the first ones of files.
    fn all_records(&self) -> BTreeSet<Vec<u8>> {
        let mut all = BTreeSet::new();
        for (_, path) in archive_files(self.path()).unwrap() {
            let bytes = fs::read(&path).unwrap();
            let records = records(&path).into_iter().filter(|record| record.kind != "warcinfo");
            all.extend(records.map(|record| bytes[record.at.clone()].to_vec()));
        }
        all
    }

    /// Repairs; all must be well then.
    #[track_caller]
    fn mended(&self) -> (Vec<Finding>, Verified) {
        let mut found = Vec::new();
        let verified = repair(self.path(), &mut |finding| found.push(finding.clone())).unwrap();
        assert_eq!(verified.damage, 0, "{verified:#?} after {found:#?}");
        assert_eq!(damage(self.path()), [], "{verified:#?}");
        (found, verified)
    }
}

struct Whole {
    name: String,
    bytes: Vec<u8>,
    records: Vec<One>,
}

struct One {
    at: Range<usize>,
    kind: String,
}

fn url(i: u64) -> String {
    format!("http://h/{i}")
}

/// Words that no compression makes short.
fn text(i: u64) -> String {
    let i = if i.is_multiple_of(4) { 0 } else { i };
    let word = |j: u64| format!("{:x} ", (i * 50 + j + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    format!("<p>page {i} {}", (0..50).map(word).collect::<String>())
}

fn records(path: &Path) -> Vec<One> {
    let mut warc = Warc::open(path).unwrap();
    let mut records = Vec::new();
    while let Some(head) = warc.next() {
        let head = head.unwrap();
        let end = warc.finish().unwrap().unwrap();
        let at = usize::try_from(head.offset).unwrap()..usize::try_from(end).unwrap();
        records.push(One { at, kind: head.kind().to_string() });
    }
    records
}

/// How a record is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// A bit of its middle.
    Flip,
    /// All of it.
    Zeroed,
    /// Some of its bytes are not there, and all behind it lies elsewhere.
    Shorter,
}

impl Damage {
    fn of(self, bytes: &[u8], at: &Range<usize>) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let middle = at.start + at.len() / 2;
        match self {
            Self::Flip => bytes[middle] ^= 0x10,
            Self::Zeroed => bytes[at.clone()].fill(0),
            Self::Shorter => drop(bytes.drain(middle..middle + 7)),
        }
        bytes
    }
}

#[test]
fn any_record_that_is_damaged_is_left_out_and_every_other_one_stays_as_it_was() {
    for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
        let crawl = Crawl::new(compression);
        let (whole, before) = (crawl.file(1), crawl.bodies());
        let all = crawl.all_records();
        let sled = tempfile::tempdir().unwrap();
        copy_all(&crawl.path().join("sled"), sled.path());
        let some = (0..whole.records.len()).step_by(3).chain([1, 2, 4, whole.records.len() - 1]);
        for which in some {
            for damage in [Damage::Flip, Damage::Zeroed] {
                let record = &whole.records[which];
                restore(&crawl, sled.path());
                let path = crawl.path().join("bodies").join(&whole.name);
                fs::write(&path, damage.of(&whole.bytes, &record.at)).unwrap();
                let how = format!("{damage:?} of {} {which} of {}", record.kind, whole.name);
                let (found, verified) = crawl.mended();
                assert!(found.iter().any(|f| f.offset == Some(record.at.start as u64)), "{how}");
                assert!(verified.repairs.iter().any(|done| done.contains("written anew")), "{how}");
                let lost: BTreeSet<_> = [whole.bytes[record.at.clone()].to_vec()].into();
                let lost = if record.kind == "warcinfo" { BTreeSet::new() } else { lost };
                assert_eq!(&crawl.all_records(), &(&all - &lost), "{how}");
                let is_lost = |(url, body): &(String, Result<String, String>)| {
                    assert!(body.is_err() || *body == before[url], "{how}: {url}");
                    body.is_err()
                };
                let lost: Vec<_> = crawl.bodies().into_iter().filter(is_lost).collect();
                let is_answer = ["response", "revisit"].contains(&&*record.kind);
                assert_eq!(lost.len(), usize::from(is_answer), "{how}: {lost:?}");
                for (url, why) in lost {
                    let why = why.unwrap_err();
                    assert!(why.contains(&whole.name), "{how}: {why}");
                    assert_eq!(asked_for(crawl.path(), &url), Err(why), "{how}");
                    assert_eq!(n_replayed(crawl.path()), (before.len() - 1, 1), "{how}");
                }
            }
        }
    }
}

fn restore(crawl: &Crawl, sled: &Path) {
    for (from, name) in [(crawl.kept.path().join("bodies"), "bodies"), (sled.to_owned(), "sled")] {
        let to = crawl.path().join(name);
        fs::remove_dir_all(&to).unwrap();
        copy_all(&from, &to);
    }
}

/// What `inspect body` says.
fn asked_for(path: &Path, url: &str) -> Result<(), String> {
    let query = serde_json::json!({"what": "body", "url": url});
    let query: Query = serde_json::from_value(query).unwrap();
    let reader = Store::inspect(path).unwrap().reader();
    let answered =
        answer(&reader, &query, &mut |_| std::ops::ControlFlow::Continue(()), &mut |_| {});
    let lost = "the archived answer of this URL is lost: ";
    answered.map_err(|error| error.to_string().strip_prefix(lost).unwrap().to_owned())
}

/// Pages that can be read once more, and those that are lost.
fn n_replayed(path: &Path) -> (usize, usize) {
    let reader = Store::inspect(path).unwrap().reader();
    let answers: Vec<_> = reader.stored().map(|page| page.unwrap().answer).collect();
    let count = |is: fn(&StoredAnswer) -> bool| answers.iter().filter(|answer| is(answer)).count();
    (
        count(|answer| matches!(answer, StoredAnswer::Response(_))),
        count(|answer| matches!(answer, StoredAnswer::Lost)),
    )
}

#[test]
fn bytes_that_are_missing_cost_the_records_around_them_only() {
    let crawl = Crawl::new(BodyCompression::Gzip);
    let whole = crawl.file(0);
    // Where the next record was is in another's middle now: by their places nothing is found.
    let record = whole.records.iter().filter(|record| record.kind == "response").nth(3).unwrap();
    fs::write(
        crawl.path().join("bodies").join(&whole.name),
        Damage::Shorter.of(&whole.bytes, &record.at),
    )
    .unwrap();
    let (_, verified) = crawl.mended();
    let bodies = crawl.bodies();
    let n_there = bodies.values().filter(|body| body.is_ok()).count();
    // Those of the other file, and those before it.
    assert!(n_there >= 12 && n_there < bodies.len(), "{n_there}: {verified:#?}");
}

#[test]
fn pages_that_share_a_body_that_is_lost_are_named() {
    let crawl = Crawl::new(BodyCompression::Gzip);
    let whole = crawl.file(0);
    let first = whole.records.iter().find(|record| record.kind == "response").unwrap();
    let path = crawl.path().join("bodies").join(&whole.name);
    fs::write(&path, Damage::Flip.of(&whole.bytes, &first.at)).unwrap();
    let (found, verified) = crawl.mended();
    let named = |kind: Kind| -> BTreeSet<String> {
        let of = found.iter().filter(|finding| finding.finding == kind);
        of.map(|finding| finding.url.clone().unwrap()).collect()
    };
    let shared: BTreeSet<String> = (0..2 * PAGES).step_by(4).map(url).collect();
    assert_eq!(named(Kind::MissingBody), shared);
    assert_eq!(named(Kind::RevisitUnresolved).len(), shared.len() - 1, "{found:#?}");
    for (url, body) in crawl.bodies() {
        assert_eq!(body.is_err(), shared.contains(&url), "{url}");
        let is_first = url == self::url(0);
        assert!(
            body.is_ok_and(|_| true)
                || is_first
                || crawl.bodies()[&url]
                    .as_ref()
                    .is_err_and(|why| why.contains("the same body as another page")),
            "{url}"
        );
    }
    // Both files had such pages.
    let anew = verified.repairs.iter().filter(|done| done.contains("written anew"));
    assert_eq!(anew.count(), 2, "{verified:#?}");
    // The crawl goes on, and does not refer to what is gone.
    let mut rig = Rig::new(crawl.path());
    rig.settle("http://h/more", Brings { body: text(0).into(), ..Brings::default() });
    rig.settle("http://h/most", Brings { body: text(0).into(), ..Brings::default() });
    rig.end().unwrap();
    drop(rig);
    assert_eq!(crawl.bodies()["http://h/most"], Ok(text(0)));
    assert_eq!(damage(crawl.path()), []);
}

#[test]
fn a_header_that_says_nothing_costs_no_body() {
    let crawl = Crawl::new(BodyCompression::Gzip);
    let (whole, before, all) = (crawl.file(1), crawl.bodies(), crawl.all_records());
    let mut bytes = whole.bytes.clone();
    for (nth, record) in whole.records.iter().enumerate().skip(1) {
        bytes[record.at.start + nth % 10] ^= 0x55;
    }
    fs::write(crawl.path().join("bodies").join(&whole.name), bytes).unwrap();
    let (found, verified) = crawl.mended();
    assert!(found.iter().all(|finding| finding.finding == Kind::BodySegmentDamaged), "{found:#?}");
    assert!(verified.repairs.iter().any(|done| done.contains("headers of gzip")), "{verified:#?}");
    assert_eq!((crawl.bodies(), crawl.all_records()), (before, all));
}

#[test]
fn a_file_that_is_cut_or_gone_costs_what_was_in_it_only() {
    let crawl = Crawl::new(BodyCompression::Gzip);
    let (whole, before) = (crawl.file(1), crawl.bodies());
    let path = crawl.path().join("bodies").join(&whole.name);
    let last = whole.records.last().unwrap();
    fs::write(&path, &whole.bytes[..last.at.end - 5]).unwrap();
    let (_, verified) = crawl.mended();
    assert!(verified.repairs.iter().any(|done| done.contains("was cut to")), "{verified:#?}");
    assert_eq!(fs::read(&path).unwrap(), whole.bytes[..last.at.start]);
    fs::remove_file(&path).unwrap();
    crawl.mended();
    for (url, body) in crawl.bodies() {
        let i: u64 = url.rsplit_once('/').unwrap().1.parse().unwrap();
        assert_eq!(body.is_ok(), i < PAGES, "{url}: {body:?}");
        assert!(body.is_err() || body == before[&url]);
    }
}

#[test]
fn a_file_of_which_nothing_can_be_read_goes() {
    let crawl = Crawl::new(BodyCompression::Gzip);
    let whole = crawl.file(1);
    let path: PathBuf = crawl.path().join("bodies").join(&whole.name);
    fs::write(&path, vec![7; whole.bytes.len()]).unwrap();
    let (_, verified) = crawl.mended();
    assert!(verified.repairs.iter().any(|done| done.contains("was removed")), "{verified:#?}");
    assert!(!path.exists());
}

#[test]
fn a_death_at_any_step_of_a_repair_loses_nothing_more_and_the_next_one_ends_clean() {
    let points = crash::POINTS.iter().filter(|point| point.starts_with("mend-"));
    for point in points {
        for passings in [1, 2] {
            let crawl = Crawl::new(BodyCompression::Gzip);
            let before = crawl.bodies();
            for number in 0..2 {
                let whole = crawl.file(number);
                let mut bytes = whole.bytes.clone();
                // The original of the shared body stays.
                let records = whole.records.iter().filter(|record| record.kind == "response");
                for record in records.skip(2).step_by(3) {
                    bytes = Damage::Flip.of(&bytes, &record.at);
                }
                fs::write(crawl.path().join("bodies").join(&whole.name), bytes).unwrap();
            }
            let status = command("repair", crawl.path())
                .env(crash::VARIABLE, format!("{point}:{passings}"))
                .env("CRAWL_LIMIT_UPKEEP", "2")
                .spawn()
                .unwrap()
                .wait()
                .unwrap();
            let has_died = std::os::unix::process::ExitStatusExt::signal(&status) == Some(6);
            assert!(has_died || *point == "mend-unpointed", "nothing passes {point} {passings}");
            crawl.mended();
            let after = crawl.bodies();
            let n_lost = after.values().filter(|body| body.is_err()).count();
            assert!((4..=8).contains(&n_lost), "{point}: {after:#?}");
            assert!(after.iter().all(|(url, body)| body.is_err() || *body == before[url]));
            // The crawl can be opened for a run, and its archive be made smaller.
            drop(crate::rig::open(crawl.path()));
            assert_eq!(compact(crawl.path()).unwrap().notes, [""; 0], "{point}");
            assert_eq!(crawl.bodies(), after, "{point}");
            assert_eq!(damage(crawl.path()), [], "{point}");
        }
    }
}

#[test]
fn the_pages_of_a_crawl_that_was_not_archived_are_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::with(Store::open(&StoreConfig::at(dir.path()), Options::default()).unwrap());
    rig.settle("http://h/0", Brings::default());
    rig.end().unwrap();
    drop(rig);
    assert_eq!(n_replayed(dir.path()), (0, 0));
}
