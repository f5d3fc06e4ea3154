//! Items between the spider and the store: steps, what they drop, and fields from run to run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crawl_testsite::{Reply, SiteRequest, TestSite};
use serde_json::{Value, json};

use crate::support::{self, LIMIT, Scratch, crawl, finish, inspect, run, run_ok, stderr};

/// Takes title, price and isbn of each `.i`.
const SPIDER: &str = r#"
[[spider.items]]
select = ".i"
[spider.items.fields]
title = "b"
price = { css = "i", type = "number" }
isbn = "u"
"#;

fn item(title: &str, price: &str, isbn: &str) -> String {
    format!("<div class=i><b>{title}</b><i>{price}</i><u>{isbn}</u></div>")
}

fn serve(site: impl Fn(&SiteRequest<'_>) -> Reply + Send + Sync + 'static) -> TestSite {
    TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(site)))
}

fn write_config(scratch: &Scratch, site: &TestSite, more: &str) -> String {
    let text = support::local_config(site.addr, &scratch.path("store"), &format!("{SPIDER}{more}"));
    scratch.write("crawl.toml", &text)
}

fn stored(store: &Path) -> Vec<Value> {
    inspect(store, &["items"]).into_iter().map(|mut row| row["item"].take()).collect()
}

#[test]
fn every_step_does_its_work_and_what_is_dropped_is_told() {
    let body: String = [
        item("A", "1.50", "1"),
        item("", "2", "2"),
        item("C", "none", "3"),
        item("Sold", "3", "4"),
        item("Dear", "300", "5"),
        item("B", "2", "6"),
        item("A again", "4", "1"),
        item("long title", "4", "7"),
    ]
    .concat();
    let site = serve(move |request| match request.path() {
        "/" => Reply::html(body.clone()),
        _ => Reply::status(404),
    });
    let scratch = Scratch::new();
    let schema = scratch.write("item.json", r#"{"properties": {"title": {"maxLength": 8}}}"#);
    let steps = format!(
        r#"
[[pipeline]]
require = ["title"]
[[pipeline]]
name = "priced"
types = {{ price = "number" }}
[[pipeline]]
keep-if = {{ price = {{ missing = false }} }}
[[pipeline]]
drop-if = {{ title = {{ matches = "^Sold" }} }}
[[pipeline]]
drop-if = {{ price = {{ greater = 100 }} }}
only = [""]
[[pipeline]]
validate = "{schema}"
[[pipeline]]
compute = {{ gross = "= {{price}} * 2", line = "{{title}} for {{price}}" }}
[[pipeline]]
set = {{ shop = "S" }}
when = {{ title = "A" }}
[[pipeline]]
rename = {{ title = "name" }}
[[pipeline]]
dedup = ["isbn"]
[[pipeline]]
drop-fields = ["isbn", "url", "price"]
"#
    );
    let config = write_config(&scratch, &site, &steps);
    let output = run_ok(&["run", &config, "--json"]);
    let store = scratch.path("store");
    assert_eq!(
        stored(&store),
        [
            json!({"gross": 3, "line": "A for 1.5", "shop": "S", "name": "A"}),
            json!({"gross": 4, "line": "B for 2", "name": "B"}),
        ]
    );
    let dropped = json!({
        "require: no title": 1, "keep-if: not: price is there": 1, "drop-if: title ~ ^Sold": 1,
        "drop-if: price > 100": 1, "validate: title: is too long": 1, "dedup: duplicate": 1,
    });
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["dropped"], &report["dropped_this_run"]), (&dropped, &json!(6)));
    assert_eq!(report["fields"][""]["items"], 2);
    assert_eq!(report["fields"][""]["fields"]["shop"], 1);
    assert_eq!(inspect(&store, &["stats"])[0]["dropped"], dropped);
    let rows = inspect(&store, &["items", "--dropped", "--where", "step=validate"]);
    assert_eq!((rows.len(), &rows[0]["item"]["title"]), (1, &json!("long title")));
    assert_eq!(rows[0]["url"], "http://bookshop.test/");
    let said = stderr(&output);
    assert!(said.contains("dropped  ") && said.contains("items --dropped"), "{said}");
    // Once more: nothing is fetched, and all is told as it was.
    let again = run_ok(&["run", &config, "--json"]);
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&report["dropped"], &report["dropped_this_run"]), (&dropped, &json!(0)));
}

/// Forty pages, each with an item that has a price only while `priced`.
fn shop(priced: Arc<AtomicBool>) -> TestSite {
    serve(move |request| {
        let Some(n) = request.path().strip_prefix("/p/") else {
            return Reply::html((0..40).fold(String::new(), |mut links, n| {
                write!(links, "<a href=/p/{n}>").unwrap();
                links
            }));
        };
        let price = if priced.load(Ordering::Relaxed) { "5" } else { "" };
        Reply::html(item(&format!("T{n}"), price, n))
    })
}

#[test]
fn a_field_that_collapses_warns_and_fails_if_it_is_to() {
    let priced = Arc::new(AtomicBool::new(true));
    let site = shop(priced.clone());
    let scratch = Scratch::new();
    let config = write_config(&scratch, &site, "[run]\nfail-on-drift = true\n");
    let output = run(&["run", &config, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rows = inspect(&scratch.path("store"), &["fields", "--where", "field=price"]);
    assert_eq!((&rows[0]["items"], &rows[0]["rate"]), (&json!(40), &json!(100.0)));

    priced.store(false, Ordering::Relaxed);
    let output = run(&["run", &config, "--fresh", "--json"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let said = stderr(&output);
    let warning = "warning  `price` is filled in 0% of the items; in the run before it was in 100%";
    assert!(said.contains(warning) && said.contains(" fields"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["drifts"],
        json!([{"kind": "", "field": "price", "before": 1.0, "now": 0.0}])
    );
    let rows = inspect(&scratch.path("store"), &["fields", "--where", "field=price"]);
    assert_eq!((&rows[0]["rate_before"], &rows[0]["drifts"]), (&json!(100.0), &json!(true)));
    // It stays so until a run is better, and is no failure unless asked for.
    assert_eq!(run(&["run", &config]).status.code(), Some(4));
    let output = run(&["run", &config, "-s", "run.fail-on-drift=false"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("warning"));
    priced.store(true, Ordering::Relaxed);
    assert_eq!(run(&["run", &config, "--fresh"]).status.code(), Some(0));
}

#[test]
fn over_kills_each_item_is_stored_once_and_its_fields_are_counted_once() {
    const PAGES: usize = 300;
    // Page n has the items n/2, n/2 + 1, .. n/2 + 4: all but the outermost stand on many pages.
    let site = TestSite::spawn_thread(TestSite::builder().latency(Duration::from_millis(5)).site(
        "*",
        Arc::new(|request: &SiteRequest<'_>| {
            let n: usize = request.path().trim_start_matches("/p/").parse().unwrap_or(0);
            let items: String = (0..5).map(|i| item("T", "1", &(n / 2 + i).to_string())).collect();
            let links = (n * 3 + 1..n * 3 + 4).filter(|to| *to < PAGES);
            let links: String = links.map(|to| format!("<a href=/p/{to}>")).collect();
            Reply::html(items + &links)
        }),
    ));
    let scratch = Scratch::new();
    let steps = "[[pipeline]]\ndedup = ['isbn']\n[[pipeline]]\ndrop-fields = ['url']\n";
    let config = write_config(&scratch, &site, steps);
    for kill in 1..=3_u64 {
        let mut child = crawl(&["run", &config]).spawn().unwrap();
        let begun = Instant::now();
        while site.served() < kill * 70 && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT, "it hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let output = finish(crawl(&["run", &config, "--json"]).spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    let items = stored(&scratch.path("store"));
    let distinct: BTreeSet<String> = items.iter().map(|item| item["isbn"].to_string()).collect();
    // The start page is asked for as `/`, and as page 0 it is nobody's link.
    let expected: BTreeSet<String> =
        (0..PAGES).flat_map(|n| (0..5).map(move |i| format!("\"{}\"", n / 2 + i))).collect();
    assert_eq!(items.len(), distinct.len(), "an item is stored twice");
    assert_eq!(distinct, expected);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["counts"]["items"], items.len());
    assert_eq!(report["fields"][""]["items"], items.len());
    assert_eq!(report["dropped"], json!({"dedup: duplicate": PAGES * 5 - items.len()}));
}
