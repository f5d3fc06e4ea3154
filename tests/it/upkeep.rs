//! A crawl's folder in use for long: what is damaged is mended, what is old goes, what is said is said.

use std::fs;

use crate::support::{BOOKS, Scratch, Server, inspect, local_config, run, run_ok, stderr};

#[test]
fn a_body_that_is_lost_is_told_by_every_command_that_would_read_it() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 30, "0ms");
    let (store, into) = (scratch.path("store"), scratch.path("replayed"));
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    let pages = inspect(&store, &["pages", "--where", "n_items=1"]);
    let lost = &pages[7];
    let (url, body) = (lost["url"].as_str().unwrap(), &lost["body"]);
    let number = |name: &str| usize::try_from(body[name].as_u64().unwrap()).unwrap();
    let file = store.join("bodies").join(body["file"].as_str().unwrap());
    let mut bytes = fs::read(&file).unwrap();
    bytes[number("offset") + number("len") / 2] ^= 4;
    fs::write(&file, &bytes).unwrap();

    let (from, to) = (store.to_str().unwrap(), into.to_str().unwrap());
    assert_eq!(run(&["verify", from]).status.code(), Some(1));
    let output = run_ok(&["verify", from, "--repair"]);
    assert!(stderr(&output).contains("was written anew as bodies/"), "{}", stderr(&output));
    run_ok(&["verify", from]);

    let page = &inspect(&store, &["pages", "--url", url])[0];
    assert!(page.get("body").is_none(), "{page}");
    let why = page["body_lost"].as_str().unwrap();
    assert!(why.contains("is damaged"), "{why}");
    let output = run(&["inspect", from, "body", "--url", url]);
    assert!(!output.status.success() && stderr(&output).contains(why), "{}", stderr(&output));
    for other in pages.iter().filter(|page| page["url"] != url) {
        run_ok(&["inspect", from, "body", "--url", other["url"].as_str().unwrap()]);
    }

    let output = run_ok(&["replay", from, &config, "--into", to]);
    assert!(stderr(&output).contains("1 pages left out: their bodies were lost"), "{output:?}");
    assert_eq!(inspect(&into, &["items"]).len(), pages.len() - 1);
    crate::kill::assert_clean(&into);
}
