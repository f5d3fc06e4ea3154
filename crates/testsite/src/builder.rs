//! Puts sites together by virtual host.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::{Bookshop, Fault, ManyHosts, Pages, Site, TestSite};

/// What a [`TestSite`] will serve, and where.
///
/// Hosts are told by the `Host` header, whatever its port. A host pattern is a name
/// (`shop.test`), all names below one (`*.shop.test`) or `*`, the default site for every other
/// host; the most exact one answers, alone. Methods without a host are about the default site.
pub struct Builder {
    pub(crate) addr: SocketAddr,
    pub(crate) more: Vec<IpAddr>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) latency: Duration,
    pub(crate) records: usize,
    hosts: HashMap<String, Pages>,
}

/// Sites by host, most exact first.
pub(crate) struct Hosts {
    exact: HashMap<String, Pages>,
    /// Suffixes with their leading dot, the longest first.
    below: Vec<(String, Pages)>,
    other: Pages,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            more: Vec::new(),
            log_file: None,
            latency: Duration::ZERO,
            records: 1_000_000,
            hosts: HashMap::new(),
        }
    }

    /// Changes what hosts of `pattern` answer:
    /// `.host("a.test", |pages| pages.page("/", "..").robots(".."))`.
    #[must_use]
    pub fn host(mut self, pattern: &str, change: impl FnOnce(Pages) -> Pages) -> Self {
        let pattern = pattern.to_ascii_lowercase();
        let pages = self.hosts.remove(&pattern).unwrap_or_default();
        self.hosts.insert(pattern, change(pages));
        self
    }

    fn default(self, change: impl FnOnce(Pages) -> Pages) -> Self {
        self.host("*", change)
    }

    /// Serves a bookshop on the default site.
    #[must_use]
    pub fn bookshop(self, bookshop: Bookshop) -> Self {
        self.site("*", Arc::new(bookshop.site()))
    }

    /// Serves many small sites, on every host without one of its own.
    #[must_use]
    pub fn many_hosts(self, hosts: ManyHosts) -> Self {
        self.site("*", Arc::new(hosts))
    }

    /// Serves `site` on hosts of `pattern`, behind pages given by path.
    #[must_use]
    pub fn site(self, pattern: &str, site: Arc<dyn Site>) -> Self {
        self.host(pattern, |pages| pages.site(site))
    }

    /// Adds an HTML page.
    #[must_use]
    pub fn page(self, path: &str, html: impl Into<Bytes>) -> Self {
        self.default(|pages| pages.page(path, html))
    }

    /// Adds an HTML page on hosts of `pattern`.
    #[must_use]
    pub fn page_on(self, pattern: &str, path: &str, html: impl Into<Bytes>) -> Self {
        self.host(pattern, |pages| pages.page(path, html))
    }

    /// Sets the robots.txt.
    #[must_use]
    pub fn robots(self, text: &str) -> Self {
        self.default(|pages| pages.robots(text))
    }

    /// Sets the robots.txt on hosts of `pattern`.
    #[must_use]
    pub fn robots_on(self, pattern: &str, text: &str) -> Self {
        self.host(pattern, |pages| pages.robots(text))
    }

    /// Redirects `from` to `to`, a URL reference as it shall stand in `Location`.
    #[must_use]
    pub fn redirect(self, from: &str, to: &str, status: u16) -> Self {
        self.default(|pages| pages.redirect(from, to, status))
    }

    /// Answers `path` with a status and header fields.
    #[must_use]
    pub fn status(self, path: &str, status: u16, headers: &[(&str, &str)]) -> Self {
        self.default(|pages| pages.status(path, status, headers))
    }

    /// Answers `path` with one of `replies` after another, the last one for good.
    #[must_use]
    pub fn replies(self, path: &str, replies: impl IntoIterator<Item = crate::Reply>) -> Self {
        self.default(|pages| pages.replies(path, replies))
    }

    /// Lets whatever `path` answers go wrong.
    #[must_use]
    pub fn fault(self, path: &str, fault: Fault) -> Self {
        self.default(|pages| pages.fault(path, fault))
    }

    /// Lets hosts of `pattern` take requests and never answer.
    #[must_use]
    pub fn hang(self, pattern: &str) -> Self {
        self.host(pattern, Pages::hang)
    }

    /// Time from the request's head to the response. Default: none.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Listens there. Default: `127.0.0.1:0`, a free port.
    #[must_use]
    pub fn bind(self, addr: SocketAddr) -> Self {
        Self { addr, ..self }
    }

    /// Listens on more addresses, `127.1.0.1` say, at the same port.
    #[must_use]
    pub fn also_on(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.more.extend(addresses);
        self
    }

    /// Appends each request to this file as a line of JSON, in one write, before the response is
    /// sent: what was served is known even when this process or the client dies. A request that
    /// got no answer has its line, with status 0, when its connection is gone.
    #[must_use]
    pub fn log_file(self, path: impl Into<PathBuf>) -> Self {
        Self { log_file: Some(path.into()), ..self }
    }

    /// Keeps at most so many requests in memory. Default: a million. What comes after is served
    /// and counted, see [`TestSite::unrecorded`]. Zero for benches.
    #[must_use]
    pub fn keep_records(self, records: usize) -> Self {
        Self { records, ..self }
    }

    /// Starts serving on the current tokio runtime.
    ///
    /// # Errors
    /// If the address is taken or the log file cannot be opened.
    pub async fn try_start(self) -> io::Result<TestSite> {
        TestSite::start(self).await
    }

    /// [`try_start`](Self::try_start) for tests.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start(self) -> TestSite {
        self.try_start().await.expect("a test site starts: its address is free, its log writable")
    }

    pub(crate) fn take_hosts(&mut self) -> Hosts {
        let mut exact = std::mem::take(&mut self.hosts);
        let other = exact.remove("*").unwrap_or_default();
        let mut below: Vec<_> = exact
            .extract_if(|pattern, _| pattern.starts_with("*."))
            .map(|(pattern, pages)| (pattern[1..].to_owned(), pages))
            .collect();
        below.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
        Hosts { exact, below, other }
    }
}

impl Hosts {
    pub(crate) fn find(&self, host: &str) -> &Pages {
        let below = || self.below.iter().find(|(suffix, _)| host.ends_with(suffix.as_str()));
        self.exact.get(host).or_else(|| Some(&below()?.1)).unwrap_or(&self.other)
    }
}
