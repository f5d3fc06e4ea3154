//! One request and its response, on a kept connection if there is one.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crawl_model::{CanonicalUrl, Errand, Failure, FailureKind, Method, Response, Ticket};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response as Head, Version};
use tokio::sync::OwnedSemaphorePermit;

use crate::body::{self, BodyLimits, Memory};
use crate::clock::Clock;
use crate::config::Limits;
use crate::connect::{Connection, Dialer};
use crate::media::{MediaTypes, essence};
use crate::message::Writer;
use crate::pool::Pool;
use crate::wire::SentAt;
use crate::{FetchConfig, FetchConfigError, classify};

/// Least body limit of a robots.txt: what must be parsed of one (RFC 9309, section 2.5).
const ROBOTS_BYTES: usize = 512 * 1024;

/// How long a kept connection may take to be ready before a fresh one is opened instead.
const READY: std::time::Duration = std::time::Duration::from_secs(1);

/// All that fetches share.
pub(crate) struct Exchange {
    limits: Arc<Limits>,
    dialer: Dialer,
    pool: Arc<Pool>,
    writer: Writer,
    wanted: MediaTypes,
    memory: Memory,
}

/// A response, with the share of memory that its body takes.
pub(crate) type Answered = (Response, Option<OwnedSemaphorePermit>);

/// A field that goes with a request.
pub(crate) type Condition = (HeaderName, HeaderValue);

/// Why there is no response head.
enum Lost {
    /// The kept connection was dead: nothing came back, and the request may be sent again.
    DeadConnection,
    /// For all other reasons.
    Failed(Failure),
}

impl Exchange {
    pub(crate) fn new(config: &FetchConfig) -> Result<Self, FetchConfigError> {
        let limits = Arc::new(Limits::new(config)?);
        let n_idle = usize::try_from(config.connections.get()).unwrap_or(usize::MAX);
        Ok(Self {
            dialer: Dialer::new(config, limits.clone())?,
            pool: Arc::new(Pool::new(n_idle, config.keep_alive)),
            writer: Writer::new(config)?,
            wanted: MediaTypes::new(&config.content_types)?,
            memory: Memory::new(config.body_memory_mib.get()),
            limits,
        })
    }

    /// The pool, to be looked into.
    #[cfg(test)]
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Does what `ticket` asks for. `sent_at` becomes the stamp of the last request sent.
    /// `conditions` are fields that go with it.
    pub(crate) async fn run(
        &self,
        ticket: &Ticket,
        conditions: &[Condition],
        sent_at: &mut Option<SentAt>,
    ) -> Result<Answered, Failure> {
        let mut clock = Clock::start(self.total(ticket));
        let url = ticket.url();
        if is_repeatable(ticket)
            && let Some(mut kept) = self.kept(url, &mut clock).await
        {
            match self.head(&mut kept, true, (ticket, conditions), sent_at, &mut clock).await {
                Ok(head) => return self.rest(kept, head, ticket, &mut clock).await,
                Err(Lost::Failed(failure)) => return Err(failure),
                Err(Lost::DeadConnection) => {}
            }
        }
        let mut fresh = self.dialer.connect(url, &mut clock).await?;
        if let Some(shared) = fresh.share() {
            self.pool.put(url, shared);
        }
        match self.head(&mut fresh, false, (ticket, conditions), sent_at, &mut clock).await {
            Ok(head) => self.rest(fresh, head, ticket, &mut clock).await,
            Err(Lost::Failed(failure)) => Err(failure),
            Err(Lost::DeadConnection) => Err(Failure::new(
                FailureKind::Protocol,
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

    /// The longest time for the whole fetch: the request's own, if it has one.
    fn total(&self, ticket: &Ticket) -> std::time::Duration {
        match ticket.errand() {
            Errand::Page(page) => page.options().timeout.unwrap_or(self.limits.total),
            Errand::Robots { .. } => self.limits.total,
        }
    }

    /// A kept connection that takes a request now.
    async fn kept(&self, url: &CanonicalUrl, clock: &mut Clock) -> Option<Connection> {
        while let Some(mut kept) = self.pool.take(url) {
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
        connection: &mut Connection,
        is_kept: bool,
        (ticket, conditions): (&Ticket, &[Condition]),
        sent_at: &mut Option<SentAt>,
        clock: &mut Clock,
    ) -> Result<Head<Incoming>, Lost> {
        let host = ticket.url().host_str();
        let mut request = self.writer.write(ticket, connection.is_h2()).map_err(Lost::Failed)?;
        request.headers_mut().extend(conditions.iter().cloned());
        let received = connection.log.received();
        *sent_at = Some(connection.log.expect_request());
        let limit = clock.limit(self.limits.header, "fetch.header-timeout");
        let sent = clock.within(limit, connection.send(request)).await;
        match sent {
            Ok(Ok(head)) if connection.is_h2() && h2_size(&head) > self.limits.header_bytes => {
                Err(Lost::Failed(classify::header_limit(host, &self.limits)))
            }
            Ok(Ok(head)) => Ok(head),
            Ok(Err(error)) => {
                // On a shared connection other responses count as bytes, too: there it is the
                // connection's end that tells.
                let is_silent = connection.log.received() == received;
                let is_gone = connection.is_h2() && connection.is_closed();
                if is_kept && (is_silent || is_gone) {
                    return Err(Lost::DeadConnection);
                }
                Err(Lost::Failed(classify::head(host, &self.limits, &error)))
            }
            Err(limit) => {
                self.pool.forget(ticket.url(), connection);
                let detail = format!("no response head from {host} {limit}");
                Err(Lost::Failed(Failure::new(FailureKind::Timeout, detail)))
            }
        }
    }

    /// Reads what follows the head, and gives the connection back if it is still good.
    async fn rest(
        &self,
        connection: Connection,
        head: Head<Incoming>,
        ticket: &Ticket,
        clock: &mut Clock,
    ) -> Result<Answered, Failure> {
        self.check_type(ticket, &head)?;
        let status = head.status().as_u16();
        let version = version(head.version());
        let headers = fields(head.headers());
        let remote = Some(connection.remote);
        let limits = self.body_limits(ticket);
        let share = self.memory.share(&head, limits.bytes).await;
        let body = body::read(head, limits, clock).await;
        if body.truncated.is_none() && status != 101 {
            self.pool.put(ticket.url(), connection);
        }
        let body::Body { bytes, truncated } = body;
        Ok((Response { status, version, headers, body: bytes, truncated, remote }, share))
    }

    /// Refuses a page of an unwanted type before its body is read. Answers to HEAD have no body
    /// that could be unwanted, robots.txt is read whatever it claims to be, and what is not 2xx
    /// tells its status.
    fn check_type(&self, ticket: &Ticket, head: &Head<Incoming>) -> Result<(), Failure> {
        // A sitemap that was asked for as such may be a compressed file.
        let is_page = matches!(
            ticket.errand(),
            Errand::Page(page) if page.method != Method::Head && !page.is_sitemap()
        );
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
        let bytes = match ticket.errand() {
            Errand::Page(_) => limits.body_bytes,
            Errand::Robots { .. } => limits.body_bytes.max(ROBOTS_BYTES),
        };
        BodyLimits { bytes, ratio: limits.ratio, idle: limits.idle }
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
