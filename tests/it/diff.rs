//! `crawl diff`: a crawl and its replay are the same; another spider's items are not.

use serde_json::Value;

use crate::support::{BOOKS, Scratch, Server, local_config, run, run_ok, stderr};

#[test]
fn a_crawl_and_its_replay_are_the_same_and_other_items_are_told_field_by_field() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 30, "0ms");
    let (store, same, other) = (scratch.path("store"), scratch.path("same"), scratch.path("other"));
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    let [from, same, other] = [&store, &same, &other].map(|path| path.to_str().unwrap());
    run_ok(&["replay", from, &config, "--into", same]);
    let output = run(&["diff", from, same, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sums: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sums["items"]["same"], 30);

    let renamed = BOOKS.replace("title = \"h1\"", "name = \"h1\"");
    let renamed = scratch.write("other.toml", &format!("seeds = []\n{renamed}"));
    run_ok(&["replay", from, &renamed, "--into", other]);
    let output = run(&["diff", from, other, "--key", "price", "--items"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.starts_with("~ item http://bookshop.test/"), "{text}");
    assert!(text.contains("name (none) -> \""), "{text}");
    assert!(stderr(&output).contains("items: 0 same, 30 changed"), "{}", stderr(&output));
    let output = run(&["diff", from, other, "--pages", "--quiet"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", stderr(&output));

    let nothing = scratch.path("nothing");
    let output = run(&["diff", from, nothing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
