//! Orders to a running crawl: blocks, and settings that change.

use crawl_model::{Host, Source, View};
use tokio::sync::oneshot;

use super::*;
use crate::domain::Domain;
use crate::orders::{Blocked, Setting};

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn secs(n: u64) -> Setting {
    Setting::Delay(Duration::from_secs(n))
}

impl Rig {
    fn block(&mut self, name: &str) -> oneshot::Receiver<Blocked> {
        let (done, answer) = oneshot::channel();
        self.scheduler.block(&domain(name), done);
        answer
    }

    /// As many turns as the sweep takes.
    fn sweep(&mut self) -> usize {
        let mut turns = 1;
        while self.scheduler.sweep(self.now) {
            self.check();
            turns += 1;
        }
        turns
    }

    fn set(&mut self, setting: Setting, host: Option<&str>) -> Setting {
        let host = host.map(Host::new);
        self.scheduler.set(setting, host.as_ref(), self.now)
    }
}

#[test]
fn what_is_queued_at_a_blocked_host_ends_and_what_is_in_flight_settles() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://sub.h/1", "http://a/1"], |_| ());
    let open = rig.expect("http://h/1");
    let mut answer = rig.block("h");
    assert!(answer.try_recv().is_err(), "nothing has ended yet");
    let other = rig.wait().unwrap();
    assert_eq!(other.url().as_str(), "http://a/1", "it is blocked before the sweep has come");
    rig.sweep();
    let told = answer.try_recv().unwrap();
    assert_eq!(told, Blocked { was_blocked: false, hosts: 2, urls: 2 });
    assert_eq!(rig.ends(), ["blocked", "blocked"]);
    // What is found later, by whoever had not heard of it, and by those who had.
    let blocked = Look::Filter(FilterReason::Blocked);
    assert_eq!(rig.look("http://h/3", 1), blocked);
    let found = vec![found("http://h/late")];
    rig.free(&open);
    rig.settle_with(open, Verdict::Ok, found);
    assert_eq!(rig.ends(), ["blocked"]);
    rig.finish(other);
    rig.expect_none();
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_try_that_backs_off_at_a_blocked_host_is_not_waited_for() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |_| ());
    let first = rig.wait().unwrap();
    rig.retry(first);
    let second = rig.wait().unwrap();
    let mut answer = rig.block("h");
    rig.sweep();
    assert_eq!(answer.try_recv().unwrap().urls, 1);
    rig.retry(second);
    assert_eq!(rig.ends(), ["blocked"]);
    assert_eq!(rig.wait().map(|ticket| ticket.url().clone()), None);
    assert_eq!(rig.ends(), ["blocked"], "it comes back to a blocked host");
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_large_queue_of_a_blocked_host_ends_a_slice_at_a_time_and_waits_for_the_store() {
    let urls: Vec<String> = (0..12_500).map(|n| format!("http://h/{n}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut rig = Rig::with(&urls, |_| ());
    let mut answer = rig.block("h");
    assert_eq!(rig.sweep(), 9, "the store has not taken a message yet");
    assert_eq!(rig.scheduler.tally.pending, 8000);
    assert_eq!(rig.ends().len(), 8000);
    rig.sweep();
    assert_eq!(rig.ends().len(), 4500);
    assert_eq!(answer.try_recv().unwrap().urls, 12_500);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn urls_that_wait_for_the_rules_of_a_blocked_host_end_and_it_can_be_unblocked() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://h:81/3"], |c| {
        c.politeness.robots = true;
    });
    let robots = rig.expect("http://h/robots.txt");
    rig.expect_none();
    let era = rig.window.era();
    rig.block("h");
    rig.sweep();
    assert_eq!(rig.ends(), ["blocked"; 3]);
    assert_ne!(rig.window.era(), era, "what was remembered as known may be wanted again");
    rig.answer(robots, RobotsReply::Unreachable { cause: "status 503".to_owned(), rest: None });
    assert_eq!(rig.wait().map(|ticket| ticket.url().clone()), None, "nobody asks again");
    assert!(rig.scheduler.is_idle());
    let now = rig.now;
    assert!(rig.scheduler.unblock(&domain("h"), now));
    assert!(!rig.scheduler.unblock(&domain("h"), now));
    assert_eq!(rig.look("http://h/1", 1), Look::Admit, "found again, it is admitted");
    rig.find(&["http://h/1"]);
    rig.pass(1000);
    let robots = rig.expect("http://h/robots.txt");
    rig.answer(robots, RobotsReply::AllowAll);
    rig.pass(1000);
    let page = rig.expect("http://h/1");
    rig.finish(page);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn who_is_sent_to_a_blocked_host_for_its_rules_cannot_have_them() {
    let mut rig = Rig::with(&["http://a/1"], |c| c.politeness.robots = true);
    let robots = rig.expect("http://a/robots.txt");
    rig.block("h");
    rig.answer(robots, RobotsReply::Redirect(url("http://h/robots.txt")));
    assert_eq!(rig.wait().map(|ticket| ticket.url().clone()), None);
    assert_eq!(rig.ends(), ["robots-unreachable"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_host_stays_blocked_as_long_as_one_block_covers_it() {
    let mut rig = Rig::with(&["http://sub.h/1"], |_| ());
    rig.block("h");
    rig.block("sub.h");
    let now = rig.now;
    rig.scheduler.unblock(&domain("h"), now);
    rig.sweep();
    assert_eq!(rig.ends(), ["blocked"]);
    rig.scheduler.unblock(&domain("sub.h"), now);
    rig.find(&["http://sub.h/2"]);
    rig.expect("http://sub.h/2");
}

#[test]
fn a_block_that_is_taken_back_leaves_what_it_has_not_ended_yet() {
    let mut rig = Rig::with(&["http://h/1"], |_| ());
    let mut answer = rig.block("h");
    let now = rig.now;
    rig.scheduler.unblock(&domain("h"), now);
    rig.sweep();
    assert_eq!(answer.try_recv().unwrap().urls, 0);
    rig.expect("http://h/1");
}

#[test]
fn neighbours_of_a_blocked_host_get_their_turn() {
    let mut rig = Rig::with(&["http://h/0", "http://a/0"], |c| c.politeness.per_ip = true);
    for _ in 0..2 {
        let ticket = rig.wait().unwrap();
        let free = crawl_model::HostFree {
            sent_at: Some(rig.now),
            remote: Some([1, 1, 1, 1].into()),
            ..crawl_model::HostFree::unsent(ticket.id())
        };
        rig.hear(free);
        rig.settle(ticket, Verdict::Ok);
    }
    rig.find(&["http://h/1", "http://h/2", "http://a/1"]);
    rig.pass(1000);
    let ticket = rig.next().unwrap();
    rig.expect_none(); // the other one stands in line
    rig.block("h");
    rig.sweep();
    rig.finish(ticket);
    let mut left = Vec::new();
    while let Some(ticket) = rig.wait() {
        left.push(ticket.url().as_str().to_owned());
        rig.finish(ticket);
    }
    assert!(left.iter().all(|url| url == "http://a/1"), "{left:?}");
    rig.sync();
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_shorter_delay_counts_from_now_and_a_longer_one_from_the_last_start() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://h/3"], |c| {
        c.politeness.delay = Duration::from_secs(3600);
    });
    let ticket = rig.expect("http://h/1");
    rig.finish(ticket);
    rig.pass(1000);
    assert_eq!(rig.set(secs(2), None), secs(3600));
    rig.pass(1999);
    rig.expect_none();
    rig.pass(1);
    let ticket = rig.expect("http://h/2");
    rig.finish(ticket);
    rig.pass(1000);
    assert_eq!(rig.set(secs(10), None), secs(2));
    rig.pass(8999);
    rig.expect_none();
    rig.pass(1);
    rig.expect("http://h/3");
}

#[test]
fn one_host_gets_a_pace_of_its_own_known_or_not() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2", "http://a/1"], |_| ());
    assert_eq!(rig.set(secs(5), Some("h")), secs(1));
    assert_eq!(rig.set(secs(7), Some("b")), secs(1));
    let two = Setting::PerHost(NonZeroU32::new(2).unwrap());
    assert_eq!(rig.set(two, Some("h")), Setting::PerHost(NonZeroU32::MIN));
    let status = rig.scheduler.status();
    assert_eq!(status.hosts.keys().collect::<Vec<_>>(), ["b", "h"]);
    assert_eq!(status.hosts["h"].delay, Duration::from_secs(5));
    assert_eq!(status.pace.delay, Duration::from_secs(1));
    rig.find(&["http://b/1", "http://b/2"]);
    let start = rig.now;
    let mut times = Vec::new();
    while let Some(ticket) = rig.wait() {
        times.push((ticket.url().as_str().to_owned(), (rig.now - start).as_secs()));
        rig.finish(ticket);
    }
    times.sort();
    let times: Vec<_> = times.iter().map(|(url, at)| (url.as_str(), *at)).collect();
    let expected = [
        ("http://a/1", 0),
        ("http://b/1", 0),
        ("http://b/2", 7),
        ("http://h/1", 0),
        ("http://h/2", 5),
    ];
    assert_eq!(times, expected);
    // For all means for all.
    assert_eq!(rig.set(secs(3), None), secs(1));
    assert_eq!(rig.set(secs(3), Some("h")), secs(3));
}

#[test]
fn more_requests_at_a_time_are_sent_at_once() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| c.politeness.delay = Duration::ZERO);
    let _open = rig.expect("http://h/1");
    rig.expect_none();
    rig.set(Setting::PerHost(NonZeroU32::new(2).unwrap()), None);
    rig.expect("http://h/2");
}

#[test]
fn budgets_and_the_rate_change_from_now_on() {
    let urls = ["http://h/1", "http://h/2", "http://h/3", "http://a/1", "http://b/1"];
    let mut rig = Rig::with(&urls, |c| {
        c.politeness.delay = Duration::ZERO;
        c.scope.max_pages = 1;
        c.politeness.max_rate = 1;
    });
    let ticket = rig.wait().unwrap();
    rig.finish(ticket);
    assert!(rig.scheduler.is_limit_reached());
    assert_eq!(rig.set(Setting::MaxPages(4), None), Setting::MaxPages(1));
    assert!(!rig.scheduler.is_limit_reached());
    rig.expect_none(); // the rate
    assert_eq!(rig.set(Setting::MaxRate(0), None), Setting::MaxRate(1));
    let two = rig.next().unwrap();
    let three = rig.next().unwrap();
    rig.finish(two);
    rig.finish(three);
    assert_eq!(rig.set(Setting::MaxPagesPerHost(1), None), Setting::MaxPagesPerHost(0));
    assert_eq!(rig.wait().map(|ticket| ticket.url().clone()), None);
    assert_eq!(rig.ends(), ["host-budget", "host-budget"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_seed_of_a_host_that_came_later_is_admitted_though_a_link_to_it_was_refused() {
    let mut rig = Rig::new(|c| c.scope.allowed_domains.clear());
    let off = FilterReason::OffDomain;
    assert_eq!(rig.look("http://late/", 1), Look::Filter(off));
    rig.filter("http://late/", 1, off);
    assert_eq!(rig.look("http://late/", 1), Look::Known);
    let hosts = rig.window.scope.seed_hosts().unwrap();
    hosts.insert(hosts.missing(["late"]));
    rig.scheduler.add_seeds(vec![found("http://late/").request], None);
    rig.sync();
    assert_eq!(rig.look("http://www.late/x", 1), Look::Admit);
    let ticket = rig.expect("http://late/");
    rig.finish(ticket);
    let hosts = vec![found("http://late/")];
    rig.apply(Outcome::Found { found: hosts, source: Source::Page });
    assert!(rig.scheduler.is_idle(), "it is fetched once");
}
