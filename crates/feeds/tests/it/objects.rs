//! Objects of a server that speaks S3, through its restarts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crawl_feeds::{Feed, FeedConfig, FeedError};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::read::items;
use crate::rig::{Rig, open};
use crate::servers::{Moto, until};

fn feed(moto: &Moto, key: &str, batch_items: u64) -> FeedConfig {
    let options = [
        ("endpoint", format!("http://127.0.0.1:{}", moto.port)),
        ("region", "us-east-1".to_owned()),
        ("allow-http", "true".to_owned()),
        ("access-key-id", "k".to_owned()),
        ("secret-access-key", "hunter2".to_owned()),
    ];
    FeedConfig {
        batch_items,
        options: options.map(|(name, value)| (name.to_owned(), value)).into(),
        ..FeedConfig::to(format!("s3://feeds/{key}"))
    }
}

fn store(moto: &Moto) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_bucket_name("feeds")
        .with_endpoint(format!("http://127.0.0.1:{}", moto.port))
        .with_region("us-east-1")
        .with_allow_http(true)
        .with_access_key_id("k")
        .with_secret_access_key("s")
        .build()
        .unwrap()
}

/// All objects by name, written into a folder.
fn objects(moto: &Moto, folder: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = store(moto);
    fs::create_dir_all(folder).unwrap();
    runtime.block_on(async {
        let listed = store.list_with_delimiter(Some(&"out".into())).await.unwrap();
        let mut names = Vec::new();
        for object in listed.objects {
            let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
            let name = object.location.filename().unwrap().to_owned();
            fs::write(folder.join(&name), bytes).unwrap();
            names.push(name);
        }
        names.sort();
        names
    })
}

fn pages(items: &[Value]) -> BTreeMap<u64, usize> {
    let mut pages = BTreeMap::new();
    for item in items {
        *pages.entry(item["i"].as_u64().unwrap()).or_default() += 1;
    }
    pages
}

#[test]
fn a_server_that_restarts_in_the_middle_loses_and_doubles_nothing() {
    let mut moto = Moto::start();
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("taken");
    let feeds = [feed(&moto, "out/items.jsonl.gz", 40)];
    let mut rig = Rig::with(dir.path(), &feeds, false);
    let mut next = 0;
    let mut settle = |rig: &mut Rig, n: u64| {
        for i in next..next + n {
            rig.send(i);
            rig.settled();
        }
        next += n;
        next
    };
    settle(&mut rig, 150);
    // It forgets all when it ends; what is there by then is taken away.
    until(|| (objects(&moto, &taken).len() >= 7).then_some(()));
    moto.stop();
    settle(&mut rig, 100);
    moto.restart();
    let last = settle(&mut rig, 50);
    rig.end();
    drop(rig);
    objects(&moto, &taken);
    let mut all = Vec::new();
    let mut names: Vec<_> = fs::read_dir(&taken).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in &names {
        all.extend(items(path));
    }
    assert_eq!(names.len() as u64, last * 2 / 40);
    assert_eq!(pages(&all), (0..last).map(|i| (i, 2)).collect());
    let spool: Vec<_> = fs::read_dir(dir.path().join("crawl/feeds")).unwrap().collect();
    assert!(spool.is_empty(), "{spool:?}");
}

#[test]
fn one_object_grows_from_run_to_run_and_is_never_somebody_elses() {
    let moto = Moto::start();
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(&moto, "out/items.csv", 0), feed(&moto, "out/deep/items.xml.zst", 0)];
    for run in 0..3 {
        let mut rig = Rig::with(dir.path(), &feeds, false);
        (run * 10..run * 10 + 10).for_each(|i| rig.send(i));
        rig.end();
        drop(rig);
        let taken = dir.path().join("taken");
        assert_eq!(objects(&moto, &taken), ["items.csv"]);
        assert_eq!(items(&taken.join("items.csv")).len() as u64, run * 20 + 20);
    }
    let other = open(&dir.path().join("other"), false);
    let error = Feed::open(&feeds[0], other.reader(), false).unwrap_err();
    assert!(matches!(error, FeedError::NotOurs { .. }), "{error}");
}

/// More than one request carries.
#[test]
fn a_large_object_goes_in_parts() {
    let moto = Moto::start();
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::with(dir.path(), &[feed(&moto, "out/items.jsonl", 0)], false);
    let text = "x".repeat(1 << 20);
    for i in 0..40 {
        rig.send_items(i, vec![format!("{{\"i\":{i},\"text\":\"{text}\"}}")]);
        rig.settled();
    }
    rig.end();
    let taken = dir.path().join("taken");
    objects(&moto, &taken);
    assert_eq!(pages(&items(&taken.join("items.jsonl"))).len(), 40);
}

#[test]
fn a_bucket_that_is_not_there_is_said_and_no_key_is_shown() {
    let moto = Moto::start();
    let dir = tempfile::tempdir().unwrap();
    let mut config = feed(&moto, "out/items.jsonl", 1);
    config.path = "s3://nobodys/items.jsonl".into();
    let mut rig = Rig::with(dir.path(), &[config.clone()], false);
    rig.send(0);
    let error = rig.try_end().pop().unwrap().unwrap_err();
    assert!(matches!(error, FeedError::Refused { .. }), "{error}");
    assert!(!format!("{error:?} {config:?}").contains("hunter2"), "{error:?}");
    config.options.insert("colour".into(), "blue".into());
    let error = Feed::open(&config, rig.store.reader(), true).unwrap_err();
    assert!(matches!(error, FeedError::Config(_)), "{error}");
}
