//! Seeds from a file: read as it goes, its hosts the scope, nothing of it lost by a kill.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crawl::{Crawl, End};
use crawl_testsite::{Reply, SiteRequest, TestSite};

use crate::support::{LIMIT, Scratch, crawl, finish, inspect, run, run_ok, stderr};

/// Every page links to a host of no seed.
fn site() -> TestSite {
    let page = |request: &SiteRequest<'_>| match request.path_and_query {
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("<a href=http://foreign.test/>x</a>"),
    };
    TestSite::spawn_thread(TestSite::builder().site("*", std::sync::Arc::new(page)))
}

/// `n` URLs on so many hosts, with a comment and a line that is no URL.
fn lines(n: usize, n_hosts: usize) -> String {
    let mut text = "# seeds\n\nno url\n".to_owned();
    for i in 0..n {
        writeln!(text, "http://h{}.test/{i}", i % n_hosts).unwrap();
    }
    text
}

fn config(site: &TestSite, store: &Path, seeds: &str, more: &str) -> String {
    format!(
        "seeds-file = '{seeds}'\n\
         [politeness]\ndelay = '0s'\nper-host = 4\nrobots = false\n{more}\
         [fetch]\nallow-private-addresses = true\nresolve = {{ '*.test' = '{}' }}\n\
         [store]\npath = '{}'\n",
        site.addr,
        store.display(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_seeds_are_read_while_their_hosts_rest() {
    let (site, scratch) = (site(), Scratch::new());
    let (folder, n) = (scratch.path("store"), 20_000);
    let file = scratch.write("seeds.txt", &lines(n, 40));
    for is_again in [false, true] {
        let crawl = Crawl::builder().folder(&folder).configure(|config| {
            config.seeds_file = Some(file.clone().into());
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::from_secs(3600);
            config.frontier.politeness.robots = false;
        });
        let mut running = crawl.build().unwrap().launch().await.unwrap();
        let handle = running.handle();
        let begun = Instant::now();
        while handle.status().await.unwrap().reading_seeds {
            assert!(begun.elapsed() < LIMIT, "it is never read");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        handle.close();
        let report = running.finish().await.unwrap();
        assert_eq!(report.end, End::Closed);
        assert!(report.counts.is_conserved());
        let read = report.seeds.unwrap();
        let seeded = read.seeded;
        let (admitted, known) = if is_again { (0, n) } else { (n, 0) };
        assert_eq!((seeded.admitted, seeded.known, seeded.filtered), (admitted, known, 0));
        assert_eq!((read.lines, read.bad, read.is_whole), (n as u64 + 3, 1, true));
        let note = format!("{file}: 1 line is no URL that can be crawled: 3");
        assert!(report.notes.contains(&note), "{:?}", report.notes);
        assert_eq!(report.counts.queued + report.counts.pages, n as u64);
    }
}

#[test]
fn a_crawl_that_is_killed_while_it_reads_its_seeds_loses_none() {
    let (site, scratch, n) = (site(), Scratch::new(), 6_000);
    let store = scratch.path("store");
    let seeds = scratch.write("seeds.txt", &lines(n, 60));
    let config = scratch.write("crawl.toml", &config(&site, &store, &seeds, ""));
    for at in [1, 1500, 3000] {
        let mut child = crawl(&["run", &config]).spawn().unwrap();
        let begun = Instant::now();
        while site.served() < at && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT, "the moment never came");
            thread::sleep(Duration::from_millis(1));
        }
        // SIGKILL, on Unix.
        let _ = child.kill();
        child.wait().unwrap();
    }
    let output = finish(crawl(&["run", &config]).spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    let rows = inspect(&store, &["pages", "--verdict", "ok"]);
    let urls: BTreeSet<&str> = rows.iter().map(|row| row["url"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), urls.len()), (n, n));
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["conserved"], true);
    assert_eq!(stats["filtered"]["off-domain"], 1, "the hosts of the seeds are the scope: {stats}");
}

#[test]
fn standard_input_and_gzip_will_do_and_what_cannot_be_read_is_told() {
    use std::io::Write;
    let (site, scratch) = (site(), Scratch::new());
    let store = scratch.path("store");
    let dash = scratch.write("dash.toml", &config(&site, &store, "-", ""));
    let mut child =
        crawl(&["run", &dash, "--json"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines(30, 3).as_bytes()).unwrap();
    let output = finish(child);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["seeds_file"]["admitted"], &report["end"]),
        (&30.into(), &"finished".into())
    );

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines(50, 3).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let path = scratch.path("seeds.gz");
    std::fs::write(&path, &packed).unwrap();
    let path = path.to_str().unwrap();
    let gzip = scratch.write("gzip.toml", &config(&site, &store, path, ""));
    let output = run_ok(&["run", &gzip]);
    let said = stderr(&output);
    assert!(said.contains("seeds  20 admitted, 30 known, 0 filtered"), "{said}");

    std::fs::write(path, &packed[..packed.len() - 20]).unwrap();
    let output = run(&["run", &gzip]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot be read at line"), "{}", stderr(&output));

    let none = scratch.write("none.toml", &config(&site, &store, "none.txt", ""));
    let output = run(&["run", &none]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("none.txt cannot be opened"), "{}", stderr(&output));
}
