//! Judges an answer: settled, or tried again.
//!
//! Pure, because two stages must come to the same judgement: the parser, which reads the page,
//! and the frontier, which plans the next try.

use std::time::Duration;

use crate::{CanonicalUrl, Errand, Failure, Response, Truncation, Verdict};

/// What became of a ticket.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The URL has ended.
    Settled {
        /// How.
        verdict: Verdict,
        /// How long its host asked to be left alone.
        rest: Option<Duration>,
    },
    /// The URL is to be tried again.
    Retry {
        /// What happened, for people.
        cause: String,
        /// How long its host asked to be left alone.
        rest: Option<Duration>,
    },
    /// The answer to a robots errand.
    Robots(RobotsReply),
}

/// What asking for a robots.txt gave (RFC 9309, section 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsReply {
    /// 2xx: these rules hold.
    Rules(bytes::Bytes),
    /// 4xx but 429: all is allowed.
    AllowAll,
    /// 3xx: ask there.
    Redirect(CanonicalUrl),
    /// 5xx, 429, no answer: nothing is allowed until it is asked again.
    Unreachable {
        /// What happened, for people.
        cause: String,
        /// How long the host asked to be left alone.
        rest: Option<Duration>,
    },
}

/// Judges the answer to a page's errand, spider and redirects aside: a 3xx with a `Location` is
/// [`Verdict::Redirected`] here, whatever its target.
///
/// A status that the request itself accepts ([`FetchOptions::accept`](crate::FetchOptions)) is a
/// success: the verdict is [`Verdict::Ok`], the record tells the status.
///
/// Statuses that are tried again are those of Scrapy's `RETRY_HTTP_CODES`: 408, 429, 500, 502,
/// 503, 504, 522, 524. A body cut by a lost connection is tried again and kept as truncated the
/// last time; one cut by a limit would be cut again and is kept at once.
#[must_use]
pub fn settle(
    errand: &Errand,
    is_last_attempt: bool,
    reply: &Result<Response, Failure>,
    rest: Option<Duration>,
) -> Ending {
    let (verdict, transient, cause) = match reply {
        Err(failure) => {
            (failure.kind.verdict(), failure.kind.is_transient(), failure.detail.clone())
        }
        Ok(response) if accepts(errand, response) => {
            let (verdict, cut) = (accepted(response), response.truncated);
            let cause = cut.map_or_else(String::new, cut_short);
            (verdict, cut.is_some_and(Truncation::is_transient), cause)
        }
        Ok(response) => judge(response),
    };
    if transient && !is_last_attempt && may_repeat(errand) {
        Ending::Retry { cause, rest }
    } else {
        Ending::Settled { verdict, rest }
    }
}

fn cut_short(why: Truncation) -> String {
    format!("the body was cut short ({})", why.name())
}

/// Whether the request asked for this status by [`FetchOptions::accept`](crate::FetchOptions).
fn accepts(errand: &Errand, response: &Response) -> bool {
    match errand {
        Errand::Page(request) => request.options().accept.contains(&response.status),
        Errand::Robots { .. } => false,
    }
}

/// How a response ends its URL whose status was asked for: as a 2xx would. A redirect that was
/// asked for is a page, too, and not followed.
fn accepted(response: &Response) -> Verdict {
    response.truncated.map_or(Verdict::Ok, Truncation::verdict)
}

fn judge(response: &Response) -> (Verdict, bool, String) {
    let status = response.status;
    let verdict = verdict_of(response);
    let transient = matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 522 | 524);
    let cut = response.truncated.filter(|_| verdict.is_truncated());
    let cause = match cut {
        Some(why) => cut_short(why),
        None => format!("status {status}"),
    };
    (verdict, transient || cut.is_some_and(Truncation::is_transient), cause)
}

/// How a response ends its URL if it is the last one. A 3xx without a `Location` is an error.
#[must_use]
pub fn verdict_of(response: &Response) -> Verdict {
    match response.status {
        200..=299 => accepted(response),
        301 | 302 | 303 | 307 | 308 if response.location().is_some() => Verdict::Redirected,
        // To a condition of the spider's own; one of the cache's never comes this far.
        304 => Verdict::NotModified,
        401 | 407 => Verdict::AuthRequired,
        429 => Verdict::RateLimited,
        // What is no status at all counts as one of these (RFC 9110, section 15).
        500.. => Verdict::ServerError,
        _ => Verdict::HttpError,
    }
}

/// A POST may have been acted on, so it is sent again only when nothing can have arrived; the
/// crawl does not know, so never.
fn may_repeat(errand: &Errand) -> bool {
    match errand {
        Errand::Page(request) => request.method != crate::Method::Post,
        Errand::Robots { .. } => true,
    }
}

/// Judges the answer to a robots ticket at `url` (RFC 9309, sections 2.3.1.1 to 2.3.1.4).
#[must_use]
pub fn robots_reply(
    url: &CanonicalUrl,
    reply: &Result<Response, Failure>,
    rest: Option<Duration>,
) -> RobotsReply {
    let response = match reply {
        Ok(response) => response,
        Err(failure) => return RobotsReply::Unreachable { cause: failure.detail.clone(), rest },
    };
    match response.status {
        200..=299 => RobotsReply::Rules(response.body.clone()),
        300..=399 => match response.location().map(|to| url.join(&to)) {
            Some(Ok(target)) => RobotsReply::Redirect(target),
            _ => RobotsReply::AllowAll,
        },
        429 => RobotsReply::Unreachable { cause: "status 429".to_owned(), rest },
        400..=499 => RobotsReply::AllowAll,
        status => RobotsReply::Unreachable { cause: format!("status {status}"), rest },
    }
}
