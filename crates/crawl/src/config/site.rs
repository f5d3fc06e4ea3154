//! The `[testsite]` table: the bundled sites, served while the crawl runs.
//!
//! All of them are served at one port, and the seeds say which is crawled. What only a local site
//! may be asked for (no delay, private addresses) is written here and holds for those sites alone:
//! a config with this table may have no other host in its scope, so that deleting the table turns
//! it into a polite crawl of the real web and nothing is left over.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{CanonicalUrl, DURATION};
use crawl_testsite::{Bookshop, Site, TUTORIAL_HOSTS, TestSite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Config;
use super::check::Fault;
use super::error::Mistake;

/// The bundled sites, as written in the `[testsite]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestsiteConfig {
    /// Number of books of the bookshop. Default: 1000.
    pub books: NonZeroU32,
    /// The name under which the bookshop is crawled; the port changes, the URLs do not. The other
    /// sites have names of their own ([`TUTORIAL_HOSTS`]). Default: `bookshop.test`.
    pub host: String,
    /// Time the sites take to answer. Default: `0s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub latency: Duration,
    /// Takes the place of `politeness.delay`. Default: `0s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub delay: Duration,
    /// Takes the place of `politeness.per-host`. Default: 4.
    pub per_host: NonZeroU32,
    /// Takes the place of `fetch.allow-private-addresses`. Default: true, for the sites are
    /// on loopback.
    pub allow_private_addresses: bool,
}

impl Default for TestsiteConfig {
    fn default() -> Self {
        Self {
            books: NonZeroU32::new(1000).expect("1000 is not zero"),
            host: "bookshop.test".to_owned(),
            latency: Duration::ZERO,
            delay: Duration::ZERO,
            per_host: NonZeroU32::new(4).expect("4 is not zero"),
            allow_private_addresses: true,
        }
    }
}

impl TestsiteConfig {
    /// Refuses a config whose relaxations would reach other hosts.
    pub(super) fn check(&self, config: &Config) -> Result<(), Fault> {
        let strange = |path: String, host: &str| {
            let message =
                format!("`{path}` is about `{host}`, which is no site that `[testsite]` serves");
            let hosts = self.hosts().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ");
            let hint =
                format!("it serves {hosts}; delete the table `[testsite]` to crawl the real web");
            Fault::new(path, Mistake::new(message).hint(hint))
        };
        for (i, seed) in config.seeds.iter().enumerate() {
            let host = CanonicalUrl::parse(seed).map(|url| url.host_str().to_owned());
            if let Some(host) = host.ok().filter(|host| !self.covers(host)) {
                return Err(strange(format!("seeds[{i}]"), &host));
            }
        }
        for (i, domain) in config.scope.allowed_domains.iter().enumerate() {
            if !self.covers(domain) {
                return Err(strange(format!("scope.allowed-domains[{i}]"), domain));
            }
        }
        Ok(())
    }

    /// The hosts that are served; each with all below it.
    fn hosts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.host.as_str()).chain(TUTORIAL_HOSTS)
    }

    fn covers(&self, host: &str) -> bool {
        self.hosts().any(|served| {
            host.strip_suffix(served).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl Config {
    /// Serves the sites of `[testsite]` on a free loopback port and turns this config into one
    /// that crawls them; `None` if there is no such table. They stop when it is dropped.
    ///
    /// # Errors
    /// If no port can be had. Must be called within a tokio runtime.
    pub async fn serve_testsite(&mut self) -> io::Result<Option<TestSite>> {
        let Some(site) = self.testsite.clone() else { return Ok(None) };
        let shop = Bookshop { books: site.books.get(), ..Bookshop::default() };
        let shop: Arc<dyn Site> = Arc::new(shop.site());
        // The bookshop comes last, so that its host may have any name.
        let builder = TestSite::builder()
            .tutorials()
            .site(&site.host, Arc::clone(&shop))
            .site("*", shop)
            .latency(site.latency)
            .keep_records(0);
        let server = builder.try_start().await?;
        self.relax(&site, server.addr);
        Ok(Some(server))
    }

    /// Lets the relaxations of `site` hold, and maps its names to where it is served.
    fn relax(&mut self, site: &TestsiteConfig, addr: SocketAddr) {
        self.politeness.delay = site.delay;
        self.politeness.per_host = site.per_host;
        self.fetch.allow_private_addresses = site.allow_private_addresses;
        for host in site.hosts() {
            for pattern in [host.to_owned(), format!("*.{host}")] {
                self.fetch.resolve.insert(pattern, addr.to_string());
            }
        }
        if self.scope.allowed_domains.is_empty() {
            // Without it the scope would be the spider's requests' hosts, too.
            let seeds = self.seeds.iter().filter_map(|seed| CanonicalUrl::parse(seed).ok());
            let mut domains: Vec<_> = seeds.map(|url| url.host_str().to_owned()).collect();
            if domains.is_empty() || self.seeds_file.is_some() {
                domains.extend(site.hosts().map(str::to_owned));
            }
            domains.sort_unstable();
            domains.dedup();
            self.scope.allowed_domains = domains;
        }
    }
}
