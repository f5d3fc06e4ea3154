//! What a running crawl was told and has to know after a restart: blocks, and hosts of seeds.

use std::fs;

use crawl_model::Fingerprint;
use crawl_store::{Options, Store};

use crate::rig::{config, open};

#[test]
fn a_block_holds_over_a_restart_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let blocks = store.blocks().unwrap();
    assert_eq!(blocks.get(), Vec::<String>::new());
    assert!(blocks.set("shop.test", true).unwrap());
    assert!(!blocks.set("shop.test", true).unwrap());
    assert!(blocks.set("a.test", true).unwrap());
    drop((blocks, store));
    let store = open(folder.path());
    let blocks = store.blocks().unwrap();
    assert_eq!(blocks.get(), ["a.test", "shop.test"]);
    assert!(blocks.set("a.test", false).unwrap());
    assert!(!blocks.set("a.test", false).unwrap());
    drop((blocks, store));
    assert_eq!(open(folder.path()).blocks().unwrap().get(), ["shop.test"]);
}

#[test]
fn hosts_of_seeds_are_there_after_a_restart_but_not_after_a_fresh_start() {
    let folder = tempfile::tempdir().unwrap();
    let prints = [7, 1, u64::MAX].map(Fingerprint);
    let store = open(folder.path());
    let (file, known) = store.seed_hosts().unwrap();
    assert!(known.is_empty());
    file.append(&prints[..2]).unwrap();
    file.append(&[]).unwrap();
    file.append(&prints[2..]).unwrap();
    drop((file, store));
    let store = open(folder.path());
    assert_eq!(store.seed_hosts().unwrap().1, prints);
    drop(store);
    let fresh = Store::open(&config(folder.path()), Options { fresh: true }).unwrap();
    assert!(fresh.seed_hosts().unwrap().1.is_empty());
}

#[test]
fn a_number_that_a_kill_cut_in_two_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = folder.path().join("seed-hosts");
    fs::write(&path, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]).unwrap();
    let (file, known) = store.seed_hosts().unwrap();
    assert_eq!(known, [Fingerprint(1)]);
    file.append(&[Fingerprint(3)]).unwrap();
    drop((file, known));
    assert_eq!(store.seed_hosts().unwrap().1, [1, 3].map(Fingerprint));
}
