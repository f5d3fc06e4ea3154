//! `crawl bench`: whole crawls of sites made for it, each on a core of its own, beside wget2.
//!
//! Every crawl runs with the shipped defaults but for politeness, is durable, and is checked: each
//! page once, each item once, all that was discovered accounted for. Rounds of the crawlers
//! alternate, so that a slow minute of the machine is everybody's.

mod lane;

mod crawler;
mod process;
mod served;
mod workload;

mod bare;
mod counted;
mod wget;

mod figures;
mod table;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use self::crawler::{Spider, broken};
use self::figures::Figures;
use self::lane::{Lane, Place, Plan, Variant};
use self::table::{Row, Shown};
use self::wget::Keeping;
use self::workload::Workload;
use super::failure::{Failure, unless_closed};

pub(super) const HELP: &str = "\
A row per workload, spider, number of pages and of cores, each figure the median of its rounds: pages
a second, CPU milliseconds a page of the crawler's process (and of wget2's, and the ratio of both,
which is what can be compared between machines), the highest resident memory, disk a page, the most
connections at a time (as the site saw them), and what the site cost. Of the spider `dom` also the
CPU that scraper alone takes for the same trees and selectors, and how much the crawl is over it.

    crawl bench w2 --cores 1,2                        two cores beside one, round by round
    crawl bench w1 --pages 20000,200000 --alone       what a long crawl needs in memory
    crawl bench w1 --wget2 discard,files --bodies     pages kept, beside a wget2 that keeps them
    crawl bench w1 --count --rounds 1 --alone         figures that a busy machine cannot change

Exit codes:
    0  done; each crawl reached every page and every item once
    1  one did not, or had more connections than its workload allows (W3: 256), or output failed
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
    /// Cores of the crawler. With as many as there are, the site shares them. Of several the first is
    /// what the others are compared with, in turns.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    cores: Vec<NonZeroUsize>,
    /// Pages of each host, instead of the workload's. Of several the first is what the others are
    /// compared with, in turns.
    #[arg(long, value_delimiter = ',')]
    pages: Vec<NonZeroU32>,
    /// Keep the pages' bodies.
    #[arg(long)]
    bodies: bool,
    /// What wget2 does with the pages: it discards them, or keeps them as files, or one after the
    /// other.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "discard")]
    wget2: Vec<Keeping>,
    /// Leave wget2 out.
    #[arg(long)]
    alone: bool,
    /// Crawl once more under valgrind, and tell instructions and allocations a page.
    #[arg(long)]
    count: bool,
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
    /// Read the pages of a workload with scraper alone: what the benchmark starts for itself.
    #[arg(long, value_enum, ignore_case = true, hide = true)]
    bare: Option<Workload>,
}

/// Measures.
pub(super) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let pages = args.pages.first().map(|pages| pages.get());
    if let Some(workload) = args.serve {
        return served::serve(workload, pages);
    }
    if let Some(workload) = args.bare {
        return bare::tell(workload, pages);
    }
    if args.count {
        counted::check()?;
    }
    let scratch = tempfile::tempdir().map_err(broken)?;
    let folder = args.dir.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(folder).map_err(broken)?;
    let plan = Plan { folder, sdk: args.sdk.as_deref(), bodies: args.bodies, wget: &args.rivals() };
    let shown = args.shown(plan.wget);
    unless_closed(shown.head())?;
    let mut refused = None;
    for workload in &args.workloads {
        let place = |variant| Place::new(*workload, variant);
        let mut places = args.variants().into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
        for spider in &args.spider {
            for figures in args.measure(&mut places, *spider, &plan, &shown)? {
                // It is told all the same, and what is to come is measured.
                let checked = workload.check_connections(figures.most_open);
                refused = refused.or(checked.err());
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

impl BenchArgs {
    /// One spider in all lanes, each told and given back.
    fn measure(
        &self,
        places: &mut [Place],
        spider: Spider,
        plan: &Plan<'_>,
        shown: &Shown,
    ) -> Result<Vec<Figures>, Failure> {
        let lane = |place| Lane::new(place, spider, plan);
        let mut lanes = places.iter_mut().map(lane).collect::<Result<Vec<_>, _>>()?;
        for _ in 0..self.rounds.get() {
            lanes.iter_mut().try_for_each(|lane| lane.round(plan))?;
        }
        let tell = |(i, lane): (usize, &Lane<'_>)| {
            let counts = self.count.then(|| lane.count()).transpose()?;
            let figures = Figures::of(&lane.rounds, counts);
            let first = lanes.first().filter(|_| i > 0);
            unless_closed(shown.row(&Row::new(lane, figures, first)))?;
            Ok(figures)
        };
        lanes.iter().enumerate().map(tell).collect()
    }

    /// Each number of pages on each number of cores, once.
    fn variants(&self) -> Vec<Variant> {
        let pages: Vec<_> = match &self.pages[..] {
            [] => vec![None],
            pages => pages.iter().map(|pages| Some(pages.get())).collect(),
        };
        let mut variants = Vec::new();
        for pages in pages {
            for cores in &self.cores {
                let variant = Variant { cores: cores.get(), pages };
                if !variants.contains(&variant) {
                    variants.push(variant);
                }
            }
        }
        variants
    }

    /// How wget2 is to crawl beside it; not at all if there is none.
    fn rivals(&self) -> Vec<Keeping> {
        if self.alone {
            return Vec::new();
        }
        if !wget::is_there() {
            eprintln!("note: wget2 is not installed; the figures stand alone");
            return Vec::new();
        }
        Keeping::ALL.into_iter().filter(|keeping| self.wget2.contains(keeping)).collect()
    }

    fn shown(&self, rivals: &[Keeping]) -> Shown {
        Shown {
            is_json: self.json,
            pages: self.pages.len() > 1,
            cores: self.cores.len() > 1,
            wget: Keeping::ALL.map(|keeping| rivals.contains(&keeping)),
            bare: self.spider.contains(&Spider::Dom),
            counts: self.count,
        }
    }
}
