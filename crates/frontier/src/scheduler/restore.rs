//! What a replay may do to a scheduler that has not started yet, and what a URL that has waited
//! since an earlier run is asked when its turn comes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl_model::{
    CanonicalUrl, EndedBy, Entry, FilterReason, Fingerprint, Found, Host, Request, View,
};
use crawl_store::StoreError;

use super::robots::FATAL_DEATHS;
use super::{HostKey, HostRow, Later, Loose, Scheduler};
use crate::backend::{Backend, LocalBackend, Room};
use crate::clock::{Moment, backoff};
use crate::config::{FrontierConfig, Order, PolitenessConfig, QueueConfig};
use crate::gate::Gate;
use crate::queue::Queued;
use crate::queues::Recheck;
use crate::seen::{Learnt, Standing};
use crate::traps::Counts;
use crate::window::Window;

/// At this many process deaths a URL is run alone.
const SUSPECT_DEATHS: u32 = 2;

/// What earlier runs left to be known of URLs that wait since.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// Tries so far, and when the last was: milliseconds since the Unix epoch.
    pub(crate) tried: HashMap<Fingerprint, (u32, u64)>,
    /// Deaths with the URL in hand, where there were two or more.
    pub(crate) deaths: HashMap<Fingerprint, u32>,
    /// Out of their queues when the checkpoint was taken: they go first.
    pub(crate) loose: HashSet<Fingerprint>,
    /// Refused by budgets and traps, which the log does not say yet: the process died before it was
    /// durable, or the limits were others.
    pub(crate) guarded: HashMap<Fingerprint, (FilterReason, Request)>,
    /// Whether the limits may have changed since they were admitted.
    pub(crate) is_judged_anew: bool,
    /// Messages of the replay to the store that it has not answered.
    pub(crate) n_unanswered: usize,
}

impl<B: Backend> Scheduler<B> {
    /// Takes a URL that waits since an earlier run, at its turn: `None` if it has ended, ends
    /// now, or has to wait for a while.
    pub(crate) fn revive(&mut self, mut url: Queued, now: Instant) -> Option<Queued> {
        if !std::mem::take(&mut url.is_old) {
            return Some(url);
        }
        if !self.is_queued(url.print) {
            self.window.seen.forget_entry(url.print);
            return None;
        }
        self.recall_url(url, now)
    }

    /// Recalls what is known of a URL that waits since an earlier run.
    pub(crate) fn recall_url(&mut self, mut url: Queued, now: Instant) -> Option<Queued> {
        let refused = if self.before.is_judged_anew { self.judge(&url) } else { None };
        let n_deaths = self.before.deaths.remove(&url.print).unwrap_or(0);
        if let Some(reason) = refused {
            self.end(&url, EndedBy::Filter(reason));
            return None;
        }
        let tried = self.before.tried.remove(&url.print);
        url.attempts = tried.map_or(url.attempts, |(attempts, _)| attempts);
        if n_deaths >= FATAL_DEATHS {
            self.end_poisoned(&url, "the process died three times with this URL in hand");
            return None;
        }
        url.is_suspect = n_deaths >= SUSPECT_DEATHS;
        match tried.and_then(|(_, tried_ms)| self.left_of_back_off(&url, tried_ms, now)) {
            Some(due) => {
                self.delayed.push(due, Later::Url(url));
                None
            }
            None => Some(url),
        }
    }

    /// Whether nothing special is known of a URL that waits since an earlier run, so that it may
    /// stay where it is.
    pub(crate) fn is_ordinary(
        &self,
        host: HostKey,
        request: &Request,
        print: Fingerprint,
        now: Instant,
    ) -> bool {
        let before = &self.before;
        !before.tried.contains_key(&print)
            && !before.deaths.contains_key(&print)
            && !before.loose.contains(&print)
            && (!before.is_judged_anew || self.judge_request(request).is_none())
            && self.is_welcome(host, request, now)
    }

    /// Notes the deaths of earlier runs: those of URLs that wait, and those of robots.txt files.
    /// Says how many of the former are given up, and how many run alone.
    pub(crate) fn suspect(&mut self, suspects: &[(Fingerprint, u32)]) -> (u64, u64) {
        let deaths = suspects.iter().copied().filter(|&(_, deaths)| deaths >= SUSPECT_DEATHS);
        let seen = &self.window.seen;
        // Who died with no queued URL in hand died with a robots.txt.
        let (urls, robots): (HashMap<_, _>, HashMap<_, _>) =
            deaths.partition(|&(print, _)| seen.get(print) == Some(Standing::Queued));
        let n_fatal = urls.values().filter(|&&deaths| deaths >= FATAL_DEATHS).count() as u64;
        let n_alone = urls.len() as u64 - n_fatal;
        (self.before.deaths, self.robots_deaths) = (urls, robots);
        (n_fatal, n_alone)
    }

    /// Whether the URL waits, as far as the log tells.
    pub(crate) fn is_queued(&self, print: Fingerprint) -> bool {
        self.window.seen.get(print) == Some(Standing::Queued)
    }

    /// A URL of the log has ended; `false` if it did not wait. What its queue holds of it is left
    /// out when its turn comes.
    pub(crate) fn unqueue(&mut self, print: Fingerprint, now: Standing) -> bool {
        if !self.is_queued(print) {
            return false;
        }
        self.window.seen.set_leaving_entry(print, now);
        self.before.tried.remove(&print);
        self.tally.queued -= 1;
        true
    }

    /// Ends what budgets and traps refuse, of which the log does not tell.
    pub(crate) fn end_guarded(&mut self) {
        for (print, (reason, request)) in std::mem::take(&mut self.before.guarded) {
            self.end(&Queued::new(print, request, 0), EndedBy::Filter(reason));
        }
    }

    /// Takes over what budgets and traps had counted.
    pub(crate) fn restore_guards(&mut self, counts: Counts) {
        self.guards.fill(counts);
    }

    /// What a URL of the log is called.
    pub(crate) fn known_as(&self, found: &Found) -> Fingerprint {
        let second = self.window.prints.second(&found.request);
        second.map_or(found.print, |_| self.window.fingerprint_of(&found.request))
    }

    /// Why a URL is refused, and at which least depth; `None` if it is not.
    pub(crate) fn refusal(&self, print: Fingerprint) -> Option<(FilterReason, u32)> {
        match self.window.seen.get(print)? {
            Standing::Filtered(reason, depth) => Some((reason, depth)),
            Standing::Queued | Standing::Ended(_) | Standing::Second => None,
        }
    }

    /// How many URLs have ended in such a way and are not in the outbox yet.
    pub(crate) fn n_ending(&self, is_such: impl Fn(&EndedBy) -> bool) -> u64 {
        let sent = self.outbox.iter().flat_map(|entry| match entry {
            Entry::Ended(ended) => ended.as_slice(),
            _ => &[],
        });
        sent.chain(&self.ended).filter(|(_, by)| is_such(by)).count() as u64
    }

    /// Until the store has answered all that is under way to it, no checkpoint may be taken: the
    /// log does not tell yet what the limits now in force made of it.
    pub(crate) fn await_answers(&mut self) {
        self.flush_ended();
        self.before.n_unanswered = self.unanswered;
    }

    /// Takes a URL of the log into its host's queue.
    pub(crate) fn queue(&mut self, request: &Request) {
        let host = self.host_key(&request.url);
        self.backend.push(host, request);
    }

    /// Gives a host that has URLs its appointment.
    pub(crate) fn wake_host(&mut self, host: HostKey, now: Instant) {
        self.schedule(host, now);
    }

    /// Takes a URL of the log into the seen set and the numbers, but into no queue.
    pub(crate) fn learn(&mut self, found: &mut Found) -> Learnt {
        self.window.name(found);
        let learnt = self.backend.offer(found);
        match learnt {
            Learnt::New => self.tally.discovered += 1,
            Learnt::Readmitted(reason) => self.tally.unfilter(reason),
            Learnt::Renewed(verdict) => self.renew(verdict, &found.request.url),
            Learnt::Nearer | Learnt::Nothing => return learnt,
        }
        if let Some(reason) = found.filtered {
            self.tally.filter(reason);
            self.guards.sighted(&found.request.url, reason);
        }
        learnt
    }

    /// Notes why a URL is refused, and at which depth.
    pub(crate) fn refuse(&mut self, print: Fingerprint, reason: FilterReason, depth: u32) {
        self.window.seen.restate(print, Standing::Filtered(reason, depth));
    }

    /// Judges a URL under the scope now in force.
    fn judge(&self, url: &Queued) -> Option<FilterReason> {
        let scope = &self.window.scope;
        if url.is_file() {
            scope.judge_file(url.url())
        } else if url.is_sitemap() {
            scope.judge_sitemap(url.url(), url.depth)
        } else {
            scope.judge(url.url(), url.depth)
        }
    }

    pub(crate) fn judge_request(&self, request: &Request) -> Option<FilterReason> {
        let scope = &self.window.scope;
        if request.is_file() {
            scope.judge_file(&request.url)
        } else if request.is_sitemap() {
            scope.judge_sitemap(&request.url, request.depth)
        } else {
            scope.judge(&request.url, request.depth)
        }
    }

    /// Whether a URL in scope stays refused for what depends on the crawl's course.
    pub(crate) fn is_still_refused(
        &mut self,
        reason: FilterReason,
        url: &CanonicalUrl,
        now: Instant,
    ) -> bool {
        let is_guarded = matches!(
            reason,
            FilterReason::PrefixBudget
                | FilterReason::TrapCalendar
                | FilterReason::TrapSessions
                | FilterReason::TrapFacets
                | FilterReason::TrapHosts
        );
        if is_guarded {
            return self.would_guard(url); // before its host becomes one
        }
        let host = self.host_key(url);
        match reason {
            FilterReason::HostBudget | FilterReason::DomainBudget => self.spent(host).is_some(),
            // Rules that are not known now are not asked for its sake.
            FilterReason::Robots => self.gate(host, url, now) != Gate::Pass,
            // Which links lead there is not known any more; found again, it is judged again.
            FilterReason::NoFollow => self.obeys_nofollow,
            // The spider's step is asked on the CPU threads: found again, it is judged again.
            FilterReason::Refused => true,
            // Which pages were copies is not known any more: found elsewhere, it is judged again.
            FilterReason::TrapDuplicates | FilterReason::TrapNearDuplicates => true,
            FilterReason::OffDomain
            | FilterReason::Blocked
            | FilterReason::Excluded
            | FilterReason::NotIncluded
            | FilterReason::TooDeep
            | FilterReason::Extension
            | FilterReason::TrapRepeats
            | FilterReason::TrapLongPath
            | FilterReason::PrefixBudget
            | FilterReason::TrapCalendar
            | FilterReason::TrapSessions
            | FilterReason::TrapFacets
            | FilterReason::TrapHosts => false,
        }
    }

    /// Till when a URL that failed at `tried_ms` in an earlier run has to wait out its back-off. A
    /// clock that was set back must not make it longer.
    fn left_of_back_off(&self, url: &Queued, tried_ms: u64, now: Instant) -> Option<Instant> {
        let wait = backoff(&self.config.retry, url.print, url.attempts);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let at = Moment { now, ms: self.began.millis(now) };
        let left = at.ahead(tried_ms.saturating_add(wait_ms))?;
        Some(now + left.min(wait))
    }

    /// All hosts known so far.
    pub(crate) fn host_keys(&self) -> impl Iterator<Item = HostKey> + use<B> {
        self.names.keys()
    }

    /// Lets a host rest: `wait` by its delay, `rest` because it asked for it.
    pub(crate) fn rest(
        &mut self,
        host: HostKey,
        wait: Option<Duration>,
        rest: Option<Duration>,
        now: Instant,
    ) {
        let longest = self.politeness(host).max_retry_after;
        let rest = rest.map(|rest| rest.min(longest));
        let state = self.host_mut(host);
        state.next_start = wait.map(|wait| now + wait).into();
        if let Some(rest) = rest {
            state.busy_mut().rest_until = Some(now + rest);
        }
    }
}

impl Scheduler<LocalBackend> {
    /// The limits under which URLs are judged: those of a checkpoint must be the same.
    pub(crate) fn limits(&self, seed_hosts: &[Host]) -> String {
        let Self { config, rules, obeys_nofollow, .. } = self;
        let politeness =
            PolitenessConfig { robots: config.politeness.robots, ..Default::default() };
        let (retry, queue) = Default::default();
        let judged_by = FrontierConfig { politeness, retry, queue, ..config.clone() };
        let (rules, order, blocks) =
            (rules.told(), config.queue.order, self.window.scope.blocks.names());
        format!("{judged_by:?} {seed_hosts:?} {obeys_nofollow} {order:?} {rules} {blocks:?}")
    }

    pub(crate) fn order(&self) -> Order {
        self.config.queue.order
    }

    /// When checkpoints are to be taken.
    pub(crate) fn room(&self) -> Room {
        let QueueConfig { memory_mib, checkpoint_after, .. } = self.config.queue;
        Room { memory: (memory_mib.get() as usize) << 20, events: checkpoint_after.get().into() }
    }

    /// Has its URLs in another place from now on; nothing may have been put into the old one.
    pub(crate) fn move_to(&mut self, window: Arc<Window>, backend: LocalBackend) {
        (self.window, self.backend) = (window, backend);
    }

    #[cfg(test)]
    pub(crate) fn backend_for_tests(&self) -> &LocalBackend {
        &self.backend
    }

    /// Makes room in the middle of a replay.
    pub(crate) fn relieve(&mut self) -> Result<(), StoreError> {
        self.backend.relieve()
    }

    /// Takes a host of a checkpoint; hosts come in the order of their numbers.
    pub(crate) fn restore_host(&mut self, row: HostRow<'_>, lanes: &[u8]) -> HostKey {
        let key = self.host_named(row.name);
        if row.last_ms != 0 {
            self.host_mut(key).last_start = self.began.back(row.last_ms).into();
        }
        self.add_pages(key, row.pages);
        self.backend.queues.restore_lanes(key, lanes);
        key
    }

    /// Takes a URL of a checkpoint that was out of its queue.
    pub(crate) fn restore_loose(&mut self, loose: Loose) {
        let print = self.window.fingerprint_of(&loose.request);
        if let Some(reason) = loose.refused {
            self.before.guarded.insert(print, (reason, loose.request));
            return;
        }
        self.queue(&loose.request);
        self.before.loose.insert(print);
        if loose.attempts > 0 {
            self.before.tried.insert(print, (loose.attempts, loose.tried_ms));
        }
    }

    /// Looks through what a replay left in memory: what has ended goes, and that of which more is
    /// known is returned.
    pub(crate) fn recheck(&mut self, now: Instant) -> Vec<Queued> {
        let empty = self.backend.queues.again();
        let mut queues = std::mem::replace(&mut self.backend.queues, empty);
        let mut specials = queues.replayed(&self.names, |host, request, print| {
            let print = self.backend.known_as(print, request);
            if !self.is_queued(print) {
                self.window.seen.forget_entry(print);
                Recheck::Gone
            } else if self.is_ordinary(host, request, print, now) {
                Recheck::Stay
            } else {
                Recheck::Special
            }
        });
        self.backend.queues = queues;
        for url in &mut specials {
            url.print = self.backend.known_as(url.print, &url.request());
        }
        specials
    }
}
