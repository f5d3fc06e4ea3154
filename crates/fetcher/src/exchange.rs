//! One request and its response, on a kept connection if there is one.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crawl_model::{
    Arrived, CanonicalUrl, CookieChange, Errand, Failure, FailureKind, HostTable, Method, Response,
    Sent, Ticket,
};
use hyper::body::Incoming;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING,
};
use hyper::{Response as Head, StatusCode, Version};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::body::{self, Memory};
use crate::clock::Clock;
use crate::config::Limits;
use crate::connect::{Connection, Dialer};
use crate::cookies::{Cookies, now_ms};
use crate::file::{FileBody, FileRules, PART};
use crate::keep::Keeps;
use crate::media::essence;
use crate::message::{Form, jar};
use crate::pool::{Dialing, Pool, Slots, Turn};
use crate::proxy::{Lane, Proxies};
use crate::settings::Settings;
use crate::{FetchConfig, FetchConfigError, classify, descriptors};

/// How long a kept connection may take to be ready before a fresh one is opened instead.
const READY: Duration = Duration::from_secs(1);

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

/// A field that asks for the page under a condition.
pub(crate) type Condition = (HeaderName, HeaderValue);

/// A fetch under way: what it is for, and what it leaves behind.
pub(crate) struct Fetching<'a> {
    ticket: &'a Ticket,
    settings: &'a Settings,
    /// Fields that go with the request.
    pub(crate) conditions: Vec<Condition>,
    /// Its times stand in here.
    pub(crate) clock: Clock,
    /// What the answer changes in a cookie jar.
    pub(crate) cookies: Vec<CookieChange>,
    /// What is kept of the request.
    pub(crate) keeps: Keeps,
    /// The request as it was last sent, if it is kept.
    pub(crate) sent: Option<Sent>,
    /// What holds for the file that is asked for; `None` if it is a page.
    files: Option<&'a FileRules>,
    /// The file that the body went to.
    pub(crate) file: Option<Arrived>,
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
        let settings = Settings::new(config, &cookies, &proxies)?;
        let n_slots = descriptors::room_for(config.connections.get())?;
        let pool = Arc::new(Pool::new(n_slots, config.keep_alive));
        Ok(Self {
            dialer: Dialer::new(config, &settings.limits, Slots(pool.clone()), proxies.clone())?,
            pool,
            memory: Memory::new(config.body_memory_mib.get()),
            hosts: hosts.try_map(|config| Settings::new(&config, &cookies, &proxies))?,
            proxies,
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

    /// How long a ticket's host is best left alone because its proxies failed.
    pub(crate) fn rest_of_proxies(&self, ticket: &Ticket) -> Option<Duration> {
        self.proxies.rest(ticket, &self.settings(ticket.url()).proxies)
    }

    /// Longest time for the whole fetch of `ticket`.
    pub(crate) fn total_timeout(&self, ticket: &Ticket) -> Duration {
        own_timeout(ticket).unwrap_or_else(|| self.settings(ticket.url()).limits.total)
    }

    /// Begins the fetch of `ticket`: its clock runs since `since`.
    pub(crate) fn begin<'a>(
        &'a self,
        ticket: &'a Ticket,
        since: Instant,
        files: Option<&'a FileRules>,
    ) -> Fetching<'a> {
        let settings = self.settings(ticket.url());
        let total = files.map_or(settings.limits.total, |files| files.total);
        let clock = Clock::start(since, total, own_timeout(ticket));
        Fetching {
            ticket,
            settings,
            conditions: Vec::new(),
            clock,
            cookies: Vec::new(),
            keeps: Keeps::default(),
            sent: None,
            files,
            file: None,
        }
    }

    /// Does what the ticket asks for.
    pub(crate) async fn run(&self, fetch: &mut Fetching<'_>) -> Result<Answered, Failure> {
        let mut route = self.proxies.route(fetch.ticket, &fetch.settings.proxies)?;
        while let Some(lane) = route.next() {
            match self.run_on(&lane, fetch).await {
                Err(failure) if failure.kind == FailureKind::Proxy && route.has_more() => {}
                ended => return ended,
            }
        }
        Err(Failure::new(FailureKind::Proxy, "no proxy is left"))
    }

    /// The same on one lane. A failure of its proxy means that the host never saw the request.
    async fn run_on(&self, lane: &Lane, fetch: &mut Fetching<'_>) -> Result<Answered, Failure> {
        let url = fetch.ticket.url();
        let mut first = None;
        if is_repeatable(fetch.ticket)
            && let Some(mut kept) =
                self.kept_or_first(url, lane, &mut first, &mut fetch.clock).await?
        {
            match self.head(&mut kept, true, fetch).await {
                Ok(head) => return self.rest(kept, head, fetch).await,
                Err(Lost::Failed(failure)) => return Err(failure),
                Err(Lost::DeadConnection) => {}
            }
        }
        let limits = &fetch.settings.limits;
        // Its state is fifteen times that of all else here, and few requests need it.
        let dialing = Box::pin(self.dialer.connect(url, lane, limits, &mut fetch.clock));
        let mut fresh = dialing.await?;
        if let Some(shared) = fresh.share() {
            self.pool.put(url, shared);
        }
        drop(first);
        match self.head(&mut fresh, false, fetch).await {
            Ok(head) => self.rest(fresh, head, fetch).await,
            Err(Lost::Failed(failure)) => Err(failure),
            Err(Lost::DeadConnection) => Err(Failure::new(
                FailureKind::Disconnected,
                format!("{} closed the connection at once", url.host_str()),
            )),
        }
    }

    /// Sets memory aside for a body that came from elsewhere, unless `share` is for it already.
    pub(crate) async fn hold(
        &self,
        response: Response,
        share: Option<OwnedSemaphorePermit>,
    ) -> Answered {
        let share = match share {
            Some(share) => Some(share),
            None => self.memory.take(response.body.len()).await,
        };
        (response, share)
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

    /// Sends the request, waits for the head, and takes its cookies, whatever becomes of the body.
    async fn head(
        &self,
        connection: &mut Connection,
        is_kept: bool,
        fetch: &mut Fetching<'_>,
    ) -> Result<Head<Incoming>, Lost> {
        let Fetching { ticket, settings, ref conditions, ref mut clock, ref keeps, .. } = *fetch;
        let limits = &settings.limits;
        let host = ticket.url().host_str();
        let forwarder = self.proxies.forwarder(&connection.lane, ticket.url()).cloned();
        let form = match &forwarder {
            _ if connection.is_h2() => Form::H2,
            Some(proxy) => Form::Absolute(proxy),
            None => Form::Origin,
        };
        let mut request = settings.writer.write(ticket, form).map_err(Lost::Failed)?;
        request.headers_mut().extend(conditions.iter().cloned());
        let sent = keeps.of(&request);
        fetch.sent = sent;
        let received = connection.log.received();
        let stamp = connection.log.expect_request();
        clock.times.sent_at = Some(stamp.clone());
        if !connection.is_h2() {
            connection.log.allow_until_head(limits.until_head_bytes);
        }
        let limit = clock.limit(limits.header, "fetch.header-timeout");
        match clock.within(limit, connection.send(request)).await {
            Ok(Ok(head)) => {
                connection.log.head_came();
                clock.times.head_came();
                check_head(limits, connection, &head, host).map_err(Lost::Failed)?;
                if let Some(proxy) = &forwarder {
                    proxy.answered(head.status()).map_err(Lost::Failed)?;
                }
                self.take_cookies(&head, fetch);
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
                Err(Lost::Failed(classify::head(host, limits, n_received, &error)))
            }
            Err(limit) => {
                self.pool.forget(ticket.url(), connection);
                Err(Lost::Failed(classify::head_late(host, limit)))
            }
        }
    }

    fn take_cookies(&self, head: &Head<Incoming>, fetch: &mut Fetching<'_>) {
        let fields = head.headers().get_all(SET_COOKIE).iter().map(|value| value.as_bytes());
        let jar = jar(fetch.ticket).map(|name| &**name);
        fetch.cookies.extend(self.cookies.take(jar, fetch.ticket.url(), fields, now_ms()));
    }

    /// Reads what follows the head, and gives the connection back if it is still good.
    async fn rest(
        &self,
        connection: Connection,
        head: Head<Incoming>,
        fetch: &mut Fetching<'_>,
    ) -> Result<Answered, Failure> {
        let Fetching { ticket, settings, files, ref mut clock, .. } = *fetch;
        settings.check_type(ticket, &head, files)?;
        let status = head.status().as_u16();
        let version = version(head.version());
        let headers = fields(head.headers());
        let remote = Some(connection.remote).filter(|_| connection.lane.ends_at_host());
        let is_reusable = is_reusable(&head);
        // Whatever is not the file itself is read as a page.
        let files = files.filter(|_| head.status() == StatusCode::OK);
        let limits = settings.body_limits(ticket, files);
        let most = files.map_or(limits.bytes, |_| 2 * PART);
        let share = self.memory.share(&head, most).await;
        let media_type = files.map(|_| media_type(&head));
        let mut file = match files {
            Some(rules) => Some(FileBody::begin(rules).await?),
            None => None,
        };
        let body = body::read(head, limits, clock, file.as_mut()).await;
        if body.truncated.is_none() && is_reusable {
            self.pool.put(ticket.url(), connection);
        }
        let body::Body { bytes, truncated } = body;
        if let (Some(file), Some(kind)) = (file, FileRules::kind(ticket)) {
            let media_type = media_type.unwrap_or_default();
            fetch.file = file.end(truncated.is_none(), kind, ticket.url(), media_type).await?;
        }
        Ok((Response { status, version, headers, body: bytes, truncated, remote }, share))
    }
}

/// `Content-Type` without parameters, in lower case; empty if there is none.
fn media_type(head: &Head<Incoming>) -> String {
    let value = head.headers().get(CONTENT_TYPE).map(|value| essence(value.as_bytes()));
    String::from_utf8_lossy(value.unwrap_or_default()).to_ascii_lowercase()
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

/// The longest time for the whole fetch, if the request has one of its own.
fn own_timeout(ticket: &Ticket) -> Option<Duration> {
    match ticket.errand() {
        Errand::Page(page) => page.options().timeout,
        Errand::Robots { .. } => None,
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
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (Box::from(name.as_str()), values.split_to(value.len()))
    };
    headers.iter().map(field).collect()
}
