//! `crawl new`, `record` and `check` as their users type them. What needs cargo is in `newcomer.rs`.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{Scratch, Server, crawl, finish, stderr};

/// Runs `crawl` in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Output {
    finish(crawl(args).current_dir(folder).spawn().unwrap())
}

#[track_caller]
fn ok_in(folder: &Path, args: &[&str]) -> String {
    let output = run_in(folder, args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails_in(folder: &Path, args: &[&str], code: i32, says: &[&str]) {
    let output = run_in(folder, args);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    for text in says {
        assert!(told.contains(text), "{args:?}: {told}");
    }
}

#[test]
fn a_spider_in_toml_is_made_recorded_and_checked() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    let next = ok_in(folder, &["new", "books", "--template", "declarative"]);
    assert_eq!(next, "crawl run books.toml\n");
    let config = fs::read_to_string(folder.join("books.toml")).unwrap();
    assert!(config.lines().count() <= 12);
    ok_in(folder, &["run", "books.toml", "-s", "testsite.books=60"]);
    assert_eq!(fs::read_to_string(folder.join("books.jsonl")).unwrap().lines().count(), 60);

    fails_in(folder, &["check", "books.toml"], 1, &["cannot be read", "crawl record books.toml"]);
    let kept = ok_in(folder, &["record", "books.toml", "--pages", "3"]);
    let names = ["index", "catalogue-page-2", "catalogue-page-3"];
    let paths = names.map(|name| format!("tests/books/{name}.http"));
    assert_eq!(kept.lines().collect::<Vec<_>>(), paths);
    let page = fs::read_to_string(folder.join(&paths[1])).unwrap();
    assert!(page.starts_with("# url: http://bookshop.test/catalogue/page-2.html\n"), "{page}");
    assert!(!folder.join("tests/books/.crawl-data").exists());

    // Recorded again: the same files, but for their times.
    let timeless = |text: &str| -> String {
        let is_time = |line: &&str| line.starts_with("# time: ") || line.starts_with("date: ");
        text.lines().filter(|line| !is_time(line)).collect::<Vec<_>>().join("\n")
    };
    ok_in(folder, &["record", "books.toml", "--pages", "3"]);
    let again = fs::read_to_string(folder.join(&paths[1])).unwrap();
    assert_eq!(timeless(&again), timeless(&page));

    // Without snapshots it shows, with them it compares.
    let shown = ok_in(folder, &["check", "books.toml"]);
    assert!(shown.contains("shown    index: 20 items, 1 request\n"), "{shown}");
    assert!(shown.contains("\"price\": 20.82"), "{shown}");
    ok_in(folder, &["check", "books.toml", "--update"]);
    let same = ok_in(folder, &["check", "books.toml"]);
    assert!(same.ends_with("3 of 3 callbacks as in the snapshots\n"), "{same}");

    let changed = config.replace("fields.price = ", "fields.cost = ");
    fs::write(folder.join("books.toml"), changed).unwrap();
    let output = run_in(folder, &["check", "books.toml"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("differs  index: 20 items"), "{told}");
    assert!(told.contains("-       \"price\": 20.82") && told.contains("+       \"cost\": 20.82"));
    assert!(stderr(&output).contains("crawl check books.toml --update"));
    let lines = run_in(folder, &["check", "books.toml", "--json"]);
    let first = String::from_utf8(lines.stdout).unwrap().lines().next().map(str::to_owned);
    let first: Value = serde_json::from_str(&first.unwrap()).unwrap();
    assert_eq!((&first["name"], &first["end"]), (&"catalogue-page-2".into(), &"differs".into()));
}

#[test]
fn a_spider_is_proposed_for_a_list_of_books_and_for_quotes() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    let server = Server::start(&scratch, 60, "0ms");
    scratch.write(
        "local.toml",
        &format!(
            "[politeness]\ndelay = \"0s\"\n[fetch]\nallow-private-addresses = true\n\
             resolve = {{ \"*.test\" = \"{}\" }}\n",
            server.addr
        ),
    );
    for (name, url, n_items, fields) in [
        ("books", "http://bookshop.test/", 20, &["title", "link", "image", "price"][..]),
        ("quotes", "http://quotes.test/", 10, &["text", "author", "tags"][..]),
        ("news", "http://news.test/", 10, &["title", "link"][..]),
    ] {
        let args = ["new", name, "--from", url, "--config", "local.toml"];
        let output = run_in(folder, &args);
        let told = stderr(&output);
        assert!(output.status.success(), "{told}");
        assert!(told.contains(&format!("{n_items} items by `")), "{told}");
        let text = fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        for field in fields {
            assert!(text.contains(&format!("\n{field} = ")), "{field} is not in {text}");
        }
        // It crawls as it is, on to the second page if there is one.
        let local = fs::read_to_string(folder.join("local.toml")).unwrap();
        fs::write(folder.join(format!("{name}-local.toml")), format!("{text}{local}")).unwrap();
        let (config, feed) = (format!("{name}-local.toml"), format!("{name}.jsonl"));
        ok_in(folder, &["run", &config, "-s", "scope.max-pages=2", "-o", &feed]);
        let n_pages = if text.contains("follow = []") { 1 } else { 2 };
        let n = fs::read_to_string(folder.join(feed)).unwrap().lines().count();
        assert_eq!(n, n_pages * n_items, "{text}");
    }
    // robots.txt holds here, too.
    let private = "http://bookshop.test/private/";
    fails_in(
        folder,
        &["new", "x", "--from", private, "--config", "local.toml"],
        1,
        &["robots.txt", "disallows"],
    );
    let book = "http://quotes.test/login";
    fails_in(
        folder,
        &["new", "x", "--from", book, "--config", "local.toml"],
        1,
        &["no repeated structure", "hint: "],
    );
    assert!(!folder.join("x.toml").exists());
}

#[test]
fn what_is_there_is_never_written_over() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    scratch.write("taken.toml", "mine");
    fs::create_dir(folder.join("full")).unwrap();
    scratch.write("full/file", "mine");
    fails_in(folder, &["new", "full"], 2, &["there is a full already", "another name"]);
    fails_in(folder, &["new", "taken", "--template", "declarative"], 2, &["taken.toml already"]);
    fails_in(folder, &["new", "taken", "--from", "full/file"], 2, &["taken.toml already"]);
    assert_eq!(fs::read_to_string(folder.join("taken.toml")).unwrap(), "mine");
    fails_in(folder, &["new", "Tea Shop"], 2, &["no name for a crate", "`tea-shop` would do"]);
    fails_in(folder, &["new", "match"], 2, &["`match-spider` would do"]);
    fails_in(folder, &["new", "../up"], 2, &["`up` would do"]);
    fails_in(folder, &["new", "tea", "--sdk", "full"], 2, &["no SDK in full", "--sdk PATH"]);
    assert!(!folder.join("tea").exists());
    fs::create_dir(folder.join("empty")).unwrap();
    let next = ok_in(folder, &["new", "empty"]);
    assert_eq!(next, "cd empty\ncrawl run empty.toml\ncargo test\n");
    fails_in(folder, &["new", "x", "--from", "none.html"], 1, &["none.html cannot be read"]);
    fails_in(folder, &["record", "none.toml"], 2, &["none.toml"]);
    fails_in(folder, &["check", "none.toml"], 2, &["none.toml"]);
}

#[test]
fn a_recording_keeps_to_the_rules_of_the_config() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    let server = Server::start(&scratch, 60, "0ms");
    scratch.write(
        "shop.toml",
        &format!(
            "seeds = [\"http://bookshop.test/jobs.html\", \"http://bookshop.test/\"]\n\
             [politeness]\ndelay = \"0s\"\n[fetch]\nallow-private-addresses = true\n\
             resolve = {{ \"bookshop.test\" = \"{}\" }}\n\
             [[spider.items]]\nfields.title = \"title\"\n[[feed]]\npath = \"none.jsonl\"\n",
            server.addr
        ),
    );
    let kept = ok_in(folder, &["record", "shop.toml", "--pages", "4", "--into", "pages"]);
    assert_eq!(kept.lines().count(), 4, "{kept}");
    assert_eq!(kept.lines().next(), Some("pages/jobs.http"));
    // A page that is not there is one for the spider's `error`.
    let lost = fs::read_to_string(folder.join("pages/jobs.http")).unwrap();
    assert!(lost.contains("HTTP/1.1 404\n"), "{lost}");
    assert!(!folder.join("none.jsonl").exists() && !folder.join("crawl-data").exists());
    let served = server.served();
    assert_eq!(served[0], "/robots.txt");
    assert!(served.len() <= 7 && !served.iter().any(|path| path.starts_with("/private")));
    let told = ok_in(folder, &["check", "shop.toml", "--fixtures", "pages"]);
    assert!(told.contains("jobs: http-error, 0 items, 0 requests, status 404\n"), "{told}");
}
