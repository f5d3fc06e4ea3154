//! What readers see.

use std::ops::ControlFlow;

use crawl_model::{Entry, FilterReason, Found, Outcome, Source, Verdict};
use crawl_store::inspect::{Query, What, answer};
use crawl_store::{StoreError, UrlState};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, item, url};

/// `/` links to `/1`, `/2` and, too deep, `/far`; `/1` gives items and leads to `/far` again,
/// nearer; `/2` is missing; `http://other/` is not ours.
fn crawled(path: &std::path::Path) -> Rig {
    let mut rig = Rig::new(path);
    let filtered = |found: Found, reason| Found { filtered: Some(reason), ..found };
    let at = |mut found: Found, depth| {
        found.request.depth = depth;
        found
    };
    rig.post(Entry::Found { found: vec![rig.found("http://h/")], source: Source::Seeds });
    let from = |mut found: Found, page| {
        found.request.referrer = Some(url(page));
        found
    };
    let found = vec![
        from(at(rig.found("http://h/1"), 1), "http://h/"),
        from(at(rig.found("http://h/2"), 1), "http://h/"),
        at(filtered(rig.found("http://h/far"), FilterReason::TooDeep), 9),
        filtered(rig.found("http://other/"), FilterReason::OffDomain),
    ];
    rig.settle("http://h/", Brings { found, ..Brings::default() });
    let found = vec![
        at(rig.found("http://h/far"), 2),
        rig.found("http://h/2"),
        filtered(rig.found("http://other/"), FilterReason::OffDomain),
    ];
    let items = vec![item(r#"{"title":"One","price":3}"#), item(r#"{"title":"Two","price":4}"#)];
    let fetched_ms = 1_700_000_000_123;
    rig.settle("http://h/1", Brings { found, items, fetched_ms, ..Brings::default() });
    let missing = Brings { verdict: Verdict::HttpError, status: 404, ..Brings::default() };
    rig.settle("http://h/2", missing);
    rig
}

fn ask(rig: &Rig, query: &Query) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut push = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    answer(&rig.store.reader(), query, &mut push, &mut |_| {}).unwrap();
    rows
}

/// The row of the second item.
fn two() -> Value {
    let seen = "2023-11-14T22:13:20.123Z";
    json!({"url": "http://h/1", "n": 2, "first_seen": seen, "last_seen": seen, "changes": 0,
        "item": {"title": "Two", "price": 4}})
}

#[test]
fn counts_are_conserved_and_a_nearer_way_admits_what_was_filtered() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let counts = rig.store.reader().counts().unwrap();
    assert!(counts.is_conserved());
    assert_eq!((counts.discovered, counts.queued, counts.pages, counts.items), (5, 1, 3, 2));
    assert_eq!(json!(counts.settled), json!({"ok": 2, "http-error": 1}));
    assert_eq!(json!(counts.filtered), json!({"off-domain": 1}));
}

#[test]
fn every_url_is_listed_once_with_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let rows: Vec<_> = rig.store.reader().urls().unwrap().map(Result::unwrap).collect();
    let row = |url: &str| rows.iter().find(|row| row.url == url).unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!((row("http://h/").verdict, row("http://h/").n), ("ok", Some(1)));
    assert_eq!((row("http://h/far").state, row("http://h/far").depth), (UrlState::Queued, 2));
    assert_eq!(row("http://other/").verdict, "off-domain");
    assert_eq!(
        ask(&rig, &Query { what: What::Urls, limit: Some(1), ..Query::default() }),
        [json!({"url": "http://h/", "verdict": "ok", "state": "settled", "depth": 0, "n": 1})]
    );
}

#[test]
fn hosts_are_summed() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let rows = ask(&rig, &Query { what: What::Hosts, ..Query::default() });
    let row = |host, pages, settled, queued, filtered, items| {
        json!({"host": host, "pages": pages, "settled": settled, "queued": queued,
            "filtered": filtered, "items": items, "bytes": pages * 9})
    };
    assert_eq!(rows, [row("h", 3, 3, 1, 0, 2), row("other", 0, 0, 0, 1, 0)]);
}

#[test]
fn of_a_page_that_settles_twice_its_host_has_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = crawled(dir.path());
    let again = |found: Found| Found { renews: true, ..found };
    let found = vec![again(rig.found("http://h/2")), rig.found("https://h/")];
    let body = bytes::Bytes::from_static(b"less");
    rig.settle("http://h/1", Brings { found, body, ..Brings::default() });
    let rows = ask(&rig, &Query { what: What::Hosts, ..Query::default() });
    // `/` and `/1` settled, `/2` waits anew; its first answer counts no longer, nor the items.
    let h = json!({"host": "h", "pages": 2, "settled": 2, "queued": 3, "filtered": 0,
        "items": 0, "bytes": 9 + 4});
    assert_eq!(rows[0], h);
    assert_eq!((rows.len(), rows[1]["host"].as_str()), (2, Some("other")));
    let counts = rig.store.reader().counts().unwrap();
    assert_eq!((counts.n_settled(), counts.queued, counts.discovered), (2, 3, 6));
}

#[test]
fn questions_are_answered_with_stable_rows() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let query =
        Query { what: What::Items, fields: vec!["price=4".parse().unwrap()], ..Query::default() };
    assert_eq!(ask(&rig, &query), [two()]);

    let missing =
        Query { what: What::Pages, status: Some("4xx".parse().unwrap()), ..Query::default() };
    let rows = ask(&rig, &missing);
    assert_eq!(
        (rows.len(), &rows[0]["url"], &rows[0]["status"]),
        (1, &json!("http://h/2"), &json!(404))
    );
    let missing = Query { what: What::Urls, ..missing };
    assert_eq!(ask(&rig, &missing)[0]["verdict"], "http-error");

    let verdict = |name: &str| Some(name.to_owned());
    let queued = Query { what: What::Urls, verdict: verdict("queued"), ..Query::default() };
    assert_eq!(ask(&rig, &queued)[0]["url"], "http://h/far");
    let one = Query { what: What::Pages, url: Some("HTTP://h/1#x".into()), ..Query::default() };
    assert_eq!(ask(&rig, &one)[0]["n"], 2);
    let host = Query { what: What::Urls, host: Some("OTHER".into()), ..Query::default() };
    assert_eq!(ask(&rig, &host).len(), 1);

    let stats = &ask(&rig, &Query::default())[0];
    assert_eq!(
        (&stats["conserved"], &stats["last"], &stats["discovered"]),
        (&json!(true), &json!(3), &json!(5))
    );

    let wrong = Query { what: What::Pages, verdict: verdict("queued"), ..Query::default() };
    let error = answer(&rig.store.reader(), &wrong, &mut |_| ControlFlow::Break(()), &mut |_| {})
        .unwrap_err();
    assert!(matches!(&error, StoreError::Query { what } if what.contains("http-error")), "{error}");
}

#[test]
fn what_the_log_says_of_pages_and_what_their_records_say_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let pages = |condition: &str| {
        let fields = vec![condition.parse().unwrap()];
        let rows = ask(&rig, &Query { what: What::Pages, fields, ..Query::default() });
        rows.iter().map(|row| row["n"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    for (condition, expected) in [
        ("status=404", vec![3]),
        ("status=2xx and n_items>0", vec![2]),
        ("bytes=9 and host=h", vec![1, 2, 3]),
        ("verdict=ok and url~1", vec![2]),
        ("not verdict=ok or n<2", vec![1, 3]),
        ("content_type", vec![]),
        ("host~other", vec![]),
    ] {
        assert_eq!(pages(condition), expected, "{condition}");
    }
    // An item's own field first, then its page's.
    let fields = vec!["price>3 and status=200 and url~/1".parse().unwrap()];
    let rows = ask(&rig, &Query { what: What::Items, fields, ..Query::default() });
    assert_eq!(rows, [two()]);
}

#[test]
fn links_and_errors_and_times_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let rig = crawled(dir.path());
    let links = |url: &str| {
        ask(&rig, &Query { what: What::Links, url: Some(url.into()), ..Query::default() })
    };
    let out = |verdict, url| json!({"way": "out", "verdict": verdict, "depth": 1, "url": url});
    let expected = [out("ok", "http://h/1"), out("http-error", "http://h/2")];
    assert_eq!(links("http://h/"), expected);
    assert_eq!(links("http://h/%32"), [json!({"way": "in", "url": "http://h/"})]);

    let errors = ask(&rig, &Query { what: What::Errors, ..Query::default() });
    let expected = json!({"n": 3, "verdict": "http-error", "status": 404, "attempts": 0,
        "url": "http://h/2"});
    assert_eq!(errors, [expected]);

    let fields = vec!["host=h".parse().unwrap()];
    let rows = ask(&rig, &Query { what: What::Timeline, fields, ..Query::default() });
    let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("settled"), sum("pages"), sum("items"), sum("bytes")), (3, 3, 2, 27));

    let fields = vec!["url~/1 and not title".parse().unwrap()];
    let rows = ask(&rig, &Query { what: What::Timeline, fields, ..Query::default() });
    assert!(rows.len() == 1 && rows[0]["settled"] == 1, "{rows:?}");

    let fields = vec!["referrer~x".parse().unwrap()];
    let wrong = Query { what: What::Timeline, fields, ..Query::default() };
    let error = answer(&rig.store.reader(), &wrong, &mut |_| ControlFlow::Break(()), &mut |_| {})
        .unwrap_err();
    assert!(matches!(&error, StoreError::Query { what } if what.contains("elapsed_ms")), "{error}");
    let all = Query { what: What::Links, ..Query::default() };
    assert!(
        answer(&rig.store.reader(), &all, &mut |_| ControlFlow::Break(()), &mut |_| {}).is_err()
    );
}

#[test]
fn settles_can_be_followed_from_any_number() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    // Groups of all sizes, many blocks, some groups without a settle.
    let mut sent = 0;
    for size in [1, 2, 3, 40, 1, 25] {
        for i in sent..sent + size {
            let found = (0..60).map(|j| rig.found(&format!("http://h/{i}/{j}"))).collect();
            let entry = rig.page(&format!("http://h/{i}"), Brings { found, ..Brings::default() });
            rig.send(entry);
        }
        for _ in 0..size {
            rig.outcome().unwrap();
        }
        sent += size;
        let found = (0..200).map(|j| rig.found(&format!("http://seed/{sent}/{j}"))).collect();
        rig.post(Entry::Found { found, source: Source::Seeds });
    }
    let reader = rig.store.reader();
    for after in 0..=sent {
        let settled: Vec<_> = reader.settled_after(after).unwrap().map(Result::unwrap).collect();
        let numbers: Vec<_> = settled.iter().map(|(n, ..)| *n).collect();
        assert_eq!(numbers, (after + 1..=sent).collect::<Vec<_>>());
        if let Some((n, print, verdict)) = settled.first() {
            assert_eq!(
                (*print, *verdict),
                (rig.print(&format!("http://h/{}", n - 1)), Verdict::Ok)
            );
        }
    }
    assert_eq!(reader.settled_after(u64::MAX).unwrap().count(), 0);
    let numbers = reader.pages().unwrap().map(|page| page.unwrap().1.n);
    assert!(numbers.eq(1..=sent));
    assert_eq!(rig.store.events().count() as u64, sent + sent * 60 + 6 * 200);
}

/// So many pages that some are gathered before they are looked at, and some more again.
#[test]
fn what_only_records_say_is_found_in_the_order_of_the_settles() {
    const N: u64 = 900;
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let sender = rig.entries.clone().unwrap();
    for i in 0..N {
        let items = vec![item(&json!({"price": i % 7}).to_string())];
        let page = rig.page(&format!("http://h/{i}"), Brings { items, ..Brings::default() });
        sender.blocking_send(page).unwrap();
    }
    let mut n_settled = 0;
    while n_settled < N {
        let outcome = crawl_store::blocking::wait(rig.outcomes.recv()).unwrap();
        n_settled += u64::from(matches!(outcome, Outcome::Settled { .. }));
    }
    let asked = |what, text: &str, limit| {
        let fields = vec![text.parse().unwrap()];
        let rows = ask(&rig, &Query { what, fields, limit, ..Query::default() });
        rows.iter().map(|row| row["n"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let numbers = |is_it: fn(u64) -> bool| (1..=N).filter(|n| is_it(n - 1)).collect::<Vec<_>>();
    let of_99 = numbers(|i| i.to_string().contains("99"));
    assert_eq!(asked(What::Pages, "url~99", None), of_99);
    assert_eq!(asked(What::Pages, "url~99 or n=1", Some(3)), [1, of_99[0], of_99[1]]);
    assert_eq!(asked(What::Pages, "url~99 and n>100 and n<=200", None), [200]);
    assert_eq!(asked(What::Pages, "url~99 and attempts=0", None), of_99);
    assert_eq!(asked(What::Pages, "n_links=0 and url~99 or attempts=7", Some(3)), of_99[..3]);
    assert_eq!(asked(What::Pages, "attempts=7", None), [0; 0]);
    let of_3 = numbers(|i| i % 7 == 3);
    assert_eq!(asked(What::Items, "price=3", None), of_3);
    assert_eq!(asked(What::Items, "price=3 and attempts=0", Some(40)), of_3[..40]);
    assert_eq!(asked(What::Items, "price=3 and title=x", None), [0; 0]);
}
