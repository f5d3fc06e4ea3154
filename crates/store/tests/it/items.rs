//! Items of which there is one, and items that were dropped.

use std::ops::ControlFlow;

use crawl_model::{Dropped, DroppedItem, ItemKey, ItemKeys, Keys, Outcome, Verdict};
use crawl_store::inspect::{Query, What, answer};
use crawl_store::{Options, Store, StoreConfig};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, item};

fn key(name: &str) -> ItemKey {
    ItemKeys::new([0; 16]).key("", name)
}

/// Items with one key each, but for those called `-`.
fn keyed(names: &[&str]) -> Brings {
    let items = names.iter().map(|name| item(&format!("\"{name}\""))).collect();
    let unique = |name: &&str| if *name == "-" { vec![] } else { vec![key(name)] };
    let keys = names.iter().map(|name| Keys { own: None, unique: unique(name) });
    Brings { items, keys: keys.collect(), ..Brings::default() }
}

fn dropped(step: &str, reason: &str, json: &str) -> DroppedItem {
    DroppedItem::new(step, &Dropped::new(reason).because("more"), json, 100)
}

#[track_caller]
fn check(rig: &Rig, url: &str, items: &[&str]) {
    let stored: Vec<_> = rig.store.reader().items(rig.print(url)).map(Result::unwrap).collect();
    let items: Vec<_> = items.iter().map(|name| format!("\"{name}\"")).collect();
    assert_eq!(stored, items, "{url}");
}

fn rows(rig: &Rig, query: &Query) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut push = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    answer(&rig.store.reader(), query, &mut push, &mut |_| {}).unwrap();
    rows
}

fn dropped_rows(rig: &Rig) -> Vec<Value> {
    rows(rig, &Query { what: What::Items, dropped: true, ..Query::default() })
}

#[test]
fn the_first_page_keeps_an_item_and_others_drop_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", keyed(&["a", "b", "a", "-", "-"]));
    let outcome = rig.settle("http://h/2", keyed(&["c", "b"]));
    assert!(matches!(outcome, Outcome::Settled { n_items: 1, .. }), "{outcome:?}");
    check(&rig, "http://h/1", &["a", "b", "-", "-"]);
    check(&rig, "http://h/2", &["c"]);

    let mut rig = rig.reopened(dir.path());
    rig.settle("http://h/3", keyed(&["c", "d"]));
    check(&rig, "http://h/3", &["d"]);
    assert_eq!(rig.store.reader().n_items().unwrap(), 6);
    let counts = rig.store.reader().drop_counts().unwrap();
    assert_eq!(counts.by_step["dedup"]["duplicate"], 3);
    let rows = dropped_rows(&rig);
    assert_eq!(
        rows[1],
        json!({"url": "http://h/2", "n": 2, "step": "dedup", "reason": "duplicate",
            "first": "http://h/1", "item": "b"})
    );
    assert_eq!((&rows[0]["first"], rows.len()), (&json!("http://h/1"), 3));
    let page = rig.pages.try_recv().unwrap();
    assert_eq!(page.items, [json!("d")]);
}

#[test]
fn pages_of_one_group_are_told_apart_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let entries = [
        rig.page("http://h/1", keyed(&["a"])),
        rig.page("http://h/2", keyed(&["a", "b"])),
        rig.page("http://h/1", keyed(&["c"])),
        rig.page("http://h/3", keyed(&["a", "c"])),
    ];
    entries.into_iter().for_each(|entry| rig.send(entry));
    (0..4).for_each(|_| drop(rig.outcome().unwrap()));
    check(&rig, "http://h/1", &["c"]);
    check(&rig, "http://h/2", &["b"]);
    check(&rig, "http://h/3", &["a"]);
    assert_eq!(rig.store.reader().n_items().unwrap(), 3);
}

#[test]
fn a_page_fetched_again_keeps_its_keys_and_frees_those_it_has_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", keyed(&["a", "b"]));
    rig.settle("http://h/2", keyed(&["b", "c"]));
    rig.settle("http://h/1", keyed(&["a", "d"]));
    check(&rig, "http://h/1", &["a", "d"]);
    // `b` was freed by the page that had it, not by the one that only wanted it.
    rig.settle("http://h/2", keyed(&["c"]));
    rig.settle("http://h/3", keyed(&["a", "b", "c", "d"]));
    check(&rig, "http://h/3", &["b"]);
    // A worse copy changes nothing.
    let cut = Brings { verdict: Verdict::Truncated, ..keyed(&[]) };
    rig.settle("http://h/1", cut);
    rig.settle("http://h/4", keyed(&["a", "e"]));
    check(&rig, "http://h/4", &["e"]);
    check(&rig, "http://h/1", &["a", "d"]);
    // Of the duplicate that page 2 has no longer, nothing is told any more.
    assert_eq!(rig.store.reader().drop_counts().unwrap().n_dropped(), 4);
    assert_eq!(dropped_rows(&rig).len(), 4);
}

#[test]
fn dropped_items_are_counted_by_reason_and_kept_up_to_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { dropped_mib: 1, ..StoreConfig::at(dir.path()) };
    let mut rig = Rig::with(Store::open(&config, Options::default()).unwrap());
    let long = format!("\"{}\"", "x".repeat(200));
    for page in 0..100 {
        let many = (0..100).map(|_| dropped("check", "too long", &long));
        let dropped = many.chain([dropped("require", "no title", "{}")]).collect();
        rig.settle(&format!("http://h/{page}"), Brings { dropped, ..Brings::default() });
    }
    let counts = rig.store.reader().drop_counts().unwrap();
    assert_eq!(
        (counts.by_step["check"]["too long"], counts.by_step["require"]["no title"]),
        (10_000, 100)
    );
    let rows = dropped_rows(&rig);
    assert!(counts.left_out > 1000 && counts.kept_bytes <= 1 << 20, "{counts:?}");
    assert_eq!(rows.len() as u64 + counts.left_out, 10_100);
    assert_eq!((&rows[0]["cut_from_bytes"], &rows[0]["detail"]), (&json!(202), &json!("more")));
    let stats = &rows_of_stats(&rig);
    assert_eq!(stats["dropped"], json!({"check: too long": 10_000, "require: no title": 100}));
    assert_eq!(stats["dropped_left_out"], counts.left_out);
    // Pages that are settled anew make room.
    for page in 0..100 {
        rig.settle(&format!("http://h/{page}"), Brings::default());
    }
    assert_eq!(rig.store.reader().drop_counts().unwrap(), Default::default());
    assert!(dropped_rows(&rig).is_empty());
}

fn rows_of_stats(rig: &Rig) -> Value {
    rows(rig, &Query::default()).remove(0)
}

#[test]
fn reasons_without_end_are_counted_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for page in 0..20 {
        let reasons = (0..60).map(|i| dropped("step", &format!("reason {page} {i}"), "1"));
        let brings = Brings { dropped: reasons.collect(), ..Brings::default() };
        rig.settle(&format!("http://h/{page}"), brings);
    }
    let counts = rig.store.reader().drop_counts().unwrap();
    assert_eq!(counts.n_dropped(), 1200);
    let n_reasons: usize = counts.by_step.values().map(|reasons| reasons.len()).sum();
    assert!(n_reasons <= 501 && counts.by_step["(other)"]["(other)"] > 200, "{n_reasons}");
}

#[test]
fn only_items_can_be_asked_for_as_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path());
    let query = Query { what: What::Pages, dropped: true, ..Query::default() };
    let nothing = &mut |_| ControlFlow::Continue(());
    assert!(answer(&rig.store.reader(), &query, nothing, &mut |_| {}).is_err());
}
