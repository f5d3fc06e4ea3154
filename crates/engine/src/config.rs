//! Everything that decides a crawl, spider aside.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crawl_feeds::FeedConfig;
use crawl_fetcher::FetchConfig;
use crawl_frontier::FrontierConfig;
use crawl_model::CanonicalUrl;
use crawl_parser::ParseConfig;
use crawl_store::{CacheConfig, StoreConfig};

/// What a crawl is to do and how. Each stage's table is that stage's own type.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlConfig {
    /// Where it begins. A resumed crawl adds those it does not know yet.
    pub seeds: Vec<CanonicalUrl>,
    /// Scope, politeness and retries.
    pub frontier: FrontierConfig,
    /// Connections and limits.
    pub fetch: FetchConfig,
    /// CPU threads and links.
    pub parse: ParseConfig,
    /// The crawl's folder and what is kept in it.
    pub store: StoreConfig,
    /// An earlier crawl whose answers take part.
    pub cache: CacheConfig,
    /// Exports that are written while crawling.
    pub feeds: Vec<FeedConfig>,
    /// How long work in flight may take to settle once the crawl is closing.
    pub grace: Duration,
    /// Whether to throw away what an earlier run left in the folder.
    pub fresh: bool,
}

impl Default for CrawlConfig {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            frontier: FrontierConfig::default(),
            fetch: FetchConfig::default(),
            parse: ParseConfig::default(),
            store: StoreConfig::default(),
            cache: CacheConfig::default(),
            feeds: Vec::new(),
            grace: Duration::from_secs(10),
            fresh: false,
        }
    }
}

impl CrawlConfig {
    /// The crawl's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.store.path.clone()
    }

    /// How many CPU threads read pages.
    pub(crate) fn n_threads(&self) -> usize {
        match self.parse.threads {
            0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            n => n,
        }
    }

    /// The limits that a resumed crawl is held against, as one JSON object of tables. They are
    /// kept in the store, so headers (which may be credentials) are not among them, nor is
    /// `resolve`, which says where a host is, not what may be done there.
    pub(crate) fn limits(&self) -> serde_json::Value {
        let mut limits = serde_json::json!({
            "scope": self.frontier.scope,
            "politeness": self.frontier.politeness,
            "retry": self.frontier.retry,
            "fetch": self.fetch,
            "parse": self.parse,
        });
        if let Some(fetch) = limits["fetch"].as_object_mut() {
            fetch.retain(|key, _| key != "headers" && key != "resolve");
        }
        limits
    }
}
