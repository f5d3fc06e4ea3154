//! What orders to a running crawl do to its hosts and URLs.
//!
//! A blocked host has no appointment, so nothing of it is sent from then on. What is queued there
//! is ended by a sweep, a slice per turn, so that a queue of a million URLs does not hold up the
//! others.

use std::time::Instant;

use crawl_model::{EndedBy, FilterReason, Host};
use tokio::sync::oneshot;

use super::host::Flag;
use super::{HostKey, Later, Scheduler};
use crate::backend::Backend;
use crate::clock::Rate;
use crate::config::PolitenessConfig;
use crate::domain::Domain;
use crate::gate::{LIFETIME, Standing};
use crate::orders::{Blocked, Pace, Setting, Status};
use crate::slots::RobotsErrand;

/// URLs ended per turn.
const STEPS: usize = 1000;
/// Messages that may wait for the store before a sweep waits, too.
const OUTBOX: usize = 8;

/// A block whose queued URLs are being ended.
pub(super) struct Sweep {
    /// Hosts still to be looked at.
    hosts: Vec<HostKey>,
    so_far: Blocked,
    done: oneshot::Sender<Blocked>,
}

impl<B: Backend> Scheduler<B> {
    /// Fetches nothing more from a domain; `done` is answered when [`sweep`](Self::sweep) has ended
    /// what was queued there.
    pub(crate) fn block(&mut self, domain: &Domain, done: oneshot::Sender<Blocked>) {
        let was_blocked = !self.window.scope.blocks.insert(domain.clone());
        let hosts = self.hosts_of(domain);
        for &host in &hosts {
            self.host_mut(host).set(Flag::Blocked, true);
            self.dismiss(host);
        }
        let so_far = Blocked { was_blocked, hosts: hosts.len() as u64, urls: self.end_delayed() };
        self.sweeps.push_back(Sweep { hosts, so_far, done });
    }

    /// Ends what a replay found at blocked hosts.
    pub(crate) fn sweep_blocked(&mut self) {
        let hosts: Vec<_> =
            self.host_keys().filter(|&host| self.host(host).is(Flag::Blocked)).collect();
        if !hosts.is_empty() {
            // Nobody waits for the answer.
            let (done, _) = oneshot::channel();
            self.sweeps.push_back(Sweep { hosts, so_far: Blocked::default(), done });
        }
    }

    /// Takes a block back; whether there was one.
    pub(crate) fn unblock(&mut self, domain: &Domain, now: Instant) -> bool {
        let was_blocked = self.window.scope.blocks.remove(domain);
        let blocks = &self.window.scope.blocks;
        let hosts = self.names.iter().filter(|(_, name)| domain.covers(name));
        // Another domain may still cover one of them.
        let free = hosts.filter(|(_, name)| !blocks.covers(name));
        for host in free.map(|(key, _)| key).collect::<Vec<_>>() {
            self.host_mut(host).set(Flag::Blocked, false);
            self.schedule(host, now);
        }
        was_blocked
    }

    fn hosts_of(&self, domain: &Domain) -> Vec<HostKey> {
        let hosts = self.names.iter().filter(|(_, name)| domain.covers(name));
        hosts.map(|(key, _)| key).collect()
    }

    /// Ends what waits for a time of its own at blocked hosts: that may be hours off.
    fn end_delayed(&mut self) -> u64 {
        let blocks = &self.window.scope.blocks;
        let ended = self.delayed.take_if(|later| match later {
            Later::Url(url) => blocks.covers(url.url().host_str()),
            Later::Robots(_) | Later::Line(_) => false,
        });
        for later in &ended {
            if let Later::Url(url) = later {
                self.end(url, EndedBy::Filter(FilterReason::Blocked));
            }
        }
        ended.len() as u64
    }

    /// Ends queued URLs of blocked hosts, as many as fit into one turn; whether there are more
    /// and the store has room for them.
    pub(crate) fn sweep(&mut self, now: Instant) -> bool {
        if self.outbox.len() >= OUTBOX {
            return false; // woken when there is room
        }
        let Some(mut sweep) = self.sweeps.pop_front() else { return false };
        let before = self.tally.queued;
        for _ in 0..STEPS {
            let Some(&host) = sweep.hosts.last() else { break };
            if !self.end_blocked(host, now) {
                sweep.hosts.pop();
            }
        }
        sweep.so_far.urls += before - self.tally.queued;
        if sweep.hosts.is_empty() {
            // Who asked may be gone.
            let _ = sweep.done.send(sweep.so_far);
        } else {
            self.sweeps.push_front(sweep);
        }
        !self.sweeps.is_empty()
    }

    /// Ends one thing that waits at a blocked host; whether there was one.
    fn end_blocked(&mut self, key: HostKey, now: Instant) -> bool {
        if !self.host(key).is(Flag::Blocked) {
            return false; // unblocked meanwhile
        }
        let busy = self.host_mut(key).busy_if_any();
        if let Some(errand) = busy.and_then(|busy| busy.errands.pop_front()) {
            self.refuse_errand(&errand, now);
            return true;
        }
        let url = self.next_url(key).or_else(|| {
            let origins = &mut self.host_mut(key).busy_if_any()?.origins;
            origins.iter_mut().find_map(|origin| origin.waiting.pop())
        });
        let Some(url) = url else { return false };
        if let Some(url) = self.revive(url, now) {
            self.end(&url, EndedBy::Filter(FilterReason::Blocked));
        }
        true
    }

    /// Ends an errand to a blocked host. Who was sent there for the rules of another host cannot
    /// have them.
    pub(super) fn refuse_errand(&mut self, errand: &RobotsErrand, now: Instant) {
        let standing = if self.host(errand.origin.host).is(Flag::Blocked) {
            Standing::Unknown
        } else {
            let cause = format!("it is at {}, which is blocked", errand.url.host_str());
            Standing::Unreachable { cause, until: now + LIFETIME }
        };
        self.open_gate(errand.origin, standing, now);
    }

    /// Changes a setting, of one host or of all; says what it was.
    pub(crate) fn set(&mut self, setting: Setting, host: Option<&Host>, now: Instant) -> Setting {
        match setting {
            Setting::Delay(delay) => {
                let was = self.change(host, |config| config.delay = delay, now);
                Setting::Delay(was.delay)
            }
            Setting::PerHost(per_host) => {
                let was = self.change(host, |config| config.per_host = per_host, now);
                Setting::PerHost(was.per_host)
            }
            Setting::MaxRate(rate) => {
                let was = std::mem::replace(&mut self.config.politeness.max_rate, rate);
                self.rate = rate.try_into().ok().map(|rate| Rate::new(rate, now));
                self.rate_due = None;
                Setting::MaxRate(was)
            }
            Setting::MaxPages(n) => {
                Setting::MaxPages(std::mem::replace(&mut self.config.scope.max_pages, n))
            }
            Setting::MaxPagesPerHost(n) => {
                let was = std::mem::replace(&mut self.config.scope.max_pages_per_host, n);
                for host in self.host_keys() {
                    self.schedule(host, now);
                }
                Setting::MaxPagesPerHost(was)
            }
        }
    }

    /// Changes how one host or all are treated; says how they were.
    fn change(
        &mut self,
        host: Option<&Host>,
        change: impl Fn(&mut PolitenessConfig),
        now: Instant,
    ) -> Pace {
        let number = host.and_then(|host| self.rules.position(host.as_str()));
        let was = Pace::from(&self.rules.get(number).politeness);
        match host {
            Some(host) => {
                let number = self.rules.change(host.as_str(), change);
                if let Some(key) = self.names.find(host.as_str()) {
                    self.host_mut(key).set_rules(number);
                    self.reset_clock(key, now);
                }
            }
            None => {
                self.rules.change_all(change);
                for key in self.host_keys() {
                    self.reset_clock(key, now);
                }
            }
        }
        was
    }

    /// Lets a host's new delay count from its last start, or from now if that is sooner than what
    /// the old one said.
    fn reset_clock(&mut self, key: HostKey, now: Instant) {
        let delay = self.delay(key);
        let (soon, address) = (now + delay, self.host(key).busy().address);
        let host = self.host_mut(key);
        let by_last = host.last_start.get().map(|start| start + delay);
        host.next_start = host.next_start.min(soon.into()).max(by_last.into());
        if let Some(address) = address {
            self.lines.hurry(address, soon);
        }
        self.schedule(key, now);
    }

    /// What is in force.
    pub(crate) fn status(&self) -> Status {
        let pace = Pace::from(&self.rules.get(None).politeness);
        let mut status = Status::new(pace, &self.config.scope, self.config.politeness.max_rate);
        status.hosts = self.rules.own_paces();
        status
    }
}
