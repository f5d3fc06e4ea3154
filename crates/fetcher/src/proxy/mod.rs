//! Proxies: which one a request goes through, and how it gets there.
//!
//! An HTTP proxy takes requests for http URLs whole (RFC 9112, section 3.2.2) and opens tunnels
//! for all others (RFC 9110, section 9.3.6); a SOCKS one opens tunnels only (`tunnel`, `socks`).
//! In a tunnel everything is as without it: certificates are verified, HTTP/2 is spoken.
//!
//! A proxy's own address may be private, for the user named it. Where the proxy resolves names
//! (`http`, `socks5h`), what they resolve to cannot be judged here: only addresses in URLs and
//! `localhost` are. `socks5` asks with an address that was judged.
//!
//! Which proxies are well is known to `health`.

mod choice;
mod dial;
mod health;
mod socks;
mod tunnel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crawl_model::{CanonicalUrl, Errand, Failure, FailureKind, Ticket};
use hyper::StatusCode;
use hyper::header::HeaderValue;

use crate::address::not_public;
use crate::eyeballs::Eyeballs;
use crate::host_map::{HostMap, address};
use crate::message::{basic_value, credentials, jar};
use crate::resolve::Names;
use crate::{FetchConfig, FetchConfigError};

pub use choice::ProxyChoice;
use health::Health;

/// Longest time for which a host is left alone because no proxy is well.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// One proxy of `[fetch.proxies]`.
#[derive(Debug)]
pub(crate) struct Proxy {
    name: Box<str>,
    kind: Kind,
    /// Where it is, as an http URL without credentials.
    url: CanonicalUrl,
    /// User and password.
    login: Option<(Vec<u8>, Vec<u8>)>,
    health: Health,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// RFC 9110 and 9112.
    Http,
    /// RFC 1928; `resolves`: the proxy is asked with names.
    Socks { resolves: bool },
}

/// The way of a request: requests on different ones share no connection, or a site could tell
/// that they are of one crawler.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lane {
    pub(crate) proxy: Option<Arc<Proxy>>,
    jar: Option<Arc<str>>,
}

impl PartialEq for Lane {
    fn eq(&self, other: &Self) -> bool {
        let at = |lane: &Self| lane.proxy.as_ref().map(Arc::as_ptr);
        at(self) == at(other) && self.jar == other.jar
    }
}

impl Lane {
    /// Whether who is at the connection's end is the host itself, as far as it is known.
    pub(crate) fn ends_at_host(&self) -> bool {
        self.proxy.as_ref().is_none_or(|proxy| proxy.wants_addresses())
    }
}

/// All proxies, and which of them is whose.
pub(crate) struct Proxies {
    all: Vec<Arc<Proxy>>,
    map: HostMap,
    allow_private: bool,
    /// Resolves the proxies' own names.
    names: Names,
    eyeballs: Eyeballs,
}

/// Proxies that take turns: the choice of a host, or of the crawl.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    members: Vec<usize>,
    next: AtomicUsize,
}

/// What a request may go through.
enum Via<'a> {
    Direct,
    One(usize),
    Turns(&'a Rotation),
}

/// The lanes of one fetch, best first.
pub(crate) struct Route<'a> {
    proxies: &'a Proxies,
    /// Whether the lane without a proxy is still to be taken.
    is_direct: bool,
    /// Proxies in reverse.
    rest: Vec<usize>,
    jar: Option<Arc<str>>,
}

impl Proxies {
    pub(crate) fn new(config: &FetchConfig) -> Result<Self, FetchConfigError> {
        let mut all = Vec::with_capacity(config.proxies.len());
        for (name, url) in &config.proxies {
            let proxy = Proxy::new(name, url.reveal()).map_err(|why| FetchConfigError::Proxy {
                key: format!("fetch.proxies.{name}"),
                why: why.to_owned(),
            })?;
            all.push(Arc::new(proxy));
        }
        let own = FetchConfig { allow_private_addresses: true, ..config.clone() };
        Ok(Self {
            all,
            map: HostMap::new(&config.resolve)?,
            allow_private: config.allow_private_addresses,
            names: Names::new(&own)?,
            eyeballs: Eyeballs::default(),
        })
    }

    /// The proxies of a choice.
    ///
    /// Fails if one is not in the table.
    pub(crate) fn rotation(&self, choice: &ProxyChoice) -> Result<Rotation, FetchConfigError> {
        let find = |name: &String| {
            self.find(name).ok_or_else(|| FetchConfigError::Proxy {
                key: "fetch.proxy".to_owned(),
                why: format!("`{name}` is not in [fetch.proxies]"),
            })
        };
        let members = choice.names().iter().map(find).collect::<Result<_, _>>()?;
        Ok(Rotation { members, next: AtomicUsize::new(0) })
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|proxy| *proxy.name == *name)
    }

    /// Through what a request goes: what it says itself, or else the config of its host.
    fn proxy_for<'a>(&self, ticket: &Ticket, default: &'a Rotation) -> Result<Via<'a>, Failure> {
        let own = match ticket.errand() {
            Errand::Page(page) => page.options().proxy.as_deref(),
            Errand::Robots { .. } => None,
        };
        match own {
            Some("") => Ok(Via::Direct),
            Some(name) => self.find(name).map(Via::One).ok_or_else(|| {
                let shown: String = name.escape_debug().take(100).collect();
                let detail = format!("no proxy `{shown}` in [fetch.proxies]");
                Failure::new(FailureKind::Proxy, detail)
            }),
            None if default.members.is_empty() => Ok(Via::Direct),
            None => Ok(Via::Turns(default)),
        }
    }

    /// The lanes that a ticket's request may take, those of resting proxies left out.
    ///
    /// Fails if no proxy is left.
    pub(crate) fn route(&self, ticket: &Ticket, default: &Rotation) -> Result<Route<'_>, Failure> {
        let jar = jar(ticket).cloned();
        let (mut rest, members) = match self.proxy_for(ticket, default)? {
            Via::Direct => {
                return Ok(Route { proxies: self, is_direct: true, rest: Vec::new(), jar });
            }
            Via::One(index) => (vec![index], 1),
            Via::Turns(rotation) => (rotation.turn(), rotation.members.len()),
        };
        let first = rest[0];
        rest.retain(|&index| self.all[index].health.rest().is_none());
        if rest.is_empty() {
            let proxy = &self.all[first];
            let others = if members > 1 { " and all others" } else { "" };
            let detail =
                format!("proxy {}{others} failed lately: {}", proxy.name, proxy.health.cause());
            return Err(Failure::new(FailureKind::Proxy, detail));
        }
        rest.reverse();
        Ok(Route { proxies: self, is_direct: false, rest, jar })
    }

    /// How long a ticket's host is best left alone after a failure of its proxies: until the
    /// first of them is tried again.
    pub(crate) fn rest(&self, ticket: &Ticket, default: &Rotation) -> Option<Duration> {
        let members = match self.proxy_for(ticket, default).ok()? {
            Via::Direct => return None,
            Via::One(index) => vec![index],
            Via::Turns(rotation) => rotation.members.clone(),
        };
        let rests = members.into_iter().map(|index| self.all[index].health.rest());
        rests.map(Option::unwrap_or_default).min().map(|rest| rest.min(LONGEST_REST))
    }

    /// The lane's proxy, if it takes requests for `url` whole.
    pub(crate) fn forwarder<'a>(
        &self,
        lane: &'a Lane,
        url: &CanonicalUrl,
    ) -> Option<&'a Arc<Proxy>> {
        lane.proxy.as_ref().filter(|proxy| self.forwards(proxy, url))
    }

    /// Whether `proxy` takes requests for `url` whole, and is not asked for a tunnel. A host of
    /// `[fetch.resolve]` needs one: a whole request says by name where it goes.
    fn forwards(&self, proxy: &Proxy, url: &CanonicalUrl) -> bool {
        proxy.kind == Kind::Http && !url.is_https() && self.mapped(url).is_none()
    }

    fn mapped(&self, url: &CanonicalUrl) -> Option<SocketAddr> {
        self.map.get(url.host_str().trim_end_matches('.'), url.port())
    }

    /// What a proxy is asked to connect to that resolves names.
    fn target<'a>(&self, url: &'a CanonicalUrl) -> Result<Target<'a>, Failure> {
        let host = url.host_str().trim_end_matches('.');
        let literal = || address(host).map(|ip| SocketAddr::new(ip, url.port()));
        let Some(known) = self.mapped(url).or_else(literal) else {
            // RFC 6761, section 6.3.
            let is_local = host == "localhost" || host.ends_with(".localhost");
            return match is_local && !self.allow_private {
                true => Err(private(host, "is loopback by name")),
                false => Ok(Target::Name(host, url.port())),
            };
        };
        match not_public(known.ip()) {
            Some(why) if !self.allow_private => {
                Err(private(host, &format!("is at {}, which is not public ({why})", known.ip())))
            }
            _ => Ok(Target::Address(known)),
        }
    }
}

/// Where a tunnel leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

fn private(host: &str, why: &str) -> Failure {
    let detail = format!("{host} {why}; to fetch it, set `fetch.allow-private-addresses = true`");
    Failure::new(FailureKind::PrivateAddress, detail)
}

impl Rotation {
    /// The members, each call beginning with the next one.
    fn turn(&self) -> Vec<usize> {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.members.len();
        let (before, from) = self.members.split_at(start);
        [from, before].concat()
    }
}

impl Route<'_> {
    /// The next lane to try.
    pub(crate) fn next(&mut self) -> Option<Lane> {
        let proxy = match std::mem::take(&mut self.is_direct) {
            true => None,
            false => Some(self.proxies.all[self.rest.pop()?].clone()),
        };
        Some(Lane { proxy, jar: self.jar.clone() })
    }

    /// Whether there is another one.
    pub(crate) fn has_more(&self) -> bool {
        !self.rest.is_empty()
    }
}

impl Proxy {
    /// Reads a URL such as `http://user:pw@127.0.0.1:8888`.
    fn new(name: &str, url: &str) -> Result<Self, &'static str> {
        const FORM: &str = "write `http://host:port`, `socks5://host:port` or `socks5h://host:port`, with \
             `user:password@` before the host if needed";
        if name.is_empty() {
            return Err("a proxy needs a name");
        }
        let (scheme, rest) = url.split_once("://").ok_or(FORM)?;
        let kind = match &*scheme.to_ascii_lowercase() {
            "http" => Kind::Http,
            "socks5" => Kind::Socks { resolves: false },
            "socks5h" => Kind::Socks { resolves: true },
            "https" => return Err("proxies are spoken to without TLS: write `http://`"),
            _ => return Err(FORM),
        };
        let port = rest.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        if !rest.contains(':') || port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err("its port is missing: write `host:port`");
        }
        let url = CanonicalUrl::parse(&format!("http://{rest}")).map_err(|_| FORM)?;
        if url.path_and_query() != "/" {
            return Err(FORM);
        }
        let login = credentials(&url);
        let fits = |text: &Vec<u8>| (1..=255).contains(&text.len());
        if let (Kind::Socks { .. }, Some((user, password))) = (kind, &login)
            && !(fits(user) && fits(password))
        {
            // RFC 1929, section 2.
            return Err("SOCKS needs a user and a password of 1 to 255 bytes each");
        }
        let url = url.without_credentials();
        Ok(Self { name: name.into(), kind, url, login, health: Health::default() })
    }

    /// Whether names are resolved here, and it is asked with addresses.
    pub(crate) fn wants_addresses(&self) -> bool {
        self.kind == Kind::Socks { resolves: false }
    }

    /// The `Proxy-Authorization` field.
    pub(crate) fn field(&self) -> Option<HeaderValue> {
        self.login.as_ref().map(|(user, password)| basic_value(user, password))
    }

    /// Notes that it refused a request that it should have passed on.
    pub(crate) fn refused(&self) -> Failure {
        let detail = "it wants credentials, or others than it got";
        self.health.failed(detail);
        self.failure(detail)
    }

    /// Takes note of the status with which a request came back that it took whole.
    pub(crate) fn answered(&self, status: StatusCode) -> Result<(), Failure> {
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(self.refused());
        }
        self.worked();
        Ok(())
    }

    /// Notes that it passed a request on.
    pub(crate) fn worked(&self) {
        self.health.worked();
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(FailureKind::Proxy, format!("proxy {}: {what}", self.name))
    }
}

#[cfg(test)]
mod tests;
