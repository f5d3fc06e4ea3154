//! Pages that have just been written, for feeds, which ask for each of them a moment later.
//!
//! Read back from the database they would cost twice what it takes to write them out: leaves that a
//! commit has changed are put together for the reader, and split. Here they lie as they were packed.
//! Who finds one reads what the database has, and who does not finds it there.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crawl_model::Fingerprint;

use crate::PageGlance;

/// Most bytes that they take in all; a feed that follows is a commit behind, some 64 KB of items.
const MAX_BYTES: usize = 1 << 20;

/// What one takes besides its items, about.
const PAGE_BYTES: usize = 200;

/// Most of them, those included that have been replaced.
const MAX_PAGES: usize = MAX_BYTES / PAGE_BYTES;

/// The pages of the last commits.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// Whether a feed follows.
    is_wanted: AtomicBool,
    pages: Mutex<Pages>,
}

/// A page whose items ask for no files, so that they are whole when it settles.
#[derive(Debug)]
pub(crate) struct FreshPage {
    pub(crate) glance: PageGlance,
    /// Its items and what stands before them ([`packed`](crate::packed)); empty if there are none.
    pub(crate) packed: Vec<u8>,
}

#[derive(Debug, Default)]
struct Pages {
    by_print: HashMap<Fingerprint, Arc<FreshPage>>,
    /// With the numbers of their settles, the oldest first; some may have been replaced.
    order: VecDeque<(Fingerprint, u64)>,
    bytes: usize,
}

impl Fresh {
    pub(crate) fn want(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    /// Takes in what a commit has brought to the disk. `None`: it is to be read from there.
    pub(crate) fn post(&self, written: Vec<(Fingerprint, Option<FreshPage>)>) {
        if written.is_empty() {
            return;
        }
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        for (print, page) in written {
            pages.replace(print, page);
        }
        pages.shrink();
    }

    pub(crate) fn get(&self, print: Fingerprint) -> Option<Arc<FreshPage>> {
        if !self.is_wanted() {
            return None;
        }
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.by_print.get(&print).cloned()
    }
}

impl Pages {
    fn replace(&mut self, print: Fingerprint, page: Option<FreshPage>) {
        self.remove(print);
        if let Some(page) = page {
            self.order.push_back((print, page.glance.n));
            self.bytes += page.bytes();
            self.by_print.insert(print, Arc::new(page));
        }
    }

    fn remove(&mut self, print: Fingerprint) {
        if let Some(old) = self.by_print.remove(&print) {
            self.bytes -= old.bytes();
        }
    }

    fn shrink(&mut self) {
        while (self.bytes > MAX_BYTES || self.order.len() > MAX_PAGES)
            && let Some((print, n)) = self.order.pop_front()
        {
            if self.by_print.get(&print).is_some_and(|page| page.glance.n == n) {
                self.remove(print);
            }
        }
    }
}

impl FreshPage {
    fn bytes(&self) -> usize {
        PAGE_BYTES + self.glance.label.len() + self.packed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(n: u64, n_bytes: usize) -> Option<FreshPage> {
        let glance = PageGlance { n, label: String::new(), n_items: 1, n_files: 0 };
        Some(FreshPage { glance, packed: vec![0; n_bytes] })
    }

    #[test]
    fn the_last_pages_are_there_and_the_newest_of_each() {
        let fresh = Fresh::default();
        let n_of = |print| fresh.get(Fingerprint(print)).map(|page| page.glance.n);
        fresh.post(vec![(Fingerprint(1), page(1, 10))]);
        assert_eq!(n_of(1), None, "nobody wants them");
        fresh.want();
        fresh.post(vec![(Fingerprint(1), page(2, 10)), (Fingerprint(2), page(3, 10))]);
        fresh.post(vec![(Fingerprint(1), page(4, 10)), (Fingerprint(2), None)]);
        assert_eq!((n_of(1), n_of(2), n_of(3)), (Some(4), None, None));
        for n in 5..1000 {
            fresh.post(vec![(Fingerprint(n), page(n, 10_000))]);
            if n % 3 == 0 {
                fresh.post(vec![(Fingerprint(7), page(n + 1000, 10_000))]);
            }
        }
        assert_eq!((n_of(1), n_of(999), n_of(7)), (None, Some(999), Some(1999)));
        let pages = fresh.pages.lock().unwrap();
        let bytes: usize = pages.by_print.values().map(|page| page.bytes()).sum();
        assert_eq!(pages.bytes, bytes);
        assert!(bytes <= MAX_BYTES && bytes > MAX_BYTES - 20_000);
        assert!(pages.order.len() < 2 * pages.by_print.len());
        drop(pages);
        for n in 1..=2 * MAX_PAGES as u64 {
            fresh.post(vec![(Fingerprint(7), page(n, 0))]);
        }
        assert_eq!(n_of(7), Some(2 * MAX_PAGES as u64));
        assert_eq!(fresh.pages.lock().unwrap().order.len(), MAX_PAGES);
    }
}
