//! Spiders over fixtures: by the rules of a crawl, with snapshots, without a clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use crawl_spider::prelude::*;
use crawl_spidertest::{
    CaseEnd, FailureKind, Fixture, Folder, FolderError, Mode, SpiderTest, Verdict,
};
use serde::Deserialize;

/// Does something of everything.
#[derive(Default)]
struct Teas {
    /// Whether it is a later version.
    is_changed: bool,
}

impl Spider for Teas {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://shop.test/teas")?.label("list");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.label() {
            "list" => {
                for tea in page.css("li")? {
                    let since = page.fetched_at().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let name = if self.is_changed { "title" } else { "name" };
                    out.item(&json!({ name: tea.text(), "fetched": since.as_secs() }))?;
                }
                out.follow_css(page, "a")?.label("tea").meta(&json!({ "from": page.title() }))?;
                out.follow(page, "/later")?.delay(Duration::from_secs(90)).dont_filter();
                out.log(LogLevel::Warn, "a warning");
                out.log(LogLevel::Info, "nothing much");
                out.stat("lists", 1);
            }
            "panic" => panic!("at the disco"),
            "last" => out.stop("enough tea"),
            _ => return Err(SpiderError::other("what is this?")),
        }
        Ok(())
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({ "failed": failed.verdict().name(), "label": failed.label() }))
    }
}

const LIST: &str = "<title>T</title><ul><li>Assam<li>Chai</ul><a href=1>1</a><a href=1>1</a>";

fn list() -> Fixture {
    Fixture::html("http://shop.test/teas", LIST).label("list").at(1_700_000_000_000)
}

#[test]
fn a_callback_gives_items_requests_log_lines_and_counts() {
    let got = SpiderTest::new(Teas::default()).run(&list());
    got.assert_items(&json!([
        { "name": "Assam", "fetched": 1_700_000_000 },
        { "name": "Chai", "fetched": 1_700_000_000 },
    ]));
    #[derive(Debug, Deserialize, PartialEq)]
    struct Tea {
        name: String,
    }
    assert_eq!(got.items_as::<Tea>()[1], Tea { name: "Chai".into() });
    assert_eq!(got.urls(), ["http://shop.test/1", "http://shop.test/later"]);
    assert_eq!(got.log(LogLevel::Warn), ["a warning"]);
    assert_eq!(got.stats["lists"], 1);
    assert_eq!(
        got.to_json()["requests"],
        json!([
            { "url": "http://shop.test/1", "label": "tea", "meta": { "from": "T" } },
            { "url": "http://shop.test/later", "dont_filter": true, "wait_s": 90 },
        ])
    );
    assert_eq!(got.to_json()["log"], json!(["warn: a warning"]));
}

#[test]
fn the_rules_of_a_crawl_hold() {
    let test = SpiderTest::new(Teas::default());
    let failed = |name: &str| json!([{ "failed": name, "label": "x" }]);
    let lost = Fixture::failed("http://h/", FailureKind::ConnectTimeout, "nobody").label("x");
    let gone = Fixture::html("http://h/", "").label("x").status(404);
    for (fixture, verdict) in [(lost, Verdict::ConnectTimeout), (gone, Verdict::HttpError)] {
        let got = test.run(&fixture);
        assert_eq!((got.verdict, got.items), (verdict, vec![failed(verdict.name())[0].clone()]));
    }
    let moved = Fixture::html("http://h/", "").label("x").status(301).header("Location", "/new");
    let got = test.run(&moved);
    assert_eq!((got.verdict, got.urls()), (Verdict::Redirected, vec!["http://h/new"]));
    let wrong = test.run(&Fixture::html("http://h/", ""));
    assert_eq!((wrong.verdict, &*wrong.error), (Verdict::SpiderError, "what is this?"));
    let panicked = test.run(&Fixture::html("http://h/", "").label("panic"));
    assert_eq!((panicked.verdict, &*panicked.error), (Verdict::SpiderPanic, "at the disco"));
    let last = test.run(&Fixture::html("http://h/", "").label("last"));
    assert_eq!(last.stop.as_deref(), Some("enough tea"));
    assert_eq!(test.start().urls(), ["http://shop.test/teas"]);
}

#[test]
#[should_panic(expected = "(- expected, + now)")]
fn other_items_than_expected_fail_a_test() {
    SpiderTest::new(Teas::default()).run(&list()).assert_items(&json!([]));
}

#[test]
fn a_folder_is_compared_with_its_snapshots() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path().join("teas"));
    let (old, new) = (SpiderTest::new(Teas::default()), SpiderTest::new(Teas { is_changed: true }));
    assert!(matches!(old.over(&folder, Mode::Check), Err(FolderError::Read { .. })));
    let gone = Fixture::html("http://shop.test/a?b=1", "").status(404);
    assert_eq!(folder.replace(&[list(), gone.clone()]).unwrap(), ["teas", "a-b-1"]);
    let ends = |test: &SpiderTest, mode| {
        let report = test.over(&folder, mode).unwrap();
        let is_same = report.is_same();
        (report.cases.into_iter().map(|case| (case.name, case.end)).collect::<Vec<_>>(), is_same)
    };
    let all = |end: CaseEnd| ["start", "a-b-1", "teas"].map(|name| (name.to_owned(), end.clone()));
    assert_eq!(ends(&old, Mode::Check), (all(CaseEnd::New).to_vec(), false));
    assert_eq!(ends(&old, Mode::Update), (all(CaseEnd::Written).to_vec(), true));
    assert_eq!(ends(&old, Mode::Check), (all(CaseEnd::Same).to_vec(), true));
    let (cases, is_same) = ends(&new, Mode::Check);
    let CaseEnd::Differs(diff) = &cases[2].1 else { panic!("{cases:?}") };
    assert!(
        diff.contains("-       \"name\": \"Assam\"") && diff.contains("+       \"title\""),
        "{diff}"
    );
    assert!(!is_same && cases[1].1 == CaseEnd::Same);
    // Recorded anew, what is not there any more goes, and what a person added stays.
    fs::write(folder.path().join("mine.http"), gone.to_bytes()).unwrap();
    folder.replace(&[list()]).unwrap();
    assert_eq!(ends(&old, Mode::Check).0.len(), 3);
    assert!(!folder.path().join("a-b-1.http").exists() && folder.path().join("teas.json").exists());
    fs::write(folder.path().join("mine.http"), "<html>").unwrap();
    let error = old.over(&folder, Mode::Check).unwrap_err();
    assert!(matches!(error, FolderError::Format { .. }), "{error}");
}

#[test]
fn names_come_from_the_urls() {
    let temp = tempfile::tempdir().unwrap();
    let urls = [
        "http://h/",
        "http://h/a/page-2.html",
        "http://h/A/page-2",
        "http://i/x?y=z",
        "http://h/start",
    ];
    let fixtures: Vec<_> = urls.iter().map(|url| Fixture::html(url, "")).collect();
    let names = Folder::new(temp.path()).replace(&fixtures).unwrap();
    assert_eq!(names, ["index", "a-page-2", "a-page-2-2", "i-x-y-z", "start-2"]);
}
