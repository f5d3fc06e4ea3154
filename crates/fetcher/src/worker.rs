//! The stage's loop: take a ticket, fetch, tell the frontier, hand on.
//!
//! Invariants: each ticket gives exactly one [`HostFree`], and one [`Fetched`] unless the fetch
//! panicked; then the ticket is dropped and reports itself as abandoned. The worker outlives
//! both. HostFree goes first, since the next edge may be full: a host's clock never waits for a
//! slow parser. The permit is given back last, so that there is never a ticket without a worker.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use crawl_model::{Fetched, HostFree, Ticket};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::Answer;

/// What fetches: the fetcher, or a test's.
pub(crate) trait Fetch: Sync {
    /// Answers one ticket.
    fn fetch(&self, ticket: &mut Ticket) -> impl Future<Output = Answer> + Send;
}

/// Fetches one ticket after another until `tickets` closes or `fetched` has no reader left.
pub(crate) async fn run(
    fetcher: impl Fetch,
    tickets: async_channel::Receiver<(Ticket, OwnedSemaphorePermit)>,
    host_free: mpsc::Sender<HostFree>,
    fetched: async_channel::Sender<Fetched>,
) {
    while let Ok((mut ticket, permit)) = tickets.recv().await {
        let id = ticket.id();
        let answer = unless_panic(pin!(fetcher.fetch(&mut ticket))).await;
        let Some(answer) = answer else {
            // A frontier that is gone needs no news.
            let _ = host_free.send(HostFree::unsent(id)).await;
            continue;
        };
        let _ = host_free.send(answer.host_free(id)).await;
        if fetched.send(answer.into_fetched(ticket)).await.is_err() {
            return; // The crawl is closing; the ticket inside has reported itself.
        }
        drop(permit);
    }
}

/// Runs `work`; `None` if it panicked. The panic's message has gone to stderr by then.
async fn unless_panic<F: Future>(mut work: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(move |cx| {
        // Nothing is looked at after a panic but what fetches share, and that is kept in locks
        // and atomics that hold no half-made state.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use crawl_model::{
        CanonicalUrl, Desk, Errand, Failure, FailureKind, Fingerprint, Health, Request, TicketId,
    };
    use tokio::sync::Semaphore;

    use super::*;
    use crate::clock::Times;

    #[derive(Default)]
    struct Abandoned(Mutex<Vec<u32>>);

    impl Desk for Abandoned {
        fn abandoned(&self, id: TicketId) {
            self.0.lock().unwrap().push(id.0);
        }
    }

    struct PanicsAt(u32);

    impl Fetch for PanicsAt {
        async fn fetch(&self, ticket: &mut Ticket) -> Answer {
            tokio::task::yield_now().await;
            assert_ne!(ticket.id().0, self.0, "a fetch that panics");
            let failure = Failure::new(FailureKind::Connect, "refused");
            Answer::now(Err(failure), Instant::now(), &Times::default())
        }
    }

    fn ticket(desk: &Arc<Abandoned>, id: u32) -> Ticket {
        let errand = Errand::Page(Request::get(CanonicalUrl::parse("http://h/").unwrap()));
        Ticket::issue(desk.clone(), TicketId(id), Fingerprint(0), errand, 1, false)
    }

    #[tokio::test]
    async fn a_panic_costs_its_ticket_and_nothing_else() {
        let desk = Arc::new(Abandoned::default());
        let permits = Arc::new(Semaphore::new(3));
        let (ticket_in, tickets) = async_channel::bounded(3);
        let (free_in, mut host_free) = mpsc::channel(3);
        let (fetched_in, fetched) = async_channel::bounded(3);
        for id in 0..3 {
            let permit = permits.clone().try_acquire_owned().unwrap();
            ticket_in.try_send((ticket(&desk, id), permit)).unwrap();
        }
        ticket_in.close();
        run(PanicsAt(1), tickets, free_in, fetched_in).await;
        let mut freed = Vec::new();
        while let Some(free) = host_free.recv().await {
            freed.push((free.id.0, free.health));
        }
        assert_eq!(
            freed,
            [(0, Health::Unreachable), (1, Health::Unknown), (2, Health::Unreachable)]
        );
        assert_eq!(*desk.0.lock().unwrap(), [1]);
        assert_eq!(permits.available_permits(), 3);
        let _first = fetched.try_recv().unwrap().ticket.spend();
        let _third = fetched.try_recv().unwrap().ticket.spend();
        assert!(fetched.try_recv().is_err());
    }

    #[tokio::test]
    async fn host_free_comes_and_the_permit_stays_while_the_next_edge_is_full() {
        let desk = Arc::new(Abandoned::default());
        let permits = Arc::new(Semaphore::new(2));
        let (ticket_in, tickets) = async_channel::bounded(2);
        let (free_in, mut host_free) = mpsc::channel(2);
        let (fetched_in, fetched) = async_channel::bounded(1);
        for id in 0..2 {
            let permit = permits.clone().try_acquire_owned().unwrap();
            ticket_in.try_send((ticket(&desk, id), permit)).unwrap();
        }
        let worker = tokio::spawn(run(PanicsAt(9), tickets, free_in, fetched_in));
        assert_eq!(host_free.recv().await.unwrap().id.0, 0);
        assert_eq!(host_free.recv().await.unwrap().id.0, 1);
        assert_eq!(permits.available_permits(), 1);
        let _kept = fetched.recv().await.unwrap().ticket.spend();
        drop(fetched);
        drop(ticket_in);
        worker.await.unwrap();
        assert_eq!(permits.available_permits(), 2);
        assert_eq!(*desk.0.lock().unwrap(), [1]);
    }
}
