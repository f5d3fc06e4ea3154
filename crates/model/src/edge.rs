//! What stands on the pipeline's edges, hop by hop.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{
    Archived, CookieChange, Ending, Failure, FilterReason, Fingerprint, Found, Health, LogPosition,
    Origin, PageItems, PageRecord, Response, RobotsReply, Spent, Ticket, TicketId, Timing, Verdict,
};

/// Fetcher to parser: the answer to a ticket.
#[derive(Debug)]
pub struct Fetched {
    /// The ticket, still open.
    pub ticket: Ticket,
    /// What came.
    pub reply: Result<Response, Failure>,
    /// How long the host asked to be left alone: `Retry-After` (RFC 9110, section 10.2.3).
    pub rest: Option<Duration>,
    /// When the request was sent: milliseconds since the Unix epoch.
    pub sent_ms: u64,
    /// From the start of the fetch (name lookup included) to the last body byte.
    pub elapsed: Duration,
    /// How long each phase took.
    pub timing: Timing,
    /// What it changed in the cookie jars.
    pub cookies: Vec<CookieChange>,
}

/// Fetcher to frontier, at the last body byte: the host has nothing more in hand for us.
#[derive(Debug, Clone)]
pub struct HostFree {
    /// Whose request it was.
    pub id: TicketId,
    /// When the request's first byte was written to the socket; `None` if none ever was.
    pub sent_at: Option<Instant>,
    /// When the last body byte was read, or the attempt given up.
    pub done_at: Instant,
    /// How long the host asked to be left alone.
    pub rest: Option<Duration>,
    /// From the request's first byte sent to the response's head; `None` if no head came.
    pub latency: Option<Duration>,
    /// What the attempt says of the host.
    pub health: Health,
    /// Who answered; `None` if nobody did, or a proxy stood between.
    pub remote: Option<IpAddr>,
}

/// Parser to store: all that a ticket brought, to be settled as one.
#[derive(Debug)]
pub struct Parsed {
    /// The ticket, still open.
    pub ticket: Ticket,
    /// What became of it.
    pub ending: Ending,
    /// The response, for archive and page stream; `None` if there was none.
    pub response: Option<Response>,
    /// What is kept of a settled page. Its `n`, `n_items` and body pointer are the store's to fill.
    pub record: PageRecord,
    /// What the spider took, after all steps.
    pub items: PageItems,
    /// The links that were not known.
    pub found: Vec<Found>,
    /// What the answer changed in the cookie jars.
    pub cookies: Vec<CookieChange>,
    /// The answer's records for the archive; `None` if it is not archived.
    pub archived: Option<Archived>,
}

/// What the store's writer takes.
#[derive(Debug)]
pub enum Entry {
    /// A ticket's page, robots.txt or failure.
    Parsed(Box<Parsed>),
    /// URLs without a page of their own.
    Found {
        /// The URLs.
        found: Vec<Found>,
        /// Where they come from.
        source: Source,
    },
    /// URLs that the frontier ended without a fetch.
    Ended(Vec<(Fingerprint, EndedBy)>),
    /// How far a feed has got: settle number and length of its file in bytes.
    FeedCursor {
        /// The feed's name.
        feed: Arc<str>,
        /// Last settle number whose items are in the file.
        n: u64,
        /// Bytes that are good.
        len: u64,
        /// What else the feed has to know when it goes on; the store only keeps it.
        state: String,
    },
}

/// Where URLs come from that have no settled page yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Seeds, judged and sent by the frontier, which counts them as pending till they are durable.
    Seeds,
    /// An early part of a huge page's links, sent by the parser; the page itself follows.
    Page,
}

/// How the frontier ended a URL by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum EndedBy {
    /// Never tried: recorded as filtered.
    Filter(FilterReason),
    /// Given up: settles with a record of its own.
    Verdict(Verdict, Box<PageRecord>),
}

/// Store to frontier, once the batch is durable. Exactly one per ticket that was not abandoned.
#[derive(Debug)]
pub enum Outcome {
    /// The URL has ended.
    Settled {
        /// The ticket.
        spent: Spent,
        /// How.
        verdict: Verdict,
        /// Items that there are more now than before: fewer, maybe, of a page that was there.
        n_items: i64,
        /// New URLs.
        found: Vec<Found>,
    },
    /// The URL is to be tried again.
    Retry {
        /// The ticket.
        spent: Spent,
        /// How long the host asked to be left alone.
        rest: Option<Duration>,
    },
    /// A robots.txt was answered.
    Robots {
        /// The ticket.
        spent: Spent,
        /// Whose rules they are.
        origin: Origin,
        /// What they are.
        reply: RobotsReply,
    },
    /// URLs without a page of their own are durable. One per [`Entry::Found`], in order.
    Found {
        /// The URLs.
        found: Vec<Found>,
        /// Where they come from.
        source: Source,
    },
    /// Ends that the frontier decided are durable. One per [`Entry::Ended`], in order.
    Ended(Vec<(Fingerprint, EndedBy)>),
    /// All that the settle log holds before this place has been told. Sent once per commit that
    /// wrote to the log, behind what the commit had to tell.
    Committed(LogPosition),
}

impl HostFree {
    /// The end of an attempt that never reached the server.
    #[must_use]
    pub fn unsent(id: TicketId) -> Self {
        Self {
            id,
            sent_at: None,
            done_at: Instant::now(),
            rest: None,
            latency: None,
            health: Health::Unknown,
            remote: None,
        }
    }
}
