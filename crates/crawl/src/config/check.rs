//! What the types of the config cannot say: that seeds are URLs, patterns patterns, selectors
//! selectors.

use crawl_fetcher::{CookieMode, FetchConfig, FetchConfigError, Fetcher};
use crawl_frontier::{Frontier, FrontierConfig, FrontierError, PolitenessConfig};
use crawl_model::{CanonicalUrl, Fingerprint, Fingerprinter, NoParameter, OpenJournal, TicketId};
use crawl_pipeline::Pipeline;
use crawl_store::{CacheError, CacheMode};

use super::Config;
use super::error::Mistake;
use super::source::{bare_or_quoted, hide_credentials};

/// A mistake and the key it is about.
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) mistake: Mistake,
}

impl Fault {
    pub(super) fn new(path: impl Into<String>, mistake: Mistake) -> Self {
        Self { path: path.into(), mistake }
    }
}

/// Checks everything that can be checked without touching folder or network.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    for (i, seed) in config.seeds.iter().enumerate() {
        check_seed(&format!("seeds[{i}]"), seed)?;
    }
    check_seeds_file(config)?;
    check_scope(config)?;
    check_sitemaps(config)?;
    check_cache(config)?;
    check_media(config)?;
    check_recrawl(config)?;
    check_fetch("", &config.fetch)?;
    for (i, rules) in config.resolve_hosts()?.iter().enumerate() {
        check_fetch(&format!("host[{i}]."), &rules.fetch)?;
        check_politeness(&format!("host[{i}]."), &rules.politeness)?;
    }
    check_spider(config)?;
    check_pipeline(config)?;
    check_feeds(config)?;
    if let Some(site) = &config.testsite {
        site.check(config)?;
    }
    Ok(())
}

fn check_seed(path: &str, seed: &str) -> Result<(), Fault> {
    let Err(error) = CanonicalUrl::parse(seed) else { return Ok(()) };
    let shown = hide_credentials(seed);
    let mistake = Mistake::new(format!("`{path}` = `{shown}` cannot be crawled: {error}"));
    let hint = match with_scheme(seed) {
        Some(url) => format!("did you mean `{url}`?"),
        None => "a seed is a whole URL, such as `https://example.org/`".to_owned(),
    };
    Err(Fault::new(path, mistake.hint(hint)))
}

/// Behind a login the seeds are asked for by the spider, which holds them all.
fn check_seeds_file(config: &Config) -> Result<(), Fault> {
    let has_login = config.spider.as_ref().is_some_and(|spider| spider.login.is_some());
    let what = match &config.seeds_file {
        Some(path) if path.as_os_str().is_empty() => "`seeds-file` is empty",
        Some(_) if has_login => "`seeds-file` does not go together with `spider.login`",
        _ => return Ok(()),
    };
    let hint = "leave it away, and write the seeds into `seeds`";
    Err(Fault::new("seeds-file", Mistake::new(what).hint(hint)))
}

/// The URL that a seed such as `example.org/shop` or `localhost:8080` stands for.
fn with_scheme(seed: &str) -> Option<String> {
    let host = seed.split(['/', ':', '?']).next()?;
    let is_host = host == "localhost" || host.trim_matches('.').contains('.');
    let url = CanonicalUrl::parse(&format!("https://{seed}")).ok()?;
    (is_host && !seed.contains("://") && !host.contains('@')).then(|| url.to_string())
}

/// `within` is the path of the table that the keys were written in: nothing, or `host[0].`.
fn check_fetch(within: &str, config: &FetchConfig) -> Result<(), Fault> {
    let Err(error) = Fetcher::new(config.clone()) else { return Ok(()) };
    let path = match &error {
        FetchConfigError::ContentType(pattern) => {
            element("fetch.content-types", &config.content_types, pattern)
        }
        FetchConfigError::NameServer(server) => {
            element("fetch.name-servers", &config.name_servers, server)
        }
        FetchConfigError::Resolve { host, .. } => {
            format!("fetch.resolve.{}", bare_or_quoted(host))
        }
        error => named_key(&error.to_string()),
    };
    Err(Fault::new(format!("{within}{path}"), Mistake::new(chain(&error))))
}

fn check_politeness(within: &str, config: &PolitenessConfig) -> Result<(), Fault> {
    config.check().map_err(|error| {
        let path = match &error {
            FrontierError::Politeness { key, .. } => format!("{within}politeness.{key}"),
            _ => format!("{within}politeness"),
        };
        Fault::new(path, Mistake::new(chain(&error)))
    })
}

/// The key that the fetcher's message names in backticks.
fn named_key(message: &str) -> String {
    let named = message.split('`').find(|word| word.starts_with("fetch."));
    named.unwrap_or("fetch").to_owned()
}

/// Keeps no journal: the frontier that is made for the check hands nothing out.
struct NoJournal;

impl OpenJournal for NoJournal {
    fn opened(&mut self, _: TicketId, _: Fingerprint) {}

    fn closed(&mut self, _: TicketId) {}

    fn write(&mut self) {}
}

/// The frontier compiles its patterns when it is made, so one is made.
fn check_scope(config: &Config) -> Result<(), Fault> {
    let frontier = FrontierConfig {
        scope: config.scope.clone(),
        traps: config.traps.clone(),
        politeness: config.politeness.clone(),
        retry: config.retry.clone(),
        queue: config.queue.clone(),
    };
    let prints = Fingerprinter::new([0; 16]);
    let Err(error) = Frontier::new(frontier, "", prints, Vec::new(), Box::new(NoJournal)) else {
        return Ok(());
    };
    let place = match &error {
        FrontierError::Pattern { key, pattern, .. } => {
            let list = match *key {
                "scope.include" => &config.scope.include,
                _ => &config.scope.exclude,
            };
            element(key, list, pattern)
        }
        FrontierError::Domain(domain) => {
            element("scope.allowed-domains", &config.scope.allowed_domains, domain)
        }
        FrontierError::Parameter(NoParameter(name)) => {
            let list = &config.scope.identity.ignore_parameters;
            element("scope.identity.ignore-parameters", list, name)
        }
        FrontierError::Politeness { key, .. } => format!("politeness.{key}"),
        _ => "scope".to_owned(),
    };
    Err(Fault::new(place, Mistake::new(chain(&error))))
}

/// Whether there is such a folder is found out when it is opened.
fn check_cache(config: &Config) -> Result<(), Fault> {
    let Err(error) = config.cache.check(&config.store.path) else { return Ok(()) };
    let hint = "a crawl's folder is its `store.path`; its pages help if it was crawled with \
                `store.bodies` = \"all\" or \"html\"";
    let path = match &error {
        CacheError::NoFolder => "cache.mode",
        _ => "cache.from",
    };
    Err(Fault::new(path, Mistake::new(error.to_string()).hint(hint)))
}

fn check_media(config: &Config) -> Result<(), Fault> {
    let Err(error) = crawl_fetcher::check_media(&config.media) else { return Ok(()) };
    let key = match &error {
        FetchConfigError::FileType(pattern) => element("media.types", &config.media.types, pattern),
        _ => "media".to_owned(),
    };
    Err(Fault::new(key, Mistake::new(error.to_string())))
}

fn check_recrawl(config: &Config) -> Result<(), Fault> {
    if let Some((key, why)) = config.recrawl.fault() {
        let path = format!("recrawl.{key}");
        return Err(Fault::new(&*path, Mistake::new(format!("`{path}`: {why}"))));
    }
    if config.recrawl.is_on() && config.cache.mode != CacheMode::Off {
        let mistake = Mistake::new(
            "`recrawl.after` asks about this crawl's own pages, `cache.mode` about another's",
        );
        return Err(Fault::new("recrawl.after", mistake.hint("set one of them only")));
    }
    Ok(())
}

/// Sitemaps are known from robots.txt alone.
fn check_sitemaps(config: &Config) -> Result<(), Fault> {
    if !config.scope.sitemaps || config.politeness.robots {
        return Ok(());
    }
    let message = "`scope.sitemaps` asks for the sitemaps of robots.txt, but no robots.txt is read: \
                   `politeness.robots` is false";
    let hint = "without robots.txt write the sitemaps into `seeds`";
    Err(Fault::new("scope.sitemaps", Mistake::new(message).hint(hint)))
}

/// The path of the element of a list: `scope.include[1]`.
fn element(key: &str, list: &[String], wanted: &str) -> String {
    let index = list.iter().position(|text| text == wanted);
    index.map_or_else(|| key.to_owned(), |i| format!("{key}[{i}]"))
}

fn check_spider(config: &Config) -> Result<(), Fault> {
    let Some(spider) = &config.spider else { return Ok(()) };
    super::spider::check(spider)?;
    if spider.login.is_some() && config.fetch.cookies == CookieMode::Off {
        let message = "`spider.login` needs cookies to stay logged in, but `fetch.cookies` is off";
        return Err(Fault::new("fetch.cookies", Mistake::new(message).hint("set it to \"on\"")));
    }
    Ok(())
}

/// Its files are read: a schema that is not there is no schema.
fn check_pipeline(config: &Config) -> Result<(), Fault> {
    let Err(error) = Pipeline::new(&config.pipeline) else { return Ok(()) };
    let message = format!("`{}`: {}", error.key, error.problem);
    Err(Fault::new(error.key, Mistake::new(message)))
}

fn check_feeds(config: &Config) -> Result<(), Fault> {
    for (i, feed) in config.feed.iter().enumerate() {
        if let Err(fault) = feed.check() {
            let path = format!("feed[{i}].{}", fault.key);
            let mistake = Mistake::new(format!("`{path}` of {}", fault.said()));
            return Err(Fault::new(path, mistake.hint(fault.hint)));
        }
        if let Some(twin) = config.feed[..i].iter().position(|other| other.name() == feed.name()) {
            let path = format!("feed[{i}].path");
            let message = format!("`{path}` is that of `feed[{twin}]`, too: {}", feed.name());
            let hint = "each feed has a place of its own; in a database a `table`";
            return Err(Fault::new(path, Mistake::new(message).hint(hint)));
        }
    }
    Ok(())
}

/// An error with what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
