//! From a URL's host to the addresses that may be connected to.
//!
//! Three sources, the first that knows wins: `[fetch.resolve]`, an address literal in the URL,
//! DNS. Whatever the source, addresses that are not public are dropped here, and only what is
//! returned is connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use crawl_model::{CanonicalUrl, Failure, FailureKind};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;

use crate::address::not_public;
use crate::config::name_servers;
use crate::host_map::{HostMap, address};
use crate::{FetchConfig, FetchConfigError};

/// Addresses of one host that are tried. More help nobody within one connect timeout.
const MAX_ADDRESSES: usize = 8;

/// Answers that the DNS cache holds.
const CACHED_ANSWERS: u64 = 8192;

/// Longest time for which an answer is believed, whatever its TTL says.
const LONGEST_TTL: Duration = Duration::from_secs(3600);

/// Longest time for which it is believed that there is no answer.
const LONGEST_NEGATIVE_TTL: Duration = Duration::from_secs(30);

/// Knows the addresses of hosts.
pub(crate) struct Names {
    map: HostMap,
    allow_private: bool,
    servers: Vec<SocketAddr>,
    timeout: Duration,
    /// Made at the first name that needs DNS: many crawls of local sites never do.
    resolver: OnceLock<Result<TokioResolver, String>>,
}

impl Names {
    pub(crate) fn new(config: &FetchConfig) -> Result<Self, FetchConfigError> {
        Ok(Self {
            map: HostMap::new(&config.resolve)?,
            allow_private: config.allow_private_addresses,
            servers: name_servers(config)?,
            timeout: config.dns_timeout,
            resolver: OnceLock::new(),
        })
    }

    /// The addresses of `url`'s host that may be connected to, best first, never none.
    pub(crate) async fn addresses(&self, url: &CanonicalUrl) -> Result<Vec<SocketAddr>, Failure> {
        let host = url.host_str().trim_end_matches('.');
        let port = url.port();
        let found = if let Some(mapped) = self.map.get(host, port) {
            vec![mapped]
        } else if let Some(ip) = address(host) {
            vec![SocketAddr::new(ip, port)]
        } else {
            self.look_up(host).await?.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
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

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let mut name = Name::from_ascii(host).map_err(|error| {
            let detail = format!("{host} is not a name that DNS can hold: {error}");
            Failure::new(FailureKind::Unresolvable, detail)
        })?;
        // The system's search list is for short names of an intranet, not for the web's.
        name.set_fqdn(host.contains('.'));
        let resolver = self.resolver.get_or_init(|| self.start()).as_ref().map_err(|why| {
            let detail = format!("no DNS for {host}: {why} (fetch.name-servers sets servers)");
            Failure::new(FailureKind::Dns, detail)
        })?;
        match resolver.lookup_ip(name).await {
            Ok(answer) => Ok(answer.iter().collect()),
            Err(error) => Err(dns_failure(host, &error)),
        }
    }

    fn start(&self) -> Result<TokioResolver, String> {
        let (config, mut options) = self.servers_to_ask()?;
        options.cache_size = CACHED_ANSWERS;
        options.positive_max_ttl = Some(LONGEST_TTL);
        options.negative_max_ttl = Some(LONGEST_NEGATIVE_TTL);
        // Nearly every host of the web has an IPv4 address: half the questions.
        options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
        // A lost datagram must leave time for a second try.
        options.timeout = options.timeout.min(self.timeout / 3).max(Duration::from_millis(100));
        options.attempts = options.attempts.clamp(1, 2);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        builder.build().map_err(|error| error.to_string())
    }

    fn servers_to_ask(&self) -> Result<(ResolverConfig, ResolverOpts), String> {
        if !self.servers.is_empty() {
            let servers = self.servers.iter().copied().map(name_server).collect();
            return Ok((ResolverConfig::from_name_servers(servers), ResolverOpts::default()));
        }
        match hickory_resolver::system_conf::read_system_conf() {
            Ok(system) => Ok(system),
            // As the C library does: without a configuration, ask this machine.
            Err(NetError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                let local = vec![name_server(SocketAddr::from(([127, 0, 0, 1], 53)))];
                Ok((ResolverConfig::from_name_servers(local), ResolverOpts::default()))
            }
            Err(error) => Err(format!("the system's resolver configuration is unusable: {error}")),
        }
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let ways = vec![with_port(ConnectionConfig::udp()), with_port(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, ways)
}

fn dns_failure(host: &str, error: &NetError) -> Failure {
    if error.is_nx_domain() {
        Failure::new(FailureKind::Unresolvable, format!("{host} does not exist (NXDOMAIN)"))
    } else if error.is_no_records_found() {
        Failure::new(FailureKind::Unresolvable, no_address(host))
    } else if matches!(error, NetError::Timeout) {
        Failure::new(FailureKind::DnsTimeout, format!("no name server answered for {host} in time"))
    } else {
        Failure::new(FailureKind::Dns, format!("name lookup of {host} failed: {error}"))
    }
}

fn no_address(host: &str) -> String {
    format!("{host} has no address")
}
