//! The least rate at which a body must come.
//!
//! A server that drips a byte now and then keeps within every limit on pauses, and would hold
//! its connection until the whole fetch is over. No timer is needed to tell: a drip is looked at
//! whenever it falls, and a pause without any is the idle limit's business.

use std::time::Duration;

use tokio::time::Instant;

/// The rate, and the time over which it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Bytes per second as they are transferred. 0: any rate will do.
    pub(crate) bytes: u32,
    pub(crate) window: Duration,
}

/// How fast one body comes.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Rate,
    /// When the last piece came.
    last: Instant,
    /// Of the window that runs.
    spent: Duration,
    n_bytes: u64,
}

impl Pace {
    /// Begins at the response's head: a server may compute that as long as it likes.
    pub(crate) fn start(rate: Rate, now: Instant) -> Self {
        Self { rate, last: now, spent: Duration::ZERO, n_bytes: 0 }
    }

    /// Takes note of a piece that came at `now`; false if a window has passed with too little.
    ///
    /// A single pause counts for half a window at most: a page that is computed while it is sent
    /// stands still once or twice, a drip does all the time.
    pub(crate) fn keeps_up(&mut self, n_bytes: usize, now: Instant) -> bool {
        if self.rate.bytes == 0 {
            return true;
        }
        let pause = now.saturating_duration_since(self.last);
        self.last = now;
        self.n_bytes += n_bytes as u64;
        self.spent += pause.min(self.rate.window / 2);
        if self.spent < self.rate.window {
            return true;
        }
        let due = self.spent.as_secs_f64() * f64::from(self.rate.bytes);
        let keeps_up = self.n_bytes as f64 >= due;
        self.spent = Duration::ZERO;
        self.n_bytes = 0;
        keeps_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When pieces of these sizes after these pauses (in seconds) are found too slow.
    #[track_caller]
    fn check(pieces: &[(u64, usize)], expected: Option<usize>) {
        let rate = Rate { bytes: 100, window: Duration::from_secs(10) };
        let mut now = Instant::now();
        let mut pace = Pace::start(rate, now);
        let mut is_late = |(pause, n): &(u64, usize)| {
            now += Duration::from_secs(*pause);
            !pace.keeps_up(*n, now)
        };
        assert_eq!(pieces.iter().position(&mut is_late), expected, "{pieces:?}");
    }

    #[test]
    fn a_drip_is_found_after_one_window() {
        check(&[(1, 1); 30], Some(9));
        check(&[(5, 400); 30], Some(1));
    }

    #[test]
    fn a_body_at_the_rate_is_left_alone() {
        check(&[(1, 100); 100], None);
        check(&[(5, 500); 100], None);
    }

    #[test]
    fn one_long_pause_is_no_drip() {
        check(&[(0, 10), (19, 10), (1, 10), (1, 10)], None);
        check(&[(0, 10), (19, 10), (19, 10)], Some(2));
    }

    #[test]
    fn a_body_that_falls_asleep_after_a_good_start_is_found() {
        let pieces = [&[(1, 100_000); 10][..], &[(1, 1); 30][..]].concat();
        check(&pieces, Some(19));
    }
}
