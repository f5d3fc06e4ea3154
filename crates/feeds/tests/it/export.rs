//! Any items in, the same items out.

use std::fs;

use crawl_feeds::{Export, FeedConfig};
use crawl_model::{CanonicalUrl, PageRecord, Verdict};
use crawl_store::{Provenance, StoredItem};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::read::{items, texts};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|number: f64| json!(number)),
        "[ -~\\n\\r\\t,\"äß€😀&<>\u{1}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-c ]{0,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn item() -> impl Strategy<Value = Value> {
    btree_map("[a-d,\" \\n0é]{1,3}", value(), 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
}

fn stored(json: &str) -> StoredItem {
    StoredItem { json: json.to_owned(), provenance: Provenance::default() }
}

fn page() -> PageRecord {
    PageRecord::new(CanonicalUrl::parse("http://h/").unwrap(), Verdict::Ok)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_are_read_back_as_they_were(all in vec(item(), 0..12)) {
        let dir = tempfile::tempdir().unwrap();
        let formats: &[&str] = &[
            "jsonl", "json", "csv", "xml", "jsonl.gz", "json.zst", "csv.gz",
            #[cfg(feature = "parquet")] "parquet",
        ];
        for &extension in formats {
            let path = dir.path().join(format!("items.{extension}"));
            let mut export = Export::open(&FeedConfig::to(&path)).unwrap();
            export.page(&page(), all.iter().map(|item| stored(&item.to_string()))).unwrap();
            prop_assert_eq!(export.finish().unwrap(), all.len() as u64);
            if extension.starts_with("csv") && all.iter().all(|item| item == &json!({})) {
                continue; // no columns, no rows
            }
            let expected: Vec<Value> = match extension {
                "csv" | "csv.gz" => all.iter().map(|item| texts(item, Value::to_string)).collect(),
                "xml" => all.iter().map(in_xml).collect(),
                "parquet" => in_parquet(&all),
                _ => all.clone(),
            };
            prop_assert_eq!(items(&path), expected, "{}", extension);
        }
    }
}

/// As the reader has it: no XML can hold control characters; what is nested is `..`, or nothing if
/// there is no element in it.
fn in_xml(item: &Value) -> Value {
    let clean = item.to_string().replace("\\u0001", "\u{FFFD}");
    let item: Value = serde_json::from_str(&clean).unwrap();
    texts(&item, |value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty);
        if is_empty { String::new() } else { "..".to_owned() }
    })
}

/// A column has one type: where numbers are among other things, all are texts.
fn in_parquet(all: &[Value]) -> Vec<Value> {
    let values = |name: &str| -> Vec<&Value> {
        let values = all.iter().filter_map(|item| item.get(name));
        values.filter(|value| !value.is_null()).collect()
    };
    let cell = |(name, value): (&String, &Value)| {
        let one_type = values(name).into_iter().all(Value::is_boolean)
            || values(name).into_iter().all(Value::is_i64)
            || values(name)
                .into_iter()
                .all(|v| v.is_number() && (v.is_f64() || v.as_i64().unwrap().abs() <= 1 << 53));
        let value = match value {
            Value::Null => return None,
            Value::String(text) => json!(text),
            Value::Number(number) if one_type && values(name).into_iter().any(Value::is_f64) => {
                json!(number.as_f64())
            }
            Value::Bool(_) | Value::Number(_) if one_type => value.clone(),
            value => json!(value.to_string()),
        };
        Some((name.clone(), value))
    };
    let row =
        |item: &Value| item.as_object().unwrap().iter().filter_map(cell).collect::<Map<_, _>>();
    all.iter().map(|item| row(item).into()).collect()
}

#[test]
fn an_export_that_breaks_off_leaves_the_old_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("items.json");
    fs::write(&path, "old").unwrap();
    let mut export = Export::open(&FeedConfig::to(&path)).unwrap();
    export.page(&page(), [stored("{}")]).unwrap();
    drop(export);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    let mut export = Export::open(&FeedConfig::to(&path)).unwrap();
    export.page(&page(), [stored("{\"a\": 1}")]).unwrap();
    export.finish().unwrap();
    assert_eq!(items(&path), [json!({"a": 1})]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_export_in_batches_numbers_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let config = FeedConfig { batch_items: 2, ..FeedConfig::to(dir.path().join("items.csv")) };
    for _ in 0..2 {
        let mut export = Export::open(&config).unwrap();
        for _ in 0..5 {
            export.page(&page(), [stored("{\"a\": 1}")]).unwrap();
        }
        assert_eq!(export.finish().unwrap(), 5);
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["items-000001.csv", "items-000002.csv", "items-000003.csv"]);
    }
}
