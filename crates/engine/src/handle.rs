//! Asks and steers a running crawl from anywhere.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crawl_feeds::Outages;
use crawl_frontier::{Blocked, Control, Domain, Seeded, Setting, SharedCounts, Status};
use crawl_model::{CanonicalUrl, Counts, Host, Request};
use crawl_parser::Parser;
use crawl_spider::Spider;
use crawl_store::Blocks;
use tokio::sync::{mpsc, oneshot, watch};

use crate::admission::Admission;
use crate::error::CrawlError;

/// A handle on a running crawl. Cheap to clone; does not keep the crawl alive.
#[derive(Clone)]
pub struct Handle {
    control: mpsc::Sender<Control>,
    closing: Arc<watch::Sender<bool>>,
    counts: Arc<SharedCounts>,
    parser: Weak<Parser>,
    blocks: Weak<Blocks>,
    admission: Weak<Admission>,
    outages: Outages,
}

/// Work that blocks, on a thread where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CrawlError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| CrawlError::Task("an order"))
}

impl Handle {
    pub(crate) fn new(
        control: mpsc::Sender<Control>,
        closing: Arc<watch::Sender<bool>>,
        counts: Arc<SharedCounts>,
        parser: &Arc<Parser>,
        (blocks, admission): (&Arc<Blocks>, &Arc<Admission>),
    ) -> Self {
        let parser = Arc::downgrade(parser);
        let (blocks, admission) = (Arc::downgrade(blocks), Arc::downgrade(admission));
        let outages = Outages::default();
        Self { control, closing, counts, parser, blocks, admission, outages }
    }

    /// The feeds that wait for a database or an object store that is not there. Never waits.
    #[must_use]
    pub fn outages(&self) -> &Outages {
        &self.outages
    }

    /// Where every URL stands right now. Never waits.
    #[must_use]
    pub fn stats(&self) -> Counts {
        self.counts.get()
    }

    /// Adds a seed; answers when it is durable. See [`add_seeds`](Self::add_seeds).
    ///
    /// # Errors
    /// [`CrawlError::Seed`] if it is no URL, [`CrawlError::Ended`] if the crawl is over.
    pub async fn add_seed(&self, url: &str) -> Result<Seeded, CrawlError> {
        self.add_seeds(&[url]).await
    }

    /// Adds seeds; answers when they are durable. If one of them is no URL, none is added.
    ///
    /// Without `scope.allowed-domains` their hosts come into the scope with them, and stay there
    /// in later runs.
    ///
    /// # Errors
    /// [`CrawlError::Seed`] if one is no URL, [`CrawlError::Ended`] if the crawl is over or
    /// closing, [`CrawlError::Store`] if a host cannot be written down.
    pub async fn add_seeds(&self, urls: &[impl AsRef<str>]) -> Result<Seeded, CrawlError> {
        let parse = |url: &str| {
            let url = CanonicalUrl::parse(url)
                .map_err(|source| CrawlError::Seed { seed: url.to_owned(), source })?;
            Ok::<_, CrawlError>(Request::get(url))
        };
        let requests: Vec<_> =
            urls.iter().map(|url| parse(url.as_ref())).collect::<Result<_, _>>()?;
        let admission = self.admission.upgrade().ok_or(CrawlError::Ended)?;
        let requests = blocking(move || admission.admit(&requests).map(|()| requests)).await??;
        self.tell(|done| Control::AddSeeds { requests, done: Some(done) }).await
    }

    /// Sends no more requests until [`resume`](Self::resume); what is in flight settles. A paused
    /// crawl does not end by itself. The next run is not paused. Says whether it was paused before.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(running: crawl_engine::Running) -> Result<(), crawl_engine::CrawlError> {
    /// use std::time::Duration;
    ///
    /// let crawl = running.handle();
    /// crawl.pause().await?;
    /// crawl.set_delay(Duration::from_secs(5)).await?;
    /// crawl.block("calendar.example.org").await?;
    /// crawl.resume().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CrawlError::Ended`] if the crawl is over or closing.
    pub async fn pause(&self) -> Result<bool, CrawlError> {
        self.tell(|done| Control::Pause { done }).await
    }

    /// Ends a pause. Says whether there was one.
    ///
    /// # Errors
    /// [`CrawlError::Ended`] if the crawl is over or closing.
    pub async fn resume(&self) -> Result<bool, CrawlError> {
        self.tell(|done| Control::Resume { done }).await
    }

    /// Whether the crawl is paused. Never waits.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.counts.is_paused()
    }

    /// Whether the crawl is closing. Never waits.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Fetches nothing more from a host or domain, its subdomains included, in this run and in
    /// later ones. What is queued there ends as `blocked`, and so does what is found later; what is
    /// in flight settles. Answers when the last queued URL has ended.
    ///
    /// # Errors
    /// [`CrawlError::Frontier`] if it is no domain, [`CrawlError::Store`] if it cannot be written
    /// down, [`CrawlError::Ended`] if the crawl is over. If it ends just then the block may be
    /// written down all the same; later runs obey it.
    pub async fn block(&self, domain: &str) -> Result<Blocked, CrawlError> {
        let domain = Domain::parse(domain)?;
        let was_blocked = !self.write_block(&domain, true).await?;
        let told = domain.clone();
        let blocked = self.tell(|done| Control::Block { domain: told, done }).await?;
        if !self.is_listed(&domain)? {
            // Taken back by somebody else meanwhile: what is written down counts.
            self.tell(|done| Control::Unblock { domain, done }).await?;
        }
        Ok(Blocked { was_blocked, ..blocked })
    }

    /// Takes a block back; says whether there was one. What it ended is admitted when it is found
    /// again, and by the next run.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    pub async fn unblock(&self, domain: &str) -> Result<bool, CrawlError> {
        let domain = Domain::parse(domain)?;
        let was_blocked = self.write_block(&domain, false).await?;
        let told = domain.clone();
        self.tell(|done| Control::Unblock { domain: told, done }).await?;
        if self.is_listed(&domain)? {
            self.tell(|done| Control::Block { domain, done }).await?;
        }
        Ok(was_blocked)
    }

    /// The domains that are blocked, in order.
    ///
    /// # Errors
    /// [`CrawlError::Ended`] if the crawl is over.
    pub fn blocked(&self) -> Result<Vec<String>, CrawlError> {
        Ok(self.blocks.upgrade().ok_or(CrawlError::Ended)?.get())
    }

    fn is_listed(&self, domain: &Domain) -> Result<bool, CrawlError> {
        Ok(self.blocked()?.iter().any(|name| name == domain.as_str()))
    }

    async fn write_block(&self, domain: &Domain, is_blocked: bool) -> Result<bool, CrawlError> {
        let blocks = self.blocks.upgrade().ok_or(CrawlError::Ended)?;
        let domain = domain.clone();
        Ok(blocking(move || blocks.set(domain.as_str(), is_blocked)).await??)
    }

    /// Changes a setting for the rest of this run: of all hosts, those included that have a table
    /// or a setting of their own. Says what it was.
    ///
    /// # Errors
    /// [`CrawlError::Frontier`] if it cannot be, [`CrawlError::Ended`] if the crawl is over or
    /// closing.
    pub async fn set(&self, setting: Setting) -> Result<Setting, CrawlError> {
        setting.check(None)?;
        self.tell(|done| Control::Set { setting, host: None, done }).await
    }

    /// Changes a setting of one host, not of its subdomains, for the rest of this run. Says what
    /// it was.
    ///
    /// # Errors
    /// As [`set`](Self::set); [`CrawlError::Frontier`] also if it is a setting of the whole crawl,
    /// or `host` no host.
    pub async fn set_for(&self, host: &str, setting: Setting) -> Result<Setting, CrawlError> {
        let host = Some(Host::new(Domain::parse(host)?.as_str()));
        setting.check(host.as_ref())?;
        self.tell(|done| Control::Set { setting, host, done }).await
    }

    /// Sets the least time between two requests to one host, of all hosts, for the rest of this
    /// run. Says what it was. See [`set`](Self::set) and [`set_for`](Self::set_for).
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub async fn set_delay(&self, delay: Duration) -> Result<Duration, CrawlError> {
        match self.set(Setting::Delay(delay)).await? {
            Setting::Delay(was) => Ok(was),
            _ => Ok(delay), // a setting is answered by its like
        }
    }

    /// What is in force.
    ///
    /// # Errors
    /// [`CrawlError::Ended`] if the crawl is over.
    pub async fn status(&self) -> Result<Status, CrawlError> {
        self.tell(|done| Control::Status { done }).await
    }

    /// Tells the frontier something, and waits until it has taken effect.
    async fn tell<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Control,
    ) -> Result<T, CrawlError> {
        let (done, answer) = oneshot::channel();
        self.control.send(message(done)).await.map_err(|_| CrawlError::Ended)?;
        answer.await.map_err(|_| CrawlError::Ended)
    }

    /// Lets another spider read the pages that come from now on; what the old one has in hand it
    /// finishes. The frontier stays as it is: seen URLs stay seen, and `start` is not called.
    ///
    /// # Errors
    /// [`CrawlError::Spider`] if the new spider panics when it is asked what it wants, and
    /// [`CrawlError::Ended`] if the crawl is over.
    pub fn replace_spider(&self, spider: Arc<dyn Spider>) -> Result<(), CrawlError> {
        let parser = self.parser.upgrade().ok_or(CrawlError::Ended)?;
        Ok(parser.replace_spider(spider)?)
    }

    /// Begins to close the crawl: no new requests, what is in flight settles within the grace
    /// time. Returns at once; the end is awaited where the crawl was started.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
