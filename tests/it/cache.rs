//! Crawls that use an earlier one: asking whether its pages still hold, or asking nobody.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crawl::engine::{Crawl, CrawlConfig};
use crawl::parser::LinkSpider;
use crawl_model::Cached;
use crawl_store::{Bodies, CacheConfig, CacheMode, Store};
use crawl_testsite::{Reply, SiteRequest, TestSite};

use crate::requests::{run, verdicts};
use crate::support::{Scratch, run as run_cli, stderr};

const LINKS: &str = "<title>Home</title><a href=/dated><a href=/plain><a href=/moved><a href=/gone>\
                     <a href=/tagged><a href=/meta>";

/// Pages with an `ETag`, with a date, and with neither; `is_new` changes the tagged one.
async fn site(is_new: Arc<AtomicBool>) -> TestSite {
    let answer = move |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::html(LINKS).with_header("ETag", "\"home\"").with_header("X-Old", "1"),
        "/tagged" if is_new.load(Ordering::Relaxed) => {
            Reply::html("<title>New</title><a href=/added>").with_header("ETag", "W/\"2\"")
        }
        "/tagged" => Reply::html("<title>Tagged</title>").with_header("ETag", "W/\"1\""),
        "/dated" => {
            let date = "Sun, 06 Nov 1994 08:49:37 GMT";
            Reply::html("<title>Dated</title>").with_header("Last-Modified", date)
        }
        "/plain" | "/target" | "/added" => Reply::html("<title>Plain</title>"),
        "/meta" => Reply::html("<meta http-equiv=refresh content='0;/target?meta'>"),
        "/moved" => Reply::redirect("/target", 301),
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /forbidden"),
        _ => Reply::not_found(),
    };
    TestSite::builder().site("*", Arc::new(answer)).start().await
}

fn keeping(config: &mut CrawlConfig) {
    config.store.bodies = Bodies::All;
}

fn from(folder: &Path, mode: CacheMode) -> impl FnOnce(&mut CrawlConfig) {
    let cache = CacheConfig { mode, from: folder.to_owned() };
    move |config| {
        keeping(config);
        config.cache = cache;
    }
}

/// Path, title, body and mark of each page in a store.
fn pages(folder: &Path) -> Vec<(String, String, String, Option<Cached>)> {
    let inspection = Store::inspect(folder).unwrap();
    let reader = inspection.reader();
    let mut rows = Vec::new();
    for page in reader.pages().unwrap() {
        let (_, record) = page.unwrap();
        let body = record.body.as_ref().map(|pointer| reader.body(pointer).unwrap());
        let body = String::from_utf8(body.unwrap_or_default().to_vec()).unwrap();
        let path = record.url.path_and_query().to_owned();
        rows.push((path, record.title.clone(), body, record.cached));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// The statuses that were sent since request number `n`, by path.
fn served(site: &TestSite, n: usize) -> Vec<(String, u16)> {
    let mut rows: Vec<_> =
        site.log()[n..].iter().map(|row| (row.path.clone(), row.status)).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_crawl_is_sent_only_what_has_changed() {
    let is_new = Arc::new(AtomicBool::new(false));
    let site = site(is_new.clone()).await;
    let scratch = Scratch::new();
    let [first, second, third] = ["1", "2", "3"].map(|name| scratch.path(name));
    run(&site, &first, LinkSpider, keeping).await;
    let before = site.log().len();
    assert!(served(&site, 0).iter().all(|(_, status)| *status != 304));

    run(&site, &second, LinkSpider, from(&first, CacheMode::Revalidate)).await;
    let expected = [
        ("/", 304),
        ("/dated", 304),
        ("/gone", 404),
        ("/meta", 200),
        ("/moved", 301),
        ("/plain", 200),
        ("/robots.txt", 200),
        ("/tagged", 304),
        ("/target", 200),
        ("/target?meta", 200),
    ];
    assert_eq!(served(&site, before), expected.map(|(path, status)| (path.to_owned(), status)));
    assert_eq!(verdicts(&second), verdicts(&first));
    let (old, new) = (pages(&first), pages(&second));
    for ((path, title, body, none), (path_2, title_2, body_2, mark)) in old.iter().zip(&new) {
        assert_eq!(
            (path, title, body, none),
            (path_2, title_2, body_2, &None),
            "complete in itself"
        );
        let is_marked = ["/", "/dated", "/tagged"].contains(&path.as_str());
        assert_eq!(mark.is_some(), is_marked, "{path}");
        assert!(mark.is_none_or(|mark| mark == Cached::Revalidated));
    }

    // The second crawl is as good a cache as the first; and what is new is sent and read.
    is_new.store(true, Ordering::Relaxed);
    let before = site.log().len();
    run(&site, &third, LinkSpider, from(&second, CacheMode::Revalidate)).await;
    let served = served(&site, before);
    let status = |path: &str| served.iter().find(|(p, _)| p == path).map(|(_, status)| *status);
    assert_eq!(
        (status("/"), status("/tagged"), status("/added")),
        (Some(304), Some(200), Some(200))
    );
    let tagged = pages(&third).into_iter().find(|(path, ..)| path == "/tagged").unwrap();
    assert_eq!((tagged.1.as_str(), tagged.3), ("New", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_nothing_is_asked_and_what_is_missing_says_so() {
    let site = site(Arc::default()).await;
    let scratch = Scratch::new();
    let (first, second) = (scratch.path("1"), scratch.path("2"));
    run(&site, &first, LinkSpider, keeping).await;
    let before = site.log().len();
    let begun = Instant::now();
    let more = |config: &mut CrawlConfig| {
        from(&first, CacheMode::Offline)(config);
        config.frontier.politeness.delay = Duration::from_secs(60);
        for path in ["missing", "forbidden"] {
            let url = format!("http://site.test/{path}");
            config.seeds.push(crawl::CanonicalUrl::parse(&url).unwrap());
        }
    };
    run(&site, &second, LinkSpider, more).await;
    assert_eq!(site.log().len(), before, "the network is not touched");
    assert!(begun.elapsed() < Duration::from_secs(30), "no host has to be spared");
    let mut expected = verdicts(&first);
    expected.push(("/missing".to_owned(), "not-cached"));
    expected.sort();
    assert_eq!(verdicts(&second), expected, "robots.txt holds as it did");
    for ((path, title, body, _), (_, title_2, body_2, mark)) in
        pages(&first).iter().zip(pages(&second).iter().filter(|row| row.0 != "/missing"))
    {
        assert_eq!((title, body, *mark), (title_2, body_2, Some(Cached::Offline)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bodies_an_earlier_crawl_is_no_cache_but_knows_its_redirects() {
    let site = site(Arc::default()).await;
    let scratch = Scratch::new();
    let [first, second, third] = ["1", "2", "3"].map(|name| scratch.path(name));
    run(&site, &first, LinkSpider, |_| ()).await;
    let before = site.log().len();
    run(&site, &second, LinkSpider, from(&first, CacheMode::Revalidate)).await;
    let sent = served(&site, before);
    assert!(sent.len() > 5 && sent.iter().all(|(_, status)| *status != 304), "{sent:?}");
    let before = site.log().len();
    let seeds = |config: &mut CrawlConfig| {
        from(&first, CacheMode::Offline)(config);
        for path in ["moved", "gone"] {
            let url = format!("http://site.test/{path}");
            config.seeds.push(crawl::CanonicalUrl::parse(&url).unwrap());
        }
    };
    run(&site, &third, LinkSpider, seeds).await;
    assert_eq!(site.log().len(), before);
    let expected = [
        ("/", "not-cached"),
        ("/gone", "http-error"),
        ("/moved", "redirected"),
        ("/target", "not-cached"),
    ];
    assert_eq!(verdicts(&third), expected.map(|(path, verdict)| (path.to_owned(), verdict)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_crawl_that_cannot_be_used_is_an_error() {
    let scratch = Scratch::new();
    let build = |from: &Path, own: &Path| {
        let cache = CacheConfig { mode: CacheMode::Offline, from: from.to_owned() };
        let change = |config: &mut CrawlConfig| config.cache = cache;
        let crawl = Crawl::builder().seed("http://site.test/").folder(own).configure(change);
        async move { crawl.build().unwrap().launch().await.err().unwrap() }
    };
    let chain = |error: &dyn std::error::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    };
    let own = scratch.path("own");
    let said = chain(&build(&scratch.path("none"), &own).await);
    assert!(said.starts_with("`cache.from`: the earlier crawl cannot be used: "), "{said}");
    let said = chain(&build(Path::new(""), &own).await);
    assert!(said.contains("`cache.from` is not set"), "{said}");
    let said = chain(&build(&own, &own).await);
    assert!(said.contains("the crawl's own folder"), "{said}");
    // One that is running, as this one is.
    let site = site(Arc::default()).await;
    let first = scratch.path("first");
    run(&site, &first, LinkSpider, keeping).await;
    let _running = Store::inspect(&first).unwrap();
    let said = chain(&build(&first, &own).await);
    assert!(said.contains("in use") || said.contains("process"), "{said}");
}

#[test]
fn the_command_line_says_what_is_wrong_with_the_cache() {
    let scratch = Scratch::new();
    let config = scratch.write("c.toml", "seeds = ['http://h/']\n[cache]\nmode = 'offline'\n");
    let output = run_cli(&["config", &config]);
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("`cache.from` is not set") && said.contains("c.toml:3"), "{said}");
    let config = scratch.write(
        "d.toml",
        "seeds = ['http://h/']\n[scope]\nsitemaps = true\n[politeness]\nrobots = false\n",
    );
    let said = stderr(&run_cli(&["config", &config]));
    assert!(said.contains("`scope.sitemaps`") && said.contains("d.toml:3"), "{said}");
}
