//! The scheduler by hand: one sentence each.

mod guard;
mod orders;
mod robots;
mod twins;

use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::{EndedBy, Errand, FilterReason, Look, Outcome, RobotsReply, Source, Verdict};

use crate::scheduler::Ready;
use crate::tests::rig::{NOW_MS, Rig, found, url};

#[test]
fn a_host_rests_from_the_real_start_and_others_go_on() {
    let mut rig = Rig::with(&["http://a/1", "http://a/2", "http://b/1"], |_| ());
    let first = rig.expect("http://a/1");
    let other = rig.expect("http://b/1");
    rig.pass(400);
    let sent_at = rig.now;
    rig.pass(300);
    rig.free_with(first.id(), Some(sent_at), None);
    rig.settle(first, Verdict::Ok);
    rig.pass(699);
    rig.expect_none();
    assert_eq!(rig.scheduler.ready(rig.now), Ready::Later(Some(sent_at + Duration::from_secs(1))));
    rig.pass(1);
    let second = rig.expect("http://a/2");
    rig.finish(second);
    // The other host hung all the while.
    rig.finish(other);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_slow_answer_costs_no_delay_beyond_itself() {
    let mut rig = Rig::with(&["http://a/1", "http://a/2"], |_| ());
    let first = rig.expect("http://a/1");
    let sent_at = rig.now;
    rig.pass(5000);
    rig.expect_none();
    rig.free_with(first.id(), Some(sent_at), None);
    let _second = rig.expect("http://a/2");
    rig.settle(first, Verdict::Ok);
}

#[test]
fn a_host_that_was_never_reached_rests_only_shortly() {
    let mut rig = Rig::with(&["http://a/1", "http://a/2"], |_| ());
    let first = rig.expect("http://a/1");
    rig.free_with(first.id(), None, None);
    rig.settle(first, Verdict::DnsFailed);
    rig.pass(99);
    rig.expect_none();
    rig.pass(1);
    let _second = rig.expect("http://a/2");
}

/// Hosts in the order in which they are asked, one request at a time.
fn hosts_asked(mut rig: Rig) -> Vec<String> {
    let mut order = Vec::new();
    while let Some(ticket) = rig.next() {
        order.push(ticket.url().host_str().to_owned());
        rig.finish(ticket);
    }
    order
}

#[test]
fn hosts_that_are_due_at_once_take_turns_of_many_requests() {
    let urls: Vec<_> =
        ["a", "b"].iter().flat_map(|h| (0..70).map(move |n| format!("http://{h}/{n}"))).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let order = hosts_asked(Rig::with(&urls, |c| c.politeness.delay = Duration::ZERO));
    let turns: Vec<_> = order.chunk_by(|a, b| a == b).map(|turn| (&*turn[0], turn.len())).collect();
    assert_eq!(turns, [("a", 32), ("b", 32), ("a", 32), ("b", 32), ("a", 6), ("b", 6)]);
}

#[test]
fn in_a_crawl_with_a_rate_a_turn_is_one_request() {
    let urls = ["http://a/1", "http://a/2", "http://b/1", "http://b/2", "http://h/1"];
    let order = hosts_asked(Rig::with(&urls, |c| {
        c.politeness.delay = Duration::ZERO;
        c.politeness.max_rate = 1_000_000;
    }));
    assert_eq!(order, ["a", "b", "h", "a", "b"]);
}

#[test]
fn a_host_with_many_places_does_not_keep_its_turn() {
    let mut rig = Rig::with(&["http://a/1", "http://a/2", "http://b/1"], |c| {
        c.politeness.delay = Duration::ZERO;
        c.politeness.per_host = NonZeroU32::new(2).unwrap();
    });
    let _tickets = ["http://a/1", "http://b/1", "http://a/2"].map(|url| rig.expect(url));
}

#[test]
fn priority_and_depth_order_a_hosts_queue_even_past_the_url_at_its_head() {
    let mut rig = Rig::new(|c| c.politeness.delay = Duration::ZERO);
    let mut deep = found("http://h/deep");
    deep.request.depth = 3;
    let mut urgent = found("http://h/urgent");
    (urgent.request.depth, urgent.request.priority) = (9, 1);
    rig.apply(Outcome::Found { found: vec![deep, found("http://h/top")], source: Source::Page });
    assert_eq!(rig.scheduler.ready(rig.now), Ready::Page);
    rig.apply(Outcome::Found { found: vec![urgent], source: Source::Page });
    for expected in ["http://h/urgent", "http://h/top", "http://h/deep"] {
        let ticket = rig.expect(expected);
        rig.finish(ticket);
    }
}

#[test]
fn two_requests_at_a_time_still_start_a_delay_apart() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://h/3"], |c| {
        c.politeness.per_host = NonZeroU32::new(2).unwrap();
    });
    let first = rig.expect("http://h/1");
    rig.expect_none();
    rig.pass(1000);
    let second = rig.expect("http://h/2");
    rig.pass(1000);
    rig.expect_none();
    rig.finish(first);
    rig.pass(1000);
    let _third = rig.expect("http://h/3");
    rig.finish(second);
}

#[test]
fn a_url_found_twice_in_one_batch_is_fetched_once() {
    let mut rig = Rig::with(&["http://h/1", "http://h/1"], |c| c.politeness.delay = Duration::ZERO);
    let ticket = rig.expect("http://h/1");
    let again = vec![found("http://h/1"), found("http://h/2"), found("http://h/2")];
    rig.free(&ticket);
    rig.settle_with(ticket, Verdict::Ok, again);
    let ticket = rig.expect("http://h/2");
    rig.finish(ticket);
    rig.expect_none();
    assert_eq!(rig.scheduler.tally.discovered, 2);
}

#[test]
fn a_url_too_deep_is_admitted_on_a_shorter_path() {
    let mut rig = Rig::new(|c| c.scope.max_depth = 2);
    rig.filter("http://h/x", 3, FilterReason::TooDeep);
    rig.expect_none();
    assert_eq!(rig.look("http://h/x", 3), Look::Known);
    assert_eq!(rig.look("http://h/x", 2), Look::Admit);
    rig.find(&["http://h/x"]);
    let _ticket = rig.expect("http://h/x");
    let tally = &rig.scheduler.tally;
    assert_eq!((tally.discovered, tally.n_filtered()), (1, 0));
}

#[test]
fn the_window_knows_a_url_only_when_it_is_durable() {
    let mut rig = Rig::new(|_| ());
    rig.scheduler.add_seeds(vec![found("http://h/").request], None);
    assert_eq!(rig.look("http://h/", 1), Look::Admit);
    assert!(!rig.scheduler.is_idle(), "a seed under way keeps the crawl alive");
    rig.expect_none();
    rig.sync();
    assert_eq!(rig.look("http://h/", 1), Look::Known);
    let _ticket = rig.expect("http://h/");
}

#[test]
fn a_try_that_failed_backs_off_and_its_host_goes_on() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| {
        c.politeness.delay = Duration::from_millis(100);
    });
    let first = rig.expect("http://h/1");
    assert_eq!((first.attempt(), first.is_last_attempt()), (1, false));
    rig.retry(first);
    assert_eq!(rig.scheduler.credit_owed, 1);
    rig.pass(100);
    let second = rig.expect("http://h/2");
    rig.finish(second);
    rig.pass(640);
    rig.expect_none();
    rig.pass(500);
    let again = rig.expect("http://h/1");
    assert_eq!((again.attempt(), again.is_last_attempt()), (2, false));
    rig.retry(again);
    rig.pass(1499);
    rig.expect_none();
    rig.pass(1001);
    let last = rig.expect("http://h/1");
    assert_eq!((last.attempt(), last.is_last_attempt()), (3, true));
    assert_eq!(rig.scheduler.tally.retries, 2);
}

#[test]
fn retry_after_rests_the_whole_host_up_to_the_cap() {
    let urls = ["http://a/1", "http://a/2", "http://b/1", "http://b/2"];
    let mut rig = Rig::with(&urls, |c| c.politeness.max_retry_after = Duration::from_secs(60));
    let (a, b) = (rig.expect("http://a/1"), rig.expect("http://b/1"));
    rig.free_with(a.id(), Some(rig.now), Some(Duration::from_secs(20)));
    rig.free_with(b.id(), Some(rig.now), Some(Duration::from_secs(9999)));
    let spent = a.spend();
    rig.apply(Outcome::Retry { spent, rest: Some(Duration::from_secs(20)) });
    rig.settle(b, Verdict::HttpError);
    rig.pass(19_999);
    rig.expect_none();
    rig.pass(1);
    let other = rig.expect("http://a/1");
    rig.finish(other);
    rig.pass(39_999);
    let other = rig.expect("http://a/2");
    rig.finish(other);
    rig.expect_none();
    rig.pass(1);
    let _late = rig.expect("http://b/2");
}

#[test]
fn host_free_may_come_before_or_after_the_outcome_and_counts_once() {
    let urls = ["http://h/1", "http://h/2", "http://h/3"];
    let mut rig = Rig::with(&urls, |_| ());
    let first = rig.expect("http://h/1");
    let (id, sent_at) = (first.id(), rig.now);
    rig.pass(300);
    rig.settle(first, Verdict::Ok); // frees the host, counting from now
    rig.free_with(id, Some(sent_at), None);
    rig.pass(999);
    rig.expect_none();
    rig.pass(1);
    let second = rig.expect("http://h/2");
    assert_eq!(second.id(), id, "the slot is used again");
    rig.free(&second);
    rig.free(&second);
    rig.pass(1000);
    let third = rig.expect("http://h/3");
    rig.settle(second, Verdict::Ok);
    rig.finish(third);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_late_host_free_does_not_free_the_next_ticket_in_its_slot() {
    let mut rig = Rig::with(&["http://a/1", "http://b/1", "http://b/2"], |c| {
        c.politeness.delay = Duration::ZERO;
    });
    let lost = rig.expect("http://a/1");
    let id = lost.id();
    drop(lost);
    let done_at = rig.now;
    rig.pass(5);
    rig.hear_lost();
    let other = rig.expect("http://b/1");
    assert_eq!(other.id(), id);
    let stale = crawl_model::HostFree {
        id,
        sent_at: None,
        done_at,
        rest: None,
        latency: None,
        health: crawl_model::Health::Unknown,
        remote: None,
    };
    rig.scheduler.host_free(&stale, rig.now);
    let back = rig.expect("http://a/1");
    rig.expect_none(); // b is still busy
    rig.finish(other);
    rig.finish(back);
    let last = rig.expect("http://b/2");
    rig.finish(last);
}

#[test]
fn a_lost_ticket_is_no_attempt_and_frees_its_host_once() {
    let mut rig = Rig::with(&["http://h/1"], |_| ());
    let ticket = rig.expect("http://h/1");
    rig.free(&ticket);
    drop(ticket);
    rig.hear_lost();
    assert_eq!(rig.scheduler.credit_owed, 1);
    rig.pass(1000);
    let ticket = rig.expect("http://h/1");
    assert_eq!(ticket.attempt(), 1);
    drop(ticket);
    rig.hear_lost();
    rig.pass(1000);
    let ticket = rig.expect("http://h/1");
    rig.finish(ticket);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_url_whose_ticket_is_lost_again_and_again_is_given_up() {
    let mut rig = Rig::with(&["http://h/1"], |_| ());
    for _ in 0..3 {
        let ticket = rig.expect("http://h/1");
        drop(ticket);
        rig.hear_lost();
        rig.pass(1000);
    }
    rig.expect_none();
    assert_eq!(rig.ends(), ["poisoned"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn max_pages_is_exact_whatever_becomes_of_the_open_tickets() {
    let urls = ["http://a/1", "http://b/1", "http://h/1", "http://h/2"];
    let mut rig = Rig::with(&urls, |c| {
        c.scope.max_pages = 2;
        c.politeness.delay = Duration::ZERO;
    });
    let (a, b) = (rig.expect("http://a/1"), rig.expect("http://b/1"));
    rig.expect_none();
    rig.free(&a);
    rig.settle(a, Verdict::Redirected); // no page, so there is room again
    let h = rig.expect("http://h/1");
    rig.expect_none();
    rig.retry(b);
    rig.finish(h);
    assert!(!rig.scheduler.is_limit_reached());
    let last = rig.expect("http://h/2");
    rig.expect_none();
    rig.finish(last);
    assert!(rig.scheduler.is_limit_reached());
    rig.pass(60_000);
    rig.expect_none();
    assert_eq!((rig.scheduler.tally.pages, rig.scheduler.tally.queued), (2, 1));
}

#[test]
fn a_host_beyond_its_budget_gives_up_the_rest_and_what_comes_later() {
    let urls = ["http://h/1", "http://h/2", "http://h/3", "http://a/1"];
    let mut rig = Rig::with(&urls, |c| c.scope.max_pages_per_host = 1);
    let first = rig.expect("http://h/1");
    let _other = rig.expect("http://a/1");
    rig.finish(first);
    rig.expect_none();
    assert_eq!(rig.ends(), ["host-budget", "host-budget"]);
    rig.find(&["http://h/4"]);
    assert_eq!(rig.ends(), ["host-budget"]);
    assert_eq!(rig.look("http://h/4", 1), Look::Known);
}

#[test]
fn a_hosts_budget_has_room_again_when_a_ticket_brings_no_page() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| {
        c.scope.max_pages_per_host = 1;
        c.politeness.delay = Duration::ZERO;
        c.politeness.per_host = NonZeroU32::new(9).unwrap();
    });
    let first = rig.expect("http://h/1");
    rig.expect_none();
    rig.free(&first);
    rig.expect_none();
    rig.settle(first, Verdict::Timeout);
    let _second = rig.expect("http://h/2");
}

#[test]
fn the_rate_of_the_crawl_holds_over_all_hosts() {
    let mut rig = Rig::with(&["http://a/1", "http://b/1"], |c| c.politeness.max_rate = 2);
    let first = rig.expect("http://a/1");
    rig.expect_none();
    let due = rig.now + Duration::from_millis(500);
    assert_eq!(rig.scheduler.ready(rig.now), Ready::Later(Some(due)));
    rig.pass(500);
    let second = rig.expect("http://b/1");
    rig.finish(first);
    rig.finish(second);
}

#[test]
fn a_request_with_a_time_of_its_own_waits_for_it_and_holds_up_nobody() {
    let mut rig = Rig::new(|c| c.politeness.delay = Duration::ZERO);
    let mut later = found("http://h/1");
    later.request.priority = 9;
    later.request.options_mut().not_before_ms = NOW_MS + 5000;
    let mut never = found("http://h/never");
    never.request.options_mut().not_before_ms = u64::MAX;
    let found = vec![later, never, found("http://h/2")];
    rig.apply(Outcome::Found { found, source: Source::Page });
    let other = rig.expect("http://h/2");
    rig.finish(other);
    rig.pass(4999);
    rig.expect_none();
    rig.pass(1);
    let own = rig.expect("http://h/1");
    rig.finish(own);
    rig.expect_none();
    assert!(!rig.scheduler.is_idle());
}

#[test]
fn a_host_with_a_table_of_its_own_is_treated_by_it() {
    let mut rig = Rig::new(|c| c.politeness.robots = true);
    let mut own = crate::HostPoliteness::default();
    own.politeness.robots = false;
    own.politeness.delay = Duration::from_secs(5);
    own.politeness.per_host = NonZeroU32::new(2).unwrap();
    own.politeness.max_retry_after = Duration::from_secs(20);
    let mut table = crawl_model::HostTable::default();
    table.insert(["*.a".parse().unwrap()], own).unwrap();
    rig.scheduler.set_hosts(table);
    rig.find(&["http://a/1", "http://a/2", "http://b/1"]);
    let first = rig.expect("http://a/1");
    let _rules = rig.expect("http://b/robots.txt");
    rig.pass(4999);
    rig.expect_none();
    rig.pass(1);
    let second = rig.expect("http://a/2");
    rig.find(&["http://a/3"]);
    rig.free_with(first.id(), Some(rig.now), Some(Duration::from_secs(600)));
    rig.finish(second);
    rig.pass(19_999);
    rig.expect_none();
    rig.pass(1);
    rig.expect("http://a/3");
    rig.settle(first, Verdict::Ok);
}
