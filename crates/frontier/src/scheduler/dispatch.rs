//! From "this host is due" to a ticket.
//!
//! Asked in two steps, because what a ticket needs (a worker, a place in the page stream)
//! depends on what it is for: `ready` says what comes next, `take` cuts the ticket.

use std::time::Instant;

use crawl_model::{EndedBy, Errand, FilterReason, Ticket, View};

use super::host::Flag;
use super::{AddressKey, HostKey, Later, Scheduler};
use crate::backend::Backend;
use crate::due::Stamp;
use crate::gate::Gate;
use crate::queue::Queued;
use crate::slots::{Open, OpenErrand};

/// URLs sorted out per turn before others get theirs: a queue of a million URLs that robots.txt
/// disallows must not hold up the crawl.
const STEPS: usize = 1000;

/// Messages that the store has not answered, from which on no more URLs are ended.
const MOST_UNANSWERED: usize = 64;
/// Requests to a host that needs no rest between them, before other hosts have their turn.
const TURN: u16 = 32;
/// URLs that wait in memory for the rules of one origin; the others stay in their queue.
const MOST_AT_GATE: usize = 64;

/// What could be sent now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// A page.
    Page,
    /// A robots.txt, which fills no place in the page stream.
    Robots,
    /// Nothing before this instant, or before a ticket ends or a URL comes.
    Later(Option<Instant>),
}

/// What stands at a host's head.
enum Front {
    Page,
    Robots,
    /// What may only be sent while nothing else is open.
    Crowded,
    /// More URLs to sort out than fit into one turn.
    Unsorted,
    /// More URLs to end than the store can take now.
    Jammed,
    /// Nothing, or no room in the host's budget.
    Empty,
}

impl<B: Backend> Scheduler<B> {
    /// Says what [`take`](Self::take) would give out at `now`.
    pub(crate) fn ready(&mut self, now: Instant) -> Ready {
        self.wake(now);
        if self.alone.is_some() {
            return Ready::Later(None);
        }
        if let Some(due) = self.rate_due.filter(|&due| due > now) {
            return Ready::Later(Some(due));
        }
        loop {
            self.call_lines(now);
            let Some((due, host)) = self.due.first() else { break };
            if due > now {
                return Ready::Later(Some(self.delayed.due().map_or(due, |alarm| alarm.min(due))));
            }
            let front = self.front(host, now);
            let is_unsorted = matches!(front, Front::Unsorted | Front::Jammed);
            self.host_mut(host).set(Flag::Unsorted, is_unsorted);
            match front {
                Front::Page | Front::Robots | Front::Crowded if !self.may_send(host, now) => {
                    self.dismiss(host);
                    self.schedule(host, now);
                }
                Front::Page | Front::Robots | Front::Crowded if !self.has_turn(host, now) => {
                    self.stand_in_line(host);
                }
                Front::Robots => return Ready::Robots,
                Front::Page if self.has_page_room() => return Ready::Page,
                // An open page may still turn out to be none.
                Front::Page | Front::Crowded => return Ready::Later(self.delayed.due()),
                Front::Unsorted => return Ready::Later(Some(now)),
                Front::Jammed => {
                    self.dismiss(host);
                    self.jammed.push(host);
                }
                Front::Empty => self.dismiss(host),
            }
        }
        Ready::Later(self.delayed.due())
    }

    /// Cuts the ticket that [`ready`](Self::ready) announced at the same `now`; `None` if the
    /// rate of the crawl does not allow it yet.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Ticket> {
        let (_, key) = self.due.first().filter(|&(due, _)| due <= now)?;
        if let Some(Err(due)) = self.rate.as_ref().map(|rate| rate.check(now)) {
            self.rate_due = Some(due);
            return None;
        }
        self.dismiss(key); // with many places it gets them one by one, as others do
        let delay = self.delay(key);
        let host = self.host_mut(key);
        let busy = host.busy_mut();
        let errand = match busy.errands.pop_front() {
            Some(errand) => OpenErrand::Robots(errand),
            None => OpenErrand::Page(busy.held.take()?),
        };
        busy.in_flight += 1;
        busy.turn = busy.turn.saturating_add(1);
        // Till the real start is known, the clock counts from now.
        let next = now + delay;
        host.next_start = host.next_start.max(next.into());
        if let OpenErrand::Page(_) = errand {
            self.page_opened(key);
            self.tally.queued -= 1;
            self.tally.in_flight += 1;
        }
        let address = self.address_taken(key, next);
        let ticket = self.issue(key, errand, address, now);
        self.schedule(key, now);
        Some(ticket)
    }

    /// Notes the ticket as open and makes it.
    fn issue(
        &mut self,
        host: HostKey,
        errand: OpenErrand,
        address: Option<AddressKey>,
        now: Instant,
    ) -> Ticket {
        let max_attempts = self.config.retry.max_attempts;
        let (print, public, attempt, is_alone) = match &errand {
            OpenErrand::Page(url) => {
                (url.print, Errand::Page(url.request()), url.attempts + 1, url.is_suspect)
            }
            OpenErrand::Robots(robots) => {
                let print = self.window.fingerprint(robots.url.as_str());
                let origin = self.origin_mut(robots.origin).origin.clone();
                let public = Errand::Robots { origin, url: robots.url.clone() };
                let tries = self.robots_tries(robots.origin);
                (print, public, tries + 1, self.robots_deaths.contains_key(&print))
            }
        };
        let is_last = attempt >= max_attempts;
        let id =
            self.slots.open(Open { host, address, print, errand, holds_host: true, since: now });
        self.alone = is_alone.then_some(id);
        Ticket::issue(self.desk.clone(), id, print, public, attempt, is_last)
    }

    /// Finds out what the host would send next, sorting out what must not be sent.
    fn front(&mut self, key: HostKey, now: Instant) -> Front {
        if self.host(key).busy().condition.is_dead() {
            return self.bury(key, now);
        }
        for _ in 0..STEPS {
            let spent = self.spent(key);
            if let Some(errand) = self.host(key).busy().errands.front().filter(|_| spent.is_none())
            {
                let is_suspect = !self.robots_deaths.is_empty()
                    && self
                        .robots_deaths
                        .contains_key(&self.window.fingerprint(errand.url.as_str()));
                return if is_suspect { self.unless_crowded(Front::Robots) } else { Front::Robots };
            }
            if self.unanswered >= MOST_UNANSWERED {
                return Front::Jammed;
            }
            let Some(url) = self.next_url(key) else { break };
            let Some(url) = self.revive(url, now) else { continue };
            if let Some(reason) = spent {
                self.end(&url, EndedBy::Filter(reason));
                continue;
            }
            match self.gate(key, url.url(), now) {
                Gate::Pass => {
                    let is_suspect = url.is_suspect;
                    self.host_mut(key).busy_mut().held = Some(url);
                    return match (self.has_room(key), is_suspect) {
                        (false, _) => Front::Empty,
                        (true, true) => self.unless_crowded(Front::Page),
                        (true, false) => Front::Page,
                    };
                }
                Gate::Disallowed => self.end(&url, EndedBy::Filter(FilterReason::Robots)),
                Gate::Unreachable(cause) => self.end_unreachable(&url, &cause),
                Gate::Ask => {
                    self.ask(key, url.url(), now);
                    self.host_mut(key).busy_mut().held = Some(url);
                }
                Gate::Wait if self.n_at_gate(key, url.url()) < MOST_AT_GATE => {
                    self.wait_at_gate(key, url);
                }
                Gate::Wait => {
                    self.host_mut(key).busy_mut().held = Some(url);
                    return self.errands_left(key);
                }
            }
        }
        let has_more = self.host(key).busy().held.is_some() || self.backend.has_waiting(key);
        if has_more { Front::Unsorted } else { self.errands_left(key) }
    }

    /// Ends what waits at a host that was given up, as much as fits into one turn.
    fn bury(&mut self, key: HostKey, now: Instant) -> Front {
        for _ in 0..STEPS {
            if let Some(errand) = self.host_mut(key).busy_mut().errands.pop_front() {
                self.give_up_robots(&errand, now);
                continue;
            }
            if self.unanswered >= MOST_UNANSWERED {
                return Front::Jammed;
            }
            let Some(url) = self.next_url(key) else { return Front::Empty };
            if let Some(url) = self.revive(url, now) {
                self.end_dead(key, &url, now);
            }
        }
        Front::Unsorted
    }

    /// The host's best URL: the one held, or else out of its queue.
    pub(super) fn next_url(&mut self, key: HostKey) -> Option<Queued> {
        let held = self.host_mut(key).take_held();
        held.or_else(|| self.backend.claim(key, self.names.get(key), 1).pop())
    }

    /// What is left of a host without URLs.
    fn errands_left(&self, key: HostKey) -> Front {
        if self.host(key).busy().errands.is_empty() { Front::Empty } else { Front::Robots }
    }

    /// Whether the host's clock allows a request now. It may be due only to be sorted out.
    fn may_send(&self, key: HostKey, now: Instant) -> bool {
        let host = self.host(key);
        let is_time = host.clock() <= now.into();
        is_time && host.has_place(self.politeness(key).per_host.get())
    }

    fn unless_crowded(&self, front: Front) -> Front {
        if self.n_open() == 0 { front } else { Front::Crowded }
    }

    /// Whether one more page fits into the crawl's budget, even if all open tickets bring one.
    fn has_page_room(&self) -> bool {
        let limit = self.config.scope.max_pages;
        limit == 0 || self.tally.pages + self.tally.in_flight < limit
    }

    /// Takes the host off the list of those that are due.
    pub(super) fn dismiss(&mut self, key: HostKey) {
        if self.due.remove(key) {
            self.recheck_line(key);
        }
    }

    /// Lets a host that is free, and may be asked again at once, go before others that are due:
    /// its connection is open, and another host's may have to be closed to open one. After
    /// [`TURN`] requests the others have their turn. They have it after each where all hosts that
    /// wait can keep a connection, in a crawl with a rate, which has time for connections and would
    /// come down on one host, and at an address that hosts share.
    pub(super) fn keep_turn(&mut self, key: HostKey, now: Instant) {
        let is_due = self.due.of(key).is_some_and(|due| due <= now.into());
        let is_needless = self.rate.is_some() || self.due.len() <= self.n_workers;
        let must_share = is_needless || self.shares_address(key);
        let busy = self.host(key).busy();
        if is_due && !must_share && !busy.condition.is_backing_off() && busy.turn < TURN {
            self.due.insert(key, Stamp::FIRST);
        } else if busy.turn > 0 {
            let host = self.host_mut(key);
            host.busy_mut().turn = 0;
            host.rest(now);
        }
    }

    /// Brings back what has waited out its back-off.
    fn wake(&mut self, now: Instant) {
        while let Some(later) = self.delayed.pop(now) {
            match later {
                Later::Url(url) => self.place(url, now),
                Later::Robots(errand) => self.queue_errand(errand, now),
                Later::Line(address) => self.lines.woken(address),
            }
        }
    }
}
