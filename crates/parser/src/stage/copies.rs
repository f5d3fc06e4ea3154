//! Pages of a host that are byte for byte the same.
//!
//! A server that answers everything with one page gives its relative links a new meaning under each
//! URL, so the page leads on for ever. What is counted is forgotten when the process ends; then as
//! many copies are followed once more.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crawl_model::{FilterReason, Found, Look, Request};

use crate::document::Document;
use crate::stage::parser::Parser;

/// Most different pages that are remembered; of more those that came least often go: 2 MB.
const MAX_PAGES: usize = 1 << 16;

impl Parser {
    /// Refuses what a page leads to that was seen too often, or nearly the same. What is known
    /// otherwise needs no word.
    pub(crate) fn refuse_copies(
        &self,
        request: &Request,
        digest: &str,
        document: &Document<'_>,
        found: &mut Vec<Found>,
    ) {
        let is_new = |found: &Found| found.filtered.is_none() && found.request.depth != 0;
        // Who leads nowhere leads nowhere endless.
        if !found.iter().any(is_new) {
            return;
        }
        let host = request.url.host_str();
        let reason = if self.copies.is_beyond(host, digest) {
            FilterReason::TrapDuplicates
        } else if self.near_copies.is_beyond(host, || document.simhash()) {
            FilterReason::TrapNearDuplicates
        } else {
            return;
        };
        found.retain_mut(|found| {
            if !is_new(found) {
                return true;
            }
            let Found { print, request, filtered, .. } = found;
            *filtered = Some(reason);
            self.view.look_nofollow(*print, &request.url, request.depth) != Look::Known
        });
    }
}

/// How often each page of each host was seen.
#[derive(Debug)]
pub(crate) struct Copies {
    limit: u32,
    hasher: RandomState,
    counts: Mutex<HashMap<u64, u32>>,
}

impl Copies {
    /// Lets each page lead on `limit` times; 0 is no limit.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, hasher: RandomState::new(), counts: Mutex::default() }
    }

    /// Notes a page of `host` by its body's digest, empty for an empty one; whether it came more often than allowed.
    pub(crate) fn is_beyond(&self, host: &str, digest: &str) -> bool {
        if self.limit == 0 || digest.is_empty() {
            return false;
        }
        let key = self.hasher.hash_one((host, digest));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_PAGES && !counts.contains_key(&key) {
            forget(&mut counts);
        }
        let n = counts.entry(key).or_default();
        *n = n.saturating_add(1);
        *n > self.limit
    }
}

/// Drops the entries that count no more than the middle one.
fn forget(counts: &mut HashMap<u64, u32>) {
    let mut all: Vec<u32> = counts.values().copied().collect();
    let at = all.len() / 2;
    let (_, &mut middle, _) = all.select_nth_unstable(at);
    counts.retain(|_, n| *n > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_on_as_often_as_allowed_on_each_host() {
        let copies = Copies::new(2);
        let beyond = |host, body: &str| copies.is_beyond(host, body);
        for host in ["a", "b"] {
            assert_eq!([(); 4].map(|()| beyond(host, "page")), [false, false, true, true]);
        }
        assert!(!beyond("a", "pagf") && !beyond("a", "another page"));
        assert!(!Copies::new(0).is_beyond("a", "page"));
    }

    #[test]
    fn what_is_remembered_has_an_end_and_what_comes_often_stays() {
        let copies = Copies::new(50);
        (0..50).for_each(|_| assert!(!copies.is_beyond("h", "trap")));
        for n in 0..2 * MAX_PAGES {
            copies.is_beyond("h", &n.to_string());
        }
        assert!(copies.is_beyond("h", "trap"));
        assert!(copies.counts.lock().unwrap().len() <= MAX_PAGES);
    }
}
