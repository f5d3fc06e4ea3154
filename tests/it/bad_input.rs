//! What goes wrong: a clear error with its exit code, or a verdict in the store; nothing lost.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crawl::Report;
use crawl::parser::LinkSpider;
use crawl::prelude::*;
use crawl_testsite::{Fault, TestSite};

use crate::support::{
    Scratch, Server, again, crawl as command, finish, inspect, local_config, run, stderr, tally,
};

/// Runs `crawl` and demands an exit code and words of the error.
#[track_caller]
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let output = run(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

#[test]
fn a_config_that_is_not_there_or_no_toml_is_named() {
    let scratch = Scratch::new();
    let missing = scratch.path("none.toml").display().to_string();
    refused(&["run", &missing], 2, &["none.toml"]);
    let broken = scratch.write("broken.toml", "seeds = [\"http://a/\"\n[scope]\nmax-depth = 3\n");
    refused(&["run", &broken], 2, &["broken.toml", "error"]);
    let folder = scratch.path("").display().to_string();
    refused(&["run", &folder], 2, &["error"]);
}

#[test]
fn a_misspelt_key_is_shown_with_its_line_and_the_nearest_known_one() {
    let scratch = Scratch::new();
    let text = "seeds = [\"http://a.test/\"]\n[scope]\nmax-dept = 3\n";
    let config = scratch.write("typo.toml", text);
    refused(&["run", &config], 2, &["typo.toml", "3", "max-dept = 3", "max-depth"]);
    let config = scratch.write("value.toml", "seeds = []\n[politeness]\ndelay = 5\n");
    refused(&["run", &config], 2, &["value.toml", "delay"]);
}

#[test]
fn a_wrong_override_names_itself() {
    let scratch = Scratch::new();
    let config = scratch.write("ok.toml", "seeds = [\"http://a.test/\"]\n");
    refused(&["run", &config, "-s", "scope.max-dept=3"], 2, &["-s", "max-depth"]);
    refused(&["run", &config, "-s", "nonsense"], 2, &["-s", "nonsense"]);
}

#[test]
fn a_seed_that_is_no_url_is_named() {
    let scratch = Scratch::new();
    let config = scratch.write("seed.toml", "seeds = [\"http://ok.test/\", \"example.org\"]\n");
    refused(&["run", &config], 2, &["seeds[1]", "example.org"]);
    let config = scratch.write("mail.toml", "seeds = [\"mailto:a@b\"]\n");
    refused(&["run", &config], 2, &["seeds[0]", "http"]);
    let config = scratch.write("none.toml", "[store]\npath = \"unused\"\n");
    refused(&["run", &config], 2, &["seeds"]);
}

#[test]
fn a_store_in_use_is_refused_with_its_own_code() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 200, "50ms");
    let config = local_config(server.addr, &scratch.path("store"), "");
    let config = scratch.write("crawl.toml", &config);
    let mut first = command(&["run", &config]).spawn().unwrap();
    while server.served().len() < 3 {
        assert!(first.try_wait().unwrap().is_none(), "the first crawl ended early");
        std::thread::sleep(Duration::from_millis(5));
    }
    refused(&["run", &config], 3, &["in use", "hint"]);
    first.kill().unwrap();
    finish(first);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let scratch = Scratch::new();
    let file = scratch.write("file", "not a folder");
    let config = scratch.write("crawl.toml", "seeds = [\"http://a.test/\"]\n");
    let path = format!("store.path={file}/store");
    refused(&["run", &config, "-s", &path], 1, &["file/store"]);
    // Somebody else's folder is not written into.
    let foreign = scratch.path("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "precious").unwrap();
    let path = format!("store.path={}", foreign.display());
    refused(&["run", &config, "-s", &path, "--fresh"], 1, &["foreign"]);
    assert!(foreign.join("thesis.tex").exists());
    refused(&["inspect", "no/such/store"], 1, &["no/such/store"]);
}

#[test]
fn credentials_in_a_seed_are_used_and_never_shown() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let store = scratch.path("store");
    let feed = scratch.path("items.jsonl");
    let config = local_config(server.addr, &store, crate::support::BOOKS);
    let config = config.replace("//bookshop.test/", "//joe:hush@bookshop.test/");
    let config = scratch.write("crawl.toml", &config);
    let output = run(&["run", &config, "-o", feed.to_str().unwrap()]);
    assert!(output.status.success());
    let mut shown = stderr(&output) + &std::fs::read_to_string(&feed).unwrap();
    for what in ["stats", "pages", "items", "urls", "hosts"] {
        shown.extend(inspect(&store, &[what]).iter().map(ToString::to_string));
    }
    assert!(shown.contains("bookshop.test/catalogue"));
    assert!(!shown.contains("hush"), "the password is shown");
    assert_eq!(inspect(&store, &["pages", "--url", "http://joe:hush@bookshop.test/"]).len(), 1);
}

/// Crawls the seeds of a site with `spider`; every host is mapped to it.
async fn crawl_site(site: &TestSite, seeds: &[&str], folder: &Path, spider: impl Spider) -> Report {
    let mut builder = Crawl::builder().folder(folder).spider(spider).configure(|config| {
        config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.fetch.header_timeout = Duration::from_millis(400);
        config.fetch.idle_timeout = Duration::from_millis(400);
        config.frontier.politeness.delay = Duration::ZERO;
        config.frontier.retry.backoff = Duration::from_millis(5);
    });
    for seed in seeds {
        builder = builder.seed(*seed);
    }
    builder.build().unwrap().launch().await.unwrap().finish().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_server_gets_its_own_verdict() {
    let site = TestSite::builder()
        .page("/", "<title>fine</title><a href=/next>next</a>")
        .page("/next", "<p>fine too")
        .fault("/cut", Fault::CutBody)
        .fault("/garbage", Fault::NotHttp)
        .fault("/close", Fault::Close)
        .fault("/stall", Fault::Stall)
        .fault("/hang", Fault::Hang)
        .redirect("/loop-a", "/loop-b", 302)
        .redirect("/loop-b", "/loop-a", 302)
        .redirect("/self", "/self", 301)
        .redirect("/away", "mailto:a@b", 301)
        .status("/broken", 500, &[])
        .status("/gone", 404, &[])
        .start()
        .await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("http://127.0.0.1:{}/", closed.port());
    let mut seeds = vec!["http://a.test/", &refused, "http://unresolvable.invalid/"];
    let paths =
        ["cut", "garbage", "close", "stall", "hang", "loop-a", "self", "away", "broken", "gone"];
    let urls: Vec<String> = paths.iter().map(|path| format!("http://a.test/{path}")).collect();
    seeds.extend(urls.iter().map(String::as_str));
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let report = crawl_site(&site, &seeds, &folder, LinkSpider).await;
    assert!(report.counts.is_conserved(), "{report:?}");

    let rows = inspect(&folder, &["pages"]);
    let verdict = |url: &str| {
        let row = rows.iter().find(|row| row["url"] == url);
        row.map_or("missing", |row| row["verdict"].as_str().unwrap()).to_owned()
    };
    let expected = [
        ("", "ok"),
        ("next", "ok"),
        ("cut", "truncated"),
        ("garbage", "not-http"),
        ("close", "disconnected"),
        ("stall", "truncated-idle"),
        ("hang", "header-timeout"),
        ("loop-a", "redirected"),
        ("loop-b", "redirect-loop"),
        ("self", "redirect-loop"),
        ("away", "bad-redirect"),
        ("broken", "server-error"),
        ("gone", "http-error"),
    ];
    for (path, expected) in expected {
        assert_eq!(verdict(&format!("http://a.test/{path}")), expected, "{path}");
    }
    assert_eq!(verdict(&refused), "robots-unreachable");
    assert_eq!(verdict("http://unresolvable.invalid/"), "robots-unreachable");
    assert!(tally(&rows, "error").len() > 5, "every failure says what happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_robots_a_dead_host_is_told_by_its_own_verdict() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("http://127.0.0.1:{}/", closed.port());
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let crawl = Crawl::builder()
        .seed(refused.as_str())
        .seed("http://unresolvable.invalid/")
        .folder(&folder)
        .configure(|config| {
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.robots = false;
            config.frontier.retry.backoff = Duration::from_millis(5);
            config.frontier.politeness.delay = Duration::ZERO;
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
    let rows = inspect(&folder, &["pages"]);
    let verdicts = tally(&rows, "verdict");
    assert_eq!((verdicts["connect-failed"], verdicts["dns-failed"]), (1, 1), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_and_the_key_is_named() {
    let site = TestSite::builder().page("/", "secret").start().await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let crawl = Crawl::builder()
        .seed(format!("http://{}/", site.addr))
        .folder(&folder)
        .configure(|config| config.frontier.politeness.robots = false)
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
    let row = &inspect(&folder, &["pages"])[0];
    assert_eq!(row["verdict"], "private-address");
    assert!(row["error"].as_str().unwrap().contains("allow-private-addresses"), "{row}");
    assert!(site.requests().is_empty());
}

/// Panics, fails, or kills the process, as the path says.
struct Clumsy;

impl Spider for Clumsy {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.url().path() {
            "/panic" => panic!("the spider's own fault"),
            "/error" => Err(SpiderError::from("no price on the page")),
            "/kill" => std::process::abort(),
            _ => {
                out.item(&json!({ "path": page.url().path() }))?;
                out.follow_links(page);
                Ok(())
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_that_panics_or_fails_marks_the_page_and_the_crawl_goes_on() {
    let site = TestSite::builder()
        .page("/", "<a href=/panic>1</a><a href=/error>2</a><a href=/good>3</a>")
        .page("/panic", "x")
        .page("/error", "x")
        .page("/good", "x")
        .start()
        .await;
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    crawl_site(&site, &["http://a.test/"], &folder, Clumsy).await;
    let rows = inspect(&folder, &["pages"]);
    let verdicts = tally(&rows, "verdict");
    assert_eq!((verdicts["spider-panic"], verdicts["spider-error"], verdicts["ok"]), (1, 1, 2));
    let of = |verdict: &str| {
        rows.iter().find(|row| row["verdict"] == verdict).unwrap()["error"].to_string()
    };
    assert!(of("spider-panic").contains("own fault"));
    assert!(of("spider-error").contains("no price"));
    assert_eq!(inspect(&folder, &["items"]).len(), 2);
}

const DEADLY: &str = "CRAWL_DEADLY_CHILD";

#[test]
fn a_page_that_kills_the_process_each_time_is_poisoned_after_three() {
    let links: String = (0..20).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    let mut site =
        TestSite::builder().page("/", format!("{links}<a href=/kill>x</a>")).page("/kill", "x");
    for i in 0..20 {
        site = site.page(&format!("/p{i}"), "x");
    }
    let site = TestSite::spawn_thread(site);
    let scratch = Scratch::new();
    let folder = scratch.path("store");
    let value = format!("{} {}", site.addr, folder.display());
    let mut deaths = 0;
    loop {
        let output = finish(again("bad_input::crawler_of_a_deadly_page", DEADLY, &value));
        if output.status.success() {
            break;
        }
        deaths += 1;
        assert!(deaths <= 3, "the page still kills: {}", stderr(&output));
    }
    assert_eq!(deaths, 3);
    let rows = inspect(&folder, &["pages"]);
    let verdicts = tally(&rows, "verdict");
    assert_eq!((verdicts["poisoned"], verdicts["ok"]), (1, 21), "{verdicts:?}");
    assert_eq!(inspect(&folder, &["items"]).len(), 21);
    assert_eq!(inspect(&folder, &["stats"])[0]["conserved"], true);
}

/// The child of the test above: nothing to do unless it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn crawler_of_a_deadly_page() {
    let Ok(value) = std::env::var(DEADLY) else { return };
    let (addr, folder) = value.split_once(' ').unwrap();
    let crawl = Crawl::builder()
        .seed("http://a.test/")
        .folder(folder)
        .spider(Clumsy)
        .configure(|config| {
            config.fetch.resolve.insert("a.test".into(), addr.into());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.politeness.per_host = 4.try_into().unwrap();
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
}
