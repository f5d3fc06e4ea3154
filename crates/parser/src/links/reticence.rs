//! Whether known links are left as references: not for a spider that asks for their URLs.
//!
//! To resolve them after all costs more than to have resolved them at once. Whether a spider asks, one
//! with patterns say, shows on the pages before.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One page in so many is tried with a spider that asks.
const TRIAL: u64 = 64;

/// Counts of one spider. What they say decides when a link is resolved, never what comes of it.
#[derive(Debug, Default)]
pub(crate) struct Reticence {
    /// Pages with known links.
    pages: AtomicU64,
    /// Pages on which they were left as references, and those of which it was asked where they lead.
    left: AtomicU64,
    asked: AtomicU64,
}

impl Reticence {
    /// Begins a page: whether its known links are left as references.
    pub(super) fn begin(&self) -> bool {
        let pages = self.pages.fetch_add(1, Relaxed);
        let is_asked = self.asked.load(Relaxed).saturating_mul(2) > self.left.load(Relaxed);
        if is_asked && !pages.is_multiple_of(TRIAL) {
            return false;
        }
        self.left.fetch_add(1, Relaxed);
        true
    }

    /// Notes that it was asked where they lead. Once for each page.
    pub(super) fn note_asked(&self) {
        self.asked.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spider_that_asks_is_told_at_once_and_tried_again_now_and_then() {
        let reticence = Reticence::default();
        let page = |asks: bool| {
            let is_left = reticence.begin();
            if is_left && asks {
                reticence.note_asked();
            }
            is_left
        };
        assert!((0..5).all(|_| page(false)));
        let n_left = (0..640).filter(|_| page(true)).count();
        assert!((10..20).contains(&n_left), "{n_left}");
        let n_left = (0..6400).filter(|_| page(false)).count();
        assert!(n_left > 5000, "{n_left}");
    }
}
