//! What an opponent could make slow.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::{MAX_BYTES, Robots};

#[test]
fn hostile_patterns_take_linear_time() {
    let pattern = format!("/{}x", "a*".repeat(50));
    let path = format!("/{}", "a".repeat(100_000));
    let rules = Robots::parse(format!("User-agent: *\nDisallow: {pattern}").as_bytes()).rules("a");
    let anchored = format!("User-agent: *\nDisallow: {pattern}$");
    let anchored = Robots::parse(anchored.as_bytes()).rules("a");
    let started = Instant::now();
    for _ in 0..20 {
        assert!(rules.allows(&path) && anchored.allows(&path));
    }
    // 2 MB of path at well under 1 GB/s; a quadratic match would take minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_file_full_of_wildcards_is_compiled_in_no_time() {
    let file = format!("User-agent: *\nDisallow: /{}\n", "*".repeat(MAX_BYTES - 40));
    let started = Instant::now();
    assert!(!Robots::parse(file.as_bytes()).rules("a").allows("/x"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn of_a_file_full_of_rules_few_are_looked_at() {
    let mut file = String::from("User-agent: *\n");
    for i in 0.. {
        let (star, allow) = (["", "*"][i % 2], ["Dis", "Dis", "", "Dis"][i % 4]);
        writeln!(file, "{allow}allow: /shop/{star}item-{i}").unwrap();
        if file.len() > 500_000 {
            break;
        }
    }
    let started = Instant::now();
    let rules = Robots::parse(file.as_bytes()).rules("a");
    for i in 0..1000 {
        // Numbers are prefixes of others: 1000 forbids what 100 allows, and so on.
        let path = format!("/shop/item-{}?page=2", i + 9000);
        assert_eq!(rules.allows(&path), i % 4 == 2, "{path}");
        assert!(rules.allows(&format!("/about/{i}")));
    }
    // In a debug build on a busy machine; a bench says what it takes in truth.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
