//! When a host may be asked again: the politeness of fetches that no frontier orders.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// One host: how many requests it may have open, and when the next one may start.
#[derive(Debug)]
pub(super) struct HostState {
    /// `politeness.per-host` of them.
    pub(super) turns: Semaphore,
    pace: Mutex<Pace>,
}

/// The times that requests are spaced by. Of one host, or of all together.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the last request went out.
    last: Option<Instant>,
    /// Least time till the next one.
    delay: Duration,
    /// What the host asked for by `Retry-After`.
    not_before: Option<Instant>,
}

/// Beyond a year it makes no difference, and no sum of times overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl HostState {
    pub(super) fn new(per_host: usize, delay: Duration) -> Self {
        let pace = Pace { delay, ..Pace::default() };
        Self { turns: Semaphore::new(per_host), pace: Mutex::new(pace) }
    }

    /// Counts a request that starts now, if one may; else says when.
    pub(super) fn start(&self, now: Instant) -> Result<(), Instant> {
        self.with(|pace| pace.start(now))
    }

    /// Tells when the last request was written, and what the host asked for.
    pub(super) fn sent(&self, sent_at: Option<Instant>, done_at: Instant, rest: Option<Duration>) {
        self.with(|pace| {
            pace.last = pace.last.max(sent_at);
            pace.not_before = pace.not_before.max(rest.map(|rest| done_at + rest.min(LONGEST)));
        });
    }

    /// Raises the delay to what robots.txt asks for.
    pub(super) fn slow_down(&self, delay: Duration) {
        self.with(|pace| pace.delay = pace.delay.max(delay));
    }

    /// Whether nothing would change if it were forgotten.
    pub(super) fn is_rested(&self, now: Instant) -> bool {
        self.with(|pace| pace.due().is_none_or(|due| due <= now))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Pace) -> T) -> T {
        // What a panic may have left is a time, and any time will do.
        change(&mut self.pace.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Pace {
    /// So many a second; 0: as many as come.
    pub(super) fn per_second(rate: u32) -> Self {
        let delay = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        Self { delay, ..Self::default() }
    }

    pub(super) fn start(&mut self, now: Instant) -> Result<(), Instant> {
        self.check(now)?;
        self.last = Some(now);
        Ok(())
    }

    /// Whether a request may start; if not, when.
    pub(super) fn check(&self, now: Instant) -> Result<(), Instant> {
        match self.due() {
            Some(due) if due > now => Err(due),
            _ => Ok(()),
        }
    }

    /// When the next request may go out; `None`: at any time. A little later than the delay says:
    /// the server's clock counts from when it reads a request, ours from when it was written.
    fn due(&self) -> Option<Instant> {
        let delay = self.delay.min(LONGEST);
        let more = if delay.is_zero() { Duration::ZERO } else { Duration::from_millis(1) };
        let spaced = self.last.map(|last| last + delay + delay / 50 + more);
        spaced.max(self.not_before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn starts_are_spaced_whoever_asks() {
        let host = HostState::new(4, SECOND);
        let now = Instant::now();
        assert_eq!(host.start(now), Ok(()));
        let due = host.start(now).unwrap_err();
        assert!(due > now + SECOND && due < now + SECOND + SECOND / 10);
        assert_eq!(host.start(due), Ok(()));
        assert!(host.start(due).is_err());
        // What was written late is counted late.
        host.sent(Some(due + SECOND), due + SECOND, None);
        assert!(host.start(due + SECOND + SECOND / 2).is_err());
    }

    #[test]
    fn a_host_that_asks_for_rest_gets_it() {
        let host = HostState::new(1, Duration::ZERO);
        let now = Instant::now();
        assert_eq!((host.start(now), host.start(now)), (Ok(()), Ok(())));
        host.sent(Some(now), now, Some(7 * SECOND));
        assert_eq!(host.start(now), Err(now + 7 * SECOND));
        assert!(!host.is_rested(now) && host.is_rested(now + 7 * SECOND));
        host.sent(None, now, Some(Duration::MAX));
        assert!(!host.is_rested(now + 8 * SECOND));
    }

    #[test]
    fn a_rate_is_kept_over_all_hosts() {
        let mut pace = Pace::per_second(100);
        let now = Instant::now();
        assert_eq!(pace.start(now), Ok(()));
        assert!(pace.start(now + Duration::from_millis(9)).is_err());
        assert_eq!(pace.start(now + Duration::from_millis(12)), Ok(()));
        let mut free = Pace::per_second(0);
        assert_eq!((free.start(now), free.start(now)), (Ok(()), Ok(())));
    }
}
