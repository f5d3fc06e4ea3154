//! The patterns of Python's asyncio, one by one, as they are written here: each function says the
//! Python first, and asserts what it claims. Longer than an example should be, for it has ten.
//!
//! `cargo run --example asyncio_patterns [FOLDER]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crawl::prelude::*;
use crawl::{CrawlConfig, LookEnd, Session, Verdict};
use crawl_testsite::{ManyHosts, TestSite, Tree};
use futures_util::{Stream, StreamExt};
use tokio::sync::{Mutex, Semaphore};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A local web for one pattern: quotes, thirty small hosts, a tree, and a host that never answers.
struct Web {
    site: TestSite,
    folder: PathBuf,
}

impl Web {
    async fn start(folder: &Path, name: &str) -> std::io::Result<Self> {
        let tree = Tree { pages: 500, links_per_page: 20, bytes: 1000 };
        let site = TestSite::builder().tutorials().site("tree.test", Arc::new(tree));
        let site = site.hang("hang.test");
        let site = site.latency(Duration::from_millis(20)).try_start().await?;
        Ok(Self { site, folder: folder.join(name) })
    }

    /// The defaults, but for what only a local site needs.
    fn config(&self) -> CrawlConfig {
        let mut config = CrawlConfig::default();
        config.fetch.resolve.insert("*.test".into(), self.site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.store.path = self.folder.clone();
        config.fresh = true;
        config
    }

    fn crawl(&self, seed: &str) -> crawl::CrawlBuilder {
        Crawl::builder().config(self.config()).seed(seed)
    }
}

/// The front pages of the thirty hosts.
fn front_pages() -> impl Iterator<Item = Request> + Send {
    let names: Vec<String> = ManyHosts::tutorial().names().collect();
    names.into_iter().filter_map(|name| Some(Request::get(url(&format!("http://{name}/"))?)))
}

fn url(text: &str) -> Option<CanonicalUrl> {
    CanonicalUrl::parse(text).ok()
}

/// Python: `pages = await asyncio.gather(*(fetch(url) for url in urls))`
///
/// Here: [`Session::gather`]; robots.txt and delays are kept, answers come in the order of the
/// requests, and a failure is a value beside the others. For a whole site the crawl is the gather:
/// its worker pool has `fetch.connections` workers.
async fn gather(web: &Web) -> Outcome {
    let session = Session::new(&web.config())?;
    let begun = Instant::now();
    let looked = session.gather(front_pages()).await;
    assert_eq!(looked.len(), 30);
    assert!(looked.iter().all(|looked| looked.end == LookEnd::Came(Verdict::Ok)));
    assert!(looked[7].url.as_str().contains("//h7."), "in the order of the requests");
    let one_by_one = Duration::from_millis(20) * 2 * 30; // each has a robots.txt, too
    assert!(begun.elapsed() < one_by_one, "side by side");
    Ok(())
}

/// Python: `for done in asyncio.as_completed(fetches): page = await done`
///
/// Here: [`Session::as_completed`]; requests are taken from the iterator as answers are read, and
/// what is under way ends when it is dropped.
async fn as_completed(web: &Web) -> Outcome {
    let session = Session::new(&web.config())?;
    let hang = url("http://hang.test/").map(Request::get);
    let mut completed = session.as_completed(hang.into_iter().chain(front_pages()));
    for _ in 0..5 {
        let (n, looked) = completed.next().await.ok_or("there are more than five")?;
        assert!(n > 0 && looked.response.is_some(), "the one that hangs keeps nobody waiting");
    }
    Ok(())
}

/// Python: `async with asyncio.Semaphore(3): await fetch(url)`
///
/// Here: `politeness.per-host` for a host and `fetch.connections` for all, in a crawl and in a
/// session; tokio's `Semaphore` for what is your own.
async fn semaphore(web: &Web) -> Outcome {
    let mut config = web.config();
    config.frontier.politeness.per_host = 3.try_into()?;
    let session = Session::new(&config)?;
    let pages = (1..=10).filter_map(|n| url(&format!("http://quotes.test/page/{n}/")));
    session.gather(pages.map(Request::get).collect::<Vec<_>>()).await;
    let most = web.site.max_concurrency("quotes.test");
    assert!((2..=3).contains(&most), "{most} at once");

    let (two, busy) = (Semaphore::new(2), AtomicU32::new(0));
    let work = async || -> Outcome {
        let _permit = two.acquire().await?; // given back when it goes out of scope
        assert!(busy.fetch_add(1, Relaxed) < 2);
        tokio::time::sleep(Duration::from_millis(1)).await;
        busy.fetch_sub(1, Relaxed);
        Ok(())
    };
    let (a, b, c) = tokio::join!(work(), work(), work());
    a.and(b).and(c)
}

/// Python: `async with crawl() as pages: ...`
///
/// Here: [`Crawl::with_pages`] closes the crawl and waits till all is flushed, on every way out of
/// the block: its end, `?`, `return`. After a panic or a cancellation the same happens in the
/// background, for a `Pages` that is dropped closes its crawl.
async fn async_with(web: &Web) -> Outcome {
    let crawl = web.crawl("http://tree.test/").build()?;
    let read = crawl.with_pages(async |pages| -> Outcome {
        pages.next().await.ok_or("no page")??;
        Err("changed my mind")? // as if something went wrong in the middle
    });
    let (value, report) = read.await?;
    assert_eq!(value.err().map(|error| error.to_string()).as_deref(), Some("changed my mind"));
    assert_eq!(report.counts.in_flight, 0, "what was in flight has settled");
    // The folder is free, and the next run goes on where this one stopped.
    let again = web.crawl("http://tree.test/").configure(|config| config.fresh = false);
    let (n, report) = again.build()?.with_pages(async |pages| pages.take(3).count().await).await?;
    assert!(n == 3 && report.resumed.is_some());
    Ok(())
}

/// Python: `async def titles(): async for page in crawl(): yield page.title`
///
/// Here: [`Pages`] is a `Stream`, and what `StreamExt` makes of a stream is one, too. It pulls: a
/// page is fetched because somebody wants to read it, and no list of them is ever made.
async fn async_generator(web: &Web) -> Outcome {
    fn titles(pages: Pages) -> impl Stream<Item = Result<String, CrawlError>> {
        pages.map(|page| page.map(|page| page.record.title.clone()))
    }
    let crawl = web.crawl("http://tree.test/").read_ahead(4.try_into()?);
    let pages = crawl.configure(|c| c.fetch.connections = std::num::NonZeroU32::MIN).build()?;
    let mut first = titles(pages.start().await?).take(10);
    let mut n = 0;
    while let Some(title) = first.next().await {
        assert!(!title?.is_empty());
        n += 1;
    }
    assert_eq!(n, 10);
    // Ten pages, robots.txt, the read-ahead, and one that was being fetched.
    assert!(web.site.served() <= 10 + 1 + 4 + 1, "{} were fetched", web.site.served());
    Ok(())
}

/// Python: `await loop.run_in_executor(pool, crunch, page)`
///
/// Here: a spider's callbacks run on threads of their own, one per core, so they may calculate as
/// long as they like while the runtime goes on; `spawn_blocking` for what is your own.
async fn cpu_work(web: &Web) -> Outcome {
    struct Crunch(Arc<AtomicU32>);

    impl Spider for Crunch {
        fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
            let ticks = self.0.load(Relaxed);
            let mut sum = page.body().len() as u64;
            let begun = Instant::now();
            // Hard work; it ends early only once it is seen that the loop was not held up.
            while self.0.load(Relaxed) < ticks + 5 && begun.elapsed() < Duration::from_secs(20) {
                sum = (0..10_000).fold(sum, |sum, n| sum.rotate_left(5) ^ n);
            }
            out.item(&json!({ "sum": sum, "ticks": self.0.load(Relaxed) - ticks }))
        }
    }

    let ticks = Arc::new(AtomicU32::new(0));
    let ticker = tokio::spawn({
        let ticks = Arc::clone(&ticks);
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                ticks.fetch_add(1, Relaxed);
            }
        }
    });
    let crawl = web.crawl("http://quotes.test/").spider(Crunch(ticks)).build()?;
    let mut pages = crawl.start().await?;
    let page = pages.next().await.ok_or("no page")??;
    let item = page.items.first().ok_or("no item")?;
    assert!(item["ticks"].as_u64() >= Some(5), "the loop went on: {item}");
    ticker.abort();
    let sum = tokio::task::spawn_blocking(|| (0..1000_u64).sum::<u64>()).await?;
    assert_eq!(sum, 499_500);
    Ok(())
}

/// Python: `await asyncio.sleep(1)`, and never `time.sleep`
///
/// Here: nobody sleeps for a host; a request that shall wait says so, and its worker does other
/// things. In your own tasks: `tokio::time::sleep`, never `std::thread::sleep`.
async fn sleep(web: &Web) -> Outcome {
    struct Later;

    impl Spider for Later {
        fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
            if page.depth() == 0 {
                out.follow(page, "/page/2/")?.delay(Duration::from_secs(1));
                out.follow(page, "/page/3/")?;
            }
            Ok(())
        }
    }

    let crawl = web.crawl("http://quotes.test/").spider(Later).build()?;
    crawl.launch().await?.finish().await?;
    let log = web.site.log();
    let at = |path| log.iter().find(|record| record.path == path).map(|record| record.at);
    let waited = at("/page/2/").zip(at("/")).map(|(later, first)| later - first);
    assert!(waited >= Some(Duration::from_secs(1)), "{waited:?}");
    assert!(at("/page/3/") < at("/page/2/"), "the other one did not wait");
    Ok(())
}

/// Python: `async with asyncio.timeout(0.2): page = await anext(pages)`
///
/// Here: `tokio::time::timeout` around anything; `Pages::next` loses nothing by it. Each fetch has
/// its own limits as well (`fetch.total-timeout` and others), and their verdict is a value.
async fn timeout(web: &Web) -> Outcome {
    let crawl = web.crawl("http://hang.test/").configure(|config| {
        config.frontier.politeness.robots = false;
        config.frontier.retry.max_attempts = 1;
        config.fetch.header_timeout = Duration::from_millis(600);
    });
    let mut pages = crawl.build()?.start().await?;
    let nothing = tokio::time::timeout(Duration::from_millis(100), pages.next()).await;
    assert!(nothing.is_err(), "the reader gave up, the crawl did not");
    let page = pages.next().await.ok_or("no page")??;
    assert_eq!(page.verdict(), Verdict::HeaderTimeout);
    Ok(())
}

/// Python: `task.cancel()`
///
/// Here: dropping a future, or aborting its task, is its cancellation; a crawl that is read there
/// closes in the background and loses nothing. `Handle::close` asks from anywhere for an orderly
/// end.
async fn cancellation(web: &Web) -> Outcome {
    let mut pages = web.crawl("http://quotes.test/").build()?.start().await?;
    let handle = pages.handle();
    let task = tokio::spawn(async move { while pages.next().await.is_some() {} });
    while handle.stats().pages == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    let resume = || web.crawl("http://quotes.test/").configure(|config| config.fresh = false);
    let running = loop {
        match resume().build()?.launch().await {
            Err(error) if error.is_in_use() => tokio::time::sleep(Duration::from_millis(10)).await,
            running => break running?,
        }
    };
    running.handle().close(); // and an orderly end, asked for from outside
    let mut running = running;
    assert!(running.finish().await?.counts.is_conserved(), "every URL is accounted for");
    Ok(())
}

/// Python: `queue = asyncio.Queue(); workers = [asyncio.create_task(worker(queue)) for _ in range(4)]`
///
/// Here: the frontier is the queue: [`Handle::add_seed`](crawl::Handle::add_seed) puts, and workers
/// that share `Pages` take. It ends by itself when it is empty and nobody works: no `join`, no
/// sentinel.
async fn queue_of_workers(web: &Web) -> Outcome {
    let crawl = web.crawl("http://h0.many.test/").configure(|config| {
        config.frontier.scope.allowed_domains = vec!["many.test".into()];
    });
    let pages = crawl.build()?.start().await?;
    let handle = pages.handle();
    handle.add_seed("http://h1.many.test/").await?;
    let pages = Arc::new(Mutex::new(pages));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let pages = Arc::clone(&pages);
        workers.spawn(async move {
            let mut n = 0;
            loop {
                let Some(page) = pages.lock().await.next().await else { return Ok(n) };
                n += u32::from(page?.status() == Some(200));
                tokio::time::sleep(Duration::from_millis(1)).await; // the work
            }
        });
    }
    let counts: Result<Vec<u32>, CrawlError> = workers.join_all().await.into_iter().collect();
    assert_eq!(counts?.iter().sum::<u32>(), 2 * 4, "each page went to one worker");
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/asyncio".into());
    let folder = Path::new(&folder);
    macro_rules! show {
        ($($pattern:ident)*) => {$(
            let begun = Instant::now();
            $pattern(&Web::start(folder, stringify!($pattern)).await?).await?;
            println!("{:18} {:>5} ms", stringify!($pattern), begun.elapsed().as_millis());
        )*};
    }
    show!(gather as_completed semaphore async_with async_generator);
    show!(cpu_work sleep timeout cancellation queue_of_workers);
    println!("10 patterns hold");
    Ok(())
}
