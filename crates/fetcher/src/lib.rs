//! Decides *how* a URL is fetched; never *when*, and never what its page says.
//!
//! A [`Ticket`] goes in, an [`Answer`] comes out: a [`Response`](crawl_model::Response) whose
//! body is read and decoded, or a [`Failure`](crawl_model::Failure) with a class and a line for
//! people. Redirects are responses; robots.txt goes the same way as a page.
//!
//! A server cannot hurt the crawl: every phase has a time limit, heads and bodies have a length,
//! bodies a least rate and decoders a ratio, and addresses that are not public are refused. Each
//! limit has a class of its own (`classify`). What exceeds one after the head is kept as far as
//! it came, with the reason, and its connection is dropped.
//!
//! The way of a fetch: [`Fetcher::run_worker`] (`worker`) takes a ticket; `exchange` finds a kept
//! connection (`pool`) or makes one (`connect`: `resolve` with its cache, `address`, `host_map`,
//! `eyeballs`, `tls`) if the system grants one more (`descriptors`); the request (`message`) goes
//! out over a watched connection (`wire`); the body (`body`) is read at its pace (`pace`) through
//! the decoders (`decode`). One timer holds all phases to their limits (`clock`).
//!
//! Not here: waiting for a host, retries, robots rules, cookies, proxies. Nothing is logged, so
//! no credentials can be.

mod answer;
mod config;

mod worker;

mod exchange;

mod connect;
mod descriptors;
mod eyeballs;
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
mod pace;
mod wire;

mod classify;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use crawl_model::{Fetched, HostFree, Ticket};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

pub use answer::Answer;
pub use config::{FetchConfig, FetchConfigError};

/// Fetches URLs. Cheap to clone; clones share connections, name cache and TLS sessions.
#[derive(Clone)]
pub struct Fetcher {
    exchange: Arc<exchange::Exchange>,
}

impl Fetcher {
    /// Checks the config and reads its certificate files. Nothing is sent or opened yet.
    ///
    /// # Errors
    /// [`FetchConfigError`], which names the key.
    pub fn new(config: FetchConfig) -> Result<Self, FetchConfigError> {
        Ok(Self { exchange: Arc::new(exchange::Exchange::new(&config)?) })
    }

    /// Fetches what `ticket` asks for. Must run on a tokio runtime with I/O and time enabled.
    ///
    /// Ends within `total-timeout`. Dropping the future ends the fetch and its connection.
    pub async fn fetch(&self, ticket: &Ticket) -> Answer {
        let started = Instant::now();
        let mut clock = self.exchange.clock();
        let reply = self.exchange.run(ticket, &mut clock).await;
        Answer::now(reply, started, &clock.times)
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
