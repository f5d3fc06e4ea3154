//! Every channel and every task of a crawl, on one screen.
//!
//! ```text
//! frontier --Ticket--> workers --Fetched--> CPU threads --Entry--> writer --Page--> Pages
//!     ^---- HostFree -----+                                        |   |
//!     +------------------------- Outcome --------------------------+   +--Progress--> feeds
//!     ^---- Control ---- handles, the socket, the file of seeds
//! ```
//!
//! Who may wait for whom: a worker for a CPU thread, a CPU thread for the writer, the writer and
//! the workers for the frontier, a feed for the writer. The frontier waits for nobody without
//! listening to all, and the writer never waits for the reader of `Pages`, whose permit was
//! taken before the ticket was issued; so no circle can stand still.
//!
//! Closing runs the same way: the frontier ends and drops its senders, then each stage sees its
//! input closed, finishes what it holds and drops its own.

use std::sync::Arc;
use std::time::Instant;

use async_channel::bounded;
use crawl_frontier::{Control, Edges};
use crawl_store::{Progress, WriterEdges};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::control::{self, Asked};
use crate::error::CrawlError;
use crate::handle::Handle;
use crate::opened::Opened;
use crate::pages::PageEdge;
use crate::recrawl::Due;
use crate::running::Running;
use crate::supervise::{Crew, Story, cpu_thread, supervise};

/// Fetched pages that wait per CPU thread: what comes in while one thread has the core. Their bodies
/// are within `fetch.body-memory-mib`.
const FETCHED_PER_THREAD: usize = 16;
/// Parsed pages that wait for the writer: what comes in during a flush.
const ENTRIES: usize = 64;
/// Outcomes under way to the frontier, which always listens.
const OUTCOMES: usize = 1024;
/// Questions under way to the frontier.
const CONTROL: usize = 16;

/// Starts all stages. `read_ahead`: how many pages the stream may hold; `None` for no stream.
///
/// # Errors
/// [`CrawlError`] if a thread or the control socket cannot be set up.
pub(crate) fn run(
    opened: Opened,
    read_ahead: Option<usize>,
) -> Result<(Running, Option<PageEdge>), CrawlError> {
    let started = Instant::now();
    let Opened { store, fetcher, stages } = opened;
    let counts = stages.frontier.counts();
    let sightings = stages.frontier.sightings();
    let before = counts.get();
    let n_workers = stages.config.fetch.connections.get() as usize;
    let n_threads = stages.config.n_threads();

    // The edges of the circle.
    let (tickets, tickets_in) = bounded(n_workers);
    let (fetched, fetched_in) = bounded(n_threads * FETCHED_PER_THREAD);
    let (entries, entries_in) = mpsc::channel(ENTRIES);
    let (outcomes, outcomes_in) = mpsc::channel(OUTCOMES);
    let (host_free, host_free_in) = mpsc::channel(n_workers);
    // Beside the circle: questions, pages for the reader, progress for the feeds. What keeps the
    // crawl alive while seeds are read carries nothing.
    let (control, control_in) = mpsc::channel(CONTROL);
    let (source, sources) = mpsc::channel(1);
    let (pages, page_edge) = read_ahead.map(PageEdge::new).unzip();
    let settled = Arc::new(watch::channel(Progress { n: stages.last, last: false }).0);
    let closing = Arc::new(watch::channel(false).0);

    let is_read = read_ahead.is_some();
    let parser = if is_read { stages.parser } else { stages.parser.without_responses() };
    let parser = match store.archivist() {
        Some(archivist) => parser.with_archivist(archivist),
        None => parser,
    };
    let parser = Arc::new(parser);
    let told = (&stages.blocks, &stages.admission);
    let handle = Handle::new(control.clone(), closing.clone(), counts.clone(), &parser, told);
    let asked = Asked::new(store.reader(), handle.clone(), stages.reload);
    let socket = control::listen(&stages.config.folder(), asked)?;
    if !stages.seeds.is_empty() {
        control
            .try_send(Control::AddSeeds { requests: stages.seeds, done: None })
            .expect("the channel is new and has room");
    }

    let writer = store.writer(WriterEdges {
        entries: entries_in,
        outcomes,
        pages,
        settled: settled.clone(),
        open: stages.frontier.open_tickets(),
    });
    let writer = writer.with_recrawl(stages.config.recrawl);
    let mut crew =
        Crew { writer: Some(cpu_thread("store", move || writer.run())?), ..Crew::default() };
    if stages.is_again {
        let due = Due::now(store.reader(), stages.config.recrawl);
        let (control, closing) = (control.clone(), closing.clone());
        crew.due = Some(cpu_thread("recrawl", move || due.run(&control, &closing))?);
    }
    for feed in stages.feeds {
        let (settled, entries) = (settled.subscribe(), entries.clone());
        let feed = feed.telling(handle.outages());
        crew.feeds.push(cpu_thread("feed", move || feed.run(settled, entries))?);
    }
    let seeds_path = stages.seeds_file.as_ref().map(|file| file.path.clone());
    if let Some(file) = stages.seeds_file {
        let (admission, control) = (Arc::downgrade(&stages.admission), control.clone());
        crew.seeds = Some(cpu_thread("seeds", move || file.run(&admission, &control, source))?);
    } else {
        drop(source);
    }
    let parsers = parser.clone().start(n_threads, fetched_in, entries.clone());
    crew.parsers = Some(parsers.map_err(|_| CrawlError::Task("a parser thread"))?);
    for _ in 0..n_workers {
        let worker = fetcher.clone();
        let (tickets, host_free, fetched) =
            (tickets_in.clone(), host_free.clone(), fetched.clone());
        crew.workers.spawn(worker.run_worker(tickets, host_free, fetched));
    }
    drop((tickets_in, host_free, fetched));

    let frontier = tokio::spawn(stages.frontier.run(Edges {
        tickets,
        workers: Arc::new(Semaphore::new(n_workers)),
        credit: page_edge.as_ref().map(PageEdge::credit),
        host_free: host_free_in,
        outcomes: outcomes_in,
        entries,
        control: control_in,
        sources,
        closing: closing.clone(),
    }));
    let story = Story {
        started,
        before,
        counts,
        sightings,
        runs: store.runs(),
        reader: store.reader(),
        last: stages.last,
        n_dropped: stages.n_dropped,
        resumed: stages.resumed,
        is_recrawl: stages.is_again,
        due: 0,
        changed: stages.changed,
        notes: stages.notes,
        parser,
        grace: stages.config.grace,
        seeds_path,
        seeds: None,
        _told: (stages.blocks, stages.admission),
    };
    let finished =
        tokio::spawn(supervise(frontier, crew, control, closing, settled, socket, story));
    Ok((Running::new(handle, finished), page_edge))
}
