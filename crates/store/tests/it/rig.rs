//! A store with its writer at work, and tickets to feed it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use crawl_model::{
    CanonicalUrl, Desk, DroppedItem, Ending, Entry, Errand, Exchange, Fingerprint, Fingerprinter,
    Found, Item, Keys, Kinds, Outcome, Page, PageItems, PageRecord, Parsed, Request, Response,
    Taken, Texts, Ticket, TicketId, Verdict,
};
use crawl_store::{
    Bodies, Options, Progress, Store, StoreConfig, StoreError, WriterEdges, blocking,
};
use tokio::sync::{mpsc, watch};

#[derive(Default)]
pub(crate) struct Abandoned(pub(crate) Mutex<Vec<u32>>);

impl Desk for Abandoned {
    fn abandoned(&self, id: TicketId) {
        self.0.lock().unwrap().push(id.0);
    }
}

pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) entries: Option<mpsc::Sender<Entry>>,
    pub(crate) outcomes: mpsc::Receiver<Outcome>,
    pub(crate) pages: mpsc::Receiver<Page>,
    pub(crate) settled: watch::Receiver<Progress>,
    pub(crate) open: Arc<AtomicUsize>,
    pub(crate) desk: Arc<Abandoned>,
    pub(crate) prints: Fingerprinter,
    writer: Option<JoinHandle<Result<(), StoreError>>>,
}

pub(crate) fn config(path: &Path) -> StoreConfig {
    StoreConfig { bodies: Bodies::Html, ..StoreConfig::at(path) }
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(&config(path), Options::default()).unwrap()
}

pub(crate) fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

pub(crate) fn item(json: &str) -> Item {
    Item::plain(json)
}

/// What one page brings.
pub(crate) struct Brings {
    pub(crate) verdict: Verdict,
    pub(crate) status: u16,
    pub(crate) items: Vec<Item>,
    /// Keys of each item.
    pub(crate) keys: Vec<Keys>,
    pub(crate) kinds: Kinds,
    pub(crate) spider: &'static str,
    pub(crate) dropped: Vec<DroppedItem>,
    pub(crate) label: &'static str,
    pub(crate) found: Vec<Found>,
    pub(crate) body: Bytes,
    pub(crate) fetched_ms: u64,
}

impl Default for Brings {
    fn default() -> Self {
        let body = Bytes::from_static(b"<p>a page");
        Self {
            verdict: Verdict::Ok,
            status: 200,
            items: vec![],
            keys: vec![],
            kinds: Kinds::default(),
            spider: "",
            dropped: vec![],
            label: "",
            found: vec![],
            body,
            fetched_ms: 0,
        }
    }
}

impl Rig {
    pub(crate) fn new(path: &Path) -> Self {
        Self::with(open(path))
    }

    pub(crate) fn with(store: Store) -> Self {
        let (entries, from_entries) = mpsc::channel(1024);
        let (to_outcomes, outcomes) = mpsc::channel(4096);
        let (to_pages, pages) = mpsc::channel(4096);
        let (to_settled, settled) = watch::channel(Progress::default());
        let open = Arc::new(AtomicUsize::new(0));
        let writer = store.writer(WriterEdges {
            entries: from_entries,
            outcomes: to_outcomes,
            pages: Some(to_pages),
            settled: Arc::new(to_settled),
            open: open.clone(),
        });
        let writer = Some(std::thread::spawn(move || writer.run()));
        let prints = Fingerprinter::new(store.identity().secret);
        let desk = Arc::new(Abandoned::default());
        let entries = Some(entries);
        Self { store, entries, outcomes, pages, settled, open, desk, prints, writer }
    }

    pub(crate) fn print(&self, text: &str) -> Fingerprint {
        self.prints.get(&url(text))
    }

    pub(crate) fn found(&self, text: &str) -> Found {
        self.with_print(Request::get(url(text)))
    }

    pub(crate) fn with_print(&self, request: Request) -> Found {
        Found { print: self.prints.request(&request), request, filtered: None, renews: false }
    }

    pub(crate) fn ticket(&self, id: u32, errand: Errand) -> Ticket {
        let print = match &errand {
            Errand::Page(request) => self.prints.request(request),
            Errand::Robots { url, .. } => self.prints.get(url),
        };
        self.ticket_as(print, id, errand)
    }

    fn ticket_as(&self, print: Fingerprint, id: u32, errand: Errand) -> Ticket {
        self.open.fetch_add(1, Ordering::AcqRel);
        Ticket::issue(self.desk.clone(), TicketId(id), print, errand, 1, false)
    }

    pub(crate) fn page(&self, text: &str, brings: Brings) -> Entry {
        self.page_as(self.print(text), text, brings)
    }

    /// A page that is called by another fingerprint than its first.
    fn page_as(&self, print: Fingerprint, text: &str, brings: Brings) -> Entry {
        let Brings { verdict, status, items, keys, dropped, label, found, body, .. } = brings;
        let Brings { kinds, spider, fetched_ms, .. } = brings;
        let taken = Taken { spider: spider.into(), kinds, items };
        let items = PageItems { keys, dropped, ..PageItems::plain(label, taken) };
        let ticket = self.ticket_as(print, 1, Errand::Page(Request::get(url(text))));
        let mut record = PageRecord::new(url(text), verdict);
        record.status = Some(status);
        record.fetched_ms = fetched_ms;
        label.clone_into(&mut record.label);
        record.bytes = body.len() as u64;
        record.digest = crawl_model::digest(&body);
        let response = Response {
            status,
            version: "HTTP/1.1",
            headers: vec![("content-type".into(), Bytes::from_static(b"text/html; charset=x"))],
            body,
            truncated: None,
            remote: None,
        };
        let ending = Ending::Settled { verdict, rest: None };
        let archived = self.store.archivist().and_then(|archivist| {
            archivist.archive(&Exchange {
                print: ticket.print(),
                sent: None,
                response: &response,
                record: &record,
                texts: &Texts::default(),
            })
        });
        let response = Some(response);
        Entry::Parsed(Box::new(Parsed {
            ticket,
            ending,
            response,
            record,
            items,
            found,
            cookies: vec![],
            archived,
        }))
    }

    pub(crate) fn send(&self, entry: Entry) {
        self.entries.as_ref().unwrap().blocking_send(entry).unwrap();
    }

    /// The next outcome; closes its ticket as the frontier would.
    /// What else is told of the log is passed over.
    pub(crate) fn outcome(&mut self) -> Option<Outcome> {
        let outcome = loop {
            match blocking::wait(self.outcomes.recv())? {
                Outcome::Committed(_) => {}
                outcome => break outcome,
            }
        };
        if let Outcome::Settled { .. } | Outcome::Retry { .. } | Outcome::Robots { .. } = outcome {
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
        Some(outcome)
    }

    /// Sends one entry and waits for its outcome.
    pub(crate) fn post(&mut self, entry: Entry) -> Outcome {
        self.send(entry);
        self.outcome().expect("the writer runs")
    }

    /// Settles one page.
    pub(crate) fn settle(&mut self, text: &str, brings: Brings) -> Outcome {
        let entry = self.page(text, brings);
        self.post(entry)
    }

    /// The same of one that is called by another fingerprint than its first.
    pub(crate) fn settle_as(&mut self, print: Fingerprint, text: &str, brings: Brings) -> Outcome {
        let entry = self.page_as(print, text, brings);
        self.post(entry)
    }

    /// Ends the writer and returns how it ended.
    pub(crate) fn end(&mut self) -> Result<(), StoreError> {
        self.entries = None;
        self.writer.take().unwrap().join().unwrap()
    }

    /// Ends the writer, lets go of the store and opens it again.
    pub(crate) fn reopened(mut self, path: &Path) -> Self {
        self.end().unwrap();
        self.reopened_after_end(path)
    }

    /// Lets go of the store, whose writer has ended, and opens it again.
    pub(crate) fn reopened_after_end(self, path: &Path) -> Self {
        drop(self);
        Self::new(path)
    }
}

impl Drop for Rig {
    /// The writer holds the folder's lock, so it ends with the rig.
    fn drop(&mut self) {
        self.entries = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
