//! The README's first command: all of the bundled bookshop, and nothing left to do.

use std::collections::BTreeSet;
use std::path::Path;

use crawl_testsite::Bookshop;

use crate::support::{
    Scratch, Server, crawl, finish, inspect, local_config, run_ok, stderr, tally,
};

fn bookshop_config() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/bookshop.toml").display().to_string()
}

#[test]
fn the_first_command_crawls_the_whole_bookshop_and_a_second_run_fetches_nothing() {
    let scratch = Scratch::new();
    let store = scratch.path("store");
    let path = format!("store.path={}", store.display());
    let feed = scratch.path("books.jsonl");
    let args = ["run", &bookshop_config(), "-s", &path, "-o", feed.to_str().unwrap()];
    let first = run_ok(&args);
    assert!(stderr(&first).contains("crawl inspect"), "{}", stderr(&first));

    let truth = Bookshop::default().truth();
    let pages = inspect(&store, &["pages"]);
    let verdicts = tally(&pages, "verdict");
    assert_eq!(verdicts["ok"], truth.pages, "{verdicts:?}");
    assert_eq!(verdicts.get("http-error").copied().unwrap_or(0), truth.not_found, "{verdicts:?}");
    let urls: BTreeSet<String> = pages
        .iter()
        .filter(|row| row["verdict"] == "ok")
        .map(|row| row["url"].as_str().unwrap().to_owned())
        .collect();
    let expected: BTreeSet<String> =
        truth.urls.iter().map(|path| format!("http://bookshop.test{path}")).collect();
    assert_eq!(urls, expected);

    let items = inspect(&store, &["items"]);
    assert_eq!(items.len(), truth.books);
    assert!(items.iter().all(|row| row["item"]["price"].is_number()), "{:?}", items.first());
    assert_eq!(std::fs::read_to_string(&feed).unwrap().lines().count(), truth.books);
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
    assert!(inspect(&store, &["urls"]).iter().any(|row| row["verdict"] == "robots"));

    let second = run_ok(&args);
    assert!(stderr(&second).contains("--fresh"), "{}", stderr(&second));
    assert_eq!(inspect(&store, &["pages"]), pages, "a finished crawl fetched again");

    let mut fresh = args.to_vec();
    fresh.push("--fresh");
    run_ok(&fresh);
    assert_eq!(inspect(&store, &["items"]).len(), truth.books);
    assert_eq!(std::fs::read_to_string(&feed).unwrap().lines().count(), truth.books);
}

#[test]
fn a_running_crawl_answers_inspect_and_interrupted_it_saves_its_state() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 300, "30ms");
    let store = scratch.path("a-folder-with-a-very-long-name/".repeat(5).trim_end_matches('/'));
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, ""));
    let running = crawl(&["run", &config]).spawn().unwrap();
    while server.served().len() < 50 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!((&stats["running"], &stats["conserved"]), (&true.into(), &true.into()), "{stats}");
    assert!(!inspect(&store, &["pages", "--limit", "3"]).is_empty());

    crate::support::interrupt(&running);
    let output = finish(running);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
    let served = server.served().len();
    run_ok(&["run", &config]);
    let truth = Bookshop { books: 300, ..Bookshop::default() }.truth();
    let pages = inspect(&store, &["pages", "--verdict", "ok"]);
    assert_eq!(pages.len(), truth.pages);
    // A graceful end leaves nothing in flight, so nothing is asked twice but robots.txt.
    let robots = server.served().iter().filter(|path| *path == "/robots.txt").count();
    let distinct: BTreeSet<String> = server.served().into_iter().collect();
    assert_eq!(server.served().len(), distinct.len() + robots - 1, "served {served} before");
}
