//! Pages made durable: what the store's thread does with them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crawl_model::{
    CanonicalUrl, Desk, Ending, Entry, Errand, Fingerprinter, Found, Item, PageItems, PageRecord,
    Parsed, Request, Taken, Ticket, TicketId, Verdict,
};
use crawl_store::{Options, Progress, Store, StoreConfig, WriterEdges};
use tokio::sync::{mpsc, watch};

use crate::reading::{CARDS, LINKS};

/// Links of a page that nobody knew.
const NEW: u64 = 4;

/// A page's record and four new links, in commits of 512 pages.
pub(crate) fn settle(n: u64) {
    write(n, 0);
}

/// The same with 15 items.
pub(crate) fn items(n: u64) {
    write(n, CARDS);
}

fn write(n: u64, n_items: usize) {
    let folder = Folder::new();
    let store = Store::open(&StoreConfig::at(&folder.0), Options::default()).expect("it opens");
    let prints = Fingerprinter::new(store.identity().secret);
    // All of it waits from the beginning: so no commit is closed by the clock.
    let room = n as usize + 1;
    let (entries, entries_in) = mpsc::channel(room);
    let (outcomes, _outcomes_in) = mpsc::channel(2 * room);
    let settled = Arc::new(watch::channel(Progress::default()).0);
    for i in 0..n {
        let entry = page(i, n_items, &prints);
        entries.try_send(entry).expect("there is room");
    }
    drop(entries);
    let open = Arc::new(AtomicUsize::new(room));
    let edges = WriterEdges { entries: entries_in, outcomes, pages: None, settled, open };
    store.writer(edges).run().expect("it writes");
    assert_eq!(store.reader().last().expect("it reads"), n);
}

fn page(i: u64, n_items: usize, prints: &Fingerprinter) -> Entry {
    let url = url(i);
    let errand = Errand::Page(Request { depth: 2, ..Request::get(url.clone()) });
    let print = prints.get(&url);
    let id = TicketId((i % 128) as u32);
    let ticket = Ticket::issue(Arc::new(NoDesk), id, print, errand, 1, false);
    let mut record = PageRecord::new(url, Verdict::Ok);
    (record.status, record.depth, record.bytes) = (Some(200), 2, 24_000);
    (record.n_links, record.fetched_ms) = (LINKS as u32, 1_790_000_000_000 + i);
    "HTTP/1.1".clone_into(&mut record.protocol);
    "text/html".clone_into(&mut record.content_type);
    record.title = format!("Granite Kettle {i}");
    record.digest = format!("{:032x}", u128::from(i) << 64 | 4711);
    let item = |card| {
        Item::plain(format!("{{\"title\":\"Granite Kettle {card}\",\"price\":{}.5}}", i % 90 + 5))
    };
    let items: Vec<_> = (0..n_items).map(item).collect();
    let items = PageItems::plain("", Taken { items, ..Taken::default() });
    let found = (0..NEW).map(|k| found(1_000_000 + i * NEW + k, prints)).collect();
    Entry::Parsed(Box::new(Parsed {
        ticket,
        ending: Ending::Settled { verdict: Verdict::Ok, rest: None },
        response: None,
        record,
        items,
        found,
        cookies: Vec::new(),
        archived: None,
    }))
}

fn found(i: u64, prints: &Fingerprinter) -> Found {
    let url = url(i);
    let print = prints.get(&url);
    let request = Request { depth: 3, ..Request::get(url) };
    Found { print, request, filtered: None, renews: false }
}

fn url(i: u64) -> CanonicalUrl {
    let text = format!("http://h{}.test/p/{}", i % 100, i * 37);
    CanonicalUrl::parse(&text).expect("a URL")
}

/// Nobody waits for the tickets of this crawl.
struct NoDesk;

impl Desk for NoDesk {
    fn abandoned(&self, _: TicketId) {}
}

/// A crawl's folder beside the program: on a real disk, where `/tmp` may be memory.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let program = std::env::current_exe().expect("it has a path");
        Self(program.with_file_name(format!("crawl-parts-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
