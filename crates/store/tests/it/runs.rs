//! Which fields the items of a run have, and the run before.

use std::ops::ControlFlow;
use std::path::Path;

use crawl_store::inspect::{Query, What, answer};
use crawl_store::{Options, Store, StoreConfig};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, item};

/// Pages `from..to`, each with an item; those whose number is in `priced` have a price.
fn settle(rig: &mut Rig, pages: std::ops::Range<u64>, priced: std::ops::Range<u64>) {
    for i in pages {
        let price = if priced.contains(&i) { "1" } else { "null" };
        let json = format!("{{\"title\":\"x\",\"price\":{price}}}");
        let brings = Brings { items: vec![item(&json)], label: "book", ..Brings::default() };
        rig.settle(&format!("http://h/{i}"), brings);
    }
}

/// Ends the run as one that has found everything.
fn finish(rig: &mut Rig) {
    rig.end().unwrap();
    rig.store.runs().close().unwrap();
}

fn reopened(rig: Rig, path: &Path, fresh: bool) -> Rig {
    drop(rig);
    Rig::with(Store::open(&StoreConfig::at(path), Options { fresh }).unwrap())
}

/// Items, filled titles and filled prices.
#[track_caller]
fn check(rig: &Rig, number: u64, now: (u64, u64, u64), before: Option<u64>) {
    let runs = rig.store.reader().last_runs().unwrap();
    let kind = runs.run.fields.kinds.get("book").cloned().unwrap_or_default();
    let filled = |field: &str| kind.fields.get(field).copied().unwrap_or(0);
    assert_eq!((kind.items, filled("title"), filled("price")), now);
    assert_eq!(runs.run.number, number);
    assert_eq!(runs.before.map(|run| run.fields.kinds["book"].fields["price"]), before);
}

#[test]
fn a_run_goes_on_over_stops_and_ends_with_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    settle(&mut rig, 0..10, 0..10);
    let mut rig = rig.reopened(dir.path());
    settle(&mut rig, 10..30, 10..30);
    check(&rig, 1, (30, 30, 30), None);
    finish(&mut rig);
    check(&rig, 1, (30, 30, 30), None);

    let mut rig = reopened(rig, dir.path(), false);
    settle(&mut rig, 100..150, 100..110);
    check(&rig, 2, (50, 50, 10), Some(30));
    // Of a page that was settled in the run before nothing is taken back.
    settle(&mut rig, 0..1, 0..0);
    check(&rig, 2, (51, 51, 10), Some(30));
    // Of one of this run all is.
    settle(&mut rig, 100..102, 0..0);
    check(&rig, 2, (51, 51, 8), Some(30));
    finish(&mut rig);
    finish_again_changes_nothing(&mut rig);
    check(&rig, 2, (51, 51, 8), Some(30));
    assert_eq!(rig.store.reader().last_runs().unwrap().drifts()[0].field.as_deref(), Some("price"));
}

fn finish_again_changes_nothing(rig: &mut Rig) {
    let before = rig.store.reader().last_runs().unwrap();
    rig.store.runs().close().unwrap();
    assert_eq!(rig.store.reader().last_runs().unwrap(), before);
}

#[test]
fn a_fresh_start_is_held_against_the_last_run_that_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    settle(&mut rig, 0..40, 0..40);
    finish(&mut rig);
    let mut rig = reopened(rig, dir.path(), true);
    settle(&mut rig, 0..20, 0..20);
    // A run that was stopped is none to compare with.
    rig.end().unwrap();
    let mut rig = reopened(rig, dir.path(), true);
    assert_eq!(rig.store.reader().last().unwrap(), 0);
    settle(&mut rig, 0..20, 0..3);
    check(&rig, 2, (20, 20, 3), Some(40));
    let rows = rows(&rig);
    assert_eq!(
        rows,
        [
            json!({"kind": "book", "field": "price", "items": 20, "filled": 3, "rate": 15.0,
                "rate_before": 100.0, "drifts": true}),
            json!({"kind": "book", "field": "title", "items": 20, "filled": 20, "rate": 100.0,
                "rate_before": 100.0, "drifts": false}),
        ]
    );
}

#[test]
fn a_damaged_file_of_runs_is_told_and_costs_the_comparison_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    settle(&mut rig, 0..20, 0..20);
    finish(&mut rig);
    std::fs::write(dir.path().join("runs"), "[{").unwrap();
    let mut rig = reopened(rig, dir.path(), false);
    check(&rig, 1, (20, 20, 20), None);
    rig.end().unwrap();
    let rig = reopened(rig, dir.path(), true);
    let notes = &rig.store.recovery().notes;
    assert!(notes.iter().any(|note| note.contains("`runs` is damaged")), "{notes:?}");
    check(&rig, 1, (0, 0, 0), None);
}

#[test]
fn only_so_many_runs_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for run in 0..25 {
        settle(&mut rig, run..run + 1, 0..0);
        finish(&mut rig);
        rig = reopened(rig, dir.path(), false);
    }
    assert_eq!(rig.store.reader().last_runs().unwrap().run.number, 25);
    let text = std::fs::read_to_string(dir.path().join("runs")).unwrap();
    let runs: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((runs.len(), &runs[0]["number"]), (20, &json!(6)));
}

fn rows(rig: &Rig) -> Vec<Value> {
    let mut rows = Vec::new();
    let query = Query { what: What::Fields, ..Query::default() };
    let mut push = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    answer(&rig.store.reader(), &query, &mut push, &mut |_| {}).unwrap();
    rows
}
