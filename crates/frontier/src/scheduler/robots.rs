//! Asking for robots.txt: one errand per origin at a time, through its host's queue and clock.
//!
//! A redirect hop is queued at the host it leads to; between hops nothing is held.

use std::collections::HashSet;
use std::time::Instant;

use crawl_model::{CanonicalUrl, Found, Look, Origin, Request, RobotsReply, View};
use crawl_robots::Robots;

use super::host::Flag;
use super::{HostKey, Later, Scheduler};
use crate::backend::Backend;
use crate::clock::backoff;
use crate::gate::{Gate, LIFETIME, MAX_HOPS, OriginGate, Standing};
use crate::queue::Queued;
use crate::slots::{OriginKey, RobotsErrand};

/// At this many process deaths a URL is not touched again.
pub(crate) const FATAL_DEATHS: u32 = 3;

/// Most sitemaps of one robots.txt that are asked for.
const MAX_SITEMAPS: usize = 1000;

impl<B: Backend> Scheduler<B> {
    /// What the gate of the URL's origin says.
    pub(super) fn gate(&self, host: HostKey, url: &CanonicalUrl, now: Instant) -> Gate {
        if !self.politeness(host).robots {
            return Gate::Pass;
        }
        let (https, port) = (url.is_https(), url.port());
        let state = self.host(host);
        if state.allows_all(https, port, now) {
            return Gate::Pass;
        }
        let mut origins = state.busy().origins.iter();
        let gate = origins.find(|origin| origin.is_of(https, port));
        gate.map_or(Gate::Ask, |origin| origin.judge(url, now))
    }

    /// Sends an errand for the rules of the URL's origin, at the head of its host's queue.
    pub(super) fn ask(&mut self, host: HostKey, url: &CanonicalUrl, now: Instant) {
        let key = self.origin_key(host, url.origin());
        let robots_url = self.origin_mut(key).origin.robots_url();
        let print = self.window.fingerprint(robots_url.as_str());
        if self.robots_deaths.get(&print).is_some_and(|&deaths| deaths >= FATAL_DEATHS) {
            self.origin_mut(key).standing = Standing::Unreachable {
                cause: "the process died three times with it in hand".to_owned(),
                until: now + LIFETIME,
            };
            return;
        }
        self.origin_mut(key).standing = Standing::Asking { tries: 0 };
        self.queue_errand(RobotsErrand { origin: key, url: robots_url, hops: 0 }, now);
    }

    /// Lets a URL wait for its origin's rules.
    pub(super) fn wait_at_gate(&mut self, host: HostKey, url: Queued) {
        let key = self.origin_key(host, url.url().origin());
        self.origin_mut(key).waiting.push(url);
    }

    /// URLs that wait for the rules of the URL's origin.
    pub(super) fn n_at_gate(&mut self, host: HostKey, url: &CanonicalUrl) -> usize {
        let key = self.origin_key(host, url.origin());
        self.origin_mut(key).waiting.len()
    }

    /// Queues an errand at the host it leads to, which may be another one than the origin's.
    pub(super) fn queue_errand(&mut self, errand: RobotsErrand, now: Instant) {
        let host = self.host_key(&errand.url);
        if self.host(host).is(Flag::Blocked) {
            return self.refuse_errand(&errand, now);
        }
        self.host_mut(host).busy_mut().errands.push_back(errand);
        self.schedule(host, now);
    }

    /// Takes the answer to an errand.
    pub(super) fn answered(&mut self, errand: RobotsErrand, reply: &RobotsReply, now: Instant) {
        let until = now + LIFETIME;
        let standing = match reply {
            RobotsReply::Redirect(target) if errand.hops < MAX_HOPS => {
                let hop = RobotsErrand {
                    origin: errand.origin,
                    url: target.clone(),
                    hops: errand.hops + 1,
                };
                return self.queue_errand(hop, now);
            }
            // Beyond five hops it counts as absent (RFC 9309, section 2.3.1.2).
            RobotsReply::Redirect(_) | RobotsReply::AllowAll => Standing::allow_all(until),
            RobotsReply::Rules(bytes) => {
                Standing::rules(bytes, &self.rules(errand.origin.host).agent, until)
            }
            RobotsReply::Unreachable { cause, .. } => return self.failed(errand, cause, now),
        };
        self.open_gate(errand.origin, standing, now);
        self.find_sitemaps(&errand.url, reply);
    }

    /// Sends the sitemaps that a robots.txt at `url` names to the store, if they are wanted.
    ///
    /// Done for recalled rules, too: a kill may have come between the rules and their sitemaps.
    fn find_sitemaps(&mut self, url: &CanonicalUrl, reply: &RobotsReply) {
        let RobotsReply::Rules(bytes) = reply else { return };
        if !self.config.scope.sitemaps {
            return;
        }
        let mut prints = HashSet::new();
        let mut new = Vec::new();
        let robots = Robots::parse(bytes);
        let urls = robots.sitemaps().iter().filter_map(|line| url.join(line).ok());
        for target in urls.take(MAX_SITEMAPS) {
            let mut request = Request::get(target);
            request.label = Request::SITEMAP.into();
            let print = self.window.fingerprint_of(&request);
            let filtered = match self.window.look_sitemap(print, &request.url, 0) {
                Look::Known => continue,
                Look::Admit => None,
                Look::Filter(reason) => Some(reason),
            };
            if prints.insert((print, self.window.second(&request.url))) {
                new.push(Found { print, request, filtered, renews: false });
            }
        }
        self.send_found(new, None);
    }

    /// Tries again later, or gives up.
    pub(super) fn failed(&mut self, errand: RobotsErrand, cause: &str, now: Instant) {
        let tries = self.robots_tries(errand.origin) + 1;
        if tries >= self.politeness(errand.origin.host).robots_attempts {
            let standing = Standing::Unreachable { cause: cause.to_owned(), until: now + LIFETIME };
            return self.open_gate(errand.origin, standing, now);
        }
        let origin = self.origin_mut(errand.origin);
        origin.standing = Standing::Asking { tries };
        // From the beginning: what a hop led to may have changed.
        let errand = RobotsErrand { url: origin.origin.robots_url(), hops: 0, ..errand };
        let print = self.window.fingerprint(errand.url.as_str());
        let wait = backoff(&self.config.retry, print, tries);
        self.delayed.push(now + wait, Later::Robots(errand));
    }

    /// Ends an errand to a host that was given up. What it was to ask for counts as unreachable;
    /// of a redirect's target that is somebody else's rules.
    pub(super) fn give_up_robots(&mut self, errand: &RobotsErrand, now: Instant) {
        let host = self.host_key(&errand.url);
        let cause = self.host(host).busy().condition.epitaph(errand.url.host_str(), now);
        let standing = Standing::Unreachable { cause, until: now + LIFETIME };
        self.open_gate(errand.origin, standing, now);
    }

    /// Notes what is known of an origin's rules now, and judges who waited for it.
    pub(super) fn open_gate(&mut self, key: OriginKey, standing: Standing, now: Instant) {
        let is_closed = matches!(standing, Standing::Unreachable { .. });
        self.set_standing(key, standing);
        if is_closed {
            self.host_mut(key.host).set(Flag::Unsorted, true);
        }
        let host = self.host(key.host);
        let is_dead = host.busy().condition.is_dead() && !host.is(Flag::Blocked);
        for url in std::mem::take(&mut self.origin_mut(key).waiting) {
            if is_dead {
                // Ended with the others of the host, so many at a time.
                self.backend.release(key.host, url);
            } else {
                self.place(url, now);
            }
        }
        self.schedule(key.host, now);
    }

    fn set_standing(&mut self, key: OriginKey, standing: Standing) {
        let delay = standing.crawl_delay(self.politeness(key.host).max_crawl_delay);
        let busy = self.host_mut(key.host).busy_mut();
        busy.crawl_delay = busy.crawl_delay.max(delay);
        let gate = &mut busy.origins[key.index];
        let (https, port) = (gate.origin.is_https(), gate.origin.port());
        gate.standing = standing;
        self.host_mut(key.host).forget_origin(https, port);
        // The request that brought the rules counts like any other.
        let delay = self.delay(key.host);
        let host = self.host_mut(key.host);
        let by_last = host.last_start.get().map(|start| start + delay);
        host.next_start = host.next_start.max(by_last.into());
    }

    /// Takes rules that an earlier run asked for; `until` is when they go stale. Half an answer
    /// (a redirect, a failure) is asked for anew.
    pub(crate) fn recall(&mut self, origin: Origin, reply: &RobotsReply, until: Instant) {
        let robots_url = origin.robots_url();
        let host = self.host_key(&robots_url);
        let standing = match reply {
            RobotsReply::Rules(bytes) => Standing::rules(bytes, &self.rules(host).agent, until),
            RobotsReply::AllowAll => Standing::allow_all(until),
            RobotsReply::Redirect(_) | RobotsReply::Unreachable { .. } => return,
        };
        self.find_sitemaps(&robots_url, reply);
        let key = self.origin_key(host, origin);
        self.set_standing(key, standing);
    }

    /// The origin's place; it gets one if it has none.
    fn origin_key(&mut self, host: HostKey, origin: Origin) -> OriginKey {
        let origins = &mut self.host_mut(host).busy_mut().origins;
        let (https, port) = (origin.is_https(), origin.port());
        let index = origins.iter().position(|gate| gate.is_of(https, port)).unwrap_or_else(|| {
            origins.reserve_exact(1); // most hosts have one
            origins.push(OriginGate::new(origin));
            origins.len() - 1
        });
        OriginKey { host, index }
    }

    pub(super) fn origin_mut(&mut self, key: OriginKey) -> &mut OriginGate {
        &mut self.host_mut(key.host).busy_mut().origins[key.index]
    }

    /// How often the origin's rules were asked for in vain.
    pub(super) fn robots_tries(&self, key: OriginKey) -> u32 {
        match self.host(key.host).busy().origins[key.index].standing {
            Standing::Asking { tries } => tries,
            Standing::Unknown | Standing::Rules { .. } | Standing::Unreachable { .. } => 0,
        }
    }
}
