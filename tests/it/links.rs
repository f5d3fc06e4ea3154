//! `crawl inspect STORE links`: all links of archived pages, in and out, and of which pages they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::{BOOKS, Scratch, Server, inspect, local_config, run, run_ok, stderr};

fn rows(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

/// What `crawl links` says of the archived body of each page: target and text of each link.
fn truth(store: &str, pages: &[Value]) -> BTreeMap<String, Vec<(String, String)>> {
    let links_of = |page: &Value| {
        let url = text(page, "url").to_owned();
        let body = run_ok(&["inspect", store, "body", "--url", &url]).stdout;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), body).unwrap();
        let path = file.path().to_str().unwrap();
        let found = rows(&run_ok(&["links", "--base", &url, path]));
        let of = |row: &Value| {
            let (to, fragment) = match text(row, "url").split_once('#') {
                Some((to, _)) => (to, true),
                None => (text(row, "url"), false),
            };
            let words: Vec<&str> = text(row, "text").split_whitespace().collect();
            // What leads to no page of the web, or within the page, is no link for a crawl.
            let is_link = to.starts_with("http") && !(fragment && to == url);
            is_link.then(|| (to.to_owned(), words.join(" ")))
        };
        let links = found.iter().filter_map(of).collect();
        (url, links)
    };
    pages.iter().map(links_of).collect()
}

#[test]
fn all_links_of_all_archived_pages_are_told_in_both_directions() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 40, "0ms");
    let path = scratch.path("store");
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &path, &more));
    run_ok(&["run", &config]);
    let store = path.to_str().unwrap();
    let pages = inspect(&path, &["pages", "--where", "body"]);
    let truth = truth(store, &pages);

    // The whole graph, in the order in which the pages settled.
    let output = run_ok(&["inspect", store, "links", "--all"]);
    let said = format!("read {} archived pages", pages.len());
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    let mut found = BTreeMap::<String, Vec<(String, String)>>::new();
    let mut order = Vec::new();
    for row in rows(&output) {
        let from = text(&row, "url").to_owned();
        if order.last() != Some(&from) {
            order.push(from.clone());
        }
        let link = (text(&row, "to").to_owned(), text(&row, "text").to_owned());
        found.entry(from).or_default().push(link);
    }
    let settled = pages.iter().map(|page| text(page, "url").to_owned());
    let settled: Vec<_> = settled.filter(|url| !truth[url].is_empty()).collect();
    assert_eq!(order, settled);
    for (url, links) in truth.iter().filter(|(_, links)| !links.is_empty()) {
        assert_eq!(found[url].len(), links.len(), "{url}");
        assert_eq!(&found[url], links, "{url}");
    }

    // A book on several lists: the log knows one of them.
    let n_from = |to: &str| truth.values().filter(|links| links.iter().any(|l| l.0 == to)).count();
    let targets: BTreeSet<&String> = truth.values().flatten().map(|(to, _)| to).collect();
    let target = targets.iter().max_by_key(|to| n_from(to)).unwrap();
    let linked = inspect(&path, &["links", "--in", target]);
    let linking: BTreeSet<&str> = linked.iter().map(|row| text(row, "url")).collect();
    assert!(linking.len() > 1);
    let all = truth.iter().filter(|(_, links)| links.iter().any(|link| &link.0 == *target));
    assert_eq!(linking, all.map(|(url, _)| url.as_str()).collect());
    assert!(linked.iter().all(|row| row["way"] == "in" && row["kind"] == "anchor"), "{linked:?}");
    let first = inspect(&path, &["links", "--url", target, "-w", "way=in"]);
    assert!(first.len() <= 1);

    let some = &settled[3];
    let out = inspect(&path, &["links", "--out", some, "-w", "text"]);
    let with_text = truth[some].iter().filter(|(_, text)| !text.is_empty());
    assert_eq!(out.len(), with_text.count());
    assert_eq!(inspect(&path, &["links", "--all", "-n", "7"]).len(), 7);
    let counted = inspect(&path, &["links", "--all", "--count"]);
    assert_eq!(counted[0]["count"], truth.values().map(Vec::len).sum::<usize>());
}

#[test]
fn what_cannot_be_read_is_said() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let path = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &path, BOOKS));
    run_ok(&["run", &config]);
    let store = path.to_str().unwrap();
    let seed = "http://bookshop.test/";
    let output = run(&["inspect", store, "links", "--in", seed]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("store.bodies"), "{}", stderr(&output));
    for (args, says) in [
        (&["links"][..], "--url URL"),
        (&["pages", "--in", seed], "only links have"),
        (&["links", "--out", "http://bookshop.test/nowhere"], "has not settled"),
        (&["links", "--all", "--status", "404"], "no status"),
    ] {
        let output = run(&[&["inspect", store], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_body_that_is_damaged_costs_its_own_links_only() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let path = scratch.path("store");
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &path, &more));
    run_ok(&["run", &config]);
    let store = path.to_str().unwrap();
    let pages = inspect(&path, &["pages", "--where", "body"]);
    let body = &pages[5]["body"];
    let file = path.join("bodies").join(text(body, "file"));
    let mut bytes = fs::read(&file).unwrap();
    let at = body["offset"].as_u64().unwrap() + body["len"].as_u64().unwrap() / 2;
    bytes[usize::try_from(at).unwrap()] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = run_ok(&["inspect", store, "links", "--all"]);
    assert!(stderr(&output).contains("1 of them cannot be read"), "{}", stderr(&output));
    let from: BTreeSet<String> =
        rows(&output).iter().map(|row| text(row, "url").to_owned()).collect();
    assert!(!from.contains(text(&pages[5], "url")) && from.contains(text(&pages[4], "url")));
}
