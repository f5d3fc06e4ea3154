//! `crawl verify` over whole crawls: what the frontier keeps is damaged by hand, file by file, and
//! each time it is found, named and mended. (The database, the log, bodies and feeds: in the
//! store's own tests.)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{BOOKS, Scratch, Server, crawl, finish, local_config, run, run_ok, stderr};

fn verify(store: &Path, args: &[&str]) -> (Output, Vec<Value>) {
    let args = [&["verify", store.to_str().unwrap(), "--json"], args].concat();
    let output = finish(crawl(&args).spawn().unwrap());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, rows)
}

/// Names of the findings that are damage.
fn damage(store: &Path) -> Vec<String> {
    let (output, rows) = verify(store, &[]);
    let is_damage = |row: &&Value| row["level"] == "damage";
    let names: Vec<String> =
        rows.iter().filter(is_damage).map(|row| row["finding"].as_str().unwrap().into()).collect();
    let code = output.status.code();
    assert_eq!(code, Some(i32::from(!names.is_empty())), "{names:?} {}", stderr(&output));
    names
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[test]
fn damage_to_what_the_frontier_keeps_is_found_named_and_mended() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 120, "0ms");
    let store = scratch.path("store");
    let more = format!(
        "bodies = \"html\"\n[queue]\ncheckpoint-after = 40\n[scope]\nmax-pages = 60\n{BOOKS}"
    );
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    assert_eq!(damage(&store), [""; 0]);

    // But for those that no checkpoint names.
    let (_, rows) = verify(&store, &[]);
    let is_left = |path: &PathBuf| {
        let name = path.strip_prefix(&store).unwrap().to_str().unwrap();
        rows.iter().any(|row| row["finding"] == "leftover" && row["file"] == name)
    };
    let mut tables = files(&store.join("frontier"));
    tables.retain(|path| !is_left(path));
    let named =
        |part: &str| tables.iter().filter(|path| path.to_str().unwrap().contains(part)).count();
    assert!(named("/queue/") > 0 && named("/seen/") > 0 && named("checkpoint") == 1, "{tables:?}");
    let kept: Vec<(PathBuf, Vec<u8>)> =
        tables.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let restore = || {
        for (path, bytes) in &kept {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    };
    let mut last = None;
    for (path, bytes) in &kept {
        let name = path.to_str().unwrap();
        let (missing, changed) = match name {
            _ if name.contains("/queue/") => ("missing-queue-segment", "queue-damaged"),
            _ if name.contains("/seen/") => ("missing-run", "run-damaged"),
            _ => ("", "checkpoint-damaged"),
        };
        if !missing.is_empty() {
            fs::remove_file(path).unwrap();
            let found = damage(&store);
            assert!(found.iter().any(|name| name == missing), "{name} is gone: {found:?}");
            restore();
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 12 + 1).chain([bytes.len() - 1]) {
            let mut other = bytes.clone();
            other[at] ^= 0x55;
            fs::write(path, other).unwrap();
            let found = damage(&store);
            assert!(found.iter().any(|name| name == changed), "{name} at {at}: {found:?}");
            last = Some(found);
            restore();
        }
    }
    assert!(last.is_some());
    // Mended, and the crawl goes on.
    fs::remove_file(tables.iter().find(|path| path.to_str().unwrap().contains("/seen/")).unwrap())
        .unwrap();
    let (output, rows) = verify(&store, &["--repair"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("mended: the frontier's tables"), "{}", stderr(&output));
    assert_eq!(rows.last().unwrap()["damage"], 0);
    run_ok(&["run", &config, "-s", "scope.max-pages=0"]);
    crate::kill::assert_clean(&store);
}

/// Lists of books with their covers, into lines and into a table.
#[test]
fn feeds_of_lines_and_tables_are_compared_with_items_and_what_became_of_their_files() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let store = scratch.path("store");
    let feeds = ["books.jsonl", "books.csv"].map(|name| scratch.path(name));
    let [lines, table] = &feeds;
    let more = format!(
        "[[feed]]\npath = \"{}\"\n[[feed]]\npath = \"{}\"\n[[spider.items]]\n\
         select = \"article.product_pod\"\n[spider.items.fields]\ntitle = \"h3 a @title\"\n\
         rating = \"p.star-rating @class\"\ncover = {{ css = \"img\", type = \"image\" }}\n",
        lines.display(),
        table.display()
    );
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    let (output, rows) = verify(&store, &[]);
    assert!(output.status.success(), "{rows:?}");
    let [summary] = &*rows else { panic!("{rows:?}") };
    let n_lines = fs::read_to_string(lines).unwrap().lines().count() as u64;
    assert!(n_lines >= 60 && summary["feed_lines"] == 2 * n_lines, "{summary}");
    for (feed, from, to) in [
        (lines, "\"verdict\":\"stored\"", "\"verdict\":\"strayed\""),
        (table, "star-rating", "stir-rating"),
        (table, "\"\"verdict\"\":\"\"stored\"\"", "\"\"verdict\"\":\"\"strayd\"\""),
        (table, "title", "tilte"),
    ] {
        let good = fs::read_to_string(feed).unwrap();
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        fs::write(feed, bad).unwrap();
        assert_eq!(damage(&store), ["feed-differs"], "{from} -> {to}");
        fs::write(feed, good).unwrap();
    }
    assert!(damage(&store).is_empty());
}

#[test]
fn what_is_wrong_with_a_folder_or_an_archive_is_told_with_what_to_do() {
    let scratch = Scratch::new();
    let store = bookshop(&scratch);
    fs::write(store.join("lock"), "?").unwrap();
    let output = run(&["inspect", store.to_str().unwrap()]);
    assert!(stderr(&output).contains("verify --repair"), "{}", stderr(&output));
    run_ok(&["verify", store.to_str().unwrap(), "--repair"]);
    run_ok(&["inspect", store.to_str().unwrap()]);

    let warc = scratch.write("garbage.warc.gz", "no archive at all");
    let into = scratch.path("imported");
    let import = |warc: &str| run(&["import", warc, "--into", into.to_str().unwrap()]);
    let output = import(&warc);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing could be read"), "{}", stderr(&output));
    let output = import("missing.warc.gz");
    assert!(stderr(&output).contains("check the name"), "{}", stderr(&output));
    let output = run_ok(&["gc", store.to_str().unwrap()]);
    assert!(!output.stdout.is_empty(), "it says that there was nothing to do");
}

/// A small crawl that has ended.
fn bookshop(scratch: &Scratch) -> PathBuf {
    let server = Server::start(scratch, 20, "0ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, BOOKS));
    run_ok(&["run", &config]);
    store
}

#[test]
fn usage_and_a_crawl_that_runs_have_exit_codes_of_their_own() {
    let scratch = Scratch::new();
    let output = run(&["verify", scratch.path("nothing").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));

    let server = Server::start(&scratch, 60, "200ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, ""));
    let mut running = crawl(&["run", &config]).spawn().unwrap();
    let begun = std::time::Instant::now();
    while server.served().is_empty() {
        assert!(begun.elapsed() < crate::support::LIMIT, "nothing was fetched");
        std::thread::yield_now();
    }
    let output = run(&["verify", store.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("stop the crawl first"), "{}", stderr(&output));
    let _ = running.kill();
    running.wait().unwrap();
}
