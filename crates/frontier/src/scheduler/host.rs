//! What the scheduler keeps of one host. A crawl may know millions, so it is to stay small.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::AddressKey;
use crate::budget::DomainKey;
use crate::clock::Appointment;
use crate::condition::Condition;
use crate::gate::OriginGate;
use crate::queue::Queued;
use crate::slots::RobotsErrand;
use crate::throttle::Throttle;

/// A host's clock and what stands at its head.
#[derive(Default)]
pub(super) struct HostState {
    /// Its registered domain; `None` if those are not counted.
    pub(super) domain: Option<DomainKey>,
    /// Its table among those of the config; `None` if it has none.
    pub(super) rules: Option<u32>,
    /// Latest start that is known of.
    pub(super) last_start: Option<Instant>,
    /// Latest start that an earlier run knew of: milliseconds since the Unix epoch; 0: none.
    pub(super) last_ms_before: u64,
    /// Earliest next start by the delay.
    pub(super) next_start: Option<Instant>,
    /// Until when the host asked to be left alone.
    pub(super) rest_until: Option<Instant>,
    /// Largest `Crawl-delay` of its origins, capped.
    pub(super) crawl_delay: Duration,
    /// The delay by how fast it answers.
    pub(super) throttle: Throttle,
    /// How it is doing.
    pub(super) condition: Condition,
    /// Requests whose last byte is still to come.
    pub(super) in_flight: u32,
    /// Page tickets that have not ended.
    pub(super) open_pages: u64,
    /// Pages settled, over all runs.
    pub(super) pages: u64,
    pub(super) appointment: Option<Appointment>,
    /// Where it answered from last, if that counts.
    pub(super) address: Option<AddressKey>,
    /// Whether it waits for its address, and so has no appointment.
    pub(super) is_in_line: bool,
    /// Whether nothing may be fetched from it, because somebody said so.
    pub(super) is_blocked: bool,
    /// Whether some of its URLs have to be ended, which needs no clock.
    pub(super) is_unsorted: bool,
    /// Robots errands go before all URLs.
    pub(super) errands: VecDeque<RobotsErrand>,
    /// The best URL, claimed and through the gate.
    pub(super) held: Option<Queued>,
    pub(super) origins: Vec<OriginGate>,
}

impl HostState {
    /// Whether its budget of `limit` pages is used up for good.
    pub(super) fn is_spent(&self, limit: u64) -> bool {
        limit != 0 && self.pages >= limit
    }

    /// Whether one more page ticket fits into its budget of `limit` pages.
    pub(super) fn has_room(&self, limit: u64) -> bool {
        limit == 0 || self.pages + self.open_pages < limit
    }

    /// When its clock allows the next start; `None` if it never started.
    pub(super) fn clock(&self) -> Option<Instant> {
        self.next_start.max(self.rest_until).max(self.condition.rest_until())
    }

    /// Whether one more request may be under way, of `per_host`.
    pub(super) fn has_place(&self, per_host: u32) -> bool {
        let places = if self.condition.is_on_probation() { 1 } else { per_host };
        self.in_flight < places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_takes_little_space() {
        assert!(size_of::<HostState>() <= 368, "{}", size_of::<HostState>());
    }
}
