//! From a URL to a connection that takes requests: addresses, TCP, TLS, HTTP version.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Failure};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::classify;
use crate::clock::Clock;
use crate::config::Limits;
use crate::eyeballs::Eyeballs;
use crate::pool::{Slot, Slots};
use crate::proxy::{Lane, Proxies};
use crate::resolve::Names;
use crate::wire::{Wire, WireLog};
use crate::{FetchConfig, FetchConfigError, tls};

/// Bytes of one HTTP/2 stream, and of one connection, that a server may send unasked.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The head that the HTTP/2 library takes at least. More than the limit, because it cannot tell a
/// head that is too long from a wrong one: what it lets through is measured afterwards.
const H2_HEADERS: u32 = 256 * 1024;

/// What hyper reads at once at most, and so what one HTTP/1 connection may hold unread.
const H1_BUFFER: usize = 64 * 1024;

/// The same where heads may be so long: one must fit in.
pub(crate) fn h1_buffer(header_bytes: usize) -> usize {
    H1_BUFFER.max(header_bytes + 1024)
}

/// The fields of a head that hyper takes if nothing is said.
const H1_FIELDS: usize = 100;

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

    /// Whether requests are on their way over it through other handles: its wire has one, and so
    /// does this one.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.log) > 2
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
    eyeballs: Eyeballs,
    slots: Slots,
    proxies: Arc<Proxies>,
    tls: TlsConnector,
    h1: http1::Builder,
    h2: http2::Builder<TokioExecutor>,
}

impl Dialer {
    /// A dialer whose connections take the given slots.
    pub(crate) fn new(
        config: &FetchConfig,
        limits: &Limits,
        slots: Slots,
        proxies: Arc<Proxies>,
    ) -> Result<Self, FetchConfigError> {
        // As forgiving as browsers with what old servers write in a head.
        let mut h1 = http1::Builder::new();
        h1.max_header_size(limits.header_bytes)
            .max_buf_size(h1_buffer(limits.header_bytes))
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        if limits.header_count != H1_FIELDS {
            // Not set where it would change nothing: hyper's own number costs no allocation.
            h1.max_headers(limits.header_count);
        }
        let mut h2 = http2::Builder::new(TokioExecutor::new());
        h2.initial_stream_window_size(H2_STREAM_WINDOW)
            .initial_connection_window_size(H2_CONNECTION_WINDOW)
            .max_header_list_size(
                H2_HEADERS.max(limits.header_bytes.try_into().unwrap_or(u32::MAX)),
            );
        let (names, tls) = (Names::new(config)?, tls::connector(config)?);
        Ok(Self { names, eyeballs: Eyeballs::default(), slots, proxies, tls, h1, h2 })
    }

    /// Connects to `url`'s host on `lane`. Each phase has its own time limit.
    pub(crate) async fn connect(
        &self,
        url: &CanonicalUrl,
        lane: &Lane,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<Connection, Failure> {
        let slot = self.slot(url, limits, clock).await?;
        let (stream, remote) = match &lane.proxy {
            None => self.reach(url, limits, clock).await?,
            Some(proxy) => {
                let addresses = match proxy.wants_addresses() {
                    true => self.resolve(url, clock).await?,
                    false => Vec::new(),
                };
                self.proxies.reach(proxy, url, &addresses, limits, clock).await?
            }
        };
        let connection = if url.is_https() {
            self.secure(url, stream, remote, slot, limits, clock).await?
        } else {
            let spoken = self.speak_h1(stream, remote, slot).await;
            spoken.map_err(|error| classify::handshake(url.host_str(), &error))?
        };
        Ok(Connection { lane: lane.clone(), ..connection })
    }

    /// The right to open one more connection.
    async fn slot(
        &self,
        url: &CanonicalUrl,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<Slot, Failure> {
        if let Some(slot) = self.slots.free() {
            return Ok(slot);
        }
        let limit = clock.limit(limits.connect, "fetch.connect-timeout");
        let slot = clock.within(limit, self.slots.wait()).await;
        slot.map_err(|limit| classify::no_slot(url.host_str(), limit))
    }

    /// A byte stream to `url`'s host, and who is at its end.
    async fn reach(
        &self,
        url: &CanonicalUrl,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let addresses = self.resolve(url, clock).await?;
        self.open(url, &addresses, limits, clock).await
    }

    /// The addresses of `url`'s host.
    async fn resolve(
        &self,
        url: &CanonicalUrl,
        clock: &mut Clock,
    ) -> Result<Vec<SocketAddr>, Failure> {
        // The lookup's own limit is where it is made: others may wait for the same one.
        let limit = clock.total();
        let since = Instant::now();
        let found = clock.within(limit, self.names.addresses(url)).await;
        clock.times.phases.dns = Some(since.elapsed());
        found.map_err(|limit| classify::dns_late(url.host_str(), limit))?
    }

    /// A TCP connection to one of `addresses`.
    async fn open(
        &self,
        url: &CanonicalUrl,
        addresses: &[SocketAddr],
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let host = url.host_str();
        let limit = clock.limit(limits.connect, "fetch.connect-timeout");
        let opened = clock.within(limit, self.eyeballs.open(addresses)).await;
        clock.times.phases.connect = Some(limit.since.elapsed());
        opened
            .map_err(|limit| classify::connect_late(host, limit))?
            .map_err(|error| classify::connect(host, url.port(), &error))
    }

    /// TLS over `stream`, and over it the HTTP version that both sides agree on.
    async fn secure<S>(
        &self,
        url: &CanonicalUrl,
        stream: S,
        remote: SocketAddr,
        slot: Slot,
        limits: &Limits,
        clock: &mut Clock,
    ) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let host = url.host_str();
        let limit = clock.limit(limits.tls, "fetch.tls-timeout");
        let secured = async {
            let name = tls::server_name(url).ok_or_else(|| classify::no_server_name(host))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| classify::tls(host, &error))?;
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let spoken = if is_h2 {
                self.speak_h2(stream, remote, slot).await
            } else {
                self.speak_h1(stream, remote, slot).await
            };
            spoken.map_err(|error| classify::handshake(host, &error))
        };
        let secured = clock.within(limit, secured).await;
        clock.times.phases.tls = Some(limit.since.elapsed());
        secured.map_err(|limit| classify::tls_late(host, limit))?
    }

    async fn speak_h1<S>(
        &self,
        stream: S,
        remote: SocketAddr,
        slot: Slot,
    ) -> hyper::Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (wire, log) = Wire::new(stream, slot);
        let (sender, driver) = self.h1.handshake(TokioIo::new(wire)).await?;
        // What ends the driver is told to whoever waits for a response.
        tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender: Sender::H1(sender), log, remote, lane: Lane::default() })
    }

    async fn speak_h2<S>(
        &self,
        stream: S,
        remote: SocketAddr,
        slot: Slot,
    ) -> hyper::Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (wire, log) = Wire::new(stream, slot);
        let (sender, driver) = self.h2.handshake(TokioIo::new(wire)).await?;
        tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender: Sender::H2(sender), log, remote, lane: Lane::default() })
    }
}
