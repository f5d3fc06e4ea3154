//! Many hosts at once: each gets one request at a time and its delay, and none waits for another.
//!
//! How near the crawl comes to its bound is measured by `cargo bench --bench politeness`.

use std::time::Duration;

use crawl::{Config, Crawl};
use crawl_testsite::TestSite;

use crate::support::Scratch;

const HOSTS: usize = 12;
const PAGES: usize = 8;
const DELAY: Duration = Duration::from_millis(200);
/// How late the server may note a request when the machine is busy with other tests.
const LAG: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn no_host_is_asked_twice_at_once_or_before_its_delay() {
    let hosts: Vec<String> = (0..HOSTS).map(|i| format!("h{i}.test")).collect();
    let mut builder = TestSite::builder().latency(Duration::from_millis(10)).hang("hang.test");
    let mut root: String = hosts.iter().map(|h| format!("<a href=http://{h}/>x</a>")).collect();
    root.push_str("<a href=http://hang.test/>never</a>");
    builder = builder.page_on("root.test", "/", root);
    for host in &hosts {
        let links: String = (1..PAGES).map(|i| format!("<a href=/p{i}>x</a>")).collect();
        builder = builder.page_on(host, "/", links);
        for i in 1..PAGES {
            builder = builder.page_on(host, &format!("/p{i}"), "a page");
        }
    }
    let site = TestSite::spawn_thread(builder);
    let scratch = Scratch::new();
    let crawl = Crawl::builder()
        .seed("http://root.test/")
        .folder(scratch.path("store"))
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.fetch.header_timeout = Duration::from_secs(5);
            config.frontier.scope.allowed_domains = vec!["test".into()];
            config.frontier.politeness.delay = DELAY;
            config.frontier.politeness.robots_attempts = 1.try_into().unwrap();
        })
        .build()
        .unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.counts.pages as usize, HOSTS * PAGES + 1, "{report:?}");
    for host in &hosts {
        assert_eq!(site.max_concurrency(host), 1, "{host}");
        let shortest = site.gaps(host).into_iter().min().unwrap();
        assert!(shortest >= DELAY - LAG, "{host}: gap of {shortest:?}");
    }
}

/// The rules of `[[host]]` tables reach both ends: the clock of the frontier and what the fetcher
/// sends.
#[tokio::test(flavor = "multi_thread")]
async fn a_hosts_own_table_changes_its_delay_and_its_user_agent() {
    let links: String = (1..5).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    let mut builder = TestSite::builder();
    for host in ["plain.test", "slow.test"] {
        builder = builder.page_on(host, "/", links.clone());
        for i in 1..5 {
            builder = builder.page_on(host, &format!("/p{i}"), "a page");
        }
        let rules = "User-agent: special\nDisallow: /p3\n";
        builder = builder.robots_on(host, rules);
    }
    let site = TestSite::spawn_thread(builder);
    let scratch = Scratch::new();
    let config = format!(
        "seeds = ['http://plain.test/', 'http://slow.test/']\n\
         [politeness]\ndelay = '0s'\n\
         [fetch]\nallow-private-addresses = true\nresolve = {{ '*.test' = '{}' }}\n\
         [store]\npath = '{}'\n\
         [[host]]\nmatch = ['*.slow.test']\npoliteness.delay = '200ms'\n\
         fetch.user-agent = 'special/2'\n",
        site.addr,
        scratch.path("store").display(),
    );
    let crawl = Config::parse("c.toml", &config, &[]).unwrap().into_crawl(false).unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    // The other user agent has rules of its own in robots.txt.
    assert_eq!(report.counts.pages, 9, "{report:?}");
    assert_eq!(report.counts.filtered["robots"], 1, "{report:?}");
    let shortest = site.gaps("slow.test").into_iter().min().unwrap();
    assert!(shortest >= Duration::from_millis(200) - LAG, "gap of {shortest:?}");
    let quick: Duration = site.gaps("plain.test").into_iter().sum();
    assert!(quick < Duration::from_millis(600), "{quick:?}");
    for (host, agent) in [("plain.test", "crawl/"), ("slow.test", "special/2")] {
        let records = site.log();
        let mut records = records.iter().filter(|record| record.host == host);
        assert!(records.all(|record| record.user_agent.starts_with(agent)), "{host}");
    }
}

/// A host at which nobody listens: what is known of it and what is found later ends, and so does
/// the crawl.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_gone_ends_with_its_urls_and_the_crawl_goes_on() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = closed.local_addr().unwrap();
    drop(closed);
    let links: String = (0..50).map(|i| format!("<a href=http://gone.test/{i}>x</a>")).collect();
    let mut builder = TestSite::builder().page_on("root.test", "/", links + "<a href=/1>x</a>");
    for i in 1..10 {
        let next = format!("<a href=/{}>x</a><a href=http://gone.test/late{i}>x</a>", i + 1);
        builder = builder.page_on("root.test", &format!("/{i}"), next);
    }
    let site = TestSite::spawn_thread(builder.latency(Duration::from_millis(100)));
    let scratch = Scratch::new();
    let config = format!(
        "seeds = ['http://root.test/']\n\
         [scope]\nallowed-domains = ['test']\n\
         [politeness]\nrobots = false\ndelay = '0s'\nback-off-max-delay = '0s'\n\
         quarantine = '200ms'\n\
         [fetch]\nallow-private-addresses = true\n\
         resolve = {{ 'root.test' = '{}', 'gone.test' = '{gone}' }}\n\
         [store]\npath = '{}'\n",
        site.addr,
        scratch.path("store").display(),
    );
    let crawl = Config::parse("c.toml", &config, &[]).unwrap().into_crawl(false).unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    let counts = &report.counts;
    assert_eq!(counts.pages, 11, "{report:?}");
    // Three attempts, one rest, one more: of one or two URLs, and the rest was never tried.
    let dead = counts.settled["host-dead"];
    assert!((56..=59).contains(&dead), "{report:?}");
    let tried = counts.settled.get("connect-failed").copied().unwrap_or(0);
    assert_eq!(dead + tried, 59, "{report:?}");
}
