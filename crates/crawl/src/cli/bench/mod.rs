//! `crawl bench`: whole crawls of sites made for it, each on a core of its own, beside wget2.
//!
//! Every crawl runs with the shipped defaults but for politeness, is durable, and is checked: each
//! page once, each item once, all that was discovered accounted for. Rounds of the crawlers
//! alternate, so that a slow minute of the machine is everybody's.

mod crawler;
mod figures;
mod process;
mod served;
mod wget;
mod workload;

use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use self::crawler::{Crawler, Spider, broken};
use self::figures::{Figures, Round};
use self::served::Served;
use self::workload::Workload;
use super::failure::{Exit, Failure, unless_closed};

pub(super) const HELP: &str = "\
A row per workload and spider, each figure the median of its rounds: pages a second, CPU
milliseconds a page of the crawler's process (and of wget2's, and the ratio of both, which is what
can be compared between machines), the highest resident memory, disk a page, and what the site cost.

Exit codes:
    0  done; each crawl reached every page and every item once
    1  one did not, or output failed
    2  wrong usage, or a machine with a single core";

/// What is to be measured.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Sites to crawl.
    #[arg(value_enum, default_values = ["w1"], ignore_case = true)]
    workloads: Vec<Workload>,
    /// What takes the items.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["links", "toml"])]
    spider: Vec<Spider>,
    /// Crawls of each, whose median is told.
    #[arg(long, default_value = "5")]
    rounds: NonZeroU32,
    /// Cores of the crawler. With as many as there are, the site shares them.
    #[arg(long, default_value = "1")]
    cores: NonZeroUsize,
    /// Pages of each host, instead of the workload's.
    #[arg(long)]
    pages: Option<NonZeroU32>,
    /// Leave wget2 out.
    #[arg(long)]
    alone: bool,
    /// Where the crawls' folders are made, on a real disk. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    /// The repository of the crawler, which plugins are built with. Default: where this binary was
    /// built.
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
    /// Print a JSON object a row.
    #[arg(long)]
    json: bool,
    /// Serve the site of a workload until standard input ends: what the benchmark starts for itself.
    #[arg(long, value_enum, ignore_case = true, hide = true)]
    serve: Option<Workload>,
}

/// Measures.
pub(super) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let pages = args.pages.map(NonZeroU32::get);
    if let Some(workload) = args.serve {
        return served::serve(workload, pages);
    }
    let scratch = tempfile::tempdir().map_err(broken)?;
    let folder = args.dir.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(folder).map_err(broken)?;
    let cores = Cores::share(args.cores.get())?;
    let with_wget = !args.alone && wget::is_there();
    if !with_wget && !args.alone {
        eprintln!("note: wget2 is not installed; the figures stand alone");
    }
    if !args.json {
        unless_closed(head())?;
    }
    for workload in &args.workloads {
        let site = Served::start(*workload, pages, &cores.site)?;
        for spider in &args.spider {
            let crawler = Crawler::prepare(
                folder,
                *workload,
                pages,
                *spider,
                site.addr,
                args.sdk.as_deref(),
            )?;
            let mut rounds = Vec::new();
            for _ in 0..args.rounds.get() {
                rounds.push(round(&crawler, &site, *workload, &cores, folder, with_wget)?);
            }
            unless_closed(row(*workload, *spider, &Figures::of(&rounds), args.json))?;
        }
    }
    Ok(())
}

fn round(
    crawler: &Crawler,
    site: &Served,
    workload: Workload,
    cores: &Cores,
    folder: &Path,
    with_wget: bool,
) -> Result<Round, Failure> {
    let before = site.seen()?;
    let crawled = crawler.crawl(&cores.crawler)?;
    let site_cpu = site.seen()?.cpu.saturating_sub(before.cpu);
    let wget = match with_wget {
        true => Some(wget::crawl(folder, workload, site.addr, &cores.crawler)?),
        false => None,
    };
    Ok(Round { crawled, site_cpu, wget })
}

/// Who runs where.
struct Cores {
    crawler: Vec<usize>,
    site: Vec<usize>,
}

impl Cores {
    /// The first `n` for the crawler, the others for the site; all for both if none are left.
    fn share(n: usize) -> Result<Self, Failure> {
        let all = process::cores().map_err(broken)?;
        if all.len() < 2 || n > all.len() {
            let what = format!("{n} cores for the crawler, of {} that there are", all.len());
            return Err(Failure::new(Exit::Usage, what)
                .hint("the site needs one of its own: a machine of two cores or more, --cores 1"));
        }
        let site = if n < all.len() { all[n..].to_vec() } else { all.clone() };
        Ok(Self { crawler: all[..n].to_vec(), site })
    }
}

fn head() -> io::Result<()> {
    writeln!(
        io::stdout(),
        "{:<4} {:<8} {:>9} {:>11} {:>11} {:>7} {:>9} {:>11} {:>11}",
        "site",
        "spider",
        "pages/s",
        "CPU ms/page",
        "wget2's",
        "ratio",
        "peak MiB",
        "disk B/page",
        "site's CPU"
    )
}

fn row(workload: Workload, spider: Spider, figures: &Figures, is_json: bool) -> io::Result<()> {
    let mut out = io::stdout();
    if is_json {
        let mut row = json!({ "workload": workload.name(), "spider": spider.name() });
        if let (Some(row), Some(more)) = (row.as_object_mut(), figures.json().as_object_mut()) {
            row.append(more);
        }
        return writeln!(out, "{row}");
    }
    let or_dash = |figure: Option<f64>| figure.map_or("-".to_owned(), |n| format!("{n:.3}"));
    writeln!(
        out,
        "{:<4} {:<8} {:>9.0} {:>11.3} {:>11} {:>7} {:>9.1} {:>11.0} {:>11.3}",
        workload.name(),
        spider.name(),
        figures.pages_per_second,
        figures.cpu_ms,
        or_dash(figures.wget_ms),
        or_dash(figures.ratio),
        figures.peak_rss_mib,
        figures.disk_bytes,
        figures.site_ms,
    )
}
