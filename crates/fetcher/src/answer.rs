//! What a fetch gave, with the times that politeness is reckoned by.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crawl_model::{
    Arrived, CookieChange, Failure, Fetched, Health, HostFree, Response, Sent, Ticket, TicketId,
    Timing,
};
use tokio::sync::OwnedSemaphorePermit;

use crate::clock::Times;
use crate::exchange::Answered;

/// A `Retry-After` beyond this is cut: so that no sum of times overflows, and because what is
/// that far off is a "never" that the frontier's own limit decides.
const LONGEST_REST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The answer to a ticket.
#[derive(Debug)]
pub struct Answer {
    /// What came.
    pub reply: Result<Response, Failure>,
    /// How long the host asked to be left alone: `Retry-After` of a 429 or 503
    /// (RFC 9110, section 10.2.3; RFC 6585, section 4). `None` for other statuses: with a
    /// redirect it speaks of the target, not of the host.
    pub rest: Option<Duration>,
    /// When the request's first byte was written to the socket; `None` if none ever was.
    pub sent_at: Option<Instant>,
    /// The same in milliseconds since the Unix epoch; when the fetch began if nothing was sent.
    pub sent_ms: u64,
    /// The same in microseconds.
    pub sent_us: u64,
    /// When the last body byte was read, or the attempt given up.
    pub done_at: Instant,
    /// From the start of the fetch (name lookup included) to `done_at`.
    pub elapsed: Duration,
    /// How long each phase took.
    pub timing: Timing,
    /// What it changed in the cookie jars.
    pub cookies: Vec<CookieChange>,
    /// The request, if it is to be kept.
    pub(crate) sent: Option<Sent>,
    /// The file that the body went to.
    pub(crate) file: Option<Arrived>,
    /// The body's share of the memory; the ticket takes it along.
    pub(crate) share: Option<OwnedSemaphorePermit>,
}

impl Answer {
    /// Takes the times of a fetch that began at `started` and is over now.
    pub(crate) fn now(reply: Result<Answered, Failure>, started: Instant, times: &Times) -> Self {
        let (reply, share) = match reply {
            Ok((response, share)) => (Ok(response), share),
            Err(failure) => (Err(failure), None),
        };
        let done_at = Instant::now();
        let sent_at = times.sent();
        let body = times.head_at.map(|head_at| done_at.saturating_duration_since(head_at));
        let wall = SystemTime::now();
        let ago = done_at.saturating_duration_since(sent_at.unwrap_or(started));
        let sent = wall.checked_sub(ago).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let sent_us = sent.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        let sent_ms = sent_us / 1000;
        let rest = reply.as_ref().ok().and_then(|response| rest(response, wall));
        let elapsed = done_at.saturating_duration_since(started);
        let (timing, cookies) = (Timing { body, ..times.phases }, Vec::new());
        let (sent, file) = (None, None);
        Self {
            reply,
            rest,
            sent_at,
            sent_ms,
            sent_us,
            done_at,
            elapsed,
            timing,
            cookies,
            sent,
            file,
            share,
        }
    }

    /// What the frontier is told.
    pub(crate) fn host_free(&self, id: TicketId) -> HostFree {
        HostFree {
            id,
            sent_at: self.sent_at,
            done_at: self.done_at,
            rest: self.rest,
            latency: self.timing.first_byte,
            health: health(&self.reply),
            remote: self.reply.as_ref().ok().and_then(|r| Some(r.remote?.ip())),
        }
    }

    /// What the parser is given.
    pub(crate) fn into_fetched(self, mut ticket: Ticket) -> Fetched {
        let Self {
            reply, rest, sent_ms, sent_us, elapsed, timing, cookies, sent, file, share, ..
        } = self;
        if let Some(sent) = sent {
            ticket.note_sent(Sent { at_us: sent_us, ..sent });
        }
        if let Some(file) = file {
            ticket.note_file(file);
        }
        if let Some(share) = share {
            ticket.reserve(share);
        }
        Fetched { ticket, reply, rest, sent_ms, elapsed, timing, cookies }
    }
}

/// What the answer says of its host. One that sent a head which we did not want has answered
/// well.
fn health(reply: &Result<Response, Failure>) -> Health {
    match reply {
        Ok(response) => match response.status {
            429 | 503 => Health::Overloaded,
            500.. => Health::Failing,
            _ => Health::Good,
        },
        Err(failure) => failure.kind.health(),
    }
}

/// `Retry-After`, in seconds or as a date.
fn rest(response: &Response, now: SystemTime) -> Option<Duration> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    let value = response.header("retry-after")?;
    let rest = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(rest.min(LONGEST_REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, value: &'static str, expected: Option<u64>) {
        let response = Response {
            status,
            version: "HTTP/1.1",
            headers: vec![("retry-after".into(), value.into())],
            body: bytes::Bytes::new(),
            truncated: None,
            remote: None,
        };
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(rest(&response, now).map(|rest| rest.as_secs()), expected, "{status} {value}");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        check(429, "120", Some(120));
        check(503, " 7 ", Some(7));
        check(503, "Sun, 06 Nov 1994 08:51:37 GMT", Some(120));
        check(503, "Sunday, 06-Nov-94 08:50:37 GMT", Some(60));
        check(503, "Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
        check(429, "99999999999999999999999", Some(LONGEST_REST.as_secs()));
    }

    #[test]
    fn what_is_no_retry_after_is_none() {
        for (status, value) in [(200, "120"), (301, "120"), (500, "1"), (429, "soon"), (503, "-1")]
        {
            check(status, value, None);
        }
        check(429, "", None);
        check(429, "1.5", None);
    }
}
