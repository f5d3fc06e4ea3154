//! A store, its writer and its feeds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crawl_feeds::{Feed, FeedConfig, FeedError, Outages};
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

/// A store, its writer and feeds.
pub(crate) struct Rig {
    pub(crate) store: Store,
    entries: Option<mpsc::Sender<Entry>>,
    outcomes: mpsc::Receiver<Outcome>,
    settled: Arc<watch::Sender<Progress>>,
    open: Arc<AtomicUsize>,
    writer: Option<JoinHandle<Result<(), StoreError>>>,
    feeds: Vec<JoinHandle<Result<(), FeedError>>>,
    pub(crate) notes: Vec<String>,
    /// Which of the feeds wait.
    #[allow(dead_code, reason = "only the tests of databases look")]
    pub(crate) outages: Outages,
}

pub(crate) fn open(folder: &Path, fresh: bool) -> Store {
    Store::open(&StoreConfig::at(folder.join("crawl")), Options { fresh }).unwrap()
}

impl Rig {
    /// One feed of JSON Lines.
    pub(crate) fn new(folder: &Path) -> Self {
        Self::with(folder, &[FeedConfig::to(folder.join("items.jsonl"))], false)
    }

    pub(crate) fn with(folder: &Path, feeds: &[FeedConfig], fresh: bool) -> Self {
        let store = open(folder, fresh);
        let outages = Outages::default();
        let open_feed =
            |config| Feed::open(config, store.reader(), fresh).unwrap().telling(&outages);
        let feeds: Vec<Feed> = feeds.iter().map(open_feed).collect();
        let notes = feeds.iter().flat_map(|feed| feed.notes().to_vec()).collect();
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
        let start = |feed: Feed| {
            let (progress, to_writer) = (settled.subscribe(), entries.clone());
            std::thread::spawn(move || feed.run(progress, to_writer))
        };
        let feeds = feeds.into_iter().map(start).collect();
        Self {
            store,
            entries: Some(entries),
            outcomes,
            settled,
            open,
            writer,
            feeds,
            notes,
            outages,
        }
    }

    /// Settles page `i` with two items; does not wait.
    pub(crate) fn send(&self, i: u64) {
        let two = [format!(r#"{{"i":{i},"of":"a"}}"#), format!("{{\"i\":{i},\n\"of\":\"b\"}}")];
        self.send_items(i, two.to_vec());
    }

    /// Settles page `i` with these items; does not wait.
    pub(crate) fn send_items(&self, i: u64, items: Vec<String>) {
        let url = CanonicalUrl::parse(&format!("http://h/{i}")).unwrap();
        let print = Fingerprinter::new(self.store.identity().secret).get(&url);
        let errand = Errand::Page(Request::get(url.clone()));
        self.open.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket::issue(Arc::new(NoDesk), TicketId(0), print, errand, 1, false);
        let items: Vec<_> = items.into_iter().map(Item::plain).collect();
        let parsed = Parsed {
            ticket,
            ending: Ending::Settled { verdict: Verdict::Ok, rest: None },
            response: None,
            record: PageRecord::new(url, Verdict::Ok),
            items: PageItems::plain("", items),
            found: vec![],
            cookies: vec![],
            archived: None,
        };
        self.entries.as_ref().unwrap().blocking_send(Entry::Parsed(Box::new(parsed))).unwrap();
    }

    /// Waits until one more page has settled.
    pub(crate) fn settled(&mut self) {
        let mut next = || blocking::wait(self.outcomes.recv()).expect("the writer runs");
        while let Outcome::Committed(_) = next() {}
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Ends as the engine does: the stages before first, then feeds, then the writer.
    pub(crate) fn end(&mut self) {
        self.try_end().into_iter().for_each(Result::unwrap);
    }

    /// The same; says how the feeds ended.
    pub(crate) fn try_end(&mut self) -> Vec<Result<(), FeedError>> {
        self.entries = None;
        self.settled.send_modify(|progress| progress.last = true);
        let ends = self.feeds.drain(..).map(|feed| feed.join().unwrap()).collect();
        self.writer.take().unwrap().join().unwrap().unwrap();
        ends
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
