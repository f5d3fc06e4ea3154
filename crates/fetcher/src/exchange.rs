//! One request and its response, on a kept connection if there is one.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crawl_model::{
    CanonicalUrl, CookieChange, Errand, Failure, FailureKind, HostTable, Method, Response, Ticket,
};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, SET_COOKIE, TRANSFER_ENCODING};
use hyper::{Response as Head, StatusCode, Version};
use tokio::sync::OwnedSemaphorePermit;

use crate::body::{self, BodyLimits, Memory};
use crate::clock::Clock;
use crate::config::Limits;
use crate::connect::{Connection, Dialer};
use crate::cookies::{Cookies, now_ms};
use crate::media::{MediaTypes, essence};
use crate::message::{Form, Writer, jar};
use crate::pool::{Dialing, Pool, Slots, Turn};
use crate::proxy::{Lane, Proxies};
use crate::{FetchConfig, FetchConfigError, classify, descriptors};

/// Least body limit of a robots.txt: what must be parsed of one (RFC 9309, section 2.5).
const ROBOTS_BYTES: usize = 512 * 1024;

/// How long a kept connection may take to be ready before a fresh one is opened instead.
const READY: std::time::Duration = std::time::Duration::from_secs(1);

/// All that fetches share.
pub(crate) struct Exchange {
    /// What holds for hosts without a table of their own.
    settings: Settings,
    hosts: HostTable<Settings>,
    proxies: Arc<Proxies>,
    dialer: Dialer,
    pool: Arc<Pool>,
    cookies: Arc<Cookies>,
    memory: Memory,
}

/// A response, with the share of memory that its body takes.
pub(crate) type Answered = (Response, Option<OwnedSemaphorePermit>);

/// Why there is no response head.
enum Lost {
    /// The kept connection was dead: nothing came back, and the request may be sent again.
    DeadConnection,
    /// For all other reasons.
    Failed(Failure),
}

impl Exchange {
    pub(crate) fn new(
        config: &FetchConfig,
        hosts: HostTable<FetchConfig>,
    ) -> Result<Self, FetchConfigError> {
        let proxies = Arc::new(Proxies::new(config)?);
        let cookies = Arc::new(Cookies::new(config.cookies));
        let settings = Settings::new(config, &cookies)?;
        let n_slots = descriptors::room_for(config.connections.get())?;
        let pool = Arc::new(Pool::new(n_slots, config.keep_alive));
        Ok(Self {
            dialer: Dialer::new(config, &settings.limits, Slots(pool.clone()), proxies.clone())?,
            pool,
            proxies,
            memory: Memory::new(config.body_memory_mib.get()),
            hosts: hosts.try_map(|config| Settings::new(&config, &cookies))?,
            cookies,
            settings,
        })
    }

    /// What holds for the host of a URL.
    fn settings(&self, url: &CanonicalUrl) -> &Settings {
        self.hosts.get(url.host_str()).unwrap_or(&self.settings)
    }

    /// The pool, to be looked into.
    #[cfg(test)]
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// All cookie jars.
    pub(crate) fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// All proxies.
    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The clock that the fetch of `ticket` runs by.
    pub(crate) fn clock(&self, ticket: &Ticket) -> Clock {
        Clock::start(self.settings(ticket.url()).total(ticket))
    }

    /// Does what `ticket` asks for; its times stand in `clock` afterwards. What the answer sets in
    /// a cookie jar is added to `changes`.
    pub(crate) async fn run(
        &self,
        ticket: &Ticket,
        changes: &mut Vec<CookieChange>,
        clock: &mut Clock,
    ) -> Result<Answered, Failure> {
        let mut route = self.proxies.route(ticket)?;
        while let Some(lane) = route.next() {
            match self.run_on(&lane, ticket, changes, clock).await {
                Err(failure) if failure.kind == FailureKind::Proxy && route.has_more() => {}
                ended => return ended,
            }
        }
        Err(Failure::new(FailureKind::Proxy, "no proxy is left"))
    }

    /// The same on one lane. A failure of its proxy means that the host never saw the request.
    async fn run_on(
        &self,
        lane: &Lane,
        ticket: &Ticket,
        changes: &mut Vec<CookieChange>,
        clock: &mut Clock,
    ) -> Result<Answered, Failure> {
        let url = ticket.url();
        let settings = self.settings(url);
        let mut first = None;
        if is_repeatable(ticket)
            && let Some(mut kept) = self.kept_or_first(url, lane, &mut first, clock).await?
        {
            match self.head(settings, &mut kept, true, ticket, clock).await {
                Ok(head) => {
                    self.take_cookies(ticket, &head, changes);
                    return self.rest(settings, kept, head, ticket, clock).await;
                }
                Err(Lost::Failed(failure)) => return Err(failure),
                Err(Lost::DeadConnection) => {}
            }
        }
        let mut fresh = self.dialer.connect(url, lane, &settings.limits, clock).await?;
        if let Some(shared) = fresh.share() {
            self.pool.put(url, shared);
        }
        drop(first);
        match self.head(settings, &mut fresh, false, ticket, clock).await {
            Ok(head) => {
                self.take_cookies(ticket, &head, changes);
                self.rest(settings, fresh, head, ticket, clock).await
            }
            Err(Lost::Failed(failure)) => Err(failure),
            Err(Lost::DeadConnection) => Err(Failure::new(
                FailureKind::Disconnected,
                format!("{} closed the connection at once", url.host_str()),
            )),
        }
    }

    /// A kept connection, or `None` and the right to be the first to open one.
    ///
    /// Who comes while somebody opens the first TLS connection to the origin waits for it: if
    /// HTTP/2 is spoken there, it serves them both.
    async fn kept_or_first(
        &self,
        url: &CanonicalUrl,
        lane: &Lane,
        first: &mut Option<Dialing>,
        clock: &mut Clock,
    ) -> Result<Option<Connection>, Failure> {
        let kept = self.kept(url, lane, clock).await;
        if kept.is_some() || !url.is_https() {
            return Ok(kept);
        }
        match self.pool.turn(url) {
            Turn::Mine(dialing) => {
                *first = Some(dialing);
                Ok(None)
            }
            Turn::Theirs(follow) => {
                let limit = clock.total();
                let waited = clock.within(limit, follow.wait()).await;
                waited.map_err(|limit| classify::connect_late(url.host_str(), limit))?;
                Ok(self.kept(url, lane, clock).await)
            }
        }
    }

    /// A kept connection that takes a request now.
    async fn kept(&self, url: &CanonicalUrl, lane: &Lane, clock: &mut Clock) -> Option<Connection> {
        while let Some(mut kept) = self.pool.take(url, lane) {
            if kept.is_ready() {
                return Some(kept);
            }
            let limit = clock.limit(READY, "fetch.total-timeout");
            if let Ok(Ok(())) = clock.within(limit, kept.ready()).await {
                return Some(kept);
            }
        }
        None
    }

    /// Sends the request and waits for the head.
    async fn head(
        &self,
        settings: &Settings,
        connection: &mut Connection,
        is_kept: bool,
        ticket: &Ticket,
        clock: &mut Clock,
    ) -> Result<Head<Incoming>, Lost> {
        let host = ticket.url().host_str();
        let forwarder = self.proxies.forwarder(&connection.lane, ticket.url()).cloned();
        let form = match &forwarder {
            _ if connection.is_h2() => Form::H2,
            Some(proxy) => Form::Absolute(proxy),
            None => Form::Origin,
        };
        let request = settings.writer.write(ticket, form).map_err(Lost::Failed)?;
        let received = connection.log.received();
        let stamp = connection.log.expect_request();
        clock.times.sent_at = Some(stamp.clone());
        if !connection.is_h2() {
            connection.log.allow_until_head(settings.limits.until_head_bytes);
        }
        let limit = clock.limit(settings.limits.header, "fetch.header-timeout");
        let sent = clock.within(limit, connection.send(request)).await;
        match sent {
            Ok(Ok(head)) => {
                connection.log.head_came();
                clock.times.head_came();
                Self::check_head(&settings.limits, connection, &head, host)
                    .map_err(Lost::Failed)?;
                if let Some(proxy) = &forwarder {
                    if head.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                        return Err(Lost::Failed(proxy.refused()));
                    }
                    proxy.worked();
                }
                Ok(head)
            }
            Ok(Err(error)) => {
                // On a shared connection other responses count as bytes, too: there it is the
                // connection's end that tells.
                let n_received = connection.log.received() - received;
                let is_gone = connection.is_h2() && connection.is_closed();
                // What came unasked before the request went out is no answer to it.
                let is_unsent = stamp.get().is_none();
                if is_kept && (n_received == 0 || is_gone || is_unsent) {
                    return Err(Lost::DeadConnection);
                }
                Err(Lost::Failed(classify::head(host, &settings.limits, n_received, &error)))
            }
            Err(limit) => {
                self.pool.forget(ticket.url(), connection);
                Err(Lost::Failed(classify::head_late(host, limit)))
            }
        }
    }

    /// Refuses heads that the HTTP library lets through.
    fn check_head(
        limits: &Limits,
        connection: &Connection,
        head: &Head<Incoming>,
        host: &str,
    ) -> Result<(), Failure> {
        if connection.is_h2() && h2_size(head) > limits.header_bytes {
            return Err(classify::header_limit(host, limits));
        }
        if head.headers().len() > limits.header_count {
            return Err(classify::header_count(host, limits));
        }
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(classify::switched(host));
        }
        Ok(())
    }

    /// Takes the cookies of a head, whatever becomes of its body.
    fn take_cookies(
        &self,
        ticket: &Ticket,
        head: &Head<Incoming>,
        changes: &mut Vec<CookieChange>,
    ) {
        let fields = head.headers().get_all(SET_COOKIE).iter().map(|value| value.as_bytes());
        changes.extend(self.cookies.take(
            jar(ticket).map(|name| &**name),
            ticket.url(),
            fields,
            now_ms(),
        ));
    }

    /// Reads what follows the head, and gives the connection back if it is still good.
    async fn rest(
        &self,
        settings: &Settings,
        connection: Connection,
        head: Head<Incoming>,
        ticket: &Ticket,
        clock: &mut Clock,
    ) -> Result<Answered, Failure> {
        settings.check_type(ticket, &head)?;
        let status = head.status().as_u16();
        let version = version(head.version());
        let headers = fields(head.headers());
        let remote = Some(connection.remote).filter(|_| connection.lane.ends_at_host());
        let is_reusable = is_reusable(&head);
        let limits = settings.body_limits(ticket);
        let share = self.memory.share(&head, limits.bytes).await;
        let body = body::read(head, limits, clock).await;
        if body.truncated.is_none() && is_reusable {
            self.pool.put(ticket.url(), connection);
        }
        let body::Body { bytes, truncated } = body;
        Ok((Response { status, version, headers, body: bytes, truncated, remote }, share))
    }
}

/// What may differ from host to host.
struct Settings {
    limits: Limits,
    writer: Writer,
    wanted: MediaTypes,
}

impl Settings {
    fn new(config: &FetchConfig, cookies: &Arc<Cookies>) -> Result<Self, FetchConfigError> {
        Ok(Self {
            limits: Limits::new(config)?,
            writer: Writer::new(config, cookies.clone())?,
            wanted: MediaTypes::new(&config.content_types)?,
        })
    }

    /// The longest time for the whole fetch: the request's own, if it has one.
    fn total(&self, ticket: &Ticket) -> std::time::Duration {
        match ticket.errand() {
            Errand::Page(page) => page.options().timeout.unwrap_or(self.limits.total),
            Errand::Robots { .. } => self.limits.total,
        }
    }

    /// Refuses a page of an unwanted type before its body is read. Answers to HEAD have no body
    /// that could be unwanted, robots.txt is read whatever it claims to be, and what is not 2xx
    /// tells its status.
    fn check_type(&self, ticket: &Ticket, head: &Head<Incoming>) -> Result<(), Failure> {
        let is_page = matches!(ticket.errand(), Errand::Page(page) if page.method != Method::Head);
        let Some(value) = head.headers().get(CONTENT_TYPE) else { return Ok(()) };
        if !is_page || !head.status().is_success() || self.wanted.wants(value.as_bytes()) {
            return Ok(());
        }
        let media_type = String::from_utf8_lossy(essence(value.as_bytes()));
        let media_type = media_type.escape_debug().take(100).collect::<String>();
        let detail = format!("media type {media_type} is not wanted (fetch.content-types)");
        Err(Failure::new(FailureKind::ContentType, detail))
    }

    fn body_limits(&self, ticket: &Ticket) -> BodyLimits {
        let limits = &self.limits;
        let least = match ticket.errand() {
            Errand::Page(_) => 0,
            Errand::Robots { .. } => ROBOTS_BYTES,
        };
        BodyLimits {
            bytes: limits.body_bytes.max(least),
            coded_bytes: limits.coded_bytes.max(2 * least),
            ratio: limits.ratio,
            idle: limits.idle,
            rate: limits.rate,
        }
    }
}

/// Whether the request may be sent twice (RFC 9110, section 9.2.2). What may not goes over a
/// fresh connection, which cannot turn out to be dead.
fn is_repeatable(ticket: &Ticket) -> bool {
    match ticket.errand() {
        Errand::Page(page) => page.method != Method::Post,
        Errand::Robots { .. } => true,
    }
}

/// Whether the next response on an HTTP/1 connection would surely begin where this one ends.
///
/// Where it would not, the rest of this one could be taken for the next: a 204 that announces a
/// body, which it must not (RFC 9110, section 8.6), and a response framed in both ways, which is
/// how responses are smuggled (RFC 9112, section 6.3, item 3). What comes unasked otherwise ends
/// the connection in hyper.
fn is_reusable(head: &Head<Incoming>) -> bool {
    let is_chunked = head.headers().contains_key(TRANSFER_ENCODING);
    let is_empty = head.status() == StatusCode::NO_CONTENT;
    if !is_chunked && !is_empty {
        return true;
    }
    let length = head.headers().get(CONTENT_LENGTH);
    if is_empty { !is_chunked && length.is_none_or(|n| n == "0") } else { length.is_none() }
}

/// The size of an HTTP/2 head as RFC 9113 counts it, section 6.5.2.
fn h2_size(head: &Head<Incoming>) -> usize {
    head.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

/// The header fields in the order of their first appearance. All values share one buffer.
fn fields(headers: &HeaderMap) -> Vec<(Box<str>, Bytes)> {
    let n_bytes = headers.values().map(|value| value.len()).sum();
    let mut buffer = BytesMut::with_capacity(n_bytes);
    headers.values().for_each(|value| buffer.extend_from_slice(value.as_bytes()));
    let mut values = buffer.freeze();
    let field = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (Box::from(name.as_str()), values.split_to(value.len()))
    };
    headers.iter().map(field).collect()
}
