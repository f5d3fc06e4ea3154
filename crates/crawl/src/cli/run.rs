//! `crawl run`: from a config to a summary.

use std::path::Path;

use crawl::feeds::{FeedConfig, stdout};
use crawl::{Config, Crawl, CrawlError, End, Report, Running};

use super::args::RunArgs;
use super::failure::{Exit, Failure, unless_closed};
use super::progress::Progress;
use super::signals::Signals;
use super::summary::{self, Places};
use super::waiting::Waiting;

/// Crawls, shows progress, and says how it went.
pub(crate) async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|e| Failure::new(Exit::Broken, e))?;
    let mut config = Config::load(&args.config, &args.set)?;
    config.set_spider_args(&args.args)?;
    for path in &args.output {
        config.feed.push(feed_to(path)?);
    }
    if args.json && config.feed.iter().any(FeedConfig::is_stdout) {
        let what = "both the report (`--json`) and a feed go to standard output";
        return Err(Failure::new(Exit::Usage, what).hint("give the feed a file: -o items.jsonl"));
    }
    // Refused before the folder is made.
    if !config.has_beginning() && !config.store.path.exists() {
        return Err(CrawlError::NoSeeds.into());
    }
    let places = Places::of(&config);
    let fail_on_drift = config.run.fail_on_drift;
    let site = config.serve_testsite().await;
    let site = site.map_err(|error| {
        Failure::new(Exit::Broken, format!("the test site cannot be served: {error}"))
    })?;
    if let Some(site) = &site {
        eprintln!("serving the test site on {}", site.addr);
    }
    let running = match make(config, args.fresh, &mut signals).await? {
        Some(crawl) => launch(crawl, &mut signals).await?,
        None => None,
    };
    let Some(running) = running else {
        eprintln!("interrupted before anything was fetched");
        return Ok(Exit::Interrupted);
    };
    let (report, was_interrupted) = attend(running, &mut signals).await?;
    drop(site);
    // Closed by `crawl control STORE stop`: to whoever started it, the same as Ctrl-C.
    let was_interrupted =
        was_interrupted || (report.end == End::Closed && report.stopped.is_none());
    eprint!("{}", summary::text(&report, &places, was_interrupted));
    if args.json {
        unless_closed(summary::print_json(&report, &places))?;
    }
    Ok(match was_interrupted {
        true => Exit::Interrupted,
        false if fail_on_drift && !report.drifts.is_empty() => Exit::Drift,
        false => Exit::Done,
    })
}

/// The feed of `-o`.
pub(super) fn feed_to(path: &Path) -> Result<FeedConfig, Failure> {
    let feed = FeedConfig::to(path);
    match feed.check() {
        Ok(()) => Ok(feed),
        Err(fault) => {
            let what = format!("`-o {}", fault.said().replacen(':', "`:", 1));
            Err(Failure::new(Exit::Usage, what).hint(fault.hint))
        }
    }
}

/// Makes the crawl, and its spider; `None` if a signal came first.
pub(super) async fn make(
    config: Config,
    fresh: bool,
    signals: &mut Signals,
) -> Result<Option<Crawl>, Failure> {
    keep_stdout(&config)?;
    // A plugin may have to be built.
    let made = tokio::task::spawn_blocking(move || config.into_crawl(fresh));
    tokio::select! {
        made = made => Ok(Some(made.map_err(|e| Failure::new(Exit::Broken, e))??)),
        () = signals.next() => Ok(None),
    }
}

/// Keeps standard output for results if there is a plugin, before a line of its code runs: what it
/// prints must not stand among them.
pub(super) fn keep_stdout(config: &Config) -> Result<(), Failure> {
    match has_plugin(config) {
        true => stdout::keep().map_err(|e| Failure::new(Exit::Broken, e)),
        false => Ok(()),
    }
}

fn has_plugin(config: &Config) -> bool {
    config.spider.as_ref().is_some_and(|spider| spider.plugin.is_some())
}

/// Opens the folder; `None` if a signal came first.
pub(super) async fn launch(
    crawl: Crawl,
    signals: &mut Signals,
) -> Result<Option<Running>, CrawlError> {
    tokio::select! {
        running = crawl.launch() => running.map(Some),
        () = signals.next() => Ok(None),
    }
}

/// Watches a crawl to its end; also says whether a signal asked for it.
pub(super) async fn attend(
    mut running: Running,
    signals: &mut Signals,
) -> Result<(Report, bool), CrawlError> {
    let handle = running.handle();
    let mut progress = Progress::new();
    progress.begin(&handle.stats());
    let mut ticks = tokio::time::interval(progress.period());
    ticks.tick().await; // the first comes at once
    let mut was_interrupted = false;
    let mut waiting = Waiting::default();
    let mut outages = handle.outages().subscribe();
    loop {
        tokio::select! {
            result = running.finish() => {
                progress.end_line();
                return Ok((result?, was_interrupted));
            }
            Ok(()) = outages.changed() => {
                let now = outages.borrow_and_update().clone();
                waiting.said(&now).iter().for_each(|line| progress.say(line));
            }
            _ = ticks.tick() => progress.show(&handle.stats(), handle.is_paused()),
            () = signals.next() => {
                if was_interrupted {
                    progress.say("stopped at once; the next run recovers");
                    // Threads may be anywhere: like a kill, which the store is made for.
                    std::process::exit(Exit::Interrupted as i32);
                }
                was_interrupted = true;
                progress.say("closing: what is in flight settles; Ctrl-C again stops at once");
                handle.close();
            }
        }
    }
}
