//! A crawl as written in TOML: strict, every mistake with its place, checked before anything
//! is opened or sent.
//!
//! Each stage's table is that stage's own type, so a key is described once, beside the code
//! that obeys it; `config/default.toml` lists them all for people. Relative paths (`store.path`,
//! the feeds' `path`) are relative to the current directory, not to the file.

mod check;
mod error;
mod explain;
mod host;
mod load;
mod overrides;
mod schema;
mod site;
mod source;
mod spider;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crawl_engine::{Crawl, CrawlConfig, HostRules};
use crawl_feeds::FeedConfig;
use crawl_fetcher::FetchConfig;
use crawl_frontier::{
    FrontierConfig, PolitenessConfig, QueueConfig, RetryConfig, ScopeConfig, TrapsConfig,
};
use crawl_model::{CanonicalUrl, DURATION, MediaConfig};
use crawl_parser::{ConfigSpider, ParseConfig, SpiderConfig};
use crawl_pipeline::StepConfig;
use crawl_store::{CacheConfig, RecrawlConfig, StoreConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use check::chain;
pub use error::{ConfigError, Mistake};
pub use host::HostConfig;
pub use site::TestsiteConfig;
pub use source::Place;

use crate::isolation::Recipe;

use load::Sources;
use source::Document;

/// A crawl's TOML file. Every key has a default; unknown ones are errors.
///
/// # Examples
/// ```
/// use crawl::Config;
///
/// let config = Config::parse("shop.toml", "seeds = ['https://shop.example/']", &[])?;
/// assert_eq!(config.scope.max_depth, 0);
///
/// let typo = Config::parse("shop.toml", "[scope]\nmax-dept = 3", &[]).unwrap_err();
/// assert_eq!(typo.hint(), Some("did you mean `max-depth`?"));
/// # Ok::<(), crawl::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// URLs where the crawl begins. Default: none; then a spider or an earlier run must bring some.
    pub seeds: Vec<String>,
    /// A file with more of them, one a line, plain or gzip; `-` is standard input. It is read while
    /// the crawl runs, so it may hold millions. Blank lines and those that begin with `#` are
    /// skipped. Default: none.
    pub seeds_file: Option<PathBuf>,
    /// What belongs to the crawl.
    pub scope: ScopeConfig,
    /// How much of what looks endless is followed.
    pub traps: TrapsConfig,
    /// How gently hosts are treated.
    pub politeness: PolitenessConfig,
    /// How often a URL is tried.
    pub retry: RetryConfig,
    /// In which order URLs wait, and in how much memory.
    pub queue: QueueConfig,
    /// Connections and limits.
    pub fetch: FetchConfig,
    /// What holds for some hosts in place of `politeness` and `fetch`. Default: none.
    pub host: Vec<HostConfig>,
    /// CPU threads and links.
    pub parse: ParseConfig,
    /// What to take from pages and what to follow. Default: every link, no items.
    pub spider: Option<SpiderConfig>,
    /// Steps that items go through before they are stored, in order. Default: none.
    pub pipeline: Vec<StepConfig>,
    /// The crawl's folder.
    pub store: StoreConfig,
    /// Files that items ask for.
    pub media: MediaConfig,
    /// An earlier crawl whose answers take part.
    pub cache: CacheConfig,
    /// When pages of this crawl are asked for again.
    pub recrawl: RecrawlConfig,
    /// Exports, written while crawling.
    pub feed: Vec<FeedConfig>,
    /// The process.
    pub run: RunConfig,
    /// The bundled site, to be served while the crawl runs. Default: none.
    pub testsite: Option<TestsiteConfig>,
}

/// The process that crawls, as written in the `[run]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunConfig {
    /// How long work in flight may take to settle once the crawl is closing. Default: `10s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub grace: Duration,
    /// Whether `crawl run` ends with an exit code of its own if fields are filled much less often
    /// than in the run before. Default: false, it only says so.
    pub fail_on_drift: bool,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10), fail_on_drift: false }
    }
}

impl Config {
    /// Reads a file and lays `key.path=value` arguments over it.
    ///
    /// # Errors
    /// [`ConfigError`] if the file cannot be read or something in it, or in an argument, is wrong.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&path.to_string_lossy(), &text, overrides)
    }

    /// Reads a text, called `name` in errors, and lays `key.path=value` arguments over it.
    ///
    /// # Errors
    /// [`ConfigError::Mistake`] if something in the text or an argument is wrong.
    pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        let defaults = toml::Table::try_from(Self::default())
            .expect("the default config has string keys and no nulls");
        let (config, sources): (Self, Sources<'_>) =
            load::load(Document { name, text }, overrides, &defaults)?;
        check::check(&config).map_err(|fault| sources.trace(&fault.path, fault.mistake))?;
        Ok(config)
    }

    /// Checks what the types cannot: seeds, patterns, selectors, limits.
    ///
    /// # Errors
    /// [`ConfigError::Mistake`], without a place.
    pub fn check(&self) -> Result<(), ConfigError> {
        check::check(self).map_err(|fault| fault.mistake.into())
    }

    /// All that is in force, as TOML; credentials are shown as `***`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut shown = self.clone();
        for seed in &mut shown.seeds {
            *seed = source::hide_credentials(seed);
        }
        for (name, value) in &mut shown.fetch.headers {
            if is_secret(name) {
                "***".clone_into(value);
            }
        }
        for host in &mut shown.host {
            let headers = host.fetch.get_mut("headers").and_then(toml::Value::as_table_mut);
            for (name, value) in headers.into_iter().flatten() {
                if is_secret(name) {
                    *value = "***".into();
                }
            }
        }
        for url in shown.fetch.proxies.values_mut() {
            *url = source::hide_credentials(url.reveal()).into();
        }
        shown.feed = shown.feed.iter().map(FeedConfig::without_secrets).collect();
        let login = shown.spider.as_mut().and_then(|spider| spider.login.as_mut());
        for value in login.into_iter().flat_map(|login| login.fields.values_mut()) {
            // The names of environment variables are no secret.
            if !value.starts_with('$') || value.starts_with("$$") {
                "***".clone_into(value);
            }
        }
        for auth in &mut shown.fetch.auth {
            for secret in [&mut auth.password, &mut auth.bearer].into_iter().flatten() {
                *secret = "***".into();
            }
        }
        toml::to_string(&shown).expect("a config has string keys and no nulls")
    }

    /// The crawl that it describes, its spider included ([`make_spider`](Self::make_spider)).
    ///
    /// A `[testsite]` table takes no part in it unless the site was
    /// [served](Self::serve_testsite).
    ///
    /// # Errors
    /// [`ConfigError::Mistake`] if something in it is wrong, [`ConfigError::Plugin`] and
    /// [`ConfigError::Isolation`] if there is no such plugin.
    pub fn into_crawl(self, fresh: bool) -> Result<Crawl, ConfigError> {
        self.check()?;
        let login =
            self.spider.clone().filter(|spider| spider.login.is_some() && spider.plugin.is_none());
        if let Some(spider) = login {
            return self.into_crawl_with_login(spider, fresh);
        }
        let recipe = Recipe::of(&self);
        let spider = recipe.make(None)?;
        let mut builder = Crawl::builder().config(self.into_crawl_config(fresh)?);
        builder = builder.shared_spider(spider);
        if recipe.is_plugin() {
            builder = builder.reload(Arc::new(move |path| Ok(recipe.make(path)?)));
        }
        builder.build().map_err(|error| Mistake::new(error.to_string()).into())
    }

    /// The crawl of a spider that asks for the seeds itself, when its login has worked.
    fn into_crawl_with_login(
        self,
        spider: SpiderConfig,
        fresh: bool,
    ) -> Result<Crawl, ConfigError> {
        let spider = ConfigSpider::new(spider).map_err(|error| Mistake::new(error.to_string()))?;
        let start = spider.start_urls().map_err(|error| Mistake::new(error.chain()))?;
        let mut config = self.into_crawl_config(fresh)?;
        let seeds = std::mem::take(&mut config.seeds);
        config.later_seeds = seeds.iter().cloned().chain(start).collect();
        let builder = Crawl::builder().config(config).spider(spider.with_seeds(seeds));
        builder.build().map_err(|error| Mistake::new(error.to_string()).into())
    }

    /// Whether there is something to begin with: seeds, or a spider that brings some.
    #[must_use]
    pub fn has_beginning(&self) -> bool {
        let brings = |spider: &SpiderConfig| {
            let has_urls = [
                spider.sitemap.as_ref().is_some_and(|sitemap| !sitemap.urls.is_empty()),
                spider.feed.as_ref().is_some_and(|feed| !feed.urls.is_empty()),
                spider.xml.as_ref().is_some_and(|xml| !xml.urls.is_empty()),
                spider.csv.as_ref().is_some_and(|csv| !csv.urls.is_empty()),
            ];
            spider.plugin.is_some()
                || spider.login.is_some()
                || !spider.start.is_empty()
                || has_urls.contains(&true)
        };
        !self.seeds.is_empty()
            || self.seeds_file.is_some()
            || self.spider.as_ref().is_some_and(brings)
    }

    /// The engine's settings, for a crawl with a spider of its own.
    ///
    /// # Errors
    /// [`ConfigError::Mistake`] if something in it is wrong.
    pub fn into_crawl_config(self, fresh: bool) -> Result<CrawlConfig, ConfigError> {
        self.check()?;
        Ok(CrawlConfig {
            seeds: self.parsed_seeds()?,
            later_seeds: Vec::new(),
            hosts: self.host_rules()?,
            seeds_file: self.seeds_file,
            frontier: FrontierConfig {
                scope: self.scope,
                traps: self.traps,
                politeness: self.politeness,
                retry: self.retry,
                queue: self.queue,
            },
            fetch: self.fetch,
            parse: self.parse,
            pipeline: self.pipeline,
            store: self.store,
            media: self.media,
            cache: self.cache,
            recrawl: self.recrawl,
            feeds: self.feed,
            grace: self.run.grace,
            fresh,
        })
    }

    /// What the `[[host]]` tables come to, each laid over `politeness` and `fetch`.
    ///
    /// # Errors
    /// [`ConfigError::Mistake`] if something in them is wrong.
    pub fn host_rules(&self) -> Result<Vec<HostRules>, ConfigError> {
        self.resolve_hosts().map_err(|fault| fault.mistake.into())
    }

    fn parsed_seeds(&self) -> Result<Vec<CanonicalUrl>, ConfigError> {
        let parse = |seed: &String| {
            CanonicalUrl::parse(seed).map_err(|e| Mistake::new(e.to_string()).into())
        };
        self.seeds.iter().map(parse).collect()
    }
}

impl TryFrom<Config> for Crawl {
    type Error = ConfigError;

    fn try_from(config: Config) -> Result<Self, ConfigError> {
        config.into_crawl(false)
    }
}

/// Whether a header field of this name carries a credential.
#[must_use]
pub fn is_secret(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests;
