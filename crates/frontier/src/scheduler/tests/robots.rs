//! robots.txt through the queue: asked first, redirected, unreachable, stale; and its sitemaps.

use super::*;

fn rules(text: &'static str) -> RobotsReply {
    RobotsReply::Rules(bytes::Bytes::from_static(text.as_bytes()))
}

fn unreachable() -> RobotsReply {
    RobotsReply::Unreachable { cause: "status 503".to_owned(), rest: None }
}

#[test]
fn robots_txt_is_asked_first_through_the_hosts_clock() {
    let mut rig = Rig::with(&["http://h/1", "http://h/no"], |c| c.politeness.robots = true);
    let robots = rig.expect("http://h/robots.txt");
    assert!(matches!(robots.errand(), Errand::Robots { .. }));
    rig.pass(9000);
    rig.expect_none();
    rig.answer(robots, rules("User-agent: bot\nDisallow: /no\nCrawl-delay: 2\n"));
    rig.pass(1999);
    rig.expect_none();
    rig.pass(1);
    let page = rig.expect("http://h/1");
    rig.finish(page);
    rig.pass(2000);
    rig.expect_none();
    assert_eq!(rig.ends(), ["robots"]);
    rig.find(&["http://h/no2"]);
    assert_eq!(rig.ends(), ["robots"], "what is certain needs no turn");
    assert!(rig.scheduler.is_idle());
}

#[test]
fn each_origin_of_a_host_has_rules_of_its_own() {
    let mut rig = Rig::with(&["http://h/1", "https://h/1", "http://h:81/1"], |c| {
        c.politeness.robots = true;
        c.politeness.delay = Duration::ZERO;
    });
    let plain = rig.expect("http://h/robots.txt");
    rig.expect_none(); // one host, one request at a time
    rig.answer(plain, RobotsReply::AllowAll);
    let page = rig.expect("http://h/1");
    rig.finish(page);
    let tls = rig.expect("https://h/robots.txt");
    rig.answer(tls, rules("User-agent: *\nDisallow: /\n"));
    let port = rig.expect("http://h:81/robots.txt");
    rig.answer(port, RobotsReply::AllowAll);
    let page = rig.expect("http://h:81/1");
    rig.finish(page);
    assert_eq!(rig.ends(), ["robots"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn an_unreachable_robots_txt_is_asked_again_and_then_ends_its_urls() {
    let urls = ["http://h/1", "http://h/2", "https://h/3"];
    let mut rig = Rig::with(&urls, |c| {
        c.politeness.robots = true;
        c.retry.backoff = Duration::from_secs(4);
    });
    for _ in 0..3 {
        let robots = rig.expect("http://h/robots.txt");
        rig.answer(robots, unreachable());
        rig.pass(1000);
        if let Some(other) = rig.next() {
            assert_eq!(other.url().as_str(), "https://h/robots.txt", "other origins go on");
            rig.answer(other, RobotsReply::AllowAll);
            rig.pass(1000);
            let page = rig.expect("https://h/3");
            rig.finish(page);
        }
        rig.pass(10_000);
    }
    rig.expect_none();
    assert_eq!(rig.scheduler.tally.pending, 2);
    let ends = rig.sync();
    for (_, by) in &ends {
        let EndedBy::Verdict(Verdict::RobotsUnreachable, record) = by else { panic!("{by:?}") };
        assert_eq!(record.error, "robots.txt could not be had: status 503");
    }
    rig.find(&["http://h/4"]);
    assert_eq!(rig.ends(), ["robots-unreachable"]);
    assert!(rig.scheduler.is_idle());
    rig.pass(24 * 60 * 60 * 1000);
    rig.find(&["http://h/5"]);
    let _again = rig.expect("http://h/robots.txt");
}

#[test]
fn robots_redirects_are_queued_at_their_target_and_end_after_five_hops() {
    let mut rig = Rig::with(&["http://h/1", "http://a/1"], |c| {
        c.politeness.robots = true;
        c.politeness.delay = Duration::ZERO;
    });
    let h = rig.expect("http://h/robots.txt");
    let a = rig.expect("http://a/robots.txt");
    rig.answer(h, RobotsReply::Redirect(url("http://a/rules")));
    rig.expect_none(); // a is busy with its own
    rig.answer(a, rules("User-agent: *\nDisallow: /\n"));
    // To itself: a loop that the number of hops ends.
    for _ in 0..5 {
        let hop = rig.expect("http://a/rules");
        rig.answer(hop, RobotsReply::Redirect(url("http://a/rules")));
    }
    let page = rig.expect("http://h/1");
    rig.finish(page);
    assert_eq!(rig.ends(), ["robots"]);
    assert!(rig.scheduler.is_idle());
}

#[test]
fn rules_older_than_a_day_are_asked_for_again() {
    let mut rig = Rig::with(&["http://h/1", "http://h/2"], |c| c.politeness.robots = true);
    let robots = rig.expect("http://h/robots.txt");
    rig.answer(robots, RobotsReply::AllowAll);
    rig.pass(1000);
    let page = rig.expect("http://h/1");
    rig.finish(page);
    rig.pass(24 * 60 * 60 * 1000);
    let robots = rig.expect("http://h/robots.txt");
    rig.answer(robots, rules("User-agent: *\nDisallow: /2\n"));
    rig.pass(1000);
    rig.expect_none();
    assert_eq!(rig.ends(), ["robots"]);
}

#[test]
fn a_lost_robots_errand_is_sent_again() {
    let mut rig = Rig::with(&["http://h/1"], |c| c.politeness.robots = true);
    let robots = rig.expect("http://h/robots.txt");
    drop(robots);
    rig.hear_lost();
    rig.pass(2000);
    let robots = rig.expect("http://h/robots.txt");
    rig.answer(robots, RobotsReply::AllowAll);
    rig.pass(1000);
    let _page = rig.expect("http://h/1");
}

#[test]
fn the_sitemaps_of_a_robots_txt_are_found_once() {
    let text = "Sitemap: /s.xml\nSitemap: http://h/s.xml\nSitemap: /t.xml.gz\n\
                Sitemap: http://other/s.xml\nSitemap: mailto:x\nSitemap: http://h/known";
    let sent = |rig: &mut Rig| -> Vec<(String, Option<FilterReason>)> {
        let found = rig.scheduler.outbox.drain(..).flat_map(|entry| match entry {
            crawl_model::Entry::Found { found, .. } => found,
            _ => Vec::new(),
        });
        let row = |found: crawl_model::Found| {
            assert_eq!((found.request.depth, found.request.is_sitemap()), (0, true));
            (found.request.url.to_string(), found.filtered)
        };
        found.map(row).collect()
    };
    let mut rig = Rig::new(|c| (c.scope.sitemaps, c.scope.include) = (true, vec!["/known".into()]));
    rig.find(&["http://h/known"]);
    let origin = url("http://h/").origin();
    let reply = RobotsReply::Rules(text.into());
    rig.scheduler.recall(origin.clone(), &reply, rig.now);
    let expected = [
        ("http://h/s.xml".to_owned(), None),
        ("http://h/t.xml.gz".to_owned(), None),
        ("http://other/s.xml".to_owned(), Some(FilterReason::OffDomain)),
    ];
    assert_eq!(sent(&mut rig), expected);
    let mut rig = Rig::new(|_| ());
    rig.scheduler.recall(origin, &reply, rig.now);
    assert_eq!(sent(&mut rig), [], "nobody asked for them");
}

#[test]
fn a_million_disallowed_urls_are_sorted_out_in_turns() {
    let mut rig = Rig::new(|c| {
        c.politeness.robots = true;
        c.politeness.delay = Duration::ZERO;
    });
    let urls: Vec<String> = (0..2500).map(|n| format!("http://h/{n}")).collect();
    rig.find(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    let robots = rig.expect("http://h/robots.txt");
    rig.answer(robots, rules("User-agent: *\nDisallow: /\n"));
    let mut turns = 0;
    while rig.scheduler.ready(rig.now) == Ready::Later(Some(rig.now)) {
        turns += 1;
    }
    assert_eq!(turns, 2);
    assert_eq!(rig.sync().len(), 2500);
    assert!(rig.scheduler.is_idle());
}
