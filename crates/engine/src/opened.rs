//! Opens the folder and brings the frontier to where the last run left it.
//!
//! All of it blocks (sled replays its log, the frontier folds the settle log), so it runs on a
//! blocking thread and the reactor never notices.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crawl_feeds::Feed;
use crawl_fetcher::{CookieMode, Fetcher, Requests, is_public_suffix};
use crawl_frontier::{Domain, Frontier, Resumed};
use crawl_model::{CanonicalUrl, Fingerprinter, Host, Request, View};
use crawl_parser::{MediaPattern, Parser, Reader};
use crawl_pipeline::Pipeline;
use crawl_spider::{ItemStep, Spider};
use crawl_store::{Blocks, Bodies, CacheMode, Options, Store, StoreConfig};

use crate::admission::Admission;
use crate::backlog::Backlog;
use crate::config::CrawlConfig;
use crate::error::CrawlError;
use crate::middleware::Layers;
use crate::order::Reload;
use crate::report::{Change, changes};
use crate::seeds_file::SeedsFile;

/// Sites up to which a crawl keeps cookies if it does not say whether.
const FEW_SITES: usize = 20;

/// What the program brings beside the spider.
#[derive(Default)]
pub(crate) struct Parts {
    /// Readers by media type.
    pub(crate) readers: Vec<(MediaPattern, Arc<dyn Reader>)>,
    pub(crate) layers: Layers,
    pub(crate) steps: Vec<Arc<dyn ItemStep>>,
}

/// A crawl whose folder is open and whose stages are ready to run.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) fetcher: Fetcher,
    pub(crate) stages: Stages,
}

/// What was made ready from the folder's contents.
pub(crate) struct Stages {
    pub(crate) config: CrawlConfig,
    pub(crate) frontier: Frontier,
    pub(crate) parser: Parser,
    pub(crate) feeds: Vec<Feed>,
    /// Config's and spider's, not judged yet.
    pub(crate) seeds: Vec<Request>,
    /// Whether pages of earlier runs may be due again.
    pub(crate) is_again: bool,
    /// Settle number after which this run begins.
    pub(crate) last: u64,
    /// Items that earlier runs dropped.
    pub(crate) n_dropped: u64,
    pub(crate) resumed: Option<Resumed>,
    pub(crate) changed: Vec<Change>,
    pub(crate) notes: Vec<String>,
    /// Makes the spider anew, if it can be.
    pub(crate) reload: Option<Arc<Reload>>,
    /// Seeds that are read as it goes.
    pub(crate) seeds_file: Option<SeedsFile>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) blocks: Arc<Blocks>,
}

impl Opened {
    /// The pages of settle number `n` up to this run's first.
    pub(crate) fn backlog(&self, n: u64) -> Backlog {
        Backlog::new(self.store.reader(), n, self.stages.last)
    }
}

/// Opens everything a crawl needs.
pub(crate) async fn open(
    config: CrawlConfig,
    spider: Arc<dyn Spider>,
    parts: Parts,
) -> Result<Opened, CrawlError> {
    tokio::task::spawn_blocking(move || open_blocking(config, spider, parts))
        .await
        .map_err(|_| CrawlError::Task("opening the store"))?
}

fn open_blocking(
    config: CrawlConfig,
    spider: Arc<dyn Spider>,
    parts: Parts,
) -> Result<Opened, CrawlError> {
    // What can be refused without touching the folder is refused first.
    let fetcher = Fetcher::with_hosts(config.fetch.clone(), config.fetch_by_host()?)?;
    let cache = config.cache.open(&config.store.path)?.map(Arc::new);
    let fetcher = match (cache, config.cache.mode) {
        (Some(cache), CacheMode::Revalidate) => fetcher.revalidating(cache),
        (Some(cache), CacheMode::Offline) => fetcher.offline(cache),
        (_, CacheMode::Off) | (None, _) => fetcher,
    };
    let fetcher = match parts.layers.is_empty() {
        true => fetcher,
        false => fetcher.departing(Arc::new(parts.layers.clone())),
    };
    let fetcher = fetcher.keeping(requests(&config.store));
    crawl_fetcher::check_media(&config.media)?;
    let pipeline = Pipeline::new(&config.pipeline)?;
    let seeds_file = config.seeds_file.as_deref().map(SeedsFile::open).transpose()?;
    let store = Store::open(&config.store, Options { fresh: config.fresh })?;
    let fetcher = fetcher.storing(store.depot(&config.media), &config.media)?;
    // An earlier crawl's copies, if there are any, go before its own.
    let fetcher = match config.recrawl.is_on() && config.cache.mode == CacheMode::Off {
        true => fetcher.renewing(Arc::new(store.reader())),
        false => fetcher,
    };
    match prepare(config, spider, pipeline, parts, &store, &fetcher) {
        Ok(stages) => {
            let stages = Stages { seeds_file, ..stages };
            Ok(Opened { store, fetcher, stages })
        }
        Err(error) => {
            // Nothing has begun, so the next run need not recover; if it does, no harm is done.
            let _ = store.close_clean();
            Err(error)
        }
    }
}

/// What is kept of requests for the archive.
fn requests(config: &StoreConfig) -> Requests {
    match (config.bodies, config.archive_credentials) {
        (Bodies::None, _) => Requests::Dropped,
        (_, false) => Requests::Kept,
        (_, true) => Requests::KeptWithCredentials,
    }
}

fn prepare(
    config: CrawlConfig,
    spider: Arc<dyn Spider>,
    pipeline: Pipeline,
    parts: Parts,
    store: &Store,
    fetcher: &Fetcher,
) -> Result<Stages, CrawlError> {
    let spider = crawl_spider::prepare(spider);
    let start = crawl_parser::start(&*spider)?;
    let seeds: Vec<Request> = config.seeds.iter().cloned().map(Request::get).chain(start).collect();
    let urls = seeds.iter().map(|request| &request.url);
    let hosts = seed_hosts(urls.chain(&config.later_seeds));
    let n_hosts = if config.seeds_file.is_some() { usize::MAX } else { hosts.len() };
    let unreadable_cookies = take_cookies(&config, n_hosts, store, fetcher)?;
    let limits = unless_offline(&config);
    check_identity(store, &config)?;
    let mut frontier = Frontier::new(
        limits.frontier.clone(),
        crawl_robots::product_token(&config.fetch.user_agent),
        Fingerprinter::new(store.identity().secret),
        hosts,
        store.journal(),
    )?
    .with_hosts(limits.politeness_by_host()?)?;
    frontier.obey_nofollow(config.parse.obey_nofollow);
    let (admission, blocks) = (Admission::open(store, &frontier)?, store.blocks()?);
    frontier
        .block(blocks.get().iter().map(|name| Domain::parse(name)).collect::<Result<Vec<_>, _>>()?);
    let (resumed, damage) = replay(store, &mut frontier)?;
    let has_seeds = !seeds.is_empty() || config.seeds_file.is_some();
    let n_lost = store.reader().lost_files().count();
    let has_more = config.recrawl.is_on() || n_lost > 0;
    let is_again = has_more && resumed.is_some_and(|r| r.settled + r.queued > 0);
    if !has_seeds && !is_again && resumed.is_none_or(|resumed| resumed.queued == 0) {
        return Err(CrawlError::NoSeeds);
    }
    if is_again {
        frontier.await_renewals();
    }

    let mut notes = store.recovery().notes.clone();
    notes.extend(unreadable_cookies);
    notes.extend(damage);
    if n_lost > 0 {
        notes.push(format!("{n_lost} files of items were lost and are fetched again"));
    }
    let mut feeds = Vec::with_capacity(config.feeds.len());
    for feed in &config.feeds {
        let feed = Feed::open(feed, store.reader(), config.fresh)?;
        notes.extend(feed.notes().iter().cloned());
        feeds.push(feed);
    }
    let changed = remember_limits(store, &config, resumed.is_some())?;
    let last = store.recovery().last;
    let traps = &config.frontier.traps;
    let parser = parser(&config, spider, frontier.view(), pipeline, parts, store)
        .with_max_copies(traps.max_duplicates)
        .with_max_near_copies(traps.max_duplicates, traps.near_duplicates);
    let n_dropped = store.reader().drop_counts()?.n_dropped();
    Ok(Stages {
        config,
        frontier,
        parser,
        feeds,
        seeds,
        is_again,
        last,
        n_dropped,
        resumed,
        changed,
        notes,
        reload: None,
        seeds_file: None,
        admission: Arc::new(admission),
        blocks: Arc::new(blocks),
    })
}

/// The stage that reads pages, with all that the program brings.
pub(crate) fn parser(
    config: &CrawlConfig,
    spider: Arc<dyn Spider>,
    view: Arc<dyn View>,
    pipeline: Pipeline,
    parts: Parts,
    store: &Store,
) -> Parser {
    let mut parser = Parser::new(config.parse.clone(), config.fetch.max_redirects, spider, view)
        .with_agent(crawl_robots::product_token(&config.fetch.user_agent));
    for (pattern, reader) in parts.readers {
        parser = parser.with_reader(pattern, reader);
    }
    let mut pipeline = pipeline
        .with_secret(store.identity().secret)
        .with_kept_bytes(config.store.dropped_item_bytes());
    for step in parts.steps {
        pipeline = pipeline.with_step(step);
    }
    for check in parts.layers.checks() {
        pipeline = pipeline.with_check(check);
    }
    parser = parser.with_pipeline(pipeline);
    if !parts.layers.is_empty() {
        parser = parser.with_hook(Arc::new(parts.layers));
    }
    parser
}

/// The limits that hold: offline no host is asked, so none has to be spared.
fn unless_offline(config: &CrawlConfig) -> Cow<'_, CrawlConfig> {
    let mut limits = Cow::Borrowed(config);
    if config.cache.mode == CacheMode::Offline {
        let limits = limits.to_mut();
        let of_hosts = limits.hosts.iter_mut().map(|rules| &mut rules.politeness);
        for politeness in of_hosts.chain([&mut limits.frontier.politeness]) {
            politeness.delay = Duration::ZERO;
            politeness.max_crawl_delay = Duration::ZERO;
            politeness.max_rate = 0;
        }
    }
    limits
}

/// Hands the stored cookies to the fetcher, if this crawl keeps any. Says if some are unreadable.
fn take_cookies(
    config: &CrawlConfig,
    n_seed_hosts: usize,
    store: &Store,
    fetcher: &Fetcher,
) -> Result<Option<String>, CrawlError> {
    let is_on = match config.fetch.cookies {
        CookieMode::On => true,
        CookieMode::Off => false,
        CookieMode::Auto => !is_broad(&config.frontier.scope.allowed_domains, n_seed_hosts),
    };
    fetcher.use_cookies(is_on);
    if !is_on {
        return Ok(None);
    }
    let stored = store.cookies().collect::<Result<Vec<_>, _>>()?;
    let n_unreadable = fetcher.restore_cookies(stored);
    Ok((n_unreadable > 0).then(|| {
        format!("{n_unreadable} stored cookies cannot be read and are left out; sites may ask anew")
    }))
}

/// Whether a crawl is of many sites, where cookies cost much and help little: more than
/// [`FEW_SITES`] allowed domains, or one that is a public suffix; without allowed domains, more
/// than [`FEW_SITES`] hosts of seeds. A file of seeds counts as many.
fn is_broad(allowed_domains: &[String], n_seed_hosts: usize) -> bool {
    if allowed_domains.is_empty() {
        return n_seed_hosts > FEW_SITES;
    }
    allowed_domains.len() > FEW_SITES
        || allowed_domains
            .iter()
            .any(|domain| is_public_suffix(&domain.trim_start_matches('.').to_ascii_lowercase()))
}

/// Brings the frontier to where the settle log ends; `None` if the log is empty. Says if the
/// frontier's tables had to be made anew.
fn replay(
    store: &Store,
    frontier: &mut Frontier,
) -> Result<(Option<Resumed>, Option<String>), CrawlError> {
    let restored = frontier.restore(store.tables())?;
    let events = match restored.from {
        Some(place) => store.events_after(place)?,
        None => store.events(),
    };
    let mut is_first_run = restored.from.is_none();
    for event in events {
        frontier.replay(event?)?;
        is_first_run = false;
    }
    for robots in store.robots() {
        let (origin, reply, at_ms) = robots?;
        frontier.replay_robots(origin, reply, at_ms);
    }
    frontier.replay_items(store.reader().n_items()?);
    let recovery = store.recovery();
    let mut resumed = frontier.replayed(&recovery.suspects, recovery.clean);
    if frontier.wants_second_reading() {
        for event in store.events() {
            frontier.judge_again(event?);
        }
        resumed = frontier.resumed();
    }
    let damage = restored.damage.map(|damage| {
        format!(
            "{damage}; the frontier's tables are made anew from the settle log, nothing is lost"
        )
    });
    Ok(((!is_first_run).then_some(resumed), damage))
}

/// Refuses a resume that tells duplicates otherwise than the run that began the crawl: no
/// fingerprint would be found again, and all would be crawled twice.
fn check_identity(store: &Store, config: &CrawlConfig) -> Result<(), CrawlError> {
    if store.events().next().is_none() {
        return Ok(());
    }
    let table = |identity| serde_json::json!({ "scope.identity": identity });
    let (old, new) = (store.url_identity()?, &config.frontier.scope.identity);
    match changes(&table(&old), &table(new)).pop() {
        None => Ok(()),
        Some(Change { key, old, new }) => {
            Err(CrawlError::Identity { folder: config.folder(), key, old, new })
        }
    }
}

/// Notes the limits now in force and says which differ from the last run's.
fn remember_limits(
    store: &Store,
    config: &CrawlConfig,
    is_resumed: bool,
) -> Result<Vec<Change>, CrawlError> {
    let limits = config.limits();
    let old = store.config()?.and_then(|text| serde_json::from_str(&text).ok());
    store.put_config(&limits.to_string())?;
    Ok(match old {
        Some(old) if is_resumed => changes(&old, &limits),
        _ => Vec::new(),
    })
}

fn seed_hosts<'a>(urls: impl Iterator<Item = &'a CanonicalUrl>) -> Vec<Host> {
    let mut hosts: Vec<Host> = urls.map(CanonicalUrl::host).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_is_broad_by_its_domains_or_else_by_its_seeds() {
        let domains = |list: &[&str]| list.iter().map(|&d| d.to_owned()).collect::<Vec<_>>();
        assert!(!is_broad(&[], FEW_SITES) && is_broad(&[], FEW_SITES + 1));
        assert!(!is_broad(&domains(&["shop.example", "test"]), 1000));
        assert!(is_broad(&domains(&["shop.example", ".Co.UK"]), 1));
        assert!(is_broad(&vec!["a.example".to_owned(); FEW_SITES + 1], 1));
    }
}
