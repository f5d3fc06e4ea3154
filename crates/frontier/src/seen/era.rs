//! When what was known may be wanted again.
//!
//! Who judges links remembers which were known, and does not ask for them again. That is right as long
//! as what waits or has ended stays so: it does, but for URLs that waited at a host that is blocked, and
//! for what a replay finds refused. Each of these begins a new era, in which nothing is remembered.

use std::sync::atomic::Ordering;

use crawl_model::Fingerprint;

use super::Seen;
use super::standing::Place;

impl Seen {
    /// The number of the era. What was found to wait or to have ended after it was read stays so
    /// until it changes, as far as links go.
    pub(crate) fn era(&self) -> u64 {
        self.era.load(Ordering::Acquire)
    }

    /// Sets a place whatever there was before. What is [learnt](Self::learn) was not known, so it
    /// begins no era.
    pub(super) fn put_over(&self, print: Fingerprint, place: Place) {
        self.put(print, place);
        if place.standing.may_return() {
            // Only now: who reads the new number finds the new standing.
            self.era.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{FilterReason, Verdict};

    use super::*;
    use crate::seen::Standing;

    #[test]
    fn an_era_ends_when_what_was_known_may_be_wanted_again_and_not_before() {
        let (seen, print) = (Seen::default(), Fingerprint(7));
        assert_eq!(seen.era(), 0);
        seen.learn(print, Some(FilterReason::TooDeep), 5, false);
        seen.learn(print, None, 1, false);
        seen.set(print, Standing::Ended(Verdict::Ok));
        seen.learn(print, None, 1, true);
        seen.set(print, Standing::Filtered(FilterReason::Robots, 0));
        seen.set_leaving_entry(print, Standing::Filtered(FilterReason::HostBudget, 0));
        assert_eq!(seen.era(), 0);
        for (n, set) in [Seen::set, Seen::set_leaving_entry, Seen::restate].iter().enumerate() {
            set(&seen, print, Standing::Filtered(FilterReason::Blocked, 0));
            assert_eq!(seen.era(), n as u64 + 1);
        }
    }
}
