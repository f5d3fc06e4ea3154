//! A crawl of which only frontier and store are there: opened as the engine opens it, joined as
//! the engine joins it.
//!
//! Who stands for the other stages uses the ends that [`Crawl::start`] leaves open.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::Builder;
use std::time::Duration;

use async_channel::{Receiver, bounded};
use crawl_frontier::{Edges, Frontier, FrontierConfig, Resumed, SharedCounts};
use crawl_model::{Entry, Fingerprinter, HostFree, Outcome, Ticket, View};
use crawl_store::{Options, Progress, Store, StoreConfig, WriterEdges};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// As in the engine.
const ENTRIES: usize = 64;
const OUTCOMES: usize = 1024;
/// Workers, as the fetcher has connections by default.
pub const WORKERS: usize = 128;

/// An error of the frontier or the store.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Store and frontier, open and up to date.
pub struct Crawl {
    /// The store.
    pub store: Store,
    /// The frontier.
    pub frontier: Frontier,
    /// What came of the replay.
    pub resumed: Resumed,
    /// Whether a checkpoint was there to begin with.
    pub has_checkpoint: bool,
}

/// A crawl that runs, and the ends of its channels.
pub struct Running {
    /// The window through which links are judged.
    pub view: Arc<dyn View>,
    /// The crawl's numbers.
    pub counts: Arc<SharedCounts>,
    /// To the writer.
    pub entries: mpsc::Sender<Entry>,
    /// To the frontier, for who answers in the writer's place.
    pub outcomes: mpsc::Sender<Outcome>,
    /// To the frontier, as the fetcher's workers report.
    pub host_free: mpsc::Sender<HostFree>,
    /// From the frontier.
    pub tickets: Receiver<(Ticket, OwnedSemaphorePermit)>,
    /// Permits for tickets; none at first, so none is cut.
    pub workers: Arc<Semaphore>,
    /// How many tickets are open.
    pub open: Arc<AtomicUsize>,
    /// Keeps the crawl alive while nothing waits.
    _source: mpsc::Sender<Infallible>,
}

impl Crawl {
    /// Opens the crawl in `folder` under the defaults, but that all hosts of `.test` belong to it
    /// and for what `change` does, and replays what the last run left.
    ///
    /// # Errors
    /// Those of the store and the frontier.
    pub fn open(folder: &Path, change: impl FnOnce(&mut FrontierConfig)) -> Result<Self, Error> {
        let store = Store::open(&StoreConfig::at(folder), Options::default())?;
        let mut config = FrontierConfig::default();
        config.scope.allowed_domains = vec!["test".to_owned()];
        change(&mut config);
        let prints = Fingerprinter::new(store.identity().secret);
        let mut frontier = Frontier::new(config, "crawl", prints, Vec::new(), store.journal())?;
        let restored = frontier.restore(store.tables())?;
        if let Some(damage) = restored.damage {
            return Err(damage.into());
        }
        let events = match restored.from {
            Some(place) => store.events_after(place)?,
            None => store.events(),
        };
        for event in events {
            frontier.replay(event?)?;
        }
        for robots in store.robots() {
            let (origin, reply, at_ms) = robots?;
            frontier.replay_robots(origin, reply, at_ms);
        }
        frontier.replay_items(store.reader().n_items()?);
        let recovery = store.recovery();
        let mut resumed = frontier.replayed(&recovery.suspects, recovery.clean);
        if frontier.wants_second_reading() {
            for event in store.events() {
                frontier.judge_again(event?);
            }
            resumed = frontier.resumed();
        }
        let has_checkpoint = restored.from.is_some();
        Ok(Self { store, frontier, resumed, has_checkpoint })
    }

    /// Starts the writer and the frontier, each on a thread of its own.
    ///
    /// # Panics
    /// If a thread cannot be started; on their threads, if frontier or writer fail.
    #[must_use]
    pub fn start(self) -> Running {
        let Self { store, frontier, .. } = self;
        let (view, counts, open) = (frontier.view(), frontier.counts(), frontier.open_tickets());
        let (tickets, tickets_in) = bounded(WORKERS);
        let (entries, entries_in) = mpsc::channel(ENTRIES);
        let (outcomes, outcomes_in) = mpsc::channel(OUTCOMES);
        let (host_free, host_free_in) = mpsc::channel(WORKERS);
        let (_, control) = mpsc::channel(1);
        let (source, sources) = mpsc::channel(1);
        let writer = store.writer(WriterEdges {
            entries: entries_in,
            outcomes: outcomes.clone(),
            pages: None,
            settled: Arc::new(watch::channel(Progress::default()).0),
            open: open.clone(),
        });
        spawn("writer", move || {
            let written = writer.run();
            drop(store); // which keeps the folder locked
            written.expect("the writer writes");
        });
        let workers = Arc::new(Semaphore::new(0));
        let edges = Edges {
            tickets,
            workers: workers.clone(),
            credit: None,
            host_free: host_free_in,
            outcomes: outcomes_in,
            entries: entries.clone(),
            control,
            sources,
            closing: Arc::new(watch::channel(false).0),
        };
        spawn("frontier", move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let runtime = runtime.expect("a runtime without I/O needs nothing");
            runtime.block_on(frontier.run(edges)).expect("the frontier runs");
        });
        Running {
            view,
            counts,
            entries,
            outcomes,
            host_free,
            tickets: tickets_in,
            workers,
            open,
            _source: source,
        }
    }
}

impl Running {
    /// Waits until `n` URLs are discovered; all of them are durable then. Returns when nine tenths
    /// of them were, in seconds before the end.
    ///
    /// # Panics
    /// If the frontier takes in none of them for a minute.
    #[must_use]
    pub fn wait_for(&self, n: u64) -> Duration {
        const PAUSE: Duration = Duration::from_millis(10);
        const PATIENCE: Duration = Duration::from_secs(60);
        let mut news = std::time::Instant::now();
        let (mut before, mut last_tenth) = (0, None);
        loop {
            let discovered = self.counts.get().discovered;
            if discovered >= n - n / 10 {
                last_tenth.get_or_insert_with(std::time::Instant::now);
            }
            if discovered >= n {
                return last_tenth.map_or(Duration::ZERO, |since| since.elapsed());
            }
            if discovered != before {
                (before, news) = (discovered, std::time::Instant::now());
            }
            assert!(news.elapsed() < PATIENCE, "it stands still at {discovered} URLs of {n}");
            std::thread::sleep(PAUSE);
        }
    }
}

/// Starts a thread that nobody waits for: the process ends by being killed. If it panics, the
/// process ends at once.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let work = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            std::process::exit(101);
        }
    };
    Builder::new().name(name.to_owned()).spawn(work).expect("the machine has threads left");
}
