//! One crawl over everything the web can throw at a crawler, beside hosts that are well-behaved.
//!
//! The faults and what is expected of each are `crawl_testsite::Faults`. The crawl runs in a
//! process of its own, so that its memory can be measured; the good hosts' server keeps the record
//! by which their requests are timed. On a machine that is busy with other tests lateness says
//! little, so it is printed always, and demanded with
//! `CRAWL_FAULTS_TIMING=1 cargo test --release --test it faults -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use crawl_model::CanonicalUrl;
use crawl_testsite::{Faults, MAX_REDIRECTS, ManyHosts, TestSite, WebFault};
use serde_json::Value;

use crate::support::{Scratch, crawl, finish, inspect, stderr};

const HOSTS: u32 = 20;
const PAGES: u32 = 60;
const DELAY: Duration = Duration::from_millis(100);
/// How late good hosts' requests may be at the 95th percentile; unoptimised, bombs keep both CPU
/// threads busy for longer.
const MOST_LATE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 50 });
/// What the crawl may take; unoptimised it is slower, so more bodies are under way at a time.
const MOST_MEMORY_KB: u64 = if cfg!(debug_assertions) { 300 * 1024 } else { 200 * 1024 };

#[test]
fn every_fault_ends_as_the_rfcs_demand_and_no_good_host_suffers() {
    let faults = Faults::start().unwrap();
    let hosts = ManyHosts { domain: "good.test".into(), hosts: HOSTS, pages: PAGES, bytes: 4_000 };
    let site = TestSite::spawn_thread(TestSite::builder().many_hosts(hosts.clone()));
    let scratch = Scratch::new();
    let roots = scratch.write("roots.pem", faults.roots());
    let store = scratch.path("store");

    let good: Vec<String> = hosts.names().map(|name| format!("http://{name}/")).collect();
    let mut text = open_config(&faults, &good, &store, &roots);
    writeln!(text, "\"*.good.test\" = \"{}\"", site.addr).unwrap();
    let config = scratch.write("crawl.toml", &text);
    let begun = Instant::now();
    let (output, peak_kb) = run(&config);
    println!("ended after {:?}, peak RSS {} MB", begun.elapsed(), peak_kb / 1024);
    assert!(output.status.success(), "{}", stderr(&output));

    let late = lateness(&site, &hosts);
    println!("late at the 95th percentile: {late:?}");
    assert_good_hosts_are_complete(&store, &hosts);
    assert_as_expected(&store, of(&faults, false));
    assert!(peak_kb < MOST_MEMORY_KB, "peak RSS was {peak_kb} KB");
    if std::env::var_os("CRAWL_FAULTS_TIMING").is_some() {
        assert!(late <= MOST_LATE, "late at the 95th percentile: {late:?}");
    }
}

#[test]
fn names_and_addresses_that_lead_nowhere_or_inward_end_by_name() {
    let faults = Faults::start().unwrap();
    let scratch = Scratch::new();
    let store = scratch.path("store");
    let seeds: Vec<String> = of(&faults, true).flat_map(|fault| fault.seeds.clone()).collect();
    let more = format!("name-servers = [\"{}\"]\n", faults.name_server());
    // Hosts without an address have no robots.txt: the page itself is to be tried.
    let config = scratch.write("crawl.toml", &config(&seeds, &store, "robots = false", &more));
    let (output, _) = run(&config);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_as_expected(&store, of(&faults, true));
}

fn of(faults: &Faults, is_guarded: bool) -> impl Iterator<Item = &WebFault> {
    faults.all().iter().filter(move |fault| fault.is_guarded == is_guarded)
}

/// The crawl over the faults that are to be reached, and over `good` URLs; it ends with the table
/// of addresses.
fn open_config(faults: &Faults, good: &[String], store: &Path, roots: &str) -> String {
    let mut seeds = good.to_vec();
    seeds.extend(of(faults, false).flat_map(|fault| fault.seeds.clone()));
    let more = format!("allow-private-addresses = true\nextra-roots = [{roots:?}]\n");
    let mut text = config(&seeds, store, "robots = true", &(more + "[fetch.resolve]"));
    for (host, to) in faults.resolve() {
        writeln!(text, "{host:?} = \"{to}\"").unwrap();
    }
    text
}

/// An impatient crawl; `fetch` ends the `[fetch]` table.
fn config(seeds: &[String], store: &Path, politeness: &str, fetch: &str) -> String {
    let delay = DELAY.as_millis();
    format!(
        r#"
seeds = {seeds:?}
[store]
path = {store:?}
[politeness]
{politeness}
delay = "{delay}ms"
max-retry-after = "1s"
robots-attempts = 2
[retry]
max-attempts = 2
backoff = "100ms"
[fetch]
connections = 200
max-redirects = {MAX_REDIRECTS}
dns-timeout = "1s"
connect-timeout = "1s"
tls-timeout = "1s"
header-timeout = "1s"
idle-timeout = "1s"
total-timeout = "6s"
body-limit-bytes = 2097152
transfer-limit-bytes = 2200000
min-rate-bytes = 100
min-rate-window = "2s"
cookies = "on"
{fetch}
"#
    )
}

/// Runs a crawl to its end; also its peak of resident memory in KB.
fn run(config: &str) -> (Output, u64) {
    let child = crawl(&["run", config]).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watch = thread::spawn(move || {
        let mut peak = 0;
        // When it has ended, its memory is no longer told of.
        while let Some(kb) = high_water(&status) {
            peak = kb;
            thread::sleep(Duration::from_millis(10));
        }
        peak
    });
    let output = finish(child);
    (output, watch.join().unwrap())
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// How much later than due the good hosts' requests came, at the 95th percentile: due is the
/// delay after the host's request before it. robots.txt, `/` and the page after it are left out,
/// for each waits for the one before to be read.
fn lateness(site: &TestSite, hosts: &ManyHosts) -> Duration {
    let gaps = hosts.names().flat_map(|name| site.gaps(&name).into_iter().skip(2));
    let mut late: Vec<Duration> = gaps.map(|gap| gap.saturating_sub(DELAY)).collect();
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!("late: median {:?}, 90% {:?}, 99% {:?}, worst {:?}", at(50), at(90), at(99), at(100));
    at(95)
}

#[track_caller]
fn assert_good_hosts_are_complete(store: &Path, hosts: &ManyHosts) {
    let rows = inspect(store, &["pages", "--verdict", "ok"]);
    let read: BTreeSet<&str> = rows.iter().map(|row| row["url"].as_str().unwrap()).collect();
    for name in hosts.names() {
        for path in hosts.paths() {
            let url = format!("http://{name}{path}");
            assert!(read.contains(url.as_str()), "{url} is missing");
        }
    }
}

/// How each URL ended, by name.
fn ends(store: &Path) -> BTreeMap<String, String> {
    // A URL that is asked for again with new cookies has two ends; the later one counts.
    let mut rows = inspect(store, &["urls"]);
    rows.sort_by_key(|row| row["n"].as_u64());
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    rows.iter().map(|row| (text(&row["url"]), text(&row["verdict"]))).collect()
}

/// Compares all ends with the table and tells all differences at once.
#[track_caller]
fn assert_as_expected<'a>(store: &Path, faults: impl Iterator<Item = &'a WebFault>) {
    let ends = ends(store);
    let mut n = 0;
    let mut differences = String::new();
    for fault in faults {
        for url in &fault.judged {
            n += 1;
            let key = CanonicalUrl::parse(url).unwrap();
            let end = ends.get(key.as_str()).map_or("unknown", String::as_str);
            if end != fault.verdict {
                let WebFault { verdict, section, about, .. } = fault;
                writeln!(differences, "{url}: {end}, not {verdict} ({section}: {about})").unwrap();
            }
        }
    }
    println!("{n} verdicts, {} differ", differences.lines().count());
    assert!(differences.is_empty(), "\n{differences}");
    let stats = &inspect(store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
}
