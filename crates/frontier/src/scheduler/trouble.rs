//! Hosts that are slow, overloaded, gone or neighbours, by hand: what that means for their
//! tickets and URLs.

use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::{EndedBy, Errand, Health, HostFree, Outcome, RobotsReply, Verdict};

use crate::scheduler::Ready;
use crate::tests::rig::{Rig, found, url};

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

/// The last byte comes now, of a request that was sent now, from this address.
fn finish_from(rig: &mut Rig, ticket: crawl_model::Ticket, ip: [u8; 4]) {
    let (sent_at, remote) = (Some(rig.now), Some(ip.into()));
    let health = Health::Good;
    rig.hear(HostFree { sent_at, remote, health, ..HostFree::unsent(ticket.id()) });
    rig.settle(ticket, Verdict::Ok);
}

#[test]
fn hosts_of_one_address_take_turns_on_its_clock() {
    let urls = |n: u32| ["h", "a", "b"].map(|host| format!("http://{host}/{n}"));
    let urls: Vec<String> = (0..4).flat_map(urls).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    for (per_ip, seconds) in [(false, 3), (true, 6)] {
        let mut rig = Rig::with(&urls, |c| c.politeness.per_ip = per_ip);
        let start = rig.now;
        let mut order = Vec::new();
        while let Some(ticket) = rig.wait() {
            let host = ticket.url().host_str().to_owned();
            order.push((host.clone(), (rig.now - start).as_secs()));
            let ip = if host == "b" { [2, 2, 2, 2] } else { [1, 1, 1, 1] };
            finish_from(&mut rig, ticket, ip);
        }
        assert!(rig.scheduler.is_idle());
        // At first nobody knows that two of them are neighbours.
        assert!(order[..3].iter().all(|(_, at)| *at == 0), "{order:?}");
        assert_eq!(order.last().unwrap().1, seconds, "{order:?}");
        let alone: Vec<u64> = order.iter().filter(|(h, _)| h == "b").map(|o| o.1).collect();
        assert_eq!(alone, [0, 1, 2, 3], "it has an address of its own");
        if per_ip {
            let shared: Vec<&str> =
                order.iter().filter(|(h, at)| h != "b" && *at > 0).map(|o| &*o.0).collect();
            assert_eq!(shared, ["h", "a", "h", "a", "h", "a"]);
        }
    }
}

#[test]
fn a_neighbour_that_is_called_and_has_nothing_to_send_passes_its_turn_on() {
    let mut rig = Rig::with(&["http://h/0", "http://a/0", "http://b/0"], |c| {
        c.politeness.per_ip = true;
        c.scope.max_pages_per_host = 2;
    });
    for _ in 0..3 {
        let ticket = rig.wait().unwrap();
        finish_from(&mut rig, ticket, [1, 1, 1, 1]);
    }
    rig.find(&["http://h/1", "http://a/1", "http://b/1", "http://b/2"]);
    rig.pass(1000);
    let first = rig.expect("http://h/1");
    rig.expect_none(); // the others are due and stand in line now
    // What `a` has is not to be sent before tomorrow; what it had is gone.
    rig.scheduler.host_mut(super::HostKey(1)).busy_mut().rest_until =
        Some(rig.now + Duration::from_secs(86_400));
    finish_from(&mut rig, first, [1, 1, 1, 1]);
    rig.pass(1000);
    let second = rig.expect("http://b/1");
    finish_from(&mut rig, second, [1, 1, 1, 1]);
    assert_eq!(rig.wait().unwrap().url().as_str(), "http://a/1");
}

#[test]
fn a_host_that_moves_leaves_the_clock_of_its_old_address() {
    let mut rig = Rig::with(&["http://h/0", "http://a/0"], |c| c.politeness.per_ip = true);
    for ip in [[1, 1, 1, 1], [1, 1, 1, 1]] {
        let ticket = rig.wait().unwrap();
        finish_from(&mut rig, ticket, ip);
    }
    rig.find(&["http://h/1", "http://h/2", "http://a/1", "http://a/2"]);
    let moved = rig.wait().unwrap();
    assert_eq!(moved.url().as_str(), "http://h/1");
    finish_from(&mut rig, moved, [2, 2, 2, 2]);
    // From the other address nothing was sent now, as it turned out; but that was not known.
    let mut starts = Vec::new();
    while let Some(ticket) = rig.wait() {
        starts.push(ticket.url().as_str().to_owned());
        let ip = if ticket.url().host_str() == "h" { [2, 2, 2, 2] } else { [1, 1, 1, 1] };
        finish_from(&mut rig, ticket, ip);
    }
    assert_eq!(starts.len(), 3, "{starts:?}");
    assert!(rig.scheduler.is_idle());
}

#[test]
fn urls_without_rules_end_at_once_though_their_host_rests() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://h:81/3"], |c| {
        c.politeness.robots = true;
    });
    for _ in 0..3 {
        let ticket = rig.wait().unwrap();
        let Errand::Robots { origin, .. } = ticket.errand().clone() else { panic!("{ticket:?}") };
        assert_eq!(origin.port(), 80);
        rig.free_as(&ticket, Health::Unreachable);
        let reply = RobotsReply::Unreachable { cause: "refused".to_owned(), rest: None };
        let spent = ticket.spend();
        rig.apply(Outcome::Robots { spent, origin, reply });
    }
    rig.expect_none();
    assert_eq!(rig.ends(), ["robots-unreachable", "robots-unreachable"]);
    // The other origin's rules are asked for after the rest.
    let start = rig.now;
    assert_eq!(rig.wait().unwrap().url().as_str(), "http://h:81/robots.txt");
    assert_eq!(rig.now - start, Duration::from_secs(60));
}
