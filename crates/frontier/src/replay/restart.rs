//! Random lives of a crawl with kills in between, against the log alone: whatever was durable
//! when the process died is known to the next, and nothing else; nothing is handed out twice but
//! what was in flight.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    EndedBy, Entry, Event, Fingerprint, Found, LogPosition, Look, Outcome, Source, Ticket, Verdict,
    View,
};
use crawl_store::tables::Tables;
use proptest::prelude::*;

use super::Replay;
use crate::backend::{LocalBackend, Room};
use crate::clock::Moment;
use crate::frontier::{Begun, begin};
use crate::seen::Standing;
use crate::tests::rig::{NOW_MS, Rig, found, prints};
use crate::window::Window;

/// A checkpoint every few steps.
const ROOM: Room = Room { memory: 600, events: 90 };

#[derive(Debug, Clone)]
enum Step {
    /// A page brings links to `n` paths from `path` on.
    Find {
        host: u8,
        path: u16,
        n: u8,
        depth: u8,
        is_labelled: bool,
    },
    Send,
    /// The engine asks again for what has ended among `n` paths from `path` on; of some it was
    /// told before they ended.
    Renew {
        host: u8,
        path: u16,
        n: u8,
    },
    /// A ticket ends: settled, tried again, or lost.
    End {
        which: u8,
        how: u8,
    },
    /// The store answers what the frontier has decided.
    Sync,
    Commit,
    Pass {
        ms: u16,
    },
    /// The process dies. What these links are in was durable, and the frontier not told yet.
    Kill {
        unheard: Vec<(u8, u16)>,
        is_clean: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let find = (0u8..3, 0u16..60, 1u8..20, 0u8..4, any::<bool>()).prop_map(
        |(host, path, n, depth, is_labelled)| Step::Find { host, path, n, depth, is_labelled },
    );
    let renew =
        (0u8..3, 0u16..60, 1u8..40).prop_map(|(host, path, n)| Step::Renew { host, path, n });
    let kill = (prop::collection::vec((0u8..3, 0u16..80), 0..5), any::<bool>())
        .prop_map(|(unheard, is_clean)| Step::Kill { unheard, is_clean });
    let step = prop_oneof![
        6 => find,
        4 => renew,
        8 => Just(Step::Send),
        8 => (any::<u8>(), 0u8..12).prop_map(|(which, how)| Step::End { which, how }),
        2 => Just(Step::Sync),
        5 => Just(Step::Commit),
        4 => (0u16..3000).prop_map(|ms| Step::Pass { ms }),
        2 => kill,
    ];
    prop::collection::vec(step, 0..150)
}

/// A crawl whose store is a list of events.
struct Crawl {
    rig: Rig,
    tables: Tables,
    log: Vec<Event>,
    open: Vec<Ticket>,
}

fn link(host: u8, path: u16, depth: u8, is_labelled: bool) -> Found {
    let host = ["h", "a", "b"][usize::from(host)];
    let mut found = found(&format!("http://{host}/{path}"));
    found.request.depth = u32::from(depth);
    found.request.priority = i32::from(path % 3);
    found.request.referrer = Some(crate::tests::rig::url("http://h/from"));
    if is_labelled {
        found.request.label = "detail".into();
    }
    found
}

impl Crawl {
    fn new(folder: &Path) -> Self {
        let tables = Tables::new(folder);
        let rig = Self::rig(&tables, &[], &[], true);
        Self { rig, tables, log: Vec::new(), open: Vec::new() }
    }

    /// What a process makes of the folder and the log.
    fn rig(tables: &Tables, log: &[Event], suspects: &[(Fingerprint, u32)], is_clean: bool) -> Rig {
        let mut rig = Rig::new(|c| {
            c.scope.max_depth = 2;
            c.scope.max_pages_per_host = 25;
        });
        let limits = rig.scheduler.limits(&[]);
        let order = rig.scheduler.order();
        let Begun { checkpoint, seen, queues, damage } =
            begin(tables, &limits, prints(), order).unwrap();
        assert!(damage.is_none(), "{damage:?}");
        let seen = Arc::new(seen);
        let scope = rig.window.scope.clone();
        rig.window = Arc::new(Window { prints: prints(), scope, seen: seen.clone() });
        let from = checkpoint.as_ref().map(|checkpoint| checkpoint.state.position);
        let backend =
            LocalBackend::new(seen, queues).on_disk(tables.clone(), limits, ROOM).unwrap();
        rig.scheduler.move_to(rig.window.clone(), backend);
        rig.scheduler.before.is_judged_anew = from.is_none();
        let mut replay = Replay::default();
        if let Some(checkpoint) = checkpoint {
            replay.begin_with(&mut rig.scheduler, checkpoint);
        }
        let rest = usize::try_from(from.unwrap_or_default().offset).unwrap();
        for event in &log[rest..] {
            replay.fold(&mut rig.scheduler, event.clone());
            rig.scheduler.relieve().unwrap();
            rig.check();
        }
        let at = Moment { now: rig.now, ms: NOW_MS };
        replay.finish(&mut rig.scheduler, suspects, is_clean, at);
        if from.is_none() {
            for event in log {
                if let Event::Found(found) = event {
                    replay.judge_again(&mut rig.scheduler, Found::clone(found), at);
                }
            }
        }
        replay.resumed(&mut rig.scheduler);
        rig.check();
        rig
    }

    fn find(&mut self, found: Vec<Found>) {
        let mut new = Vec::new();
        for mut found in found {
            let (url, depth) = (&found.request.url, found.request.depth);
            match self.rig.window.look(found.print, url, depth) {
                Look::Known => continue,
                Look::Admit => found.filtered = None,
                Look::Filter(reason) => found.filtered = Some(reason),
            }
            self.log.push(Event::Found(Box::new(found.clone())));
            new.push(found);
        }
        self.rig.apply(Outcome::Found { found: new, source: Source::Page });
    }

    fn renew(&mut self, host: u8, path: u16, n: u8) {
        let links = (path..path + u16::from(n)).map(|path| link(host, path, 1, false));
        let requests = links.map(|found| (found.print, found.request)).collect();
        self.rig.scheduler.renew_all(requests, None);
        if !n.is_multiple_of(4) {
            self.sync();
        }
    }

    fn settled(&mut self, print: Fingerprint, host: crawl_model::Host, verdict: Verdict) {
        let n = self.log.len() as u64;
        let (at_ms, rest_until_ms) = (NOW_MS, 0);
        self.log.push(Event::Settled { n, print, host, verdict, at_ms, rest_until_ms });
    }

    fn end(&mut self, which: u8, how: u8) {
        if self.open.is_empty() {
            return;
        }
        let ticket = self.open.swap_remove(usize::from(which) % self.open.len());
        let (print, host) = (ticket.print(), ticket.url().host());
        match how {
            0 => {
                drop(ticket);
                self.rig.hear_lost();
            }
            1 if !ticket.is_last_attempt() => {
                let (attempt, at_ms, rest_until_ms) = (ticket.attempt(), NOW_MS, 0);
                self.log.push(Event::Retried { print, host, attempt, at_ms, rest_until_ms });
                self.rig.retry(ticket);
            }
            _ => {
                let verdict = if how == 2 { Verdict::Redirected } else { Verdict::Ok };
                self.settled(print, host, verdict);
                self.rig.free(&ticket);
                self.rig.settle(ticket, verdict);
            }
        }
    }

    /// The store writes what the frontier decided, and says so.
    fn sync(&mut self) {
        self.rig.scheduler.flush_ended();
        while let Some(entry) = self.rig.scheduler.outbox.pop_front() {
            match entry {
                Entry::Found { found, source } => {
                    self.log.extend(found.iter().map(|f| Event::Found(Box::new(f.clone()))));
                    self.rig.apply(Outcome::Found { found, source });
                }
                Entry::Ended(ended) => {
                    for (print, by) in &ended {
                        match by {
                            EndedBy::Filter(reason) => {
                                let (print, reason) = (*print, *reason);
                                self.log.push(Event::Filtered { print, reason });
                            }
                            EndedBy::Verdict(verdict, record) => {
                                self.settled(*print, record.url.host(), *verdict);
                            }
                        }
                    }
                    self.rig.apply(Outcome::Ended(ended));
                }
                Entry::Parsed(_) | Entry::FeedCursor { .. } => panic!("not the frontier's"),
            }
        }
    }

    fn commit(&mut self) {
        let end = self.log.len() as u64;
        let place = LogPosition { segment: 1, offset: end, n: end };
        self.rig.apply(Outcome::Committed(place));
        assert!(self.rig.scheduler.fault().is_none());
    }

    fn kill(&mut self, unheard: &[(u8, u16)], is_clean: bool) {
        for &(host, path) in unheard {
            let mut found = link(host, path, 1, false);
            if self.rig.window.look(found.print, &found.request.url, 1) == Look::Admit {
                found.filtered = None;
                self.log.push(Event::Found(Box::new(found)));
            }
        }
        self.open.clear();
        // The old one's threads are to be out of the folder before the new one looks into it.
        self.rig = Rig::new(|_| ());
        self.rig = Self::rig(&self.tables, &self.log, &[], is_clean);
        self.check();
        if !is_clean {
            self.rig.expect_none(); // everybody rests a full delay
        }
    }

    /// The frontier stands where the log says, URL by URL and in sum.
    fn check(&self) {
        let naive = naive(&self.log);
        for (&print, &(standing, _)) in &naive {
            let known = self.rig.window.seen.get(print);
            let known = known.map(|known| match known {
                Standing::Filtered(reason, _) => Standing::Filtered(reason, 0),
                other => other,
            });
            assert_eq!(known, Some(standing), "{print:?}");
        }
        let count = |is_such: fn(&Standing) -> bool| {
            naive.values().filter(|(standing, _)| is_such(standing)).count() as u64
        };
        let tally = &self.rig.scheduler.tally;
        assert_eq!(tally.discovered, naive.len() as u64);
        let waiting = tally.queued + tally.pending + tally.in_flight;
        assert_eq!(waiting, count(|standing| *standing == Standing::Queued));
        for &verdict in Verdict::ALL {
            let n = naive.values().filter(|(s, _)| *s == Standing::Ended(verdict)).count();
            assert_eq!(tally.settled[verdict as usize], n as u64, "{verdict}");
        }
        let pages = tally.settled.iter().zip(Verdict::ALL).filter(|(_, verdict)| verdict.is_page());
        assert_eq!(tally.pages, pages.map(|(n, _)| n).sum::<u64>());
        assert_eq!(tally.n_filtered(), count(|s| matches!(s, Standing::Filtered(..))));
    }

    /// Runs to the end: who waits is handed out once, or ends for a reason.
    fn finish(mut self) {
        while let Some(ticket) = self.open.pop() {
            self.open.push(ticket);
            self.end(0, 9);
        }
        self.sync();
        let naive_before = naive(&self.log);
        let mut handed_out = HashSet::new();
        loop {
            self.commit();
            if let Some(ticket) = self.rig.wait() {
                assert!(handed_out.insert(ticket.print()), "twice: {ticket:?}");
                assert_eq!(naive_before[&ticket.print()].0, Standing::Queued);
                self.settled(ticket.print(), ticket.url().host(), Verdict::Ok);
                self.rig.finish(ticket);
                continue;
            }
            self.sync();
            if self.rig.scheduler.is_idle() {
                break;
            }
        }
        self.check();
        let left = naive(&self.log).values().filter(|(s, _)| *s == Standing::Queued).count();
        assert_eq!(left, 0, "nobody is forgotten");
        self.rig.scheduler.backend_for_tests().wait();
    }
}

/// What the log says of each URL.
fn naive(log: &[Event]) -> HashMap<Fingerprint, (Standing, u32)> {
    let mut all: HashMap<Fingerprint, (Standing, u32)> = HashMap::new();
    for event in log {
        match event {
            Event::Found(found) => {
                let depth = found.request.depth;
                let new = found.filtered.map_or(Standing::Queued, |r| Standing::Filtered(r, 0));
                let old = all.entry(found.print).or_insert((new, depth));
                let may_wait = match old.0 {
                    Standing::Queued | Standing::Second => false,
                    Standing::Ended(_) => found.renews,
                    Standing::Filtered(..) => true,
                };
                if may_wait && new == Standing::Queued {
                    *old = (new, depth);
                }
            }
            Event::Settled { print, verdict, .. } => {
                all.entry(*print).and_modify(|old| old.0 = Standing::Ended(*verdict));
            }
            Event::Retried { .. } => {}
            Event::Filtered { print, reason } => {
                all.entry(*print).and_modify(|old| old.0 = Standing::Filtered(*reason, 0));
            }
        }
    }
    all
}

fn live(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut crawl = Crawl::new(&dir.path().join("frontier"));
    for step in steps {
        match step {
            Step::Find { host, path, n, depth, is_labelled } => {
                let links = (path..path + u16::from(n))
                    .map(|path| link(host, path, depth, is_labelled))
                    .collect();
                crawl.find(links);
            }
            Step::Renew { host, path, n } => crawl.renew(host, path, n),
            Step::Send => crawl.open.extend(crawl.rig.next()),
            Step::End { which, how } => crawl.end(which, how),
            Step::Sync => crawl.sync(),
            Step::Commit => crawl.commit(),
            Step::Pass { ms } => crawl.rig.now += Duration::from_millis(u64::from(ms)),
            Step::Kill { unheard, is_clean } => crawl.kill(&unheard, is_clean),
        }
        crawl.check();
    }
    crawl.kill(&[], true);
    crawl.finish();
}

/// Lives that are tried: `CRAWL_RESTARTS`, for a long run.
fn n_lives() -> u32 {
    std::env::var("CRAWL_RESTARTS").ok().and_then(|n| n.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(n_lives()))]
    #[test]
    fn what_is_durable_outlives_any_kill(steps in steps()) {
        live(steps);
    }
}

#[test]
fn a_damaged_checkpoint_costs_a_replay_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("frontier");
    let mut crawl = Crawl::new(&folder);
    crawl.find((0..300).map(|path| link(0, path, 1, false)).collect());
    crawl.commit();
    crawl.rig.scheduler.backend_for_tests().wait();
    let path = folder.join("checkpoint");
    let mut bytes = std::fs::read(&path).expect("a checkpoint was taken");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let limits = crawl.rig.scheduler.limits(&[]);
    let order = crawl.rig.scheduler.order();
    let begun = begin(&crawl.tables, &limits, prints(), order).unwrap();
    assert!(begun.checkpoint.is_none() && begun.damage.is_some());
    assert!(!path.exists(), "the tables are made anew");
    drop(begun);
    crawl.kill(&[(1, 7)], true);
    crawl.finish();
}

#[test]
fn other_limits_make_nothing_of_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut crawl = Crawl::new(&dir.path().join("frontier"));
    crawl.find((0..300).map(|path| link(0, path, 1, false)).collect());
    crawl.commit();
    crawl.rig.scheduler.backend_for_tests().wait();
    let order = crawl.rig.scheduler.order();
    let begun = begin(&crawl.tables, "others", prints(), order).unwrap();
    assert!(begun.checkpoint.is_none() && begun.damage.is_none());
}
