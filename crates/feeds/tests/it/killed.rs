//! `kill -9` again and again, with feeds of all formats.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crawl_feeds::{FeedConfig, FieldChoice};
use serde_json::{Value, json};

use crate::read::{cells, items, texts};
use crate::rig::Rig;

const FOLDER: &str = "CRAWL_FEEDS_TEST_FOLDER";
const LIFETIME: Duration = Duration::from_secs(60);
/// Names of the files; those with `batch` are in batches.
const FILES: &[&str] = &[
    "items.jsonl",
    "items.jsonl.gz",
    "items.json",
    "items.json.zst",
    "items.csv",
    "items.csv.gz",
    "items.xml",
    "batch.jsonl",
    "batch.csv.zst",
    "batch.json",
    #[cfg(feature = "sqlite")]
    "items.sqlite",
    #[cfg(feature = "parquet")]
    "items.parquet",
    #[cfg(feature = "parquet")]
    "batch.parquet",
];

fn feeds(folder: &Path) -> Vec<FeedConfig> {
    let file = |name: &&str| FeedConfig {
        batch_items: if name.starts_with("batch") { 70 } else { 0 },
        ..FeedConfig::to(folder.join("feeds").join(name))
    };
    let few = FeedConfig {
        fields: ["page.n=n", "i"].map(FieldChoice::parse).into(),
        conditions: vec!["of=a".parse().unwrap()],
        ..FeedConfig::to(folder.join("feeds/few.csv"))
    };
    FILES.iter().map(file).chain([few]).collect()
}

/// Items of page `i`. Every so often one has a field that none had before.
fn items_of(i: u64) -> Vec<Value> {
    let mut odd = json!({"i": i, "of": "b", "list": [i, "x"]});
    if i % 400 == 399 {
        odd[format!("late {}", i / 400 % 20)] = json!("here\nat last");
    }
    vec![json!({"i": i, "of": "a", "text": format!("a \"quoted\", text {i}")}), odd]
}

fn send(rig: &Rig, i: u64) {
    rig.send_items(i, items_of(i).iter().map(Value::to_string).collect());
}

/// Not a test of its own: does nothing unless the test below runs it.
#[test]
fn the_process_that_dies() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut rig = Rig::with(folder, &feeds(folder), false);
    let mut next = rig.store.recovery().last;
    let end = Instant::now() + LIFETIME;
    while Instant::now() < end {
        (next..next + 8).for_each(|i| send(&rig, i));
        (0..8).for_each(|_| rig.settled());
        next += 8;
        println!("settled {next}");
    }
}

fn child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["killed::the_process_that_dies", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_again_and_again_every_file_has_every_item_once() {
    let dir = tempfile::tempdir().unwrap();
    for n in [1, 40, 3, 150, 1, 220] {
        let mut child = child(dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let settles = lines.map(|line| line.unwrap()).filter(|line| line.contains("settled"));
        assert_eq!(settles.take(n).count(), n);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut rig = Rig::with(dir.path(), &feeds(dir.path()), false);
    let last = rig.store.recovery().last;
    assert!(last >= 415 * 8);
    send(&rig, last);
    rig.end();
    let expected: Vec<Value> = (0..=last).flat_map(items_of).collect();
    for name in FILES {
        let path = dir.path().join("feeds").join(name);
        let found = if name.starts_with("batch") { batches(&path) } else { items(&path) };
        let expected: Vec<Value> = match () {
            () if name.contains(".csv") => {
                expected.iter().map(|item| texts(item, Value::to_string)).collect()
            }
            () if name.contains(".xml") => {
                expected.iter().map(|item| texts(item, |_| "..".into())).collect()
            }
            () if name.contains(".sqlite") || name.contains(".parquet") => {
                expected.iter().map(cells).collect()
            }
            () => expected.clone(),
        };
        assert!(found == expected, "{name} differs: {} of {}", found.len(), expected.len());
    }
    let few = items(&dir.path().join("feeds/few.csv"));
    assert_eq!(few.len() as u64, last + 1);
    assert_eq!(few[7], json!({"n": "8", "i": "7"}));
}

/// The items of all batches, of which each but the last must be full.
fn batches(path: &Path) -> Vec<Value> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (stem, extension) = name.split_once('.').unwrap();
    let mut all = Vec::new();
    for number in 1.. {
        let path = path.with_file_name(format!("{stem}-{number:06}.{extension}"));
        if !path.exists() {
            let mut part = path.into_os_string();
            part.push(".part");
            assert!(!Path::new(&part).exists(), "a part is left");
            return all;
        }
        assert_eq!(all.len() % 70, 0, "{}: the batch before is not full", path.display());
        all.extend(items(&path));
    }
    unreachable!("there are not so many")
}
