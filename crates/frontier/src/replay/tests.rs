//! Resumes by hand: what the log says, what the limits say now, what comes of it.

use std::time::Duration;

use crawl_model::{
    Event, FilterReason, Fingerprint, Found, Host, Look, Origin, RobotsReply, Verdict,
};

use super::{Replay, Resumed};
use crate::clock::Moment;
use crate::tests::rig::{NOW_MS, Rig, found};

fn at_depth(text: &str, depth: u32) -> Found {
    let mut found = found(text);
    found.request.depth = depth;
    found
}

fn filtered(text: &str, depth: u32, reason: FilterReason) -> Event {
    Event::Found(Box::new(Found { filtered: Some(reason), ..at_depth(text, depth) }))
}

fn queued(text: &str, depth: u32) -> Event {
    Event::Found(Box::new(at_depth(text, depth)))
}

fn retried(text: &str, attempt: u32, at_ms: u64, rest_until_ms: u64) -> Event {
    let (print, host) = named(text);
    Event::Retried { print, host, attempt, at_ms, rest_until_ms }
}

fn named(text: &str) -> (Fingerprint, Host) {
    let found = found(text);
    (found.print, Host::new(found.request.url.host_str()))
}

fn settled(text: &str, at_ms: u64) -> Event {
    let (print, host) = named(text);
    Event::Settled { n: 1, print, host, verdict: Verdict::Ok, at_ms, rest_until_ms: 0 }
}

impl Rig {
    fn resume(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        suspects: &[(&str, u32)],
        is_clean: bool,
    ) -> Resumed {
        let mut replay = Replay::default();
        let events: Vec<Event> = events.into_iter().collect();
        self.scheduler.before.is_judged_anew = true;
        for event in events.iter().cloned() {
            replay.fold(&mut self.scheduler, event);
            self.check();
        }
        let suspects: Vec<_> =
            suspects.iter().map(|&(text, deaths)| (found(text).print, deaths)).collect();
        let at = Moment { now: self.now, ms: NOW_MS };
        replay.finish(&mut self.scheduler, &suspects, is_clean, at);
        self.check();
        for event in events {
            if let Event::Found(found) = event {
                replay.judge_again(&mut self.scheduler, *found, at);
            }
        }
        self.check();
        replay.resumed(&mut self.scheduler)
    }
}

fn renewed(text: &str) -> Event {
    Event::Found(Box::new(Found { renews: true, ..found(text) }))
}

#[test]
fn what_waits_anew_is_handed_out_once_however_often_it_did() {
    let mut rig = Rig::new(|_| ());
    let (print, _) = named("http://h/2");
    let events = [
        queued("http://h/1", 0),
        queued("http://h/2", 0),
        renewed("http://h/1"),
        settled("http://h/1", 0),
        renewed("http://h/1"),
        settled("http://h/1", 0),
        renewed("http://h/1"),
        Event::Filtered { print, reason: FilterReason::Excluded },
        queued("http://h/2", 0),
    ];
    let resumed = rig.resume(events, &[], true);
    assert_eq!((resumed.settled, resumed.queued), (0, 2));
    for url in ["http://h/1", "http://h/2"] {
        let ticket = rig.wait().unwrap();
        assert_eq!(ticket.url().as_str(), url);
        rig.finish(ticket);
    }
    assert!(rig.wait().is_none() && rig.scheduler.is_idle());
}

#[test]
fn a_page_that_waits_anew_gives_its_place_in_the_budgets_back() {
    let mut rig = Rig::new(|c| (c.scope.max_pages, c.scope.max_pages_per_host) = (2, 2));
    let urls = ["http://h/1", "http://h/2"];
    let events = urls.iter().flat_map(|url| [queued(url, 0), settled(url, 0)]);
    rig.resume(events, &[], true);
    assert!(rig.scheduler.is_limit_reached());
    rig.scheduler.awaits_renewals = true;
    assert!(!rig.scheduler.is_limit_reached() && !rig.scheduler.is_idle());
    let again = urls.map(|url| (found(url).print, found(url).request)).to_vec();
    rig.scheduler.renew_all([again.clone(), again].concat(), None);
    rig.sync();
    rig.apply(crawl_model::Outcome::Found {
        found: vec![at_depth("http://h/new", 0)],
        source: crawl_model::Source::Page,
    });
    let tally = rig.scheduler.tally;
    assert_eq!((tally.discovered, tally.queued, tally.n_settled()), (3, 3, 0));
    rig.scheduler.awaits_renewals = false;
    for url in urls {
        let ticket = rig.wait().unwrap();
        assert_eq!(ticket.url().as_str(), url);
        rig.finish(ticket);
    }
    assert!(rig.scheduler.is_limit_reached());
}

#[test]
fn what_was_not_settled_is_fetched_again_and_nothing_else() {
    let mut rig = Rig::new(|_| ());
    let events = [
        queued("http://h/1", 0),
        queued("http://h/2", 1),
        queued("http://h/2", 1),
        filtered("http://other/", 1, FilterReason::OffDomain),
        settled("http://h/1", 5),
    ];
    let resumed = rig.resume(events, &[], true);
    assert_eq!((resumed.settled, resumed.queued, resumed.filtered), (1, 1, 1));
    let ticket = rig.expect("http://h/2");
    rig.finish(ticket);
    assert!(rig.scheduler.is_idle());
    assert_eq!(rig.scheduler.tally.pages, 2);
    assert_eq!(rig.look("http://h/1", 0), Look::Known);
}

#[test]
fn tries_of_earlier_runs_count() {
    let mut rig = Rig::new(|_| ());
    let retried = retried("http://h/1", 2, 1, 0);
    rig.resume([queued("http://h/1", 0), retried], &[], true);
    let ticket = rig.expect("http://h/1");
    assert_eq!((ticket.attempt(), ticket.is_last_attempt()), (3, true));
    assert_eq!(rig.scheduler.tally.retries, 1);
}

#[test]
fn a_narrower_scope_refuses_what_waited() {
    let mut rig = Rig::new(|c| c.scope.max_depth = 1);
    let events = [queued("http://h/2", 2), queued("http://h/1", 1), queued("http://other/", 0)];
    let resumed = rig.resume(events, &[], true);
    assert_eq!((resumed.queued, resumed.newly_filtered), (1, 2));
    assert_eq!(rig.ends(), ["too-deep", "off-domain"]);
    let _ticket = rig.expect("http://h/1");
    assert_eq!(rig.look("http://h/2", 1), Look::Admit);
}

#[test]
fn a_wider_scope_admits_what_was_refused_once_that_is_durable() {
    let mut rig = Rig::new(|c| c.scope.max_depth = 3);
    let events = [
        filtered("http://h/deep", 9, FilterReason::TooDeep),
        filtered("http://h/deep", 3, FilterReason::TooDeep),
        filtered("http://h/x.pdf", 1, FilterReason::Excluded),
        filtered("http://a/", 1, FilterReason::OffDomain),
    ];
    let resumed = rig.resume(events, &[], true);
    assert_eq!((resumed.queued, resumed.readmitted, resumed.filtered), (2, 2, 1));
    rig.expect_none();
    assert!(!rig.scheduler.is_idle());
    rig.sync();
    let (deep, other) = (rig.expect("http://h/deep"), rig.expect("http://a/"));
    rig.finish(deep);
    rig.finish(other);
    assert!(rig.scheduler.is_idle());
    assert_eq!(rig.look("http://h/x.pdf", 0), Look::Known);
}

#[test]
fn a_url_refused_for_another_reason_now_may_come_by_a_shorter_path() {
    let mut rig = Rig::new(|c| c.scope.max_depth = 3);
    rig.resume([filtered("http://a/", 5, FilterReason::OffDomain)], &[], true);
    assert_eq!(rig.look("http://a/", 3), Look::Admit);
}

#[test]
fn a_hosts_budget_counts_over_all_runs() {
    let events = || {
        let print = found("http://h/3").print;
        [
            queued("http://h/1", 0),
            queued("http://h/2", 0),
            queued("http://h/3", 0),
            settled("http://h/1", 1),
            Event::Filtered { print, reason: FilterReason::HostBudget },
        ]
    };
    let mut rig = Rig::new(|c| c.scope.max_pages_per_host = 1);
    let resumed = rig.resume(events(), &[], true);
    assert_eq!((resumed.queued, resumed.newly_filtered, resumed.readmitted), (0, 1, 0));
    assert_eq!(rig.ends(), ["host-budget"]);
    let mut rig = Rig::new(|c| c.scope.max_pages_per_host = 2);
    let resumed = rig.resume(events(), &[], true);
    assert_eq!((resumed.queued, resumed.newly_filtered, resumed.readmitted), (2, 0, 1));
    rig.sync();
    let ticket = rig.expect("http://h/2");
    rig.finish(ticket);
    rig.expect_none();
    assert_eq!(rig.ends(), ["host-budget"]);
}

#[test]
fn robots_refusals_are_judged_again_by_the_rules_that_are_known() {
    let events = || {
        let print = found("http://h/1").print;
        [queued("http://h/1", 0), Event::Filtered { print, reason: FilterReason::Robots }]
    };
    let resume = |robots: Option<&'static str>, obey: bool| {
        let mut rig = Rig::new(|c| c.politeness.robots = obey);
        if let Some(text) = robots {
            let reply = RobotsReply::Rules(bytes::Bytes::from_static(text.as_bytes()));
            let until = rig.now + Duration::from_secs(9);
            rig.scheduler.recall(Origin::new(false, "h", 80), &reply, until);
        }
        rig.resume(events(), &[], true).readmitted
    };
    assert_eq!(resume(None, true), 0);
    assert_eq!(resume(Some("User-agent: *\nDisallow: /1\n"), true), 0);
    assert_eq!(resume(Some("User-agent: *\nDisallow: /2\n"), true), 1);
    assert_eq!(resume(None, false), 1);
}

#[test]
fn after_an_unclean_stop_every_host_rests_a_full_delay() {
    let mut rig = Rig::new(|_| ());
    rig.resume([queued("http://h/1", 0)], &[], false);
    rig.pass(999);
    rig.expect_none();
    rig.pass(1);
    let _ticket = rig.expect("http://h/1");
}

#[test]
fn after_a_clean_stop_a_host_rests_what_is_left_of_its_delay() {
    let mut rig = Rig::new(|_| ());
    let events = [
        queued("http://h/1", 0),
        queued("http://h/2", 0),
        queued("http://a/1", 0),
        settled("http://h/1", NOW_MS - 400),
    ];
    rig.resume(events, &[], true);
    let _other = rig.expect("http://a/1");
    rig.pass(599);
    rig.expect_none();
    rig.pass(1);
    let _ticket = rig.expect("http://h/2");
}

#[test]
fn a_retry_after_outlives_the_process_up_to_the_cap() {
    for (rest_ms, expected_ms) in [(30_000, 30_000), (86_400_000, 600_000)] {
        let mut rig = Rig::new(|_| ());
        let retried = retried("http://h/1", 1, NOW_MS, NOW_MS + rest_ms);
        rig.resume([queued("http://h/1", 0), retried], &[], true);
        rig.pass(expected_ms - 1);
        rig.expect_none();
        rig.pass(1);
        let _ticket = rig.expect("http://h/1");
    }
}

#[test]
fn three_deaths_end_a_url_and_after_two_it_runs_alone() {
    let mut rig = Rig::new(|c| {
        c.politeness.delay = Duration::ZERO;
        c.politeness.per_host = std::num::NonZeroU32::new(4).unwrap();
        c.politeness.max_rate = 1_000_000; // so that hosts take turns
    });
    let events =
        ["http://h/0", "http://h/1", "http://a/2", "http://h/3"].map(|text| queued(text, 0));
    let suspects = [("http://h/0", 1), ("http://h/1", 3), ("http://a/2", 2)];
    let resumed = rig.resume(events, &suspects, true);
    assert_eq!((resumed.queued, resumed.poisoned, resumed.alone), (3, 1, 1));
    assert_eq!(rig.ends(), ["poisoned"]);
    let first = rig.expect("http://h/0");
    rig.expect_none(); // a is next, but must be alone
    rig.finish(first);
    let alone = rig.expect("http://a/2");
    rig.expect_none();
    rig.free(&alone);
    rig.expect_none();
    rig.retry(alone); // it let the process live: from here on it is like any other
    let _last = rig.expect("http://h/3");
}

#[test]
fn a_robots_txt_that_kills_is_left_alone() {
    let mut rig = Rig::new(|c| c.politeness.robots = true);
    let suspects = [("http://h/robots.txt", 3), ("http://a/robots.txt", 2)];
    let events = [queued("http://h/1", 0), queued("http://b/1", 0), queued("http://a/1", 0)];
    rig.resume(events, &suspects, true);
    let b = rig.expect("http://b/robots.txt");
    rig.expect_none();
    assert_eq!(rig.ends(), ["robots-unreachable"]);
    rig.answer(b, RobotsReply::AllowAll);
    let alone = rig.expect("http://a/robots.txt");
    rig.pass(1000);
    rig.expect_none();
    rig.answer(alone, RobotsReply::AllowAll);
    let _page = rig.expect("http://b/1");
}

#[test]
fn a_try_waits_out_its_back_off_over_a_restart() {
    // After the second try that is 1.5 to 2.5 seconds; a clock set back does not make it longer.
    for tried_ms in [NOW_MS, NOW_MS + 3_600_000] {
        let mut rig = Rig::new(|c| c.politeness.delay = Duration::ZERO);
        let retried = retried("http://h/1", 2, tried_ms, 0);
        rig.resume([queued("http://h/1", 0), queued("http://h/2", 0), retried], &[], true);
        let other = rig.expect("http://h/2");
        rig.finish(other);
        rig.pass(1_499);
        rig.expect_none();
        rig.pass(1_002);
        let ticket = rig.expect("http://h/1");
        rig.finish(ticket);
        assert!(rig.scheduler.is_idle());
    }
}

#[test]
fn a_request_keeps_its_own_time_over_a_restart() {
    let mut rig = Rig::new(|_| ());
    let mut later = at_depth("http://h/1", 0);
    later.request.options_mut().not_before_ms = NOW_MS + 90_000;
    let mut past = at_depth("http://h/2", 0);
    past.request.options_mut().not_before_ms = NOW_MS - 90_000;
    let events = [later, past].map(|found| Event::Found(Box::new(found)));
    let resumed = rig.resume(events, &[], true);
    assert_eq!(resumed.queued, 2);
    let past = rig.expect("http://h/2");
    rig.finish(past);
    rig.pass(89_999);
    rig.expect_none();
    assert!(!rig.scheduler.is_idle(), "the crawl waits for it");
    rig.pass(1);
    let later = rig.expect("http://h/1");
    rig.finish(later);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_fold_counts_as_the_run_did_that_wrote_the_log() {
    let refused = |text: &str| {
        let reason = FilterReason::PrefixBudget;
        Event::Filtered { print: found(text).print, reason }
    };
    let events = || {
        vec![
            queued("http://h/a/1", 1),
            queued("http://h/a/2", 1),
            queued("http://h/a/3", 1),
            refused("http://h/a/3"),
            queued("http://h/a/4", 1),
            settled("http://h/a/1", 1),
        ]
    };
    // The fourth was found, and the process died before its end was durable.
    let mut rig = Rig::new(|c| c.scope.max_urls_per_prefix = 2);
    let resumed = rig.resume(events(), &[], true);
    assert_eq!((resumed.queued, resumed.readmitted, resumed.newly_filtered), (1, 0, 1));
    assert_eq!(rig.ends(), ["prefix-budget"]);
    assert_eq!(rig.scheduler.sightings()[0].n_refused, 2);
    // With a lower limit what waits is refused, too.
    let mut rig = Rig::new(|c| c.scope.max_urls_per_prefix = 1);
    let resumed = rig.resume(events(), &[], true);
    assert_eq!((resumed.queued, resumed.newly_filtered), (0, 2));
    // With a higher one what was refused comes back, and counts once.
    let mut rig = Rig::new(|c| c.scope.max_urls_per_prefix = 4);
    let resumed = rig.resume(events(), &[], true);
    assert_eq!((resumed.queued, resumed.readmitted, resumed.newly_filtered), (3, 1, 0));
    assert!(rig.ends().is_empty());
    assert_eq!(rig.scheduler.tally.queued, 3);
}
