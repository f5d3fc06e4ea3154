//! What is told of one URL.

use std::ops::ControlFlow;

use crawl_model::{Entry, Fingerprint, Found, IdentityConfig, KeyRules, Source};
use crawl_store::inspect::{Query, What, answer};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, url};

fn ask(rig: &Rig, what: What, text: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut push = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    let query = Query { what, url: Some(text.to_owned()), ..Query::default() };
    answer(&rig.store.reader(), &query, &mut push, &mut |_| {}).unwrap();
    rows
}

#[test]
fn who_stands_before_a_url_hangs_on_the_order_of_the_queues() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let at = |text: &str, depth, priority| {
        let mut found = rig.found(text);
        (found.request.depth, found.request.priority) = (depth, priority);
        found
    };
    let found = vec![
        at("http://h/1", 1, 0),
        at("http://h/2", 2, 0),
        at("http://h/3", 3, 0),
        at("http://h/it", 2, 0),
        at("http://h/first", 9, 5),
        at("http://other/", 0, 0),
    ];
    rig.post(Entry::Found { found, source: Source::Seeds });
    for (order, ahead) in [("breadth-first", 3), ("depth-first", 3), ("best-first", 4)] {
        rig.store.put_config(&json!({"queue": {"order": order}}).to_string()).unwrap();
        let row = ask(&rig, What::Why, "http://h/it").remove(0);
        assert_eq!(row["queue"], json!({"ahead": ahead, "of_host": 5, "order": order}));
    }
    rig.store.put_config("{}").unwrap();
    let ahead = |text: &str| ask(&rig, What::Why, text).remove(0)["queue"]["ahead"].clone();
    assert_eq!(
        (ahead("http://h/first"), ahead("http://h/1"), ahead("http://h/3")),
        (0.into(), 1.into(), 4.into())
    );
}

/// A crawl of 128 bits in which the first fingerprint of `http://h/twin` is the name of
/// `http://h/other`, so that it is called by its second.
#[test]
fn a_url_whose_first_fingerprint_is_anothers_is_found_by_its_second() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let identity = json!({"fingerprint-bits": 128});
    rig.store.put_config(&json!({"scope": {"identity": identity}}).to_string()).unwrap();
    let identity: IdentityConfig = serde_json::from_value(identity).unwrap();
    let prints = rig.prints.clone().under(KeyRules::new(&identity).unwrap());
    let (twin, other) = (url("http://h/twin"), url("http://h/other"));
    let (first, second) = (prints.get(&twin), prints.second_get(&twin).unwrap());
    let named = |rig: &Rig, text: &str, print: Fingerprint| Found { print, ..rig.found(text) };
    let found = vec![named(&rig, other.as_str(), first), named(&rig, twin.as_str(), second)];
    rig.post(Entry::Found { found, source: Source::Seeds });
    rig.settle_as(first, other.as_str(), Brings::default());

    let row = ask(&rig, What::Why, twin.as_str()).remove(0);
    assert_eq!((&row["state"], &row["record"]), (&json!("queued"), &Value::Null));
    assert_eq!(ask(&rig, What::Pages, twin.as_str()), [Value::Null; 0]);

    rig.settle_as(second, twin.as_str(), Brings { status: 201, ..Brings::default() });
    let row = ask(&rig, What::Why, twin.as_str()).remove(0);
    assert_eq!((&row["state"], &row["record"]["status"]), (&json!("settled"), &json!(201)));
    let pages = ask(&rig, What::Pages, twin.as_str());
    assert_eq!((pages.len(), &pages[0]["status"]), (1, &json!(201)));
}
