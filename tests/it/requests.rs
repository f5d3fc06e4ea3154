//! What single requests ask for, and what pages and robots.txt say of following and keeping.

use std::path::Path;
use std::time::Duration;

use crawl::engine::CrawlConfig;
use crawl::parser::{Body, LinkSpider, ReadOut, Reader};
use crawl::prelude::*;
use crawl_store::{Bodies, Store};
use crawl_testsite::{Builder, Reply, SiteRequest, TestSite};
use serde_json::{Value, json};

use crate::support::Scratch;

/// A crawl of `site.test`, at full speed, in `folder`.
pub(crate) async fn run(
    site: &TestSite,
    folder: &Path,
    spider: impl Spider,
    change: impl FnOnce(&mut CrawlConfig),
) {
    let crawl = Crawl::builder()
        .seed("http://site.test/")
        .folder(folder)
        .spider(spider)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.retry.backoff = Duration::from_millis(1);
        })
        .configure(change)
        .build()
        .unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    assert!(report.counts.is_conserved(), "{report:?}");
    assert_eq!(report.counts.queued, 0, "{report:?}");
}

/// Path and verdict of all settled URLs, in order of their paths.
pub(crate) fn verdicts(folder: &Path) -> Vec<(String, &'static str)> {
    let inspection = Store::inspect(folder).unwrap();
    let pages = inspection.reader().pages().unwrap().map(Result::unwrap);
    let mut rows: Vec<_> = pages
        .map(|(_, record)| (record.url.path_and_query().to_owned(), record.verdict.name()))
        .collect();
    rows.sort();
    rows
}

/// URL and reason of all that were filtered.
fn filtered(folder: &Path) -> Vec<(String, String)> {
    let inspection = Store::inspect(folder).unwrap();
    let rows = inspection.reader().urls().unwrap().map(Result::unwrap);
    let mut rows: Vec<_> = rows
        .filter(|row| row.n.is_none())
        .map(|row| (row.url.clone(), row.verdict.to_owned()))
        .collect();
    rows.sort();
    rows
}

fn items(folder: &Path) -> Vec<Value> {
    let inspection = Store::inspect(folder).unwrap();
    let reader = inspection.reader();
    let mut items = Vec::new();
    for page in reader.pages().unwrap() {
        let (print, _) = page.unwrap();
        items.extend(reader.items(print).map(|item| serde_json::from_str(&item.unwrap()).unwrap()));
    }
    items.sort_by_key(Value::to_string);
    items
}

/// Sends one of everything from `/` and notes what comes back.
struct Everything;

impl Spider for Everything {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label().is_empty() {
            out.get("http://site.test/form")?.form(&[("a b", "é&")]).label("form");
            out.get("http://site.test/json")?.json(&json!({"q": [1]}))?.label("json");
            out.get("http://site.test/head")?.head().label("head");
            out.get("http://site.test/busy")?.accept([503]).label("busy");
            out.get("http://site.test/moved")?.accept([302]).label("moved");
            out.get("http://site.test/slow")?.timeout(Duration::from_millis(50)).label("slow");
            out.get("http://site.test/")?.dont_filter().label("again");
            out.get("http://site.test/")?.dont_filter().label("again");
            out.get("http://site.test/late")?.delay(Duration::ZERO).label("late");
            return Ok(());
        }
        out.item(&json!({"label": page.label(), "status": page.status(), "text": page.text()}))
    }
}

fn everything() -> Builder {
    let echo = |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::text("home"),
        "/form" | "/json" => {
            let media_type = request.header("content-type").unwrap_or_default();
            let body = String::from_utf8_lossy(request.body).into_owned();
            Reply::text(format!("{} {media_type} {body}", request.method))
        }
        "/head" => Reply::text("not to be seen").with_header("content-encoding", "gzip"),
        "/busy" => Reply { status: 503, ..Reply::text("busy") },
        "/moved" => Reply::redirect("/never", 302),
        "/slow" => Reply::text("late").after(Duration::from_secs(20)),
        "/late" => Reply::text("late"),
        _ => Reply::not_found(),
    };
    TestSite::builder().site("*", std::sync::Arc::new(echo))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_sent_as_the_spider_asked() {
    let site = everything().start().await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    run(&site, &folder, Everything, |config| config.frontier.retry.max_attempts = 1).await;
    let items = items(&folder);
    let text = |label: &str| -> Vec<(u64, &str)> {
        let of_label = items.iter().filter(|item| item["label"] == label);
        of_label.map(|i| (i["status"].as_u64().unwrap(), i["text"].as_str().unwrap())).collect()
    };
    let form = "POST application/x-www-form-urlencoded a+b=%C3%A9%26";
    assert_eq!(text("form"), [(200, form)]);
    assert_eq!(text("json"), [(200, "POST application/json {\"q\":[1]}")]);
    assert_eq!(text("head"), [(200, "")]);
    assert_eq!(text("busy"), [(503, "busy")]);
    assert_eq!(text("moved").len(), 1);
    assert_eq!(text("again"), [(200, "home"), (200, "home")], "two more pages of one URL");
    assert_eq!(text("late"), [(200, "late")]);
    let verdicts = verdicts(&folder);
    let of = |path: &str| -> Vec<&str> {
        verdicts.iter().filter(|(url, _)| url == path).map(|(_, verdict)| *verdict).collect()
    };
    assert_eq!(of("/"), ["ok", "ok", "ok"], "each is kept under a key of its own");
    assert_eq!((of("/head"), of("/busy"), of("/moved")), (vec!["ok"], vec!["ok"], vec!["ok"]));
    assert!(of("/slow") == ["header-timeout"] || of("/slow") == ["timeout"], "{:?}", of("/slow"));
    assert!(!site.requests().contains(&"/never".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn unfiltered_requests_are_not_sent_again_by_the_next_run() {
    let site = everything().start().await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let once = |config: &mut CrawlConfig| config.frontier.retry.max_attempts = 1;
    run(&site, &folder, Everything, once).await;
    let served = site.requests().len();
    run(&site, &folder, Everything, once).await;
    assert_eq!(site.requests().len(), served);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hop_is_judged_as_any_request() {
    let site = TestSite::builder()
        .page("/", "<a href=/out><a href=/known><a href=/forbidden><a href=/meta><a href=/self>")
        .redirect("/out", "http://elsewhere.invalid/", 302)
        .redirect("/known", "/", 301)
        .redirect("/forbidden", "/private", 307)
        .page("/meta", "<meta http-equiv=refresh content='0;/private?meta'>")
        .redirect("/self", "/self", 302)
        .robots("User-agent: *\nDisallow: /private")
        .start()
        .await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    run(&site, &folder, LinkSpider, |_| ()).await;
    let rows = verdicts(&folder);
    let of = |path: &str| rows.iter().find(|(url, _)| url == path).map(|(_, verdict)| *verdict);
    for path in ["/out", "/known", "/forbidden", "/meta"] {
        assert_eq!(of(path), Some("redirected"), "{path}");
    }
    assert_eq!(of("/self"), Some("redirect-loop"));
    let filtered = filtered(&folder);
    let reason = |url: &str| {
        filtered.iter().find(|(found, _)| found == url).map(|(_, reason)| reason.as_str())
    };
    assert_eq!(reason("http://elsewhere.invalid/"), Some("off-domain"));
    assert_eq!(reason("http://site.test/private"), Some("robots"));
    assert_eq!(reason("http://site.test/private?meta"), Some("robots"));
    assert_eq!(site.requests().iter().filter(|path| *path == "/").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_to_a_private_address_is_refused() {
    let site = TestSite::builder().redirect("/", "http://10.0.0.1/admin", 302).start().await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    // The first run may reach the site; the second, which goes on, may reach nothing private.
    run_until_redirected(&site, &folder).await;
    let crawl = Crawl::builder()
        .folder(&folder)
        .configure(|config| {
            config.frontier.scope.allowed_domains = vec!["test".into(), "10.0.0.1".into()];
            config.frontier.politeness.robots = false;
            config.frontier.retry.max_attempts = 1;
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
    let expected = [("/".to_owned(), "redirected"), ("/admin".to_owned(), "private-address")];
    assert_eq!(verdicts(&folder), expected);
}

async fn run_until_redirected(site: &TestSite, folder: &Path) {
    let crawl = Crawl::builder()
        .seed("http://site.test/")
        .folder(folder)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            // The address is out of scope at first, so that nothing is sent there.
            config.frontier.scope.allowed_domains = vec!["test".into()];
            config.frontier.politeness.robots = false;
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_ask_of_crawlers_is_obeyed_if_that_is_asked() {
    let site = || {
        TestSite::builder()
            .page("/", "<a href=/marked rel=nofollow><a href=/quiet><a href=/hidden>")
            .page("/marked", "marked")
            .page(
                "/quiet",
                "<meta name=robots content=nofollow><a href=/only-quiet><a href=/hidden>",
            )
            .page("/only-quiet", "x")
            .host("*", |pages| {
                let reply = Reply::html("<title>Hidden</title><a href=/behind>");
                pages.reply("/hidden", reply.with_header("X-Robots-Tag", "noindex"))
            })
            .page("/behind", "y")
            .start()
    };
    let scratch = Scratch::new();
    let (open, strict) = (scratch.path("open"), scratch.path("strict"));
    let bodies = |config: &mut CrawlConfig| config.store.bodies = Bodies::All;
    run(&site().await, &open, LinkSpider, bodies).await;
    assert!(verdicts(&open).iter().all(|(_, verdict)| *verdict == "ok"));
    assert_eq!(verdicts(&open).len(), 6);

    let site = site().await;
    let obey = |config: &mut CrawlConfig| {
        config.store.bodies = Bodies::All;
        config.parse.obey_nofollow = true;
        config.parse.obey_noindex = true;
    };
    run(&site, &strict, LinkSpider, obey).await;
    let expected = [("/", "ok"), ("/behind", "ok"), ("/hidden", "noindex"), ("/quiet", "ok")];
    assert_eq!(verdicts(&strict), expected.map(|(path, verdict)| (path.to_owned(), verdict)));
    let reason = |path: &str| (format!("http://site.test{path}"), "nofollow".to_owned());
    assert_eq!(filtered(&strict), [reason("/marked"), reason("/only-quiet")]);
    let inspection = Store::inspect(&strict).unwrap();
    for page in inspection.reader().pages().unwrap() {
        let (_, record) = page.unwrap();
        assert_eq!(record.body.is_none(), record.url.path() == "/hidden", "{}", record.url);
    }
    drop(inspection);
    // Changed limits hold for what was refused.
    run(&site, &strict, LinkSpider, bodies).await;
    assert_eq!(filtered(&strict), []);
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sitemaps_of_a_robots_txt_are_read_if_that_is_asked() {
    let index =
        "<sitemapindex><sitemap><loc>http://site.test/s1.xml.gz</loc></sitemap></sitemapindex>";
    let list = "<urlset><url><loc>http://site.test/a</loc></url>\
                <url><loc>http://other.example/</loc></url></urlset>";
    let site = TestSite::builder()
        .page("/", "home")
        .page("/a", "a")
        .page("/b", "b")
        .page("/soft", "not found")
        .host("*", |pages| {
            pages
                .reply("/index.xml", Reply::new("application/xml", index))
                .reply("/s1.xml.gz", Reply::new("application/x-gzip", gzip(list)))
                .reply("/list.txt", Reply::text("http://site.test/b\nhttp://site.test/a\n"))
                .reply("/404.txt", Reply::text("not-found"))
        })
        .redirect("/moved.xml.gz", "/s1.xml.gz?moved", 302)
        .robots("Sitemap: /index.xml\nSitemap: /list.txt\nSitemap: /soft\nSitemap: /404.txt\nSitemap: /moved.xml.gz\nSitemap: /gone.xml")
        .start()
        .await;
    let scratch = Scratch::new();
    let without = scratch.path("without");
    run(&site, &without, Everyone, |_| ()).await;
    assert_eq!(verdicts(&without), [("/".to_owned(), "ok")]);
    let folder = scratch.path("store");
    run(&site, &folder, Everyone, |config| config.frontier.scope.sitemaps = true).await;
    let rows = verdicts(&folder);
    let of = |path: &str| rows.iter().find(|(url, _)| url == path).map(|(_, verdict)| *verdict);
    for path in [
        "/",
        "/a",
        "/b",
        "/index.xml",
        "/s1.xml.gz",
        "/s1.xml.gz?moved",
        "/list.txt",
        "/soft",
        "/404.txt",
    ] {
        assert_eq!(of(path), Some("ok"), "{path} of {rows:?}");
    }
    assert_eq!((of("/moved.xml.gz"), of("/gone.xml")), (Some("redirected"), Some("http-error")));
    assert_eq!(rows.len(), 11);
    let called: Vec<_> = items(&folder).iter().map(|item| item["path"].to_string()).collect();
    assert_eq!(called, ["\"/\"", "\"/a\"", "\"/b\""], "callbacks see pages only");
    assert_eq!(filtered(&folder), [("http://other.example/".to_owned(), "off-domain".to_owned())]);
}

/// Notes every page it sees.
struct Everyone;

impl Spider for Everyone {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({"path": page.url().path()}))
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({"path": failed.url().path()}))
    }
}

/// Reads lists of addresses, a line each.
struct AddressLists;

impl Reader for AddressLists {
    fn read(&self, body: &Body<'_>) -> Result<ReadOut, Box<dyn std::error::Error + Send + Sync>> {
        let text = String::from_utf8(body.bytes().to_vec())?;
        Ok(ReadOut { links: text.lines().map(str::to_owned).collect(), text })
    }
}

#[tokio::test]
async fn a_program_reads_media_types_of_its_own() {
    let list = Reply::new("application/x-list", "/a\n/b\n");
    let site = TestSite::builder().replies("/", [list]).page("/a", "a").page("/b", "b");
    let site = site.start().await;
    let scratch = Scratch::new();
    let crawl = Crawl::builder()
        .seed("http://site.test/")
        .folder(scratch.path("store"))
        .reader("application/x-list".parse().unwrap(), AddressLists)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.fetch.content_types.push("application/x-list".into());
            config.frontier.politeness.delay = Duration::ZERO;
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
    let expected = ["/", "/a", "/b"].map(|path| (path.to_owned(), "ok"));
    assert_eq!(verdicts(&scratch.path("store")), expected);
}
