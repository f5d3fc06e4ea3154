//! Cuts tickets: whose turn it is, and whether it may be now.
//!
//! Pure and synchronous: time comes in as an argument, what goes out waits in an outbox, and
//! nothing here ever blocks. The async shell around it is in `run`.
//!
//! Where an admitted URL can be, one place at a time: in its host's queue (the backend's), held
//! at the head of it, in the line before its origin's robots gate, delayed by a back-off or a time
//! of its own, under an open ticket, or ended and waiting for the store to make that durable. A
//! checkpoint (`state`) gathers it from all of them.
//!
//! Not here: how to fetch, the settle log, waiting.

mod dispatch;
mod guard;
mod host;
mod line;
#[cfg(test)]
mod model;
mod orders;
mod renew;
mod restore;
mod robots;
mod rules;
mod settle;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble;

use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use crawl_model::{
    CanonicalUrl, Desk, EndedBy, Entry, FilterReason, Fingerprint, Found, HostTable, Look,
    OpenJournal, Request, Source, TicketId, Verdict, View,
};
use tokio::sync::oneshot;

use crate::backend::{Backend, HostKey};
use crate::budget::Domains;
use crate::chunks::Chunks;
use crate::clock::{Delayed, Moment, Rate};
use crate::config::{FrontierConfig, HostPoliteness, PolitenessConfig};
use crate::counts::Tally;
use crate::due::{DueHosts, Stamp};
use crate::gate::Gate;
use crate::names::Names;
use crate::queue::Queued;
use crate::seen::Learnt;
use crate::slots::{RobotsErrand, Slots};
use crate::traps::Guards;
use crate::window::Window;

pub(crate) use dispatch::Ready;
pub(crate) use line::AddressKey;

use host::{Flag, HostState};
use line::Lines;
use orders::Sweep;
pub(crate) use restore::Before;
use rules::RuleBook;
pub(crate) use state::{HostRow, HostRows, Loose, State};

/// URLs in one message to the store: about what a huge page brings.
pub(crate) const BATCH: usize = 1000;

/// What became of added seeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Will be fetched.
    pub admitted: usize,
    /// Were known already, or told twice.
    pub known: usize,
    /// Were refused by a limit, and recorded with the reason.
    pub filtered: usize,
}

/// Clocks and tickets over a place where URLs wait.
pub(crate) struct Scheduler<B> {
    config: FrontierConfig,
    /// How hosts are treated.
    rules: RuleBook,
    window: Arc<Window>,
    backend: B,
    names: Names,
    hosts: Chunks<HostState>,
    domains: Domains,
    guards: Guards,
    due: DueHosts,
    lines: Lines,
    delayed: Delayed<Later>,
    /// Ties the wall's clock to the process': a wall clock that is set later moves nothing here.
    began: Moment,
    rate: Option<Rate>,
    /// No ticket before this, says the rate.
    rate_due: Option<Instant>,
    slots: Slots,
    desk: Arc<dyn Desk>,
    /// The open ticket beside which no other may be.
    alone: Option<TicketId>,
    /// Deaths by robots.txt, where there were two or more.
    robots_deaths: HashMap<Fingerprint, u32>,
    n_placed: u64,
    pub(crate) tally: Tally,
    /// URLs that have ended and whose end is not durable yet.
    ending: HashMap<Fingerprint, (Queued, Option<FilterReason>)>,
    /// Hosts with more to end than the store can take now.
    jammed: Vec<HostKey>,
    /// What earlier runs left to be known of URLs that wait since.
    pub(crate) before: Before,
    /// Ends that are not in the outbox yet.
    ended: Vec<(Fingerprint, EndedBy)>,
    /// What waits to be sent to the store.
    pub(crate) outbox: VecDeque<Entry>,
    /// Messages to the store that it has not answered, those in the outbox included.
    unanswered: usize,
    /// Who waits for the answer to each batch of seeds, in order.
    seeds: VecDeque<Option<SeedsWaiting>>,
    /// Blocks whose queued URLs are being ended, in order.
    sweeps: VecDeque<Sweep>,
    /// Whether what was filtered as `nofollow` stays so at a resume.
    pub(crate) obeys_nofollow: bool,
    /// Whether more URLs may come that are asked for again.
    pub(crate) awaits_renewals: bool,
    /// Places in the page stream that tickets took and will not fill.
    pub(crate) credit_owed: usize,
    /// Hosts of which each can keep a connection open.
    pub(crate) n_workers: usize,
}

type SeedsWaiting = (oneshot::Sender<Seeded>, Seeded);

/// What comes back when its back-off is over.
enum Later {
    Url(Queued),
    Robots(RobotsErrand),
    /// Nothing but the right to ask: an address is free again.
    Line(AddressKey),
}

impl<B: Backend> Scheduler<B> {
    pub(crate) fn new(
        config: FrontierConfig,
        agent: &str,
        window: Arc<Window>,
        backend: B,
        journal: Box<dyn OpenJournal>,
        desk: Arc<dyn Desk>,
        began: Moment,
    ) -> Self {
        let rate =
            NonZeroU32::new(config.politeness.max_rate).map(|rate| Rate::new(rate, began.now));
        let rules =
            HostPoliteness { politeness: config.politeness.clone(), agent: agent.to_owned() };
        let guards =
            Guards::new(&config.scope, &config.traps, window.prints.clone(), guard::year(began.ms));
        Self {
            config,
            rules: RuleBook::new(rules),
            window,
            backend,
            names: Names::default(),
            hosts: Chunks::default(),
            domains: Domains::default(),
            guards,
            due: DueHosts::default(),
            lines: Lines::default(),
            delayed: Delayed::default(),
            began,
            rate,
            rate_due: None,
            slots: Slots::new(journal),
            desk,
            alone: None,
            robots_deaths: HashMap::new(),
            n_placed: 0,
            tally: Tally::default(),
            ending: HashMap::new(),
            jammed: Vec::new(),
            before: Before::default(),
            ended: Vec::new(),
            outbox: VecDeque::new(),
            unanswered: 0,
            seeds: VecDeque::new(),
            sweeps: VecDeque::new(),
            obeys_nofollow: true,
            awaits_renewals: false,
            credit_owed: 0,
            n_workers: 0,
        }
    }

    /// Treats some hosts in their own way; no host may be known yet.
    pub(crate) fn set_hosts(&mut self, hosts: HostTable<HostPoliteness>) {
        self.rules.set_hosts(hosts);
    }

    pub(crate) fn open_tickets(&self) -> Arc<AtomicUsize> {
        self.slots.count()
    }

    pub(crate) fn write_journal(&mut self) {
        self.slots.write();
    }

    pub(crate) fn n_open(&self) -> usize {
        self.slots.n_open()
    }

    /// Whether the store has answered all it was sent, and nothing waits to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.unanswered == 0 && self.ended.is_empty()
    }

    /// Whether nothing is left that could bring more: the end of the crawl.
    pub(crate) fn is_idle(&self) -> bool {
        self.tally.queued == 0 && self.n_open() == 0 && self.is_flushed() && !self.awaits_renewals
    }

    /// Whether `max-pages` pages are settled, and none of them will be asked for again.
    pub(crate) fn is_limit_reached(&self) -> bool {
        let limit = self.config.scope.max_pages;
        limit != 0 && self.tally.pages >= limit && !self.awaits_renewals
    }

    /// Judges seeds and sends the new ones to the store; they count once they are durable, and
    /// `done` is answered then. Seeds have depth 0.
    pub(crate) fn add_seeds(
        &mut self,
        requests: Vec<Request>,
        done: Option<oneshot::Sender<Seeded>>,
    ) {
        let mut seeded = Seeded::default();
        let mut prints = HashSet::new();
        let mut new = Vec::new();
        for mut request in requests {
            request.depth = 0;
            let print = self.window.fingerprint_of(&request);
            let look = match request.is_sitemap() {
                true => self.window.look_sitemap(print, &request.url, 0),
                false => self.window.look(print, &request.url, 0),
            };
            let filtered = match look {
                _ if !prints.insert((print, self.window.second(&request.url))) => None,
                Look::Known => None,
                Look::Admit => Some(None),
                Look::Filter(reason) => Some(Some(reason)),
            };
            match filtered {
                None => seeded.known += 1,
                Some(None) => seeded.admitted += 1,
                Some(Some(_)) => seeded.filtered += 1,
            }
            new.extend(filtered.map(|filtered| Found { print, request, filtered, renews: false }));
        }
        self.send_found(new, done.map(|done| (done, seeded)));
    }

    /// Sends URLs to the store in batches; whoever waits is answered after the last.
    pub(crate) fn send_found(&mut self, found: Vec<Found>, mut waiting: Option<SeedsWaiting>) {
        let mut left = found.into_iter().peekable();
        while left.peek().is_some() {
            let found: Vec<Found> = left.by_ref().take(BATCH).collect();
            let is_last = left.peek().is_none();
            self.outbox.push_back(Entry::Found { found, source: Source::Seeds });
            self.unanswered += 1;
            self.seeds.push_back(waiting.take_if(|_| is_last));
        }
        if let Some((done, seeded)) = waiting {
            // Nothing was new. Who asked may be gone.
            let _ = done.send(seeded);
        }
    }

    /// Learns that a URL is durable; what that changes is counted.
    fn learn_durable(&mut self, found: &mut Found) -> Learnt {
        self.window.name(found);
        let learnt = self.backend.offer(found);
        match learnt {
            Learnt::New => self.tally.discovered += 1,
            Learnt::Readmitted(reason) => self.tally.unfilter(reason),
            Learnt::Renewed(verdict) => self.renew(verdict, &found.request.url),
            Learnt::Nearer | Learnt::Nothing => {}
        }
        learnt
    }

    /// The host of a URL that is to be queued; `None` if it is not.
    fn host_if_let_in(&mut self, found: &Found, is_new: bool, now: Instant) -> Option<HostKey> {
        let request = &found.request;
        if let Some(reason) = found.filtered {
            self.tally.filter(reason);
            self.guards.sighted(&request.url, reason);
            return None;
        }
        self.tally.queued += 1;
        if let Some(reason) = self.guard(request) {
            let url = Queued::new(found.print, request.clone(), 0);
            self.end(&url, EndedBy::Filter(reason));
            return None;
        }
        let host = self.host_key(&request.url);
        // An entry that it left behind when it ended counts again.
        if !is_new && self.backend.has_entry(found.print) {
            self.schedule(host, now);
            return None;
        }
        Some(host)
    }

    /// Puts a URL that is new into its host's queue, unless there is more to know of it.
    fn place_new(&mut self, host: HostKey, found: Found, now: Instant) {
        let request = &found.request;
        if !self.is_welcome(host, request, now) {
            self.n_placed += 1;
            return self.place(Queued::new(found.print, found.request, self.n_placed), now);
        }
        // The one held may no longer be the best.
        let order = self.config.queue.order;
        let service = order.service(request.priority, request.depth);
        let held = self.host_mut(host).busy_if_any().and_then(|busy| {
            busy.held.take_if(|held| order.service(held.priority, held.depth) < service)
        });
        // One more URL behind others changes nothing of when the host is due.
        let is_first = held.is_some() || !self.backend.has_waiting(host);
        if let Some(held) = held {
            self.backend.release(host, held);
        }
        self.backend.push(host, request);
        if is_first {
            self.schedule(host, now);
        }
    }

    /// Whether a URL simply waits in its host's queue.
    pub(crate) fn is_welcome(&self, host: HostKey, request: &Request, now: Instant) -> bool {
        let state = self.host(host);
        !state.is(Flag::Blocked)
            && self.spent(host).is_none()
            && !state.busy().condition.is_dead()
            && request.options.as_ref().is_none_or(|options| options.not_before_ms == 0)
            && match self.gate(host, &request.url, now) {
                Gate::Pass | Gate::Ask | Gate::Wait => true,
                Gate::Disallowed | Gate::Unreachable(_) => false,
            }
    }

    /// Puts a URL that was taken out of its queue where it has to wait, or ends it if that is
    /// certain already.
    pub(crate) fn place(&mut self, url: Queued, now: Instant) {
        let host = self.host_key(url.url());
        if self.host(host).is(Flag::Blocked) {
            return self.end(&url, EndedBy::Filter(FilterReason::Blocked));
        }
        if let Some(reason) = self.spent(host) {
            return self.end(&url, EndedBy::Filter(reason));
        }
        if self.host(host).busy().condition.is_dead() {
            return self.end_dead(host, &url, now);
        }
        // Its own time first; the host's clock counts after that.
        let not_before = self.began.instant(url.not_before_ms());
        if let Some(due) = not_before.filter(|&due| due > now) {
            return self.delayed.push(due, Later::Url(url));
        }
        match self.gate(host, url.url(), now) {
            Gate::Disallowed => self.end(&url, EndedBy::Filter(FilterReason::Robots)),
            Gate::Unreachable(cause) => self.end_unreachable(&url, &cause),
            Gate::Pass | Gate::Ask | Gate::Wait => {
                // The one held may no longer be the best.
                if let Some(held) = self.host_mut(host).take_held() {
                    self.backend.release(host, held);
                }
                self.backend.release(host, url);
                self.schedule(host, now);
            }
        }
    }

    /// Ends a queued URL without a fetch; it is pending until that is durable.
    pub(crate) fn end(&mut self, url: &Queued, by: EndedBy) {
        self.tally.queued -= 1;
        self.tally.pending += 1;
        let by = match by {
            // Items wait for it, and what they wait for is a settle.
            EndedBy::Filter(reason) if url.is_file() => {
                let verdict = Verdict::Filtered;
                EndedBy::Verdict(verdict, url.record(verdict, reason.name()))
            }
            by => by,
        };
        let refused = match by {
            EndedBy::Filter(reason) => Some(reason),
            EndedBy::Verdict(..) => None,
        };
        self.ending.insert(url.print, (url.clone(), refused));
        self.ended.push((url.print, by));
        if self.ended.len() >= BATCH {
            self.flush_ended();
        }
    }

    fn end_unreachable(&mut self, url: &Queued, cause: &str) {
        let error = format!("robots.txt could not be had: {cause}");
        let verdict = Verdict::RobotsUnreachable;
        self.end(url, EndedBy::Verdict(verdict, url.record(verdict, error)));
    }

    /// Ends a URL of a host that was given up.
    fn end_dead(&mut self, host: HostKey, url: &Queued, now: Instant) {
        let error = self.host(host).busy().condition.epitaph(url.url().host_str(), now);
        let verdict = Verdict::HostDead;
        self.end(url, EndedBy::Verdict(verdict, url.record(verdict, error)));
    }

    /// Puts the ends gathered so far into the outbox.
    pub(crate) fn flush_ended(&mut self) {
        if !self.ended.is_empty() {
            self.outbox.push_back(Entry::Ended(std::mem::take(&mut self.ended)));
            self.unanswered += 1;
        }
    }

    /// The host's number; it gets one if it has none.
    pub(crate) fn host_key(&mut self, url: &CanonicalUrl) -> HostKey {
        self.host_named(url.host_str())
    }

    /// The same by name.
    pub(crate) fn host_named(&mut self, name: &str) -> HostKey {
        match self.names.find(name) {
            Some(key) => key,
            None => self.add_host(name),
        }
    }

    fn add_host(&mut self, name: &str) -> HostKey {
        let key = self.names.add(name);
        let rules = self.rules.position(name);
        let is_blocked = self.window.scope.blocks.covers(name);
        let domain = self.join_domain(key);
        self.hosts.push(HostState::new(domain, rules, is_blocked));
        self.backend.add_host();
        key
    }

    fn host(&self, key: HostKey) -> &HostState {
        &self.hosts[key.0 as usize]
    }

    fn host_mut(&mut self, key: HostKey) -> &mut HostState {
        &mut self.hosts[key.0 as usize]
    }

    /// How the host is to be treated.
    fn rules(&self, key: HostKey) -> &HostPoliteness {
        self.rules.get(self.host(key).rules())
    }

    fn politeness(&self, key: HostKey) -> &PolitenessConfig {
        &self.rules(key).politeness
    }

    /// Least time between two starts on a host.
    pub(crate) fn delay(&self, key: HostKey) -> Duration {
        let (config, host) = (self.politeness(key), self.host(key));
        let busy = host.busy();
        let usual = config.delay.max(busy.crawl_delay).max(host.throttle.delay());
        busy.condition.delay(config, usual)
    }

    /// Makes the host's appointment what its work, room and clock say.
    fn schedule(&mut self, key: HostKey, now: Instant) {
        if self.host(key).is(Flag::InLine) {
            return; // looked at when it is called
        }
        let per_host = self.politeness(key).per_host.get();
        let has_urls = self.backend.has_waiting(key) || self.host(key).busy().held.is_some();
        let (is_spent, has_room) = (self.spent(key).is_some(), has_urls && self.has_room(key));
        let host = &mut self.hosts[key.0 as usize];
        host.rest(now);
        let busy = host.busy();
        let has_work = !busy.errands.is_empty() || has_room;
        let is_over = busy.condition.is_dead() && (has_urls || !busy.errands.is_empty());
        let is_unsorted = has_urls && (host.is(Flag::Unsorted) || is_spent);
        let wanted = if host.is(Flag::Blocked) {
            None // what is queued there is ended by a sweep
        } else if is_over || is_unsorted {
            Some(now.into()) // to end them, which needs no clock
        } else if has_work && host.has_place(per_host) {
            Some(if host.clock() == Stamp::NEVER { now.into() } else { host.clock() })
        } else {
            None
        };
        match (self.due.of(key), wanted) {
            // Who is due keeps its turn.
            (Some(old), Some(due)) if old == due || old.max(due) <= now.into() => return,
            (_, Some(due)) => self.due.insert(key, due),
            (_, None) => {
                self.due.remove(key);
            }
        }
        self.recheck_line(key);
    }
}
