//! The crawl's numbers: counted by the frontier alone, read by anyone at any time.
//!
//! What is published is always whole: the conservation law holds in every snapshot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crawl_model::{Counts, FilterReason, Verdict};

/// The frontier's own numbers: plain integers, for they change with every link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) discovered: u64,
    pub(crate) queued: u64,
    pub(crate) pending: u64,
    pub(crate) in_flight: u64,
    pub(crate) pages: u64,
    pub(crate) items: u64,
    pub(crate) retries: u64,
    pub(crate) settled: [u64; Verdict::ALL.len()],
    pub(crate) filtered: [u64; FilterReason::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            discovered: 0,
            queued: 0,
            pending: 0,
            in_flight: 0,
            pages: 0,
            items: 0,
            retries: 0,
            settled: [0; Verdict::ALL.len()],
            filtered: [0; FilterReason::ALL.len()],
        }
    }
}

impl Tally {
    pub(crate) fn settle(&mut self, verdict: Verdict) {
        self.settled[verdict as usize] += 1;
        self.pages += u64::from(verdict.is_page());
    }

    /// A URL that has ended so waits anew.
    pub(crate) fn unsettle(&mut self, verdict: Verdict) {
        let count = &mut self.settled[verdict as usize];
        debug_assert!(*count > 0, "only what was settled is taken back");
        *count = count.saturating_sub(1);
        self.pages = self.pages.saturating_sub(u64::from(verdict.is_page()));
    }

    pub(crate) fn filter(&mut self, reason: FilterReason) {
        self.filtered[reason as usize] += 1;
    }

    pub(crate) fn unfilter(&mut self, reason: FilterReason) {
        let count = &mut self.filtered[reason as usize];
        debug_assert!(*count > 0, "only what was filtered is taken back");
        *count = count.saturating_sub(1);
    }

    pub(crate) fn n_settled(&self) -> u64 {
        self.settled.iter().sum()
    }

    pub(crate) fn n_filtered(&self) -> u64 {
        self.filtered.iter().sum()
    }

    /// The law: whatever was discovered is somewhere.
    #[cfg(test)]
    pub(crate) fn is_conserved(&self) -> bool {
        let ended = self.n_settled() + self.n_filtered();
        self.discovered == ended + self.queued + self.pending + self.in_flight
    }
}

/// A snapshot of the crawl's numbers that any thread may read.
#[derive(Debug, Default)]
pub struct SharedCounts {
    tally: Mutex<Tally>,
    is_paused: AtomicBool,
}

impl SharedCounts {
    /// The numbers as of the frontier's last turn. Names of verdicts and reasons that never came
    /// up are absent.
    #[must_use]
    pub fn get(&self) -> Counts {
        let tally = *self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let named =
            |(name, count): (&'static str, u64)| (count > 0).then(|| (name.to_owned(), count));
        let verdicts = Verdict::ALL.iter().map(|v| v.name()).zip(tally.settled);
        let reasons = FilterReason::ALL.iter().map(|r| r.name()).zip(tally.filtered);
        Counts {
            discovered: tally.discovered,
            queued: tally.queued,
            pending: tally.pending,
            in_flight: tally.in_flight,
            settled: verdicts.filter_map(named).collect(),
            filtered: reasons.filter_map(named).collect(),
            pages: tally.pages,
            items: tally.items,
            retries: tally.retries,
        }
    }

    /// Whether the crawl is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    pub(crate) fn set_paused(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Relaxed);
    }

    pub(crate) fn publish(&self, tally: &Tally) {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = *tally;
    }
}
