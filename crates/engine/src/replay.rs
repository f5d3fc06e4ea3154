//! A stored crawl as the source on the `Fetched` edge: the spider reads its pages once more, and no
//! network is touched.
//!
//! ```text
//! stored pages --Fetched--> CPU threads --Entry--> sequencer --Entry--> writer --Progress--> feeds
//! ```
//!
//! The pages are read in parallel and written in the order in which they once settled, so that of
//! two items with one key the same one comes first. All links count as known: what a replay leads
//! to was crawled, or was not. The new folder is a crawl's like any other: each page is found and
//! settles in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_channel::{Sender, bounded};
use crawl_feeds::Feed;
use crawl_model::{
    CanonicalUrl, Desk, Entry, Errand, Failure, FailureKind, Fetched, Fingerprint, Fingerprinter,
    Found, KeyRules, Look, Outcome, Request, Source, Ticket, TicketId, View,
};
use crawl_parser::CrewEnd;
use crawl_pipeline::Pipeline;
use crawl_spider::{Closed, Spider};
use crawl_store::{
    Bodies, Options, Progress, Reader, Store, StoreError, StoredAnswer, StoredPage, WriterEdges,
    blocking,
};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::config::CrawlConfig;
use crate::error::CrawlError;
use crate::opened::{self, Parts};
use crate::supervise::cpu_thread;

/// Pages that may be under way at a time.
const WINDOW: usize = 256;
/// Entries that wait at either side of the sequencer.
const ENTRIES: usize = 64;

/// What a replay came to. As JSON the field names are stable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Pages and failures that the spider was given.
    pub pages: u64,
    /// Items in the new folder.
    pub items: u64,
    /// Items that the pipeline dropped.
    pub dropped: u64,
    /// Pages whose bodies are not archived, so that they could not be read.
    pub not_archived: u64,
    /// URLs that were never sent: nothing came that could be read.
    pub not_sent: u64,
    /// Time it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Counts that the spider kept.
    pub spider_stats: BTreeMap<String, i64>,
}

/// All links are known.
struct AllKnown(Fingerprinter);

impl View for AllKnown {
    fn fingerprint(&self, url: &CanonicalUrl) -> Fingerprint {
        self.0.get(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        vec![true; prints.len()]
    }

    fn look(&self, _: Fingerprint, _: &CanonicalUrl, _: u32) -> Look {
        Look::Known
    }
}

/// Tells the sequencer of tickets that end without an entry.
struct Lost(mpsc::UnboundedSender<TicketId>);

impl Desk for Lost {
    fn abandoned(&self, id: TicketId) {
        // The sequencer is gone when the replay is over.
        let _ = self.0.send(id);
    }
}

pub(crate) async fn replay(
    mut config: CrawlConfig,
    spider: Arc<dyn Spider>,
    parts: Parts,
    from: &Path,
) -> Result<Replayed, CrawlError> {
    let started = Instant::now();
    config.store.bodies = Bodies::None;
    let (from, n_threads) = (from.to_owned(), config.n_threads());
    let opened = tokio::task::spawn_blocking(move || open(&config, spider, parts, &from)).await;
    let Opened { old, store, parser, feeds, prints } =
        opened.map_err(|_| CrawlError::Task("opening the store"))??;

    let (fetched, fetched_in) = bounded(n_threads * 4);
    let (entries, entries_in) = mpsc::channel(ENTRIES);
    let (in_order, in_order_in) = mpsc::channel(ENTRIES);
    let (outcomes, outcomes_in) = mpsc::channel(ENTRIES);
    let (lost, lost_in) = mpsc::unbounded_channel();
    let settled = Arc::new(watch::channel(Progress::default()).0);
    let open = Arc::new(AtomicUsize::new(0));
    let writer = store.writer(WriterEdges {
        entries: in_order_in,
        outcomes,
        pages: None,
        settled: settled.clone(),
        open: open.clone(),
    });
    let writer = cpu_thread("store", move || writer.run())?;
    let mut feed_ends = Vec::new();
    for feed in feeds {
        let (settled, entries) = (settled.subscribe(), in_order.clone());
        feed_ends.push(cpu_thread("feed", move || feed.run(settled, entries))?);
    }
    let parsers = parser.clone().start(n_threads, fetched_in, entries.clone());
    let (parsers, _let_go) = parsers.map_err(|_| CrawlError::Task("a parser thread"))?;
    let window = Arc::new(Semaphore::new(WINDOW));
    let source = Pages {
        reader: old,
        prints,
        fetched,
        found: in_order.clone(),
        desk: Arc::new(Lost(lost)),
        window,
        open: open.clone(),
    };
    let (tell_permit, permits) = mpsc::unbounded_channel();
    let stop = parser.clone();
    let source =
        cpu_thread("replay", move || source.run(&tell_permit, || stop.stop_reason().is_some()))?;
    let sequencer = tokio::spawn(sequence(entries_in, lost_in, in_order.clone(), permits));
    let acknowledged = tokio::spawn(hear(outcomes_in, open));
    drop(entries);

    let told = source.await.map_err(|_| CrawlError::Task("the reader of stored pages"))?;
    let end = parsers.await.map_err(|_| CrawlError::Task("a parser thread"))?;
    sequencer.await.map_err(|_| CrawlError::Task("the sequencer"))?;
    settled.send_modify(|progress| progress.last = true);
    drop(in_order);
    let mut feeds = Ok(());
    for feed in feed_ends {
        let ended = feed.await.map_err(|_| CrawlError::Task("a feed"));
        feeds = feeds.and(ended.and_then(|result| result.map_err(CrawlError::from)));
    }
    writer.await.map_err(|_| CrawlError::Task("the store's writer"))??;
    acknowledged.await.map_err(|_| CrawlError::Task("the replay"))?;
    feeds?;
    let mut replayed = told?;
    match end {
        CrewEnd::Done => {}
        CrewEnd::Broken => return Err(CrawlError::Task("a parser thread")),
        CrewEnd::Hanging => return Err(CrawlError::Stuck),
    }
    let (n_pages, n_items) = (replayed.pages, store.reader().n_items()?);
    let closing = parser.clone();
    let closed = cpu_thread("closed", move || {
        closing.closed(&Closed { reason: "finished", n_pages, n_items });
    })?;
    let limit = parser.max_time().unwrap_or(Duration::MAX);
    if tokio::time::timeout(limit, closed).await.is_err() {
        parser.closed_late(limit);
    }
    replayed.items = n_items;
    replayed.dropped = store.reader().drop_counts()?.n_dropped();
    replayed.spider_stats = parser.stats();
    replayed.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tokio::task::spawn_blocking(move || store.runs().close())
        .await
        .map_err(|_| CrawlError::Task("closing the run"))??;
    Ok(replayed)
}

struct Opened {
    old: Reader,
    store: Store,
    parser: Arc<crawl_parser::Parser>,
    feeds: Vec<Feed>,
    prints: Fingerprinter,
}

fn open(
    config: &CrawlConfig,
    spider: Arc<dyn Spider>,
    parts: Parts,
    from: &Path,
) -> Result<Opened, CrawlError> {
    let pipeline = Pipeline::new(&config.pipeline)?;
    let spider = crawl_spider::prepare(spider);
    crawl_parser::check_spider(&*spider)?;
    let old = Store::inspect(from)?.reader();
    if !config.fresh && holds_crawl(&config.store.path)? {
        return Err(CrawlError::NotNew(config.folder()));
    }
    let store = Store::open(&config.store, Options { fresh: config.fresh })?;
    // Which URLs are one is the stored crawl's to say.
    let identity = old.url_identity()?;
    let mut limits = config.limits();
    limits["scope"]["identity"] = serde_json::json!(identity);
    store.put_config(&limits.to_string())?;
    let rules = KeyRules::new(&identity).map_err(crawl_frontier::FrontierError::Parameter)?;
    let prints = Fingerprinter::new(store.identity().secret).under(rules);
    let view = Arc::new(AllKnown(prints.clone()));
    let parser = opened::parser(config, spider, view, pipeline, parts, &store);
    let parser = Arc::new(parser.without_responses());
    let feeds = config.feeds.iter().map(|feed| Feed::open(feed, store.reader(), config.fresh));
    let feeds = feeds.collect::<Result<Vec<_>, _>>()?;
    Ok(Opened { old, store, parser, feeds, prints })
}

/// Whether a folder holds a crawl that has begun; looked at without marking anything.
fn holds_crawl(folder: &Path) -> Result<bool, CrawlError> {
    match Store::inspect(folder) {
        Ok(store) => Ok(store.reader().events().next().is_some()),
        Err(StoreError::NoCrawl { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The stored pages on their way to the CPU threads.
struct Pages {
    reader: Reader,
    prints: Fingerprinter,
    fetched: Sender<Fetched>,
    found: mpsc::Sender<Entry>,
    desk: Arc<dyn Desk>,
    window: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

impl Pages {
    /// Sends them all, or until the spider wants to stop. Blocks.
    fn run(
        self,
        permits: &mpsc::UnboundedSender<OwnedSemaphorePermit>,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Replayed, CrawlError> {
        let mut replayed = Replayed::default();
        for page in self.reader.stored() {
            if is_stopped() {
                break;
            }
            let StoredPage { request, record, answer } = page?;
            let failed = || FailureKind::of(record.verdict);
            let reply = match (answer, failed()) {
                (StoredAnswer::Response(response), _) => Ok(response),
                (StoredAnswer::Failed, Some(kind)) => Err(Failure::new(kind, &*record.error)),
                (StoredAnswer::NotArchived, _) => {
                    replayed.not_archived += 1;
                    continue;
                }
                (StoredAnswer::Failed | StoredAnswer::NotSent, _) => {
                    replayed.not_sent += 1;
                    continue;
                }
            };
            let Ok(permit) = blocking::wait(self.window.clone().acquire_owned()) else { break };
            let print = self.prints.request(&request);
            let found = Found { print, request: request.clone(), filtered: None, renews: false };
            // Before its page: it has to be known to settle.
            let entry = Entry::Found { found: vec![found], source: Source::Page };
            if blocking::wait(self.found.send(entry)).is_err() {
                break;
            }
            // Wraps around long after the page of that number has gone.
            let number = replayed.pages & u64::from(u32::MAX);
            let id = TicketId(u32::try_from(number).unwrap_or(u32::MAX));
            let errand = Errand::Page(request);
            let desk = self.desk.clone();
            let ticket = Ticket::issue(desk, id, print, errand, record.attempts.max(1), true);
            self.open.fetch_add(1, Ordering::AcqRel);
            let _ = permits.send(permit);
            let fetched = Fetched {
                ticket,
                reply,
                rest: None,
                sent_ms: record.fetched_ms,
                elapsed: Duration::from_millis(record.elapsed_ms),
                timing: record.timing,
                cookies: Vec::new(),
            };
            if self.fetched.send_blocking(fetched).is_err() {
                break;
            }
            replayed.pages += 1;
        }
        Ok(replayed)
    }
}

/// Puts what the CPU threads bring into the order in which it was sent.
async fn sequence(
    mut entries: mpsc::Receiver<Entry>,
    mut lost: mpsc::UnboundedReceiver<TicketId>,
    in_order: mpsc::Sender<Entry>,
    mut permits: mpsc::UnboundedReceiver<OwnedSemaphorePermit>,
) {
    let mut waiting: BTreeMap<u32, Option<Entry>> = BTreeMap::new();
    let mut next = 0_u32;
    let mut are_lost = true;
    loop {
        tokio::select! {
            entry = entries.recv() => match entry {
                Some(Entry::Parsed(parsed)) => {
                    waiting.insert(parsed.ticket.id().0, Some(Entry::Parsed(parsed)));
                }
                // Parts of huge pages: links, all of which are known.
                Some(entry) => drop(in_order.send(entry).await),
                None => break,
            },
            id = lost.recv(), if are_lost => match id {
                Some(id) => drop(waiting.entry(id.0).or_default()),
                None => are_lost = false,
            },
        }
        while let Some(entry) = waiting.remove(&next) {
            next = next.wrapping_add(1);
            drop(permits.recv().await);
            if let Some(entry) = entry {
                // The writer is gone if it has failed; that is told by itself.
                let _ = in_order.send(entry).await;
            }
        }
    }
    for entry in waiting.into_values().flatten() {
        let _ = in_order.send(entry).await;
    }
}

/// Takes the writer's answers: nobody needs them, but who counts what is open.
async fn hear(mut outcomes: mpsc::Receiver<Outcome>, open: Arc<AtomicUsize>) {
    while let Some(outcome) = outcomes.recv().await {
        if let Outcome::Settled { .. } | Outcome::Retry { .. } = outcome {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_back_in_any_order_goes_on_in_its_own() {
        let (entries, entries_in) = mpsc::channel(8);
        let (in_order, mut in_order_in) = mpsc::channel(8);
        let (lost, lost_in) = mpsc::unbounded_channel();
        let (tell, permits) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(8));
        let desk: Arc<dyn Desk> = Arc::new(Lost(lost));
        for _ in 0..5 {
            tell.send(window.clone().try_acquire_owned().unwrap()).unwrap();
        }
        let task = tokio::spawn(sequence(entries_in, lost_in, in_order, permits));
        for id in [3, 0, 4, 2] {
            entries.send(parsed(&desk, id)).await.unwrap();
        }
        // The second is lost on the way.
        drop(parsed(&desk, 1));
        let mut ids = Vec::new();
        for _ in 0..4 {
            let Some(Entry::Parsed(parsed)) = in_order_in.recv().await else { panic!("no entry") };
            ids.push(parsed.ticket.id().0);
            let _ = parsed.ticket.spend();
        }
        assert_eq!(ids, [0, 2, 3, 4]);
        drop(entries);
        task.await.unwrap();
        assert_eq!(window.available_permits(), 8);
    }

    fn parsed(desk: &Arc<dyn Desk>, id: u32) -> Entry {
        let url = CanonicalUrl::parse("http://h/").unwrap();
        let errand = Errand::Page(Request::get(url.clone()));
        let ticket = Ticket::issue(desk.clone(), TicketId(id), Fingerprint(0), errand, 1, true);
        let parser = crawl_parser::Parser::new(
            crawl_parser::ParseConfig::default(),
            0,
            Arc::new(crawl_parser::LinkSpider),
            Arc::new(AllKnown(Fingerprinter::new([0; 16]))),
        );
        Entry::Parsed(Box::new(parser.parse(Fetched {
            ticket,
            reply: Err(Failure::new(FailureKind::Timeout, "x")),
            rest: None,
            sent_ms: 0,
            elapsed: Duration::ZERO,
            timing: crawl_model::Timing::default(),
            cookies: Vec::new(),
        })))
    }
}
