//! How near a polite crawl of many hosts comes to what politeness allows.
//!
//! 50 hosts of 100 pages, all linked from their root, one request at a time per host, and one
//! more host that never answers. Judged by the server's own log. `cargo bench --bench politeness`
//! prints a line per setting and fails if a rule or the 15 % is broken.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crawl::Crawl;
use crawl_testsite::TestSite;

const HOSTS: usize = 50;
const PAGES: usize = 100;
/// Wall time over its bound.
const ALLOWED: f64 = 1.15;
/// Timer granularity and the time a request takes from our socket to the server's clock.
const TOLERANCE: Duration = Duration::from_millis(2);

struct Setting {
    name: &'static str,
    latency: Duration,
    delay: Duration,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let ms = Duration::from_millis;
    let settings = [
        Setting { name: "latency-bound", latency: ms(100), delay: ms(50) },
        Setting { name: "delay-bound", latency: ms(10), delay: ms(50) },
    ];
    // All of them run, even if one fails.
    let kept = settings.iter().filter(|setting| runtime.block_on(holds(setting))).count();
    if kept == settings.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn holds(setting: &Setting) -> bool {
    let site = TestSite::spawn_thread(hosts(setting.latency));
    let folder = std::env::temp_dir().join(format!("crawl-politeness-{}", std::process::id()));
    let crawl = Crawl::builder()
        .seed("http://root.test/")
        .folder(&folder)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.scope.allowed_domains = vec!["test".into()];
            config.frontier.politeness.delay = setting.delay;
            config.grace = Duration::from_millis(100);
        })
        .build()
        .expect("the seed is a URL");
    let begun = Instant::now();
    let mut running = crawl.launch().await.expect("the crawl starts");
    let handle = running.handle();
    // The hanging host would hold the end back; the rest is what is measured.
    while handle.stats().pages < (HOSTS * PAGES + 1) as u64 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", handle.stats());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let wall = begun.elapsed();
    handle.close();
    let report = running.finish().await.expect("the crawl ends");
    // It lies in the folder for temporary files, where a leftover does no harm.
    let _ = std::fs::remove_dir_all(&folder);

    let names: Vec<String> = (0..HOSTS).map(host).collect();
    let most = names.iter().map(|name| site.max_concurrency(name)).max().unwrap_or(0);
    let gaps = names.iter().flat_map(|name| site.gaps(name));
    let shortest = gaps.min().unwrap_or_default();
    let step = setting.latency.max(setting.delay);
    // The root's page and robots.txt, each host's robots.txt, and its pages.
    let bound = step * PAGES as u32;
    let ratio = wall.as_secs_f64() / bound.as_secs_f64();
    println!(
        "politeness/{}: {} pages in {wall:.2?}, bound {bound:.2?}, ratio {ratio:.3}; \
         shortest gap {shortest:.2?}, most at once on a host {most}; hanging host asked {} time(s)",
        setting.name,
        report.counts.pages,
        site.log().iter().filter(|request| request.host == "hang.test").count(),
    );
    ratio <= ALLOWED && most == 1 && shortest + TOLERANCE >= setting.delay
}

fn host(i: usize) -> String {
    format!("h{i}.test")
}

/// A root that links to all hosts; each host's root links to its pages.
fn hosts(latency: Duration) -> crawl_testsite::Builder {
    let mut root: String =
        (0..HOSTS).map(|i| format!("<a href=http://{}/>x</a>", host(i))).collect();
    root.push_str("<a href=http://hang.test/>never</a>");
    let mut site = TestSite::builder().latency(latency).hang("hang.test");
    site = site.page_on("root.test", "/", root);
    let links: String = (1..PAGES).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    for i in 0..HOSTS {
        site = site.page_on(&host(i), "/", links.clone());
        for page in 1..PAGES {
            site = site.page_on(&host(i), &format!("/p{page}"), "<p>a page");
        }
    }
    site
}
