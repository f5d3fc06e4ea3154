//! Names of domains, and the hosts that whoever runs a crawl has blocked.
//!
//! The block list is read by all threads that judge links and changed while the crawl runs, so
//! that a link found just now is refused already. What was queued before is the scheduler's to
//! end.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use crawl_model::CanonicalUrl;

use crate::config::FrontierError;

/// A host or domain, as it stands in URLs; it covers its subdomains. An address covers itself.
///
/// # Examples
/// ```
/// use crawl_frontier::Domain;
///
/// let shop = Domain::parse("*.BÜCHER.example")?;
/// assert_eq!(shop.as_str(), "xn--bcher-kva.example");
/// assert!(shop.covers("www.xn--bcher-kva.example"));
/// # Ok::<(), crawl_frontier::FrontierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

impl Domain {
    /// Reads a name as a URL's host is read, so that spellings agree.
    ///
    /// # Errors
    /// [`FrontierError::NoDomain`] if there is more than a name, or less.
    pub fn parse(text: &str) -> Result<Self, FrontierError> {
        let bare = text.trim().trim_start_matches("*.").trim_matches('.');
        let refused = || FrontierError::NoDomain(text.to_owned());
        let url = CanonicalUrl::parse(&format!("http://{bare}/")).map_err(|_| refused())?;
        let is_bare = url.authority() == url.host_str()
            && url.path_and_query() == "/"
            && !bare.contains(['@', '/', '?', '#'])
            && !bare.ends_with(":80");
        if is_bare { Ok(Self(url.host_str().into())) } else { Err(refused()) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `host`, as it stands in a URL, is it or below it.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        names(host).any(|name| *name == *self.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A host's name and those of the domains it is in, all but the final dot.
fn names(host: &str) -> impl Iterator<Item = &str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let parents = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
    std::iter::once(host).chain(parents)
}

/// The domains from which nothing may be fetched.
#[derive(Debug, Default)]
pub(crate) struct Blocklist {
    /// Most crawls block nothing, and each link asks.
    is_used: AtomicBool,
    domains: RwLock<HashSet<Box<str>>>,
}

impl Blocklist {
    /// All of them, in order.
    pub(crate) fn names(&self) -> Vec<Box<str>> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = domains.iter().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Adds a domain; whether it was not there.
    pub(crate) fn insert(&self, domain: Domain) -> bool {
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = domains.insert(domain.0);
        self.is_used.store(true, Ordering::Release);
        is_new
    }

    /// Takes a domain off; whether it was there.
    pub(crate) fn remove(&self, domain: &Domain) -> bool {
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        let was_there = domains.remove(domain.as_str());
        self.is_used.store(!domains.is_empty(), Ordering::Release);
        was_there
    }

    pub(crate) fn covers(&self, host: &str) -> bool {
        if !self.is_used.load(Ordering::Acquire) {
            return false;
        }
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        names(host).any(|name| domains.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_domain_covers_what_is_below_it_and_nothing_else() {
        let blocks = Blocklist::default();
        assert!(!blocks.covers("shop.test"));
        let shop = Domain::parse("Shop.test.").unwrap();
        assert!(blocks.insert(shop.clone()));
        assert!(!blocks.insert(shop.clone()));
        for host in ["shop.test", "www.shop.test", "a.b.shop.test."] {
            assert!(blocks.covers(host), "{host}");
        }
        for host in ["test", "myshop.test", "shop.test.example", "127.0.0.1"] {
            assert!(!blocks.covers(host), "{host}");
        }
        assert!(blocks.remove(&shop));
        assert!(!blocks.remove(&shop));
        assert!(!blocks.covers("shop.test"));
    }

    #[test]
    fn more_than_a_name_is_no_domain() {
        for bad in ["", ".", "http://a.b", "a.b:80", "a.b:8080", "a.b/c", "a b", "u@a.b"] {
            let refused = Domain::parse(bad).unwrap_err().to_string();
            assert!(refused.contains("write it without scheme, port and path"), "{bad}: {refused}");
        }
        assert_eq!(Domain::parse("[::1]").unwrap().as_str(), "[::1]");
        assert!(!Domain::parse("0.0.1").is_ok_and(|domain| domain.covers("127.0.0.1")));
    }
}
