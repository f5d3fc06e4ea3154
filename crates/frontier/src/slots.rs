//! Which tickets are open, each in a numbered slot that is used again.
//!
//! The slot's number is the ticket's id and the journal's place for it, so slots stay dense.
//! A slot is free again when its ticket has ended; the one message that may still be under way
//! then (`HostFree` of an abandoned ticket) tells its age by its own instants.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crawl_model::{CanonicalUrl, Desk, Fingerprint, OpenJournal, TicketId};
use tokio::sync::mpsc;

use crate::backend::HostKey;
use crate::queue::Queued;
use crate::scheduler::AddressKey;

/// An open ticket.
#[derive(Debug)]
pub(crate) struct Open {
    /// Whose clock it runs on.
    pub(crate) host: HostKey,
    /// Whose clock, too: the host's address, if that was known.
    pub(crate) address: Option<AddressKey>,
    pub(crate) print: Fingerprint,
    pub(crate) errand: OpenErrand,
    /// Whether the host still waits for this request's last byte.
    pub(crate) holds_host: bool,
    /// When the ticket was cut.
    pub(crate) since: Instant,
}

/// What an open ticket is for, as the scheduler needs it when the ticket ends.
#[derive(Debug)]
pub(crate) enum OpenErrand {
    Page(Queued),
    Robots(RobotsErrand),
}

/// Where an origin's rules are to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct RobotsErrand {
    /// Whose rules.
    pub(crate) origin: OriginKey,
    /// Where this hop asks.
    pub(crate) url: CanonicalUrl,
    /// Redirects followed so far.
    pub(crate) hops: u8,
}

/// An origin: its host, and its place among that host's origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OriginKey {
    pub(crate) host: HostKey,
    pub(crate) index: usize,
}

/// The slots.
pub(crate) struct Slots {
    slots: Vec<Option<Open>>,
    /// Oldest first, so that a number rests as long as possible before it is used again.
    free: VecDeque<u32>,
    count: Arc<AtomicUsize>,
    journal: Box<dyn OpenJournal>,
}

impl Slots {
    pub(crate) fn new(journal: Box<dyn OpenJournal>) -> Self {
        Self { slots: Vec::new(), free: VecDeque::new(), count: Arc::default(), journal }
    }

    /// Number of open tickets, as the store's writer reads it.
    pub(crate) fn count(&self) -> Arc<AtomicUsize> {
        self.count.clone()
    }

    pub(crate) fn n_open(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes a free slot and notes it for the journal, which is to be [written](Self::write) before
    /// the ticket leaves.
    pub(crate) fn open(&mut self, open: Open) -> TicketId {
        let number = self.free.pop_front().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("fewer tickets are open than u32 counts")
        });
        self.journal.opened(TicketId(number), open.print);
        self.slots[number as usize] = Some(open);
        self.count.fetch_add(1, Ordering::AcqRel);
        TicketId(number)
    }

    /// Writes the journal: which slots were taken and freed.
    pub(crate) fn write(&mut self) {
        self.journal.write();
    }

    /// The open tickets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.slots.iter().flatten()
    }

    pub(crate) fn get_mut(&mut self, id: TicketId) -> Option<&mut Open> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    /// Frees the slot of a ticket that has ended; `None` if there is no such ticket.
    pub(crate) fn close(&mut self, id: TicketId) -> Option<Open> {
        let open = self.slots.get_mut(id.0 as usize)?.take()?;
        self.free.push_back(id.0);
        self.journal.closed(id);
        self.count.fetch_sub(1, Ordering::AcqRel);
        Some(open)
    }
}

/// Where tickets report themselves as abandoned.
///
/// The channel has no bound of its own because a `drop` must not wait; each open ticket sends at
/// most one number, so the number of open tickets bounds it.
struct LostTickets(mpsc::UnboundedSender<TicketId>);

/// A desk, and where what it is told comes out.
pub(crate) fn desk() -> (Arc<dyn Desk>, mpsc::UnboundedReceiver<TicketId>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Arc::new(LostTickets(sender)), receiver)
}

impl Desk for LostTickets {
    fn abandoned(&self, id: TicketId) {
        // With the receiver gone the crawl is over and nobody counts any more.
        let _ = self.0.send(id);
    }
}
