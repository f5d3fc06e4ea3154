//! Hosts that came into the scope while the crawl ran, with the seeds they brought.
//!
//! Without `scope.allowed-domains` the seeds' hosts are the scope. Those of the config are known
//! before the crawl begins; those of a file of millions, or of seeds that are added to a running
//! crawl, are not. They are kept as fingerprints: about twenty bytes a host. Whoever adds them
//! makes them durable first, for a resumed crawl judges what is queued before it has read a
//! single seed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use crawl_model::{Fingerprint, Fingerprinter};

/// The set, shared by who reads seeds and by all who judge links.
#[derive(Debug)]
pub struct SeedHosts {
    prints: Fingerprinter,
    /// Most crawls have none, and each link out of scope asks.
    is_used: AtomicBool,
    hosts: RwLock<HashSet<Fingerprint>>,
}

impl SeedHosts {
    pub(crate) fn new(prints: Fingerprinter) -> Self {
        Self { prints, is_used: AtomicBool::new(false), hosts: RwLock::default() }
    }

    /// Those of `hosts` that are not in the set, once each: they are to be made durable, and then
    /// [`insert`](Self::insert)ed.
    #[must_use]
    pub fn missing<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) -> Vec<Fingerprint> {
        let known = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let prints = hosts.into_iter().map(|host| self.prints.host(host));
        let mut missing: Vec<_> = prints.filter(|print| !known.contains(print)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Takes hosts into the scope.
    pub fn insert(&self, hosts: impl IntoIterator<Item = Fingerprint>) {
        let mut known = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(hosts);
        self.is_used.store(!known.is_empty(), Ordering::Release);
    }

    /// Whether a host is in the set, with or without `www.`.
    pub(crate) fn covers(&self, host: &str) -> bool {
        if !self.is_used.load(Ordering::Acquire) {
            return false;
        }
        let twin = host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
        let prints = [self.prints.host(host), self.prints.host(&twin)];
        let known = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        prints.iter().any(|print| known.contains(print))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_covered_with_its_www_twin_once_it_is_inserted() {
        let hosts = SeedHosts::new(Fingerprinter::new([5; 16]));
        assert!(!hosts.covers("a.test"));
        let missing = hosts.missing(["a.test", "www.b.test", "a.test"]);
        assert_eq!(missing.len(), 2);
        hosts.insert(missing);
        for host in ["a.test", "www.a.test", "b.test", "www.b.test"] {
            assert!(hosts.covers(host), "{host}");
        }
        assert!(!hosts.covers("c.a.test"));
        assert!(hosts.missing(["a.test"]).is_empty());
    }
}
