//! A finished crawl that is run again as an incremental one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crawl::engine::{Recrawled, Report};
use crawl::prelude::*;
use crawl_feeds::FeedConfig;
use crawl_store::{RecrawlConfig, Revisited, Store, StoreError};
use crawl_testsite::{Reply, SiteRequest, TestSite};
use serde_json::{Value, json};

use crate::support::{self, LIMIT, Scratch, Server, inspect, local_config, run_ok, stderr};

/// Makes an item of every page and follows its links; some pages with a note of their own.
struct Titles;

impl Spider for Titles {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({ "path": page.url().path_and_query(), "title": page.title() }))?;
        if page.url().path_and_query() == "/" {
            out.get("http://site.test/noted")?.meta(&json!({ "from": "home" }))?;
        }
        out.follow_links(page);
        Ok(())
    }
}

/// A site in several states: the second time one page has changed, one is gone and one fails.
async fn site(state: Arc<AtomicU32>) -> TestSite {
    let answer = move |request: &SiteRequest<'_>| {
        let is_later = state.load(Ordering::Relaxed) > 0;
        match request.path() {
            "/" => Reply::html(
                "<title>Home</title><a href=/dated><a href=/changing><a href=/plain><a href=/gone>\
                 <a href=/busy><a href=/moved>",
            )
            .with_header("ETag", "\"home\""),
            "/dated" => Reply::html("<title>Dated</title>")
                .with_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            "/changing" if is_later => {
                Reply::html("<title>Second</title><a href=/new>").with_header("ETag", "\"2\"")
            }
            "/changing" => Reply::html("<title>First</title>").with_header("ETag", "\"1\""),
            "/gone" | "/busy" if is_later => {
                let status = if request.path() == "/gone" { 410 } else { 503 };
                Reply { status, ..Reply::text("no") }
            }
            "/gone" => Reply::html("<title>Gone</title>"),
            "/busy" => Reply::html("<title>Busy</title>"),
            "/plain" | "/noted" | "/new" => Reply::html("<title>Plain</title>"),
            "/moved" => Reply::redirect("/plain", 301),
            _ => Reply::not_found(),
        }
    };
    TestSite::builder().site("*", Arc::new(answer)).start().await
}

async fn run(site: &TestSite, folder: &Path, after: Duration, max_pages: u64) -> Report {
    wait_until_free(folder);
    let crawl = Crawl::builder()
        .seed("http://site.test/")
        .folder(folder)
        .spider(Titles)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.retry.max_attempts = 1;
            config.frontier.scope.max_pages = max_pages;
            config.recrawl = RecrawlConfig { after, ..RecrawlConfig::default() };
            config.feeds.push(FeedConfig::to(folder.with_extension("jsonl")));
        })
        .build()
        .unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    assert!(report.counts.is_conserved(), "{report:?}");
    report
}

/// A child that another test starts holds the folder's lock for a moment, between fork and exec.
pub(crate) fn wait_until_free(folder: &Path) {
    let begun = Instant::now();
    while let Err(StoreError::InUse { .. }) = Store::inspect(folder) {
        assert!(begun.elapsed() < LIMIT, "{} stays locked", folder.display());
        thread::yield_now();
    }
}

/// What was served since request number `n`, in order of the paths.
fn served(site: &TestSite, n: usize) -> Vec<(String, u16)> {
    let mut rows: Vec<_> =
        site.log()[n..].iter().map(|row| (row.path.clone(), row.status)).collect();
    rows.sort();
    rows
}

/// Path, verdict and titles of the items of each page.
fn pages(folder: &Path) -> Vec<(String, String, Vec<String>)> {
    wait_until_free(folder);
    let inspection = Store::inspect(folder).unwrap();
    let reader = inspection.reader();
    let mut rows = Vec::new();
    for page in reader.pages().unwrap() {
        let (print, record) = page.unwrap();
        let items = reader.load(print).unwrap().unwrap().items;
        let titles = items.iter().map(|item| item["title"].as_str().unwrap().to_owned());
        let path = record.url.path_and_query().to_owned();
        rows.push((path, record.verdict.name().to_owned(), titles.collect()));
    }
    rows.sort();
    rows
}

const SOON: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_crawl_asks_again_for_what_is_due_and_takes_what_has_changed() {
    let state = Arc::new(AtomicU32::new(0));
    let site = site(state.clone()).await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let first = run(&site, &folder, Duration::ZERO, 0).await;
    assert_eq!((first.recrawled, first.counts.items), (None, 7));
    let n_fed = || std::fs::read_to_string(folder.with_extension("jsonl")).unwrap().lines().count();
    assert_eq!(n_fed(), 7);

    // Nothing is due tomorrow's way.
    let before = site.log().len();
    let idle = run(&site, &folder, Duration::from_secs(3600), 0).await;
    assert_eq!(idle.recrawled, Some(Recrawled::default()));
    assert!(idle.is_nothing_to_do() && site.log().len() == before);

    state.store(1, Ordering::Relaxed);
    let second = run(&site, &folder, SOON, 0).await;
    let expected = [
        ("/", 304),
        ("/busy", 503),
        ("/changing", 200),
        ("/dated", 304),
        ("/gone", 410),
        ("/moved", 301),
        ("/new", 200),
        ("/plain", 200),
    ];
    assert_eq!(served(&site, before), expected.map(|(path, status)| (path.to_owned(), status)));
    let revisited = Revisited { changed: 1, unchanged: 4, gone: 1, failed: 1 };
    assert_eq!(second.recrawled, Some(Recrawled { due: 7, revisited }));
    assert_eq!((second.settled_this_run, second.pages_this_run), (8, 7));
    assert_eq!((second.counts.queued, second.counts.discovered), (0, 9));
    let page = |path: &str, verdict: &str, titles: &[&str]| {
        let titles = titles.iter().map(|&title| title.to_owned()).collect::<Vec<_>>();
        (path.to_owned(), verdict.to_owned(), titles)
    };
    let expected = [
        page("/", "ok", &["Home"]),
        page("/busy", "ok", &["Busy"]),
        page("/changing", "ok", &["Second"]),
        page("/dated", "ok", &["Dated"]),
        page("/gone", "http-error", &[]),
        page("/moved", "redirected", &[]),
        page("/new", "ok", &["Plain"]),
        page("/noted", "ok", &["Plain"]),
        page("/plain", "ok", &["Plain"]),
    ];
    assert_eq!(pages(&folder), expected);
    assert_eq!(second.counts.items, 7, "one page is gone, one is new");
    // The changed one, the new one, and the one that the spider had to read to see that it is old.
    assert_eq!(n_fed(), 7 + 3);

    let rows = inspect(&folder, &["pages"]);
    let row = |path: &str| {
        let ends = |row: &&Value| row["url"].as_str().unwrap().ends_with(path);
        rows.iter().find(ends).unwrap()
    };
    assert!(row("/changing")["changed_ms"].is_u64() && row("/gone")["changed_ms"].is_u64());
    assert!(row("/dated")["checked_ms"].is_u64() && row("/dated")["changed_ms"].is_null());
    assert!(row("/dated")["interval_ms"].as_u64() > row("/changing")["interval_ms"].as_u64());
    let stats = &inspect(&folder, &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["queued"]), (&true.into(), &0.into()), "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_asked_for_though_the_page_budget_is_used_up() {
    let state = Arc::new(AtomicU32::new(0));
    let site = site(state.clone()).await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let first = run(&site, &folder, Duration::ZERO, 3).await;
    assert_eq!(first.counts.pages, 3);
    assert!(first.counts.queued > 0, "{first:?}");
    let before = site.log().len();
    let paths = pages(&folder).into_iter().map(|(path, ..)| path).collect::<Vec<_>>();
    let second = run(&site, &folder, SOON, 3).await;
    assert_eq!((second.counts.pages, second.counts.queued), (3, first.counts.queued));
    let served = served(&site, before).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let with_extras = paths.iter().filter(|path| *path != "/noted").cloned().collect::<Vec<_>>();
    assert_eq!(served, with_extras, "old pages and no new ones");
}

#[test]
fn a_recrawl_that_is_killed_goes_on_where_it_was() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 200, "5ms");
    let store = scratch.path("store");
    let config = local_config(server.addr, &store, support::BOOKS);
    let config = scratch.write("crawl.toml", &config);
    run_ok(&["run", &config]);
    let said = stderr(&run_ok(&["run", &config]));
    assert!(said.contains("recrawl.after") && said.contains("--fresh"), "{said}");
    let n_first = server.served().len();
    let items = inspect(&store, &["stats"])[0]["items"].clone();

    let mut child = support::crawl(&["run", &config, "-s", "recrawl.after=1ms"]).spawn().unwrap();
    let begun = Instant::now();
    while server.served().len() < n_first + 60 && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT, "the recrawl never began");
        thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    child.wait().unwrap();
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
    assert!(stats["queued"].as_u64() > Some(0), "{stats}");

    // What was just seen is not due yet; what waits is asked for all the same.
    let said = stderr(&run_ok(&["run", &config, "-s", "recrawl.after=1h"]));
    assert!(said.contains(" 0 pages were due again: "), "{said}");
    let all = server.served();
    let count = |path: &str, paths: &[String]| paths.iter().filter(|p| *p == path).count();
    for path in all[..n_first].iter().filter(|path| *path != "/robots.txt") {
        assert!(count(path, &all[n_first..]) > 0, "{path} was not asked for again");
    }
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["queued"]), (&true.into(), &0.into()), "{stats}");
    assert_eq!(stats["items"], items, "{stats}");
}

#[test]
fn the_command_line_says_what_is_wrong_with_the_intervals() {
    let scratch = Scratch::new();
    let text = "seeds = ['http://h/']\n[recrawl]\nafter = '1h'\nmax = '1m'\n";
    let config = scratch.write("c.toml", text);
    let said = stderr(&support::run(&["config", &config]));
    assert!(said.contains("`recrawl.max`") && said.contains("c.toml:4"), "{said}");
}
