//! The `[fetch]` table as written, and what of it is checked before anything is sent.
//!
//! A wrong value is an error of [`Fetcher::new`](crate::Fetcher::new) that names the key, never
//! a surprise in the middle of a crawl.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crawl_model::DURATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connect::h1_buffer;
use crate::pace::Rate;
use crate::resolve::Bounds;
use crate::{AuthConfig, CookieMode, ProxyChoice, ReferrerPolicy, Secret};

/// How URLs are fetched, as written in the `[fetch]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FetchConfig {
    /// What the crawler calls itself; name a page where site owners can read about it.
    pub user_agent: String,
    /// Requests in flight at most, over all hosts together: the number of workers. At most twice as
    /// many connections are open: as many again may rest, if the process may have so many files open.
    pub connections: NonZeroU32,
    /// Redirects followed in a row. Judged where redirects are followed, not here.
    pub max_redirects: u32,
    /// Longest time for a name lookup.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub dns_timeout: Duration,
    /// Longest time until a TCP connection stands, all addresses of the host tried.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub connect_timeout: Duration,
    /// Longest time for a TLS handshake.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub tls_timeout: Duration,
    /// Longest time from sending the request until the response's head is complete.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub header_timeout: Duration,
    /// Longest pause between two pieces of a body.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub idle_timeout: Duration,
    /// Longest time for the whole fetch, name lookup and body included.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub total_timeout: Duration,
    /// Least rate of a body in bytes per second as they are transferred, measured over
    /// `min-rate-window`; slower ones are cut. A single pause counts for half a window at most.
    /// 0: no limit.
    pub min_rate_bytes: u32,
    /// Time over which `min-rate-bytes` is measured.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub min_rate_window: Duration,
    /// Longest response head in bytes, 1 KiB to 1 MiB.
    pub header_limit_bytes: usize,
    /// Most fields of a response head, 1 to 10,000.
    pub header_count: usize,
    /// Longest body in bytes, after decoding; the rest is cut off. 0: no limit.
    pub body_limit_bytes: usize,
    /// Longest body in bytes as it is transferred. 0: twice `body-limit-bytes`, which no honest
    /// coding needs.
    pub transfer_limit_bytes: usize,
    /// Memory set aside for bodies in MiB, all pages under way together. A fetch waits for its
    /// share (the announced length, at most the body limit) before it reads the body.
    pub body_memory_mib: NonZeroU32,
    /// How many times larger than its transfer a body may decode to, beyond 1 MiB. 0: no limit.
    pub max_ratio: u32,
    /// How long an idle connection is kept for the next request. 0: closed at once.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub keep_alive: Duration,
    /// Media types of which bodies are downloaded: `text/html`, `text/*`, `*+xml`, `*/*`.
    pub content_types: Vec<String>,
    /// Header fields sent with every request; those of a single request win.
    pub headers: BTreeMap<String, String>,
    /// What a site is told of the page that led to it, in `Referer`.
    pub referrer_policy: ReferrerPolicy,
    /// Credentials, each for one origin.
    pub auth: Vec<AuthConfig>,
    /// Whether cookies are kept and sent back.
    pub cookies: CookieMode,
    /// Proxies by name: `http://user:password@host:port`, `socks5://..` (names are resolved here)
    /// or `socks5h://..` (names are resolved by the proxy).
    pub proxies: BTreeMap<String, Secret>,
    /// The proxy of all requests that name none, or several that take turns. None: no proxy.
    pub proxy: ProxyChoice,
    /// Whether addresses that are not public (loopback, private networks ..) are fetched from.
    pub allow_private_addresses: bool,
    /// Host names and the addresses to connect to in their stead, as curl's `--resolve`:
    /// `"shop.test"` or `"*.test"` (the domain and all below it) to `"127.0.0.1"`,
    /// `"127.0.0.1:8080"` or `"[::1]:8080"`. The exact name wins, then the longest pattern.
    pub resolve: BTreeMap<String, String>,
    /// Name servers to ask, `"9.9.9.9"` or `"127.0.0.1:5353"`. Empty: those of the system.
    pub name_servers: Vec<String>,
    /// Least time for which an answer of DNS is believed, whatever its TTL.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub dns_min_ttl: Duration,
    /// Longest time for which it is believed.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub dns_max_ttl: Duration,
    /// Longest time after that for which it is used while the name servers fail (RFC 8767).
    /// 0: not at all.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub dns_stale: Duration,
    /// PEM files with certificates that are trusted besides Mozilla's.
    pub extra_roots: Vec<PathBuf>,
    /// PEM file with the certificate (and what leads from it to its authority) that is shown to
    /// every server that asks for one. Empty: none.
    pub client_cert: PathBuf,
    /// PEM file with the private key of `client-cert`.
    pub client_key: PathBuf,
    /// Servers of which TLS sessions are kept, so that the next connection needs no full
    /// handshake. 0: none.
    pub tls_sessions: usize,
}

impl FetchConfig {
    /// Keys that may differ from host to host. All others are for the whole crawl: what they set
    /// is shared by all fetches, or judged where the host's table is not known.
    pub const PER_HOST: &[&str] = &[
        "user-agent",
        "connect-timeout",
        "tls-timeout",
        "header-timeout",
        "idle-timeout",
        "total-timeout",
        "min-rate-bytes",
        "min-rate-window",
        "body-limit-bytes",
        "transfer-limit-bytes",
        "max-ratio",
        "content-types",
        "headers",
        "referrer-policy",
        "proxy",
    ];
}

impl Default for FetchConfig {
    fn default() -> Self {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Self {
            user_agent: concat!("crawl/", env!("CARGO_PKG_VERSION")).to_owned(),
            connections: NonZeroU32::new(128).expect("128 is not zero"),
            max_redirects: 10,
            dns_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            tls_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_secs(120),
            min_rate_bytes: 100,
            min_rate_window: Duration::from_secs(10),
            header_limit_bytes: 64 * 1024,
            header_count: 100,
            body_limit_bytes: 8 * 1024 * 1024,
            transfer_limit_bytes: 0,
            body_memory_mib: NonZeroU32::new(256).expect("256 is not zero"),
            max_ratio: 100,
            keep_alive: Duration::from_secs(15),
            content_types: texts(&[
                "text/*",
                "application/xhtml+xml",
                "application/xml",
                "application/json",
                "*+xml",
                "*+json",
            ]),
            headers: BTreeMap::new(),
            referrer_policy: ReferrerPolicy::default(),
            auth: Vec::new(),
            cookies: CookieMode::Auto,
            proxies: BTreeMap::new(),
            proxy: ProxyChoice::default(),
            allow_private_addresses: false,
            resolve: BTreeMap::new(),
            name_servers: Vec::new(),
            dns_min_ttl: Duration::from_secs(10),
            dns_max_ttl: Duration::from_secs(3600),
            dns_stale: Duration::from_secs(3600),
            extra_roots: Vec::new(),
            client_cert: PathBuf::new(),
            client_key: PathBuf::new(),
            tls_sessions: 4096,
        }
    }
}

/// Why a [`FetchConfig`] cannot be used. Each message names the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchConfigError {
    /// A time limit of zero would let nothing through.
    #[error("`fetch.{key}` must be longer than zero")]
    ZeroTime {
        /// The key without its table.
        key: &'static str,
    },
    /// The header limit is too small to work or too large to be one.
    #[error("`fetch.header-limit-bytes` is {0}: give a number from 1024 to 1048576")]
    HeaderLimit(usize),
    /// So is the number of fields.
    #[error("`fetch.header-count` is {0}: give a number from 1 to 10000")]
    HeaderCount(usize),
    /// A header field that HTTP does not allow (RFC 9110, section 5).
    #[error("`{key}` is not a valid header field: {why}")]
    Header {
        /// The key with its table.
        key: String,
        /// What is wrong with it; never the value, which may be a secret.
        why: &'static str,
    },
    /// Credentials that cannot be used.
    #[error("`{key}`: {why}")]
    Auth {
        /// The key with its table.
        key: String,
        /// What is wrong with it; never the secret.
        why: String,
    },
    /// A proxy that cannot be used.
    #[error("`{key}`: {why}")]
    Proxy {
        /// The key with its table.
        key: String,
        /// What is wrong with it; never the URL, which may hold a password.
        why: String,
    },
    /// A pattern that is no media type.
    #[error(
        "`fetch.content-types` has `{0}`: write `text/html`, `text/*`, `*+xml` or `*/*`, without \
         parameters"
    )]
    ContentType(String),
    /// A pattern that is no media type.
    #[error(
        "`media.types` has `{0}`: write `image/png`, `image/*`, `*+xml` or `*/*`, without parameters"
    )]
    FileType(String),
    /// An entry of `resolve` that maps nothing.
    #[error("`fetch.resolve` has `{host}` = `{to}`: {why}")]
    Resolve {
        /// The left side.
        host: String,
        /// The right side.
        to: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A name server that is no address.
    #[error("`fetch.name-servers` has `{0}`: write an address, `9.9.9.9` or `127.0.0.1:5353`")]
    NameServer(String),
    /// Bounds for the TTL that contradict each other or are no bounds.
    #[error("`fetch.{key}` is {is:?}: give {give}")]
    Ttl {
        /// The key without its table.
        key: &'static str,
        /// The config's value.
        is: Duration,
        /// What would do.
        give: String,
    },
    /// A file of certificates that cannot be used.
    #[error("`fetch.extra-roots` has `{}`: {why}", path.display())]
    ExtraRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate or key of our own that cannot be used.
    #[error("`fetch.{key}` is `{}`: {why}", path.display())]
    Client {
        /// `client-cert` or `client-key`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong; never the key itself.
        why: String,
    },
    /// More connections than the system lets the process have.
    #[error(
        "`fetch.connections` is {connections}, but the system allows the process {granted} open \
         files: set it to {most} or less, or raise the limit (`ulimit -n`)"
    )]
    Connections {
        /// The config's number.
        connections: u32,
        /// File descriptors.
        granted: u64,
        /// The largest number that would do.
        most: u64,
    },
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The limits of one fetch, checked.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) tls: Duration,
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
    pub(crate) rate: Rate,
    pub(crate) header_bytes: usize,
    pub(crate) header_count: usize,
    /// Bytes that an HTTP/1 connection takes before a head is complete, interim ones and the
    /// beginning of the body included.
    pub(crate) until_head_bytes: u64,
    /// `usize::MAX`: no limit.
    pub(crate) body_bytes: usize,
    /// The same as it is transferred.
    pub(crate) coded_bytes: usize,
    /// `u32::MAX`: no limit.
    pub(crate) ratio: u32,
}

impl Limits {
    pub(crate) fn new(config: &FetchConfig) -> Result<Self, FetchConfigError> {
        let time = |key, limit: Duration| {
            if limit.is_zero() { Err(FetchConfigError::ZeroTime { key }) } else { Ok(limit) }
        };
        let header_bytes = config.header_limit_bytes;
        if !(1024..=1024 * 1024).contains(&header_bytes) {
            return Err(FetchConfigError::HeaderLimit(header_bytes));
        }
        if !(1..=10_000).contains(&config.header_count) {
            return Err(FetchConfigError::HeaderCount(config.header_count));
        }
        let unless_zero = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let body_bytes = unless_zero(config.body_limit_bytes);
        // What is small may be coded to a little more than itself.
        let coded_bytes = match config.transfer_limit_bytes {
            0 => body_bytes.saturating_mul(2).saturating_add(64 * 1024),
            limit => limit,
        };
        time("dns-timeout", config.dns_timeout)?;
        let window = time("min-rate-window", config.min_rate_window)?;
        Ok(Self {
            connect: time("connect-timeout", config.connect_timeout)?,
            tls: time("tls-timeout", config.tls_timeout)?,
            header: time("header-timeout", config.header_timeout)?,
            idle: time("idle-timeout", config.idle_timeout)?,
            total: time("total-timeout", config.total_timeout)?,
            rate: Rate { bytes: config.min_rate_bytes, window },
            header_bytes,
            header_count: config.header_count,
            // The head, and what hyper reads ahead of the body until the head is taken.
            until_head_bytes: (header_bytes + 4 * h1_buffer(header_bytes)) as u64,
            body_bytes,
            coded_bytes,
            ratio: if config.max_ratio == 0 { u32::MAX } else { config.max_ratio },
        })
    }
}

/// Reads `fetch.name-servers`.
pub(crate) fn name_servers(config: &FetchConfig) -> Result<Vec<SocketAddr>, FetchConfigError> {
    let parse = |text: &String| {
        crate::host_map::socket_address(text, 53)
            .ok_or_else(|| FetchConfigError::NameServer(text.clone()))
    };
    config.name_servers.iter().map(parse).collect()
}

/// Reads for how long answers of DNS are kept.
pub(crate) fn dns_bounds(config: &FetchConfig) -> Result<Bounds, FetchConfigError> {
    // Longer than any TTL should be (RFC 8767, section 4), and no sum of two overflows.
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let (min, max, stale) = (config.dns_min_ttl, config.dns_max_ttl, config.dns_stale);
    let week = || "a week (`7d`) or less".to_owned();
    let bad = |key, is, give| Err(FetchConfigError::Ttl { key, is, give });
    if max > WEEK {
        return bad("dns-max-ttl", max, week());
    }
    if stale > WEEK {
        return bad("dns-stale", stale, week());
    }
    if min > max {
        return bad("dns-min-ttl", min, format!("no more than `fetch.dns-max-ttl`, {max:?}"));
    }
    Ok(Bounds { min, max, stale })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fetcher;

    #[track_caller]
    fn refused(toml: &str, expected: &str) {
        let config: FetchConfig = toml::from_str(toml).unwrap();
        let error = Fetcher::new(config).expect_err("this is wrong").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn wrong_values_are_refused_by_key() {
        refused("header-timeout = '0s'", "`fetch.header-timeout` must be longer than zero");
        refused("min-rate-window = '0s'", "`fetch.min-rate-window` must be longer than zero");
        refused("header-limit-bytes = 10", "`fetch.header-limit-bytes` is 10");
        refused("header-count = 0", "`fetch.header-count` is 0");
        refused("header-count = 10001", "`fetch.header-count` is 10001");
        refused("user-agent = 'a\\nb'\n".replace('\'', "\"").as_str(), "`fetch.user-agent`");
        refused("headers = { 'x y' = '1' }", "`fetch.headers.x y`");
        refused("headers = { Content-Length = '1' }", "`fetch.headers.Content-Length`");
        refused("content-types = ['html']", "`html`");
        refused("resolve = { 'a.test' = 'b.test' }", "`a.test` = `b.test`");
        refused("name-servers = ['dns.test']", "`dns.test`");
        refused("client-cert = '/nonexistent/a.pem'", "`fetch.client-key` is ``");
        refused("client-key = '/nonexistent/a.pem'", "`fetch.client-cert` is ``");
        let both = "client-cert = '/nonexistent/a.pem'\nclient-key = '/nonexistent/b.pem'";
        refused(both, "`fetch.client-cert` is `/nonexistent/a.pem`");
        refused("dns-min-ttl = '2h'", "`fetch.dns-min-ttl` is 7200s: give no more than");
        refused("dns-max-ttl = '8d'", "`fetch.dns-max-ttl` is 691200s: give a week");
        refused("dns-stale = '8d'", "`fetch.dns-stale` is 691200s: give a week");
        refused("proxies = { a = 'ftp://h:1' }", "`fetch.proxies.a`: write");
        refused("proxies = { a = 'http://u:hunter2@h' }", "`fetch.proxies.a`: its port is missing");
        refused("proxies = { a = 'socks5://joe@h:1' }", "`fetch.proxies.a`: SOCKS needs");
        refused("proxy = 'b'\nproxies = { a = 'http://h:1' }", "`fetch.proxy`: `b` is not");
        refused("extra-roots = ['/nonexistent/ca.pem']", "/nonexistent/ca.pem");
    }

    #[test]
    fn the_defaults_are_usable_and_survive_toml() {
        let config = FetchConfig::default();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<FetchConfig>(&text).unwrap(), config);
        Fetcher::new(config).unwrap();
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<FetchConfig>("header-time = '1s'").unwrap_err().to_string();
        assert!(error.contains("header-time"), "{error}");
    }
}
