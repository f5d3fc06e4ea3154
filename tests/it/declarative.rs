//! Whole crawls by spiders that are written in TOML: joins, logins, lists of many pages, ends.

use std::collections::BTreeSet;
use std::path::Path;

use crawl_testsite::{Bookshop, Reply, SiteRequest, TestSite};
use serde_json::Value;

use crate::support::{Scratch, Server, crawl, finish, inspect, local_config, run, run_ok, stderr};

/// A crawl of `site.test` at `site`, one request at a time.
fn config(scratch: &Scratch, site: &TestSite, more: &str) -> String {
    let text = format!(
        "seeds = ['http://site.test/']\n[politeness]\ndelay = '0s'\n[fetch]\n\
         allow-private-addresses = true\nresolve = {{ '*.test' = '{}' }}\n[retry]\n\
         max-attempts = 1\n[store]\npath = '{}'\n{more}",
        site.addr,
        scratch.path("store").display()
    );
    scratch.write("crawl.toml", &text)
}

/// Runs a config while the site is served, and gives what it says at its end.
async fn crawled(path: &str) -> (std::process::Output, Value) {
    let path = path.to_owned();
    let output = tokio::task::spawn_blocking(move || run(&["run", &path, "--json"])).await.unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report)
}

fn items(scratch: &Scratch) -> Vec<Value> {
    let rows = inspect(&scratch.path("store"), &["items"]);
    let mut items: Vec<_> = rows.into_iter().map(|row| row["item"].clone()).collect();
    items.sort_by_key(Value::to_string);
    items
}

/// The bookshop's lists, each book completed by its page.
const JOIN: &str = r#"
[[spider.pages]]
next = "li.next a"
[[spider.items]]
select = "article.product_pod"
[spider.items.fields]
title = "h3 a @title"
price = { css = ".price_color", type = "number" }
[spider.items.detail]
follow = "h3 a"
[spider.items.detail.fields]
upc = { xpath = "//table//tr[1]/td" }
"#;

#[test]
fn a_join_survives_a_kill_at_any_time() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 120, "5ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, JOIN));
    for n in [20, 70] {
        let mut child = crawl(&["run", &config]).spawn().unwrap();
        while server.served().len() < n {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        finish(child);
    }
    run_ok(&["run", &config]);
    let rows = inspect(&store, &["items"]);
    let upcs: BTreeSet<_> = rows.iter().map(|row| row["item"]["upc"].to_string()).collect();
    let truth = Bookshop { books: 120, ..Bookshop::default() }.truth();
    assert_eq!((rows.len(), upcs.len()), (truth.books, truth.books));
    for row in &rows {
        let item = &row["item"];
        assert!(item["title"].is_string() && item["price"].is_number(), "{item}");
        assert!(item["upc"].is_string() && item["url"] == row["url"], "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_whose_pages_fail_are_kept() {
    let list = "<ul><li><a href=/ok>ok</a><li><a href=/gone>gone</a><li><a href=/moved>moved</a>\
                <li><a href=http://other.example/>other</a><li><b>none</b></ul>";
    let site = TestSite::builder()
        .page("/", list)
        .page("/ok", "<p>found</p>")
        .page("/there", "<p>moved here</p>")
        .redirect("/moved", "/there", 301)
        .start()
        .await;
    let scratch = Scratch::new();
    let spider = "[[spider.items]]\nselect = 'li'\nfields.name = '::text'\n\
                  detail = { follow = 'a', fields = { text = 'p' } }\n";
    let (output, report) = crawled(&config(&scratch, &site, spider)).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(report["conserved"], true);
    let found: Vec<_> = items(&scratch)
        .iter()
        .map(|item| format!("{} {} {}", item["name"], item["text"], item["url"]).replace('"', ""))
        .collect();
    assert_eq!(
        found,
        [
            "gone null http://site.test/gone",
            "moved moved here http://site.test/there",
            "none null http://site.test/",
            "ok found http://site.test/ok",
            "other null http://other.example/",
        ]
    );
}

/// Lets in who has the cookie that `/login` sets for the right words.
fn club(request: &SiteRequest<'_>) -> Reply {
    let is_in = request.header("cookie").is_some_and(|cookie| cookie.contains("in=yes"));
    let body = String::from_utf8_lossy(request.body);
    match (request.path(), request.method) {
        ("/robots.txt", _) => Reply::text(""),
        ("/login", "GET") => Reply::html(
            "<form method=post><input type=hidden name=csrf value=c1><input name=user>\
             <input type=password name=pw></form>",
        ),
        ("/login", "POST") if body == "csrf=c1&user=joe&pw=secret" => {
            Reply::redirect("/", 302).with_header("Set-Cookie", "in=yes")
        }
        ("/login", _) => Reply::html("<p class=error>wrong</p><form><input type=password></form>"),
        ("/", _) if is_in => Reply::html("<a class=logout href=/logout>out</a><a href=/in/1>1</a>"),
        ("/in/1", _) if is_in => Reply::html("<h1>One</h1>"),
        (path, _) if is_in && path.starts_with("/tag/") => Reply::html("<h1>Tag</h1>"),
        _ => Reply::html("<p>log in first</p>"),
    }
}

const LOGIN: &str = "[scope]\nexclude = ['/logout']\n[spider.args]\ntags = ['a', 'b']\n\
                     [[spider.start]]\nurl = 'http://site.test/tag/{tags}'\n\
                     [spider.login]\nurl = 'http://site.test/login'\ncheck = 'a.logout'\n\
                     fields = { user = 'joe', pw = 'PASSWORD' }\n\
                     [[spider.items]]\nfields.title = 'h1'\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_are_asked_for_after_the_login() {
    let site = TestSite::builder().site("*", std::sync::Arc::new(club)).start().await;
    let scratch = Scratch::new();
    let wrong = config(&scratch, &site, &LOGIN.replace("PASSWORD", "oops"));
    let (output, report) = crawled(&wrong).await;
    assert!(
        stderr(&output).contains("stopped by the spider: the login failed: the answer"),
        "{}",
        stderr(&output)
    );
    assert!(report["stopped"].as_str().unwrap().contains("has no `a.logout`"), "{report}");
    assert_eq!(site.requests(), ["/robots.txt", "/login", "/login"]);
    // With the right words it goes on, in the same folder.
    let right = config(&scratch, &site, &LOGIN.replace("PASSWORD", "secret"));
    let (output, report) = crawled(&right).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!((&report["stopped"], &report["end"]), (&Value::Null, &"finished".into()));
    let titles: Vec<_> = items(&scratch).iter().map(|item| item["title"].clone()).collect();
    assert_eq!(titles, ["One", "Tag", "Tag"]);
    let asked = site.requests();
    // The login once more, what it leads to, and only then the seed and the rest.
    assert_eq!(asked.iter().filter(|path| *path == "/login").count(), 4, "{asked:?}");
    let place = |path: &str| asked.iter().position(|asked| asked == path).unwrap();
    assert!(place("/in/1") > 4 && place("/tag/a") > 4, "{asked:?}");
    let n = asked.len();
    let (output, _) = crawled(&right).await;
    assert!(stderr(&output).contains("--fresh"), "{}", stderr(&output));
    assert_eq!(site.requests().len(), n, "a finished crawl asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_is_read_to_its_last_page_and_stopped_where_told() {
    let api = |request: &SiteRequest<'_>| {
        let page = request.path_and_query.split_once("page=");
        let page: u32 = page.map_or(1, |(_, page)| page.parse().unwrap_or(0));
        let rows: Vec<String> = match page {
            1..=6 => (0..3).map(|n| format!("{{\"n\": {}}}", page * 10 + n)).collect(),
            _ => Vec::new(),
        };
        match request.path() {
            "/" => Reply::html("<a href=/api>api</a>"),
            "/api" => Reply::new("application/json", format!("{{\"rows\": [{}]}}", rows.join(","))),
            _ => Reply::not_found(),
        }
    };
    let site = TestSite::builder().site("*", std::sync::Arc::new(api)).start().await;
    let spider = "[[spider.items]]\nurl = '/api'\nselect = '$.rows[*]'\nfields.n = '$.n'\n\
                  [[spider.pages]]\nurl = '/api'\nparam = 'page'\n[[spider.rules]]\ncss = 'a'\n";
    let scratch = Scratch::new();
    let (output, report) = crawled(&config(&scratch, &site, spider)).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!((&report["end"], items(&scratch).len()), (&"finished".into(), 18));
    let asked = site.requests();
    assert_eq!(asked.last().unwrap(), "/api?page=7", "{asked:?}");

    // Each run stops with so many items more, and none of them is lost.
    let scratch = Scratch::new();
    let path = config(&scratch, &site, &format!("{spider}[spider.stop]\nitems = 7\n"));
    for (expected, reason) in [(9, true), (18, true), (18, false)] {
        let (_, report) = crawled(&path).await;
        assert_eq!(items(&scratch).len(), expected, "{report}");
        let stopped = report["stopped"].as_str() == Some("spider.stop.items: 7 items");
        assert_eq!((stopped, &report["conserved"]), (reason, &true.into()), "{report}");
    }

    let scratch = Scratch::new();
    let stop = "[spider.stop]\nwhen = [{ field = 'n', above = 30 }]\n";
    let (output, report) = crawled(&config(&scratch, &site, &format!("{spider}{stop}"))).await;
    assert!(
        stderr(&output).contains("stopped by the spider: spider.stop.when: `n` is 31"),
        "{}",
        stderr(&output)
    );
    assert_eq!((items(&scratch).len(), &report["end"]), (9, &"closed".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_ends_with_what_is_known() {
    // Whatever the page, there are the same two books and a next page.
    let trap = |request: &SiteRequest<'_>| {
        let page = request.path_and_query.split_once("p=");
        let page: u32 = page.map_or(1, |(_, page)| page.parse().unwrap_or(0));
        match request.path() {
            "/" => Reply::html(format!(
                "<h3><a href=/b/1>1</a></h3><h3><a href=/b/2>2</a></h3><a class=next href='/?p={}'>next</a>",
                page + 1
            )),
            "/b/1" | "/b/2" => Reply::html("<h1>book</h1>"),
            _ => Reply::not_found(),
        }
    };
    let site = TestSite::builder().site("*", std::sync::Arc::new(trap)).start().await;
    let spider = "[[spider.rules]]\ncss = 'h3'\nlabel = 'book'\n[[spider.items]]\nlabel = 'book'\n\
                  fields.t = 'h1'\n";
    let scratch = Scratch::new();
    let pages = "[[spider.pages]]\nnext = 'a.next'\nstop-when-known = true\n";
    let (_, report) = crawled(&config(&scratch, &site, &format!("{spider}{pages}"))).await;
    assert_eq!((&report["end"], items(&scratch).len()), (&"finished".into(), 2));
    // The links of the first page are known at the latest when the second is read.
    assert!(site.requests().len() <= 7, "{:?}", site.requests());

    let scratch = Scratch::new();
    let pages = "[[spider.pages]]\nnext = 'a.next'\n[spider.stop]\nknown = { pages = 3 }\n";
    let (_, report) = crawled(&config(&scratch, &site, &format!("{spider}{pages}"))).await;
    assert!(
        report["stopped"].as_str().unwrap().starts_with("spider.stop.known: 3 pages"),
        "{report}"
    );
}

#[test]
fn the_schema_is_printed_and_configs_are_still_checked() {
    let schema = run_ok(&["config", "schema"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/bookshop.toml");
    let shown = run_ok(&["config", config.to_str().unwrap()]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains("article.product_page"));
    let scratch = Scratch::new();
    let bad = scratch.write("bad.toml", "[[spider.pages]]\nnxt = 'a'\n");
    let output = run(&["config", &bad]);
    let said = stderr(&output);
    assert!(
        said.contains("unknown key `spider.pages[0].nxt`") && said.contains("did you mean `next`?"),
        "{said}"
    );
}

#[test]
fn a_crawl_with_nothing_but_start_requests_begins() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0s");
    let store = scratch.path("store");
    let spider = "[[spider.start]]\nurl = 'http://bookshop.test/{page}'\n[spider.args]\npage = 'index.html'\n\
                  [spider]\nfollow = []\n";
    let text = local_config(server.addr, &store, spider)
        .replace("seeds = [\"http://bookshop.test/\"]", "");
    let config = scratch.write("crawl.toml", &text);
    run_ok(&["run", &config]);
    assert_eq!(inspect(&store, &["pages", "--verdict", "ok"]).len(), 1);
}
