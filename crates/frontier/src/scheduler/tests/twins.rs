//! URLs whose first fingerprints collide, under a hash that is made weak: told apart with 128 bits,
//! and not without.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    Event, Fingerprint, FingerprintBits, Fingerprinter, Found, IdentityConfig, KeyRules,
    LogPosition, Look, Outcome, Request, Source, Verdict, View,
};

use crawl_store::tables::Tables;

use crate::backend::{LocalBackend, Room};
use crate::clock::Moment;
use crate::frontier::begin;
use crate::replay::Replay;
use crate::tests::rig::{NOW_MS, Rig, url};
use crate::window::Window;

const URLS: usize = 120;

/// Fingerprints of which the first has four values.
fn weak(fingerprint_bits: FingerprintBits) -> Fingerprinter {
    let config = IdentityConfig { fingerprint_bits, ..IdentityConfig::literal() };
    let prints = Fingerprinter::new([3; 16]).under(KeyRules::new(&config).unwrap());
    prints.weakened(0b110)
}

fn rig(bits: FingerprintBits) -> Rig {
    Rig::with_prints(weak(bits), |c| c.politeness.delay = Duration::ZERO)
}

fn text(n: usize) -> String {
    format!("http://{}/{n}", ["h", "a", "b"][n % 3])
}

/// As the parser makes it, if it is new.
fn found(rig: &Rig, n: usize) -> Option<Found> {
    let request = Request::get(url(&text(n)));
    let print = rig.window.fingerprint(request.url.as_str());
    let is_new = rig.window.look(print, &request.url, 0) == Look::Admit;
    is_new.then_some(Found { print, request, filtered: None, renews: false })
}

/// Finds all URLs, so many on a page, over and over, and crawls them; gives what was fetched.
fn crawl(rig: &mut Rig, per_page: usize) -> (Vec<String>, BTreeSet<Fingerprint>, Vec<Found>) {
    let (mut fetched, mut prints, mut log) = (Vec::new(), BTreeSet::new(), Vec::new());
    for round in 0..3 {
        for page in 0..URLS / per_page {
            let new = (page * per_page..(page + 1) * per_page).filter_map(|n| found(rig, n));
            let new: Vec<Found> = new.collect();
            log.extend(new.iter().cloned());
            rig.apply(Outcome::Found { found: new, source: Source::Page });
        }
        while let Some(ticket) = rig.next() {
            assert_eq!(round, 0, "once, and never again");
            fetched.push(ticket.url().as_str().to_owned());
            assert!(prints.insert(ticket.print()), "each has a name of its own");
            rig.finish(ticket);
        }
    }
    fetched.sort();
    (fetched, prints, log)
}

fn all() -> Vec<String> {
    let mut all: Vec<_> = (0..URLS).map(text).collect();
    all.sort();
    all
}

#[test]
fn urls_that_collide_in_64_bits_are_all_crawled_with_128() {
    for per_page in [1, 40, URLS] {
        let (fetched, ..) = crawl(&mut rig(FingerprintBits::Bits128), per_page);
        assert_eq!(fetched, all());
        let (fetched, ..) = crawl(&mut rig(FingerprintBits::Bits64), per_page);
        assert_eq!(fetched.len(), 4, "without, one stands for many");
    }
}

#[test]
fn the_log_tells_them_apart_again() {
    // Found together, so that the log has them under their first fingerprints.
    let (_, prints, log) = crawl(&mut rig(FingerprintBits::Bits128), URLS);
    assert!(log.iter().map(|found| found.print).collect::<BTreeSet<_>>().len() <= 4);
    let mut rig = rig(FingerprintBits::Bits128);
    let mut replay = Replay::default();
    for found in log {
        replay.fold(&mut rig.scheduler, Event::Found(Box::new(found)));
    }
    // Half of them have ended.
    for print in prints.iter().copied().take(URLS / 2) {
        let (host, verdict) = (crawl_model::Host::new("h"), Verdict::Ok);
        let event = Event::Settled { n: 1, print, host, verdict, at_ms: 0, rest_until_ms: 0 };
        replay.fold(&mut rig.scheduler, event);
    }
    replay.finish(&mut rig.scheduler, &[], true, Moment { now: rig.now, ms: NOW_MS });
    rig.check();
    let mut left = BTreeSet::new();
    while let Some(ticket) = rig.wait() {
        assert!(left.insert(ticket.print()));
        rig.finish(ticket);
    }
    assert_eq!(left, prints.into_iter().skip(URLS / 2).collect());
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_checkpoint_tells_them_apart_again() {
    let dir = tempfile::tempdir().unwrap();
    let tables = Tables::new(dir.path());
    let room = Room { memory: 1, events: 1 };
    let on_disk = |rig: &mut Rig| {
        let (limits, order) = (rig.scheduler.limits(&[]), rig.scheduler.order());
        let begun = begin(&tables, &limits, rig.window.prints.clone(), order).unwrap();
        let seen = Arc::new(begun.seen);
        let (prints, scope) = (rig.window.prints.clone(), rig.window.scope.clone());
        rig.window = Arc::new(Window { prints, scope, seen: seen.clone() });
        let backend = LocalBackend::new(seen, begun.queues);
        let backend = backend.on_disk(tables.clone(), limits, room).unwrap();
        rig.scheduler.move_to(rig.window.clone(), backend);
        begun.checkpoint
    };
    let mut rig = rig(FingerprintBits::Bits128);
    assert_eq!(rig.window.era(), None, "64 bits are not enough to remember them by either");
    assert!(on_disk(&mut rig).is_none());
    for n in 0..URLS {
        let new = found(&rig, n).into_iter().collect();
        rig.apply(Outcome::Found { found: new, source: Source::Page });
        if n == URLS / 2 {
            rig.apply(Outcome::Committed(LogPosition::default()));
        }
    }
    rig.apply(Outcome::Committed(LogPosition::default()));
    rig.scheduler.backend_for_tests().wait();
    drop(rig);

    let mut rig = self::rig(FingerprintBits::Bits128);
    let checkpoint = on_disk(&mut rig).expect("there is one");
    let mut replay = Replay::default();
    replay.begin_with(&mut rig.scheduler, checkpoint);
    replay.finish(&mut rig.scheduler, &[], true, Moment { now: rig.now, ms: NOW_MS });
    assert_eq!((0..URLS).filter_map(|n| found(&rig, n)).count(), 0, "all are known");
    let (mut fetched, mut prints) = (Vec::new(), BTreeSet::new());
    while let Some(ticket) = rig.wait() {
        fetched.push(ticket.url().as_str().to_owned());
        assert!(prints.insert(ticket.print()));
        rig.finish(ticket);
    }
    fetched.sort();
    assert_eq!(fetched, all());
    assert!(rig.scheduler.is_idle());
}
