//! A finished crawl that is run again as an incremental one: which pages are due, what a visit
//! brought, and when the next one is.
//!
//! A page that changes is visited more often, one that does not less often: the interval is halved
//! or doubled (Cho and Garcia-Molina, 2003, show why that comes close to what the best plan would
//! do). It stands in the page's record, so it outlives runs and kills.
//!
//! Not here: how a page is asked for again (frontier), and how little is sent for it (fetcher).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crawl_model::{Copies, DURATION, Fingerprint, PageRecord, Validators, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Reader;
use crate::copies::Copy;
use crate::store::millis;

/// By how much an interval may be stretched or shortened if `min` and `max` do not say.
const REACH: u64 = 8;

/// When pages are asked for again, as written in the `[recrawl]` table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecrawlConfig {
    /// How long after a visit a page is due again; the next run asks for those that are. Default:
    /// `0s`, never.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub after: Duration,
    /// Whether that doubles with each visit that finds the page as it was, and halves with each
    /// that does not. Default: true.
    pub adaptive: bool,
    /// Least time between two visits, if adaptive. Default: `0s`, an eighth of `after`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub min: Duration,
    /// Longest time between two visits, if adaptive. Default: `0s`, eight times `after`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max: Duration,
}

impl Default for RecrawlConfig {
    fn default() -> Self {
        let never = Duration::ZERO;
        Self { after: never, adaptive: true, min: never, max: never }
    }
}

impl RecrawlConfig {
    /// Whether pages are asked for again at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.after.is_zero()
    }

    /// Says what is wrong with it: the key, and why. Nothing is if it is off.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if !self.is_on() {
            return None;
        }
        let shown = humantime_serde::re::humantime::format_duration;
        let after = shown(self.after);
        if !self.min.is_zero() && self.min > self.after {
            let min = shown(self.min);
            return Some(("min", format!("{min} is longer than `recrawl.after` ({after})")));
        }
        if !self.max.is_zero() && self.max < self.after {
            let max = shown(self.max);
            return Some(("max", format!("{max} is shorter than `recrawl.after` ({after})")));
        }
        None
    }

    /// Whether a page is to be asked for again at `now_ms` (milliseconds since the Unix epoch).
    ///
    /// Never one that killed the process, nor one whose request was more than its URL.
    #[must_use]
    pub fn is_due(&self, record: &PageRecord, now_ms: u64) -> bool {
        let may_be_asked = record.verdict != Verdict::Poisoned && !record.has_extras;
        let last_ms = record.fetched_ms.max(record.checked_ms);
        self.is_on() && may_be_asked && last_ms.saturating_add(self.interval_ms(record)) <= now_ms
    }

    /// The time from a page's last visit to its next.
    fn interval_ms(&self, record: &PageRecord) -> u64 {
        match record.interval_ms {
            learnt if self.adaptive && learnt > 0 => self.within_bounds(learnt),
            _ => millis(self.after),
        }
    }

    fn within_bounds(&self, interval_ms: u64) -> u64 {
        let after = millis(self.after);
        let or = |bound: Duration, default| if bound.is_zero() { default } else { millis(bound) };
        let least = or(self.min, after / REACH).max(1);
        let most = or(self.max, after.saturating_mul(REACH)).max(least);
        interval_ms.clamp(least, most)
    }

    /// Notes in the record of a visit what it says of the page and its next visit; `old` is what
    /// was known before.
    pub(crate) fn plan(&self, old: &PageRecord, new: &mut PageRecord, news: News, now_ms: u64) {
        new.checked_ms = now_ms;
        new.changed_ms = if news.is_change() { now_ms } else { old.changed_ms };
        new.interval_ms = old.interval_ms;
        if self.is_on() && self.adaptive {
            let interval_ms = self.interval_ms(old);
            new.interval_ms = self.within_bounds(match news {
                News::Changed => interval_ms / 2,
                News::Unchanged | News::Gone => interval_ms.saturating_mul(2),
                News::Failed => interval_ms,
            });
        }
    }
}

/// What a visit says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Changed,
    Unchanged,
    /// It was there, and is not any more.
    Gone,
    /// Nothing: there was no answer that counts.
    Failed,
}

impl News {
    /// Of a visit that gave `new` where `old` was; `is_kept`: as the better copy `old` stays.
    pub(crate) fn of(old: &PageRecord, new: &PageRecord, is_kept: bool) -> Self {
        if new.verdict == Verdict::NotModified {
            return Self::Unchanged;
        }
        if is_kept || Copy::of(new).is_failed() {
            return Self::Failed;
        }
        let is_gone = |record: &PageRecord| matches!(record.status, Some(404 | 410));
        let is_alike = match new.verdict {
            Verdict::Redirected => new.redirect == old.redirect,
            _ => new.digest == old.digest,
        };
        match (is_gone(old), is_gone(new)) {
            (true, true) => Self::Unchanged,
            (false, true) => Self::Gone,
            _ if is_alike && (new.verdict, new.status) == (old.verdict, old.status) => {
                Self::Unchanged
            }
            _ => Self::Changed,
        }
    }

    fn is_change(self) -> bool {
        match self {
            Self::Changed | Self::Gone => true,
            Self::Unchanged | Self::Failed => false,
        }
    }
}

/// What came of the pages that a run asked for again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Revisited {
    /// Are not what they were.
    pub changed: u64,
    /// Are as they were.
    pub unchanged: u64,
    /// Are not there any more (404 or 410).
    pub gone: u64,
    /// Could not be had; the old copy stays.
    pub failed: u64,
}

/// The same while it is counted: one writer, any readers.
#[derive(Debug, Default)]
pub(crate) struct Revisits {
    /// Pages that settled, those that were new included.
    pages: AtomicU64,
    changed: AtomicU64,
    unchanged: AtomicU64,
    gone: AtomicU64,
    failed: AtomicU64,
}

impl Revisits {
    pub(crate) fn count(&self, news: News) {
        let count = match news {
            News::Changed => &self.changed,
            News::Unchanged => &self.unchanged,
            News::Gone => &self.gone,
            News::Failed => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_page(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> Revisited {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Revisited {
            changed: of(&self.changed),
            unchanged: of(&self.unchanged),
            gone: of(&self.gone),
            failed: of(&self.failed),
        }
    }
}

impl Copies for Reader {
    fn validators(&self, print: Fingerprint) -> Result<Option<Validators>, String> {
        let record = self.page(print).map_err(|error| error.to_string())?;
        Ok(record.filter(is_whole).map(|record| {
            let PageRecord { etag, last_modified, .. } = record;
            Validators { etag, last_modified }
        }))
    }
}

/// Whether the copy may stay as it is if the server says that the page has not changed: all of it
/// is there, its archived body was not lost, and the spider has read it.
fn is_whole(record: &PageRecord) -> bool {
    matches!(record.verdict, Verdict::Ok | Verdict::NoIndex)
        && record.status == Some(200)
        && record.truncated.is_none()
        && record.body_lost.is_empty()
}

#[cfg(test)]
mod tests {
    use crawl_model::CanonicalUrl;

    use super::*;

    fn daily() -> RecrawlConfig {
        RecrawlConfig { after: Duration::from_secs(86_400), ..RecrawlConfig::default() }
    }

    fn page(status: u16, verdict: Verdict, digest: &str) -> PageRecord {
        let url = CanonicalUrl::parse("http://h/").unwrap();
        let (status, digest) = (Some(status), digest.to_owned());
        PageRecord { status, digest, fetched_ms: 1, ..PageRecord::new(url, verdict) }
    }

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn a_page_is_due_when_its_interval_is_over_and_never_if_it_is_off() {
        let mut record = page(200, Verdict::Ok, "a");
        assert!(!daily().is_due(&record, DAY_MS) && daily().is_due(&record, DAY_MS + 1));
        assert!(!RecrawlConfig::default().is_due(&record, u64::MAX));
        record.checked_ms = 5;
        assert!(!daily().is_due(&record, DAY_MS + 4) && daily().is_due(&record, DAY_MS + 5));
        record.interval_ms = 2 * DAY_MS;
        assert!(!daily().is_due(&record, DAY_MS + 5));
        assert!(RecrawlConfig { adaptive: false, ..daily() }.is_due(&record, DAY_MS + 5));
        let extra = PageRecord { has_extras: true, ..record.clone() };
        assert!(!daily().is_due(&extra, u64::MAX));
        assert!(!daily().is_due(&page(0, Verdict::Poisoned, ""), u64::MAX));
    }

    #[test]
    fn the_interval_follows_what_the_visits_find_within_its_bounds() {
        let config = RecrawlConfig { min: daily().after / 3, ..daily() };
        let mut record = page(200, Verdict::Ok, "a");
        let mut visit = |news: &[News]| {
            for &news in news {
                let old = record.clone();
                config.plan(&old, &mut record, news, 7);
            }
            record.interval_ms
        };
        let (changed, unchanged) = (News::Changed, News::Unchanged);
        assert_eq!(visit(&[unchanged]), 2 * DAY_MS);
        assert_eq!(visit(&[unchanged; 9]), 8 * DAY_MS);
        assert_eq!(visit(&[News::Failed]), 8 * DAY_MS, "nothing is learnt from that");
        assert_eq!(visit(&[changed; 3]), DAY_MS);
        assert_eq!(visit(&[changed; 3]), DAY_MS / 3);
        assert_eq!((record.checked_ms, record.changed_ms), (7, 7));
    }

    #[test]
    fn what_a_visit_says_is_told_by_status_and_body() {
        let check = |old: (u16, Verdict, &str), new: (u16, Verdict, &str), is_kept, news| {
            let of = |(status, verdict, digest)| page(status, verdict, digest);
            assert_eq!(News::of(&of(old), &of(new), is_kept), news, "{old:?} {new:?}");
        };
        let (ok, error) = (Verdict::Ok, Verdict::HttpError);
        check((200, ok, "a"), (200, ok, "a"), false, News::Unchanged);
        check((200, ok, "a"), (200, ok, "b"), false, News::Changed);
        check((200, ok, "a"), (304, Verdict::NotModified, ""), true, News::Unchanged);
        check((200, ok, "a"), (410, error, "g"), false, News::Gone);
        check((404, error, "a"), (404, error, "b"), false, News::Unchanged);
        check((404, error, "a"), (200, ok, "b"), false, News::Changed);
        check((200, ok, "a"), (503, Verdict::ServerError, ""), true, News::Failed);
        check(
            (503, Verdict::ServerError, ""),
            (503, Verdict::ServerError, ""),
            false,
            News::Failed,
        );
    }

    #[test]
    fn bounds_that_contradict_the_interval_are_told() {
        assert_eq!(daily().fault(), None);
        let min = RecrawlConfig { min: daily().after * 2, ..daily() };
        assert_eq!(min.fault().unwrap().0, "min");
        let max = RecrawlConfig { max: daily().after / 2, ..daily() };
        assert!(max.fault().unwrap().1.contains("12h is shorter"));
    }
}
