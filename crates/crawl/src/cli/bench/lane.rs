//! One way of crawling a workload: on so many cores, with so many pages, of a site of its own.
//!
//! What is to be compared, two cores with one say, is a lane each, and the lanes take turns: a slow
//! minute of the machine is everybody's.

use std::path::Path;
use std::time::Duration;

use super::bare::Bare;
use super::counted::{self, Counts};
use super::crawler::{Crawler, Spider, broken};
use super::figures::Round;
use super::process;
use super::served::Served;
use super::wget::{self, Keeping};
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure};

/// What differs from lane to lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Cores of the crawler.
    pub(crate) cores: usize,
    /// Pages of each host; `None`: the workload's.
    pub(crate) pages: Option<u32>,
}

/// A site that is served, and who runs where.
pub(crate) struct Place {
    pub(crate) workload: Workload,
    pub(crate) variant: Variant,
    cores: Cores,
    pub(crate) site: Served,
}

/// What is asked of every lane.
pub(crate) struct Plan<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) sdk: Option<&'a Path>,
    /// Whether the crawler keeps the pages' bodies.
    pub(crate) bodies: bool,
    /// How wget2 crawls beside it.
    pub(crate) wget: &'a [Keeping],
}

/// The crawls of one spider at one place.
pub(crate) struct Lane<'a> {
    place: &'a mut Place,
    spider: Spider,
    crawler: Crawler,
    bare: Option<Bare>,
    pub(crate) rounds: Vec<Round>,
}

impl Place {
    /// Serves the site.
    pub(crate) fn new(workload: Workload, variant: Variant) -> Result<Self, Failure> {
        let cores = Cores::share(variant.cores)?;
        let site = Served::start(workload, variant.pages, &cores.site)?;
        Ok(Self { workload, variant, cores, site })
    }
}

impl<'a> Lane<'a> {
    /// Prepares everything that no round is to pay for.
    pub(crate) fn new(
        place: &'a mut Place,
        spider: Spider,
        plan: &Plan<'_>,
    ) -> Result<Self, Failure> {
        let crawler = Crawler::prepare(plan, place, spider)?;
        let bare = (spider == Spider::Dom).then(|| Bare::new(place.workload, place.variant.pages));
        Ok(Self { place, spider, crawler, bare, rounds: Vec::new() })
    }

    pub(crate) fn spider(&self) -> Spider {
        self.spider
    }

    pub(crate) fn workload(&self) -> Workload {
        self.place.workload
    }

    pub(crate) fn variant(&self) -> Variant {
        self.place.variant
    }

    /// The crawler, then those it is compared with.
    pub(crate) fn round(&mut self, plan: &Plan<'_>) -> Result<(), Failure> {
        let Place { workload, cores, site, .. } = &mut *self.place;
        let before = site.seen()?;
        let crawled = self.crawler.crawl(&cores.crawler)?;
        let after = site.seen()?;
        let mut wget = Vec::new();
        for keeping in plan.wget {
            let cost = wget::crawl(plan.folder, *workload, *keeping, site.addr, &cores.crawler)?;
            wget.push((*keeping, cost));
        }
        let bare = self.bare.as_ref().map(|bare| bare.read(&cores.crawler)).transpose()?;
        self.rounds.push(Round {
            site_cpu: after.cpu.saturating_sub(before.cpu),
            most_open: after.most_open,
            crawled,
            wget,
            bare,
        });
        Ok(())
    }

    /// One more crawl, whose instructions and allocations are counted.
    pub(crate) fn count(&self) -> Result<Counts, Failure> {
        counted::count(&self.crawler, &self.place.cores.crawler)
    }
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

/// Milliseconds of it.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
