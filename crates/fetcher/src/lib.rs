//! Decides *how* a URL is fetched; never *when*, and never what its page says.
//!
//! A [`Ticket`] goes in, an [`Answer`] comes out: a [`Response`](crawl_model::Response) whose
//! body is read and decoded, or a [`Failure`] with a class and a line for
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
//! Who we are to a site: `cookies`, `auth`, `referrer`, `proxy`.
//!
//! The answers of an earlier crawl can take part (`cache`).
//!
//! Not here: waiting for a host, retries, robots rules. Nothing is logged, so no credentials
//! can be.

mod answer;
mod config;

mod depart;
mod worker;

mod cache;
mod exchange;
mod settings;

mod connect;
mod descriptors;
mod eyeballs;
mod keep;
mod message;
mod pool;

mod auth;
mod cookies;
mod proxy;
mod referrer;
mod secret;

mod address;
mod host_map;
mod resolve;
mod tls;

mod body;
mod clock;
mod decode;
mod file;
mod media;
mod pace;
mod wire;

mod classify;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crawl_model::{
    Cache, CookieChange, Copies, Departure, Depot, Errand, Failure, FailureKind, Fetched, HostFree,
    HostTable, MediaConfig, Ticket,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use cache::{Copy, Plan};
use exchange::{Answered, Fetching};
use file::FileRules;
use keep::Keeps;

pub use answer::Answer;
pub use auth::AuthConfig;
pub use config::{FetchConfig, FetchConfigError};
pub use cookies::CookieMode;
pub use keep::Requests;
pub use proxy::ProxyChoice;
pub use referrer::ReferrerPolicy;
pub use secret::Secret;

/// Fetches URLs. Cheap to clone; clones share connections, name cache and TLS sessions.
#[derive(Clone)]
pub struct Fetcher {
    exchange: Arc<exchange::Exchange>,
    earlier: cache::Earlier,
    departure: Option<Arc<dyn Departure>>,
    keeps: Requests,
    files: Option<Arc<FileRules>>,
}

impl Fetcher {
    /// Checks the config and reads its certificate files. Nothing is sent or opened yet.
    ///
    /// # Errors
    /// [`FetchConfigError`], which names the key.
    pub fn new(config: FetchConfig) -> Result<Self, FetchConfigError> {
        Self::with_hosts(config, HostTable::default())
    }

    /// The same with settings of their own for some hosts, each complete. Of those only the keys
    /// in [`FetchConfig::PER_HOST`] count; the others are for the whole crawl and taken from
    /// `config`.
    ///
    /// # Errors
    /// [`FetchConfigError`], which names the key.
    pub fn with_hosts(
        config: FetchConfig,
        hosts: HostTable<FetchConfig>,
    ) -> Result<Self, FetchConfigError> {
        let exchange = Arc::new(exchange::Exchange::new(&config, hosts)?);
        Ok(Self {
            exchange,
            earlier: cache::Earlier::Off,
            departure: None,
            keeps: Requests::Dropped,
            files: None,
        })
    }

    /// Asks servers whether the answers of an earlier crawl still hold, and takes those that do.
    #[must_use]
    pub fn revalidating(self, cache: Arc<dyn Cache>) -> Self {
        Self { earlier: cache::Earlier::Revalidate(cache), ..self }
    }

    /// Asks servers whether the crawl's own copies still hold. One that does is answered by its
    /// 304, marked as [`Revalidated`](crawl_model::Cached::Revalidated): the copy stays where it
    /// is.
    #[must_use]
    pub fn renewing(self, copies: Arc<dyn Copies>) -> Self {
        Self { earlier: cache::Earlier::Own(copies), ..self }
    }

    /// Answers from an earlier crawl alone; the network is never touched. What is not there fails
    /// as [`NotCached`](crawl_model::FailureKind::NotCached).
    #[must_use]
    pub fn offline(self, cache: Arc<dyn Cache>) -> Self {
        Self { earlier: cache::Earlier::Offline(cache), ..self }
    }

    /// Shows the requests of tickets that its workers fetch to `departure` first.
    #[must_use]
    pub fn departing(self, departure: Arc<dyn Departure>) -> Self {
        Self { departure: Some(departure), ..self }
    }

    /// Says what is kept of the requests that are sent, for the archive. Default: nothing.
    #[must_use]
    pub fn keeping(self, keeps: Requests) -> Self {
        Self { keeps, ..self }
    }

    /// Sends the bodies of files that items ask for to `depot`. Default: files are read as pages are.
    ///
    /// # Errors
    /// [`FetchConfigError`], which names the key.
    pub fn storing(
        self,
        depot: Arc<dyn Depot>,
        config: &MediaConfig,
    ) -> Result<Self, FetchConfigError> {
        Ok(Self { files: Some(Arc::new(FileRules::new(depot, config)?)), ..self })
    }

    /// Takes back the cookies that an earlier run left, as the store has them. Returns how many
    /// cannot be read; those are as good as gone.
    pub fn restore_cookies(&self, stored: impl IntoIterator<Item = CookieChange>) -> usize {
        self.exchange.cookies().restore(stored.into_iter(), cookies::now_ms())
    }

    /// Switches cookies on or off: what `fetch.cookies = "auto"` means for this crawl.
    pub fn use_cookies(&self, is_on: bool) {
        self.exchange.cookies().switch(is_on);
    }

    /// Fetches what `ticket` asks for. Must run on a tokio runtime with I/O and time enabled.
    ///
    /// Ends within `total-timeout`. Dropping the future ends the fetch and its connection.
    pub async fn fetch(&self, ticket: &Ticket) -> Answer {
        self.fetch_since(ticket, None, tokio::time::Instant::now()).await
    }

    /// The same for a fetch that has begun; `own` is what the ticket asks for by itself, if a
    /// middleware has put another errand in its place.
    async fn fetch_since(
        &self,
        ticket: &Ticket,
        own: Option<&Errand>,
        since: tokio::time::Instant,
    ) -> Answer {
        let started = since.into_std();
        let files = self.files.as_deref().filter(|_| FileRules::kind(ticket).is_some());
        let mut fetch = self.exchange.begin(ticket, since, files);
        fetch.keeps = Keeps::new(self.keeps, ticket, own);
        let reply = match self.earlier.plan(ticket).await {
            Plan::Answer(Ok(response)) => Ok(self.exchange.hold(response, None).await),
            Plan::Answer(Err(failure)) => Err(failure),
            Plan::Ask(copy) => self.ask(copy, &mut fetch).await,
        };
        let Fetching { clock, cookies, sent, file, .. } = fetch;
        let mut answer =
            Answer { cookies, sent, file, ..Answer::now(reply, started, &clock.times) };
        if matches!(&answer.reply, Err(failure) if failure.kind == FailureKind::Proxy) {
            // Until a proxy is well again, no request to the host can fare better.
            answer.rest = self.exchange.rest_of_proxies(ticket);
        }
        answer
    }

    /// Asks the server, under the conditions of an earlier answer if there is one.
    async fn ask(
        &self,
        mut copy: Option<Copy>,
        fetch: &mut Fetching<'_>,
    ) -> Result<Answered, Failure> {
        if let Some(copy) = &mut copy {
            fetch.conditions = std::mem::take(&mut copy.conditions);
        }
        let (mut response, share) = self.exchange.run(fetch).await?;
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

/// Checks what of the `[media]` table only a fetch would show.
///
/// # Errors
/// [`FetchConfigError::FileType`]
pub fn check_media(config: &MediaConfig) -> Result<(), FetchConfigError> {
    file::types(config).map(drop)
}

/// Whether `domain` is a public suffix by the list: one like `com` or `github.io`, below which
/// names belong to different people.
#[must_use]
pub fn is_public_suffix(domain: &str) -> bool {
    cookies::is_listed(domain)
}

impl worker::Fetch for Fetcher {
    /// Fetches what the program makes of the ticket's request; the ticket stays as it is, for what
    /// was added (a token, say) is to be sent, not to be kept.
    async fn fetch(&self, ticket: &mut Ticket) -> Answer {
        let since = tokio::time::Instant::now();
        let limit = self.exchange.total_timeout(ticket);
        match depart::depart(self.departure.as_deref(), ticket, limit).await {
            Ok(None) => self.fetch_since(ticket, None, since).await,
            Ok(Some(errand)) => {
                let own = ticket.amend(errand);
                let answer = self.fetch_since(ticket, Some(&own), since).await;
                ticket.amend(own);
                answer
            }
            Err(failure) => Answer::now(Err(failure), since.into_std(), &clock::Times::default()),
        }
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}
