//! What a replay may do to a scheduler that has not started yet.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crawl_model::{FilterReason, Fingerprint, Found};

use super::{HostKey, Later, Scheduler};
use crate::backend::Backend;
use crate::clock::{Moment, backoff};
use crate::gate::Gate;
use crate::queue::Queued;
use crate::seen::{Learnt, Standing};

impl<B: Backend> Scheduler<B> {
    /// Takes a URL of the log into the seen set and the numbers, but into no queue.
    pub(crate) fn learn(&mut self, found: &Found) -> Learnt {
        let learnt = self.backend.offer(found);
        match learnt {
            Learnt::New => self.tally.discovered += 1,
            Learnt::Readmitted(reason) => self.tally.unfilter(reason),
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
        self.window.seen.set(print, Standing::Filtered(reason, depth));
    }

    /// The log says that a URL was refused after it was found, which it was not by what is in force
    /// now if `was_counted`.
    pub(crate) fn was_refused(&mut self, url: &Queued, reason: FilterReason, was_counted: bool) {
        if was_counted && reason.is_trap() {
            self.guards.uncount(url.url());
            self.guards.sighted(url.url(), reason);
        }
    }

    /// Judges a URL under the scope now in force.
    pub(crate) fn judge(&self, url: &Queued) -> Option<FilterReason> {
        let scope = &self.window.scope;
        if url.is_sitemap() {
            scope.judge_sitemap(url.url(), url.depth)
        } else {
            scope.judge(url.url(), url.depth)
        }
    }

    /// Whether a URL in scope stays refused for what depends on the crawl's course.
    pub(crate) fn is_still_refused(
        &mut self,
        reason: FilterReason,
        url: &Queued,
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
        let host = self.host_key(url.url());
        match reason {
            FilterReason::HostBudget | FilterReason::DomainBudget => self.spent(host).is_some(),
            // Rules that are not known now are not asked for its sake.
            FilterReason::Robots => self.gate(host, url.url(), now) != Gate::Pass,
            // Which links lead there is not known any more; found again, it is judged again.
            FilterReason::NoFollow => self.obeys_nofollow,
            // The spider's step is asked on the CPU threads: found again, it is judged again.
            FilterReason::Refused => true,
            // Which pages were copies is not known any more: found elsewhere, it is judged again.
            FilterReason::TrapDuplicates => true,
            FilterReason::OffDomain
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

    /// Lets a URL that failed at `tried_ms` in an earlier run wait out what is left of its
    /// back-off. A clock that was set back must not make it longer.
    pub(crate) fn try_again(&mut self, url: Queued, tried_ms: u64, at: Moment) {
        let wait = backoff(&self.config.retry, url.print, url.attempts);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        match at.ahead(tried_ms.saturating_add(wait_ms)) {
            Some(left) => self.delayed.push(at.now + left.min(wait), Later::Url(url)),
            None => self.place(url, at.now),
        }
    }

    /// All hosts known so far.
    pub(crate) fn host_keys(&self) -> impl Iterator<Item = HostKey> + use<B> {
        let n_hosts = u32::try_from(self.hosts.len()).expect("hosts are numbered by u32");
        (0..n_hosts).map(HostKey)
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
        state.next_start = wait.map(|wait| now + wait);
        state.rest_until = rest.map(|rest| now + rest);
    }

    /// Remembers by which robots.txt the process may have died.
    pub(crate) fn suspect_robots(&mut self, deaths: HashMap<Fingerprint, u32>) {
        self.robots_deaths = deaths;
    }
}
