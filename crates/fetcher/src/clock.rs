//! Time limits of one fetch, one timer for all phases, and the times that they took.
//!
//! Arming a timer costs more than reading the clock, and nearly all of them never fire. So
//! there is one per fetch; it is moved only when a phase must end sooner than what it stands
//! at, and looks again when it fires early.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crawl_model::Timing;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::wire::SentAt;

/// When something began and must be done, and which key of the config says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// When it began.
    pub(crate) since: Instant,
    /// The latest moment.
    pub(crate) at: Instant,
    /// The time that was given.
    pub(crate) span: Duration,
    /// The key, with its table.
    pub(crate) key: &'static str,
}

/// Holds one fetch to its time limits.
#[derive(Debug)]
pub(crate) struct Clock {
    total: Limit,
    sleep: Pin<Box<Sleep>>,
    /// The phases that were measured so far.
    pub(crate) times: Times,
}

/// The times of one fetch.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// All but the body, whose end is the fetch's.
    pub(crate) phases: Timing,
    /// When the last request's first byte was written.
    pub(crate) sent_at: Option<SentAt>,
    /// When the response's head was there.
    pub(crate) head_at: Option<std::time::Instant>,
}

impl Times {
    /// When the last request's first byte was written; `None` if none ever was.
    pub(crate) fn sent(&self) -> Option<std::time::Instant> {
        self.sent_at.as_ref()?.get().copied()
    }

    /// The head of the response is there.
    pub(crate) fn head_came(&mut self) {
        let now = std::time::Instant::now();
        self.head_at = Some(now);
        self.phases.first_byte = self.sent().map(|sent| now.saturating_duration_since(sent));
    }
}

/// The key of the limit for the whole.
const TOTAL: &str = "fetch.total-timeout";
const OWN_TOTAL: &str = "the request's own timeout";

impl Limit {
    /// Whether it is that of the whole fetch.
    pub(crate) fn is_total(&self) -> bool {
        self.key == TOTAL || self.key == OWN_TOTAL
    }
}

impl std::fmt::Display for Limit {
    /// As it ends a message: `within 30s (fetch.header-timeout)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "within {:?} ({})", self.span, self.key)
    }
}

impl Clock {
    /// Starts the clock of a fetch that began at `since` and may last `total`, as the config's key
    /// says or, where `own` is given, the request itself.
    pub(crate) fn start(since: Instant, total: Duration, own: Option<Duration>) -> Self {
        let (span, key) = own.map_or((total, TOTAL), |own| (own, OWN_TOTAL));
        let total = Limit { since, at: after(since, span), span, key };
        Self { total, sleep: Box::pin(sleep_until(total.at)), times: Times::default() }
    }

    /// What is left of the whole.
    pub(crate) fn total(&self) -> Limit {
        self.total
    }

    /// A phase of `span` from now, or what is left of the whole if that is less.
    pub(crate) fn limit(&self, span: Duration, key: &'static str) -> Limit {
        self.limit_from(Instant::now(), span, key)
    }

    /// The same for a phase that begins at `now`, where the time is known already.
    pub(crate) fn limit_from(&self, now: Instant, span: Duration, key: &'static str) -> Limit {
        let phase = Limit { since: now, at: after(now, span), span, key };
        if phase.at < self.total.at { phase } else { Limit { since: now, ..self.total } }
    }

    /// Runs `work` until it is done or `limit` has passed.
    pub(crate) async fn within<F: Future>(
        &mut self,
        limit: Limit,
        work: F,
    ) -> Result<F::Output, Limit> {
        let mut work = pin!(work);
        let sleep = &mut self.sleep;
        poll_fn(|cx| {
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            if sleep.deadline() > limit.at {
                sleep.as_mut().reset(limit.at);
            }
            while sleep.as_mut().poll(cx).is_ready() {
                if sleep.deadline() >= limit.at {
                    return Poll::Ready(Err(limit));
                }
                sleep.as_mut().reset(limit.at);
            }
            Poll::Pending
        })
        .await
    }
}

/// `span` after `now`, or thirty years if that is more than the clock can count.
fn after(now: Instant, span: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(span.min(FAR)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_phase_ends_at_its_own_limit_and_at_the_total_at_the_latest() {
        let start = Instant::now();
        let mut clock = Clock::start(Instant::now(), Duration::from_secs(10), None);
        for (span, key, expected) in
            [(3, "a", (3, "a")), (4, "b", (7, "b")), (60, "c", (10, "fetch.total-timeout"))]
        {
            let limit = clock.limit(Duration::from_secs(span), key);
            let passed = clock.within(limit, std::future::pending::<()>()).await.unwrap_err();
            assert_eq!((start.elapsed().as_secs(), passed.key), expected);
        }
        let done = clock.limit(Duration::MAX, "d");
        assert_eq!(clock.within(done, async { 1 }).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_left_from_an_earlier_phase_does_not_end_a_later_one() {
        let start = Instant::now();
        let mut clock = Clock::start(Instant::now(), Duration::MAX, Some(Duration::from_secs(100)));
        let first = clock.limit(Duration::from_secs(2), "first");
        let nap = tokio::time::sleep(Duration::from_secs(1));
        assert!(clock.within(first, nap).await.is_ok());
        let second = clock.limit(Duration::from_secs(5), "second");
        assert!(clock.within(second, std::future::pending::<()>()).await.is_err());
        assert_eq!(start.elapsed().as_secs(), 6);
    }
}
