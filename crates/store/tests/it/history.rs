//! What becomes of items over several visits: first seen, changed, moved, gone and there again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl_model::{Item, ItemKeys, ItemKind, Keys, Kinds, OwnKey, Verdict, key_text};
use crawl_store::inspect::{Query, What, answer};
use crawl_store::verify::verify;
use crawl_store::{Options, Store, StoreConfig};
use serde_json::{Value, json};

use crate::rig::{Brings, Rig};

const T0: u64 = 1_700_000_000_000;

/// A crawl whose visits are a second apart.
struct Site {
    rig: Rig,
    now: u64,
}

impl Site {
    fn new(path: &std::path::Path) -> Self {
        Self { rig: Rig::new(path), now: 0 }
    }

    /// Settles a page with these items, seen a second after what was seen before. Those with an
    /// `id` have it as their key.
    fn visit(&mut self, page: &str, items: &[Value]) {
        self.now += 1;
        let brings = brings(&self.rig, items, T0 + 1000 * self.now);
        self.rig.settle(&format!("http://h/{page}"), brings);
    }

    /// What is said of the items of a page: name, first seen, last seen, changed (in seconds), how
    /// often.
    fn lives(&self, page: &str) -> Vec<(String, u64, u64, u64, u64)> {
        let reader = self.rig.store.reader();
        let print = self.rig.print(&format!("http://h/{page}"));
        let record = reader.page(print).unwrap().unwrap();
        let items = reader.stored_items(print, &record).map(Result::unwrap);
        let second = |ms: u64| ms.saturating_sub(T0) / 1000;
        let life = |item: crawl_store::StoredItem| {
            let name: Value = serde_json::from_str(&item.json).unwrap();
            let of = item.provenance;
            let times = [of.first_ms, of.seen_ms, of.changed_ms].map(second);
            let name = name["name"].as_str().unwrap_or("").to_owned();
            (name, times[0], times[1], times[2], of.changes)
        };
        items.map(life).collect()
    }

    fn ask(&self, query: &Query) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut push = |row| {
            rows.push(row);
            ControlFlow::Continue(())
        };
        answer(&self.rig.store.reader(), query, &mut push, &mut |_| {}).unwrap();
        rows
    }

    fn gone(&self) -> Vec<String> {
        let rows = self.ask(&Query { what: What::Items, gone: true, ..Query::default() });
        assert!(rows.iter().all(|row| row["gone"] == true));
        let mut names: Vec<_> =
            rows.iter().map(|row| row["item"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    fn by_key(&self, key: &[&str]) -> Vec<Value> {
        let key = key.iter().map(|&value| value.to_owned()).collect();
        self.ask(&Query { what: What::Items, key, ..Query::default() })
    }

    /// Ends it; all that is told in two places is the same in both.
    fn end(mut self, path: &std::path::Path) {
        self.rig.store.put_config("{}").unwrap();
        self.rig.end().unwrap();
        drop(self.rig);
        let mut found = Vec::new();
        let verified = verify(path, &mut |finding| found.push(finding.clone())).unwrap();
        assert_eq!(verified.damage, 0, "{found:#?}");
    }
}

fn brings(rig: &Rig, items: &[Value], fetched_ms: u64) -> Brings {
    let kind = ItemKind { name: "Thing".into(), key: vec!["id".into()], ..ItemKind::default() };
    let keys = ItemKeys::new(rig.store.identity().secret);
    let space = kind.key_space().into_owned();
    let mut kinds = Kinds::default();
    let kind = kinds.number(|_| false, || Arc::new(kind));
    let key = |item: &Value| {
        let key = item.get("id").map(|id| keys.key(&space, &key_text([id])));
        let own = key.map(|key| OwnKey { key, content: keys.content(item.clone()) });
        Keys { own, unique: vec![] }
    };
    let item_keys = items.iter().map(key).collect();
    let items = items.iter().map(|item| Item { json: item.to_string().into(), kind }).collect();
    Brings { items, keys: item_keys, kinds, spider: "things", fetched_ms, ..Brings::default() }
}

fn thing(id: u64, name: &str) -> Value {
    json!({"id": id, "name": name})
}

fn plain(name: &str) -> Value {
    json!({"name": name})
}

fn life(name: &str, times: [u64; 3], changes: u64) -> (String, u64, u64, u64, u64) {
    (name.to_owned(), times[0], times[1], times[2], changes)
}

#[test]
fn an_item_is_known_by_its_key_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[thing(1, "a"), thing(2, "b"), thing(3, "c")]);
    site.visit("2", &[thing(4, "d")]);
    assert_eq!(site.lives("1")[1], life("b", [1, 1, 0], 0));
    // `b` moves, and changes on the way; `c` is another; `a` stays.
    site.visit("1", &[thing(3, "C"), thing(1, "a")]);
    assert_eq!(site.gone(), ["b"]);
    site.visit("2", &[thing(4, "d"), thing(2, "B")]);
    assert_eq!(site.lives("1"), [life("C", [1, 3, 3], 1), life("a", [1, 3, 0], 0)]);
    assert_eq!(site.lives("2"), [life("d", [2, 4, 0], 0), life("B", [1, 4, 4], 1)]);
    assert_eq!(site.gone(), [""; 0]);
    // The other way round: it is on the new page before it is off the old one.
    let mut site = Site { rig: site.rig.reopened(dir.path()), now: site.now };
    site.visit("1", &[thing(1, "a"), thing(4, "d")]);
    site.visit("2", &[thing(2, "B")]);
    assert_eq!(site.lives("1"), [life("a", [1, 5, 0], 0), life("d", [2, 5, 0], 0)]);
    assert_eq!(site.gone(), ["C"]);
    // What comes back goes on with the life that it had.
    site.visit("3", &[thing(3, "C")]);
    assert_eq!(site.lives("3"), [life("C", [1, 7, 3], 1)]);
    assert_eq!(site.gone(), [""; 0]);
    site.end(dir.path());
}

#[test]
fn an_item_that_two_pages_have_is_gone_when_neither_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[thing(1, "a"), thing(1, "again")]);
    site.visit("2", &[thing(1, "a")]);
    assert_eq!(site.lives("2"), [life("a", [1, 2, 0], 0)]);
    assert_eq!(site.by_key(&["1"]).len(), 2);
    site.visit("1", &[]);
    assert_eq!((site.gone().len(), site.by_key(&["1"]).len()), (0, 1));
    site.visit("2", &[]);
    assert_eq!(site.gone(), ["a"]);
    let rows = site.by_key(&["1"]);
    assert_eq!((&rows[0]["gone"], &rows[0]["url"]), (&json!(true), &json!("http://h/2")));
    assert_eq!(rows[0]["last_seen"], "2023-11-14T22:13:22.000Z");
    site.end(dir.path());
}

#[test]
fn an_item_without_a_key_is_known_by_its_content_or_else_by_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[plain("a"), plain("b"), plain("c")]);
    // A new one comes first, so all others move; the order of fields is no change.
    site.visit("1", &[plain("new"), plain("a"), plain("b"), plain("c")]);
    let old = |name: &str| life(name, [1, 2, 0], 0);
    assert_eq!(site.lives("1"), [life("new", [2, 2, 0], 0), old("a"), old("b"), old("c")]);
    site.visit("1", &[plain("new"), plain("a"), plain("other")]);
    assert_eq!(site.lives("1")[2], life("other", [1, 3, 3], 1));
    // Those that are gone were nothing that could be known again.
    site.visit("1", &[]);
    assert_eq!(site.gone(), [""; 0]);
    site.end(dir.path());
}

#[test]
fn a_visit_that_brings_nothing_better_changes_nothing_and_a_304_is_a_sight() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[thing(1, "a")]);
    let failed = Brings { verdict: Verdict::ServerError, status: 503, ..Brings::default() };
    site.rig.settle("http://h/1", failed);
    assert_eq!(site.lives("1"), [life("a", [1, 1, 0], 0)]);
    let same = Brings { verdict: Verdict::NotModified, status: 304, ..Brings::default() };
    site.rig.settle("http://h/1", same);
    let (_, first, last, changed, _) = site.lives("1").remove(0);
    assert!(first == 1 && last > 1_000_000 && changed == 0, "it was seen just now: {last}");
    // A page that is not there any more has no items.
    let missing = Brings { verdict: Verdict::HttpError, status: 404, ..Brings::default() };
    site.rig.settle("http://h/1", missing);
    assert_eq!(site.gone(), ["a"]);
    site.end(dir.path());
}

#[test]
fn items_can_be_asked_for_by_what_is_known_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[thing(1, "a"), thing(2, "b")]);
    site.visit("2", &[plain("c")]);
    site.visit("1", &[thing(1, "a"), thing(2, "B")]);
    let names = |condition: &str| {
        let fields = vec![condition.parse().unwrap()];
        let rows = site.ask(&Query { what: What::Items, fields, ..Query::default() });
        let name = |row: &Value| row["item"]["name"].as_str().unwrap().to_owned();
        rows.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("kind=Thing and spider=things"), "c a B");
    assert_eq!(names("changed"), "B");
    assert_eq!(names("changed>2023-11-14T22:13:22 and changes=1"), "B");
    assert_eq!(names("first_seen<2023-11-14T22:13:22"), "a B");
    assert_eq!(names("last_seen>=2023-11-14T22:13:23 and not changed"), "a");
    assert_eq!(names("kind=Other"), "");
    // Of a key people write what they see, a number or a text.
    assert_eq!(site.by_key(&["2"])[0]["item"]["name"], "B");
    assert!(site.by_key(&["3"]).is_empty());
    let wrong = Query { what: What::Items, key: vec!["1".into(), "2".into()], ..Query::default() };
    let nothing = &mut |_| ControlFlow::Continue(());
    let error = answer(&site.rig.store.reader(), &wrong, nothing, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("`id`"), "{error}");
    site.end(dir.path());
}

#[test]
fn a_fresh_start_has_no_history() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path());
    site.visit("1", &[thing(1, "a")]);
    site.visit("1", &[]);
    site.rig.end().unwrap();
    drop(site);
    let config = StoreConfig::at(dir.path());
    let store = Store::open(&config, Options { fresh: true }).unwrap();
    let mut site = Site { rig: Rig::with(store), now: 7 };
    assert_eq!(site.gone(), [""; 0]);
    site.visit("1", &[thing(1, "a")]);
    assert_eq!(site.lives("1"), [life("a", [8, 8, 0], 0)]);
}

/// `CRAWL_KEYED_ITEMS=1000000` for a large store.
#[test]
fn one_of_many_items_is_found_by_its_key_at_once() {
    let n_items: u64 = std::env::var("CRAWL_KEYED_ITEMS").map_or(5000, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let n_pages = n_items / 20;
    let (mut sent, mut told) = (0, 0);
    while told < n_pages {
        while sent < n_pages.min(told + 500) {
            let items: Vec<_> = (0..20).map(|i| thing(sent * 20 + i, "thing")).collect();
            let brings = brings(&rig, &items, T0);
            let entry = rig.page(&format!("http://h/{sent}"), brings);
            rig.send(entry);
            sent += 1;
        }
        rig.outcome().unwrap();
        told += 1;
    }
    rig.end().unwrap();
    drop(rig);
    let begun = Instant::now();
    let store = Store::inspect(dir.path()).unwrap();
    let opened = begun.elapsed();
    let mut worst = Duration::ZERO;
    for id in (0..n_items).step_by(usize::try_from(n_items / 100).unwrap()) {
        let begun = Instant::now();
        let query = Query { what: What::Items, key: vec![id.to_string()], ..Query::default() };
        let mut found = Vec::new();
        let mut push = |row| {
            found.push(row);
            ControlFlow::Continue(())
        };
        answer(&store.reader(), &query, &mut push, &mut |_| {}).unwrap();
        worst = worst.max(begun.elapsed());
        assert!(found.len() == 1 && found[0]["item"]["id"] == id, "{found:?}");
    }
    println!("{n_items} items: opened in {opened:?}, the slowest of 100 found in {worst:?}");
    assert!(worst < Duration::from_millis(500), "{worst:?}");
}
