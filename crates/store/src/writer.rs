//! The one thread that writes: receive, group, commit, acknowledge.
//!
//! A flush costs milliseconds whatever it holds, so entries are committed in groups. A group is
//! closed early when nothing more can come: when every open ticket is in it, the rest of the
//! pipeline is waiting for us.
//!
//! Invariants: nothing is acknowledged before it is on the disk; acknowledgements go out in the
//! order of the settles; an error acknowledges nothing, and the tickets report themselves as
//! abandoned when the group is dropped.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crawl_model::{Entry, Fingerprint, Outcome, Page};
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::sync::watch;

use crate::blocking;
use crate::commit::{Ack, Books, Commit};
use crate::store::Shared;
use crate::{RecrawlConfig, StoreConfig, StoreError};

/// Longest time that an entry waits for others to share its flush.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// How far the crawl has got: what feeds follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Last settle number that is durable. Set by the [`Writer`].
    pub n: u64,
    /// No stage but the feeds will send the writer another entry; set by the engine. What they
    /// have sent may still be on its way: a feed waits for its own report to come through
    /// behind it.
    pub last: bool,
}

/// The writer's ends of the pipeline's channels.
#[derive(Debug)]
pub struct WriterEdges {
    /// What is to be written; its end ends the writer.
    pub entries: mpsc::Receiver<Entry>,
    /// Answers. Must have room for every open ticket, or a frontier that always listens.
    pub outcomes: mpsc::Sender<Outcome>,
    /// The page stream; `None` if nobody reads it. There is a permit, so room, for each page; a
    /// closed or full edge loses the page for the stream, never for the store.
    pub pages: Option<mpsc::Sender<Page>>,
    /// Told after every commit, also of one without settles.
    pub settled: Arc<watch::Sender<Progress>>,
    /// Number of open tickets, those that lie with the writer included.
    pub open: Arc<AtomicUsize>,
}

/// Writes the crawl: see [`run`](Self::run).
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    config: StoreConfig,
    suspects: HashSet<Fingerprint>,
    edges: WriterEdges,
    recrawl: RecrawlConfig,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        config: &StoreConfig,
        suspects: HashSet<Fingerprint>,
        edges: WriterEdges,
    ) -> Self {
        let recrawl = RecrawlConfig::default();
        Self { shared, config: config.clone(), suspects, edges, recrawl }
    }

    /// Learns when pages are to be asked for again. Default: never.
    #[must_use]
    pub fn with_recrawl(self, recrawl: RecrawlConfig) -> Self {
        Self { recrawl, ..self }
    }

    /// Writes what comes until `entries` closes, then marks a clean stop. Blocks: for a thread of
    /// its own.
    ///
    /// # Errors
    /// [`StoreError`] if something cannot be written: a full disk, say. What was not acknowledged
    /// is then not promised, and the next run goes on from the last commit.
    pub fn run(self) -> Result<(), StoreError> {
        let Self { shared, config, suspects, mut edges, recrawl } = self;
        if shared.has_writer.swap(true, Ordering::AcqRel) {
            return Err(StoreError::SecondWriter);
        }
        let mut books = Books::open(shared, &config, suspects, edges.pages.is_some(), recrawl)?;
        let mut next = None;
        while let Some(first) = next.take().or_else(|| blocking::wait(edges.entries.recv())) {
            let mut commit = books.begin();
            books.enter(first, &mut commit)?;
            next = edges.gather(&mut books, &mut commit)?;
            let (n, acks) = books.post(commit)?;
            edges.settled.send_modify(|progress| progress.n = n);
            acks.into_iter().for_each(|ack| edges.acknowledge(ack));
        }
        books.close()
    }
}

impl WriterEdges {
    /// Adds to the group what is there, and what comes in time. Gives back what has to be the
    /// first of the next group.
    fn gather(
        &mut self,
        books: &mut Books,
        commit: &mut Commit,
    ) -> Result<Option<Entry>, StoreError> {
        let deadline = Instant::now() + GROUP_TIME;
        while !commit.is_full() {
            let entry = match self.entries.try_recv() {
                Ok(entry) => entry,
                Err(TryRecvError::Disconnected) => return Ok(None),
                Err(TryRecvError::Empty) if self.is_worth_waiting(commit) => {
                    match blocking::wait_until(self.entries.recv(), deadline) {
                        Some(Some(entry)) => entry,
                        Some(None) | None => return Ok(None),
                    }
                }
                Err(TryRecvError::Empty) => return Ok(None),
            };
            if commit.is_before(&entry) {
                return Ok(Some(entry));
            }
            books.enter(entry, commit)?;
        }
        Ok(None)
    }

    fn is_worth_waiting(&self, commit: &Commit) -> bool {
        !commit.is_enough() && commit.n_tickets() < self.open.load(Ordering::Acquire)
    }

    /// Tells frontier and page stream. Who is gone is not told: the crawl is closing.
    fn acknowledge(&self, ack: Ack) {
        let outcome = match ack {
            Ack::Settled { ticket, verdict, n_items, found, page } => {
                if let (Some(pages), Some(page)) = (&self.pages, page) {
                    let _ = pages.try_send(*page);
                }
                Outcome::Settled { spent: ticket.spend(), verdict, n_items, found }
            }
            Ack::Retry { ticket, rest } => Outcome::Retry { spent: ticket.spend(), rest },
            Ack::Robots { ticket, origin, reply } => {
                Outcome::Robots { spent: ticket.spend(), origin, reply }
            }
            Ack::Found { found, source } => Outcome::Found { found, source },
            Ack::Ended(ends) => Outcome::Ended(ends),
            Ack::Committed(position) => Outcome::Committed(position),
        };
        let _ = blocking::wait(self.outcomes.send(outcome));
    }
}
