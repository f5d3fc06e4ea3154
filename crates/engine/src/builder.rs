//! From what the user wants to a crawl that can be started.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crawl_model::CanonicalUrl;
use crawl_parser::{LinkSpider, MediaPattern, Reader};
use crawl_spider::{ItemStep, Spider};

use crate::config::CrawlConfig;
use crate::error::CrawlError;
use crate::middleware::Middleware;
use crate::opened::{self, Parts};
use crate::order::Reload;
use crate::pages::Pages;
use crate::pipeline;
use crate::replay::{self, Replayed};
use crate::report::Report;
use crate::running::Running;

/// Pages that may be settled and unread before the crawl waits for the reader.
const READ_AHEAD: usize = 32;

/// A crawl that has not started yet.
///
/// # Examples
/// ```no_run
/// # async fn example() -> Result<(), crawl_engine::CrawlError> {
/// use crawl_engine::Crawl;
///
/// let mut pages = Crawl::builder().seed("http://example.org/").build()?.start().await?;
/// while let Some(page) = pages.next().await {
///     println!("{}", page?.url());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Crawl {
    config: CrawlConfig,
    spider: Arc<dyn Spider>,
    reload: Option<Arc<Reload>>,
    parts: Parts,
    read_ahead: usize,
    pages_from: Option<u64>,
}

impl Crawl {
    /// Begins with the defaults: polite, in scope of the seeds' hosts, following every link.
    #[must_use]
    pub fn builder() -> CrawlBuilder {
        CrawlBuilder::default()
    }

    /// Starts the crawl and yields its pages as they become durable.
    ///
    /// The stream pulls: when nobody reads, no more than the read-ahead is fetched. To crawl
    /// without reading, use [`launch`](Self::launch).
    ///
    /// # Errors
    /// [`CrawlError`] if the folder, the spider or a setting forbids the start.
    pub async fn start(self) -> Result<Pages, CrawlError> {
        let mut opened = opened::open(self.config, self.spider, self.parts).await?;
        opened.stages.reload = self.reload;
        let backlog = self.pages_from.map(|n| opened.backlog(n));
        let (running, edge) = pipeline::run(opened, Some(self.read_ahead))?;
        let edge = edge.expect("a read-ahead was asked for, so there is an edge");
        Ok(Pages::new(running, edge, backlog))
    }

    /// Starts the crawl, lets `read` read its pages, and closes it when `read` is done, however
    /// that went: Python's `async with`. By the time this returns everything is flushed, and the
    /// folder is free. If `read` panics or this future is dropped, the crawl closes in the
    /// background, as when a [`Pages`] is dropped.
    ///
    /// ```no_run
    /// # async fn example(crawl: crawl_engine::Crawl) -> Result<(), Box<dyn std::error::Error>> {
    /// let (first, report) = crawl
    ///     .with_pages(async |pages| match pages.next().await {
    ///         Some(page) => page.map(|page| Some(page.url().clone())),
    ///         None => Ok(None),
    ///     })
    ///     .await?;
    /// println!("{:?} came first, {} pages in all", first?, report.counts.pages);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CrawlError`] if the crawl cannot start, or broke. What `read` gives is its own affair.
    pub async fn with_pages<T>(
        self,
        read: impl AsyncFnOnce(&mut Pages) -> T,
    ) -> Result<(T, Report), CrawlError> {
        let mut pages = self.start().await?;
        let value = read(&mut pages).await;
        Ok((value, pages.close().await?))
    }

    /// Runs the spider over the pages of the stored crawl in the folder `from`, which nobody may
    /// run, into this crawl's own folder, which must be new (or begin afresh). Nothing is fetched:
    /// no network is touched. Seeds, scope and politeness do not count, nor what the spider would
    /// begin with.
    ///
    /// # Errors
    /// [`CrawlError`] if a folder, the spider or a setting forbids it, or something broke.
    pub async fn replay(self, from: &Path) -> Result<Replayed, CrawlError> {
        replay::replay(self.config, self.spider, self.parts, from).await
    }

    /// Starts the crawl; its pages are found in the store.
    ///
    /// # Errors
    /// [`CrawlError`] if the folder, the spider or a setting forbids the start.
    pub async fn launch(self) -> Result<Running, CrawlError> {
        let mut opened = opened::open(self.config, self.spider, self.parts).await?;
        opened.stages.reload = self.reload;
        Ok(pipeline::run(opened, None)?.0)
    }
}

impl From<CrawlConfig> for Crawl {
    /// A crawl that follows every link in scope and takes no items.
    fn from(config: CrawlConfig) -> Self {
        Self {
            config,
            spider: Arc::new(LinkSpider),
            reload: None,
            parts: Parts::default(),
            read_ahead: READ_AHEAD,
            pages_from: None,
        }
    }
}

/// Collects what a [`Crawl`] needs; [`build`](Self::build) checks it.
#[derive(Default)]
pub struct CrawlBuilder {
    config: CrawlConfig,
    seeds: Vec<String>,
    spider: Option<Arc<dyn Spider>>,
    reload: Option<Arc<Reload>>,
    parts: Parts,
    read_ahead: Option<NonZeroUsize>,
    pages_from: Option<u64>,
}

impl CrawlBuilder {
    /// Replaces all settings, those of earlier calls included; added seeds stay.
    #[must_use]
    pub fn config(mut self, config: CrawlConfig) -> Self {
        self.config = config;
        self
    }

    /// Adds a seed.
    #[must_use]
    pub fn seed(mut self, url: impl Into<String>) -> Self {
        self.seeds.push(url.into());
        self
    }

    /// Sets the crawl's folder. Default: `crawl-data`.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.store.path = path.into();
        self
    }

    /// Sets the spider. Default: follow every link, take no items.
    #[must_use]
    pub fn spider(mut self, spider: impl Spider) -> Self {
        self.spider = Some(Arc::new(spider));
        self
    }

    /// Sets the spider as a shared value, whose type need not be known.
    #[must_use]
    pub fn shared_spider(mut self, spider: Arc<dyn Spider>) -> Self {
        self.spider = Some(spider);
        self
    }

    /// Says how the spider is made anew when the running crawl is told to
    /// ([`Order::ReloadPlugin`](crate::Order::ReloadPlugin)). Default: it cannot be.
    #[must_use]
    pub fn reload(mut self, reload: Arc<Reload>) -> Self {
        self.reload = Some(reload);
        self
    }

    /// Gives bodies of some media type (PDF, say) to `reader`, which finds text and links in them.
    /// Of several that fit a body the first one added counts. Such bodies are downloaded
    /// only if `fetch.content-types` and `scope.skip-extensions` let them pass.
    #[must_use]
    pub fn reader(mut self, pattern: MediaPattern, reader: impl Reader + 'static) -> Self {
        self.parts.readers.push((pattern, Arc::new(reader)));
        self
    }

    /// Adds a middleware inside those added before.
    #[must_use]
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.parts.layers.push(Arc::new(middleware));
        self
    }

    /// Adds a step that items go through, behind the spider's own, those of
    /// [`pipeline`](CrawlConfig::pipeline) and those added before.
    #[must_use]
    pub fn item_step(mut self, step: impl ItemStep + 'static) -> Self {
        self.parts.steps.push(Arc::new(step));
        self
    }

    /// Changes the settings in place.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut CrawlConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Sets how many pages may be settled and unread. Default: 32.
    #[must_use]
    pub fn read_ahead(mut self, n_pages: NonZeroUsize) -> Self {
        self.read_ahead = Some(n_pages);
        self
    }

    /// Lets the stream begin with the pages of settle number `n` and later that are in the
    /// store already. A reader that was killed after page `n` misses nothing with
    /// `pages_from(n + 1)`. Default: only pages of this run.
    #[must_use]
    pub fn pages_from(mut self, n: u64) -> Self {
        self.pages_from = Some(n);
        self
    }

    /// Checks the seeds.
    ///
    /// # Errors
    /// [`CrawlError::Seed`] if one is no URL that can be crawled.
    pub fn build(self) -> Result<Crawl, CrawlError> {
        let mut crawl = Crawl::from(self.config);
        for seed in self.seeds {
            match CanonicalUrl::parse(&seed) {
                Ok(url) => crawl.config.seeds.push(url),
                Err(source) => return Err(CrawlError::Seed { seed, source }),
            }
        }
        if let Some(spider) = self.spider {
            crawl.spider = spider;
        }
        crawl.read_ahead = self.read_ahead.map_or(READ_AHEAD, NonZeroUsize::get);
        crawl.parts = self.parts;
        crawl.reload = self.reload;
        crawl.pages_from = self.pages_from;
        Ok(crawl)
    }
}
