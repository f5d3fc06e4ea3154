//! What a program does around requests, answers and items, and how its spider learns of the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crawl::prelude::*;
use crawl::spider::Item;
use crawl_store::Store;
use crawl_testsite::{Reply, SiteRequest, TestSite};

use crate::requests::verdicts;
use crate::support::Scratch;

/// Follows all links and takes each page's text.
struct Texts;

impl Spider for Texts {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({ "text": page.body().len(), "path": page.url().path() }))?;
        out.follow_links(page);
        Ok(())
    }
}

/// A token that has to be awaited, and refusals.
struct Token(AtomicUsize);

impl Middleware for Token {
    fn name(&self) -> &str {
        "token"
    }

    fn before_request(&self, request: &mut Request) -> Result<(), Refusal> {
        match request.url.path() {
            "/secret" => Err(Refusal::new("not ours to see")),
            "/panic" => panic!("in a middleware"),
            _ => Ok(()),
        }
    }

    fn before_request_async<'a>(&'a self, request: &'a mut Request) -> Option<Waiting<'a>> {
        Some(Box::pin(async move {
            if request.url.path() == "/never" {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            request.headers.push(("X-Token".into(), format!("t{n}")));
            Ok(())
        }))
    }
}

/// Knows a ban that says 200, unwraps bodies, and drops items.
struct Unwrap;

impl Middleware for Unwrap {
    fn name(&self) -> &str {
        "unwrap"
    }

    fn after_response(&self, _: &Request, response: &mut Response) {
        if response.body.starts_with(b"banned") {
            response.status = 403;
        } else if let Some(inner) = response.body.strip_prefix(b"wrapped:") {
            response.body = Bytes::copy_from_slice(inner);
        }
    }

    fn before_store(&self, page: &PageInfo<'_>, item: &Item) -> Result<(), Dropped> {
        assert!(item.json.contains("path"));
        match page.url().path() {
            "/drop" => Err(Dropped::new("unwanted")),
            _ => Ok(()),
        }
    }
}

fn builder(site: &TestSite, folder: &std::path::Path) -> crawl::CrawlBuilder {
    Crawl::builder().seed("http://site.test/").folder(folder).configure(|config| {
        config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.frontier.retry.backoff = Duration::from_millis(1);
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn middleware_stands_around_every_page() {
    let site = |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::html(
            "wrapped:<a href=/a><a href=/secret><a href=/banned><a href=/drop><a href=/never>\
             <a href=/panic>",
        ),
        "/banned" => Reply::html("banned"),
        "/robots.txt" if request.header("x-token").is_some() => Reply::status(500),
        "/robots.txt" => Reply::text("User-agent: *\nDisallow:"),
        _ if request.header("x-token").is_none() => Reply::status(401),
        _ => Reply::html("wrapped:ok"),
    };
    let site = TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(site)));
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let crawl = builder(&site, &folder)
        .spider(Texts)
        .middleware(Token(AtomicUsize::new(0)))
        .middleware(Unwrap)
        .configure(|config| {
            config.fetch.total_timeout = Duration::from_millis(300);
            config.frontier.retry.max_attempts = 2.try_into().unwrap();
        });
    let report = crawl.build().unwrap().launch().await.unwrap().finish().await.unwrap();
    assert!(report.counts.is_conserved(), "{report:?}");
    let expected = [
        ("/", "ok"),
        ("/a", "ok"),
        ("/banned", "http-error"),
        ("/drop", "ok"),
        ("/never", "refused"),
        ("/panic", "refused"),
        ("/secret", "refused"),
    ];
    assert_eq!(verdicts(&folder), expected.map(|(path, verdict)| (path.to_owned(), verdict)));
    for path in ["/secret", "/never", "/panic"] {
        assert!(!site.requests().contains(&path.to_owned()), "{path} was sent");
    }
    assert_eq!(report.dropped.by_reason()["unwrap: unwanted"], 1);
    assert_eq!(report.counts.items, 2);
    let inspection = Store::inspect(&folder).unwrap();
    for page in inspection.reader().pages().unwrap() {
        let (print, record) = page.unwrap();
        let error = match record.url.path() {
            "/secret" => "token: not ours to see",
            "/never" => "a middleware did not let the request go within 300ms",
            "/panic" => "token: panicked",
            _ => "",
        };
        assert!(record.error.contains(error) || record.status == Some(403), "{record:?}");
        if record.url.path() == "/a" {
            let items: Vec<_> = inspection.reader().items(print).map(Result::unwrap).collect();
            assert_eq!(items, [r#"{"text":2,"path":"/a"}"#], "the body was not unwrapped");
        }
    }
}

/// Notes why it was closed, and may hang then.
struct Closing(Arc<Mutex<Vec<String>>>, bool);

impl Spider for Closing {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&1)?;
        out.follow_links(page);
        Ok(())
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.stat("ends", 1);
        let text = format!("{} {} {}", closed.reason, closed.n_pages, closed.n_items);
        self.0.lock().unwrap().push(text);
        if self.1 {
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }
}

/// Page n leads to page n + 1, up to 30.
fn chain() -> TestSite {
    let site = |request: &SiteRequest<'_>| {
        let n: u32 = request.path().trim_start_matches("/p/").parse().unwrap_or(0);
        Reply::html(if n < 30 { format!("<a href=/p/{}>", n + 1) } else { String::new() })
    };
    let builder = TestSite::builder().latency(Duration::from_millis(2)).site("*", Arc::new(site));
    TestSite::spawn_thread(builder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_is_told_of_the_end_of_each_run_once() {
    let site = chain();
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let notes = Arc::new(Mutex::new(Vec::new()));
    // A limit, then a close as Ctrl-C makes it, then the end of all.
    let limited = builder(&site, &folder)
        .spider(Closing(notes.clone(), false))
        .configure(|config| config.frontier.scope.max_pages = 10);
    let report = limited.build().unwrap().launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.spider_stats["ends"], 1);
    let stopped = builder(&site, &folder).spider(Closing(notes.clone(), false)).build().unwrap();
    let mut running = stopped.launch().await.unwrap();
    running.handle().close();
    running.handle().close();
    let report = running.finish().await.unwrap();
    assert_eq!(report.spider_stats["ends"], 1);
    let closed_after = report.pages_this_run;
    let rest = builder(&site, &folder).spider(Closing(notes.clone(), false)).build().unwrap();
    let report = rest.launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.counts.pages, 31, "{report:?}");
    let left = 21 - closed_after;
    assert_eq!(
        *notes.lock().unwrap(),
        [
            "limit:scope.max-pages 10 10".to_owned(),
            format!("closed {closed_after} {closed_after}"),
            format!("finished {left} {left}"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_that_hangs_at_its_end_holds_nothing_up() {
    let site = chain();
    for (max_time, closes) in [(Duration::from_millis(200), false), (Duration::ZERO, true)] {
        let scratch = Scratch::new();
        let notes = Arc::new(Mutex::new(Vec::new()));
        let crawl = builder(&site, &scratch.path("store"))
            .spider(Closing(notes.clone(), true))
            .configure(|config| {
                config.parse.max_time = max_time;
                config.grace = Duration::from_millis(100);
            });
        let begun = Instant::now();
        let mut running = crawl.build().unwrap().launch().await.unwrap();
        if closes {
            running.handle().close();
        }
        let report = running.finish().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(report.counts.is_conserved());
        assert_eq!(notes.lock().unwrap().len(), 1);
    }
}
