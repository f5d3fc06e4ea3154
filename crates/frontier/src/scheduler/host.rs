//! What the scheduler keeps of one host.
//!
//! A crawl may know millions, and of most of them nothing is in hand: they wait for their turn, hours
//! off. So there are two parts. The one that every host has is forty bytes: its clock, what it has
//! learnt of it, its budget. The other is made when something goes on at the host that needs it, and
//! given back when nothing of it is left that matters ([`HostState::rest`]).
//!
//! That an origin may be asked for everything is what most robots.txt files say, and those that do not
//! exist; it is kept in the small part.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::AddressKey;
use crate::budget::DomainKey;
use crate::condition::Condition;
use crate::due::{Hours, Stamp};
use crate::gate::{OriginGate, Standing};
use crate::queue::Queued;
use crate::slots::RobotsErrand;
use crate::throttle::Throttle;

/// A host's clock, and what it is to be remembered by.
#[derive(Debug, Default)]
pub(super) struct HostState {
    /// What goes on; `None`: nothing.
    busy: Option<Box<Busy>>,
    /// Its registered domain; `None` if those are not counted, or this is all of its hosts.
    pub(super) domain: Option<DomainKey>,
    /// Its table among those of the config, from 1; 0 if it has none.
    rules: u32,
    /// Pages settled, over all runs.
    pub(super) pages: u32,
    /// The delay by how fast it answers.
    pub(super) throttle: Throttle,
    /// Latest start that is known of, of this run or an earlier one.
    pub(super) last_start: Stamp,
    /// Earliest next start by the delay.
    pub(super) next_start: Stamp,
    /// Until when its origins of the flags may be asked for everything.
    allowed_until: Hours,
    flags: u8,
}

/// What goes on at a host.
#[derive(Debug)]
pub(super) struct Busy {
    /// Robots errands go before all URLs.
    pub(super) errands: VecDeque<RobotsErrand>,
    /// The best URL, claimed and through the gate.
    pub(super) held: Option<Queued>,
    pub(super) origins: Vec<OriginGate>,
    /// How it is doing.
    pub(super) condition: Condition,
    /// Largest `Crawl-delay` of its origins, capped.
    pub(super) crawl_delay: Duration,
    /// Until when the host asked to be left alone.
    pub(super) rest_until: Option<Instant>,
    /// Where it answered from last, if that counts.
    pub(super) address: Option<AddressKey>,
    /// Requests whose last byte is still to come.
    pub(super) in_flight: u32,
    /// Page tickets that have not ended.
    pub(super) open_pages: u32,
    /// Requests of its turn so far; 0 if others have theirs.
    pub(super) turn: u16,
}

impl Busy {
    const NOTHING: Self = Self {
        errands: VecDeque::new(),
        held: None,
        origins: Vec::new(),
        condition: Condition::NEW,
        crawl_delay: Duration::ZERO,
        rest_until: None,
        address: None,
        in_flight: 0,
        open_pages: 0,
        turn: 0,
    };

    /// Whether nothing of it matters but its origins.
    fn is_idle(&self, now: Instant) -> bool {
        self.errands.is_empty()
            && self.held.is_none()
            && !self.condition.is_backing_off()
            && self.crawl_delay.is_zero()
            && self.rest_until.is_none_or(|until| until <= now)
            && self.address.is_none()
            && (self.in_flight, self.open_pages, self.turn) == (0, 0, 0)
    }
}

/// What goes on where nothing does.
static NOTHING: Busy = Busy::NOTHING;

/// Yes-or-no questions about a host.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Flag {
    /// It waits for its address, and so has no appointment.
    InLine = 1,
    /// Nothing may be fetched from it, because somebody said so.
    Blocked = 1 << 1,
    /// Some of its URLs have to be ended, which needs no clock.
    Unsorted = 1 << 2,
    /// It has answered in this run.
    Answered = 1 << 3,
    /// `http` at port 80 may be asked for everything.
    AllowsHttp = 1 << 4,
    /// `https` at port 443 may be asked for everything.
    AllowsHttps = 1 << 5,
}

impl Flag {
    /// That of an origin; `None` if it has none.
    fn of_origin(https: bool, port: u16) -> Option<Self> {
        match (https, port) {
            (false, 80) => Some(Self::AllowsHttp),
            (true, 443) => Some(Self::AllowsHttps),
            _ => None,
        }
    }
}

impl HostState {
    pub(super) fn new(domain: Option<DomainKey>, rules: Option<u32>, is_blocked: bool) -> Self {
        let mut host = Self { domain, ..Self::default() };
        host.set_rules(rules);
        host.set(Flag::Blocked, is_blocked);
        host
    }

    pub(super) fn is(&self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    pub(super) fn set(&mut self, flag: Flag, is_so: bool) {
        self.flags = if is_so { self.flags | flag as u8 } else { self.flags & !(flag as u8) };
    }

    /// What goes on.
    pub(super) fn busy(&self) -> &Busy {
        self.busy.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be changed.
    pub(super) fn busy_mut(&mut self) -> &mut Busy {
        let condition = Condition::new(self.is(Flag::Answered));
        self.busy.get_or_insert_with(|| Box::new(Busy { condition, ..Busy::NOTHING }))
    }

    /// The same, if anything does.
    pub(super) fn busy_if_any(&mut self) -> Option<&mut Busy> {
        self.busy.as_deref_mut()
    }

    /// Takes the best URL, if it is held.
    pub(super) fn take_held(&mut self) -> Option<Queued> {
        self.busy.as_mut()?.held.take()
    }

    /// The table of the config that it has.
    pub(super) fn rules(&self) -> Option<u32> {
        self.rules.checked_sub(1)
    }

    pub(super) fn set_rules(&mut self, rules: Option<u32>) {
        self.rules = rules.map_or(0, |number| number.saturating_add(1));
    }

    /// Whether an origin may be asked for everything, as far as is kept here.
    pub(super) fn allows_all(&self, https: bool, port: u16, now: Instant) -> bool {
        Flag::of_origin(https, port).is_some_and(|flag| self.is(flag))
            && self.allowed_until.is_after(now)
    }

    /// What is known of an origin's rules has changed.
    pub(super) fn forget_origin(&mut self, https: bool, port: u16) {
        if let Some(flag) = Flag::of_origin(https, port) {
            self.set(flag, false);
        }
    }

    /// Gives back the part that is only needed while something goes on, if nothing does. What is
    /// still to be known of the origins' rules must then fit into the other part.
    pub(super) fn rest(&mut self, now: Instant) {
        let Some(busy) = self.busy.as_deref().filter(|busy| busy.is_idle(now)) else { return };
        let (mut allowed, mut until) = (0, Hours::LAST);
        if self.allowed_until.is_after(now) {
            (allowed, until) = (self.flags, self.allowed_until);
        }
        for gate in &busy.origins {
            let (https, port) = (gate.origin.is_https(), gate.origin.port());
            match &gate.standing {
                Standing::Rules { until, .. } | Standing::Unreachable { until, .. }
                    if *until <= now => {}
                Standing::Unknown if gate.waiting.is_empty() => {}
                Standing::Rules { rules, until: this } if rules.allows_all() => {
                    let Some(flag) = Flag::of_origin(https, port) else { return };
                    allowed |= flag as u8;
                    until = until.min(Hours::until(*this));
                }
                _ => return,
            }
        }
        let has_answered = busy.condition.has_answered();
        let origins = Flag::AllowsHttp as u8 | Flag::AllowsHttps as u8;
        self.flags = self.flags & !origins | allowed & origins;
        self.allowed_until = until;
        self.set(Flag::Answered, has_answered);
        self.busy = None;
    }

    /// Whether its budget of `limit` pages is used up for good.
    pub(super) fn is_spent(&self, limit: u64) -> bool {
        limit != 0 && u64::from(self.pages) >= limit
    }

    /// Whether one more page ticket fits into its budget of `limit` pages.
    pub(super) fn has_room(&self, limit: u64) -> bool {
        limit == 0 || u64::from(self.pages) + u64::from(self.busy().open_pages) < limit
    }

    /// When its clock allows the next start; never if it never started.
    pub(super) fn clock(&self) -> Stamp {
        let busy = self.busy();
        let rest_until = busy.rest_until.max(busy.condition.rest_until());
        self.next_start.max(rest_until.into())
    }

    /// Whether one more request may be under way, of `per_host`.
    pub(super) fn has_place(&self, per_host: u32) -> bool {
        let busy = self.busy();
        let places = if busy.condition.is_on_probation() { 1 } else { per_host };
        busy.in_flight < places
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::Origin;

    use super::*;
    use crate::gate::LIFETIME;

    #[test]
    fn a_host_takes_little_space() {
        assert!(size_of::<HostState>() <= 40, "{}", size_of::<HostState>());
        assert!(size_of::<Busy>() <= 256, "{}", size_of::<Busy>());
    }

    fn host_with(standing: Standing, https: bool, port: u16) -> HostState {
        let mut host = HostState::default();
        let mut gate = OriginGate::new(Origin::new(https, "h", port));
        gate.standing = standing;
        host.busy_mut().origins.push(gate);
        host
    }

    #[test]
    fn rules_that_allow_everything_are_kept_at_rest_and_others_keep_the_host_awake() {
        let now = crate::clock::now();
        let mut host = host_with(Standing::allow_all(now + LIFETIME), true, 443);
        host.rest(now);
        assert!(host.busy.is_none() && host.allows_all(true, 443, now));
        assert!(!host.allows_all(false, 80, now) && !host.allows_all(true, 444, now));
        assert!(!host.allows_all(true, 443, now + LIFETIME), "they go stale");
        assert!(host.allows_all(true, 443, now + LIFETIME - Duration::from_secs(2 * 60 * 60)));
        host.busy_mut();
        host.rest(now);
        assert!(host.allows_all(true, 443, now), "they are kept over the next time");
        host.forget_origin(true, 443);
        assert!(!host.allows_all(true, 443, now));
        let some = Standing::rules(b"User-agent: *\nDisallow: /x", "bot", now + LIFETIME);
        for (standing, port) in [
            (some, 443),
            (Standing::Asking { tries: 0 }, 443),
            (Standing::allow_all(now + LIFETIME), 8443),
        ] {
            let mut host = host_with(standing, true, port);
            host.rest(now);
            assert!(host.busy.is_some());
        }
        let mut stale = host_with(Standing::allow_all(now), true, 8443);
        stale.rest(now);
        assert!(stale.busy.is_none());
    }

    #[test]
    fn what_goes_on_keeps_a_host_awake() {
        let now = crate::clock::now();
        let changes: [fn(&mut Busy); 5] = [
            |busy| busy.in_flight = 1,
            |busy| busy.open_pages = 1,
            |busy| busy.crawl_delay = Duration::from_secs(2),
            |busy| busy.rest_until = Some(crate::clock::now() + LIFETIME),
            |busy| busy.condition = Condition::in_trouble(),
        ];
        for change in changes {
            let mut host = HostState::default();
            change(host.busy_mut());
            host.rest(now);
            assert!(host.busy.is_some());
        }
    }
}
