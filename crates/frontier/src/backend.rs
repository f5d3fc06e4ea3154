//! Where URLs wait: the seen set and the hosts' queues, behind the one trait that another place
//! (a database shared by many machines) would have to implement.
//!
//! The unit of lease is a host with its best few URLs. Whoever holds the lease keeps the host's
//! clock and cuts the tickets; that is the scheduler's part. Here nobody knows what time it is.
//!
//! Not here: robots, clocks, tickets, durability (what is offered is durable already).

use std::collections::BinaryHeap;
use std::sync::Arc;

use crawl_model::{FilterReason, Fingerprint, Found};

use crate::queue::Queued;
use crate::seen::{Learnt, Seen, Standing};

/// Number of a host, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostKey(pub(crate) u32);

/// The place where URLs wait.
pub(crate) trait Backend: Send {
    /// Takes a durable URL into the seen set. Those that come out [`New`](Learnt::New) or
    /// [`Readmitted`](Learnt::Readmitted), and are not filtered, are to be
    /// [`release`](Self::release)d into their host's queue next.
    fn offer(&mut self, found: &Found) -> Learnt;

    /// Leases the best of the host's waiting URLs, at most `n`. They are the caller's until they
    /// are acked or released; so is the host while any of them is.
    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued>;

    /// Asks to keep the lease on a host for another term. `false`: the lease was lost, and what
    /// was claimed and not sent yet is to be forgotten.
    fn extend(&mut self, host: HostKey) -> bool;

    /// The URL has ended, with a verdict or filtered for a reason.
    fn ack(&mut self, print: Fingerprint, filtered: Option<FilterReason>);

    /// Puts a URL into its host's queue: a new one, or a claimed one that did not end.
    fn release(&mut self, host: HostKey, url: Queued);

    /// Whether the host has URLs to claim.
    fn has_waiting(&self, host: HostKey) -> bool;
}

/// The place in this process' memory: every lease is granted and lasts.
#[derive(Debug)]
pub(crate) struct LocalBackend {
    seen: Arc<Seen>,
    /// By host key.
    queues: Vec<BinaryHeap<Queued>>,
}

impl LocalBackend {
    pub(crate) fn new(seen: Arc<Seen>) -> Self {
        Self { seen, queues: Vec::new() }
    }
}

impl Backend for LocalBackend {
    fn offer(&mut self, found: &Found) -> Learnt {
        self.seen.learn(found.print, found.filtered, found.request.depth)
    }

    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued> {
        let Some(queue) = self.queues.get_mut(host.0 as usize) else { return Vec::new() };
        std::iter::from_fn(|| queue.pop()).take(n).collect()
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
        let index = host.0 as usize;
        if index >= self.queues.len() {
            self.queues.resize_with(index + 1, BinaryHeap::new);
        }
        self.queues[index].push(url);
    }

    fn has_waiting(&self, host: HostKey) -> bool {
        self.queues.get(host.0 as usize).is_some_and(|queue| !queue.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, Request};

    use super::*;

    #[test]
    fn a_claimed_url_comes_back_to_its_old_place() {
        let mut backend = LocalBackend::new(Arc::default());
        let host = HostKey(3);
        assert!(backend.claim(host, 1).is_empty());
        for n in 0..4 {
            let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
            backend.release(host, Queued::new(Fingerprint(n), request, n));
        }
        let mut lease = backend.claim(host, 2);
        assert_eq!(lease.iter().map(|q| q.found_at).collect::<Vec<_>>(), [0, 1]);
        backend.release(host, lease.remove(0));
        let rest = backend.claim(host, 9);
        assert_eq!(rest.iter().map(|q| q.found_at).collect::<Vec<_>>(), [0, 2, 3]);
        assert!(!backend.has_waiting(host));
    }
}
