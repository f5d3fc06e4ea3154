//! A crawl's folder in use for long: what is damaged is mended, what is old goes, what is said is said.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::broken::SmallDisk;
use crate::support::{
    BOOKS, LIMIT, Scratch, Server, crawl, inspect, local_config, run, run_ok, stderr,
};

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

/// Waits, within the limit, until `what` gives something.
fn until<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "it never came");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_feed_that_waits_is_told_on_the_screen_and_to_who_asks() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let (store, file) = (scratch.path("store"), scratch.path("items.sqlite"));
    let more = format!("[[feed]]\npath = \"{}\"\n{BOOKS}", file.display());
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    // Somebody else keeps the file as soon as the feed has made its table.
    let mut child =
        crawl(&["run", &config, "-s", "politeness.delay=50ms", "-s", "politeness.per-host=1"])
            .spawn()
            .unwrap();
    let other = until(|| {
        let other = rusqlite::Connection::open(&file).ok()?;
        other.query_row("SELECT n FROM crawl_feeds", [], |_| Ok(())).ok()?;
        Some(other)
    });
    other.busy_timeout(Duration::from_secs(20)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    until(|| {
        said.extend(lines.next());
        said.last().is_some_and(|line| line.contains("hint: ")).then_some(())
    });
    let text = said.join("\n");
    assert!(text.contains("items.sqlite cannot be reached"), "{text}");
    assert!(text.contains("since 2") && text.contains("the crawl goes on"), "{text}");
    let waits = |row: &Value| {
        let feeds = row["feeds"].as_array().unwrap();
        feeds.iter().find_map(|feed| feed.get("waits")).cloned()
    };
    let outage = until(|| waits(&inspect(&store, &["stats"])[0]));
    assert!(outage["what"].as_str().unwrap().contains("locked"), "{outage}");
    assert!(outage["next_try_ms"].as_u64() > outage["since_ms"].as_u64(), "{outage}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    said.extend(lines);
    let text = said.join("\n");
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    for once in ["cannot be reached", "goes on: it can be written again"] {
        assert_eq!(text.matches(once).count(), 1, "{once}: {text}");
    }
    let items = rusqlite::Connection::open(&file).unwrap();
    let n: i64 = items.query_row("SELECT count(*) FROM items", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 60);
}

#[test]
fn the_folder_of_a_running_crawl_is_left_alone() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let store = scratch.path("store");
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    let mut child =
        crawl(&["run", &config, "-s", "politeness.delay=200ms", "-s", "politeness.per-host=1"])
            .spawn()
            .unwrap();
    let socket = store.join("control.sock");
    until(|| socket.exists().then_some(()));
    let folder = store.to_str().unwrap();
    for args in [
        &["compact", folder][..],
        &["gc", folder, "--keep-bodies", "30d"],
        &["verify", folder, "--repair"],
    ] {
        let output = run(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains("in use") && said.contains("hint: "), "{args:?}: {said}");
        assert!(said.contains("stop"), "{args:?}: {said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    run_ok(&["compact", folder]);
    run_ok(&["verify", folder]);
}

#[test]
fn what_has_no_room_to_be_written_anew_stays_as_it_is() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::mount(&scratch, 32) else { return };
    let server = Server::start(&scratch, 150, "0ms");
    let store = disk.0.join("store");
    let more = format!("bodies = \"html\"\n[recrawl]\nafter = \"1ms\"\n{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    // Twice, so that there are records to which no page points.
    run_ok(&["run", &config]);
    run_ok(&["run", &config]);
    let pages = inspect(&store, &["pages", "--where", "body"]);
    let folder = store.to_str().unwrap();
    let ballast = disk.0.join("ballast");
    let mut n_full = 0;
    for free in [0, 20_000, 200_000, 700_000, 1_500_000] {
        let mut filler = fs::File::create(&ballast).unwrap();
        let piece = [0; 4096];
        while std::io::Write::write_all(&mut filler, &piece).is_ok() {}
        let len = filler.metadata().unwrap().len();
        filler.set_len(len.saturating_sub(free)).unwrap();
        for args in [&["compact", folder][..], &["gc", folder, "--keep-bodies", "30d"]] {
            let output = run(args);
            let said = stderr(&output);
            assert!(!said.contains("panicked"), "{args:?} with {free} bytes: {said}");
            if !output.status.success() {
                n_full += 1;
                assert_eq!(output.status.code(), Some(5), "{args:?} with {free} bytes: {said}");
                assert!(said.contains("hint: make room on the disk"), "{said}");
            }
        }
        drop(filler);
        fs::remove_file(&ballast).unwrap();
        assert_eq!(inspect(&store, &["pages", "--where", "body"]).len(), pages.len());
        run_ok(&["verify", folder]);
    }
    assert!(n_full > 0, "the disk was never full");
    run_ok(&["compact", folder]);
    crate::kill::assert_clean(&store);
    for page in &pages {
        run_ok(&["inspect", folder, "body", "--url", page["url"].as_str().unwrap()]);
    }
}
