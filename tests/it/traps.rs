//! Sites without end among a hundred good ones: the good ones are complete, each trap keeps to its
//! budget, and the crawl ends. So it does if it was stopped on the way.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crawl::{Config, Report};
use crawl_testsite::{ManyHosts, Reply, Site, SiteRequest, TestSite, Trap};

use crate::support::{LIMIT, Scratch};

const HOSTS: u32 = 100;
const PAGES: u32 = 5;

/// Small limits, so that the test is quick.
const LIMITS: &str = "\
    [traps]\n\
    max-calendar-pages = 40\nmax-session-values = 30\nmax-facet-mixes = 200\nmax-duplicates = 10\n";

/// Most pages that may be asked of each trap, the wild domain's hosts together, under these limits:
/// what its rule says, and the seed.
fn most_pages(trap: Trap) -> usize {
    match trap {
        // Those of 1990 up to the year after this one are not counted.
        Trap::Calendar => 1 + 12 * 60 + 40,
        Trap::Circles => 1 + 2 * 4,
        Trap::Growth => 1 + 32,
        Trap::Sessions => 1 + 8 * 30,
        // A dozen switches have two dozen values.
        Trap::Facets => 1 + 200 + 24,
        Trap::Hosts => 25,
        Trap::Copies => 1 + 2 * 10,
    }
}

fn reason(trap: Trap) -> &'static str {
    match trap {
        Trap::Calendar => "trap-calendar",
        Trap::Circles => "trap-repeats",
        Trap::Growth => "trap-long-path",
        Trap::Sessions => "trap-sessions",
        Trap::Facets => "trap-facets",
        Trap::Hosts => "trap-hosts",
        Trap::Copies => "trap-duplicates",
    }
}

fn good() -> ManyHosts {
    ManyHosts { domain: "test".into(), hosts: HOSTS, pages: PAGES, bytes: 500 }
}

fn serve() -> TestSite {
    TestSite::spawn_thread(TestSite::builder().many_hosts(good()).traps())
}

/// Crawls everything; `scope` stands in the `[scope]` table.
async fn crawl(site: &TestSite, store: &Path, scope: &str) -> Report {
    let good = good();
    let seeds = good.names().chain(Trap::ALL.map(|trap| trap.host().to_owned()));
    let seeds: Vec<String> = seeds.map(|host| format!("http://{host}/")).collect();
    let text = format!(
        "seeds = {seeds:?}\n\
         [scope]\nallowed-domains = ['test']\nmax-hosts-per-domain = 25\n{scope}\n{LIMITS}\
         [politeness]\nrobots = false\ndelay = '0s'\nper-host = 8\n\
         [fetch]\nallow-private-addresses = true\nresolve = {{ '*.test' = '{}' }}\n\
         [store]\npath = {store:?}\n",
        site.addr
    );
    let crawl = Config::parse("c.toml", &text, &[]).unwrap().into_crawl(false).unwrap();
    let run = async { crawl.launch().await.unwrap().finish().await.unwrap() };
    tokio::time::timeout(LIMIT, run).await.expect("the crawl ends")
}

#[track_caller]
fn assert_good_hosts_are_complete(site: &TestSite) {
    for host in good().names() {
        let mut asked = site.requests_to(&host);
        asked.sort();
        assert_eq!(asked, good().paths(), "{host}");
    }
}

/// How often each trap was asked.
fn n_asked(site: &TestSite, trap: Trap) -> usize {
    let is_there = |host: &str| host == trap.host() || host.ends_with(&format!(".{}", trap.host()));
    site.log().iter().filter(|record| is_there(&record.host)).count()
}

#[track_caller]
fn assert_within_budget(site: &TestSite, report: &Report) {
    assert!(report.counts.is_conserved(), "{report:?}");
    for trap in Trap::ALL {
        let n = n_asked(site, trap);
        println!("{trap:?}: {n} pages");
        assert!(n > 1 && n <= most_pages(trap), "{trap:?}: {n} pages of {}", most_pages(trap));
        assert!(report.counts.filtered.contains_key(reason(trap)), "{trap:?}: {report:?}");
        let is_named = report.traps.iter().any(|sighting| {
            sighting.host.ends_with(trap.host())
                && sighting.reason.name() == reason(trap)
                && sighting.n_refused > 0
        });
        assert!(is_named, "{trap:?} in {:?}", report.traps);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traps_keep_to_their_budgets_and_good_hosts_are_complete() {
    let (site, scratch) = (serve(), Scratch::new());
    let report = crawl(&site, &scratch.path("store"), "").await;
    assert_good_hosts_are_complete(&site);
    assert_within_budget(&site, &report);
    assert_eq!(report.counts.queued, 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_the_way_changes_no_budget() {
    let (site, scratch) = (serve(), Scratch::new());
    let store = scratch.path("store");
    for limit in [300, 700, 1000] {
        crawl(&site, &store, &format!("max-pages = {limit}")).await;
    }
    let report = crawl(&site, &store, "").await;
    assert_good_hosts_are_complete(&site);
    // Copies are counted anew in each run; all else is in the log.
    let n_copies = n_asked(&site, Trap::Copies);
    assert!(n_copies <= 4 * most_pages(Trap::Copies), "{n_copies} copies");
    assert!(report.elapsed < LIMIT, "{:?}", Duration::from_secs(report.counts.pages));
    for trap in Trap::ALL.into_iter().filter(|&trap| trap != Trap::Copies) {
        let n = n_asked(&site, trap);
        assert!(n <= most_pages(trap), "{trap:?}: {n} pages of {}", most_pages(trap));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domains_budget_is_exact_over_all_its_hosts() {
    let (site, scratch) = (serve(), Scratch::new());
    let report = crawl(&site, &scratch.path("store"), "max-pages-per-domain = 7").await;
    assert_good_hosts_are_complete(&site);
    for trap in [Trap::Calendar, Trap::Hosts, Trap::Facets] {
        assert_eq!(n_asked(&site, trap), 7, "{trap:?}");
    }
    assert!(report.counts.filtered.contains_key("domain-budget"), "{report:?}");
}

/// An endless row of stories: one that is told again and again with another number and another day,
/// or a new one each time, up to so many.
struct Stories {
    n_different: Option<u64>,
}

impl Stories {
    /// A hundred words out of a few hundred.
    fn text(seed: u64) -> String {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
        let words = (0..100).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let letter =
                |shift: u64| char::from(b'a' + u8::try_from((state >> shift) % 20).unwrap());
            [letter(3), letter(11), letter(23)].iter().collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Site for Stories {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let n: u64 = request.path().trim_start_matches("/story/").parse().unwrap_or(0);
        let text = Self::text(if self.n_different.is_some() { n } else { 0 });
        let next = n + 1;
        let link = match self.n_different {
            Some(last) if next >= last => String::new(),
            _ => format!("<a href=/story/{next}>next</a>"),
        };
        Reply::html(format!(
            "<!doctype html><title>Story {n}</title><p>Day {n} of 2026. {text} {link}"
        ))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_story_with_new_numbers_is_a_trap_and_many_stories_are_not() {
    const DIFFERENT: u64 = 60;
    let scratch = Scratch::new();
    let builder = TestSite::builder()
        .site("same.test", Arc::new(Stories { n_different: None }))
        .site("many.test", Arc::new(Stories { n_different: Some(DIFFERENT) }));
    let site = TestSite::spawn_thread(builder);
    let text = format!(
        "seeds = ['http://same.test/', 'http://many.test/']\n\
         [scope]\nallowed-domains = ['test']\nmax-pages = 500\n\
         [traps]\nmax-duplicates = 10\nnear-duplicates = 3\n\
         [politeness]\nrobots = false\ndelay = '0s'\n\
         [fetch]\nallow-private-addresses = true\nresolve = {{ '*.test' = '{}' }}\n\
         [store]\npath = {:?}\n",
        site.addr,
        scratch.path("store")
    );
    let crawl = Config::parse("c.toml", &text, &[]).unwrap().into_crawl(false).unwrap();
    let run = async { crawl.launch().await.unwrap().finish().await.unwrap() };
    let report = tokio::time::timeout(LIMIT, run).await.expect("the crawl ends");
    assert_eq!(site.requests_to("many.test").len() as u64, DIFFERENT, "{report:?}");
    let n_same = site.requests_to("same.test").len();
    assert!((10..=12).contains(&n_same), "{n_same} of one story");
    let reason = "trap-near-duplicates";
    assert!(report.counts.filtered.contains_key(reason), "{report:?}");
    let is_named = |sighting: &crawl::TrapSighting| {
        sighting.host == "same.test" && sighting.reason.name() == reason
    };
    assert!(report.traps.iter().any(is_named), "{:?}", report.traps);
}
