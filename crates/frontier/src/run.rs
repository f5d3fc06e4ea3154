//! The frontier's one task: listens to all edges at once, and sends only where there is room.
//!
//! The task owns all state, so nothing of it needs a lock. It never waits to send without also
//! listening; that is what keeps the pipeline's one circle free of deadlock. Messages to the
//! store wait in the scheduler's outbox, permits are acquired beside everything else.
//!
//! The scheduler decides; this shell carries. No polling: it sleeps until a message comes or
//! something is due.

mod obey;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use crawl_model::{Entry, HostFree, Outcome, Ticket, TicketId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::backend::Backend;
use crate::clock::now;
use crate::config::FrontierError;
use crate::counts::SharedCounts;
use crate::orders::Control;
use crate::scheduler::{Ready, Scheduler};
use crate::traps::TrapSighting;

/// Messages taken from one edge before the others get their turn.
const TURN: usize = 256;

/// The channels and permits that join the frontier to the other stages.
pub struct Edges {
    /// To the fetcher's workers; needs room for a ticket per permit of `workers`. A ticket
    /// carries its worker's permit, which is free again when the worker drops it.
    pub tickets: async_channel::Sender<(Ticket, OwnedSemaphorePermit)>,
    /// A permit per worker.
    pub workers: Arc<Semaphore>,
    /// Places in the page stream; `None` if nobody reads it. A page ticket takes one. Who reads
    /// a page gives it back; the frontier does if the ticket ends without a page.
    pub credit: Option<Arc<Semaphore>>,
    /// From the fetcher: a host has nothing more in hand for us.
    pub host_free: mpsc::Receiver<HostFree>,
    /// From the store: something is durable.
    pub outcomes: mpsc::Receiver<Outcome>,
    /// To the store's writer.
    pub entries: mpsc::Sender<Entry>,
    /// From whoever steers the crawl. Its end is not the crawl's.
    pub control: mpsc::Receiver<Control>,
    /// Ends when all sources of seeds are read. Each source holds a sender, sends nothing through
    /// it, and drops it when its last seed is durable; till then the crawl does not finish.
    pub sources: mpsc::Receiver<Infallible>,
    /// Set when no more tickets are cut, whoever decided that: the grace time runs from then.
    pub closing: Arc<watch::Sender<bool>>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every URL has ended.
    Finished,
    /// The limit of this key is reached; the rest stays queued.
    LimitReached(&'static str),
    /// It was told to close, or another stage went away.
    Closed,
}

/// The scheduler and its edges.
pub(crate) struct Shell<B> {
    scheduler: Scheduler<B>,
    counts: Arc<SharedCounts>,
    lost: mpsc::UnboundedReceiver<TicketId>,
    edges: Edges,
    /// Set once no more tickets are to be cut.
    closing: Option<End>,
    /// Set while no tickets are cut because somebody said so.
    is_paused: bool,
    /// Whether a source of seeds is not read to its end.
    is_reading: bool,
    is_control_open: bool,
    is_host_free_open: bool,
    /// Tickets of this turn, each with its worker's permit. Empty between two turns.
    cut: Vec<(Ticket, OwnedSemaphorePermit)>,
    /// Permits for the next ticket.
    worker: Option<OwnedSemaphorePermit>,
    place: Option<OwnedSemaphorePermit>,
}

/// What the next ticket still lacks.
#[derive(Default)]
struct Lack {
    worker: bool,
    place: bool,
    until: Option<Instant>,
}

/// What woke the task.
enum Heard {
    Lost(TicketId),
    HostFree(Option<HostFree>),
    Outcome(Option<Outcome>),
    Control(Option<Control>),
    SourcesRead,
    Room(bool),
    Worker(Option<OwnedSemaphorePermit>),
    Place(Option<OwnedSemaphorePermit>),
    Due,
}

impl<B: Backend> Shell<B> {
    pub(crate) fn new(
        mut scheduler: Scheduler<B>,
        counts: Arc<SharedCounts>,
        lost: mpsc::UnboundedReceiver<TicketId>,
        edges: Edges,
    ) -> Self {
        // All are free before the first ticket.
        scheduler.n_workers = edges.workers.available_permits();
        Self {
            scheduler,
            counts,
            lost,
            edges,
            closing: None,
            is_paused: false,
            is_reading: true,
            is_control_open: true,
            is_host_free_open: true,
            cut: Vec::new(),
            worker: None,
            place: None,
        }
    }

    /// Runs to the end; also says which traps were met.
    pub(crate) async fn run_and_tell(mut self) -> (Result<End, FrontierError>, Vec<TrapSighting>) {
        let end = self.run().await;
        (end, self.scheduler.sightings())
    }

    pub(crate) async fn run(&mut self) -> Result<End, FrontierError> {
        self.hear_control();
        loop {
            let mut lack = self.send_tickets();
            let now = now();
            if self.scheduler.sweep(now) {
                lack.until = Some(now);
            }
            if let Some(fault) = self.scheduler.fault() {
                self.end(End::Closed);
                return Err(fault.into());
            }
            if self.send_entries().is_err() {
                return Ok(self.end(End::Closed)); // the store is gone
            }
            if let Some(end) = self.ended() {
                return Ok(self.end(end));
            }
            self.counts.publish(&self.scheduler.tally);
            let heard = self.listen(&lack).await;
            // All who have something to say get to say it first: one turn for many, one journal
            // entry for their tickets.
            tokio::task::yield_now().await;
            if self.take(heard).is_break() {
                return Ok(self.end(End::Closed));
            }
        }
    }

    fn end(&self, end: End) -> End {
        self.counts.publish(&self.scheduler.tally);
        end
    }

    /// Why the run is over, if it is.
    fn ended(&mut self) -> Option<End> {
        if self.is_idle() && self.closing != Some(End::Closed) {
            // A seed that is waiting to be heard keeps the crawl alive.
            self.hear_control();
            if self.is_idle() {
                return Some(End::Finished);
            }
        }
        let is_still = self.scheduler.n_open() == 0 && self.scheduler.is_flushed();
        self.closing.filter(|_| is_still)
    }

    /// Whether nothing is left that could bring more, and nobody wants the crawl to wait.
    fn is_idle(&self) -> bool {
        self.scheduler.is_idle() && !self.is_reading && !self.is_paused
    }

    /// Sends as many tickets as may be sent now; says what is missing for the next. They are in the
    /// journal before the first one leaves.
    fn send_tickets(&mut self) -> Lack {
        let lack = self.cut_tickets();
        self.scheduler.write_journal();
        let mut is_closed = false;
        for ticket in self.cut.drain(..) {
            // A ticket that cannot go reports itself as lost.
            is_closed |= self.edges.tickets.try_send(ticket).is_err();
        }
        if is_closed {
            self.close(End::Closed);
        }
        lack
    }

    /// Cuts the tickets; says what is missing for the next.
    fn cut_tickets(&mut self) -> Lack {
        while !self.is_paused && self.is_open() {
            let now = now();
            let is_page = match self.scheduler.ready(now) {
                Ready::Later(until) => return Lack { until, ..Lack::default() },
                Ready::Page => true,
                Ready::Robots => false,
            };
            let worker = !hold(&mut self.worker, &self.edges.workers);
            let credit = self.edges.credit.as_ref().filter(|_| is_page);
            let place = credit.is_some_and(|credit| !hold(&mut self.place, credit));
            if worker || place {
                return Lack { worker, place, until: None };
            }
            let Some(ticket) = self.scheduler.take(now) else { continue };
            if let Some(place) = self.place.take_if(|_| is_page) {
                place.forget(); // the reader gives it back
            }
            let worker = self.worker.take().expect("a worker's permit is in hand, see above");
            self.cut.push((ticket, worker));
        }
        Lack::default()
    }

    /// Whether tickets may still be cut.
    fn is_open(&mut self) -> bool {
        if self.scheduler.is_limit_reached() {
            self.close(End::LimitReached("scope.max-pages"));
        }
        self.closing.is_none()
    }

    /// Cuts no more tickets from here on; the first reason stays.
    fn close(&mut self, why: End) {
        self.closing.get_or_insert(why);
        self.edges.closing.send_replace(true);
        (self.worker, self.place) = (None, None);
    }

    /// Sends what the store has room for. `Err` if it is gone.
    fn send_entries(&mut self) -> Result<(), ()> {
        self.scheduler.flush_ended();
        while !self.scheduler.outbox.is_empty() {
            match self.edges.entries.try_reserve() {
                Ok(room) => room.send(self.scheduler.outbox.pop_front().expect("it is not empty")),
                Err(mpsc::error::TrySendError::Full(())) => break,
                Err(mpsc::error::TrySendError::Closed(())) => return Err(()),
            }
        }
        Ok(())
    }

    /// Waits for whatever comes first.
    async fn listen(&mut self, lack: &Lack) -> Heard {
        let Edges { workers, credit, host_free, outcomes, entries, control, sources, .. } =
            &mut self.edges;
        let has_entries = !self.scheduler.outbox.is_empty();
        tokio::select! {
            id = self.lost.recv() => Heard::Lost(id.expect("the scheduler holds a sender")),
            free = host_free.recv(), if self.is_host_free_open => Heard::HostFree(free),
            outcome = outcomes.recv() => Heard::Outcome(outcome),
            message = control.recv(), if self.is_control_open => Heard::Control(message),
            None = sources.recv(), if self.is_reading => Heard::SourcesRead,
            room = entries.reserve(), if has_entries => Heard::Room(room.is_ok()),
            permit = acquire(Some(workers)), if lack.worker => Heard::Worker(permit),
            permit = acquire(credit.as_ref()), if lack.place => Heard::Place(permit),
            () = sleep_until(lack.until), if lack.until.is_some() => Heard::Due,
        }
    }

    /// Takes what was heard, and what else has come on the busy edges. `Break` if the store is
    /// gone.
    fn take(&mut self, heard: Heard) -> std::ops::ControlFlow<()> {
        let now = now();
        match heard {
            Heard::Lost(id) => self.scheduler.abandoned(id, self.closing.is_some(), now),
            Heard::HostFree(None) => self.is_host_free_open = false,
            Heard::HostFree(Some(free)) => self.scheduler.host_free(&free, now),
            Heard::Outcome(None) | Heard::Room(false) => return std::ops::ControlFlow::Break(()),
            Heard::Outcome(Some(outcome)) => self.take_outcomes(outcome, now),
            Heard::Control(None) => self.is_control_open = false,
            Heard::Control(Some(message)) => self.obey(message),
            Heard::SourcesRead => self.is_reading = false,
            Heard::Worker(None) | Heard::Place(None) => self.close(End::Closed),
            Heard::Worker(permit) => self.worker = permit,
            Heard::Place(permit) => self.place = permit,
            Heard::Room(true) | Heard::Due => {}
        }
        self.take_free_hosts(now);
        self.give_back();
        std::ops::ControlFlow::Continue(())
    }

    /// A fetch reports its host as free before its answer goes on, so when the outcome is here
    /// the host's message is too, and it goes first: it knows the real start.
    fn take_outcomes(&mut self, first: Outcome, now: Instant) {
        let mut next = Some(first);
        for _ in 0..TURN {
            let Some(outcome) = next else { break };
            self.take_free_hosts(now);
            self.scheduler.apply(outcome, now);
            next = self.edges.outcomes.try_recv().ok();
        }
        if let Some(outcome) = next {
            self.take_free_hosts(now);
            self.scheduler.apply(outcome, now);
        }
    }

    fn take_free_hosts(&mut self, now: Instant) {
        while let Ok(free) = self.edges.host_free.try_recv() {
            self.scheduler.host_free(&free, now);
        }
    }

    /// Gives back the places in the page stream that will not be filled.
    fn give_back(&mut self) {
        let owed = std::mem::take(&mut self.scheduler.credit_owed);
        if let Some(credit) = &self.edges.credit {
            credit.add_permits(owed);
        }
    }
}

/// Fills `held` if it is empty and a permit is free; whether it is filled.
fn hold(held: &mut Option<OwnedSemaphorePermit>, permits: &Arc<Semaphore>) -> bool {
    if held.is_none() {
        *held = permits.clone().try_acquire_owned().ok();
    }
    held.is_some()
}

/// A permit when one is free; `None` if there will be none.
async fn acquire(permits: Option<&Arc<Semaphore>>) -> Option<OwnedSemaphorePermit> {
    permits?.clone().acquire_owned().await.ok()
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due.into()).await;
    }
}
