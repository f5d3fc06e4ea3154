//! Asks name servers, through the hickory library. What they say is kept elsewhere.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::OnceLock;
use std::time::Duration;

use crawl_model::{Failure, FailureKind};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup_ip::LookupIp;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::Name;

use super::cache::Said;
use super::no_address;

/// The configured name servers, or those of the system.
pub(super) struct Servers {
    configured: Vec<SocketAddr>,
    timeout: Duration,
    /// Made at the first name that needs DNS: many crawls of local sites never do.
    resolver: OnceLock<Result<TokioResolver, String>>,
}

impl Servers {
    pub(super) fn new(configured: Vec<SocketAddr>, timeout: Duration) -> Self {
        Self { configured, timeout, resolver: OnceLock::new() }
    }

    /// Asks for the addresses of `host`; ends within the limit for lookups.
    pub(super) async fn ask(&self, host: &str) -> Said {
        match tokio::time::timeout(self.timeout, self.look_up(host)).await {
            Ok(said) => said,
            Err(_) => {
                let limit = self.timeout;
                let detail =
                    format!("no answer from DNS for {host} within {limit:?} (fetch.dns-timeout)");
                refused(FailureKind::DnsTimeout, detail)
            }
        }
    }

    async fn look_up(&self, host: &str) -> Said {
        let mut name = match Name::from_ascii(host) {
            Ok(name) => name,
            Err(error) => {
                let detail = format!("{host} is not a name that DNS can hold: {error}");
                return refused(FailureKind::Unresolvable, detail);
            }
        };
        // The system's search list is for short names of an intranet, not for the web's.
        name.set_fqdn(host.contains('.'));
        let resolver = match self.resolver.get_or_init(|| self.start()) {
            Ok(resolver) => resolver,
            Err(why) => {
                let detail = format!("no DNS for {host}: {why} (fetch.name-servers sets servers)");
                return refused(FailureKind::Dns, detail);
            }
        };
        match resolver.lookup_ip(name).await {
            Ok(answer) => {
                let addresses: Vec<IpAddr> = answer.iter().collect();
                Said { ttl: ttl(&answer), found: Ok(addresses.into()) }
            }
            Err(error) => failed(host, &error),
        }
    }

    fn start(&self) -> Result<TokioResolver, String> {
        let (config, mut options) = self.to_ask()?;
        options.cache_size = 0;
        // Nearly every host of the web has an IPv4 address: where there is no way out by IPv6,
        // half the questions are enough.
        options.ip_strategy =
            if has_ipv6() { LookupIpStrategy::Ipv6AndIpv4 } else { LookupIpStrategy::Ipv4thenIpv6 };
        // A lost datagram must leave time for a second try.
        options.timeout = options.timeout.min(self.timeout / 3).max(Duration::from_millis(100));
        options.attempts = options.attempts.clamp(1, 2);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        builder.build().map_err(|error| error.to_string())
    }

    fn to_ask(&self) -> Result<(ResolverConfig, ResolverOpts), String> {
        if !self.configured.is_empty() {
            let servers = self.configured.iter().copied().map(name_server).collect();
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

/// Whether this machine knows a way to IPv6's public addresses. Nothing is sent: for datagrams,
/// connecting is looking into the routing table.
fn has_ipv6() -> bool {
    let public: SocketAddr = ([0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888], 53).into();
    UdpSocket::bind("[::]:0").is_ok_and(|socket| socket.connect(public).is_ok())
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let ways = vec![with_port(ConnectionConfig::udp()), with_port(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, ways)
}

/// The shortest time of the records that led to the addresses, aliases included.
fn ttl(answer: &LookupIp) -> Duration {
    let seconds = answer.as_lookup().answers().iter().map(|record| record.ttl).min();
    Duration::from_secs(u64::from(seconds.unwrap_or(0)))
}

fn refused(kind: FailureKind, detail: String) -> Said {
    Said { found: Err(Failure::new(kind, detail)), ttl: Duration::ZERO }
}

fn failed(host: &str, error: &NetError) -> Said {
    if let NetError::Dns(DnsError::NoRecordsFound(none)) = error {
        // RFC 2308, section 5: as long as the zone's SOA says.
        let ttl = Duration::from_secs(u64::from(none.negative_ttl.unwrap_or(0)));
        let is_gone = error.is_nx_domain();
        let detail =
            if is_gone { format!("{host} does not exist (NXDOMAIN)") } else { no_address(host) };
        return Said { ttl, ..refused(FailureKind::Unresolvable, detail) };
    }
    if error.is_nx_domain() {
        refused(FailureKind::Unresolvable, format!("{host} does not exist (NXDOMAIN)"))
    } else if matches!(error, NetError::Timeout) {
        let detail = format!("no name server answered for {host} in time (fetch.dns-timeout)");
        refused(FailureKind::DnsTimeout, detail)
    } else {
        refused(FailureKind::Dns, format!("name lookup of {host} failed: {error}"))
    }
}
