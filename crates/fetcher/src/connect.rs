//! From a URL to a connection that takes requests: addresses, TCP, TLS, HTTP version.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Failure, FailureKind};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::classify;
use crate::clock::Clock;
use crate::config::Limits;
use crate::proxy::{Lane, Proxies};
use crate::resolve::Names;
use crate::wire::{Wire, WireLog};
use crate::{FetchConfig, FetchConfigError, tls};

/// The next address is tried when the one before has not answered for so long
/// (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Bytes of one HTTP/2 stream, and of one connection, that a server may send unasked.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The head that the HTTP/2 library takes at least. More than the limit, because it cannot tell a
/// head that is too long from a wrong one: what it lets through is measured afterwards.
const H2_HEADERS: u32 = 256 * 1024;

/// What hyper reads at once at most, and so what one HTTP/1 connection may hold unread.
const H1_BUFFER: usize = 64 * 1024;

/// A connection over which requests are sent.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) sender: Sender,
    pub(crate) log: Arc<WireLog>,
    pub(crate) remote: SocketAddr,
    /// The way on which it may be used again.
    pub(crate) lane: Lane,
}

/// The two versions' request sides.
#[derive(Debug)]
pub(crate) enum Sender {
    /// One request after the other.
    H1(http1::SendRequest<Full<Bytes>>),
    /// Several at once.
    H2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// A second handle, if requests may share the connection.
    pub(crate) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::H1(_) => None,
            Sender::H2(sender) => Some(Self {
                sender: Sender::H2(sender.clone()),
                log: self.log.clone(),
                remote: self.remote,
                lane: self.lane.clone(),
            }),
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::H1(sender) => sender.is_closed(),
            Sender::H2(sender) => sender.is_closed(),
        }
    }

    /// Whether a request is taken at once.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.sender {
            Sender::H1(sender) => sender.is_ready(),
            Sender::H2(sender) => sender.is_ready(),
        }
    }

    /// Waits until a request is taken; fails if the connection ends.
    pub(crate) async fn ready(&mut self) -> hyper::Result<()> {
        match &mut self.sender {
            Sender::H1(sender) => sender.ready().await,
            Sender::H2(sender) => sender.ready().await,
        }
    }

    /// Whether requests name the host in their URI (`:authority`) and not in a `Host` field.
    pub(crate) fn is_h2(&self) -> bool {
        matches!(self.sender, Sender::H2(_))
    }

    /// Sends a request and waits for the response's head.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::H1(sender) => sender.send_request(request).await,
            Sender::H2(sender) => sender.send_request(request).await,
        }
    }
}

/// Opens connections.
pub(crate) struct Dialer {
    names: Names,
    proxies: Arc<Proxies>,
    tls: TlsConnector,
    limits: Arc<Limits>,
    h1: http1::Builder,
    h2: http2::Builder<TokioExecutor>,
}

impl Dialer {
    pub(crate) fn new(
        config: &FetchConfig,
        limits: Arc<Limits>,
        proxies: Arc<Proxies>,
    ) -> Result<Self, FetchConfigError> {
        // As forgiving as browsers with what old servers write in a head.
        let mut h1 = http1::Builder::new();
        h1.max_header_size(limits.header_bytes)
            .max_buf_size(H1_BUFFER.max(limits.header_bytes + 1024))
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        let mut h2 = http2::Builder::new(TokioExecutor::new());
        h2.initial_stream_window_size(H2_STREAM_WINDOW)
            .initial_connection_window_size(H2_CONNECTION_WINDOW)
            .max_header_list_size(
                H2_HEADERS.max(limits.header_bytes.try_into().unwrap_or(u32::MAX)),
            );
        let (names, tls) = (Names::new(config)?, tls::connector(config)?);
        Ok(Self { names, proxies, tls, limits, h1, h2 })
    }

    /// Connects to `url`'s host on `lane`. Each phase has its own time limit.
    pub(crate) async fn connect(
        &self,
        url: &CanonicalUrl,
        lane: &Lane,
        clock: &mut Clock,
    ) -> Result<Connection, Failure> {
        let (stream, remote) = match &lane.proxy {
            None => self.reach(url, clock).await?,
            Some(proxy) => {
                let addresses = match proxy.wants_addresses() {
                    true => self.resolve(url, clock).await?,
                    false => Vec::new(),
                };
                self.proxies.reach(proxy, url, &addresses, &self.limits, clock).await?
            }
        };
        let connection = self.speak(url, stream, remote, clock).await?;
        Ok(Connection { lane: lane.clone(), ..connection })
    }

    /// The addresses of `url`'s host.
    async fn resolve(
        &self,
        url: &CanonicalUrl,
        clock: &mut Clock,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let limit = clock.limit(self.limits.dns, "fetch.dns-timeout");
        let found = clock.within(limit, self.names.addresses(url)).await;
        found.map_err(|limit| dns_late(url.host_str(), limit))?
    }

    /// A byte stream to `url`'s host, and who is at its end.
    async fn reach(
        &self,
        url: &CanonicalUrl,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let host = url.host_str();
        let addresses = self.resolve(url, clock).await?;
        let limit = clock.limit(self.limits.connect, "fetch.connect-timeout");
        clock
            .within(limit, first_to_answer(&addresses))
            .await
            .map_err(|limit| {
                let detail = format!("no connection to {host} {limit}");
                Failure::new(FailureKind::Timeout, detail)
            })?
            .map_err(|error| classify::connect(host, url.port(), &error))
    }

    /// HTTP over `stream`, and TLS below it where the URL asks for that.
    async fn speak(
        &self,
        url: &CanonicalUrl,
        stream: TcpStream,
        remote: SocketAddr,
        clock: &mut Clock,
    ) -> Result<Connection, Failure> {
        let host = url.host_str();
        let late = |what: &str, limit| {
            Failure::new(FailureKind::Timeout, format!("no {what} {host} {limit}"))
        };
        if !url.is_https() {
            return self.speak_h1(stream, remote).await.map_err(|e| classify::handshake(host, &e));
        }
        let limit = clock.limit(self.limits.tls, "fetch.tls-timeout");
        let secured = async {
            let name = tls::server_name(url).ok_or_else(|| classify::no_server_name(host))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| classify::tls(host, &error))?;
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let spoken = if is_h2 {
                self.speak_h2(stream, remote).await
            } else {
                self.speak_h1(stream, remote).await
            };
            spoken.map_err(|error| classify::handshake(host, &error))
        };
        clock.within(limit, secured).await.map_err(|limit| late("TLS session with", limit))?
    }

    async fn speak_h1<S>(&self, stream: S, remote: SocketAddr) -> hyper::Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (wire, log) = Wire::new(stream);
        let (sender, driver) = self.h1.handshake(TokioIo::new(wire)).await?;
        // What ends the driver is told to whoever waits for a response.
        tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender: Sender::H1(sender), log, remote, lane: Lane::default() })
    }

    async fn speak_h2<S>(&self, stream: S, remote: SocketAddr) -> hyper::Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (wire, log) = Wire::new(stream);
        let (sender, driver) = self.h2.handshake(TokioIo::new(wire)).await?;
        tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender: Sender::H2(sender), log, remote, lane: Lane::default() })
    }
}

/// A name server that is silent is a matter of DNS; the whole fetch's limit is not.
fn dns_late(host: &str, limit: crate::clock::Limit) -> Failure {
    Failure::new(FailureKind::Dns, format!("no answer from DNS for {host} {limit}"))
}

/// Connects to the addresses in order, each a little after the one before or at its failure.
pub(crate) async fn first_to_answer(
    addresses: &[SocketAddr],
) -> io::Result<(TcpStream, SocketAddr)> {
    if let [only] = *addresses {
        return open(only).await;
    }
    let mut waiting = addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let mut failed = io::Error::other("no address to connect to");
    loop {
        if let Some(next) = waiting.next() {
            attempts.spawn(open(next));
        }
        let ended = if waiting.len() == 0 {
            attempts.join_next().await
        } else {
            match tokio::time::timeout(STAGGER, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some(Ok(Ok(connected))) => return Ok(connected),
            Some(Ok(Err(error))) => failed = error,
            Some(Err(error)) => failed = io::Error::other(error),
            None => return Err(failed),
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    let stream = TcpStream::connect(address).await?;
    // A request is written whole, so there is nothing to wait for.
    stream.set_nodelay(true)?;
    Ok((stream, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = open.local_addr().unwrap();
        let (_, remote) = first_to_answer(&[dead, dead, alive]).await.unwrap();
        assert_eq!(remote, alive);
        let error = first_to_answer(&[dead, dead]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
