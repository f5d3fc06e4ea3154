//! `crawl record`: keeps pages of a crawl for the tests of its spider.
//!
//! A real crawl, in a folder that goes when it ends, with one request at a time, so that the order of
//! its pages is that of the site. A spider around the spider keeps what each callback is given.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crawl::feeds::stdout;
use crawl::spider::{
    Closed, Expression, FailedRequest, Harvest, ItemQuery, ItemStep, Page, RequestStep, Response,
    Rules, Spider, SpiderError,
};
use crawl::store::Bodies;
use crawl::{Config, Crawl};
use crawl_spidertest::{Fixture, Folder};

use super::args::RecordArgs;
use super::fixtures_of;
use crate::cli::failure::{Exit, Failure, unless_closed};
use crate::cli::run::{attend, keep_stdout, launch};
use crate::cli::signals::Signals;

/// Crawls, and writes what the callbacks saw.
pub(crate) async fn record(args: RecordArgs) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|e| Failure::new(Exit::Broken, e))?;
    let mut config = Config::load(&args.config, &args.set)?;
    let into = args.into.clone().unwrap_or_else(|| fixtures_of(&args.config));
    let folder = Folder::new(&into);
    keep_stdout(&config)?;
    let inner = config.make_spider()?;
    let site = config.serve_testsite().await;
    let site = site.map_err(|error| {
        Failure::new(Exit::Broken, format!("the test site cannot be served: {error}"))
    })?;
    let scratch = Scratch::new(&into)?;
    limit(&mut config, args.pages.get(), &scratch.0);
    let tape = Tape { most: args.pages.get() as usize, fixtures: Arc::default() };
    let fixtures = tape.fixtures.clone();
    let crawl = Crawl::builder()
        .config(config.into_crawl_config(true)?)
        .spider(Recorder { inner, tape })
        .build()?;
    let Some(running) = launch(crawl, &mut signals).await? else {
        return Ok(Exit::Interrupted);
    };
    let (_, was_interrupted) = attend(running, &mut signals).await?;
    drop(site);
    if was_interrupted {
        eprintln!("interrupted: nothing was written");
        return Ok(Exit::Interrupted);
    }
    let fixtures = std::mem::take(&mut *fixtures.lock().unwrap_or_else(PoisonError::into_inner));
    if fixtures.is_empty() {
        let what = "no callback saw a page, so there is nothing to keep";
        let hint = format!("`crawl run {}` shows how its pages end", args.config.display());
        return Err(Failure::new(Exit::Broken, what).hint(hint));
    }
    let names = folder.replace(&fixtures).map_err(|error| Failure::new(Exit::Broken, error))?;
    for name in &names {
        let path = into.join(format!("{name}.http"));
        unless_closed(stdout::write(format!("{}\n", path.display()).as_bytes()))?;
    }
    eprintln!("{} pages kept; next: crawl check {}", names.len(), args.config.display());
    Ok(Exit::Done)
}

/// One request at a time, as many pages as are wanted, and nothing that lasts.
fn limit(config: &mut Config, n_pages: u32, scratch: &Path) {
    let most = u64::from(n_pages);
    let max_pages = &mut config.scope.max_pages;
    *max_pages = if *max_pages == 0 { most } else { most.min(*max_pages) };
    config.fetch.connections = std::num::NonZeroU32::MIN;
    config.politeness.per_host = std::num::NonZeroU32::MIN;
    config.parse.threads = 1;
    config.feed.clear();
    config.store.path = scratch.to_owned();
    config.store.bodies = Bodies::None;
}

/// The crawl's folder, which goes when the command ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(into: &Path) -> Result<Self, Failure> {
        let path = into.join(".crawl-data");
        let cleared = match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(into),
        };
        cleared.map_err(|error| {
            Failure::new(Exit::Broken, format!("{} cannot be written: {error}", into.display()))
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is cleared by the next recording.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What was kept so far.
struct Tape {
    most: usize,
    fixtures: Arc<Mutex<Vec<Fixture>>>,
}

impl Tape {
    fn keep(&self, fixture: impl FnOnce() -> Fixture) {
        let mut fixtures = self.fixtures.lock().unwrap_or_else(PoisonError::into_inner);
        if fixtures.len() < self.most {
            fixtures.push(fixture());
        }
    }
}

/// The spider, with somebody who keeps what it is given.
struct Recorder {
    inner: Arc<dyn Spider>,
    tape: Tape,
}

impl Spider for Recorder {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn wants(&self) -> Vec<ItemQuery> {
        self.inner.wants()
    }

    fn rules(&self) -> Rules {
        self.inner.rules()
    }

    fn expressions(&self) -> Vec<Expression> {
        self.inner.expressions()
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.inner.start(out)
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.tape.keep(|| {
            let response = Response {
                status: page.status(),
                version: "HTTP/1.1",
                headers: page
                    .headers()
                    .map(|(name, value)| (name.into(), bytes::Bytes::copy_from_slice(value)))
                    .collect(),
                body: bytes::Bytes::copy_from_slice(page.body()),
                truncated: page.truncated(),
                remote: None,
            };
            let since = page.fetched_at().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            Fixture { request: page.request().clone(), reply: Ok(response), time_ms }
        });
        self.inner.parse(page, out)
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.tape.keep(|| Fixture::of_failed(failed));
        self.inner.error(failed, out)
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.inner.closed(closed, out)
    }

    fn item_step(&self) -> Option<&dyn ItemStep> {
        self.inner.item_step()
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        self.inner.request_step()
    }

    fn wants_status(&self, status: u16) -> bool {
        self.inner.wants_status(status)
    }
}
