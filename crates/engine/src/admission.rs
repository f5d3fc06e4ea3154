//! Lets the hosts of seeds into the scope that come while the crawl runs.

use std::sync::Arc;

use crawl_frontier::{Frontier, SeedHosts};
use crawl_model::Request;
use crawl_store::{SeedHostsFile, Store, StoreError};

/// Where such hosts are told of; nowhere, if `scope.allowed-domains` says what is in scope.
pub(crate) struct Admission(Option<(SeedHostsFile, Arc<SeedHosts>)>);

impl Admission {
    /// Brings back what earlier runs let in. To be called before the frontier's replay.
    pub(crate) fn open(store: &Store, frontier: &Frontier) -> Result<Self, StoreError> {
        let Some(hosts) = frontier.seed_hosts() else { return Ok(Self(None)) };
        let (file, known) = store.seed_hosts()?;
        hosts.insert(known);
        Ok(Self(Some((file, hosts))))
    }

    /// Lets the hosts of `requests` in; to be called before these are sent to the frontier. They
    /// are durable when it returns. Blocks.
    pub(crate) fn admit(&self, requests: &[Request]) -> Result<(), StoreError> {
        let Some((file, hosts)) = &self.0 else { return Ok(()) };
        let missing = hosts.missing(requests.iter().map(|request| request.url.host_str()));
        file.append(&missing)?;
        hosts.insert(missing);
        Ok(())
    }
}
