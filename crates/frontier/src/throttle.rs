//! AutoThrottle: the delay that keeps a host about as busy as asked, from how fast it answers.
//!
//! The formula is Scrapy's, as its documentation gives it. With one answer of latency `l` and a
//! wanted concurrency `c` (requests under way at a time, on average):
//!
//! 1. the target delay is `l / c`;
//! 2. the next delay is the mean of the last one and the target, but never below the target: it
//!    rises at once and falls by halves;
//! 3. it is kept between `politeness.delay` and `politeness.auto-throttle-max-delay`;
//! 4. an answer that is an error may not lower it: errors are often quicker than pages.
//!
//! Two differences. The first delay is that of the first answer instead of a fixed five seconds,
//! for the crawl begins with `politeness.delay` anyway. And the latency ends with the response's
//! head, so a large page is not taken for a slow server.
//!
//! Pure: no clock is read here.

use std::time::Duration;

use crawl_model::Health;

use crate::config::PolitenessConfig;

/// The delay that AutoThrottle found for one host; zero before its first answer.
///
/// Kept in four bytes, in tenths of a millisecond, the next one up: five days at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Throttle(u32);

const TENTH: Duration = Duration::from_micros(100);

impl Throttle {
    /// The delay to keep, whatever else asks for more.
    pub(crate) fn delay(self) -> Duration {
        TENTH * self.0
    }

    /// Learns from an answer that took `latency`; `None` if none came.
    pub(crate) fn learn(
        &mut self,
        config: &PolitenessConfig,
        latency: Option<Duration>,
        health: Health,
    ) {
        let Some(latency) = latency.filter(|_| config.auto_throttle) else { return };
        // Longer than the longest delay is as good as that, and cannot overflow below.
        let longest = config.auto_throttle_max_delay.max(config.delay);
        let target = latency.as_secs_f64() / config.auto_throttle_concurrency;
        let target = Duration::try_from_secs_f64(target).unwrap_or(longest).min(longest);
        let delay = self.delay();
        let last = if delay.is_zero() { target } else { delay };
        let next = ((last + target) / 2).max(target).clamp(config.delay, longest);
        if health == Health::Good || next > delay {
            self.0 = u32::try_from(next.as_micros().div_ceil(100)).unwrap_or(u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(delay_ms: u64, concurrency: f64, max_ms: u64) -> PolitenessConfig {
        PolitenessConfig {
            auto_throttle: true,
            auto_throttle_concurrency: concurrency,
            auto_throttle_max_delay: Duration::from_millis(max_ms),
            delay: Duration::from_millis(delay_ms),
            ..PolitenessConfig::default()
        }
    }

    /// Latencies in milliseconds with what they say, and the delay after each.
    #[track_caller]
    fn check(config: &PolitenessConfig, steps: &[(u64, Health, u64)]) {
        let mut throttle = Throttle::default();
        for (i, &(latency, health, delay)) in steps.iter().enumerate() {
            throttle.learn(config, Some(Duration::from_millis(latency)), health);
            assert_eq!(throttle.delay(), Duration::from_millis(delay), "step {i}");
        }
    }

    #[test]
    fn it_rises_at_once_and_falls_by_halves() {
        let steps = [(400, 400), (1000, 1000), (200, 600), (200, 400), (200, 300)];
        let steps = steps.map(|(latency, delay)| (latency, Health::Good, delay));
        check(&config(0, 1.0, 60_000), &steps);
    }

    #[test]
    fn more_at_a_time_means_a_shorter_delay() {
        check(&config(0, 4.0, 60_000), &[(800, Health::Good, 200)]);
        check(&config(0, 0.5, 60_000), &[(800, Health::Good, 1600)]);
    }

    #[test]
    fn it_stays_between_the_configured_bounds() {
        let steps = [(100, Health::Good, 500), (90_000, Health::Good, 2000)];
        check(&config(500, 1.0, 2000), &steps);
        // A longest delay below the shortest one means the shortest.
        check(&config(500, 1.0, 100), &[(900, Health::Good, 500)]);
        check(&config(0, 1e-300, 2000), &[(1, Health::Good, 2000)]);
    }

    #[test]
    fn an_error_may_raise_it_but_not_lower_it() {
        for error in [Health::Overloaded, Health::Failing, Health::Unreachable, Health::Unknown] {
            let steps = [(1000, Health::Good, 1000), (10, error, 1000), (3000, error, 3000)];
            check(&config(0, 1.0, 60_000), &steps);
        }
    }

    #[test]
    fn without_an_answer_or_switched_off_it_learns_nothing() {
        let mut throttle = Throttle::default();
        throttle.learn(&config(0, 1.0, 1000), None, Health::Good);
        let off = PolitenessConfig { auto_throttle: false, ..config(0, 1.0, 1000) };
        throttle.learn(&off, Some(Duration::from_secs(1)), Health::Good);
        assert_eq!(throttle, Throttle::default());
    }
}
