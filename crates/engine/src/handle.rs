//! Asks and steers a running crawl from anywhere.

use std::sync::{Arc, Weak};

use crawl_frontier::{Control, Seeded, SharedCounts};
use crawl_model::{CanonicalUrl, Counts, Request};
use crawl_parser::Parser;
use crawl_spider::Spider;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::CrawlError;

/// A handle on a running crawl. Cheap to clone; does not keep the crawl alive.
#[derive(Clone)]
pub struct Handle {
    control: mpsc::Sender<Control>,
    closing: Arc<watch::Sender<bool>>,
    counts: Arc<SharedCounts>,
    parser: Weak<Parser>,
}

impl Handle {
    pub(crate) fn new(
        control: mpsc::Sender<Control>,
        closing: Arc<watch::Sender<bool>>,
        counts: Arc<SharedCounts>,
        parser: &Arc<Parser>,
    ) -> Self {
        Self { control, closing, counts, parser: Arc::downgrade(parser) }
    }

    /// Where every URL stands right now. Never waits.
    #[must_use]
    pub fn stats(&self) -> Counts {
        self.counts.get()
    }

    /// Adds a seed; answers when it is durable.
    ///
    /// # Errors
    /// [`CrawlError::Seed`] if it is no URL, [`CrawlError::Ended`] if the crawl is over.
    pub async fn add_seed(&self, url: &str) -> Result<Seeded, CrawlError> {
        let url = CanonicalUrl::parse(url)
            .map_err(|source| CrawlError::Seed { seed: url.to_owned(), source })?;
        let (done, answer) = oneshot::channel();
        let seeds = Control::AddSeeds { requests: vec![Request::get(url)], done: Some(done) };
        self.control.send(seeds).await.map_err(|_| CrawlError::Ended)?;
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
