//! What the tests share: folders, the binary, the test site in a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest that any one crawl of these tests may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// One item per book, from its own page.
pub(crate) const BOOKS: &str = r#"
[[spider.items]]
select = "article.product_page"
[spider.items.fields]
title = "h1"
price = { css = ".price_color", type = "number", required = true }
"#;

/// A `crawl` command, output captured.
pub(crate) fn crawl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crawl"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `crawl` to its end.
#[track_caller]
pub(crate) fn run(args: &[&str]) -> Output {
    finish(crawl(args).spawn().unwrap())
}

/// Waits for a child within the limit; kills it and fails beyond.
#[track_caller]
pub(crate) fn finish(mut child: Child) -> Output {
    // Read while it runs, or a full pipe would stop it.
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                child.kill().unwrap();
                child.wait().unwrap();
                let stderr = stderr.join().unwrap();
                panic!("no end after {LIMIT:?}: {}", String::from_utf8_lossy(&stderr));
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn drain(pipe: Option<impl std::io::Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `crawl` and demands exit code 0.
#[track_caller]
pub(crate) fn run_ok(args: &[&str]) -> Output {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}: {}", output.status, stderr(&output));
    output
}

/// The rows of a `crawl inspect`.
#[track_caller]
pub(crate) fn inspect(store: &Path, args: &[&str]) -> Vec<Value> {
    let mut all = vec!["inspect", store.to_str().unwrap()];
    all.extend(args);
    all.push("--json");
    let output = run_ok(&all);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Rows by a text field, each value with the number of its rows.
pub(crate) fn tally<'a>(rows: &'a [Value], field: &str) -> BTreeMap<&'a str, usize> {
    let mut tally = BTreeMap::new();
    for row in rows {
        *tally.entry(row[field].as_str().unwrap_or("-")).or_default() += 1;
    }
    tally
}

/// A folder that goes when the test ends.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path as text, for a command line.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }
}

/// The config of an impatient crawl of `bookshop.test` at `addr`, store in `store`; `more` is
/// added at the end.
pub(crate) fn local_config(addr: SocketAddr, store: &Path, more: &str) -> String {
    format!(
        r#"
seeds = ["http://bookshop.test/"]
[politeness]
delay = "0s"
per-host = 16
[fetch]
allow-private-addresses = true
resolve = {{ "bookshop.test" = "{addr}" }}
[store]
path = "{}"
{more}
"#,
        store.display()
    )
}

/// The bundled site in a process of its own, with its log.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(scratch: &Scratch, books: u32, latency: &str) -> Self {
        let log = scratch.path("served.jsonl");
        let books = books.to_string();
        let args = ["testsite", "--books", &books, "--latency", latency, "--log"];
        let mut child = crawl(&args).arg(&log).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim().trim_start_matches("http://").trim_end_matches('/');
        let addr = addr.parse().unwrap_or_else(|_| panic!("no address: {line:?}"));
        Self { child, addr, log }
    }

    /// Paths in the order they were asked.
    pub(crate) fn served(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half written.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                row["path"].as_str().unwrap().to_owned()
            })
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends Ctrl-C's signal to a child.
pub(crate) fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

/// Runs one test of this binary again in a process of its own, with `key=value` set: for what
/// kills its process, or wants its memory measured alone.
pub(crate) fn again(test: &str, key: &str, value: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(key, value)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
