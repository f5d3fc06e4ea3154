//! Everything that decides a crawl, spider aside.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crawl_feeds::FeedConfig;
use crawl_fetcher::FetchConfig;
use crawl_frontier::{FrontierConfig, HostPoliteness, PolitenessConfig};
use crawl_model::{CanonicalUrl, HostPattern, HostTable, MediaConfig};
use crawl_parser::ParseConfig;
use crawl_pipeline::StepConfig;
use crawl_store::{CacheConfig, RecrawlConfig, StoreConfig};

use crate::error::CrawlError;

/// Keys of the fetch table that limit nothing.
const NO_LIMITS: [&str; 4] = ["auth", "headers", "proxies", "resolve"];

/// What a crawl is to do and how. Each stage's table is that stage's own type.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlConfig {
    /// Where it begins. A resumed crawl adds those it does not know yet.
    pub seeds: Vec<CanonicalUrl>,
    /// A file with more of them, one a line, which is read while the crawl runs; `-` is standard
    /// input.
    pub seeds_file: Option<PathBuf>,
    /// Where the spider begins later on, after a login say: not asked for, but their hosts count
    /// as those of seeds.
    pub later_seeds: Vec<CanonicalUrl>,
    /// Scope, politeness and retries.
    pub frontier: FrontierConfig,
    /// Connections and limits.
    pub fetch: FetchConfig,
    /// What holds for some hosts in place of the two.
    pub hosts: Vec<HostRules>,
    /// CPU threads and links.
    pub parse: ParseConfig,
    /// Steps that items go through before they are stored.
    pub pipeline: Vec<StepConfig>,
    /// The crawl's folder and what is kept in it.
    pub store: StoreConfig,
    /// Files that items ask for.
    pub media: MediaConfig,
    /// An earlier crawl whose answers take part.
    pub cache: CacheConfig,
    /// When pages of this crawl are asked for again.
    pub recrawl: RecrawlConfig,
    /// Exports that are written while crawling.
    pub feeds: Vec<FeedConfig>,
    /// How long work in flight may take to settle once the crawl is closing.
    pub grace: Duration,
    /// Whether to throw away what an earlier run left in the folder.
    pub fresh: bool,
}

/// What holds for some hosts in place of the crawl-wide settings, each complete.
///
/// Of all rules that fit a host one counts: that with the exact name, else that with the longest
/// pattern. Only [`PolitenessConfig::PER_HOST`] and [`FetchConfig::PER_HOST`] count of them.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRules {
    /// Which hosts.
    pub patterns: Vec<HostPattern>,
    /// How gently they are treated.
    pub politeness: PolitenessConfig,
    /// Limits and identity.
    pub fetch: FetchConfig,
}

impl HostRules {
    /// Its limits as a resumed crawl is held against them.
    fn limits(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut limits = serde_json::Map::new();
        let tables = [
            ("politeness", serde_json::json!(self.politeness), PolitenessConfig::PER_HOST),
            ("fetch", serde_json::json!(self.fetch), FetchConfig::PER_HOST),
        ];
        for (table, mut values, keys) in tables {
            for key in keys.iter().filter(|&&key| key != "headers") {
                limits.insert(format!("{table}.{key}"), values[key].take());
            }
        }
        limits
    }
}

impl Default for CrawlConfig {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            seeds_file: None,
            later_seeds: Vec::new(),
            frontier: FrontierConfig::default(),
            fetch: FetchConfig::default(),
            hosts: Vec::new(),
            parse: ParseConfig::default(),
            pipeline: Vec::new(),
            store: StoreConfig::default(),
            media: MediaConfig::default(),
            cache: CacheConfig::default(),
            recrawl: RecrawlConfig::default(),
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
    /// kept in the store, so what may be or hold credentials is not among them, nor is `resolve`,
    /// which says where a host is, not what may be done there.
    pub(crate) fn limits(&self) -> serde_json::Value {
        let mut limits = serde_json::json!({
            "scope": self.frontier.scope,
            "queue": { "order": self.frontier.queue.order },
            "traps": self.frontier.traps,
            "politeness": self.frontier.politeness,
            "retry": self.frontier.retry,
            "fetch": self.fetch,
            "parse": self.parse,
        });
        if let Some(fetch) = limits["fetch"].as_object_mut() {
            fetch.retain(|key, _| !NO_LIMITS.contains(&key.as_str()));
        }
        let dedup: Vec<_> = self.pipeline.iter().filter_map(|step| step.dedup.as_ref()).collect();
        if !dedup.is_empty() {
            // Of what is stored already nothing is known under other keys.
            limits["pipeline"] = serde_json::json!({ "dedup": dedup });
        }
        for rules in &self.hosts {
            let names: Vec<String> = rules.patterns.iter().map(ToString::to_string).collect();
            limits[format!("host[{}]", names.join(" "))] = rules.limits().into();
        }
        limits
    }

    /// The politeness of [`hosts`](Self::hosts), by host.
    ///
    /// # Errors
    /// [`CrawlError::HostTwice`] if two of them name the same host.
    pub fn politeness_by_host(&self) -> Result<HostTable<HostPoliteness>, CrawlError> {
        self.by_host(|rules| HostPoliteness {
            politeness: rules.politeness.clone(),
            agent: crawl_robots::product_token(&rules.fetch.user_agent).to_owned(),
        })
    }

    /// The fetch settings of [`hosts`](Self::hosts), by host.
    ///
    /// # Errors
    /// [`CrawlError::HostTwice`] if two of them name the same host.
    pub fn fetch_by_host(&self) -> Result<HostTable<FetchConfig>, CrawlError> {
        self.by_host(|rules| rules.fetch.clone())
    }

    fn by_host<T>(&self, take: impl Fn(&HostRules) -> T) -> Result<HostTable<T>, CrawlError> {
        let mut table = HostTable::default();
        for rules in &self.hosts {
            let inserted = table.insert(rules.patterns.iter().cloned(), take(rules));
            inserted.map_err(CrawlError::HostTwice)?;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use crawl_fetcher::AuthConfig;

    use super::*;

    #[test]
    fn no_secret_is_kept_with_the_limits() {
        let mut config = CrawlConfig::default();
        config.fetch.headers.insert("Authorization".into(), "hunter2".into());
        config.fetch.auth.push(AuthConfig {
            origin: "http://a.test".into(),
            password: Some("hunter2".into()),
            bearer: Some("hunter2".into()),
            ..AuthConfig::default()
        });
        let limits = config.limits().to_string();
        assert!(limits.contains("total-timeout") && !limits.contains("hunter2"), "{limits}");
    }
}
