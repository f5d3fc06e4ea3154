//! Crawl rules, error callbacks and ready spiders in whole crawls.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crawl::prelude::*;
use crawl_spider::ready::{CsvTables, Feeds, Login, Sitemaps, Step, XmlNodes};
use crawl_spider::{Entry, FailedRequest};
use crawl_store::Store;
use crawl_testsite::{Builder, Reply, Site, SiteRequest, TestSite};
use serde_json::{Value, json};

use crate::support::{self, Scratch, finish, local_config, run_ok, stderr};

/// Crawls `site.test` at `addr` at full speed.
async fn run(addr: SocketAddr, folder: &Path, seeds: &[&str], spider: impl Spider) -> Report {
    let mut builder = Crawl::builder().folder(folder).spider(spider);
    for seed in seeds {
        builder = builder.seed(format!("http://site.test{seed}"));
    }
    let crawl = builder.configure(|config| {
        config.fetch.resolve.insert("*.test".into(), addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.frontier.politeness.per_host = 1.try_into().unwrap();
        config.frontier.retry.backoff = Duration::from_millis(1);
    });
    let report = crawl.build().unwrap().launch().await.unwrap().finish().await.unwrap();
    assert!(report.counts.is_conserved(), "{report:?}");
    assert_eq!(report.counts.queued, 0, "{report:?}");
    report
}

/// All items in the order of their texts.
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

fn serve(build: impl FnOnce(Builder) -> Builder) -> TestSite {
    TestSite::spawn_thread(build(TestSite::builder()))
}

/// Paths that were asked for, but for robots.txt, in order of their names.
fn asked(site: &TestSite) -> Vec<String> {
    let mut paths = site.requests();
    paths.retain(|path| path != "/robots.txt");
    paths.sort();
    paths
}

/// Takes path and label of each page with a label.
fn labels(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    match page.label() {
        "" => Ok(()),
        label => out.item(&(page.url().path(), label)),
    }
}

struct Shop;

impl Spider for Shop {
    fn rules(&self) -> Rules {
        Rules::new().rule(Rule::css("li.next")).rule(
            Rule::new(LinkExtractor::new().allow("/book/").deny("/book/3"))
                .label("book")
                .priority(5),
        )
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        labels(page, out)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_follows_its_rules_and_nothing_else() {
    let scratch = Scratch::new();
    let site = serve(|site| {
        site.page("/", "<a href=/book/1>1</a><a href=/about>a</a><li class=next><a href=/p2>2</a>")
            .page("/p2", "<a href=/book/2>2</a><a href=/book/3>3</a><a href=/book/1>1</a>")
            .page("/book/1", "<a href=/book/4>also bought</a>")
            .page("/book/2", "<li class=next><a href=/no>x</a>")
    });
    run(site.addr, &scratch.path("store"), &["/"], Shop).await;
    assert_eq!(asked(&site), ["/", "/book/1", "/book/2", "/p2"]);
    let expected = [json!(["/book/1", "book"]), json!(["/book/2", "book"])];
    assert_eq!(items(&scratch.path("store")), expected);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn with_sitemaps(site: Builder) -> Builder {
    let index = "<sitemapindex><sitemap><loc>/books.xml.gz</loc></sitemap>\
                 <sitemap><loc>/news.xml</loc></sitemap></sitemapindex>";
    let books = "<urlset><url><loc>/book/1</loc><lastmod>2024-05-02</lastmod></url>\
                 <url><loc>/book/2</loc><lastmod>2020-01-01</lastmod></url>\
                 <url><loc>/terms</loc></url></urlset>";
    let reply = |path: &str, kind: &'static str, body: Vec<u8>| {
        let path = path.to_owned();
        move |site: Builder| site.replies(&path, [Reply::new(kind, body)])
    };
    let site = site
        .robots("User-agent: *\nDisallow: /secret\nSitemap: http://site.test/index.xml\n")
        .page("/book/1", "<h1>One</h1><a href=/elsewhere>x</a>")
        .page("/terms", "terms");
    let site = reply("/index.xml", "application/xml", index.into())(site);
    reply("/books.xml.gz", "application/gzip", gzip(books))(site)
}

#[tokio::test(flavor = "multi_thread")]
async fn sitemaps_lead_to_their_pages() {
    let scratch = Scratch::new();
    let site = serve(with_sitemaps);
    let spider = Sitemaps::new("http://site.test/robots.txt")
        .follow("books")
        .since("2024-01-01")
        .rule("/book/", "book")
        .then(labels);
    run(site.addr, &scratch.path("store"), &[], spider).await;
    assert_eq!(asked(&site), ["/book/1", "/books.xml.gz", "/index.xml"]);
    assert_eq!(items(&scratch.path("store")), [json!(["/book/1", "book"])]);
}

#[test]
fn a_sitemap_crawl_needs_no_rust() {
    let scratch = Scratch::new();
    let site = serve(with_sitemaps);
    let store = scratch.path("store");
    let more = "[spider]\nkind = 'sitemap'\n[spider.sitemap]\nfollow = ['books']\n\
                rules = [{ url = '/book/1', label = 'book' }]\n\
                [[spider.items]]\nlabel = 'book'\nfields = { title = 'h1' }\n";
    let config = local_config(site.addr, &store, more)
        .replace("bookshop.test", "site.test")
        .replace("site.test/\"]", "site.test/index.xml\"]");
    run_ok(&["run", &scratch.write("c.toml", &config)]);
    assert_eq!(asked(&site), ["/book/1", "/books.xml.gz", "/index.xml"]);
    let expected = json!({"title": "One", "url": "http://site.test/book/1"});
    assert_eq!(items(&store), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_tells_its_articles_what_it_said_of_them() {
    let scratch = Scratch::new();
    let rss = "<rss><channel><item><title>One</title><link>/a/1</link></item>\
               <item><title>Two</title><link>/old</link></item></channel></rss>";
    let site = serve(|site| {
        site.replies("/feed", [Reply::new("application/rss+xml", rss)])
            .page("/a/1", "<main>first</main>")
            .redirect("/old", "/a/2", 301)
            .page("/a/2", "<main>second</main>")
    });
    let article = |page: &Page<'_>, out: &mut Harvest| {
        let entry: Entry = page.meta()?;
        let title = entry.news.and_then(|news| news.title);
        out.item(&(page.label(), title, page.text_of("main")?))
    };
    let spider = Feeds::default().follow("article").then(article);
    run(site.addr, &scratch.path("store"), &["/feed"], spider).await;
    let expected = [json!(["article", "One", "first"]), json!(["article", "Two", "second"])];
    assert_eq!(items(&scratch.path("store")), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_and_csv_files_are_items() {
    let scratch = Scratch::new();
    let xml = "<p xmlns:g='http://base.google.com/ns/1.0'><i><g:id>1</g:id></i><i/></p>";
    let site = serve(|site| {
        site.replies("/p.xml", [Reply::new("text/xml", xml)])
            .replies("/p.csv", [Reply::new("text/csv", "7;Tea\n8;Salt\n")])
    });
    let tables = CsvTables::new("http://site.test/p.csv").headers(["id", "name"]);
    let spider = XmlNodes::new("http://site.test/p.xml", "i").field("id", "g:id").then(
        tables.then(|_: &Page<'_>, _: &mut Harvest| Err("nobody else has a page here".into())),
    );
    run(site.addr, &scratch.path("store"), &[], spider).await;
    assert_eq!(
        items(&scratch.path("store")),
        [
            json!({"id": "1"}),
            json!({"id": "7", "name": "Tea"}),
            json!({"id": "8", "name": "Salt"}),
            json!({"id": null})
        ]
    );
}

/// Lets in who sends name, password and the form's token.
struct Members;

impl Site for Members {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let is_member = request.header("cookie").is_some_and(|all| all.contains("sid=m3mber"));
        let form = "<form method=post action=/session><input type=hidden name=csrf value=t0k>\
                    <input name=user><input type=password name=pass></form>";
        match request.path() {
            "/login" => Reply::html(form),
            "/session" if request.body == b"csrf=t0k&user=joe&pass=right" => {
                Reply::redirect("/", 302).with_header("Set-Cookie", "sid=m3mber; Path=/")
            }
            "/session" => Reply::html(format!("<p class=error>Who are you?</p>{form}")),
            "/" if is_member => Reply::html("<a href=/logout>bye</a>"),
            "/orders" if is_member => Reply::html("<b>order 1</b>"),
            "/robots.txt" => Reply::not_found(),
            _ => Reply::status(403),
        }
    }
}

struct Orders;

impl Spider for Orders {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://site.test/orders").map(drop)
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&page.text_of("b")?)
    }
}

fn login(password: &str) -> Login {
    let login = Login::new("http://site.test/login").field("user", "joe").field("pass", password);
    login.expect("a[href='/logout']").refuse(".error")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_begins_behind_its_login() {
    let scratch = Scratch::new();
    let site = serve(|site| site.site("*", Arc::new(Members)));
    let folder = scratch.path("store");
    run(site.addr, &folder, &[], login("right").then(Orders)).await;
    assert_eq!(site.requests()[1..], ["/login", "/session", "/", "/orders"]);
    assert_eq!(items(&folder), [json!("order 1")]);
    // What is finished is finished: no second login.
    run(site.addr, &folder, &[], login("right").then(Orders)).await;
    assert_eq!(site.requests().iter().filter(|path| *path == "/session").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_asks_for_nothing_more_and_says_why() {
    let scratch = Scratch::new();
    let site = serve(|site| site.site("*", Arc::new(Members)));
    let folder = scratch.path("store");
    let report = run(site.addr, &folder, &[], login("wr0ng").then(Orders)).await;
    assert_eq!(site.requests()[1..], ["/login", "/session"]);
    assert_eq!(report.counts.settled.get("spider-error"), Some(&1), "{report:?}");
    let inspection = Store::inspect(&folder).unwrap();
    let records = inspection.reader().pages().unwrap().map(|page| page.unwrap().1);
    let errors: Vec<_> = records.map(|record| record.error).filter(|e| !e.is_empty()).collect();
    let expected = "the login at http://site.test/login failed: the site says `Who are you?`";
    assert_eq!(errors, [expected]);
}

/// Asks for pages that are not there, each with an error callback of its own.
struct Errbacks {
    dies: bool,
}

impl Spider for Errbacks {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.url().path() {
            "/" => {
                out.follow(page, "/deadly")?;
                // The others wait until the process is dead.
                let pause = Duration::from_millis(500);
                out.follow(page, "/gone")?.delay(pause).errback("gone").meta(&7)?;
                let moved = out.follow(page, "/moved")?.delay(pause).errback("moved");
                moved.label("page").meta(&"kept")?;
                out.follow(page, "/plain")?.delay(pause);
                Ok(())
            }
            "/deadly" if self.dies => std::process::abort(),
            _ => Ok(()),
        }
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let meta: Value = failed.meta()?;
        out.item(&(failed.url().path(), failed.errback(), failed.label(), meta))
    }
}

const KILLED: &str = "CRAWL_ERRBACKS";

#[tokio::test(flavor = "multi_thread")]
async fn an_error_callback_is_kept_over_a_kill_and_over_redirects() {
    if let Ok(told) = std::env::var(KILLED) {
        let (addr, folder) = told.split_once('=').unwrap();
        run(addr.parse().unwrap(), Path::new(folder), &["/"], Errbacks { dies: true }).await;
        unreachable!("the spider ends the process");
    }
    let scratch = Scratch::new();
    let site =
        serve(|site| site.page("/", "x").page("/deadly", "x").redirect("/moved", "/lost", 302));
    let folder = scratch.path("store");
    let test = "rules::an_error_callback_is_kept_over_a_kill_and_over_redirects";
    let told = format!("{}={}", site.addr, folder.display());
    let child = finish(support::again(test, KILLED, &told));
    assert!(!child.status.success(), "{}", stderr(&child));
    assert_eq!(asked(&site), ["/", "/deadly"]);
    run(site.addr, &folder, &["/"], Errbacks { dies: false }).await;
    assert_eq!(
        items(&folder),
        [
            json!(["/gone", "gone", "", 7]),
            json!(["/lost", "moved", "page", "kept"]),
            json!(["/plain", "", "", null])
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pattern_ends_a_crawl_before_it_begins() {
    struct Wrong;
    impl Spider for Wrong {
        fn rules(&self) -> Rules {
            Rules::new().rule(Rule::css("li.next")).rule(Rule::url("/book/("))
        }

        fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
            Ok(())
        }
    }
    let scratch = Scratch::new();
    let site = serve(|site| site.page("/", "x"));
    let crawl = Crawl::builder()
        .seed(format!("http://{}/", site.addr))
        .folder(scratch.path("store"))
        .spider(Wrong)
        .build()
        .unwrap();
    let Err(error) = crawl.launch().await else { panic!("it begins") };
    let text = format!("{error:?}");
    assert!(text.contains("rule 2, allow: `/book/(` is not a regular expression"), "{text}");
    assert!(site.requests().is_empty());
}
