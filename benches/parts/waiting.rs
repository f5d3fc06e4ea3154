//! Links judged and URLs waiting: what the frontier does with a page.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_channel::Receiver;
use crawl_frontier::{Edges, Frontier, FrontierConfig};
use crawl_model::{
    CanonicalUrl, Entry, Event, Fingerprint, Fingerprinter, Found, Health, HostFree, Look,
    OpenJournal, Origin, Outcome, Request, RobotsReply, Ticket, TicketId, Verdict,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::reading::LINKS;

/// Hosts of the crawl, and URLs of each that wait before anything is counted.
const HOSTS: usize = 100;
const EACH: usize = 100;
/// Links of a page that nobody knows yet.
const NEW: usize = 4;
/// Requests in flight over all hosts, and to one.
const WORKERS: usize = 16;

/// A page's links held against what is known: 77 are, four are new and looked at.
pub(crate) fn seen(n: u64) {
    let view = frontier().view();
    let known: Vec<Fingerprint> = (0..HOSTS * EACH).map(|i| found(i, 1).print).collect();
    let new: Vec<Found> = (0..HOSTS).map(|i| found(HOSTS * EACH + i, 1)).collect();
    for page in 0..n as usize {
        let news = (0..NEW).map(|i| &new[(page * NEW + i) % new.len()]);
        let olds = (0..LINKS - NEW).map(|i| known[(page * LINKS + i * 37) % known.len()]);
        let prints: Vec<_> = news.clone().map(|new| new.print).chain(olds).collect();
        let are_known = view.known(&prints);
        assert_eq!(are_known.iter().filter(|is_known| !**is_known).count(), NEW);
        for new in news {
            assert_eq!(view.look(new.print, &new.request.url, 1), Look::Admit);
        }
    }
}

/// A URL's turn comes, its page is durable, and four new URLs wait.
pub(crate) fn queue(n: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime without I/O needs nothing").block_on(crawl(frontier(), n));
}

async fn crawl(frontier: Frontier, n: u64) {
    let (tickets, cut) = async_channel::bounded(WORKERS);
    let (host_free, host_free_in) = mpsc::channel(WORKERS);
    let (outcomes, outcomes_in) = mpsc::channel(WORKERS);
    let (entries, _entries_in) = mpsc::channel::<Entry>(64);
    let (_control, control) = mpsc::channel(1);
    let (_source, sources) = mpsc::channel::<Infallible>(1);
    let running = tokio::spawn(frontier.run(Edges {
        tickets,
        workers: Arc::new(Semaphore::new(WORKERS)),
        credit: None,
        host_free: host_free_in,
        outcomes: outcomes_in,
        entries,
        control,
        sources,
        closing: Arc::new(watch::channel(false).0),
    }));
    let mut n_done = 0;
    while n_done < n {
        // As a group commit: what is in flight ends together.
        for ticket in in_flight(&cut).await {
            let free = free(ticket.id());
            host_free.send(free).await.expect("the frontier runs");
            let first = HOSTS * EACH + n_done as usize * NEW;
            let found = (first..first + NEW).map(|i| found(i, 2)).collect();
            let (spent, verdict) = (ticket.spend(), Verdict::Ok);
            let outcome = Outcome::Settled { spent, verdict, n_items: 0, found };
            outcomes.send(outcome).await.expect("the frontier runs");
            n_done += 1;
        }
    }
    running.abort();
}

/// All tickets that are cut; waits for the first.
async fn in_flight(cut: &Receiver<(Ticket, OwnedSemaphorePermit)>) -> Vec<Ticket> {
    let first = cut.recv().await.expect("the frontier runs");
    let more = std::iter::from_fn(|| cut.try_recv().ok());
    std::iter::once(first).chain(more).map(|(ticket, _)| ticket).collect()
}

fn free(id: TicketId) -> HostFree {
    let now = Instant::now();
    HostFree {
        id,
        sent_at: Some(now),
        done_at: now,
        rest: None,
        latency: Some(Duration::ZERO),
        health: Health::Good,
        remote: None,
    }
}

/// A hundred hosts with a hundred URLs each, that need no rest and forbid nothing.
fn frontier() -> Frontier {
    let mut config = FrontierConfig::default();
    config.scope.allowed_domains = vec!["test".to_owned()];
    config.politeness.delay = Duration::ZERO;
    config.politeness.per_host = 2.try_into().expect("it is not zero");
    let mut frontier = Frontier::new(config, "crawl", prints(), Vec::new(), Box::new(NoJournal))
        .expect("the limits are right");
    for i in 0..HOSTS * EACH {
        frontier.replay(Event::Found(Box::new(found(i, 1)))).expect("it is all in memory");
    }
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now_ms = since_1970.expect("it is after 1970").as_millis() as u64;
    for host in 0..HOSTS {
        let origin = Origin::new(false, &format!("h{host}.test"), 80);
        frontier.replay_robots(origin, RobotsReply::AllowAll, now_ms);
    }
    frontier.replayed(&[], true);
    frontier
}

/// The `i`th URL of all; the hosts take turns.
fn found(i: usize, depth: u32) -> Found {
    let url = url(i);
    let print = prints().get(&url);
    let request = Request { depth, ..Request::get(url) };
    Found { print, request, filtered: None, renews: false }
}

fn url(i: usize) -> CanonicalUrl {
    let text = format!("http://h{}.test/p/{}", i % HOSTS, i / HOSTS * 37);
    CanonicalUrl::parse(&text).expect("a URL")
}

fn prints() -> Fingerprinter {
    Fingerprinter::new([7; 16])
}

/// What it notes is the store's part.
struct NoJournal;

impl OpenJournal for NoJournal {
    fn opened(&mut self, _: TicketId, _: Fingerprint) {}

    fn closed(&mut self, _: TicketId) {}

    fn write(&mut self) {}
}
