//! The `[testsite]` table: the bundled bookshop, served while the crawl runs.
//!
//! What only a local site may be asked for (no delay, private addresses) is written here and
//! holds for that site alone: a config with this table may have no other host in its scope, so
//! that deleting the table turns it into a polite crawl of the real web and nothing is left over.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::CanonicalUrl;
use crawl_testsite::{Bookshop, TestSite};
use serde::{Deserialize, Serialize};

use super::Config;
use super::check::Fault;
use super::error::Mistake;

/// The bundled site, as written in the `[testsite]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestsiteConfig {
    /// Number of books. Default: 1000.
    pub books: NonZeroU32,
    /// The name under which it is crawled; the port changes, the URLs do not.
    /// Default: `bookshop.test`.
    pub host: String,
    /// Time the site takes to answer. Default: `0s`.
    #[serde(with = "humantime_serde")]
    pub latency: Duration,
    /// Takes the place of `politeness.delay`. Default: `0s`.
    #[serde(with = "humantime_serde")]
    pub delay: Duration,
    /// Takes the place of `politeness.per-host`. Default: 4.
    pub per_host: NonZeroU32,
    /// Takes the place of `fetch.allow-private-addresses`. Default: true, for the site is on
    /// loopback.
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
        let hint = "delete the table `[testsite]` to crawl the real web";
        let strange = |path: String, host: &str| {
            let message = format!(
                "`{path}` is about `{host}`, but with `[testsite]` only `{}` is crawled",
                self.host
            );
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

    fn covers(&self, host: &str) -> bool {
        let below = host.strip_suffix(self.host.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl Config {
    /// Serves the site of `[testsite]` on a free loopback port and turns this config into one
    /// that crawls it; `None` if there is no such table. The site stops when it is dropped.
    ///
    /// # Errors
    /// If no port can be had. Must be called within a tokio runtime.
    pub async fn serve_testsite(&mut self) -> io::Result<Option<TestSite>> {
        let Some(site) = self.testsite.clone() else { return Ok(None) };
        let shop = Bookshop { books: site.books.get(), ..Bookshop::default() };
        let builder = TestSite::builder().bookshop(shop).latency(site.latency).keep_records(0);
        let server = builder.try_start().await?;
        self.relax(&site, server.addr);
        Ok(Some(server))
    }

    /// Lets the relaxations of `site` hold, and maps its name to where it is served.
    fn relax(&mut self, site: &TestsiteConfig, addr: SocketAddr) {
        self.politeness.delay = site.delay;
        self.politeness.per_host = site.per_host;
        self.fetch.allow_private_addresses = site.allow_private_addresses;
        for host in [site.host.clone(), format!("*.{}", site.host)] {
            self.fetch.resolve.insert(host, addr.to_string());
        }
        if self.scope.allowed_domains.is_empty() {
            // Without it the scope would be the spider's requests' hosts, too.
            self.scope.allowed_domains.push(site.host.clone());
        }
    }
}
