//! The right to send one request now, and the promise that it ends exactly once.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::{Arrived, CanonicalUrl, Fingerprint, Origin, Request, Sent};

/// Number of an open ticket: a slot that is used again after the ticket has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketId(pub u32);

/// What a ticket is for.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly all errands are pages")]
pub enum Errand {
    /// A page of the crawl.
    Page(Request),
    /// The robots.txt of `origin`, at `url` (its own, or where a redirect led).
    Robots {
        /// Whose rules are asked for.
        origin: Origin,
        /// Where this hop asks.
        url: CanonicalUrl,
    },
}

/// "May be sent now." Not `Clone`; ends exactly once.
///
/// Made by the frontier alone, for it alone holds the [`Desk`]. It travels with the answer
/// through fetcher and parser to the store, which spends it on an [`Outcome`](crate::Outcome).
/// Dropped anywhere on the way (a panic, a closing channel) it reports itself as abandoned, so
/// the count of open tickets is true whatever happens.
pub struct Ticket {
    id: TicketId,
    print: Fingerprint,
    errand: Arc<Errand>,
    attempt: u32,
    last_attempt: bool,
    desk: Option<Arc<dyn Desk>>,
    /// What went out for it.
    sent: Option<Box<Sent>>,
    /// The file that came of it.
    file: Option<Box<Arrived>>,
    /// Held for its `Drop`.
    reservation: Option<Box<dyn Any + Send + Sync>>,
}

/// Where abandoned tickets are reported; the frontier's.
pub trait Desk: Send + Sync {
    /// The ticket ended without an outcome. Called from `drop`, so it must not block or panic.
    fn abandoned(&self, id: TicketId);
}

/// A ticket that has ended with an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// The slot that is free again.
    pub id: TicketId,
    /// Whose it was; for robots errands that of the robots URL.
    pub print: Fingerprint,
}

impl Ticket {
    /// Issues a ticket. `attempt` counts from 1; `last_attempt` means that no retry follows.
    #[must_use]
    pub fn issue(
        desk: Arc<dyn Desk>,
        id: TicketId,
        print: Fingerprint,
        errand: Errand,
        attempt: u32,
        last_attempt: bool,
    ) -> Self {
        let errand = Arc::new(errand);
        let desk = Some(desk);
        Self {
            id,
            print,
            errand,
            attempt,
            last_attempt,
            desk,
            sent: None,
            file: None,
            reservation: None,
        }
    }

    /// Its slot.
    #[must_use]
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// Fingerprint of its request.
    #[must_use]
    pub fn print(&self) -> Fingerprint {
        self.print
    }

    /// What it is for.
    #[must_use]
    pub fn errand(&self) -> &Errand {
        &self.errand
    }

    /// What it is for, to be read by somebody who does not hold the ticket.
    #[must_use]
    pub fn share_errand(&self) -> Arc<Errand> {
        self.errand.clone()
    }

    /// Puts another errand in the place of its own, for the length of a fetch; gives back what it
    /// was. Whose URL it is, and what is recorded of it, stays.
    pub fn amend(&mut self, errand: Arc<Errand>) -> Arc<Errand> {
        std::mem::replace(&mut self.errand, errand)
    }

    /// Where to.
    #[must_use]
    pub fn url(&self) -> &CanonicalUrl {
        match &*self.errand {
            Errand::Page(request) => &request.url,
            Errand::Robots { url, .. } => url,
        }
    }

    /// How often this URL has been tried, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether a transient failure now is final.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.last_attempt
    }

    /// Keeps what was set aside for the answer (memory for its body, say) until the ticket ends
    /// or [`release`](Self::release) is called. What was kept before is given back.
    pub fn reserve(&mut self, reservation: impl Any + Send + Sync) {
        self.reservation = Some(Box::new(reservation));
    }

    /// Gives back what was set aside: the answer's body is gone.
    pub fn release(&mut self) {
        self.reservation = None;
    }

    /// Notes the request that was sent for it.
    pub fn note_sent(&mut self, sent: Sent) {
        self.sent = Some(Box::new(sent));
    }

    /// The request that was sent for it; `None` if none was, or nobody wanted it kept.
    #[must_use]
    pub fn sent(&self) -> Option<&Sent> {
        self.sent.as_deref()
    }

    /// Notes the file that its answer's body went to.
    pub fn note_file(&mut self, file: Arrived) {
        self.file = Some(Box::new(file));
    }

    /// The file that its answer's body went to; `None` if there is none.
    #[must_use]
    pub fn file(&self) -> Option<&Arrived> {
        self.file.as_deref()
    }

    /// Ends the ticket with an outcome.
    #[must_use]
    pub fn spend(mut self) -> Spent {
        self.desk = None;
        Spent { id: self.id, print: self.print }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.abandoned(self.id);
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({} {})", self.id.0, self.url())
    }
}

/// Notes which URLs are in hand, where a killed process leaves it behind.
///
/// Written before the ticket leaves the frontier, so that a URL that kills the process at once
/// is found out all the same. Costs microseconds for all tickets of one turn; no flush to the disk
/// is needed, for the kernel outlives the process.
pub trait OpenJournal: Send {
    /// `print` is in hand under slot `id`.
    fn opened(&mut self, id: TicketId, print: Fingerprint);

    /// Slot `id` is free again.
    fn closed(&mut self, id: TicketId);

    /// Hands over to the kernel what was noted since the last time. Before that it may be lost with
    /// the process.
    fn write(&mut self);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<u32>>);

    impl Desk for Seen {
        fn abandoned(&self, id: TicketId) {
            self.0.lock().unwrap().push(id.0);
        }
    }

    #[test]
    fn a_ticket_ends_exactly_once() {
        let desk = Arc::new(Seen::default());
        let make = |id| {
            let url = CanonicalUrl::parse("http://h/").unwrap();
            let errand = Errand::Page(Request::get(url));
            Ticket::issue(desk.clone(), TicketId(id), Fingerprint(9), errand, 1, false)
        };
        let spent = make(1).spend();
        assert_eq!(spent, Spent { id: TicketId(1), print: Fingerprint(9) });
        drop(make(2));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ticket = make(3);
            panic!("in hand");
        }));
        assert!(caught.is_err());
        assert_eq!(*desk.0.lock().unwrap(), [2, 3]);
    }
}
