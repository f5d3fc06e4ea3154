//! Budgets of registered domains: how many pages, and on how many hosts.
//!
//! A domain is what somebody has registered, by the Public Suffix List: `example.co.uk` with all
//! that lies below. Whoever owns it can make up hosts without end, each with a budget of its own,
//! so the hosts of a domain have one together.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;

use crate::backend::HostKey;
use crate::key_table::KeyTable;
use crate::names::Names;

/// Number of a domain of several hosts, dense from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DomainKey(NonZeroU32);

/// What is counted of a domain of several hosts.
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
///
/// Most have one only, and what is counted of that is all there is to count: of such a domain
/// nothing is kept but which host it is.
#[derive(Debug, Default)]
pub(crate) struct Domains {
    /// The first host of each.
    first: KeyTable,
    several: Vec<Domain>,
}

impl Domains {
    /// The first host of the domain that `host`, which is new, belongs to; `None` if it is that
    /// itself, and is from now on.
    pub(crate) fn join(&mut self, host: HostKey, names: &Names) -> Option<HostKey> {
        let domain = registered(names.get(host));
        let first = self.find(domain, names);
        if first.is_none() {
            self.first.insert(host, domain, |host| registered(names.get(host)));
        }
        first
    }

    /// The first host of the domain that a host of this name would belong to.
    pub(crate) fn first_of(&self, host: &str, names: &Names) -> Option<HostKey> {
        self.find(registered(host), names)
    }

    fn find(&self, domain: &str, names: &Names) -> Option<HostKey> {
        self.first.find(domain, |host| registered(names.get(host)))
    }

    /// Counts a domain by itself from now on, for it has several hosts.
    pub(crate) fn add(&mut self, domain: Domain) -> DomainKey {
        self.several.push(domain);
        let n = u32::try_from(self.several.len()).ok().and_then(NonZeroU32::new);
        DomainKey(n.expect("fewer domains than hosts"))
    }

    pub(crate) fn get(&self, key: DomainKey) -> &Domain {
        &self.several[key.0.get() as usize - 1]
    }

    pub(crate) fn get_mut(&mut self, key: DomainKey) -> &mut Domain {
        &mut self.several[key.0.get() as usize - 1]
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
