//! What refuses an admitted URL for what the crawl has seen before it: budgets and traps.
//!
//! A host's and a domain's pages are counted when they settle, so a URL of a spent one may wait
//! until that is certain. All else is decided once, when the URL is taken in.

use std::time::Instant;

use crawl_model::{CanonicalUrl, FilterReason, Request, Verdict};

use super::{HostKey, Scheduler};
use crate::backend::Backend;
use crate::budget::{Domain, DomainKey};
use crate::traps::TrapSighting;

/// The year of a time in milliseconds since the Unix epoch; a day off at New Year's is near enough.
pub(super) fn year(ms: u64) -> u32 {
    const YEAR_MS: u64 = 31_556_952_000;
    u32::try_from(1970 + ms / YEAR_MS).unwrap_or(u32::MAX)
}

impl<B: Backend> Scheduler<B> {
    /// Counts an admitted URL, or says why it is refused after all. If it is not, its host is to be
    /// known before the next one is judged.
    pub(crate) fn guard(&mut self, request: &Request) -> Option<FilterReason> {
        // What was asked for is no trap.
        let is_exempt = request.depth == 0 || request.is_sitemap() || request.is_file();
        let refused = if is_exempt { None } else { self.judge_course(&request.url) };
        if let Some(reason) = refused {
            self.guards.sighted(&request.url, reason);
        }
        refused
    }

    /// Whether a URL that was refused by [`guard`](Self::guard) would be now.
    pub(super) fn would_guard(&self, url: &CanonicalUrl) -> bool {
        self.is_host_too_many(url) || self.guards.would_refuse(url).is_some()
    }

    /// Takes back what a URL counted that the log says was refused.
    pub(crate) fn unguard(&mut self, url: &CanonicalUrl, reason: FilterReason) {
        self.guards.uncount(url);
        self.guards.sighted(url, reason);
    }

    fn judge_course(&mut self, url: &CanonicalUrl) -> Option<FilterReason> {
        if self.is_host_too_many(url) {
            return Some(FilterReason::TrapHosts);
        }
        self.guards.judge(url)
    }

    fn is_host_too_many(&self, url: &CanonicalUrl) -> bool {
        let limit = self.config.scope.max_hosts_per_domain;
        let host = url.host_str();
        limit != 0 && self.names.find(host).is_none() && self.n_hosts_beside(host) >= limit
    }

    /// What was refused where, the most first.
    pub(crate) fn sightings(&self) -> Vec<TrapSighting> {
        self.guards.sightings()
    }

    /// Number of hosts of the domain that a host of this name would belong to.
    fn n_hosts_beside(&self, host: &str) -> u64 {
        let first = self.domains.first_of(host, &self.names);
        first.map_or(0, |first| self.domain(first).map_or(1, |domain| domain.n_hosts))
    }

    /// The domain of a new host, if domains are counted and it is not the first of its own.
    pub(super) fn join_domain(&mut self, host: HostKey) -> Option<DomainKey> {
        let scope = &self.config.scope;
        if (scope.max_hosts_per_domain, scope.max_pages_per_domain) == (0, 0) {
            return None;
        }
        let first = self.domains.join(host, &self.names)?;
        let state = &mut self.hosts[first.0 as usize];
        let key = match state.domain {
            Some(key) => key,
            None => {
                let (pages, open_pages) = (state.pages.into(), state.busy().open_pages.into());
                let alone = Domain { n_hosts: 1, pages, open_pages, ..Domain::default() };
                *state.domain.insert(self.domains.add(alone))
            }
        };
        self.domains.get_mut(key).n_hosts += 1;
        Some(key)
    }

    fn domain(&self, host: HostKey) -> Option<&Domain> {
        self.host(host).domain.map(|key| self.domains.get(key))
    }

    fn domain_mut(&mut self, host: HostKey) -> Option<&mut Domain> {
        self.host(host).domain.map(|key| self.domains.get_mut(key))
    }

    /// Pages settled of the host's domain.
    fn domain_pages(&self, host: HostKey) -> u64 {
        self.domain(host).map_or_else(|| self.host(host).pages.into(), |domain| domain.pages)
    }

    /// The budget of a host that is used up for good, if one is.
    pub(super) fn spent(&self, host: HostKey) -> Option<FilterReason> {
        let scope = &self.config.scope;
        let limit = scope.max_pages_per_domain;
        if self.host(host).is_spent(scope.max_pages_per_host) {
            Some(FilterReason::HostBudget)
        } else if limit != 0 && self.domain_pages(host) >= limit {
            Some(FilterReason::DomainBudget)
        } else {
            None
        }
    }

    /// Whether one more page ticket fits into the budgets of a host. If only its domain's is full it
    /// is looked at again when a page of the domain ends.
    pub(super) fn has_room(&mut self, host: HostKey) -> bool {
        let scope = &self.config.scope;
        let limit = scope.max_pages_per_domain;
        if !self.host(host).has_room(scope.max_pages_per_host) {
            return false;
        }
        if limit == 0 {
            return true;
        }
        let Some(domain) = self.domain_mut(host) else { return self.host(host).has_room(limit) };
        let has_room = domain.pages + domain.open_pages < limit;
        if !has_room {
            domain.waiting.insert(host);
        }
        has_room
    }

    /// A page ticket of the host is cut.
    pub(super) fn page_opened(&mut self, host: HostKey) {
        self.host_mut(host).busy_mut().open_pages += 1;
        if let Some(domain) = self.domain_mut(host) {
            domain.open_pages += 1;
        }
    }

    /// A page ticket has ended, so the budgets may have room again.
    pub(super) fn page_closed(&mut self, host: HostKey, now: Instant) {
        self.host_mut(host).busy_mut().open_pages -= 1;
        let waiting = self.domain_mut(host).map(|domain| {
            domain.open_pages -= 1;
            std::mem::take(&mut domain.waiting)
        });
        self.schedule(host, now);
        for other in waiting.unwrap_or_default() {
            self.schedule(other, now);
        }
    }

    /// Counts a settled URL against its host's and its domain's budget.
    pub(crate) fn count_page(&mut self, host: HostKey, verdict: Verdict) {
        self.add_pages(host, u64::from(verdict.is_page()));
    }

    /// Adds pages that settled to those of the host and its domain.
    pub(super) fn add_pages(&mut self, host: HostKey, n: u64) {
        let state = self.host_mut(host);
        state.pages = state.pages.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        if let Some(domain) = self.domain_mut(host) {
            domain.pages += n;
        }
    }

    /// Takes pages off again that will settle anew.
    pub(super) fn take_pages(&mut self, host: HostKey, n: u32) {
        let state = self.host_mut(host);
        state.pages = state.pages.saturating_sub(n);
        if let Some(domain) = self.domain_mut(host) {
            domain.pages = domain.pages.saturating_sub(n.into());
        }
    }
}
