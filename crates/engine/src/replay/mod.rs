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

mod sequence;
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_channel::bounded;
use crawl_feeds::Feed;
use crawl_model::{Fingerprinter, KeyRules, Outcome};
use crawl_parser::CrewEnd;
use crawl_pipeline::Pipeline;
use crawl_spider::{Closed, Spider};
use crawl_store::{Bodies, Options, Progress, Reader, Store, StoreError, WriterEdges};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::config::CrawlConfig;
use crate::error::CrawlError;
use crate::opened::{self, Parts};
use crate::supervise::cpu_thread;

use sequence::{Lost, sequence};
use source::{AllKnown, Pages};

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
    /// Pages whose archived bodies were damaged and taken out by a repair.
    pub lost: u64,
    /// URLs that were never sent: nothing came that could be read.
    pub not_sent: u64,
    /// Time it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Counts that the spider kept.
    pub spider_stats: BTreeMap<String, i64>,
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
    let media = config.media.clone();
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
        depot: store.depot(&media),
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
    let view = Arc::new(AllKnown(prints.clone(), Some(old.known_files()?)));
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

/// Takes the writer's answers: nobody needs them, but who counts what is open.
async fn hear(mut outcomes: mpsc::Receiver<Outcome>, open: Arc<AtomicUsize>) {
    while let Some(outcome) = outcomes.recv().await {
        if let Outcome::Settled { .. } | Outcome::Retry { .. } = outcome {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
