//! Several URLs at once by the rules of a crawl, and a crawl that is closed however its reader
//! leaves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl::{CanonicalUrl, Crawl, CrawlConfig, LookEnd, Request, Session, Verdict};
use crawl_testsite::{Reply, SiteRequest, TestSite};

use crate::support::Scratch;

/// Hosts below `many.test` that tell their path, slowly; `/private` is forbidden.
async fn site(latency: Duration) -> TestSite {
    let echo = |request: &SiteRequest<'_>| match request.path() {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /private\n"),
        "/busy" => Reply::status(503).with_header("retry-after", "1"),
        path => Reply::html(format!("<p>{path}</p>")),
    };
    TestSite::builder().site("*", Arc::new(echo)).latency(latency).start().await
}

fn config(site: &TestSite) -> CrawlConfig {
    let mut config = CrawlConfig::default();
    config.fetch.resolve.insert("*.many.test".into(), site.addr.to_string());
    config.fetch.allow_private_addresses = true;
    config.frontier.politeness.delay = Duration::ZERO;
    config
}

fn get(host: &str, path: &str) -> Request {
    Request::get(CanonicalUrl::parse(&format!("http://{host}.many.test{path}")).unwrap())
}

#[tokio::test]
async fn what_is_gathered_comes_in_order_and_hosts_are_asked_side_by_side() {
    let site = site(Duration::from_millis(40)).await;
    let session = Session::new(&config(&site)).unwrap();
    let requests = (0..24).map(|n| get(&format!("h{}", n % 8), &format!("/{n}")));
    let looked = session.gather(requests).await;
    assert_eq!(looked.len(), 24);
    for (n, looked) in looked.iter().enumerate() {
        assert_eq!(looked.end, LookEnd::Came(Verdict::Ok));
        assert!(looked.url.as_str().ends_with(&format!("/{n}")), "{}", looked.url);
    }
    let mut log = site.log();
    log.sort_by_key(|record| record.at);
    for host in 0..8 {
        let host = format!("h{host}.many.test");
        assert_eq!(site.max_concurrency(&host), 1, "one at a time is the default");
        let robots = site.requests_to(&host).iter().filter(|path| *path == "/robots.txt").count();
        assert_eq!(robots, 1, "those who ask at once share the answer");
    }
    assert!(log[..2].iter().all(|record| record.path == "/robots.txt"), "hosts wait for hosts");
}

#[tokio::test]
async fn tasks_that_share_a_session_keep_its_delay_and_its_rate_together() {
    let site = site(Duration::ZERO).await;
    let mut slow = config(&site);
    slow.frontier.politeness.delay = Duration::from_millis(60);
    slow.frontier.politeness.per_host = 4.try_into().unwrap();
    let session = Session::new(&slow).unwrap();
    session.gather((0..5).map(|n| get("h", &format!("/{n}")))).await;
    let gaps = site.gaps("h.many.test");
    assert_eq!(gaps.len(), 5);
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(59)), "{gaps:?}");

    let mut rated = config(&site);
    rated.frontier.politeness.max_rate = 50;
    rated.frontier.politeness.robots = false;
    let session = Session::new(&rated).unwrap();
    let begun = Instant::now();
    session.gather((0..11).map(|n| get(&format!("r{n}"), "/"))).await;
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn answers_come_as_they_are_done_and_no_more_is_asked_than_is_read() {
    let site = site(Duration::from_millis(5)).await;
    let mut few = config(&site);
    few.fetch.connections = 3.try_into().unwrap();
    few.frontier.politeness.robots = false;
    let session = Session::new(&few).unwrap();
    let mut completed = session.as_completed((0_u32..).map(|n| get(&format!("h{n}"), "/")));
    for _ in 0..10 {
        let (_, looked) = completed.next().await.unwrap();
        assert_eq!(looked.end, LookEnd::Came(Verdict::Ok));
    }
    drop(completed);
    assert!(site.served() <= 10 + 3, "{} were asked", site.served());
}

#[tokio::test]
async fn a_refusal_is_a_value_beside_the_others() {
    let site = site(Duration::ZERO).await;

    let session = Session::new(&config(&site)).unwrap();
    let looked = session.gather([get("a", "/private"), get("a", "/"), get("b", "/busy")]).await;
    let ends: Vec<_> = looked.iter().map(|looked| looked.end.name()).collect();
    assert_eq!(ends, ["robots", "ok", "server-error"]);
    let begun = Instant::now();
    session.fetch(get("b", "/")).await;
    assert!(begun.elapsed() >= Duration::from_millis(900), "it had asked for a second's rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_read_in_a_block_is_closed_on_every_way_out() {
    let site = site(Duration::ZERO).await;
    let scratch = Scratch::new();
    let crawl = |name: &str| {
        let crawl = Crawl::builder().config(config(&site)).seed("http://h.many.test/");
        crawl.folder(scratch.path(name)).build().unwrap()
    };
    let (n, report) = crawl("all")
        .with_pages(async |pages| {
            let mut n = 0;
            while pages.next().await.is_some() {
                n += 1;
            }
            n
        })
        .await
        .unwrap();
    assert_eq!((n, report.counts.pages), (1, 1));

    let left: Result<(Result<(), &str>, _), _> =
        crawl("left").with_pages(async |_| Err("changed my mind")).await;
    let (value, report) = left.unwrap();
    assert_eq!((value, report.counts.in_flight), (Err("changed my mind"), 0));
    // The folder is free at once.
    crawl("left").with_pages(async |_| ()).await.unwrap();

    let lost = tokio::spawn(crawl("lost").with_pages(async |_| std::future::pending::<()>().await));
    tokio::time::sleep(Duration::from_millis(50)).await;
    lost.abort();
    assert!(lost.await.unwrap_err().is_cancelled());
    let begun = Instant::now();
    while let Err(error) = crawl("lost").with_pages(async |_| ()).await {
        assert!(error.is_in_use() && begun.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
