//! What is known of an origin's robots.txt, and what that says of a URL (RFC 9309).
//!
//! Pure: the scheduler asks for the file by a ticket of its own and hands the answer in here.

use std::time::{Duration, Instant};

use crawl_model::{CanonicalUrl, Origin};
use crawl_robots::{Robots, Rules};

use crate::queue::Queued;

/// How long an answer holds (RFC 9309, section 2.4).
pub(crate) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Redirects followed (RFC 9309, section 2.3.1.2).
pub(crate) const MAX_HOPS: u8 = 5;

/// One origin of a host.
#[derive(Debug)]
pub(crate) struct OriginGate {
    pub(crate) origin: Origin,
    pub(crate) standing: Standing,
    /// URLs that wait for the answer.
    pub(crate) waiting: Vec<Queued>,
}

/// What is known of the rules.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Nothing.
    Unknown,
    /// Exactly one errand for it is queued, delayed or open.
    Asking {
        /// Failed tries so far.
        tries: u32,
    },
    /// These hold; without rules, all is allowed.
    Rules {
        /// The agent's group.
        rules: Rules,
        /// Till when.
        until: Instant,
    },
    /// All tries failed: nothing is allowed.
    Unreachable {
        /// Why, for people.
        cause: String,
        /// Till when nobody asks again.
        until: Instant,
    },
}

/// What the gate says of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Pass,
    Disallowed,
    /// Somebody must ask for the rules first.
    Ask,
    /// Somebody is asking.
    Wait,
    /// The rules cannot be had, for this reason.
    Unreachable(String),
}

impl OriginGate {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, standing: Standing::Unknown, waiting: Vec::new() }
    }

    /// Whether it is the gate of an URL with this scheme and port, the host taken as given.
    pub(crate) fn is_of(&self, https: bool, port: u16) -> bool {
        self.origin.is_https() == https && self.origin.port() == port
    }

    pub(crate) fn judge(&self, url: &CanonicalUrl, now: Instant) -> Gate {
        match &self.standing {
            Standing::Rules { rules, until } if now < *until => {
                if rules.allows(url.path_and_query()) { Gate::Pass } else { Gate::Disallowed }
            }
            Standing::Unreachable { cause, until } if now < *until => {
                Gate::Unreachable(cause.clone())
            }
            Standing::Asking { .. } => Gate::Wait,
            Standing::Unknown | Standing::Rules { .. } | Standing::Unreachable { .. } => Gate::Ask,
        }
    }
}

impl Standing {
    /// The rules of `robots_txt` for `agent`.
    pub(crate) fn rules(robots_txt: &[u8], agent: &str, until: Instant) -> Self {
        Self::Rules { rules: Robots::parse(robots_txt).rules(agent), until }
    }

    /// No rules at all (RFC 9309, section 2.3.1.3).
    pub(crate) fn allow_all(until: Instant) -> Self {
        Self::Rules { rules: Rules::allow_all(), until }
    }

    /// The agent's `Crawl-delay`, cut to `cap`; zero if there is none.
    pub(crate) fn crawl_delay(&self, cap: Duration) -> Duration {
        let Self::Rules { rules, .. } = self else { return Duration::ZERO };
        let seconds = rules.crawl_delay().unwrap_or(0.0);
        Duration::try_from_secs_f64(seconds).map_or(
            // Not a length of time: negative is none, beyond measure is the longest.
            if seconds > 0.0 { cap } else { Duration::ZERO },
            |delay| delay.min(cap),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_for_its_time_and_is_asked_for_again() {
        let now = Instant::now();
        let mut gate = OriginGate::new(Origin::new(false, "h", 80));
        let url = CanonicalUrl::parse("http://h/private").unwrap();
        assert_eq!(gate.judge(&url, now), Gate::Ask);
        gate.standing = Standing::Asking { tries: 0 };
        assert_eq!(gate.judge(&url, now), Gate::Wait);
        let text = b"User-agent: *\nDisallow: /private\nCrawl-delay: 90\n";
        gate.standing = Standing::rules(text, "bot", now + LIFETIME);
        assert_eq!(gate.judge(&url, now), Gate::Disallowed);
        assert_eq!(gate.judge(&CanonicalUrl::parse("http://h/").unwrap(), now), Gate::Pass);
        assert_eq!(gate.judge(&url, now + LIFETIME), Gate::Ask);
        let cap = Duration::from_secs(30);
        assert_eq!(gate.standing.crawl_delay(cap), cap);
        assert_eq!(Standing::allow_all(now).crawl_delay(cap), Duration::ZERO);
    }
}
