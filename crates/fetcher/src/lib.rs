//! Decides *how* a URL is fetched; never *when*, and never what its page says.
//!
//! A [`Ticket`] goes in, an [`Answer`] comes out: a [`Response`](crawl_model::Response) whose
//! body is read and decoded, or a [`Failure`] with a class and a line for
//! people. Redirects are responses; robots.txt goes the same way as a page.
//!
//! A server cannot hurt the crawl: every phase has a time limit, heads and bodies have a length,
//! decoders a ratio, and addresses that are not public are refused. What exceeds a limit after
//! the head is kept as far as it came, with the reason, and its connection is dropped.
//!
//! The way of a fetch: [`Fetcher::run_worker`] (`worker`) takes a ticket; `exchange` finds a kept
//! connection (`pool`) or makes one (`connect`: `resolve`, `address`, `host_map`, `tls`); the
//! request (`message`) goes out over a watched connection (`wire`); the body (`body`) is read
//! through the decoders (`decode`). One timer holds all phases to their limits (`clock`).
//!
//! The answers of an earlier crawl can take part (`cache`).
//!
//! Not here: waiting for a host, retries, robots rules, cookies, proxies. Nothing is logged, so
//! no credentials can be.

mod answer;
mod config;

mod worker;

mod cache;
mod exchange;

mod connect;
mod message;
mod pool;

mod address;
mod host_map;
mod resolve;
mod tls;

mod body;
mod clock;
mod decode;
mod media;
mod wire;

mod classify;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use crawl_model::{Cache, Failure, Fetched, HostFree, Ticket};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use cache::{Copy, Plan};
use exchange::Answered;
use wire::SentAt;

pub use answer::Answer;
pub use config::{FetchConfig, FetchConfigError};

/// Fetches URLs. Cheap to clone; clones share connections, name cache and TLS sessions.
#[derive(Clone)]
pub struct Fetcher {
    exchange: Arc<exchange::Exchange>,
    earlier: cache::Earlier,
}

impl Fetcher {
    /// Checks the config and reads its certificate files. Nothing is sent or opened yet.
    ///
    /// # Errors
    /// [`FetchConfigError`], which names the key.
    pub fn new(config: FetchConfig) -> Result<Self, FetchConfigError> {
        let earlier = cache::Earlier::Off;
        Ok(Self { exchange: Arc::new(exchange::Exchange::new(&config)?), earlier })
    }

    /// Asks servers whether the answers of an earlier crawl still hold, and takes those that do.
    #[must_use]
    pub fn revalidating(self, cache: Arc<dyn Cache>) -> Self {
        Self { earlier: cache::Earlier::Revalidate(cache), ..self }
    }

    /// Answers from an earlier crawl alone; the network is never touched. What is not there fails
    /// as [`NotCached`](crawl_model::FailureKind::NotCached).
    #[must_use]
    pub fn offline(self, cache: Arc<dyn Cache>) -> Self {
        Self { earlier: cache::Earlier::Offline(cache), ..self }
    }

    /// Fetches what `ticket` asks for. Must run on a tokio runtime with I/O and time enabled.
    ///
    /// Ends within `total-timeout`. Dropping the future ends the fetch and its connection.
    pub async fn fetch(&self, ticket: &Ticket) -> Answer {
        let started = Instant::now();
        let mut sent_at = None;
        let reply = match self.earlier.plan(ticket).await {
            Plan::Answer(reply) => match reply {
                Ok(response) => Ok(self.exchange.hold(response, None).await),
                Err(failure) => Err(failure),
            },
            Plan::Ask(copy) => self.ask(ticket, copy, &mut sent_at).await,
        };
        let sent_at = sent_at.and_then(|sent_at| sent_at.get().copied());
        Answer::now(reply, started, sent_at)
    }

    /// Asks the server, under the conditions of an earlier answer if there is one.
    async fn ask(
        &self,
        ticket: &Ticket,
        copy: Option<Copy>,
        sent_at: &mut Option<SentAt>,
    ) -> Result<Answered, Failure> {
        let conditions = copy.as_ref().map_or(&[][..], |copy| &copy.conditions);
        let (mut response, share) = self.exchange.run(ticket, conditions, sent_at).await?;
        // Nobody but us may say that our cache took part.
        response.set_cached(None);
        match copy {
            Some(copy) => Ok(self.exchange.hold(copy.apply(response)?, share).await),
            None => Ok((response, share)),
        }
    }

    /// Fetches one ticket after another until `tickets` closes: the life of one worker.
    ///
    /// Each ticket gives one [`HostFree`] at its last body byte, then one [`Fetched`]; the permit
    /// is given back after that was taken. A fetch that panics gives only the HostFree, and its
    /// ticket reports itself as abandoned. Ends early when `fetched` has no reader left.
    pub async fn run_worker(
        self,
        tickets: async_channel::Receiver<(Ticket, OwnedSemaphorePermit)>,
        host_free: mpsc::Sender<HostFree>,
        fetched: async_channel::Sender<Fetched>,
    ) {
        worker::run(self, tickets, host_free, fetched).await;
    }
}

impl worker::Fetch for Fetcher {
    fn fetch(&self, ticket: &Ticket) -> impl Future<Output = Answer> + Send {
        Fetcher::fetch(self, ticket)
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}
