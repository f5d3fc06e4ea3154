//! From a proxy to a byte stream that ends at the target, or at a proxy that takes whole
//! requests; and what each failure on the way says of the proxy.

use std::io;
use std::net::SocketAddr;

use crawl_model::{CanonicalUrl, Failure, FailureKind};
use tokio::net::TcpStream;

use super::{Kind, Proxies, Proxy, Target, socks, tunnel};
use crate::clock::{Clock, Limit};
use crate::config::Limits;

/// Addresses of one host that a SOCKS proxy is asked for.
const TRIED: usize = 3;

impl Proxies {
    /// A stream through `proxy` for requests to `url`, and who is at its end as far as we know.
    ///
    /// `addresses`: those of the host; only for proxies that resolve no names.
    pub(crate) async fn reach(
        &self,
        proxy: &Proxy,
        url: &CanonicalUrl,
        addresses: &[SocketAddr],
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        if proxy.wants_addresses() {
            return self.reach_one_of(proxy, url, addresses, limits, clock).await;
        }
        let target = self.target(url)?;
        let (mut stream, remote) = self.open(proxy, limits, clock).await?;
        if !self.forwards(proxy, url) {
            proxy.tunnel(&mut stream, target, url, limits, clock).await?;
        }
        Ok((stream, remote))
    }

    async fn reach_one_of(
        &self,
        proxy: &Proxy,
        url: &CanonicalUrl,
        addresses: &[SocketAddr],
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let mut tried = addresses.iter().take(TRIED).peekable();
        loop {
            let Some(&address) = tried.next() else {
                let detail = format!("{} has no address", url.host_str());
                return Err(Failure::new(FailureKind::Unresolvable, detail));
            };
            let (mut stream, _) = self.open(proxy, limits, clock).await?;
            let target = Target::Address(address);
            match proxy.tunnel(&mut stream, target, url, limits, clock).await {
                Ok(()) => return Ok((stream, address)),
                Err(failure) if failure.kind == FailureKind::Connect && tried.peek().is_some() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// A TCP connection to the proxy itself.
    async fn open(
        &self,
        proxy: &Proxy,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let limit = clock.total();
        let found = clock.within(limit, self.names.addresses(&proxy.url)).await;
        let found = found.unwrap_or_else(|limit| {
            Err(Failure::new(FailureKind::DnsTimeout, format!("no answer from DNS {limit}")))
        });
        let addresses = found.map_err(|failure| proxy.failed(&failure.detail))?;
        let limit = clock.limit(limits.connect, "fetch.connect-timeout");
        match clock.within(limit, self.eyeballs.open(&addresses)).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err(proxy.failed(&format!("connection to {} refused", proxy.url.authority())))
            }
            Ok(Err(error)) => {
                Err(proxy.failed(&format!("no connection to {}: {error}", proxy.url.authority())))
            }
            Err(limit) => {
                Err(proxy.failed(&format!("no connection to {} {limit}", proxy.url.authority())))
            }
        }
    }
}

impl Proxy {
    /// Asks for a tunnel to `target`, where `url`'s host is.
    async fn tunnel(
        &self,
        stream: &mut TcpStream,
        target: Target<'_>,
        url: &CanonicalUrl,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(), Failure> {
        let limit = clock.limit(limits.connect, "fetch.connect-timeout");
        let opened = match self.kind {
            Kind::Http => clock.within(limit, self.connect(stream, target, url)).await,
            Kind::Socks { .. } => clock.within(limit, self.socks(stream, target, url)).await,
        };
        opened.unwrap_or_else(|limit| Err(self.late(url, limit)))?;
        self.worked();
        Ok(())
    }

    async fn connect(
        &self,
        stream: &mut TcpStream,
        target: Target<'_>,
        url: &CanonicalUrl,
    ) -> Result<(), Failure> {
        let login = self.field();
        let login = login.as_ref().map(|value| value.as_bytes());
        let opened = tunnel::open(stream, &target.to_string(), login).await;
        opened.map_err(|refusal| match refusal {
            // Some proxies say 401 to a wrong password. Nobody else can have answered.
            tunnel::Refusal::Status(401 | 407) => self.refused(),
            tunnel::Refusal::Status(status) => {
                let what = format!("no tunnel to {} ({status})", url.host_str());
                if status >= 500 {
                    self.health.missed(url.authority(), &what);
                }
                self.failure(&what)
            }
            tunnel::Refusal::Garbage(what) => self.failed(what),
            tunnel::Refusal::Broken(error) => self.broken(url, &error),
        })
    }

    async fn socks(
        &self,
        stream: &mut TcpStream,
        target: Target<'_>,
        url: &CanonicalUrl,
    ) -> Result<(), Failure> {
        let opened = socks::open(stream, target, self.login.as_ref()).await;
        opened.map_err(|refusal| match refusal {
            socks::Refusal::Proxy(what) => self.failed(what),
            socks::Refusal::Tunnel(what) => {
                self.health.missed(url.authority(), &what);
                self.failure(&what)
            }
            socks::Refusal::Target(what) => {
                // To have found that out, it must be well.
                self.worked();
                let host = url.host_str();
                let detail = format!("proxy {} has no connection to {host}: {what}", self.name);
                Failure::new(FailureKind::Connect, detail)
            }
            socks::Refusal::Broken(error) => self.broken(url, &error),
        })
    }

    /// It does not work.
    fn failed(&self, what: &str) -> Failure {
        self.health.failed(what);
        self.failure(what)
    }

    /// It closed the connection, which may be its way to say that there is no tunnel.
    fn broken(&self, url: &CanonicalUrl, error: &io::Error) -> Failure {
        let what = format!("its connection broke before the tunnel stood: {error}");
        self.health.missed(url.authority(), &what);
        self.failure(&what)
    }

    /// It is silent, which may be the target's fault as well.
    fn late(&self, url: &CanonicalUrl, limit: Limit) -> Failure {
        let what = format!("no tunnel to {} {limit}", url.host_str());
        self.health.missed(url.authority(), &what);
        Failure::new(FailureKind::ConnectTimeout, format!("proxy {}: {what}", self.name))
    }
}
