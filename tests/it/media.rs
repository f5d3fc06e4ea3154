//! Files that items ask for: streamed to the disk, once per content, told of in the item.
//!
//! `CRAWL_MEDIA_ROUNDS=20 cargo test --test it media:: -- --nocapture` for more kills.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crawl_store::crash;
use crawl_testsite::{Bookshop, Fault, Reply, SiteRequest, TestSite};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kill::{Dice, assert_clean};
use crate::support::{
    LIMIT, Scratch, Server, crawl, finish, inspect, local_config, run_ok, stderr, tally,
};

/// Books as list pages show them, with their covers.
const COVERS: &str = r#"
[[spider.items]]
select = "article.product_pod"
[spider.items.fields]
title = "h3 a @title"
cover = { css = "img", type = "image" }
"#;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x60\x08\x02\0\0\0rest";

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Lines of JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The files in the folder, by their places.
fn on_disk(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for folder in std::fs::read_dir(store.join("media")).into_iter().flatten() {
        for file in std::fs::read_dir(folder.unwrap().path()).into_iter().flatten() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(store).unwrap().to_string_lossy().into_owned();
            all.insert(name, std::fs::read(path).unwrap());
        }
    }
    all
}

/// Each file lies where its bytes say; nothing is in the making.
#[track_caller]
fn assert_in_place(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = on_disk(store);
    for (path, bytes) in &files {
        let name: String = path.trim_start_matches("media").split('/').collect();
        assert_eq!(name.split('.').next().unwrap(), sha256(bytes), "{path}");
    }
    files
}

/// Every book once in the feed, its cover's bytes in the folder.
#[track_caller]
fn assert_covers(store: &Path, feed: &Path, n_books: u32) {
    let files = assert_in_place(store);
    let books = Bookshop { books: n_books, ..Bookshop::default() };
    let by_path: BTreeMap<String, Vec<u8>> =
        books.catalogue().map(|book| (book.cover_path(), book.cover())).collect();
    let rows = lines(feed);
    let mut seen = BTreeSet::new();
    for row in &rows {
        let [file] = row["files"].as_array().unwrap().as_slice() else { panic!("{row}") };
        let url = file["url"].as_str().unwrap();
        assert_eq!((file["field"].as_str(), row["cover"].as_str()), (Some("cover"), Some(url)));
        let cover = &by_path[url.strip_prefix("http://bookshop.test").unwrap()];
        assert_eq!(file["sha256"], sha256(cover), "{row}");
        assert_eq!(&files[file["path"].as_str().unwrap()], cover, "{row}");
        let told = json!({
            "verdict": file["verdict"], "type": file["type"], "bytes": file["bytes"],
            "width": file["width"], "height": file["height"],
        });
        let truth = json!({
            "verdict": "stored", "type": "image/png", "bytes": cover.len(), "width": 64, "height": 96,
        });
        assert_eq!(told, truth);
        seen.insert((row["url"].as_str().unwrap(), url));
    }
    assert_eq!(seen.len(), rows.len(), "an item is there twice");
    let covers: BTreeSet<_> = seen.iter().map(|(_, url)| *url).collect();
    assert_eq!(covers.len(), n_books as usize, "an item is missing");
    let distinct: BTreeSet<_> = by_path.values().collect();
    assert_eq!(files.len(), distinct.len(), "equal files are one");
}

#[test]
fn items_come_with_their_files_and_equal_files_are_one() {
    let (scratch, n_books) = (Scratch::new(), 120);
    let server = Server::start(&scratch, n_books, "0ms");
    let (store, feed) = (scratch.path("store"), scratch.path("books.jsonl"));
    let more = format!("[[feed]]\npath = \"{}\"\n{COVERS}", feed.display());
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    run_ok(&["run", &config]);
    assert_covers(&store, &feed, n_books);
    assert_clean(&store);

    let served = server.served();
    let covers = served.iter().filter(|path| path.starts_with("/media/")).count();
    assert_eq!(covers, n_books as usize, "each URL is asked once");
    let rows = inspect(&store, &["media", "--where", "bytes>0 and type=image/png"]);
    assert_eq!(rows.len(), n_books as usize);
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["files"].as_u64().unwrap(), on_disk(&store).len() as u64);
    let items = inspect(&store, &["items", "--where", "files.0.verdict=stored"]);
    assert_eq!(items.len(), lines(&feed).len(), "the store shows the same");
    let url = "http://bookshop.test/media/cover-7.png";
    let why = String::from_utf8(run_ok(&["why", store.to_str().unwrap(), url]).stdout).unwrap();
    assert!(why.contains("stored") && why.contains("@image"), "{why}");

    // What is exported later is the same; a second run changes nothing.
    let export = scratch.path("export.jsonl");
    run_ok(&["export", store.to_str().unwrap(), "-o", export.to_str().unwrap()]);
    assert_eq!(lines(&export).len(), items.len());
    run_ok(&["run", &config]);
    assert_eq!(server.served().len(), served.len());
    assert_covers(&store, &feed, n_books);

    // Over the stored pages a spider reads the same, and the files are copied.
    let archived = scratch.path("archived");
    let first = local_config(server.addr, &archived, &format!("bodies = \"all\"\n{COVERS}"));
    run_ok(&["run", &scratch.write("first.toml", &first)]);
    let (copy, feed) = (scratch.path("copy"), scratch.path("copy.jsonl"));
    let config = scratch.write("second.toml", &local_config(server.addr, &copy, COVERS));
    let [from, into, to] = [&archived, &copy, &feed].map(|path| path.to_str().unwrap());
    run_ok(&["replay", from, &config, "--into", into, "-o", to]);
    assert_covers(&copy, &feed, n_books);
    assert_clean(&copy);
}

/// A site with one item, whose files go wrong in all ways, and a config for it.
struct Trouble {
    scratch: Scratch,
    store: PathBuf,
    feed: PathBuf,
    config: String,
}

impl Trouble {
    fn new(addr: SocketAddr, more: &str) -> Self {
        let scratch = Scratch::new();
        let (store, feed) = (scratch.path("store"), scratch.path("items.jsonl"));
        let text = format!(
            r#"
seeds = ["http://shop.test/"]
[scope]
exclude = ["/secret/"]
[politeness]
delay = "0s"
per-host = 4
[retry]
max-attempts = 2
backoff = "10ms"
[fetch]
allow-private-addresses = true
resolve = {{ "*.test" = "{addr}" }}
[store]
path = "{}"
[[feed]]
path = "{}"
[[spider.items]]
[spider.items.fields]
name = "h1"
images = {{ css = "img", all = true, type = "image" }}
papers = {{ css = "a.file", all = true, type = "file" }}
{more}
"#,
            store.display(),
            feed.display()
        );
        let config = scratch.write("crawl.toml", &text);
        Self { scratch, store, feed, config }
    }

    /// The item's files by the last part of their paths.
    fn run(&self) -> BTreeMap<String, Value> {
        run_ok(&["run", &self.config]);
        let [item] = &lines(&self.feed)[..] else { panic!("one item: {:?}", lines(&self.feed)) };
        let files = item["files"].as_array().unwrap().iter();
        let name = |file: &Value| {
            let url = file["url"].as_str().unwrap();
            url.rsplit('/').next().unwrap().to_owned()
        };
        files.map(|file| (name(file), file.clone())).collect()
    }
}

#[test]
fn an_item_comes_whatever_becomes_of_its_files() {
    let small: Vec<u8> = [&PNG[..16], &[0, 0, 0, 9, 0, 0, 0, 9], &PNG[24..]].concat();
    let answer = move |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::html(
            "<h1>all</h1><img src=/good.png><img src=//cdn.test/good.png?again><img src=/small.png>\
             <img src=/no.png><img src=/secret/x.png><img src=/private/y.png><img src='data:,x'>\
             <img src=/cut.png><img src=/moved.png><img src=/astray.png>\
             <a class=file href=/large.bin>1</a><a class=file href=/a.exe>2</a>\
             <a class=file href=/paper.pdf>3</a><a class=file href=/gone.pdf>4</a>",
        ),
        "/good.png" | "/target.png" => Reply::new("image/png", PNG.to_vec()),
        "/small.png" => Reply::new("image/png", small.clone()),
        "/no.png" => Reply::new("image/png", "%PDF-1.7 is no image"),
        "/private/y.png" => Reply::new("image/png", PNG.to_vec()),
        "/cut.png" => Reply::new("image/png", vec![7; 9_000]).with_fault(Fault::CutBody),
        "/moved.png" => Reply::redirect("/target.png", 302),
        "/astray.png" => Reply::redirect("/secret/z.png", 302),
        "/large.bin" => Reply::new("application/octet-stream", vec![1; 3 << 20]),
        "/a.exe" => Reply::new("application/x-msdownload", "MZ"),
        "/paper.pdf" => Reply::new("application/pdf", "%PDF-1.7"),
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /private/"),
        _ => Reply::not_found(),
    };
    let site = TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(answer)));
    let media = "[media]\nmax-mib = 2\nmin-width = 32\nmin-height = 32\n\
                 types = [\"application/pdf\", \"application/octet-stream\"]";
    let trouble = Trouble::new(site.addr, media);
    let files = trouble.run();
    let of = |name: &str| {
        let file = files.get(name).unwrap_or_else(|| panic!("no {name} in {files:?}"));
        (file["verdict"].as_str().unwrap(), file["error"].as_str().unwrap_or(""))
    };
    for name in ["good.png", "good.png?again", "moved.png", "paper.pdf"] {
        assert_eq!(of(name), ("stored", ""), "{name}");
    }
    let same = ["good.png", "good.png?again", "moved.png"].map(|name| &files[name]["path"]);
    assert!(same.iter().all(|path| *path == same[0]), "{same:?}");
    assert!(of("small.png").0 == "too-small" && of("small.png").1.contains("media.min-width"));
    assert!(of("no.png").0 == "content-type" && of("no.png").1.contains("application/pdf"));
    assert_eq!(of("x.png"), ("filtered", "excluded"));
    assert_eq!(of("y.png"), ("filtered", "robots"));
    assert_eq!(of("astray.png"), ("filtered", "excluded"));
    assert!(of("cut.png").0 == "truncated" && of("cut.png").1.contains("disconnect"));
    assert!(of("large.bin").0 == "truncated-length" && of("large.bin").1.contains("length"));
    assert!(of("a.exe").0 == "content-type" && of("a.exe").1.contains("media.types"));
    assert_eq!((of("gone.pdf").0, &files["gone.pdf"]["status"]), ("http-error", &json!(404)));
    assert_eq!(files.len(), 13);
    let asked = site.requests();
    assert!(!asked.iter().any(|path| path.contains("private") || path.contains("secret")));
    let on_disk = assert_in_place(&trouble.store);
    assert_eq!(on_disk.len(), 2, "nothing of what failed lies there: {:?}", on_disk.keys());
    assert_clean(&trouble.store);
    let rows = inspect(&trouble.store, &["media"]);
    let verdicts = tally(&rows, "verdict");
    assert_eq!((verdicts["stored"], verdicts["redirected"], verdicts["filtered"]), (4, 1, 2));
    let stats = &inspect(&trouble.store, &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["queued"]), (&json!(true), &json!(0)), "{stats}");
    assert_eq!(stats["pages"], 4, "files are no pages, but for 404s and what was cut: {stats}");
}

#[test]
fn files_of_the_crawl_have_a_budget() {
    let answer = |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::html(
            "<h1>x</h1><a class=file href=/1.bin>1</a><a class=file href=/2.bin>2</a>\
             <a class=file href=/3.bin>3</a>",
        ),
        "/1.bin" => Reply::new("application/x-data", vec![1; 700_000]),
        "/2.bin" => Reply::new("application/x-data", vec![2; 700_000]),
        "/3.bin" => Reply::new("application/x-data", vec![3; 700_000]),
        _ => Reply::not_found(),
    };
    let site = TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(answer)));
    let more = "[media]\ntotal-mib = 1\n[[host]]\nmatch = [\"shop.test\"]\npoliteness.per-host = 1";
    let trouble = Trouble::new(site.addr, more);
    let files = trouble.run();
    let verdicts: Vec<_> = files.values().map(|file| file["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["stored", "stored", "file-budget"]);
    assert!(files["3.bin"]["error"].as_str().unwrap().contains("media.total-mib"));
}

#[test]
fn verify_names_a_file_that_is_lost_cut_or_changed_and_gc_those_of_nobody() {
    let (scratch, n_books) = (Scratch::new(), 60);
    let server = Server::start(&scratch, n_books, "0ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, COVERS));
    run_ok(&["run", &config]);
    let places: Vec<PathBuf> = on_disk(&store).keys().map(|path| store.join(path)).collect();
    let whole = std::fs::read(&places[1]).unwrap();
    std::fs::remove_file(&places[0]).unwrap();
    std::fs::write(&places[1], &whole[..whole.len() - 1]).unwrap();
    let mut other = std::fs::read(&places[2]).unwrap();
    other[40] ^= 1;
    std::fs::write(&places[2], other).unwrap();
    std::fs::write(store.join("media").join("stray.txt"), "x").unwrap();
    std::fs::write(places[3].with_extension("txt"), "x").unwrap();

    let output = finish(crawl(&["verify", store.to_str().unwrap(), "--json"]).spawn().unwrap());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| -> Vec<&str> {
        let rows = rows.iter().filter(|row| row["finding"] == name);
        rows.map(|row| row["file"].as_str().unwrap()).collect()
    };
    let place = |n: usize| places[n].strip_prefix(&store).unwrap().to_str().unwrap();
    assert_eq!(of("missing-media"), [place(0)]);
    assert_eq!(of("media-differs"), [place(1), place(2)]);
    assert_eq!(of("unknown-media").len(), 1, "{text}");
    let lost = rows.iter().find(|row| row["finding"] == "missing-media").unwrap();
    assert!(lost["url"].as_str().unwrap().contains("/media/cover-"), "{lost}");
    run_ok(&["gc", store.to_str().unwrap()]);
    assert_eq!(on_disk(&store).len(), places.len(), "all are used; strangers stay");
}

#[test]
fn files_that_are_lost_are_told_of_by_repair_and_fetched_again_by_the_next_run() {
    let (scratch, n_books) = (Scratch::new(), 60);
    let server = Server::start(&scratch, n_books, "0ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, COVERS));
    run_ok(&["run", &config]);
    let before = on_disk(&store);
    let places: Vec<PathBuf> = before.keys().map(|path| store.join(path)).collect();
    std::fs::remove_file(&places[0]).unwrap();
    // As long as it was, so that only its bytes tell.
    let mut other = std::fs::read(&places[1]).unwrap();
    other[40] ^= 1;
    std::fs::write(&places[1], other).unwrap();
    let output = finish(crawl(&["verify", store.to_str().unwrap(), "--repair"]).spawn().unwrap());
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("the next run fetches them again"), "{text}");
    let lost = inspect(&store, &["media", "--where", "lost"]);
    assert!(lost.len() >= 2 && lost.iter().all(|row| row.get("path").is_none()), "{lost:?}");
    let items = inspect(&store, &["items", "--where", "files.0.verdict=lost"]);
    assert!(items.len() >= lost.len(), "one file may be of several items: {items:?}");
    let n_served = server.served().len();
    let told = run_ok(&["run", &config]);
    let note = format!("{} files of items were lost and are fetched again", lost.len());
    assert!(stderr(&told).contains(&note), "{}", stderr(&told));
    let served = server.served().split_off(n_served);
    let covers = served.iter().filter(|path| path.starts_with("/media/")).count();
    assert_eq!((covers, served.len() - covers <= 1), (lost.len(), true), "{served:?}");
    assert_eq!(on_disk(&store), before);
    assert_eq!(inspect(&store, &["media", "--where", "lost"]), [] as [Value; 0]);
    assert_clean(&store);
    let n_served = server.served().len();
    run_ok(&["run", &config]);
    assert_eq!(server.served().len(), n_served, "nothing is lost any more");
}

#[test]
fn a_file_that_has_changed_is_fetched_anew_and_its_item_comes_again() {
    let is_new = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = is_new.clone();
    let answer = move |request: &SiteRequest<'_>| match (
        request.path(),
        flag.load(std::sync::atomic::Ordering::Relaxed),
    ) {
        ("/" | "/a.png", _) if request.header("if-none-match").is_some() => Reply::status(304),
        ("/", _) => Reply::html("<h1>x</h1><img src=/a.png><img src=/b.png><img src=/c.png>")
            .with_header("ETag", "\"1\""),
        ("/a.png", _) => Reply::new("image/png", PNG.to_vec()).with_header("ETag", "\"a\""),
        ("/c.png", _) => Reply::new("image/png", [PNG, b"the same"].concat()),
        ("/b.png", false) => Reply::new("image/png", [PNG, b"old"].concat()),
        ("/b.png", true) => Reply::new("image/png", [PNG, b"new"].concat()),
        _ => Reply::not_found(),
    };
    let site = TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(answer)));
    let trouble = Trouble::new(site.addr, "[recrawl]\nafter = \"1ms\"\nadaptive = false");
    let before = trouble.run();
    let kept = on_disk(&trouble.store).len();
    is_new.store(true, std::sync::atomic::Ordering::Relaxed);
    run_ok(&["run", &trouble.config]);
    let rows = lines(&trouble.feed);
    assert_eq!(rows.len(), 2, "the item comes again: {rows:?}");
    let digest = |row: &Value, n: usize| row["files"][n]["sha256"].clone();
    assert_eq!(digest(&rows[1], 0), before["a.png"]["sha256"]);
    assert_eq!(digest(&rows[1], 1), sha256(&[PNG, b"new"].concat()));
    assert_eq!(on_disk(&trouble.store).len(), kept + 1, "the old one is there still");
    run_ok(&["gc", trouble.store.to_str().unwrap()]);
    assert_eq!(assert_in_place(&trouble.store).len(), kept, "it is nobody's");
    assert_clean(&trouble.store);
    drop(trouble.scratch);
}

/// Runs until `is_time`, then kills.
fn kill_when(config: &str, is_time: impl Fn() -> bool) {
    let mut child = crawl(&["run", config]).spawn().unwrap();
    let begun = Instant::now();
    while !is_time() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT, "the moment never came");
        thread::sleep(Duration::from_millis(2));
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_killed_crawl_ends_with_every_file_once_and_every_item_once() {
    let rounds = std::env::var("CRAWL_MEDIA_ROUNDS").map_or(3, |text| text.parse().unwrap());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        let (scratch, n_books) = (Scratch::new(), 300);
        let server = Server::start(&scratch, n_books, "2ms");
        let (store, feed) = (scratch.path("store"), scratch.path("books.jsonl"));
        let more = format!("[[feed]]\npath = \"{}\"\n{COVERS}", feed.display());
        let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
        for _ in 0..2 {
            let at = server.served().len() as u64 + 20 + dice.roll(250);
            kill_when(&config, || server.served().len() as u64 >= at);
        }
        run_ok(&["run", &config]);
        assert_covers(&store, &feed, n_books);
        assert_clean(&store);
    }
}

#[test]
fn a_crawl_that_dies_at_any_step_of_a_file_loses_and_doubles_nothing() {
    let points = crash::POINTS.iter().filter(|point| point.starts_with("media-"));
    for point in points.filter(|point| !matches!(**point, "media-forgotten" | "media-unplaced")) {
        for passings in [1, 9] {
            let (scratch, n_books) = (Scratch::new(), 40);
            let server = Server::start(&scratch, n_books, "0ms");
            let (store, feed) = (scratch.path("store"), scratch.path("books.jsonl"));
            let more = format!("[[feed]]\npath = \"{}\"\n{COVERS}", feed.display());
            let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
            let die = |point: &str, passings: u32| {
                let mut command = crawl(&["run", &config]);
                command.env(crash::VARIABLE, format!("{point}:{passings}"));
                finish(command.spawn().unwrap()).status.signal() == Some(6)
            };
            assert!(die(point, passings), "nothing passes {point}:{passings}");
            if *point == "media-placed" {
                assert!(die("media-unplaced", 1), "the next open removes what is nobody's");
            }
            run_ok(&["run", &config]);
            assert_covers(&store, &feed, n_books);
            assert_clean(&store);
        }
    }
}

/// Peak memory of a process, in bytes.
fn peak(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024)
}

/// The peak of a crawl of one item with one file of so many bytes.
fn peak_with_file(bytes: usize) -> u64 {
    let body = bytes::Bytes::from(vec![5_u8; bytes]);
    let answer = move |request: &SiteRequest<'_>| match request.path() {
        "/" => Reply::html("<h1>x</h1><a class=file href=/large.bin>1</a>"),
        "/large.bin" => Reply::new("application/octet-stream", body.clone()),
        _ => Reply::not_found(),
    };
    let site = TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(answer)));
    let trouble = Trouble::new(site.addr, "");
    let mut child = crawl(&["run", &trouble.config]).spawn().unwrap();
    let (begun, mut most) = (Instant::now(), 0);
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT);
        most = most.max(peak(child.id()));
        thread::sleep(Duration::from_millis(5));
    }
    let files: Vec<_> = on_disk(&trouble.store).into_values().map(|file| file.len()).collect();
    assert_eq!(files, [bytes]);
    most
}

#[test]
fn a_large_file_never_lies_in_memory() {
    const LARGE: usize = 200 << 20;
    let (small, large) = (peak_with_file(1000), peak_with_file(LARGE));
    let more = large.saturating_sub(small);
    println!("peak {small} bytes with a small file, {large} with one of {LARGE}: {more} more");
    assert!(more < 24 << 20, "{more} bytes more");
}
