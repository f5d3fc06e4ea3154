//! The settle log: what happened to URLs, in the one order that counts.
//!
//! The frontier's state is a fold over these events and the limits in force, so replaying them
//! after a kill gives exactly the state before it.

use serde::{Deserialize, Serialize};

use crate::{FilterReason, Fingerprint, Host, Request, Verdict};

/// A URL was found, on a page or as a seed, that was not known when its page was parsed.
///
/// Two pages settled in one batch may both bring the same URL; the first admitted one counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its fingerprint.
    pub print: Fingerprint,
    /// What is to be fetched.
    pub request: Request,
    /// `None` if it was admitted.
    pub filtered: Option<FilterReason>,
    /// Whether it has ended before and is asked for again: then it waits anew, and of how it ended
    /// nothing counts any more. Of a URL that has not ended it says nothing new.
    pub renews: bool,
}

/// One entry of the settle log.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A URL was found. Boxed, for it is many times the size of the others.
    Found(Box<Found>),
    /// A URL ended, as the `n`-th of the crawl.
    Settled {
        /// The settle number, from 1, without gaps.
        n: u64,
        /// Which.
        print: Fingerprint,
        /// The host that its request went to, or would have gone to.
        host: Host,
        /// How.
        verdict: Verdict,
        /// When: milliseconds since the Unix epoch.
        at_ms: u64,
        /// Until when its host asked to be left alone (`Retry-After`), same clock; 0 if it did not.
        rest_until_ms: u64,
    },
    /// A URL will be tried again.
    Retried {
        /// Which.
        print: Fingerprint,
        /// The host that its request went to.
        host: Host,
        /// How often it has been tried.
        attempt: u32,
        /// When: milliseconds since the Unix epoch.
        at_ms: u64,
        /// Until when its host asked to be left alone, same clock; 0 if it did not.
        rest_until_ms: u64,
    },
    /// A URL that was admitted ended without being tried.
    Filtered {
        /// Which.
        print: Fingerprint,
        /// Why.
        reason: FilterReason,
    },
}

/// A place in the settle log, between two commits: all before it is durable.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogPosition {
    /// Number of the segment file, from 1; 0 before the first one.
    pub segment: u32,
    /// Bytes of that file that lie before the place.
    pub offset: u64,
    /// Last settle number before the place; 0 if there is none.
    pub n: u64,
}
