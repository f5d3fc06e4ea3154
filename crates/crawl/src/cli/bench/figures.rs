//! Figures of many rounds: medians, because a shared machine is slow at times and never too fast.

use std::time::Duration;

use serde_json::{Value, json};

use super::crawler::Crawled;
use super::process::Cost;

/// What one round was like.
pub(crate) struct Round {
    pub(crate) crawled: Crawled,
    /// CPU time the site's process took for it.
    pub(crate) site_cpu: Duration,
    /// wget2 on the same site, right before or after.
    pub(crate) wget: Option<Cost>,
}

/// Medians over all rounds of one workload and spider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) pages_per_second: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) peak_rss_mib: f64,
    pub(crate) disk_bytes: f64,
    pub(crate) site_ms: f64,
    /// CPU a page by that of wget2.
    pub(crate) ratio: Option<f64>,
    pub(crate) wget_ms: Option<f64>,
}

impl Figures {
    pub(crate) fn of(rounds: &[Round]) -> Self {
        let over = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
        let wget_ms =
            |round: &Round| round.wget.map(|cost| millis(cost.cpu) / round.crawled.pages as f64);
        let pairs = || rounds.iter().filter_map(|round| Some((cpu_ms(round), wget_ms(round)?)));
        let is_paired = pairs().next().is_some();
        Self {
            pages_per_second: over(&|r| r.crawled.pages as f64 / r.crawled.cost.wall.as_secs_f64()),
            cpu_ms: over(&cpu_ms),
            peak_rss_mib: over(&|r| r.crawled.cost.peak_rss as f64 / f64::from(1 << 20)),
            disk_bytes: over(&|r| r.crawled.disk as f64 / r.crawled.pages as f64),
            site_ms: over(&|r| millis(r.site_cpu) / r.crawled.pages as f64),
            ratio: is_paired.then(|| median(pairs().map(|(ours, theirs)| ours / theirs))),
            wget_ms: is_paired.then(|| median(pairs().map(|(_, theirs)| theirs))),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "pages_per_second": self.pages_per_second,
            "cpu_ms_per_page": self.cpu_ms,
            "peak_rss_mib": self.peak_rss_mib,
            "disk_bytes_per_page": self.disk_bytes,
            "site_cpu_ms_per_page": self.site_ms,
            "wget2_cpu_ms_per_page": self.wget_ms,
            "ratio_to_wget2": self.ratio,
        })
    }
}

fn cpu_ms(round: &Round) -> f64 {
    millis(round.crawled.cost.cpu) / round.crawled.pages as f64
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
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
}
