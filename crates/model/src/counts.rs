//! The conservation law in numbers: whatever was discovered is somewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FilterReason, Verdict};

/// How many distinct URLs stand where.
///
/// At any time `discovered = settled + filtered + queued + pending + in flight`; see
/// [`is_conserved`](Self::is_conserved).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct fingerprints ever found.
    pub discovered: u64,
    /// Admitted and waiting, retries included.
    pub queued: u64,
    /// Waiting for the seen test's answer.
    pub pending: u64,
    /// Under an open ticket.
    pub in_flight: u64,
    /// Ended after being tried, by verdict name.
    pub settled: BTreeMap<String, u64>,
    /// Ended untried, by reason name.
    pub filtered: BTreeMap<String, u64>,
    /// Settled URLs that are pages: what `max-pages` counts.
    pub pages: u64,
    /// Items in the store.
    pub items: u64,
    /// Tries beyond the first.
    pub retries: u64,
}

impl Counts {
    /// Sum over all verdicts.
    #[must_use]
    pub fn n_settled(&self) -> u64 {
        self.settled.values().sum()
    }

    /// Sum over all reasons.
    #[must_use]
    pub fn n_filtered(&self) -> u64 {
        self.filtered.values().sum()
    }

    /// Whether nothing was lost or counted twice.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        let sum =
            self.n_settled() + self.n_filtered() + self.queued + self.pending + self.in_flight;
        self.discovered == sum
    }

    /// Notes a URL that ended thus.
    pub fn add_settled(&mut self, verdict: Verdict) {
        *self.settled.entry(verdict.name().to_owned()).or_default() += 1;
        self.pages += u64::from(verdict.is_page());
    }

    /// Notes a URL that was filtered.
    pub fn add_filtered(&mut self, reason: FilterReason) {
        *self.filtered.entry(reason.name().to_owned()).or_default() += 1;
    }

    /// Takes back a filtered URL that was admitted after all.
    pub fn remove_filtered(&mut self, reason: FilterReason) {
        if let Some(count) = self.filtered.get_mut(reason.name()) {
            *count = count.saturating_sub(1);
        }
        self.filtered.retain(|_, count| *count > 0);
    }
}
