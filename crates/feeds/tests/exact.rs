//! Every item stands in the file exactly once, whatever happened on the way.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, though clippy sees only #[test]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crawl_feeds::{Feed, FeedConfig, FeedError};
use crawl_model::{
    CanonicalUrl, Desk, Ending, Entry, Errand, Fingerprinter, Item, Outcome, PageItems, PageRecord,
    Parsed, Request, Ticket, TicketId, Verdict,
};
use crawl_store::{Options, Progress, Store, StoreConfig, StoreError, WriterEdges, blocking};
use tokio::sync::{mpsc, watch};

struct NoDesk;

impl Desk for NoDesk {
    fn abandoned(&self, _: TicketId) {}
}

/// A store, its writer and one feed.
struct Rig {
    store: Store,
    entries: Option<mpsc::Sender<Entry>>,
    outcomes: mpsc::Receiver<Outcome>,
    settled: Arc<watch::Sender<Progress>>,
    open: Arc<AtomicUsize>,
    writer: Option<JoinHandle<Result<(), StoreError>>>,
    feed: Option<JoinHandle<Result<(), FeedError>>>,
    notes: Vec<String>,
}

fn open(folder: &Path, fresh: bool) -> Store {
    Store::open(&StoreConfig::at(folder.join("crawl")), Options { fresh }).unwrap()
}

fn feed(folder: &Path, store: &Store, fresh: bool) -> Result<Feed, FeedError> {
    Feed::open(&FeedConfig::to(folder.join("items.jsonl")), store.reader(), fresh)
}

impl Rig {
    fn new(folder: &Path) -> Self {
        Self::with(folder, false)
    }

    fn with(folder: &Path, fresh: bool) -> Self {
        let store = open(folder, fresh);
        let feed = feed(folder, &store, fresh).unwrap();
        let notes = feed.notes().to_vec();
        let (entries, from_entries) = mpsc::channel(64);
        let (to_outcomes, outcomes) = mpsc::channel(4096);
        let last = store.recovery().last;
        let settled = Arc::new(watch::channel(Progress { n: last, last: false }).0);
        let open = Arc::new(AtomicUsize::new(0));
        let writer = store.writer(WriterEdges {
            entries: from_entries,
            outcomes: to_outcomes,
            pages: None,
            settled: settled.clone(),
            open: open.clone(),
        });
        let writer = Some(std::thread::spawn(move || writer.run()));
        let (progress, to_writer) = (settled.subscribe(), entries.clone());
        let feed = Some(std::thread::spawn(move || feed.run(progress, to_writer)));
        Self { store, entries: Some(entries), outcomes, settled, open, writer, feed, notes }
    }

    /// Settles page `i` with two items; does not wait.
    fn send(&self, i: u64) {
        let url = CanonicalUrl::parse(&format!("http://h/{i}")).unwrap();
        let print = Fingerprinter::new(self.store.identity().secret).get(&url);
        let errand = Errand::Page(Request::get(url.clone()));
        self.open.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket::issue(Arc::new(NoDesk), TicketId(0), print, errand, 1, false);
        let items = [format!(r#"{{"i":{i},"of":"a"}}"#), format!("{{\"i\":{i},\n\"of\":\"b\"}}")];
        let parsed = Parsed {
            ticket,
            ending: Ending::Settled { verdict: Verdict::Ok, rest: None },
            response: None,
            record: PageRecord::new(url, Verdict::Ok),
            items: PageItems::plain("", items.map(|json| Item(json.into())).to_vec()),
            found: vec![],
            cookies: vec![],
            archived: None,
        };
        self.entries.as_ref().unwrap().blocking_send(Entry::Parsed(Box::new(parsed))).unwrap();
    }

    fn settled(&mut self) {
        let mut next = || blocking::wait(self.outcomes.recv()).expect("the writer runs");
        while let Outcome::Committed(_) = next() {}
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Ends as the engine does: the stages before first, then feeds, then the writer.
    fn end(&mut self) {
        self.entries = None;
        self.settled.send_modify(|progress| progress.last = true);
        self.feed.take().unwrap().join().unwrap().unwrap();
        self.writer.take().unwrap().join().unwrap().unwrap();
    }
}

/// The file's lines for pages `0..n`.
fn lines(n: u64) -> String {
    (0..n).map(|i| format!("{{\"i\":{i},\"of\":\"a\"}}\n{{\"i\":{i},\"of\":\"b\"}}\n")).collect()
}

fn file(folder: &Path) -> String {
    fs::read_to_string(folder.join("items.jsonl")).unwrap()
}

#[test]
fn what_is_still_on_its_way_when_the_crawl_ends_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let mut rig = Rig::new(dir.path());
        (run * 50..(run + 1) * 50).for_each(|i| rig.send(i));
        rig.end(); // without waiting for a single outcome
        assert_eq!(file(dir.path()), lines((run + 1) * 50));
        let name = dir.path().join("items.jsonl").display().to_string();
        let cursor = rig.store.reader().feed_cursor(&name).unwrap().unwrap();
        assert_eq!((cursor.n, cursor.len), ((run + 1) * 50, file(dir.path()).len() as u64));
    }
}

#[test]
fn what_lies_beyond_the_last_report_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::write(dir.path().join("items.jsonl"), lines(9) + "{\"torn").unwrap();
    let mut rig = Rig::new(dir.path());
    assert!(rig.notes[0].contains("cut back"), "{:?}", rig.notes);
    (5..7).for_each(|i| rig.send(i));
    rig.end();
    assert_eq!(file(dir.path()), lines(7));
}

#[test]
fn a_missing_or_shorter_file_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::write(dir.path().join("items.jsonl"), &lines(5)[..30]).unwrap();
    let mut rig = Rig::new(dir.path());
    assert!(rig.notes[0].contains("written anew"), "{:?}", rig.notes);
    rig.end();
    drop(rig);
    assert_eq!(file(dir.path()), lines(5));
    fs::remove_file(dir.path().join("items.jsonl")).unwrap();
    let mut rig = Rig::new(dir.path());
    rig.send(5);
    rig.end();
    assert_eq!(file(dir.path()), lines(6));
}

#[test]
fn a_file_that_this_crawl_did_not_write_is_refused_and_fresh_overwrites_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("items.jsonl"), "yours\n").unwrap();
    let store = open(dir.path(), false);
    let error = feed(dir.path(), &store, false).unwrap_err();
    assert!(matches!(error, FeedError::NotOurs { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--fresh"));
    assert_eq!(file(dir.path()), "yours\n");
    drop(store);
    let mut rig = Rig::with(dir.path(), true);
    rig.send(0);
    rig.end();
    assert_eq!(file(dir.path()), lines(1));
}

#[test]
fn two_feeds_cannot_share_a_file_and_unknown_formats_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), false);
    let _first = feed(dir.path(), &store, false).unwrap();
    assert!(matches!(feed(dir.path(), &store, false), Err(FeedError::InUse { .. })));
    let odd = Feed::open(&FeedConfig::to("items.xyz"), store.reader(), false).unwrap_err();
    assert!(odd.to_string().contains("items.xyz"));
    assert!(!Path::new("items.xyz").exists());
}

#[test]
fn a_new_feed_of_an_old_crawl_starts_with_its_first_item() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    (0..5).for_each(|i| rig.send(i));
    rig.end();
    drop(rig);
    fs::rename(dir.path().join("items.jsonl"), dir.path().join("old.jsonl")).unwrap();
    let store = open(dir.path(), false);
    let config = FeedConfig::to(dir.path().join("sub/new.jsonl"));
    let feed = Feed::open(&config, store.reader(), false).unwrap();
    let (entries, from_entries) = mpsc::channel(64);
    let settled = Arc::new(watch::channel(Progress { n: 5, last: true }).0);
    let progress = settled.subscribe();
    let writer = store.writer(WriterEdges {
        entries: from_entries,
        outcomes: mpsc::channel(1).0,
        pages: None,
        settled,
        open: Arc::default(),
    });
    let writer = std::thread::spawn(move || writer.run());
    feed.run(progress, entries).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("sub/new.jsonl")).unwrap(), lines(5));
}

#[test]
fn a_feed_ends_when_its_writer_has_failed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), false);
    // The engine keeps the sender; only the closed edge tells that the writer is gone.
    let settled = watch::channel(Progress::default()).0;
    let (entries, from_entries) = mpsc::channel(64);
    let feed = feed(dir.path(), &store, false).unwrap();
    let progress = settled.subscribe();
    let running = std::thread::spawn(move || feed.run(progress, entries));
    drop(from_entries);
    running.join().unwrap().unwrap();
}

const FOLDER: &str = "CRAWL_FEEDS_TEST_FOLDER";
const LIFETIME: Duration = Duration::from_secs(60);

/// Not a test of its own: does nothing unless the test below runs it.
#[test]
fn the_process_that_dies() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut rig = Rig::new(Path::new(&folder));
    let mut next = rig.store.recovery().last;
    let end = Instant::now() + LIFETIME;
    while Instant::now() < end {
        (next..next + 8).for_each(|i| rig.send(i));
        (0..8).for_each(|_| rig.settled());
        next += 8;
        println!("settled {next}");
    }
}

fn child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["the_process_that_dies", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_again_and_again_the_file_has_every_item_once() {
    let dir = tempfile::tempdir().unwrap();
    for n in [1, 40, 3, 250, 1, 120] {
        let mut child = child(dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let settles = lines.map(|line| line.unwrap()).filter(|line| line.contains("settled"));
        assert_eq!(settles.take(n).count(), n);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut rig = Rig::new(dir.path());
    let last = rig.store.recovery().last;
    assert!(last >= 415 * 8);
    rig.send(last);
    rig.end();
    assert_eq!(file(dir.path()), lines(last + 1));
}
