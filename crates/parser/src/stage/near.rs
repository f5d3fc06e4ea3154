//! Pages of a host that are nearly the same: one article with another date, another counter.
//!
//! What tells them is a hash that changes little where the text does ([`simhash`](crate::markup::simhash)).
//! Each host has those of the last few dozen kinds of page, which are compared one by one. Forgotten
//! when the process ends, as copies are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// Kinds of page that are remembered of a host, those that came last.
const KINDS: usize = 64;
/// Hosts that are remembered; of more those go that were not seen for longest: 8 MB.
const MAX_HOSTS: usize = 1 << 13;

/// How often each kind of page of each host was seen.
#[derive(Debug)]
pub(crate) struct NearCopies {
    limit: u32,
    /// Bits that may differ.
    distance: u32,
    hasher: RandomState,
    hosts: Mutex<Hosts>,
}

#[derive(Debug, Default)]
struct Hosts {
    by_name: HashMap<u64, Recent>,
    turn: u64,
}

/// The kinds of page of one host, those that came last at the end: a hash and how many had it.
#[derive(Debug, Default)]
struct Recent {
    kinds: Vec<(u64, u32)>,
    turn: u64,
}

impl NearCopies {
    /// Lets each kind of page lead on `limit` times; pages are of one kind if no more than `distance`
    /// bits of their hashes differ. 0 of either: nothing is compared.
    pub(crate) fn new(limit: u32, distance: u8) -> Self {
        let distance = distance.into();
        Self { limit, distance, hasher: RandomState::new(), hosts: Mutex::default() }
    }

    /// Notes a page of `host`; whether nearly the same came more often than allowed. `hash` is asked
    /// for if it is needed.
    pub(crate) fn is_beyond(&self, host: &str, hash: impl FnOnce() -> Option<u64>) -> bool {
        if self.limit == 0 || self.distance == 0 {
            return false;
        }
        let Some(hash) = hash() else { return false };
        let name = self.hasher.hash_one(host);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.by_name.len() >= MAX_HOSTS && !hosts.by_name.contains_key(&name) {
            hosts.forget();
        }
        hosts.turn += 1;
        let turn = hosts.turn;
        let recent = hosts.by_name.entry(name).or_default();
        recent.turn = turn;
        recent.count(hash, self.distance) > self.limit
    }
}

impl Hosts {
    /// Drops the half that was not seen for longest.
    fn forget(&mut self) {
        let mut turns: Vec<u64> = self.by_name.values().map(|recent| recent.turn).collect();
        let at = turns.len() / 2;
        let (_, &mut middle, _) = turns.select_nth_unstable(at);
        self.by_name.retain(|_, recent| recent.turn > middle);
    }
}

impl Recent {
    /// How many pages of this kind there were, with this one.
    fn count(&mut self, hash: u64, distance: u32) -> u32 {
        let is_near = |&(other, _): &(u64, u32)| (hash ^ other).count_ones() <= distance;
        let (first, n) = match self.kinds.iter().rposition(is_near) {
            Some(at) => self.kinds.remove(at),
            None => (hash, 0),
        };
        if self.kinds.len() >= KINDS {
            self.kinds.remove(0);
        }
        // The first of its kind stands for it, so that a kind does not wander.
        self.kinds.push((first, n.saturating_add(1)));
        n.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::simhash::of_html;
    use crate::markup::simhash::tests::{article, page};

    #[test]
    fn near_copies_lead_on_as_often_as_allowed_on_each_host() {
        let near = NearCopies::new(2, 3);
        let text = article(5, 100);
        for host in ["a", "b"] {
            let beyond = |day| near.is_beyond(host, || of_html(&page(&text, day)));
            assert_eq!([1, 2, 3, 4].map(beyond), [false, false, true, true]);
        }
        for n in 0..500 {
            let other = page(&article(100 + n, 100), n);
            assert!(!near.is_beyond("good", || of_html(&other)), "{n}");
        }
        for off in [NearCopies::new(0, 3), NearCopies::new(2, 0)] {
            assert!(!off.is_beyond("a", || panic!("nothing is computed")));
        }
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let near = NearCopies::new(1, 3);
        for n in 0..2 * MAX_HOSTS as u64 {
            near.is_beyond(&n.to_string(), || Some(n));
        }
        assert!(near.hosts.lock().unwrap().by_name.len() <= MAX_HOSTS);
        for n in 0..1000_u64 {
            near.is_beyond("h", || Some(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        let name = near.hasher.hash_one("h");
        assert!(near.hosts.lock().unwrap().by_name[&name].kinds.len() <= KINDS);
    }
}
