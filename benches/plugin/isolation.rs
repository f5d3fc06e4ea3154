//! What it costs that a plugin runs in a child process: the same spider, loaded here and there.
//!
//! The product list of `main.rs`: 24 KB, 81 links, 15 cards. Here the page is read (links, and what
//! the spider wants) and the callback run; with isolation the page is read for its links here, goes
//! through the pipe, is read again there, and the harvest comes back. Both in turn; the figures are
//! the medians of wall time, on one thread, so the other core has nothing to do.
//!
//! `cargo bench --manifest-path benches/plugin/Cargo.toml --bench isolation`

#[path = "../parser/page.rs"]
mod page;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crawl_parser::{PageOpener, ParseConfig};
use crawl_plugin::process::{Guest, Isolated, Launch, Sent, serve};
use crawl_plugin::{PluginSpider, load_in_child};
use crawl_spider::{Args, CanonicalUrl, Harvest, Request, Response, Spider, SpiderError};

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 41;
const PAGES: u32 = 100;
const WORD: &str = "serve-plugin";

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == WORD) {
        serve(Loaded::load).expect("the parent keeps to the protocol");
        return;
    }
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("spider");
    let library = crawl_plugin::find(&plugin).expect("it builds");
    let here = Loaded::load(&library.to_string_lossy()).expect("it loads");
    let launch = Launch {
        command: Box::new(|| {
            let mut command = Command::new("/proc/self/exe");
            command.arg(WORD);
            command
        }),
        setup: library.to_string_lossy().into_owned(),
        max_time: Some(Duration::from_secs(60)),
        memory_bytes: Some(1 << 30),
    };
    let apart = Isolated::new(launch).expect("it starts");
    // As the crawl does: the child says what it wants, so nothing is matched here.
    let opener = PageOpener::new(&ParseConfig::default(), &apart);
    let (request, response) = shop();
    let read_here = || {
        let mut out = Harvest::new();
        here.opener.open(&request, &response, 0, |page| {
            black_box(page.links().len());
            here.spider.parse(page, &mut out).expect("it reads the page");
        });
        out.into_parts()
    };
    let read_apart = || {
        let mut out = Harvest::new();
        opener.open(&request, &response, 0, |page| {
            black_box(page.links().len());
            apart.parse(page, &mut out).expect("it reads the page");
        });
        out.into_parts()
    };
    let (first, second) = (read_here(), read_apart());
    assert_eq!((&first.items, &first.follows), (&second.items, &second.follows));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(each(&|| drop(black_box(read_here()))));
        times[1].push(each(&|| drop(black_box(read_apart()))));
    }
    let [here, apart] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e6
    });
    println!("a page read in process {here:.0} us, in a child {apart:.0} us: {:.0} us more", apart - here);
}

fn each(work: &dyn Fn()) -> Duration {
    let begun = Instant::now();
    (0..PAGES).for_each(|_| work());
    begun.elapsed() / PAGES
}

fn shop() -> (Request, Response) {
    let url = CanonicalUrl::parse("http://shop.test/list").expect("a URL");
    let response = Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        body: page::product_list().into(),
        truncated: None,
        remote: None,
    };
    (Request::get(url), response)
}

struct Loaded {
    spider: PluginSpider,
    opener: PageOpener,
}

impl Loaded {
    fn load(library: &str) -> Result<Self, String> {
        let spider = load_in_child(&PathBuf::from(library), &Args::default());
        let spider = spider.map_err(|error| error.to_string())?;
        let opener = PageOpener::new(&ParseConfig::default(), &spider);
        Ok(Self { spider, opener })
    }
}

impl Guest for Loaded {
    fn spider(&self) -> &dyn Spider {
        &self.spider
    }

    fn parse(&self, page: &Sent, out: &mut Harvest) -> Result<(), SpiderError> {
        let Sent { request, response, fetched_ms } = page;
        self.opener.open(request, response, *fetched_ms, |page| self.spider.parse(page, out))
    }
}
