//! How a proxy does: one that fails rests, longer each time, while others take its turns.
//!
//! What a proxy says of a host (no tunnel, 502) may be the host's fault. It counts against the
//! proxy only when it is said of several hosts in a row.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The first rest; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(300);

/// Hosts in a row that a proxy may not reach before it counts as a failure of its own.
const HOSTS_IN_A_ROW: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// `None` if it is well.
    until: Option<Instant>,
    n_failures: u32,
    cause: String,
    /// Hosts that it did not reach since it last reached one, and the last of them.
    n_missed: u32,
    missed: String,
}

impl Health {
    /// How long it still rests; `None` if it is to be tried.
    pub(super) fn rest(&self) -> Option<Duration> {
        let left = self.lock().until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Why it rests.
    pub(super) fn cause(&self) -> String {
        self.lock().cause.clone()
    }

    /// It does not work. Many requests may find that out at once; it counts once.
    pub(super) fn failed(&self, cause: &str) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.until.is_some_and(|until| until > now) {
            return;
        }
        let factor = 1u32.checked_shl(state.n_failures).unwrap_or(u32::MAX);
        state.until = Some(now + FIRST_REST.saturating_mul(factor).min(LONGEST_REST));
        state.n_failures += 1;
        cause.clone_into(&mut state.cause);
    }

    /// It did not reach `host`.
    pub(super) fn missed(&self, host: &str, cause: &str) {
        let mut state = self.lock();
        if state.missed == host {
            return;
        }
        host.clone_into(&mut state.missed);
        state.n_missed += 1;
        if state.n_missed >= HOSTS_IN_A_ROW {
            state.n_missed = 0;
            drop(state);
            self.failed(cause);
        }
    }

    /// It does what it should.
    pub(super) fn worked(&self) {
        let mut state = self.lock();
        if state.n_failures > 0 || state.n_missed > 0 {
            *state = State::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rests_grow_until_it_works_again() {
        let health = Health::default();
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(health.rest(), None);
            health.failed("refused");
            health.failed("refused, too");
            assert_eq!(health.rest(), Some(Duration::from_secs(seconds)));
            assert_eq!(health.cause(), "refused");
            tokio::time::advance(Duration::from_secs(seconds)).await;
        }
        health.worked();
        health.failed("refused");
        assert_eq!(health.rest(), Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_host_does_not_speak_against_its_proxy() {
        let health = Health::default();
        for _ in 0..9 {
            health.missed("dead.test", "502");
        }
        health.missed("b.test", "502");
        health.worked();
        health.missed("a.test", "502");
        health.missed("b.test", "502");
        assert_eq!(health.rest(), None);
        health.missed("c.test", "502");
        assert_eq!((health.rest(), health.cause()), (Some(FIRST_REST), "502".to_owned()));
    }
}
