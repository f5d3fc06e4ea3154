//! What a newcomer does, in an empty folder with the binary and the repository: makes a spider, runs
//! it, tests it. With the real cargo, and wall times printed (`-- --nocapture` shows them).
//!
//! `CRAWL_NEWCOMER=1` builds with nothing built before, as it is on a newcomer's machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Scratch, crawl, stderr};

/// Longest time for one command, building included.
const LIMIT: Duration = Duration::from_secs(900);

/// A command in a folder, to its end; says how long it took.
#[track_caller]
pub(crate) fn timed(folder: &Path, what: &str, command: &mut Command) -> Output {
    let start = Instant::now();
    let mut child = command
        .current_dir(folder)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A build may print more than a pipe holds.
    let drain = |mut pipe: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    let stdout = drain(Box::new(child.stdout.take().unwrap()));
    let stderr = drain(Box::new(child.stderr.take().unwrap()));
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    println!("{:6.1} s  {what}", start.elapsed().as_secs_f64());
    let output = Output { status, stdout, stderr };
    assert!(
        status.success(),
        "{what}: {status}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        self::stderr(&output)
    );
    output
}

/// A `crawl` command whose plugins are built in `target`; without one, where users have it.
pub(crate) fn crawl_with(args: &[&str], target: Option<&Path>) -> Command {
    let mut command = crawl(args);
    let own = std::env::vars_os().filter(|(key, _)| {
        // What cargo set for this test is not there for a newcomer.
        let key = key.to_string_lossy();
        key.starts_with("CARGO_PKG") || key.starts_with("CARGO_BIN") || key == "CARGO_MANIFEST_DIR"
    });
    for (key, _) in own {
        command.env_remove(key);
    }
    match target {
        Some(target) => command.env("CARGO_TARGET_DIR", target),
        None => command.env_remove("CARGO_TARGET_DIR"),
    };
    command
}

/// One target folder for all, so that the SDK and the parser are built once.
pub(crate) fn shared_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("spiders")
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn the_books_are_there_after_two_commands_and_fifteen_lines() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    // A newcomer has nothing built; the gate tries that, other runs are spared it.
    let is_cold = std::env::var_os("CRAWL_NEWCOMER").is_some();
    let target = shared_target();
    let target = (!is_cold).then_some(&*target);
    let start = Instant::now();
    timed(folder, "crawl new books", &mut crawl_with(&["new", "books"], target));
    let books = &folder.join("books");
    timed(books, "crawl run books.toml", &mut crawl_with(&["run", "books.toml"], target));
    println!("{:6.1} s  from nothing to items, in Rust", start.elapsed().as_secs_f64());
    assert_eq!(lines(&books.join("items.jsonl")), 1000);
    assert!(lines(&books.join("src/lib.rs")) <= 15);
}

#[test]
fn the_books_are_there_after_one_command_and_twelve_lines() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    let spider = r#"seeds = ["http://bookshop.test/"]
[spider]
follow = ["li.next a"]
[[spider.items]]
select = "article.product_pod"
[spider.items.fields]
title = "h3 a @title"
price = { css = ".price_color", type = "number" }
[[feed]]
path = "books.jsonl"
[testsite]
"#;
    assert!(spider.lines().count() <= 12);
    scratch.write("books.toml", spider);
    timed(folder, "crawl run books.toml", &mut crawl_with(&["run", "books.toml"], None));
    assert_eq!(lines(&folder.join("books.jsonl")), 1000);
}

#[test]
fn what_is_made_builds_crawls_and_passes_its_own_test() {
    let scratch = Scratch::new();
    let folder = &scratch.path("");
    let target = &shared_target();
    for (template, n_items) in [("basic", 60), ("rules", 60), ("sitemap", 60), ("login", 100)] {
        let name = format!("a-{template}-spider");
        let config = format!("{name}.toml");
        let new = ["new", &name, "--template", template];
        timed(folder, &new.join(" "), &mut crawl_with(&new, None));
        let made = &folder.join(&name);
        let test = format!("cargo test ({template})");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--offline", "--quiet", "--test", "spider"]);
        // Shorter to build; a newcomer's has debug information.
        cargo.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo.env_remove("CARGO_MANIFEST_DIR").env_remove("CRAWL_UPDATE");
        timed(made, &test, &mut cargo);
        let run = ["run", &config, "-s", "testsite.books=60"];
        timed(made, &run.join(" "), &mut crawl_with(&run, Some(target)));
        assert_eq!(lines(&made.join("items.jsonl")), n_items, "{template}");
        let check = ["check", &config];
        let output = timed(made, &check.join(" "), &mut crawl_with(&check, Some(target)));
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains("callbacks as in the snapshots"), "{told}");
    }
}
