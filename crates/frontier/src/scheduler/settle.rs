//! How tickets end, and what that means for their hosts and URLs.
//!
//! Two messages per ticket, in any order: the host is free (or never will be, because the ticket
//! was lost), and the outcome is durable. Each is counted once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crawl_model::{
    EndedBy, Fingerprint, Found, HostFree, Outcome, Source, Spent, TicketId, Verdict,
};

use super::{AddressKey, HostKey, Later, Scheduler};
use crate::backend::Backend;
use crate::clock::backoff;
use crate::due::Stamp;
use crate::queue::Queued;
use crate::seen::Learnt;
use crate::seen::Standing;
use crate::slots::{Open, OpenErrand};

/// A URL whose ticket was lost this often in one run is given up: a fetch that panics would
/// panic for ever.
const MAX_ABANDONED: u8 = 3;
/// Longest rest after an attempt that never reached the server: there was nothing to be polite
/// about, but a dead host must not be knocked at without pause.
const UNSENT_REST: Duration = Duration::from_millis(100);

impl<B: Backend> Scheduler<B> {
    /// The host of a ticket has nothing more in hand for us.
    pub(crate) fn host_free(&mut self, free: &HostFree, now: Instant) {
        let Some(open) = self.slots.get_mut(free.id) else { return };
        // Older than the ticket: meant for one that had the slot before and was lost.
        if !open.holds_host || free.done_at < open.since {
            return;
        }
        open.holds_host = false;
        let (host, address, since) = (open.host, open.address, open.since);
        let longest = self.politeness(host).max_retry_after;
        let rest = free.rest.map(|rest| rest.min(longest));
        let rest_until = rest.map(|rest| free.done_at + rest);
        self.note_health(host, free, since);
        self.note_address(host, free.remote);
        if rest_until.is_some() {
            let busy = self.host_mut(host).busy_mut();
            busy.rest_until = busy.rest_until.max(rest_until);
        }
        self.release_host(host, address, free.sent_at, free.done_at, now);
    }

    /// Learns how the host is doing from an attempt whose ticket was cut at `since`.
    fn note_health(&mut self, host: HostKey, free: &HostFree, since: Instant) {
        let state = &mut self.hosts[host.0 as usize];
        let config = &self.rules.get(state.rules()).politeness;
        state.throttle.learn(config, free.latency, free.health);
        state.busy_mut().condition.learn(config, free.health, (since, free.sent_at), free.done_at);
    }

    /// Gives the host's place back; its clock counts from the real start.
    fn release_host(
        &mut self,
        host: HostKey,
        address: Option<AddressKey>,
        sent_at: Option<Instant>,
        done_at: Instant,
        now: Instant,
    ) {
        let delay = self.delay(host);
        // Nothing sent is nothing to be polite about, unless it happens again and again.
        let is_backing_off = self.host(host).busy().condition.is_backing_off();
        let unsent = if is_backing_off { delay } else { delay.min(UNSENT_REST) };
        let next = sent_at.map_or(done_at + unsent, |sent| sent + delay);
        self.address_freed(host, address, next);
        let keeps_lease = self.backend.extend(host);
        let state = self.host_mut(host);
        let busy = state.busy_mut();
        if !keeps_lease {
            busy.held = None;
        }
        busy.in_flight -= 1;
        // With others in flight the clock counts from the latest of them.
        let is_last = busy.in_flight == 0;
        state.last_start = state.last_start.max(sent_at.into());
        let next = Stamp::from(next);
        state.next_start = if is_last { next } else { state.next_start.max(next) };
        self.schedule(host, now);
        self.keep_turn(host, now);
    }

    /// A message from the store: what it tells is durable.
    pub(crate) fn apply(&mut self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Settled { spent, verdict, n_items, found } => {
                self.settled(spent, verdict, n_items, now);
                self.admit_all(found, now);
            }
            Outcome::Retry { spent, .. } => self.retry(spent, now),
            Outcome::Robots { spent, reply, .. } => {
                if let Some((_, OpenErrand::Robots(errand))) = self.close(spent, now) {
                    self.robots_deaths.remove(&spent.print);
                    self.answered(errand, &reply, now);
                }
            }
            Outcome::Found { found, source } => {
                self.admit_all(found, now);
                if source == Source::Seeds {
                    self.seeds_are_durable();
                    self.unjam(now);
                }
            }
            Outcome::Ended(ended) => {
                self.answered_one();
                for (print, by) in ended {
                    self.ended_is_durable(print, &by);
                }
                self.unjam(now);
            }
            // The state lives in memory only, so it has no place in the log to remember.
            Outcome::Committed(position) => self.committed(position),
        }
    }

    fn settled(&mut self, spent: Spent, verdict: Verdict, n_items: i64, now: Instant) {
        let Some((host, OpenErrand::Page(_))) = self.close(spent, now) else { return };
        self.tally.in_flight -= 1;
        self.tally.settle(verdict);
        self.tally.items = self.tally.items.saturating_add_signed(n_items);
        self.backend.ack(spent.print, Standing::Ended(verdict));
        self.count_page(host, verdict);
        self.page_closed(host, now);
    }

    fn retry(&mut self, spent: Spent, now: Instant) {
        let Some((host, OpenErrand::Page(mut url))) = self.close(spent, now) else { return };
        self.tally.in_flight -= 1;
        self.tally.queued += 1;
        self.tally.retries += 1;
        self.credit_owed += 1;
        url.attempts += 1;
        url.abandoned = 0;
        url.is_suspect = false;
        self.page_closed(host, now);
        let wait = backoff(&self.config.retry, url.print, url.attempts);
        self.delayed.push(now + wait, Later::Url(url));
    }

    /// A ticket was lost: the URL goes back, and so does everything it held. That is not an
    /// attempt, unless it goes on like that; when the crawl is closing it is meant to happen.
    pub(crate) fn abandoned(&mut self, id: TicketId, is_closing: bool, now: Instant) {
        let Some(open) = self.end_ticket(id, now) else { return };
        match open.errand {
            OpenErrand::Robots(errand) if is_closing => self.queue_errand(errand, now),
            OpenErrand::Robots(errand) => self.failed(errand, "the request was lost", now),
            OpenErrand::Page(mut url) => {
                self.tally.in_flight -= 1;
                self.tally.queued += 1;
                self.credit_owed += 1;
                self.page_closed(open.host, now);
                url.abandoned += u8::from(!is_closing);
                if url.abandoned < MAX_ABANDONED {
                    self.place(url, now);
                } else {
                    self.end_poisoned(&url, "its ticket was lost three times");
                }
            }
        }
    }

    pub(crate) fn end_poisoned(&mut self, url: &Queued, error: &str) {
        let record = url.record(Verdict::Poisoned, error);
        self.end(url, EndedBy::Verdict(Verdict::Poisoned, record));
    }

    /// Ends the ticket of an outcome. `None` if it is not open, which the types rule out for
    /// all but a broken store.
    fn close(&mut self, spent: Spent, now: Instant) -> Option<(HostKey, OpenErrand)> {
        self.slots.get_mut(spent.id).filter(|open| open.print == spent.print)?;
        self.end_ticket(spent.id, now).map(|open| (open.host, open.errand))
    }

    fn end_ticket(&mut self, id: TicketId, now: Instant) -> Option<Open> {
        let open = self.slots.close(id)?;
        if self.alone == Some(id) {
            self.alone = None;
        }
        if open.holds_host {
            // Nobody will say when it was sent; it may have been just now.
            self.release_host(open.host, open.address, Some(now), now, now);
        }
        Some(open)
    }

    /// Takes durable URLs in. Of two pages of one batch that bring the same the first counts.
    ///
    /// Nearly each URL is of another host, and what is known of a host lies somewhere in memory
    /// where nobody has looked for long. So each step is taken for all URLs before the next, and
    /// the processor waits for many places at once.
    fn admit_all(&mut self, mut found: Vec<Found>, now: Instant) {
        let mut learnt = Vec::with_capacity(found.len());
        found.retain_mut(|found| {
            let news = self.learn_durable(found);
            let is_news = !matches!(news, Learnt::Nearer | Learnt::Nothing);
            learnt.extend(is_news.then_some(news));
            is_news
        });
        let mut learnt = learnt.into_iter();
        let mut hosts = Vec::with_capacity(found.len());
        found.retain(|found| {
            let is_new = learnt.next() == Some(Learnt::New);
            let host = self.host_if_let_in(found, is_new, now);
            hosts.extend(host);
            host.is_some()
        });
        let n_held = hosts.iter().filter(|&&host| self.host(host).busy().held.is_some()).count();
        black_box(n_held); // only to have been there
        self.backend.expect(&hosts);
        for (found, host) in found.into_iter().zip(hosts) {
            self.place_new(host, found, now);
        }
    }

    /// The store may have room for more ends.
    fn unjam(&mut self, now: Instant) {
        for host in std::mem::take(&mut self.jammed) {
            self.schedule(host, now);
        }
    }

    /// The store has answered a message.
    fn answered_one(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.before.n_unanswered = self.before.n_unanswered.saturating_sub(1);
    }

    fn seeds_are_durable(&mut self) {
        self.answered_one();
        if let Some(Some((done, seeded))) = self.seeds.pop_front() {
            // Who asked may be gone.
            let _ = done.send(seeded);
        }
    }

    fn ended_is_durable(&mut self, print: Fingerprint, by: &EndedBy) {
        self.tally.pending -= 1;
        let url = self.ending.remove(&print);
        match by {
            EndedBy::Filter(reason) => {
                self.tally.filter(*reason);
                // Depth 0: no path is shorter, so it is recorded again only if it is admitted.
                self.backend.ack(print, Standing::Filtered(*reason, 0));
            }
            EndedBy::Verdict(verdict, _) => {
                self.tally.settle(*verdict);
                self.backend.ack(print, Standing::Ended(*verdict));
                // That of an earlier copy, maybe, which was a page.
                if let Some((url, _)) = url {
                    let host = self.host_key(url.url());
                    self.count_page(host, *verdict);
                }
            }
        }
    }
}
