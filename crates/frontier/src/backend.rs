//! Where URLs wait: the seen set and the hosts' queues, behind the one trait that another place
//! (a database shared by many machines) would have to implement.
//!
//! The unit of lease is a host with its best few URLs. Whoever holds the lease keeps the host's
//! clock and cuts the tickets; that is the scheduler's part. Here nobody knows what time it is.
//!
//! Not here: robots, clocks, tickets, durability (what is offered is durable already).

use std::sync::Arc;

use crawl_model::{FilterReason, Fingerprint, Found, Host, Request};

use crate::queue::Queued;
use crate::queues::Queues;
use crate::seen::{Learnt, Seen, Standing};

/// Number of a host, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostKey(pub(crate) u32);

/// The place where URLs wait.
pub(crate) trait Backend: Send {
    /// Takes a durable URL into the seen set. Those that come out [`New`](Learnt::New) or
    /// [`Readmitted`](Learnt::Readmitted), and are not filtered, are to be
    /// [`push`](Self::push)ed next.
    fn offer(&mut self, found: &Found) -> Learnt;

    /// Gives the next host its queue; hosts come in the order of their numbers.
    fn add_host(&mut self, name: Host);

    /// Puts a new URL into its host's queue.
    fn push(&mut self, host: HostKey, request: &Request);

    /// Leases the best of the host's waiting URLs, at most `n`. They are the caller's until they
    /// are acked or released; so is the host while any of them is.
    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued>;

    /// Asks to keep the lease on a host for another term. `false`: the lease was lost, and what
    /// was claimed and not sent yet is to be forgotten.
    fn extend(&mut self, host: HostKey) -> bool;

    /// The URL has ended, with a verdict or filtered for a reason.
    fn ack(&mut self, print: Fingerprint, filtered: Option<FilterReason>);

    /// Puts a claimed URL back that did not end.
    fn release(&mut self, host: HostKey, url: Queued);

    /// Whether the host has URLs to claim.
    fn has_waiting(&self, host: HostKey) -> bool;
}

/// The place on this machine: every lease is granted and lasts.
#[derive(Debug)]
pub(crate) struct LocalBackend {
    pub(crate) seen: Arc<Seen>,
    pub(crate) queues: Queues,
}

impl LocalBackend {
    pub(crate) fn new(seen: Arc<Seen>, queues: Queues) -> Self {
        Self { seen, queues }
    }
}

impl Backend for LocalBackend {
    fn offer(&mut self, found: &Found) -> Learnt {
        self.seen.learn(found.print, found.filtered, found.request.depth)
    }

    fn add_host(&mut self, name: Host) {
        self.queues.add_host(name);
    }

    fn push(&mut self, host: HostKey, request: &Request) {
        self.queues.push(host, request);
    }

    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued> {
        std::iter::from_fn(|| self.queues.take(host)).take(n).collect()
    }

    fn extend(&mut self, _host: HostKey) -> bool {
        true
    }

    fn ack(&mut self, print: Fingerprint, filtered: Option<FilterReason>) {
        // Depth 0: no path is shorter, so it is recorded again only if it is admitted.
        self.seen
            .set(print, filtered.map_or(Standing::Ended, |reason| Standing::Filtered(reason, 0)));
    }

    fn release(&mut self, host: HostKey, url: Queued) {
        self.queues.put_back(host, url);
    }

    fn has_waiting(&self, host: HostKey) -> bool {
        self.queues.has_waiting(host)
    }
}
