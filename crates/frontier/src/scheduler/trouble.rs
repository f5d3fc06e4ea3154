//! Hosts that are slow, overloaded or gone, by hand: what that means for their tickets and URLs.

use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::{EndedBy, Errand, Health, HostFree, Outcome, RobotsReply, Verdict};

use crate::rig::{Rig, found, url};
use crate::scheduler::Ready;

/// Two attempts, one rest of a minute, then it is over; no delay.
fn short_lived(config: &mut crate::FrontierConfig) {
    config.politeness.delay = Duration::ZERO;
    config.politeness.quarantine_after = 2;
    config.politeness.quarantine_tries = 1;
}

/// A rig where `h` has been given up; `rest` waits there.
fn with_dead_host(rest: &[String]) -> Rig {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://h/3"], short_lived);
    for _ in 0..2 {
        let ticket = rig.wait().unwrap();
        rig.fail(ticket, Health::Unreachable);
    }
    let probe_at = rig.now + Duration::from_secs(60);
    let probe = rig.wait().unwrap();
    assert_eq!(rig.now, probe_at, "it rests for a minute");
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    rig.find(&rest);
    rig.fail(probe, Health::Unreachable);
    rig
}

#[test]
fn a_host_that_refuses_for_load_is_asked_less_often_until_it_is_well() {
    let urls: Vec<String> = (0..5).map(|n| format!("http://h/{n}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut rig = Rig::with(&urls, |_| ());
    let mut gaps = Vec::new();
    for health in [Health::Overloaded, Health::Overloaded, Health::Good, Health::Good] {
        let ticket = rig.wait().unwrap();
        let start = rig.now;
        rig.free_as(&ticket, health);
        rig.settle(ticket, Verdict::Ok);
        let next = rig.scheduler.due.first().unwrap().0;
        gaps.push((next - start).as_secs());
    }
    assert_eq!(gaps, [2, 4, 2, 1]);
}

#[test]
fn a_slow_host_is_asked_as_often_as_it_can_answer() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| c.politeness.auto_throttle = true);
    let ticket = rig.expect("http://h/1");
    let sent_at = Some(rig.now);
    rig.pass(3000);
    let latency = Some(Duration::from_millis(2500));
    let health = Health::Good;
    rig.hear(HostFree { sent_at, latency, health, ..HostFree::unsent(ticket.id()) });
    rig.settle(ticket, Verdict::Ok);
    rig.find(&["http://h/3"]);
    let second = rig.wait().unwrap();
    assert_eq!(Some(rig.now), sent_at.map(|sent| sent + Duration::from_millis(3000)));
    rig.finish(second);
    let _third = rig.wait().unwrap();
    assert_eq!(Some(rig.now), sent_at.map(|sent| sent + Duration::from_millis(5500)));
}

#[test]
fn who_is_not_there_is_asked_again_after_the_longer_delay_though_nothing_was_sent() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |_| ());
    let ticket = rig.expect("http://h/1");
    rig.hear(HostFree { health: Health::Unreachable, ..HostFree::unsent(ticket.id()) });
    rig.settle(ticket, Verdict::ConnectFailed);
    rig.pass(1999);
    rig.expect_none();
    rig.pass(1);
    rig.expect("http://h/2");
}

#[test]
fn after_a_rest_one_attempt_goes_out_alone() {
    let urls: Vec<String> = (0..9).map(|n| format!("http://h/{n}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut rig = Rig::with(&urls, |c| {
        short_lived(c);
        c.politeness.per_host = NonZeroU32::new(4).unwrap();
    });
    let first = [(); 4].map(|()| rig.wait().unwrap());
    rig.pass(10);
    for ticket in first {
        // Of one moment, so they are one failure.
        rig.hear(HostFree { health: Health::Unreachable, ..HostFree::unsent(ticket.id()) });
        rig.settle(ticket, Verdict::ConnectFailed);
    }
    let ticket = rig.wait().unwrap();
    rig.fail(ticket, Health::Unreachable);
    let probe = rig.wait().unwrap();
    rig.pass(100_000);
    rig.expect_none();
    rig.fail(probe, Health::Good);
    let _again = [(); 3].map(|()| rig.wait().unwrap());
}

#[test]
fn the_urls_of_a_dead_host_end_as_host_dead_and_so_do_those_found_later() {
    let mut rig = with_dead_host(&["http://h/4".to_owned(), "http://a/1".to_owned()]);
    let other = rig.wait().unwrap();
    assert_eq!(other.url().as_str(), "http://a/1");
    rig.expect_none();
    let ended = rig.sync();
    let [(_, EndedBy::Verdict(Verdict::HostDead, record))] = &ended[..] else {
        panic!("{ended:?}")
    };
    assert!(record.error.starts_with("h was given up: 3 attempts"), "{}", record.error);
    let found = vec![found("http://h/new")];
    rig.settle_with(other, Verdict::Ok, found);
    assert_eq!(rig.ends(), ["host-dead"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_large_queue_of_a_dead_host_does_not_hold_up_the_others() {
    let mut rest: Vec<String> = (10..3510).map(|n| format!("http://h/{n}")).collect();
    rest.push("http://a/1".to_owned());
    let mut rig = with_dead_host(&rest);
    let other = rig.expect("http://a/1");
    rig.finish(other);
    assert_eq!(rig.scheduler.ready(rig.now), Ready::Later(Some(rig.now)), "a slice at a time");
    assert!((1..3500).contains(&rig.scheduler.tally.pending));
    assert_eq!(rig.wait().map(|ticket| ticket.url().clone()), None);
    assert_eq!(rig.ends().len(), 3500);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn urls_that_wait_for_the_rules_of_a_dead_host_end_with_it() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| {
        short_lived(c);
        c.politeness.robots = true;
        c.politeness.robots_attempts = 99;
    });
    while let Some(ticket) = rig.wait() {
        let Errand::Robots { origin, .. } = ticket.errand().clone() else { panic!("{ticket:?}") };
        rig.free_as(&ticket, Health::Unreachable);
        let reply = RobotsReply::Unreachable { cause: "refused".to_owned(), rest: None };
        let spent = ticket.spend();
        rig.apply(Outcome::Robots { spent, origin, reply });
    }
    assert_eq!(rig.ends(), ["host-dead", "host-dead"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn rules_that_are_sought_at_a_dead_host_are_unreachable() {
    let mut rig = Rig::with(&["http://a/1", "http://h/1"], |c| {
        short_lived(c);
        c.politeness.robots = true;
        c.politeness.robots_attempts = 99;
    });
    // Both send us to `h` for their rules, where nobody is.
    while let Some(ticket) = rig.wait() {
        let Errand::Robots { origin, .. } = ticket.errand().clone() else { panic!("{ticket:?}") };
        let is_there = ticket.url().host_str() == "a";
        rig.free_as(&ticket, if is_there { Health::Good } else { Health::Unreachable });
        let reply = if is_there {
            RobotsReply::Redirect(url("http://h/robots.txt"))
        } else {
            RobotsReply::Unreachable { cause: "refused".to_owned(), rest: None }
        };
        let spent = ticket.spend();
        rig.apply(Outcome::Robots { spent, origin, reply });
    }
    let mut ends = rig.ends();
    ends.sort_unstable();
    assert_eq!(ends, ["host-dead", "robots-unreachable"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn an_errand_at_a_host_with_a_spent_budget_waits_for_the_clock_like_any_other() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://a/1"], |c| {
        c.politeness.robots = true;
        c.scope.max_pages_per_host = 1;
    });
    let rules = rig.expect("http://h/robots.txt");
    rig.answer(rules, RobotsReply::AllowAll);
    let other = rig.expect("http://a/robots.txt");
    rig.pass(2000);
    let page = rig.expect("http://h/1");
    rig.free(&page);
    rig.answer(other, RobotsReply::Redirect(url("http://h/a-robots")));
    rig.settle(page, Verdict::Ok);
    rig.expect_none();
    assert_eq!(rig.ends(), ["host-budget"]);
    rig.pass(1000);
    rig.expect("http://h/a-robots");
}
