//! Whole crawls with feeds of all kinds, killed and resumed: each has what `crawl inspect items` has.
//!
//! What cargo features bring takes part if they are on, as in `.ci/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::kill::Dice;
use crate::support::{
    BOOKS, LIMIT, Scratch, Server, crawl, finish, inspect, local_config, run, run_ok, stderr,
};

#[cfg(any(feature = "postgres", feature = "object-store", feature = "parquet"))]
#[path = "../../crates/feeds/tests/it/servers.rs"]
#[allow(dead_code, reason = "the tests of the feeds alone also stop them")]
mod servers;

const N_BOOKS: u32 = 600;

/// A feed's lines of config, and how its items' URLs are read back.
struct Feed {
    config: String,
    urls: Box<dyn Fn() -> Vec<String>>,
}

fn feed(config: String, urls: impl Fn() -> Vec<String> + 'static) -> Feed {
    Feed { config: format!("[[feed]]\n{config}\n"), urls: Box::new(urls) }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn urls_of_json<'a>(items: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    items.into_iter().map(|item| item["url"].as_str().unwrap().to_owned()).collect()
}

fn urls_of_lines(text: &str) -> Vec<String> {
    let items: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    urls_of_json(&items)
}

/// URLs need no quotes, and stand first.
fn urls_of_csv(text: &str) -> Vec<String> {
    assert_eq!(text.lines().next(), Some("url,title,n"));
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

fn gunzip(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).unwrap();
    text
}

/// Files of all formats that are always there.
fn files(folder: &Path) -> Vec<Feed> {
    let at = |name: &str| folder.join("feeds").join(name);
    let to = |path: &Path| format!("path = \"{}\"", path.display());
    let (jsonl, json, xml) = (at("a.jsonl"), at("a.json"), at("a.xml"));
    let (csv, batch, sqlite) = (at("a.csv"), at("b.jsonl.gz"), at("a.sqlite"));
    let chosen = format!("{}\nfields = [\"url\", \"title\", {{ \"page.n\" = \"n\" }}]", to(&csv));
    let batched = format!("{}\nbatch-items = 100", to(&batch));
    let mut feeds = vec![
        feed(to(&jsonl), move || urls_of_lines(&read(&jsonl))),
        feed(to(&json), move || {
            urls_of_json(&serde_json::from_str::<Vec<Value>>(&read(&json)).unwrap())
        }),
        feed(to(&xml), move || {
            let text = read(&xml);
            let items = text.split("<url>").skip(1);
            items.map(|item| item.split("</url>").next().unwrap().to_owned()).collect()
        }),
        feed(chosen, move || urls_of_csv(&read(&csv))),
        feed(batched, move || {
            let number = |n: u32| batch.with_file_name(format!("b-{n:06}.jsonl.gz"));
            let whole = (1..).map(number).take_while(|path| path.exists());
            whole.flat_map(|path| urls_of_lines(&gunzip(&path))).collect()
        }),
    ];
    if cfg!(feature = "sqlite") {
        feeds.push(feed(to(&sqlite), move || urls_of_sqlite(&sqlite)));
    }
    feeds
}

fn urls_of_sqlite(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT url FROM items ORDER BY rowid").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[cfg(feature = "parquet")]
fn parquet(folder: &Path) -> Feed {
    let path = folder.join("feeds/a.parquet");
    feed(format!("path = \"{}\"", path.display()), move || {
        let program = "import pyarrow.parquet, sys\n\
                       for url in pyarrow.parquet.read_table(sys.argv[1])['url']: print(url)";
        let mut python = servers::python_tool("python3");
        let output = python.args(["-c", program]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    })
}

#[cfg(feature = "postgres")]
fn postgres(server: &std::rc::Rc<servers::Postgres>) -> Feed {
    let server = server.clone();
    feed(format!("path = \"{}\"\nkey = [\"url\"]", server.url()), move || {
        server.psql("SELECT url FROM items").unwrap()
    })
}

#[cfg(feature = "object-store")]
fn objects(server: &std::rc::Rc<servers::Moto>) -> Feed {
    let config = format!(
        "path = \"s3://feeds/c.jsonl\"\noptions = {{ endpoint = \"http://127.0.0.1:{}\", \
         region = \"us-east-1\", allow-http = \"true\", access-key-id = \"k\", secret-access-key = \"s\" }}",
        server.port
    );
    let server = server.clone();
    feed(config, move || {
        urls_of_lines(&String::from_utf8(server.request("GET", "/feeds/c.jsonl")).unwrap())
    })
}

#[test]
fn after_kills_every_feed_has_what_the_store_has() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, N_BOOKS, "5ms");
    let store = scratch.path("store");
    #[cfg_attr(not(feature = "parquet"), allow(unused_mut))]
    let mut feeds = files(&scratch.path(""));
    #[cfg(feature = "parquet")]
    feeds.push(parquet(&scratch.path("")));
    #[cfg(feature = "postgres")]
    feeds.push(postgres(&std::rc::Rc::new(servers::Postgres::start())));
    #[cfg(feature = "object-store")]
    feeds.push(objects(&std::rc::Rc::new(servers::Moto::start())));
    let tables: String = feeds.iter().map(|feed| feed.config.as_str()).collect();
    let more = format!("bodies = \"all\"\n{tables}{BOOKS}");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    let mut dice = Dice(0x5eed);
    for _ in 0..4 {
        let before = server.served().len();
        let at = before + 60 + usize::try_from(dice.roll(120)).unwrap();
        let mut child = crawl(&["run", &config]).spawn().unwrap();
        let begun = std::time::Instant::now();
        while server.served().len() < at && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT, "the moment never came");
            thread::sleep(Duration::from_millis(2));
        }
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }
    let output = finish(crawl(&["run", &config]).spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    let items = inspect(&store, &["items"]);
    let expected: Vec<String> =
        items.iter().map(|row| row["item"]["url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(expected.len(), N_BOOKS as usize);
    for feed in &feeds {
        let mut found = (feed.urls)();
        let mut expected = expected.clone();
        if feed.config.contains("key =") {
            // A table with a key has no order.
            found.sort();
            expected.sort();
        }
        assert!(found == expected, "{} of {} items: {}", found.len(), expected.len(), feed.config);
    }
    the_archive_agrees(&store, &items);
}

/// Every page is in the archive with the body that its record speaks of, under the digest that the
/// archive says, and nothing else is to be said of the store.
#[track_caller]
fn the_archive_agrees(folder: &Path, items: &[Value]) {
    let digests = archived_digests(&folder.join("bodies"));
    crate::recrawl::wait_until_free(folder);
    let store = crawl_store::Store::inspect(folder).unwrap();
    let reader = store.reader();
    let mut with_body = BTreeSet::new();
    for page in reader.pages().unwrap() {
        let (_, record) = page.unwrap();
        let Some(pointer) = &record.body else {
            assert!(record.bytes == 0, "{} is not archived", record.url);
            continue;
        };
        let body = reader.body(pointer).unwrap();
        assert_eq!((crawl_model::digest(&body), body.len() as u64), (record.digest, record.bytes));
        let said = digests.get(record.url.as_str()).expect("it is in a file");
        let mut bodies = said.iter().map(|digest| reader.body_of_digest(digest).unwrap());
        assert!(bodies.any(|it| it.as_ref() == Some(&body)), "{}: {said:?}", record.url);
        with_body.insert(record.n);
    }
    assert!(items.iter().all(|item| with_body.contains(&item["n"].as_u64().unwrap())));
    drop(reader);
    drop(store);
    let verified = run_ok(&["verify", folder.to_str().unwrap(), "--json"]);
    let text = String::from_utf8(verified.stdout).unwrap();
    assert!(!text.contains("\"level\":\"damage\""), "{text}");
}

/// The payload digests in the archive's files, by URL.
fn archived_digests(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut digests = BTreeMap::<String, BTreeSet<String>>::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::File::open(file.unwrap().path()).unwrap();
        let mut bytes = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(file);
        std::io::Read::read_to_end(&mut reader, &mut bytes).unwrap();
        for record in String::from_utf8_lossy(&bytes).split("WARC/1.1\r\n").skip(1) {
            let head = record.split("\r\n\r\n").next().unwrap_or_default();
            let field = |name: &str| {
                let value = head.lines().find_map(|line| line.strip_prefix(name));
                value.map(|value| value.trim_start_matches(':').trim().to_owned())
            };
            if let (Some(url), Some(digest)) =
                (field("WARC-Target-URI"), field("WARC-Payload-Digest"))
            {
                digests.entry(url).or_default().insert(digest);
            }
        }
    }
    digests
}

/// A finished small crawl.
fn crawled(scratch: &Scratch) -> PathBuf {
    let server = Server::start(scratch, 20, "0s");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, BOOKS));
    run_ok(&["run", &config]);
    store
}

#[test]
fn an_export_has_the_items_in_any_form() {
    let scratch = Scratch::new();
    let store = crawled(&scratch);
    let store = store.to_str().unwrap();
    let items = inspect(Path::new(store), &["items"]);
    let out = |args: &[&str]| {
        let all: Vec<&str> = ["export", store].iter().chain(args).copied().collect();
        String::from_utf8(run_ok(&all).stdout).unwrap()
    };
    let lines: Vec<Value> =
        out(&[]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(items.iter().map(|row| &row["item"]).eq(&lines));
    let csv = out(&["--format", "csv"]);
    let columns: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(csv.lines().next().unwrap().split(',').collect::<Vec<_>>(), columns);
    assert_eq!(csv.lines().count(), 21);
    let chosen =
        out(&["--format", "csv", "--fields", "page.n=n,page.label=l,price", "--where", "price~."]);
    assert_eq!(chosen.lines().next(), Some("n,l,price"));
    let path = scratch.path("out/items.json.gz");
    let output = run_ok(&["export", store, "-o", path.to_str().unwrap(), "--with", "fetched"]);
    assert!(stderr(&output).contains("20 items in "), "{}", stderr(&output));
    let list: Vec<BTreeMap<String, Value>> = serde_json::from_str(&gunzip(&path)).unwrap();
    assert!(list.len() == 20 && list[0]["fetched"].as_str().unwrap().ends_with('Z'));
    // A reader that has enough is no failure.
    let head =
        format!("'{}' export '{store}' --format xml | head -n 3", env!("CARGO_BIN_EXE_crawl"));
    let head = std::process::Command::new("sh").args(["-c", &head]).output().unwrap();
    assert!(String::from_utf8_lossy(&head.stdout).contains("<items>") && head.stderr.is_empty());
}

/// Servers are waited for, which the thread that reads the command line could not do.
#[cfg(all(feature = "postgres", feature = "object-store"))]
#[test]
fn an_export_goes_to_servers_and_replaces_what_it_wrote_before() {
    let scratch = Scratch::new();
    let store = crawled(&scratch);
    let (postgres, moto) = (servers::Postgres::start(), servers::Moto::start());
    let endpoint = format!("endpoint=http://127.0.0.1:{}", moto.port);
    for _ in 0..2 {
        let export = ["export", store.to_str().unwrap(), "-o"];
        run_ok(&[&export[..], &[&postgres.url()]].concat());
        assert_eq!(postgres.psql("SELECT count(*) FROM items").unwrap(), ["20"]);
        let options = [
            "s3://feeds/items.jsonl",
            "--option",
            &endpoint,
            "--option",
            "region=us-east-1",
            "--option",
            "allow-http=true",
            "--option",
            "access-key-id=k",
            "--option",
            "secret-access-key=s",
        ];
        run_ok(&[&export[..], &options[..]].concat());
        let text = String::from_utf8(moto.request("GET", "/feeds/items.jsonl")).unwrap();
        assert_eq!(urls_of_lines(&text).len(), 20);
    }
}

#[test]
fn a_running_crawl_is_exported_as_far_as_it_is() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 200, "20ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, BOOKS));
    let mut child = crawl(&["run", &config]).spawn().unwrap();
    let begun = std::time::Instant::now();
    let export = ["export", store.to_str().unwrap(), "--format", "csv", "--fields", "url,page.n"];
    let rows = loop {
        let output = run(&export);
        let n_lines = output.stdout.split(|byte| *byte == b'\n').count();
        if output.status.success() && n_lines > 2 {
            break String::from_utf8(output.stdout).unwrap();
        }
        assert!(begun.elapsed() < LIMIT, "nothing came: {}", stderr(&output));
    };
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running && rows.starts_with("url,page.n\nhttp://bookshop.test/"), "{rows}");
}

#[test]
fn what_cannot_be_says_what_to_do() {
    let scratch = Scratch::new();
    let wrong = |feed: &str, expected: &[&str]| {
        let store = scratch.path("none");
        let text = format!(
            "seeds = ['http://h.test/']\n[store]\npath = '{}'\n[[feed]]\n{feed}\n",
            store.display()
        );
        let output = run(&["run", &scratch.write("crawl.toml", &text)]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        for text in expected {
            assert!(stderr(&output).contains(text), "`{text}` is not in {}", stderr(&output));
        }
        assert!(!store.exists() && !stderr(&output).contains("hunter2"));
    };
    wrong("path = 'a.toml'", &["feed[0].path", "*.jsonl, *.json, *.csv"]);
    wrong("path = 'a.csv'\nkey = ['id']", &["feed[0].key", "databases"]);
    wrong("path = 'a.csv'\n[[feed]]\npath = 'a.csv'", &["feed[1].path", "a place of its own"]);
    if !cfg!(feature = "parquet") {
        let hint = "cargo build --release --features parquet (or all-feeds)";
        wrong("path = 'a.parquet'", &["knows nothing of Parquet", hint]);
    }
    if !cfg!(feature = "postgres") {
        let hint = "cargo build --release --features postgres";
        wrong("path = 'postgres://joe:hunter2@h/d'", &["nothing of PostgreSQL", hint]);
    }
    if !cfg!(feature = "object-store") {
        wrong("path = 's3://b/items.csv'", &["--features object-store"]);
    }
}
