//! Parquet files of one feed, read by another implementation: they agree on their columns.

use std::path::Path;

use crawl_feeds::{FeedConfig, FieldChoice};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::servers::python_tool;

/// Says of each file which columns it has, and reads all of them as one table.
const PROGRAM: &str = "\
import json, sys, pyarrow as pa, pyarrow.parquet as pq
tables = [pq.read_table(path) for path in sys.argv[1:]]
columns = [[f'{field.name} {field.type}' for field in table.schema] for table in tables]
last = tables[-1].schema
def fit(table):
    have = set(table.schema.names)
    arrays = [table[f.name].cast(f.type) if f.name in have else pa.nulls(len(table), f.type) for f in last]
    return pa.table(arrays, schema=last)
rows = pa.concat_tables([fit(table) for table in tables]).to_pylist()
print(json.dumps({'columns': columns, 'rows': rows}))
";

fn read(files: &[std::path::PathBuf]) -> Value {
    let output = python_tool("python3").args(["-c", PROGRAM]).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(folder: &Path, feed: &FeedConfig, first: u64, items: &[Value]) {
    let mut rig = Rig::with(folder, std::slice::from_ref(feed), false);
    for (i, item) in (first..).zip(items) {
        rig.send_items(i, vec![item.to_string()]);
    }
    rig.end();
}

#[test]
fn the_files_of_a_feed_agree_on_their_columns_over_several_runs() {
    let dir = tempfile::tempdir().unwrap();
    let feed =
        FeedConfig { batch_items: 2, ..FeedConfig::to(dir.path().join("b-{batch}.parquet")) };
    let first = [
        json!({"id": 1, "price": 1, "new": true, "nothing": null}),
        json!({"id": 2, "price": 2, "tags": ["a"]}),
        // Fewer columns, and floating point where integers were.
        json!({"id": 3, "price": 2.5}),
        json!({"id": 4}),
    ];
    run(dir.path(), &feed, 0, &first);
    // Another run; a text where there were numbers, and then numbers again.
    let second = [
        json!({"id": "five", "price": 5, "nothing": 1}),
        json!({"id": 6}),
        json!({"id": 7, "new": "yes"}),
        json!({"id": 8}),
    ];
    run(dir.path(), &feed, 4, &second);
    let files: Vec<_> = (1..=4).map(|n| dir.path().join(format!("b-{n:06}.parquet"))).collect();
    let found = read(&files);
    assert_eq!(
        found["columns"],
        json!([
            ["id int64", "price int64", "new bool", "tags string"],
            ["id int64", "price double", "new bool", "tags string"],
            ["id string", "price double", "new bool", "nothing int64", "tags string"],
            ["id string", "price double", "new string", "nothing int64", "tags string"],
        ])
    );
    let ids: Vec<_> = found["rows"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "five", "6", "7", "8"]);
}

#[test]
fn a_chosen_column_without_a_value_is_text_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let feed = FeedConfig {
        batch_items: 1,
        fields: ["n", "late"].map(FieldChoice::parse).into(),
        ..FeedConfig::to(dir.path().join("b-{batch}.parquet"))
    };
    run(dir.path(), &feed, 0, &[json!({"n": 1}), json!({"n": 2, "late": 3})]);
    let files: Vec<_> = (1..=2).map(|n| dir.path().join(format!("b-{n:06}.parquet"))).collect();
    let found = read(&files);
    assert_eq!(found["columns"], json!([["n int64", "late string"], ["n int64", "late string"]]));
    assert_eq!(found["rows"][1], json!({"n": 2, "late": "3"}));
}
