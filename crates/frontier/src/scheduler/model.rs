//! Random lives of a crawl against a naive model: whatever comes in whatever order, nothing is
//! lost, handed out twice, sent too early, sent out of order, or left over at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crawl_model::{
    CanonicalUrl, EndedBy, Errand, FilterReason, Fingerprint, Found, Health, Host, HostFree,
    Outcome, Request, RobotsReply, Source, Ticket, Verdict,
};
use proptest::prelude::*;

use crate::domain::Domain;
use crate::scheduler::Ready;
use crate::tests::rig::{Rig, prints, url};

const HOSTS: [&str; 3] = ["h", "a", "b"];
const DELAY: Duration = Duration::from_millis(100);

/// What happens next in the outside world. Numbers choose among what is there, modulo.
#[derive(Debug, Clone)]
enum Step {
    Find {
        host: u8,
        path: u8,
        depth: u8,
        priority: i8,
        is_deep: bool,
    },
    Seed {
        host: u8,
        path: u8,
    },
    /// Asks again for what has ended among a few paths.
    Renew {
        host: u8,
        path: u8,
    },
    Pass {
        ms: u16,
    },
    Send,
    Free {
        which: u8,
        is_unsent: bool,
        rest: u8,
        health: Health,
    },
    End {
        which: u8,
        how: u8,
        links: u8,
    },
    Lose {
        which: u8,
    },
    HearLost,
    Sync,
    Block {
        host: u8,
    },
    Unblock {
        host: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let find = (0u8..3, 0u8..30, 0u8..4, -1i8..2, prop::bool::weighted(0.1)).prop_map(
        |(host, path, depth, priority, is_deep)| Step::Find {
            host,
            path,
            depth,
            priority,
            is_deep,
        },
    );
    let health = prop_oneof![
        4 => Just(Health::Good),
        4 => Just(Health::Unreachable),
        1 => Just(Health::Overloaded),
        1 => Just(Health::Failing),
        1 => Just(Health::Unknown),
    ];
    let free = (any::<u8>(), prop::bool::weighted(0.1), 0u8..20, health)
        .prop_map(|(which, is_unsent, rest, health)| Step::Free { which, is_unsent, rest, health });
    let end = (any::<u8>(), any::<u8>(), 0u8..4).prop_map(|(which, how, links)| Step::End {
        which,
        how,
        links,
    });
    let step = prop_oneof![
        4 => find,
        1 => (0u8..3, 0u8..30).prop_map(|(host, path)| Step::Seed { host, path }),
        2 => (0u8..3, 0u8..30).prop_map(|(host, path)| Step::Renew { host, path }),
        4 => (0u16..200).prop_map(|ms| Step::Pass { ms }),
        8 => Just(Step::Send),
        5 => free,
        5 => end,
        1 => any::<u8>().prop_map(|which| Step::Lose { which }),
        2 => Just(Step::HearLost),
        2 => Just(Step::Sync),
        1 => (0u8..3).prop_map(|host| Step::Block { host }),
        1 => (0u8..3).prop_map(|host| Step::Unblock { host }),
    ];
    prop::collection::vec(step, 0..250)
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    robots: bool,
    per_host: u32,
    quarantine_after: u32,
    per_ip: bool,
    max_pages: u64,
    max_pages_per_host: u64,
}

fn limits() -> impl Strategy<Value = Limits> {
    let budget = prop_oneof![3 => Just(0u64), 1 => 1u64..12];
    (any::<bool>(), 1u32..3, 0u32..4, any::<bool>(), budget.clone(), budget).prop_map(
        |(robots, per_host, quarantine_after, per_ip, max_pages, max_pages_per_host)| Limits {
            robots,
            per_host,
            quarantine_after,
            per_ip,
            max_pages,
            max_pages_per_host,
        },
    )
}

/// An open ticket and what the world knows of it.
struct InHand {
    ticket: Ticket,
    /// The host's address, if it was known when the ticket was cut.
    ip: Option<IpAddr>,
    is_freed: bool,
}

/// Where a URL stands among those of its host; the greater goes first.
struct Rank {
    host: Host,
    order: (i32, i64, i64),
}

/// A lost ticket.
struct Lost {
    print: Fingerprint,
    ip: Option<IpAddr>,
    host: String,
    is_freed: bool,
}

/// The crawl as somebody would keep it on paper.
struct World {
    rig: Rig,
    limits: Limits,
    in_hand: Vec<InHand>,
    /// Lost, but not heard of yet.
    lost: Vec<Lost>,
    /// URLs that ended: not to be handed out again, unless they are asked for again.
    ended: BTreeSet<Fingerprint>,
    /// Those of them that settled as pages.
    read: BTreeSet<Fingerprint>,
    /// Everything ever told to the frontier as durable.
    told: BTreeSet<Fingerprint>,
    /// Those of them that were admitted.
    admitted: BTreeSet<Fingerprint>,
    /// Those that wait and may be sent at once: rank by print, per host. Kept only for URLs that
    /// never failed, were lost or waited at a gate.
    ranks: HashMap<Fingerprint, Rank>,
    n_found: i64,
    last_sent: BTreeMap<String, Instant>,
    rest_until: BTreeMap<String, Instant>,
    /// Addresses of the hosts that answered, if they count.
    ips: BTreeMap<String, IpAddr>,
    last_sent_to: BTreeMap<IpAddr, Instant>,
    /// Hosts that were given up.
    dead: BTreeSet<String>,
    /// Hosts that are blocked.
    blocked: BTreeSet<&'static str>,
    /// URLs of `ended` that were refused: found again, they may be admitted.
    refused: BTreeSet<Fingerprint>,
    pages: u64,
    pages_by_host: BTreeMap<String, u64>,
}

impl World {
    fn new(limits: Limits) -> Self {
        let rig = Rig::new(|c| {
            c.politeness.robots = limits.robots;
            c.politeness.delay = DELAY;
            c.politeness.per_host = limits.per_host.try_into().unwrap();
            c.scope.max_pages = limits.max_pages;
            c.scope.max_pages_per_host = limits.max_pages_per_host;
            c.politeness.back_off_max_delay = Duration::from_millis(400);
            c.politeness.quarantine = Duration::from_millis(150);
            c.politeness.quarantine_after = limits.quarantine_after;
            c.politeness.quarantine_tries = 1;
            c.politeness.per_ip = limits.per_ip;
            c.retry.backoff = Duration::from_millis(50);
        });
        Self {
            rig,
            limits,
            in_hand: Vec::new(),
            lost: Vec::new(),
            ended: BTreeSet::new(),
            read: BTreeSet::new(),
            told: BTreeSet::new(),
            admitted: BTreeSet::new(),
            ranks: HashMap::new(),
            n_found: 0,
            last_sent: BTreeMap::new(),
            rest_until: BTreeMap::new(),
            ips: BTreeMap::new(),
            last_sent_to: BTreeMap::new(),
            dead: BTreeSet::new(),
            blocked: BTreeSet::new(),
            refused: BTreeSet::new(),
            pages: 0,
            pages_by_host: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Find { host, path, depth, priority, is_deep } => {
                let mut found = link(host, path);
                found.request.depth = u32::from(depth);
                found.request.priority = i32::from(priority);
                found.filtered = is_deep.then_some(FilterReason::TooDeep);
                self.tell(&found);
                self.rig.apply(Outcome::Found { found: vec![found], source: Source::Page });
            }
            Step::Seed { host, path } => {
                self.rig.scheduler.add_seeds(vec![link(host, path).request], None);
            }
            // The engine waits for its answer before it asks for more.
            Step::Renew { .. } if self.is_renewing() => {}
            Step::Renew { host, path } => {
                let again = (path..path + 8).map(|path| link(host, path));
                let requests = again.map(|found| (found.print, found.request)).collect();
                self.rig.scheduler.renew_all(requests, None);
            }
            Step::Pass { ms } => self.rig.pass(u64::from(ms)),
            Step::Send => self.send(),
            Step::Free { which, is_unsent, rest, health } => {
                self.free(which, is_unsent, rest, health);
            }
            Step::End { which, how, links } => self.end(which, how, links),
            Step::Lose { which } => self.lose(which),
            Step::HearLost => self.hear_lost(),
            Step::Sync => self.sync(),
            Step::Block { host } => self.block(HOSTS[usize::from(host)]),
            Step::Unblock { host } => self.unblock(HOSTS[usize::from(host)]),
        }
    }

    fn block(&mut self, host: &'static str) {
        let (done, _) = tokio::sync::oneshot::channel();
        self.rig.scheduler.block(&Domain::parse(host).unwrap(), done);
        self.blocked.insert(host);
        self.ranks.retain(|_, rank| rank.host.as_str() != host);
    }

    fn unblock(&mut self, host: &'static str) {
        let now = self.rig.now;
        let was_blocked = self.rig.scheduler.unblock(&Domain::parse(host).unwrap(), now);
        assert_eq!(was_blocked, self.blocked.remove(host));
    }

    fn is_renewing(&self) -> bool {
        self.rig.scheduler.outbox.iter().any(|entry| match entry {
            crawl_model::Entry::Found { found, .. } => found.iter().any(|found| found.renews),
            _ => false,
        })
    }

    fn tell(&mut self, found: &Found) {
        if found.renews {
            let host = found.request.url.host_str();
            if self.ended.remove(&found.print) && self.read.remove(&found.print) {
                self.pages -= 1;
                *self.pages_by_host.get_mut(host).unwrap() -= 1;
            }
            self.ranks.remove(&found.print);
            return;
        }
        self.told.insert(found.print);
        if found.filtered.is_none() && self.refused.remove(&found.print) {
            self.ended.remove(&found.print);
        }
        let is_blocked = self.blocked.contains(found.request.url.host_str());
        if found.filtered.is_none() && self.admitted.insert(found.print) {
            self.n_found += 1;
            let depth = -i64::from(found.request.depth);
            let host = found.request.url.host();
            let order = (found.request.priority, depth, -self.n_found);
            if !is_blocked {
                self.ranks.insert(found.print, Rank { host, order });
            }
        }
    }

    fn send(&mut self) {
        let Some(ticket) = self.rig.next() else { return };
        let host = ticket.url().host_str().to_owned();
        let now = self.rig.now;
        assert!(!self.dead.contains(&host), "{host} was given up");
        assert!(!self.blocked.contains(&*host), "{host} is blocked");
        let in_hand = self.in_hand.iter();
        let n_busy = in_hand.filter(|h| !h.is_freed && h.ticket.url().host_str() == host).count();
        // One that was lost frees its host only when that is heard.
        assert!(n_busy < self.limits.per_host as usize, "{host} has {n_busy} in hand");
        if let Some(last) = self.last_sent.insert(host.clone(), now) {
            assert!(now >= last + DELAY, "{host} was asked {:?} ago", now - last);
        }
        if let Some(rest) = self.rest_until.get(&host) {
            assert!(now >= *rest, "{host} wanted to rest");
        }
        let ip = self.ips.get(&host).copied();
        if let Some(ip) = ip {
            self.check_address(ip);
        }
        if let Errand::Page(_) = ticket.errand() {
            self.check_page(&ticket, &host);
        }
        self.in_hand.push(InHand { ticket, ip, is_freed: false });
    }

    /// Whether one more request may go to an address now.
    fn check_address(&mut self, ip: IpAddr) {
        let is_busy = |h: &&InHand| !h.is_freed && h.ip == Some(ip);
        let n_busy = self.in_hand.iter().filter(is_busy).count();
        let n_lost = self.lost.iter().filter(|l| !l.is_freed && l.ip == Some(ip)).count();
        assert!(n_busy + n_lost < self.limits.per_host as usize, "{ip} has {n_busy} in hand");
        let now = self.rig.now;
        if let Some(last) = self.last_sent_to.insert(ip, now) {
            assert!(now >= last + DELAY, "{ip} was asked {:?} ago", now - last);
        }
    }

    fn check_page(&mut self, ticket: &Ticket, host: &str) {
        let print = ticket.print();
        assert!(self.told.contains(&print), "{ticket:?} was never found");
        assert!(!self.ended.contains(&print), "{ticket:?} has ended");
        let is_page = |h: &&InHand| matches!(h.ticket.errand(), Errand::Page(_));
        let pages = || self.in_hand.iter().filter(is_page);
        assert!(pages().all(|h| h.ticket.print() != print), "{ticket:?} is open");
        assert!(self.lost.iter().all(|lost| lost.print != print), "{ticket:?} is open");
        let fits = |limit: u64, n: u64| assert!(limit == 0 || n < limit, "{n} of {limit} pages");
        fits(self.limits.max_pages, self.pages + pages().count() as u64);
        let here = pages().filter(|h| h.ticket.url().host_str() == host).count() as u64;
        let done = self.pages_by_host.get(host).copied().unwrap_or(0);
        fits(self.limits.max_pages_per_host, done + here);
        self.check_order(print);
    }

    /// Without robots and retries, nothing better of the same host waits.
    fn check_order(&self, print: Fingerprint) {
        if self.limits.robots {
            return;
        }
        let Some(mine) = self.ranks.get(&print) else { return };
        for (other, rank) in &self.ranks {
            let is_open = self.in_hand.iter().any(|h| h.ticket.print() == *other);
            let is_here = rank.host == mine.host && *other != print;
            if is_here && !is_open && !self.ended.contains(other) {
                assert!(rank.order < mine.order, "a better URL of the host was passed over");
            }
        }
    }

    fn free(&mut self, which: u8, is_unsent: bool, rest: u8, health: Health) {
        let Some(index) = choose(which, self.in_hand.len()) else { return };
        let in_hand = &mut self.in_hand[index];
        let id = in_hand.ticket.id();
        let host = in_hand.ticket.url().host_str().to_owned();
        let remote = self.limits.per_ip.then(|| address(&host, rest)).filter(|_| !is_unsent);
        let rest = (rest == 0).then_some(Duration::from_millis(700));
        // It may be said twice; only the first time counts.
        if !std::mem::replace(&mut in_hand.is_freed, true) {
            if let Some(rest) = rest {
                let until = self.rig.now + rest;
                self.rest_until
                    .entry(host.clone())
                    .and_modify(|u| *u = until.max(*u))
                    .or_insert(until);
            }
            if let Some(ip) = remote {
                self.ips.insert(host.clone(), ip);
            }
            if let Some(&ip) = self.ips.get(&host).filter(|_| !is_unsent) {
                self.last_sent_to.insert(ip, self.rig.now);
            }
            if is_unsent {
                // Nothing was sent, so no delay is owed for it.
                self.last_sent.remove(&host);
            } else {
                self.last_sent.insert(host, self.rig.now);
            }
        }
        let sent_at = (!is_unsent).then_some(self.rig.now);
        self.rig.hear(HostFree { sent_at, rest, health, remote, ..HostFree::unsent(id) });
    }

    fn end(&mut self, which: u8, how: u8, links: u8) {
        let Some(index) = choose(which, self.in_hand.len()) else { return };
        let InHand { ticket, ip, is_freed } = self.in_hand.swap_remove(index);
        let host = ticket.url().host_str().to_owned();
        if !is_freed {
            // The outcome overtook the host's message: the start counts from now.
            self.last_sent.insert(host.clone(), self.rig.now);
            let ips = ip.into_iter().chain(self.ips.get(&host).copied());
            self.last_sent_to.extend(ips.map(|ip| (ip, self.rig.now)));
        }
        let print = ticket.print();
        match ticket.errand().clone() {
            Errand::Robots { origin, .. } => {
                let reply = robots(how);
                let spent = ticket.spend();
                self.rig.apply(Outcome::Robots { spent, origin, reply });
            }
            Errand::Page(_) if how.is_multiple_of(4) && !ticket.is_last_attempt() => {
                self.ranks.remove(&print);
                self.rig.apply(Outcome::Retry { spent: ticket.spend(), rest: None });
            }
            Errand::Page(request) => {
                let verdict = if how.is_multiple_of(5) { Verdict::Redirected } else { Verdict::Ok };
                self.ended.insert(print);
                if verdict.is_page() {
                    self.read.insert(print);
                }
                self.pages += u64::from(verdict.is_page());
                *self.pages_by_host.entry(host).or_default() += u64::from(verdict.is_page());
                let depth = request.depth + 1;
                let found: Vec<Found> =
                    (0..links).map(|n| child(&request, how, n, depth)).collect();
                for found in &found {
                    self.tell(found);
                }
                self.rig.settle_with(ticket, verdict, found);
            }
        }
    }

    fn lose(&mut self, which: u8) {
        let Some(index) = choose(which, self.in_hand.len()) else { return };
        let InHand { ticket, ip, is_freed } = self.in_hand.swap_remove(index);
        self.ranks.remove(&ticket.print());
        let host = ticket.url().host_str().to_owned();
        self.lost.push(Lost { print: ticket.print(), ip, host, is_freed });
    }

    fn hear_lost(&mut self) {
        self.rig.hear_lost();
        for Lost { host, ip, is_freed, .. } in self.lost.drain(..) {
            if !is_freed {
                // Nobody knows when it was sent, so it counts from now.
                let ips = ip.into_iter().chain(self.ips.get(&host).copied());
                self.last_sent_to.extend(ips.map(|ip| (ip, self.rig.now)));
                self.last_sent.insert(host, self.rig.now);
            }
        }
    }

    fn sync(&mut self) {
        while self.rig.scheduler.sweep(self.rig.now) {
            self.rig.check();
        }
        let before = self.rig.scheduler.outbox.len();
        // Seeds become known here.
        let found: Vec<Found> = self
            .rig
            .scheduler
            .outbox
            .iter()
            .take(before)
            .filter_map(|entry| match entry {
                crawl_model::Entry::Found { found, .. } => Some(found.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        for found in &found {
            self.tell(found);
        }
        for (print, by) in self.rig.sync() {
            if let EndedBy::Verdict(Verdict::HostDead, record) = by {
                self.dead.insert(record.url.host_str().to_owned());
            } else if let EndedBy::Filter(_) = by {
                self.refused.insert(print);
            }
            assert!(self.ended.insert(print) || self.limits.robots || self.has_budget());
        }
    }

    fn has_budget(&self) -> bool {
        self.limits.max_pages_per_host != 0
    }

    /// Lets everything come to its end, and checks that it is one.
    fn finish(mut self) {
        for _ in 0..10_000 {
            self.hear_lost();
            self.sync();
            while !self.in_hand.is_empty() {
                self.free(0, false, 1, Health::Good);
                self.end(0, 1, 0);
            }
            if self.rig.scheduler.is_limit_reached() || self.rig.scheduler.is_idle() {
                break;
            }
            match self.rig.scheduler.ready(self.rig.now) {
                Ready::Page | Ready::Robots => self.send(),
                Ready::Later(Some(due)) => self.rig.now = self.rig.now.max(due),
                Ready::Later(None) => {
                    assert!(!self.rig.scheduler.is_flushed() || self.rig.scheduler.is_idle());
                }
            }
        }
        let tally = &self.rig.scheduler.tally;
        if self.rig.scheduler.is_limit_reached() {
            assert_eq!(tally.pages, self.limits.max_pages);
        } else {
            assert!(self.rig.scheduler.is_idle(), "{tally:?}");
            assert_eq!(tally.discovered, tally.n_settled() + tally.n_filtered());
            assert_eq!(tally.discovered, self.told.len() as u64);
        }
        assert_eq!(tally.pages, self.pages);
        assert_eq!(self.rig.scheduler.n_open(), 0);
    }
}

/// Two hosts share an address; now and then one answers from another.
fn address(host: &str, chance: u8) -> IpAddr {
    let last = match host {
        _ if chance == 19 => 3,
        "h" | "a" => 1,
        _ => 2,
    };
    IpAddr::from([192, 0, 2, last])
}

fn choose(which: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| usize::from(which) % len.max(1))
}

fn path_url(host: u8, path: u8) -> CanonicalUrl {
    url(&format!("http://{}/{path}", HOSTS[usize::from(host) % 3]))
}

fn link(host: u8, path: u8) -> Found {
    let request = Request::get(path_url(host, path));
    Found { print: prints().request(&request), request, filtered: None, renews: false }
}

fn child(parent: &Request, how: u8, n: u8, depth: u32) -> Found {
    let path = how.wrapping_mul(7).wrapping_add(n) % 30;
    let mut found = link(how.wrapping_add(n), path);
    found.request.depth = depth;
    found.request.referrer = Some(parent.url.clone());
    found
}

fn robots(how: u8) -> RobotsReply {
    match how % 8 {
        0 => RobotsReply::Unreachable { cause: "status 500".to_owned(), rest: None },
        1..=3 => RobotsReply::Rules(bytes::Bytes::from_static(
            b"User-agent: *\nDisallow: /1\nCrawl-delay: 0.2\n",
        )),
        4 => RobotsReply::Redirect(url("http://a/robots")),
        5 => RobotsReply::Redirect(url("http://elsewhere/robots")),
        _ => RobotsReply::AllowAll,
    }
}

/// How many lives are lived: `CRAWL_CASES` of them, or few, for it is fast then.
fn n_cases() -> u32 {
    let asked = std::env::var("CRAWL_CASES").ok();
    asked.map_or(150, |n| n.parse().expect("CRAWL_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: n_cases(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_happens_the_crawl_keeps_its_promises(limits in limits(), steps in steps()) {
        let mut world = World::new(limits);
        for step in steps {
            world.step(step);
        }
        world.finish();
    }
}
