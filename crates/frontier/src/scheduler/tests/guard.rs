//! Budgets of domains and prefixes, as the scheduler keeps them.

use super::*;

/// A link, not a seed.
fn link(text: &str) -> crawl_model::Found {
    let mut found = found(text);
    found.request.depth = 1;
    found
}

impl Rig {
    fn link(&mut self, urls: &[&str]) {
        let found = urls.iter().map(|url| link(url)).collect();
        self.apply(Outcome::Found { found, source: Source::Page });
    }
}

#[test]
fn the_hosts_of_a_domain_share_its_pages() {
    let urls = ["http://x.d.a/1", "http://y.d.a/1", "http://z.d.a/1", "http://b/1"];
    let mut rig = Rig::with(&urls, |c| c.scope.max_pages_per_domain = 2);
    let (first, second) = (rig.expect(urls[0]), rig.expect(urls[1]));
    let _other = rig.expect("http://b/1");
    rig.expect_none();
    // One of the two turns out to be no page, so there is room for the third.
    rig.free(&first);
    rig.settle(first, Verdict::Redirected);
    let third = rig.expect(urls[2]);
    rig.finish(second);
    rig.finish(third);
    rig.link(&["http://w.d.a/1"]);
    assert_eq!(rig.ends(), ["domain-budget"]);
}

#[test]
fn what_waits_ends_when_its_domains_pages_are_spent() {
    let urls = ["http://x.d.a/1", "http://y.d.a/1", "http://y.d.a/2"];
    let mut rig = Rig::with(&urls, |c| c.scope.max_pages_per_domain = 1);
    let first = rig.expect(urls[0]);
    rig.expect_none();
    rig.finish(first);
    rig.expect_none();
    assert_eq!(rig.ends(), ["domain-budget", "domain-budget"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn a_domain_has_so_many_hosts_and_seeds_count_but_always_pass() {
    let mut rig = Rig::new(|c| c.scope.max_hosts_per_domain = 2);
    rig.find(&["http://1.d.a/", "http://2.d.a/", "http://3.d.a/"]);
    rig.link(&["http://4.d.a/", "http://1.d.a/x", "http://1.d.b/"]);
    assert_eq!(rig.ends(), ["trap-hosts"]);
    assert_eq!(rig.scheduler.tally.queued, 5);
    let sightings = rig.scheduler.sightings();
    assert_eq!((&*sightings[0].host, sightings[0].n_refused), ("4.d.a", 1));
}

#[test]
fn a_link_beyond_its_prefix_is_known_from_then_on() {
    let mut rig = Rig::new(|c| c.scope.max_urls_per_prefix = 1);
    rig.link(&["http://h/a/1", "http://h/a/2"]);
    assert_eq!(rig.ends(), ["prefix-budget"]);
    assert_eq!(rig.look("http://h/a/2", 1), Look::Known);
}
