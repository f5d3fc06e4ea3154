//! From a URL's host to the addresses that may be connected to.
//!
//! The first source that knows wins: `[fetch.resolve]`, an address literal in the URL, the names
//! of this machine, DNS. Whatever the source, addresses that are not public are dropped here, and
//! only what is returned is connected to.

mod cache;
mod servers;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crawl_model::{CanonicalUrl, Failure, FailureKind};

use crate::address::not_public;
use crate::config::{dns_bounds, name_servers};
use crate::host_map::{HostMap, address};
use crate::{FetchConfig, FetchConfigError};

pub(crate) use cache::Bounds;
use cache::Cache;
use servers::Servers;

/// Addresses of one host that are tried. More help nobody within one connect timeout.
const MAX_ADDRESSES: usize = 8;

/// Knows the addresses of hosts.
pub(crate) struct Names {
    map: HostMap,
    allow_private: bool,
    servers: Servers,
    cache: Cache,
}

impl Names {
    pub(crate) fn new(config: &FetchConfig) -> Result<Self, FetchConfigError> {
        Ok(Self {
            map: HostMap::new(&config.resolve)?,
            allow_private: config.allow_private_addresses,
            servers: Servers::new(name_servers(config)?, config.dns_timeout),
            cache: Cache::new(dns_bounds(config)?),
        })
    }

    /// The addresses of `url`'s host that may be connected to, never none.
    pub(crate) async fn addresses(&self, url: &CanonicalUrl) -> Result<Vec<SocketAddr>, Failure> {
        let host = url.host_str().trim_end_matches('.');
        let port = url.port();
        let found = if let Some(mapped) = self.map.get(host, port) {
            vec![mapped]
        } else if let Some(ip) = address(host) {
            vec![SocketAddr::new(ip, port)]
        } else if is_localhost(host) {
            let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            loopback.map(|ip| SocketAddr::new(ip, port)).into()
        } else {
            let found = self.cache.get(host, self.servers.ask(host)).await?;
            found.iter().map(|ip| SocketAddr::new(*ip, port)).collect()
        };
        self.permitted(host, found)
    }

    fn permitted(
        &self,
        host: &str,
        mut found: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        if !self.allow_private {
            let refused = found.iter().find_map(|a| Some((a.ip(), not_public(a.ip())?)));
            found.retain(|address| not_public(address.ip()).is_none());
            if let (true, Some((ip, why))) = (found.is_empty(), refused) {
                let detail = format!(
                    "{host} is at {ip}, which is not public ({why}); to fetch it, set \
                     `fetch.allow-private-addresses = true`"
                );
                return Err(Failure::new(FailureKind::PrivateAddress, detail));
            }
        }
        if found.is_empty() {
            return Err(Failure::new(FailureKind::Unresolvable, no_address(host)));
        }
        found.truncate(MAX_ADDRESSES);
        Ok(found)
    }
}

/// Names of this machine. No server is asked for them, and none may say otherwise (RFC 6761,
/// section 6.3).
fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn no_address(host: &str) -> String {
    format!("{host} has no address")
}
