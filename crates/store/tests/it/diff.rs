//! Two stores side by side.

use std::ops::ControlFlow;
use std::path::Path;

use bytes::Bytes;
use crawl_model::Verdict;
use crawl_store::Store;
use crawl_store::diff::{Compared, DiffOptions, Tally, diff};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, item};

/// A page: path, status, items.
type Page<'a> = (&'a str, u16, &'a [&'a str]);

fn store(path: &Path, pages: &[Page<'_>]) {
    let mut rig = Rig::new(path);
    rig.store.put_config(r#"{"pipeline":{"dedup":[["isbn"]]}}"#).unwrap();
    for (name, status, items) in pages {
        let verdict = if *status == 200 { Verdict::Ok } else { Verdict::HttpError };
        let items = items.iter().map(|json| item(json)).collect();
        let body = Bytes::from(format!("{name} {status}"));
        let brings = Brings { verdict, status: *status, items, body, ..Brings::default() };
        rig.settle(&format!("http://h/{name}"), brings);
    }
    rig.end().unwrap();
}

fn compare(old: &[Page<'_>], new: &[Page<'_>], options: &DiffOptions) -> (Compared, Vec<Value>) {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    store(a.path(), old);
    store(b.path(), new);
    let (a, b) = (Store::inspect(a.path()).unwrap(), Store::inspect(b.path()).unwrap());
    let mut rows = Vec::new();
    let compared = diff(&a.reader(), &b.reader(), options, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    });
    rows.sort_by_key(Value::to_string);
    (compared.unwrap(), rows)
}

const OLD: &[Page<'static>] = &[
    ("a", 200, &[r#"{"isbn":1,"price":5}"#, r#"{"isbn":2,"price":6}"#]),
    ("b", 200, &[r#"{"isbn":3,"price":7}"#]),
    ("gone", 200, &[]),
];

#[test]
fn two_crawls_of_the_same_pages_are_the_same_whatever_their_secrets() {
    let (compared, rows) = compare(OLD, &[OLD[2], OLD[1], OLD[0]], &DiffOptions::default());
    assert_eq!(rows, [] as [Value; 0]);
    assert!(compared.is_same() && compared.key == ["isbn"], "{compared:?}");
    assert_eq!((compared.pages.same, compared.items.same), (3, 3));
}

#[test]
fn an_item_that_moved_is_the_same_by_its_key() {
    let new: &[Page<'_>] = &[
        ("a", 200, &[r#"{"isbn":2,"price":6}"#]),
        ("b", 404, &[]),
        ("new", 200, &[r#"{"isbn":1,"price":50}"#, r#"{"isbn":4,"price":8}"#]),
    ];
    let (compared, rows) =
        compare(OLD, new, &DiffOptions { no_pages: true, ..DiffOptions::default() });
    assert_eq!(compared.items, Tally { same: 1, changed: 1, added: 1, removed: 1 });
    assert_eq!(
        rows,
        [
            json!({"kind": "item", "change": "added", "url": "http://h/new", "index": 1,
                "key": [4], "item": {"isbn": 4, "price": 8}}),
            json!({"kind": "item", "change": "changed", "url": "http://h/a", "index": 0,
                "key": [1], "fields": {"price": [5, 50]}}),
            json!({"kind": "item", "change": "removed", "url": "http://h/b", "index": 0,
                "key": [3], "item": {"isbn": 3, "price": 7}}),
        ]
    );
    let (compared, rows) =
        compare(OLD, new, &DiffOptions { no_items: true, ..DiffOptions::default() });
    assert_eq!(compared.pages, Tally { same: 0, changed: 2, added: 1, removed: 1 });
    let changed = rows.iter().find(|row| row["url"] == "http://h/b").unwrap();
    assert_eq!(changed["fields"]["status"], json!([200, 404]));
    assert_eq!(changed["fields"]["verdict"], json!(["ok", "http-error"]));
    assert!(changed["fields"]["digest"].is_array(), "{changed}");
}

#[test]
fn without_a_key_items_are_matched_by_page_and_place() {
    let old: &[Page<'_>] = &[("a", 200, &[r#"{"x":1}"#, r#"{"x":2}"#, "\"text\""])];
    let new: &[Page<'_>] = &[("a", 200, &[r#"{"x":1}"#, r#"{"y":2}"#])];
    let options = DiffOptions { no_pages: true, ..DiffOptions::default() };
    let (compared, rows) = compare(old, new, &options);
    assert_eq!(compared.items, Tally { same: 1, changed: 1, added: 0, removed: 1 });
    assert_eq!(rows[0]["fields"], json!({"x": [2, null], "y": [null, 2]}));
}
