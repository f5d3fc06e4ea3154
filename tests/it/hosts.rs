//! Many hosts at once: each gets one request at a time and its delay, and none waits for another.
//!
//! How near the crawl comes to its bound is measured by `cargo bench --bench politeness`.

use std::time::Duration;

use crawl::Crawl;
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
