//! Figures of many rounds: medians, because a shared machine is slow at times and never too fast.

use std::time::Duration;

use serde_json::{Value, json};

use super::counted::Counts;
use super::crawler::Crawled;
use super::lane::millis;
use super::process::Cost;
use super::wget::Keeping;

/// What one round was like.
pub(crate) struct Round {
    pub(crate) crawled: Crawled,
    /// CPU time the site's process took for it.
    pub(crate) site_cpu: Duration,
    /// Most connections of the crawler at a time, as the site saw them.
    pub(crate) most_open: u64,
    /// wget2 on the same site, right after.
    pub(crate) wget: Vec<(Keeping, Cost)>,
    /// CPU time of scraper alone, a page.
    pub(crate) bare: Option<Duration>,
}

/// Another program's CPU milliseconds a page, and ours beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versus {
    pub(crate) cpu_ms: f64,
    /// Ours by its.
    pub(crate) ratio: f64,
    /// Ours less its, in milliseconds.
    pub(crate) over_ms: f64,
}

/// Medians over all rounds of one lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) pages_per_second: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) peak_rss_mib: f64,
    pub(crate) disk_bytes: f64,
    pub(crate) site_ms: f64,
    /// The most of all rounds.
    pub(crate) most_open: u64,
    /// wget2 that keeps nothing, and that keeps files.
    pub(crate) wget: [Option<Versus>; Keeping::ALL.len()],
    pub(crate) bare: Option<Versus>,
    pub(crate) counts: Option<Counts>,
}

/// One lane beside the first of its table, round by round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    /// CPU a page by that of the first.
    pub(crate) cpu: f64,
    /// Pages a second by those of the first.
    pub(crate) speed: f64,
    /// Peak memory less that of the first.
    pub(crate) peak_rss_mib_more: f64,
}

impl Figures {
    pub(crate) fn of(rounds: &[Round], counts: Option<Counts>) -> Self {
        let over = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
        let wget = |keeping: Keeping| {
            versus(rounds, |round| {
                let (_, cost) = round.wget.iter().find(|(kept, _)| *kept == keeping)?;
                Some(millis(cost.cpu) / round.crawled.pages as f64)
            })
        };
        Self {
            pages_per_second: over(&speed),
            cpu_ms: over(&cpu_ms),
            peak_rss_mib: over(&peak_mib),
            disk_bytes: over(&|r| r.crawled.disk as f64 / r.crawled.pages as f64),
            site_ms: over(&|r| millis(r.site_cpu) / r.crawled.pages as f64),
            most_open: rounds.iter().map(|round| round.most_open).max().unwrap_or(0),
            wget: Keeping::ALL.map(wget),
            bare: versus(rounds, |round| round.bare.map(millis)),
            counts,
        }
    }

    pub(crate) fn json(&self) -> Value {
        let [discard, files] = self.wget;
        let ms = |versus: Option<Versus>| versus.map(|versus| versus.cpu_ms);
        let ratio = |versus: Option<Versus>| versus.map(|versus| versus.ratio);
        json!({
            "pages_per_second": self.pages_per_second,
            "cpu_ms_per_page": self.cpu_ms,
            "peak_rss_mib": self.peak_rss_mib,
            "disk_bytes_per_page": self.disk_bytes,
            "most_connections": self.most_open,
            "site_cpu_ms_per_page": self.site_ms,
            "wget2_cpu_ms_per_page": ms(discard),
            "ratio_to_wget2": ratio(discard),
            "wget2_files_cpu_ms_per_page": ms(files),
            "ratio_to_wget2_files": ratio(files),
            "scraper_cpu_ms_per_page": ms(self.bare),
            "cpu_ms_over_scraper": self.bare.map(|bare| bare.over_ms),
            "instructions_per_page": self.counts.map(|counts| counts.instructions),
            "allocations_per_page": self.counts.map(|counts| counts.allocations),
        })
    }
}

impl Beside {
    /// Both went through their rounds in turn.
    pub(crate) fn of(rounds: &[Round], first: &[Round]) -> Self {
        let pairs = |figure: &dyn Fn(&Round, &Round) -> f64| {
            median(rounds.iter().zip(first).map(|(round, first)| figure(round, first)))
        };
        Self {
            cpu: pairs(&|round, first| cpu_ms(round) / cpu_ms(first)),
            speed: pairs(&|round, first| speed(round) / speed(first)),
            peak_rss_mib_more: pairs(&|round, first| peak_mib(round) - peak_mib(first)),
        }
    }

    pub(crate) fn json(self) -> Value {
        json!({
            "cpu_per_page_ratio": self.cpu,
            "pages_per_second_ratio": self.speed,
            "peak_rss_mib_more": self.peak_rss_mib_more,
        })
    }
}

/// Medians over the rounds in which there is one.
fn versus(rounds: &[Round], theirs: impl Fn(&Round) -> Option<f64>) -> Option<Versus> {
    let pairs = || rounds.iter().filter_map(|round| Some((cpu_ms(round), theirs(round)?)));
    pairs().next()?;
    Some(Versus {
        cpu_ms: median(pairs().map(|(_, theirs)| theirs)),
        ratio: median(pairs().map(|(ours, theirs)| ours / theirs)),
        over_ms: median(pairs().map(|(ours, theirs)| ours - theirs)),
    })
}

fn cpu_ms(round: &Round) -> f64 {
    millis(round.crawled.cost.cpu) / round.crawled.pages as f64
}

fn speed(round: &Round) -> f64 {
    round.crawled.pages as f64 / round.crawled.cost.wall.as_secs_f64()
}

fn peak_mib(round: &Round) -> f64 {
    round.crawled.cost.peak_rss as f64 / f64::from(1 << 20)
}

/// The middle one; the mean of the two middle ones. NaN of none.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => f64::midpoint(figures[n / 2 - 1], figures[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_figures() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }

    fn round(cpu_ms: u64, wall_ms: u64, mib: u64, wget_ms: u64) -> Round {
        let cost = |cpu_ms| Cost {
            wall: Duration::from_millis(wall_ms),
            cpu: Duration::from_millis(cpu_ms),
            peak_rss: mib << 20,
            is_success: true,
        };
        Round {
            crawled: Crawled { cost: cost(cpu_ms), pages: 100, disk: 0 },
            site_cpu: Duration::ZERO,
            most_open: mib,
            wget: vec![(Keeping::Files, cost(wget_ms))],
            bare: None,
        }
    }

    #[test]
    fn ratios_are_those_of_one_round() {
        // The second round is slow for everybody.
        let one = [round(100, 1_000, 40, 200), round(200, 2_000, 41, 400)];
        let two = [round(110, 500, 50, 0), round(220, 1_000, 51, 0)];
        let beside = Beside::of(&two, &one);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(beside.cpu, 1.1) && near(beside.speed, 2.0), "{beside:?}");
        assert!(near(beside.peak_rss_mib_more, 10.0), "{beside:?}");
        let figures = Figures::of(&one, None);
        let [discard, files] = figures.wget;
        assert!(discard.is_none() && near(files.unwrap().ratio, 0.5), "{figures:?}");
        assert!(near(files.unwrap().over_ms, -1.5), "{figures:?}");
        assert_eq!(figures.most_open, 41);
    }
}
