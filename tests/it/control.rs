//! Running crawls that are steered: paused, blocked, re-paced, given more seeds, stopped.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crawl::engine::{Order, order};
use crawl::{Crawl, CrawlBuilder, CrawlError, End, Running, Setting};
use crawl_testsite::{Bookshop, TestSite, Tree};
use serde_json::{Value, json};

use crate::support::{
    LIMIT, Scratch, Server, crawl, finish, inspect, interrupt, local_config, run, run_ok, stderr,
};

const PAGES: u32 = 200;
/// How long nothing may come to be taken for a pause.
const WHILE: Duration = Duration::from_millis(400);

fn builder(site: &TestSite, folder: &Path) -> CrawlBuilder {
    Crawl::builder().folder(folder).configure(|config| {
        config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::from_millis(2);
    })
}

async fn tree() -> TestSite {
    let tree = Tree { pages: PAGES - 1, links_per_page: 20, bytes: 500 };
    TestSite::builder().site("*", Arc::new(tree)).start().await
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn until_pages(running: &Running, n_pages: u64) {
    let handle = running.handle();
    until("pages", || handle.stats().pages >= n_pages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_crawl_asks_for_nothing_and_finishes_when_it_goes_on() {
    let (site, scratch) = (tree().await, Scratch::new());
    let folder = scratch.path("store");
    let crawl = builder(&site, &folder).seed("http://tree.test/").build().unwrap();
    let mut running = crawl.launch().await.unwrap();
    let handle = running.handle();
    until_pages(&running, 20).await;
    assert!(!handle.pause().await.unwrap());
    until("in flight settles", || handle.stats().in_flight == 0).await;
    let served = site.requests().len();
    let looked = folder.clone();
    let stats = tokio::task::spawn_blocking(move || inspect(&looked, &["stats"])).await.unwrap();
    assert_eq!((&stats[0]["paused"], &stats[0]["conserved"]), (&json!(true), &json!(true)));
    tokio::time::sleep(WHILE).await;
    assert_eq!(site.requests().len(), served, "it asks though it is paused");
    assert!(handle.is_paused() && handle.status().await.unwrap().paused);
    assert!(handle.stats().queued > 0);
    assert!(handle.resume().await.unwrap());
    let report = running.finish().await.unwrap();
    assert_eq!(report.end, End::Finished);
    assert_eq!(report.counts.pages, u64::from(PAGES), "{report:?}");
    assert!(report.counts.is_conserved());
    assert!(matches!(handle.pause().await, Err(CrawlError::Ended)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_crawl_waits_for_seeds_of_new_hosts_which_stay_in_scope() {
    let (site, scratch) = (tree().await, Scratch::new());
    let folder = scratch.path("store");
    let crawl = builder(&site, &folder).seed("http://tree.test/").build().unwrap();
    let mut running = crawl.launch().await.unwrap();
    let handle = running.handle();
    handle.pause().await.unwrap();
    let bad = handle.add_seeds(&["http://more.test/", "more.test"]).await;
    assert!(matches!(bad, Err(CrawlError::Seed { .. })), "{bad:?}");
    let seeded = handle.add_seeds(&["http://more.test/", "http://more.test/"]).await.unwrap();
    assert_eq!((seeded.admitted, seeded.known, seeded.filtered), (1, 1, 0));
    handle.resume().await.unwrap();
    until_pages(&running, 10).await;
    handle.close();
    let report = running.finish().await.unwrap();
    assert_eq!(report.end, End::Closed);
    drop(running);
    // The next run does not name the second seed.
    let crawl = builder(&site, &folder).seed("http://tree.test/").build().unwrap();
    let report = crawl.launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.counts.pages, 2 * u64::from(PAGES), "{report:?}");
    assert_eq!(report.resumed.unwrap().newly_filtered, 0);
    assert!(report.counts.is_conserved());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_host_is_left_alone_over_restarts_until_it_is_unblocked() {
    let (site, scratch) = (tree().await, Scratch::new());
    let folder = scratch.path("store");
    let seeds = || {
        let seeded = builder(&site, &folder).seed("http://bad.test/").seed("http://good.test/");
        seeded.build().unwrap()
    };
    let mut running = seeds().launch().await.unwrap();
    let handle = running.handle();
    until("pages of both", || {
        ["bad.test", "good.test"].iter().all(|host| site.requests_to(host).len() > 5)
    })
    .await;
    let blocked = handle.block("bad.test").await.unwrap();
    assert!(!blocked.was_blocked && blocked.urls > 0 && blocked.hosts == 1, "{blocked:?}");
    let in_flight = usize::try_from(handle.stats().in_flight).unwrap();
    let served = site.requests_to("bad.test").len();
    assert!(handle.block("bad.test").await.unwrap().was_blocked);
    assert_eq!(handle.blocked().unwrap(), ["bad.test"]);
    let report = running.finish().await.unwrap();
    drop(running);
    assert_eq!(report.end, End::Finished);
    assert!(report.counts.filtered["blocked"] >= blocked.urls, "{report:?}");
    assert!(report.counts.is_conserved());
    let after = site.requests_to("bad.test").len();
    assert!(after <= served + in_flight, "{after} requests, {served} before, {in_flight} open");

    // It holds though the config knows nothing of it.
    let more = builder(&site, &folder).seed("http://bad.test/p/0?new").build().unwrap();
    let report = more.launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.resumed.unwrap().readmitted, 0, "{report:?}");
    assert_eq!(site.requests_to("bad.test").len(), after);

    let held = builder(&site, &folder).seed("http://good.test/p/0?new").build().unwrap();
    let mut running = held.launch().await.unwrap();
    let handle = running.handle();
    // By now it may have ended; the list is kept all the same.
    let _ = handle.pause().await;
    let was_blocked = handle.unblock("bad.test").await;
    handle.close();
    running.finish().await.unwrap();
    drop(running);
    if matches!(was_blocked, Err(CrawlError::Ended)) {
        return; // too quick for us
    }
    assert!(was_blocked.unwrap());
    let report = seeds().launch().await.unwrap().finish().await.unwrap();
    assert!(!report.counts.filtered.contains_key("blocked"), "{report:?}");
    // Three of them are no pages of the tree.
    assert!(report.counts.pages >= 2 * u64::from(PAGES), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_is_changed_for_all_or_for_one_and_lasts_for_the_run() {
    let (site, scratch) = (tree().await, Scratch::new());
    let folder = scratch.path("store");
    let crawl = || {
        let crawl = builder(&site, &folder).seed("http://a.test/").seed("http://b.test/");
        crawl.build().unwrap()
    };
    let mut running = crawl().launch().await.unwrap();
    let handle = running.handle();
    until_pages(&running, 10).await;
    let told = folder.clone();
    let slow = Setting::Delay(Duration::from_millis(300));
    let set = Order::Set { setting: slow, host: Some("a.test".into()) };
    let row = tokio::task::spawn_blocking(move || order(&told, &set)).await.unwrap().unwrap();
    let expected = json!({
        "order": "set", "key": "politeness.delay", "host": "a.test", "was": "2ms", "is": "300ms",
    });
    assert_eq!(row, expected);
    let before = site.requests_to("a.test").len();
    until("pages of the slow one", || site.requests_to("a.test").len() >= before + 4).await;
    let gaps = site.gaps("a.test");
    // The one before the first may have been sent by the old delay.
    let slow = &gaps[before..before + 3];
    assert!(slow.iter().all(|gap| *gap > Duration::from_millis(200)), "{slow:?}");
    assert_eq!(handle.set_delay(Duration::ZERO).await.unwrap(), Duration::from_millis(2));
    assert_eq!(handle.set(Setting::MaxPages(60)).await.unwrap(), Setting::MaxPages(0));
    let report = running.finish().await.unwrap();
    assert_eq!(report.end, End::LimitReached("scope.max-pages"), "{report:?}");
    assert!(report.counts.is_conserved());
    drop(running);
    // The next run has what its config says.
    let report = crawl().launch().await.unwrap().finish().await.unwrap();
    assert!(report.changed.iter().all(|change| !change.key.contains("delay")), "{report:?}");
    assert_eq!(report.counts.pages, 2 * u64::from(PAGES));
}

/// Runs `crawl control STORE ..`; its rows.
#[track_caller]
fn control(store: &Path, args: &[&str]) -> Vec<Value> {
    let mut all = vec!["control", store.to_str().unwrap(), "--json"];
    all.extend(args);
    let output = run_ok(&all);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until the crawl of `store` answers, and has settled so many pages.
fn wait_for(store: &Path, n_pages: u64) {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < LIMIT, "it never began");
        let output = run(&["control", store.to_str().unwrap(), "status", "--json"]);
        if output.status.success()
            && inspect(store, &["stats"])[0]["pages"].as_u64() >= Some(n_pages)
        {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_command_line_steers_a_crawl_that_runs() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 300, "10ms");
    let store = scratch.path("store");
    let config = local_config(server.addr, &store, "").replace("per-host = 16", "per-host = 4");
    let config = scratch.write("crawl.toml", &config);
    let child = crawl(&["run", &config]).spawn().unwrap();
    wait_for(&store, 10);

    let rows = control(&store, &["pause"]);
    assert_eq!((&rows[0]["was"], &rows[0]["is"]), (&json!("running"), &json!("paused")));
    assert_eq!(inspect(&store, &["stats"])[0]["paused"], true);
    let rows = control(&store, &["add", "http://bookshop.test/?a", "http://bookshop.test/"]);
    assert_eq!(rows, [json!({ "order": "add", "admitted": 1, "known": 1, "filtered": 0 })]);
    let rows = control(&store, &["block", "nobody.test"]);
    assert_eq!((&rows[0]["was"], &rows[0]["urls"]), (&json!("free"), &json!(0)));
    let rows = control(&store, &["unblock", "nobody.test", "else.test"]);
    assert_eq!((&rows[0]["was"], &rows[1]["was"]), (&json!("blocked"), &json!("free")));
    let rows = control(&store, &["set", "delay=5ms", "scope.max-pages=10000"]);
    assert_eq!((&rows[0]["was"], &rows[1]["was"]), (&json!("0s"), &json!(0)));
    let status = &control(&store, &["status"])[0];
    assert_eq!((&status["paused"], &status["delay"]), (&json!(true), &json!("5ms")));
    let output = run_ok(&["control", store.to_str().unwrap(), "set", "delay=0s"]);
    assert_eq!(output.stdout, b"politeness.delay: 5ms -> 0s, for this run\n");

    let store_text = store.to_str().unwrap();
    for (args, part) in [
        (&["set", "robots=false"][..], "cannot be set while the crawl runs"),
        (&["set", "max-pages=1", "--host", "bookshop.test"], "is for the whole crawl"),
        (&["set", "delay"], "write KEY=VALUE"),
        (&["block", "http://bookshop.test/"], "write it without scheme"),
        (&["add", "bookshop.test"], "nothing was added"),
    ] {
        let output = run(&[&["control", store_text], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(part), "{args:?}: {}", stderr(&output));
    }

    control(&store, &["resume"]);
    let rows = control(&store, &["stop"]);
    assert_eq!((&rows[0]["was"], &rows[0]["is"]), (&json!("running"), &json!("closing")));
    let output = finish(child);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("the same command goes on"), "{}", stderr(&output));

    let output = run(&["control", store_text, "pause"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("hint: is this the folder"), "{}", stderr(&output));

    // Ctrl-C ends a crawl that is paused, too.
    let child = crawl(&["run", &config]).spawn().unwrap();
    wait_for(&store, 0);
    control(&store, &["pause"]);
    interrupt(&child);
    assert_eq!(finish(child).status.code(), Some(130));

    run_ok(&["run", &config]);
    let truth = Bookshop { books: 300, ..Bookshop::default() }.truth();
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["settled"]["ok"], truth.pages + 1, "{stats}");
    assert_eq!(stats["conserved"], true);
}
