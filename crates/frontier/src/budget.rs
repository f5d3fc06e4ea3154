//! Budgets of registered domains: how many pages, and on how many hosts.
//!
//! A domain is what somebody has registered, by the Public Suffix List: `example.co.uk` with all
//! that lies below. Whoever owns it can make up hosts without end, each with a budget of its own,
//! so the hosts of a domain have one together.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::backend::HostKey;

/// Number of a domain, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DomainKey(u32);

/// What is counted of a domain.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    pub(crate) n_hosts: u64,
    /// Pages settled, over all runs.
    pub(crate) pages: u64,
    /// Page tickets that have not ended.
    pub(crate) open_pages: u64,
    /// Hosts whose URLs wait for an open page to turn out to be none.
    pub(crate) waiting: BTreeSet<HostKey>,
}

/// All domains with a host in the crawl.
#[derive(Debug, Default)]
pub(crate) struct Domains {
    keys: HashMap<Box<str>, DomainKey>,
    domains: Vec<Domain>,
}

impl Domains {
    /// The domain of a host; it gets a number if it has none.
    pub(crate) fn of(&mut self, host: &str) -> DomainKey {
        let name = registered(host);
        if let Some(&key) = self.keys.get(name) {
            return key;
        }
        let n = u32::try_from(self.domains.len()).expect("fewer domains than hosts");
        self.domains.push(Domain::default());
        self.keys.insert(name.into(), DomainKey(n));
        DomainKey(n)
    }

    pub(crate) fn get(&self, key: DomainKey) -> &Domain {
        &self.domains[key.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, key: DomainKey) -> &mut Domain {
        &mut self.domains[key.0 as usize]
    }

    /// Number of hosts of the domain that `host` belongs to.
    pub(crate) fn n_hosts(&self, host: &str) -> u64 {
        self.keys.get(registered(host)).map_or(0, |&key| self.get(key).n_hosts)
    }
}

/// The registered domain of a host; an address, and what is no more than a suffix, is its own.
fn registered(host: &str) -> &str {
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    if is_address { host } else { psl::domain_str(host).unwrap_or(host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        for (host, expected) in [
            ("a.b.example.co.uk", "example.co.uk"),
            ("example.org", "example.org"),
            ("x.h0.test", "h0.test"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("someone.github.io", "someone.github.io"),
        ] {
            assert_eq!(registered(host), expected);
        }
    }
}
