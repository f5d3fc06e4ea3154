//! When something is due: delayed tries, and the rate of the whole crawl.
//!
//! A host's clock is plain arithmetic on instants, not governor's: a governor cell is charged
//! when it is checked, but a host must be charged at the instant its request was really sent,
//! which is known only later. With a burst of one, both are the same formula. The rate over all
//! hosts is governor's.
//!
//! Pure: "now" is always an argument. Not here: which host is due (`due`).

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crawl_model::Fingerprint;
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::config::RetryConfig;

/// Things that wait for their own time, whatever their host's clock says: tries that back off.
#[derive(Debug)]
pub(crate) struct Delayed<T>(BinaryHeap<Alarm<T>>);

#[derive(Debug)]
struct Alarm<T> {
    due: Instant,
    what: T,
}

impl<T> Default for Delayed<T> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<T> Delayed<T> {
    pub(crate) fn push(&mut self, due: Instant, what: T) {
        self.0.push(Alarm { due, what });
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.peek().map(|alarm| alarm.due)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|alarm| &alarm.what)
    }

    /// Takes all that `is_it` says, whatever their time.
    pub(crate) fn take_if(&mut self, is_it: impl Fn(&T) -> bool) -> Vec<T> {
        if !self.0.iter().any(|alarm| is_it(&alarm.what)) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.0).into_vec();
        let (taken, left): (Vec<_>, Vec<_>) = all.into_iter().partition(|alarm| is_it(&alarm.what));
        self.0 = BinaryHeap::from(left);
        taken.into_iter().map(|alarm| alarm.what).collect()
    }

    /// Takes one whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        self.due().filter(|&due| due <= now)?;
        self.0.pop().map(|alarm| alarm.what)
    }
}

/// The earlier is the greater, for a heap that gives out its greatest.
impl<T> Ord for Alarm<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl<T> PartialOrd for Alarm<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Alarm<T> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<T> Eq for Alarm<T> {}

/// How long to wait after the `attempt`-th failed try (from 1): `backoff` doubled each time, a
/// quarter more or less, so that URLs that failed together do not come back together. What the
/// chance is taken from is the URL itself: the same crawl waits the same times.
pub(crate) fn backoff(config: &RetryConfig, print: Fingerprint, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let full = config.backoff.saturating_mul(1 << doublings).min(config.max_backoff);
    let chance = f64::from((mix(print.0 ^ u64::from(attempt)) >> 32) as u32) / f64::from(u32::MAX);
    full.mul_f64(0.75 + chance / 2.0).min(config.max_backoff)
}

/// Spreads a number's bits: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The rate of the whole crawl, on governor's cell algorithm.
///
/// A burst covers 20 ms of the rate, at least one request: a timer that wakes a millisecond late
/// must not slow a crawl of hundreds of requests per second.
pub(crate) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, Steps, NoOpMiddleware<Nanos>>,
    steps: Steps,
    start: Instant,
}

impl Rate {
    /// `per_second` requests, counted from `start`.
    pub(crate) fn new(per_second: NonZeroU32, start: Instant) -> Self {
        let burst = NonZeroU32::new(per_second.get() / 50).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let steps = Steps::default();
        Self { limiter: RateLimiter::direct_with_clock(quota, steps.clone()), steps, start }
    }

    /// Takes the right to start a request at `now`.
    ///
    /// # Errors
    /// The instant to ask again, if there is none yet.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Instant> {
        self.steps.advance_to(now.saturating_duration_since(self.start));
        self.limiter.check().map_err(|not_until| {
            now + not_until.wait_time_from(self.steps.now()).max(Duration::from_nanos(1))
        })
    }
}

/// A clock for governor that stands at the last "now" the scheduler was asked at.
#[derive(Debug, Clone, Default)]
struct Steps(Arc<AtomicU64>);

impl Steps {
    fn advance_to(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(nanos, Memory::Relaxed);
    }
}

impl Clock for Steps {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Memory::Relaxed).into()
    }
}

/// The contract that [`Rate::check`] leans on, checked by the compiler.
const _: fn() = || {
    fn is_reference<T: Reference>() {}
    is_reference::<Nanos>();
};

/// Two readings of one moment: the clock of the wall and that of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    /// Milliseconds since the Unix epoch.
    pub(crate) ms: u64,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { now: now(), ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
    }

    /// How long it is from here to a wall-clock time; `None` if that has passed.
    pub(crate) fn ahead(self, ms: u64) -> Option<Duration> {
        let ahead = ms.saturating_sub(self.ms);
        (ahead > 0).then(|| Duration::from_millis(ahead))
    }

    /// The wall-clock time of an instant.
    pub(crate) fn millis(self, at: Instant) -> u64 {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match at.checked_duration_since(self.now) {
            Some(after) => self.ms.saturating_add(millis(after)),
            None => self.ms.saturating_sub(millis(self.now.duration_since(at))),
        }
    }

    /// The instant of a wall-clock time that has passed; this moment if it has not, for the clock
    /// may have been set back. `None` if no instant tells it.
    pub(crate) fn back(self, ms: u64) -> Option<Instant> {
        self.now.checked_sub(Duration::from_millis(self.ms.saturating_sub(ms)))
    }

    /// The instant of a wall-clock time to come; `None` if it had passed. What no instant can
    /// tell is a hundred years off.
    pub(crate) fn instant(self, ms: u64) -> Option<Instant> {
        self.ahead(ms).map(|ahead| self.now + ahead.min(CENTURY))
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// The process' clock; tokio's, so that a paused runtime is one for the whole frontier.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_within_a_quarter_and_is_capped() {
        let config = RetryConfig {
            max_attempts: 9,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(10),
        };
        for print in 0..200 {
            for (attempt, full) in [(1, 1.0), (2, 2.0), (3, 4.0)] {
                let wait = backoff(&config, Fingerprint(print), attempt).as_secs_f64();
                assert!((0.75 * full..=1.25 * full).contains(&wait), "{attempt}: {wait}");
            }
            let wait = backoff(&config, Fingerprint(print), 40).as_secs_f64();
            assert!((7.5..=10.0).contains(&wait), "{wait}");
        }
        assert_ne!(backoff(&config, Fingerprint(1), 1), backoff(&config, Fingerprint(2), 1));
    }

    #[test]
    fn the_rate_holds_over_a_second_even_if_asked_late() {
        let start = Instant::now();
        let rate = Rate::new(NonZeroU32::new(500).unwrap(), start);
        let mut started = 0;
        // A timer that wakes every 3 ms, where 2 ms would be right.
        for turn in 0..334 {
            let now = start + Duration::from_millis(3 * turn);
            while rate.check(now).is_ok() {
                started += 1;
            }
        }
        assert!((495..=511).contains(&started), "{started}");
    }

    #[test]
    fn a_slow_rate_has_no_bursts() {
        let start = Instant::now();
        let rate = Rate::new(NonZeroU32::new(2).unwrap(), start);
        assert_eq!(rate.check(start), Ok(()));
        let due = rate.check(start).unwrap_err();
        assert_eq!(due, start + Duration::from_millis(500));
        assert_eq!(rate.check(due), Ok(()));
        assert!(rate.check(due).is_err());
        let later = start + Duration::from_secs(100);
        assert_eq!(rate.check(later), Ok(()));
        assert!(rate.check(later).is_err());
    }
}
