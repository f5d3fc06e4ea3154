//! `crawl inspect` as people type it: conditions, sorting, groups, counts, columns, forms.

use serde_json::{Value, json};

use crate::support::{BOOKS, Scratch, Server, inspect, local_config, run, run_ok, stderr};

fn stdout(args: &[&str]) -> String {
    String::from_utf8(run_ok(args).stdout).unwrap()
}

#[test]
fn a_store_answers_what_people_ask() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let store = scratch.path("store");
    let config = scratch.write("c.toml", &local_config(server.addr, &store, BOOKS));
    run_ok(&["run", &config]);

    let all = inspect(&store, &["pages"]);
    let counted = inspect(&store, &["pages", "--count"]);
    assert_eq!(counted, [json!({"count": all.len()})]);
    let dear = inspect(&store, &["items", "-w", "price>=40 and url~catalogue", "--sort=-price"]);
    let prices: Vec<_> = dear.iter().map(|row| row["item"]["price"].as_f64().unwrap()).collect();
    assert!(prices.len() > 3 && prices.is_sorted_by(|a, b| a >= b), "{prices:?}");
    let n_dear = inspect(&store, &["items"])
        .iter()
        .filter(|row| row["item"]["price"].as_f64() >= Some(40.0))
        .count();
    assert_eq!(prices.len(), n_dear);

    let by_host =
        inspect(&store, &["pages", "--group-by", "host,status", "--sum", "bytes,n_items"]);
    let bytes: u64 = all.iter().map(|row| row["bytes"].as_u64().unwrap()).sum();
    let n_ok = all.iter().filter(|row| row["status"] == 200).count();
    let ok = by_host.iter().find(|row| row["status"] == 200).unwrap();
    assert_eq!((&ok["host"], &ok["count"]), (&json!("bookshop.test"), &json!(n_ok)));
    assert_eq!(ok["sum_n_items"], 60);
    assert_eq!(by_host.iter().map(|row| row["sum_bytes"].as_u64().unwrap()).sum::<u64>(), bytes);

    let folder = store.to_str().unwrap();
    let largest =
        inspect(&store, &["pages", "--sort=-bytes,url", "-n", "3", "--columns", "bytes,url"]);
    let mut sizes: Vec<_> = all.iter().map(|row| row["bytes"].as_u64().unwrap()).collect();
    sizes.sort_unstable();
    assert_eq!(largest[0]["bytes"].as_u64(), sizes.last().copied());
    assert_eq!((largest.len(), largest[0].as_object().unwrap().len()), (3, 2));
    let csv = stdout(&["inspect", folder, "items", "--columns", "title,price", "--csv"]);
    assert_eq!((csv.lines().count(), csv.lines().next()), (61, Some("title,price")));

    let seed = "http://bookshop.test/";
    let out = inspect(&store, &["links", "--url", seed]);
    let urls = inspect(&store, &["urls", "-w", &format!("referrer='{seed}'"), "--count"]);
    assert_eq!(urls, [json!({"count": out.len()})]);
    assert!(out.len() > 10 && out.iter().all(|row| row["way"] == "out"), "{out:?}");
    let times = inspect(&store, &["timeline"]);
    let settled = |row: &Value| row["settled"].as_u64().unwrap();
    assert_eq!(times.iter().map(settled).sum::<u64>(), all.len() as u64);
    let robots = inspect(&store, &["robots", "--url", seed]);
    assert!(robots[0]["text"].as_str().unwrap().contains("User-agent"), "{robots:?}");
    assert_eq!(inspect(&store, &["robots"])[0]["text"], Value::Null);

    let wrong = run(&["inspect", folder, "pages", "-w", "status=4xx nad host~shop"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("`nad host~shop`"), "{}", stderr(&wrong));
    let wrong = run(&["inspect", folder, "hosts", "--status", "404"]);
    assert!(stderr(&wrong).contains("ask for `pages`"), "{}", stderr(&wrong));
}
