//! Watches over a running crawl, closes it in order, and tells how it went.
//!
//! There is one way to close, whoever asks: no new tickets, a grace time for what is in
//! flight, everything flushed. What the grace time did not suffice for is fetched again by the
//! next run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crawl_feeds::FeedError;
use crawl_frontier::{Control, End, FrontierError, Resumed, SharedCounts, TrapSighting};
use crawl_model::Counts;
use crawl_parser::{CrewEnd, LetGo, Parser};
use crawl_spider::Closed;
use crawl_store::{Blocks, Progress, Reader, Runs, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::admission::Admission;
use crate::control::Socket;
use crate::error::CrawlError;
use crate::recrawl::Recrawled;
use crate::report::{Change, Report};
use crate::seeds_file::SeedsRead;

/// Time that threads have to hand over what they hold, however short the grace time is.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// A thread's result, to be awaited; it is an error if the thread panicked.
pub(crate) type Joined<T> = oneshot::Receiver<T>;

/// All that runs besides the frontier.
#[derive(Default)]
pub(crate) struct Crew {
    pub(crate) workers: JoinSet<()>,
    pub(crate) parsers: Option<(Joined<CrewEnd>, LetGo)>,
    pub(crate) feeds: Vec<Joined<Result<(), FeedError>>>,
    pub(crate) seeds: Option<Joined<Result<SeedsRead, CrawlError>>>,
    pub(crate) due: Option<Joined<Result<u64, StoreError>>>,
    pub(crate) writer: Option<Joined<Result<(), StoreError>>>,
}

/// What the report will tell that is known from the start.
pub(crate) struct Story {
    pub(crate) started: Instant,
    pub(crate) before: Counts,
    pub(crate) counts: Arc<SharedCounts>,
    /// Told when the frontier has ended.
    pub(crate) sightings: Arc<Mutex<Vec<TrapSighting>>>,
    pub(crate) runs: Runs,
    pub(crate) reader: Reader,
    /// Settle number after which this run began.
    pub(crate) last: u64,
    /// Items that earlier runs dropped.
    pub(crate) n_dropped: u64,
    pub(crate) resumed: Option<Resumed>,
    /// Whether pages are asked for again in this run.
    pub(crate) is_recrawl: bool,
    /// How many of them were due.
    pub(crate) due: u64,
    pub(crate) changed: Vec<Change>,
    pub(crate) notes: Vec<String>,
    /// It has the spider and keeps its counts.
    pub(crate) parser: Arc<Parser>,
    pub(crate) grace: Duration,
    /// The file of seeds, if there is one.
    pub(crate) seeds_path: Option<PathBuf>,
    /// What was read of it.
    pub(crate) seeds: Option<SeedsRead>,
    /// What handles reach as long as the crawl runs.
    pub(crate) _told: (Arc<Blocks>, Arc<Admission>),
}

/// Starts a named thread for work that blocks or burns CPU.
///
/// A thread of our own, not the runtime's blocking pool: a spider that never returns must not
/// keep the runtime from shutting down.
pub(crate) fn cpu_thread<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Joined<T>, CrawlError> {
    let (done, joined) = oneshot::channel();
    thread::Builder::new()
        .name(format!("crawl-{name}"))
        .spawn(move || {
            crawl_parser::give_way();
            // The receiver is gone only if nobody waits any more.
            let _ = done.send(work());
        })
        .map_err(|_| CrawlError::Task(name))?;
    Ok(joined)
}

/// Runs until the last stage has ended.
pub(crate) async fn supervise(
    frontier: JoinHandle<Result<End, FrontierError>>,
    mut crew: Crew,
    control: mpsc::Sender<Control>,
    closing: Arc<watch::Sender<bool>>,
    settled: Arc<watch::Sender<Progress>>,
    socket: Socket,
    mut story: Story,
) -> Result<Report, CrawlError> {
    let closes = closing.subscribe();
    let spider = tokio::spawn(await_stop(story.parser.clone(), closing.clone()));
    let (parsers, let_go) = crew.parsers.take().unzip();
    let seeds = tokio::spawn(await_seeds(crew.seeds.take(), closing.clone()));
    let parsers = tokio::spawn(await_parsers(parsers, closing));
    let flight = Flight { workers: &mut crew.workers, let_go };
    let end = match await_frontier(frontier, flight, control, closes.clone(), story.grace).await {
        Ok(end) => end,
        Err(error) => {
            spider.abort();
            story.close_spider("broken", closes).await;
            return Err(error);
        }
    };
    spider.abort();
    while crew.workers.join_next().await.is_some() {}
    let parsers = parsers.await.map_err(|_| CrawlError::Task("a parser thread"))?;
    let stopped = story.parser.stop_reason();
    story.close_spider(&reason(end, stopped.as_deref()), closes).await;
    settled.send_modify(|progress| progress.last = true);
    let mut feeds = Ok(());
    for feed in crew.feeds {
        let ended = feed.await.map_err(|_| CrawlError::Task("a feed"));
        feeds = feeds.and(ended.and_then(|result| result.map_err(CrawlError::from)));
    }
    if let Some(writer) = crew.writer {
        writer.await.map_err(|_| CrawlError::Task("the store's writer"))??;
    }
    socket.close().await;
    feeds?;
    parsers?;
    // Standard input may keep its reader waiting for ever.
    story.seeds = match tokio::time::timeout(LEAST_GRACE, seeds).await {
        Ok(seeds) => seeds.map_err(|_| CrawlError::Task("the reader of seeds"))??,
        Err(_) => None,
    };
    if let Some(due) = crew.due {
        story.due =
            due.await.map_err(|_| CrawlError::Task("the search for pages that are due"))??;
    }
    tokio::task::spawn_blocking(move || story.report(end))
        .await
        .map_err(|_| CrawlError::Task("closing the run"))?
}

/// Why a crawl ended, as its spider is told.
fn reason(end: End, stopped: Option<&str>) -> String {
    match end {
        End::Closed if stopped.is_some() => format!("stopped:{}", stopped.unwrap_or_default()),
        End::Finished => "finished".to_owned(),
        End::Closed => "closed".to_owned(),
        End::LimitReached(key) => format!("limit:{key}"),
    }
}

/// Closes the crawl when the spider wants it closed.
async fn await_stop(parser: Arc<Parser>, closing: Arc<watch::Sender<bool>>) {
    parser.stopped().await;
    closing.send_replace(true);
}

/// Waits for the CPU threads, and closes the crawl if too many of them hang.
async fn await_parsers(
    parsers: Option<Joined<CrewEnd>>,
    closing: Arc<watch::Sender<bool>>,
) -> Result<(), CrawlError> {
    let Some(parsers) = parsers else { return Ok(()) };
    match parsers.await {
        Ok(CrewEnd::Done) => Ok(()),
        Ok(CrewEnd::Broken) | Err(_) => Err(CrawlError::Task("a parser thread")),
        Ok(CrewEnd::Hanging) => {
            closing.send_replace(true);
            Err(CrawlError::Stuck)
        }
    }
}

/// Waits for the reader of seeds, and closes the crawl if their file breaks off.
async fn await_seeds(
    seeds: Option<Joined<Result<SeedsRead, CrawlError>>>,
    closing: Arc<watch::Sender<bool>>,
) -> Result<Option<SeedsRead>, CrawlError> {
    let Some(seeds) = seeds else { return Ok(None) };
    let read = seeds.await.unwrap_or(Err(CrawlError::Task("the reader of seeds")));
    if read.is_err() {
        closing.send_replace(true);
    }
    read.map(Some)
}

/// Who may hold tickets.
struct Flight<'a> {
    workers: &'a mut JoinSet<()>,
    let_go: Option<LetGo>,
}

/// Waits for the frontier's end. Once closing, gives the workers and the CPU threads the grace
/// time, then drops them and with them their tickets. Should one be open for long after that, the
/// crawl is broken.
async fn await_frontier(
    mut frontier: JoinHandle<Result<End, FrontierError>>,
    flight: Flight<'_>,
    control: mpsc::Sender<Control>,
    mut closing: watch::Receiver<bool>,
    grace: Duration,
) -> Result<End, CrawlError> {
    let broken = |_| CrawlError::Task("the frontier");
    tokio::select! {
        end = &mut frontier => return Ok(end.map_err(broken)??),
        _ = closing.wait_for(|is_closing| *is_closing) => {}
    }
    // If the frontier has ended by itself meanwhile, nobody needs the message.
    let _ = control.send(Control::Close).await;
    if let Ok(end) = tokio::time::timeout(grace, &mut frontier).await {
        return Ok(end.map_err(broken)??);
    }
    flight.workers.shutdown().await;
    if let Some(let_go) = flight.let_go {
        let_go.now();
    }
    match tokio::time::timeout(grace.max(LEAST_GRACE), &mut frontier).await {
        Ok(end) => Ok(end.map_err(broken)??),
        Err(_) => {
            frontier.abort();
            Err(CrawlError::Stuck)
        }
    }
}

impl Story {
    /// Tells the spider that its run has ended, on a thread of its own. It has `parse.max-time` to
    /// answer, and once the crawl is closing no longer than the grace time; then it is left behind.
    async fn close_spider(&self, reason: &str, mut closing: watch::Receiver<bool>) {
        let counts = self.counts.get();
        let n_pages = self.reader.pages_since_open();
        let n_items = counts.items.saturating_sub(self.before.items);
        let (parser, reason) = (self.parser.clone(), reason.to_owned());
        let told = cpu_thread("closed", move || {
            parser.closed(&Closed { reason: &reason, n_pages, n_items });
        });
        let Ok(mut told) = told else { return };
        let grace = self.grace.max(LEAST_GRACE);
        let closes = async {
            // A sender that is gone will not ask for it.
            let _ = closing.wait_for(|is_closing| *is_closing).await;
            tokio::time::sleep(grace).await;
        };
        let max_time = self.parser.max_time();
        let limit = max_time.unwrap_or(Duration::MAX);
        tokio::select! {
            _ = &mut told => {}
            () = tokio::time::sleep(limit) => self.parser.closed_late(limit),
            () = closes => self.parser.closed_late(grace),
        }
    }

    /// Closes the books. Blocks.
    fn report(mut self, end: End) -> Result<Report, CrawlError> {
        if let (Some(path), Some(seeds)) = (&self.seeds_path, &self.seeds) {
            self.notes.extend(seeds.notes(path));
        }
        if end != End::Finished && self.reader.asks_for_files() && self.counts.get().queued > 0 {
            let note = "items come to the feeds when their files have ended: those whose files \
                        still wait come with the next run";
            self.notes.push(note.to_owned());
        }
        let has_ended = end != End::Closed;
        if has_ended {
            self.runs.close()?;
        }
        let runs = self.reader.last_runs()?;
        let dropped = self.reader.drop_counts()?;
        let counts = self.counts.get();
        Ok(Report {
            end,
            settled_this_run: self.reader.last()?.saturating_sub(self.last),
            pages_this_run: self.reader.pages_since_open(),
            items_this_run: counts.items.saturating_sub(self.before.items),
            elapsed: self.started.elapsed(),
            traps: self.sightings.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            counts,
            resumed: self.resumed,
            recrawled: self
                .is_recrawl
                .then(|| Recrawled { due: self.due, revisited: self.reader.revisits() }),
            changed: self.changed,
            notes: self.notes,
            seeds: self.seeds,
            dropped_this_run: dropped.n_dropped().saturating_sub(self.n_dropped),
            dropped,
            drifts: if has_ended { runs.drifts() } else { Vec::new() },
            fields: runs.run.fields,
            spider_stats: self.parser.stats(),
            stopped: self.parser.stop_reason().map(|reason| reason.to_string()),
        })
    }
}
