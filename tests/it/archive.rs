//! Archives: written by us and read by others, written by others and read by us.
//!
//! The others are warcio and surt (Python) and wget. Where they are not, the tests that need them
//! say so and do nothing, unless `CRAWL_WARCIO` is set, as the gate does: to the folder of a Python
//! environment (`python3 -m venv DIR && DIR/bin/pip install warcio surt`). Then they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crawl_store::{Store, archive_files};
use crawl_testsite::{Reply, SiteRequest, TestSite};
use serde_json::Value;

use crate::support::{
    LIMIT, Scratch, Server, crawl, finish, inspect, local_config, run_ok, stderr,
};

/// A program of the Python environment; `None` if there is none.
fn python(program: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CRAWL_WARCIO") else {
        eprintln!("not run: CRAWL_WARCIO does not name a Python environment with warcio and surt");
        return None;
    };
    let path = Path::new(&folder).join("bin").join(program);
    assert!(path.is_file(), "{} is not there", path.display());
    Some(path)
}

/// Runs a program to its end, which must be a good one; gives its standard output.
#[track_caller]
fn output(command: &mut Command) -> String {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = finish(command.spawn().unwrap());
    assert!(output.status.success(), "{command:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archive").join(name)
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn paths(store: &Path) -> Vec<PathBuf> {
    archive_files(store).unwrap().into_iter().map(|(_, path)| path).collect()
}

/// Every page's body by its URL.
fn bodies(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let inspection = Store::inspect(store).unwrap();
    let reader = inspection.reader();
    let mut bodies = BTreeMap::new();
    for page in reader.pages().unwrap() {
        let (_, record) = page.unwrap();
        if let Some(pointer) = &record.body {
            let body = reader.body(pointer).unwrap().to_vec();
            bodies.insert(record.url.as_str().to_owned(), body);
        }
    }
    bodies
}

/// Crawls the bookshop; `more` goes into `[store]`.
fn bookshop(scratch: &Scratch, server: &Server, name: &str, more: &str) -> PathBuf {
    let store = scratch.path(name);
    let text = local_config(server.addr, &store, more);
    let config = scratch.write(&format!("{name}.toml"), &text);
    let mut command = crawl(&["run", &config]);
    command.env("CRAWL_LIMIT_BODIES", "60000");
    let output = finish(command.spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    store
}

/// All that is in the archive, decompressed.
fn plain(store: &Path) -> String {
    let mut all = Vec::new();
    for path in paths(store) {
        let file = fs::File::open(path).unwrap();
        let mut decoder = flate2::read::MultiGzDecoder::new(file);
        std::io::Read::read_to_end(&mut decoder, &mut all).unwrap();
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn warcio_accepts_an_archive_and_reads_the_same_bodies() {
    let (Some(warcio), Some(python)) = (python("warcio"), python("python")) else { return };
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 40, "0ms");
    let more = "bodies = \"all\"\nconversions = [\"text\", \"markdown\"]";
    let store = bookshop(&scratch, &server, "store", more);
    let files = paths(&store);
    assert!(files.len() > 1 && files.iter().all(|file| file.extension().unwrap() == "gz"));
    let bodies = bodies(&store);
    assert!(bodies.len() > 50);

    assert_eq!(output(Command::new(&warcio).arg("check").args(&files)), "");
    let index = rows(&output(Command::new(&warcio).arg("index").args(&files)));
    let read = rows(&output(Command::new(&python).arg(script("read.py")).args(&files)));
    assert_eq!(index.len(), read.len());
    let of = |kind: &str| read.iter().filter(|row| row["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("warcinfo").len(), files.len());
    assert_eq!(of("request").len(), of("metadata").len());
    assert_eq!(of("request").len(), of("response").len() + of("revisit").len());
    assert!(of("conversion").len() > 100);
    let digests: BTreeMap<_, _> =
        of("response").iter().map(|row| (row["url"].as_str().unwrap(), &row["sha256"])).collect();
    let ids: BTreeSet<_> = read.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), read.len(), "an id stands for two records");
    for row in &read {
        for field in ["refers", "concurrent"] {
            assert!(row[field].is_null() || ids.contains(row[field].as_str().unwrap()), "{row}");
        }
        assert_eq!(row["date"].as_str().unwrap().len(), "2026-01-01T00:00:00.000000Z".len());
    }
    for row in of("request") {
        assert!(row["line"].as_str().is_some(), "{row}");
    }
    // By their own way out of the archive: byte for byte what we read, and what is served.
    for row in of("response").iter().step_by(25) {
        let (url, offset) = (row["url"].as_str().unwrap(), row["offset"].to_string());
        let file = files.iter().find(|file| {
            let row_of = |other: &&Value| {
                other["warc-target-uri"] == url && other["warc-type"] == "response"
            };
            let own = rows(&output(Command::new(&warcio).arg("index").arg(file)));
            own.iter().any(|other| row_of(&other) && other["offset"] == *offset)
        });
        let file = file.unwrap_or_else(|| panic!("{url} is in no file"));
        let extract = Command::new(&warcio)
            .args(["extract", "--payload"])
            .arg(file)
            .arg(&offset)
            .output()
            .unwrap();
        assert!(extract.stdout == bodies[url], "{url}");
        assert!(digests.contains_key(url));
    }
}

#[test]
fn an_index_has_the_keys_that_others_look_for_and_leads_to_the_records() {
    let Some(python) = python("python") else { return };
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let store = bookshop(&scratch, &server, "store", "bodies = \"all\"");
    let index = scratch.path("index.cdxj");
    run_ok(&["cdxj", store.to_str().unwrap(), "-o", index.to_str().unwrap()]);
    let text = fs::read_to_string(&index).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.is_sorted() && lines.len() > 20);
    let mut compare = Command::new(&python);
    let compare = compare.arg(script("keys.py")).stdin(fs::File::open(&index).unwrap()).output();
    let compare = compare.unwrap();
    assert!(compare.status.success(), "{}", stderr(&compare));
    let files = paths(&store);
    let read = rows(&output(Command::new(&python).arg(script("read.py")).args(&files)));
    let mut expected: Vec<_> = read
        .iter()
        .filter(|row| row["kind"] == "response" || row["kind"] == "revisit")
        .map(|row| (row["url"].to_string(), row["offset"].to_string(), row["length"].to_string()))
        .collect();
    let mut found: Vec<_> = lines
        .iter()
        .map(|line| {
            let row: Value = serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap();
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (row["url"].to_string(), text("offset"), text("length"))
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_warcio_writes_is_read_whole_and_once() {
    let Some(python) = python("python") else { return };
    for name in ["a.warc.gz", "a.warc", "one-member.warc.gz"] {
        let scratch = Scratch::new();
        let file = scratch.path(name);
        let plain = scratch.path("plain.warc");
        let is_one = name.starts_with("one");
        output(Command::new(&python).arg(script("write.py")).arg(if is_one {
            &plain
        } else {
            &file
        }));
        if is_one {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &fs::read(&plain).unwrap()).unwrap();
            fs::write(&file, encoder.finish().unwrap()).unwrap();
        }
        let store = scratch.path("store");
        let args = ["import", file.to_str().unwrap(), "--into", store.to_str().unwrap(), "--json"];
        let first = &rows(&String::from_utf8(run_ok(&args).stdout).unwrap())[0];
        assert_eq!((&first["imported"], &first["bad"]), (&5.into(), &0.into()), "{name}: {first}");
        let check = || {
            let html =
                "<html><head><title>One</title></head><body><a href=\"/b\">b</a></body></html>";
            let bodies = bodies(&store);
            let body = |path: &str| {
                let body = &bodies[&format!("http://example.com{path}")];
                String::from_utf8(body.clone()).unwrap()
            };
            assert_eq!((body("/"), body("/gz")), (format!("{html}2"), html.to_owned()));
            assert_eq!((body("/again"), body("/no")), (html.to_owned(), "no".to_owned()));
            let pages = inspect(&store, &["pages"]);
            let page = pages.iter().find(|page| page["url"] == "http://example.com/").unwrap();
            assert_eq!((&page["title"], &page["remote"]), (&"One".into(), &"192.0.2.1".into()));
            assert_eq!(page["fetched_ms"], 1_609_556_645_000_u64);
            let stats = &inspect(&store, &["stats"])[0];
            assert_eq!((&stats["discovered"], &stats["conserved"]), (&4.into(), &true.into()));
        };
        check();
        let again = &rows(&String::from_utf8(run_ok(&args).stdout).unwrap())[0];
        assert_eq!((&again["imported"], &again["skipped"]["present"]), (&0.into(), &5.into()));
        check();
    }
}

#[test]
fn what_wget_writes_is_read_with_the_bodies_that_it_saved() {
    if python("python").is_none() {
        return;
    }
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 10, "0ms");
    let folder = scratch.path("saved");
    fs::create_dir(&folder).unwrap();
    let wget = Command::new("wget")
        .args(["--quiet", "--recursive", "--level=2", "--execute=robots=off", "--tries=1"])
        .args(["--warc-file=site", &format!("http://{}/", server.addr)])
        .current_dir(&folder)
        .output()
        .expect("wget is not here: apt-get install wget");
    // 8: some link led to a 404, which is in the archive, too.
    assert!(matches!(wget.status.code(), Some(0 | 8)), "{}", stderr(&wget));
    let file = folder.join("site.warc.gz");
    let store = scratch.path("store");
    run_ok(&["import", file.to_str().unwrap(), "--into", store.to_str().unwrap()]);
    let bodies = bodies(&store);
    let root = folder.join(server.addr.to_string());
    let mut n_same = 0;
    // Of a redirect wget saves where it led to.
    for page in inspect(&store, &["pages", "--verdict", "ok"]) {
        let url = page["url"].as_str().unwrap();
        let body = &bodies[url];
        let path = url.split_once(&server.addr.to_string()).unwrap().1;
        let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        if let Ok(saved) = fs::read(root.join(path.trim_start_matches('/'))) {
            assert!(saved == *body, "{url}");
            n_same += 1;
        }
    }
    assert!(n_same > 15, "{n_same} of {}", bodies.len());
    let archived = plain(&store);
    // Some are asked twice by wget.
    let n_requests = archived.matches("WARC-Type: request").count();
    assert!(n_requests >= bodies.len(), "requests are kept: {n_requests} of {}", bodies.len());
    run_ok(&["cdxj", file.to_str().unwrap(), "-o", scratch.path("index").to_str().unwrap()]);
}

#[test]
fn an_import_that_is_killed_goes_on_with_each_page_once() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 150, "0ms");
    let from = bookshop(&scratch, &server, "from", "bodies = \"html\"");
    let expected = bodies(&from);
    let into = scratch.path("into");
    let mut args = vec!["import"];
    let files = paths(&from);
    args.extend(files.iter().map(|file| file.to_str().unwrap()));
    args.extend(["--into", into.to_str().unwrap()]);
    for settles in [1, 60] {
        let mut child = crawl(&args).spawn().unwrap();
        let begun = Instant::now();
        let settled = || fs::read_to_string(into.join("manifest")).unwrap_or_default();
        let n = |text: String| text.split(' ').nth(3).map_or(0, |n| n.parse::<u64>().unwrap());
        while n(settled()) < settles && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT, "the import does not get on");
            thread::sleep(Duration::from_millis(1));
        }
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }
    run_ok(&args);
    assert!(bodies(&into) == expected);
    let stats = &inspect(&into, &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["discovered"]), (&true.into(), &expected.len().into()));
    let last = &stats["last"];
    run_ok(&args);
    assert_eq!(&inspect(&into, &["stats"])[0]["last"], last, "the same again adds nothing");
}

#[test]
fn zstd_archives_hold_the_same_bodies() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0ms");
    let gzip = bookshop(&scratch, &server, "gzip", "bodies = \"all\"");
    let zstd = bookshop(&scratch, &server, "zstd", "bodies = \"all\"\nbody-compression = \"zstd\"");
    assert!(paths(&zstd).iter().all(|file| file.extension().unwrap() == "zst"));
    assert!(bodies(&gzip) == bodies(&zstd));
    let size =
        |store: &Path| paths(store).iter().map(|f| fs::metadata(f).unwrap().len()).sum::<u64>();
    assert!(size(&zstd) < size(&gzip));
}

/// A site whose page does not change, and wants a cookie and a login.
fn private() -> TestSite {
    let answer = |request: &SiteRequest<'_>| {
        let page = Reply::html("<title>Home</title><a href=/same>").with_header("ETag", "\"1\"");
        if request.header("if-none-match").is_some() {
            return Reply { status: 304, ..page };
        }
        page
    };
    TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(answer)))
}

#[test]
fn credentials_stay_out_and_a_304_is_a_revisit() {
    let site = private();
    let scratch = Scratch::new();
    let store = scratch.path("store");
    let more = "bodies = \"all\"\n[fetch.headers]\ncookie = \"id=s3cret\"\nx-own = \"told\"\n\
                authorization = \"Bearer s3cret\"\n[recrawl]\nafter = \"1ms\"\n";
    let config = scratch.write("crawl.toml", &local_config(site.addr, &store, more));
    run_ok(&["run", &config]);
    let text = plain(&store);
    assert!(text.contains("x-own: told") && text.contains("GET /same HTTP/1.1"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    // The second page is the first one's body.
    assert_eq!(text.matches("identical-payload-digest").count(), 1);

    thread::sleep(Duration::from_millis(2));
    run_ok(&["run", &config, "-s", "store.archive-credentials=true"]);
    let text = plain(&store);
    assert_eq!(text.matches("/revisit/server-not-modified").count(), 2, "{text}");
    assert!(text.contains("if-none-match: \"1\"") && text.contains("cookie: id=s3cret"));
    assert_eq!(bodies(&store).len(), 2);
    if let Some(warcio) = python("warcio") {
        assert_eq!(output(Command::new(warcio).arg("check").args(paths(&store))), "");
    }
}
