//! What a search remembers, and how it finds it again.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crawl_spider::NodeId;

/// A question (the number of a part or test) and the node it was asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn new(memo: u32, node: NodeId) -> Self {
        Self(u64::from(memo) << 32 | u64::from(node.0))
    }
}

/// Answers by key.
pub(super) type Map<T> = HashMap<Key, T, BuildHasherDefault<Mixer>>;

/// Hashes numbers that the page's author cannot choose, so it need not resist anyone.
#[derive(Debug, Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, n: u64) {
        // Fibonacci hashing; the map takes its bucket from the low bits.
        let mixed = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Ranges of node numbers in which nothing was found. They neither overlap nor touch.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<u32, u32>);

impl Gaps {
    /// Where the gap that `at` is in ends.
    pub(super) fn end_of(&self, at: u32) -> Option<u32> {
        let (_, &end) = self.0.range(..=at).next_back()?;
        (end > at).then_some(end)
    }

    /// Where the next gap begins.
    pub(super) fn next(&self, at: u32) -> u32 {
        self.0.range(at..).next().map_or(u32::MAX, |(&start, _)| start)
    }

    /// Adds a gap. All that was known of its inside is part of it.
    pub(super) fn insert(&mut self, start: u32, end: u32) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        // Each gap is taken out at most once for the one call that put it in.
        while let Some((&from, &to)) = self.0.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.0.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        self.0.insert(start, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_together() {
        let mut gaps = Gaps::default();
        for (start, end) in [(5, 7), (1, 2), (10, 12), (3, 3)] {
            gaps.insert(start, end);
        }
        assert_eq!(gaps.0.clone().into_iter().collect::<Vec<_>>(), [(1, 2), (5, 7), (10, 12)]);
        assert_eq!((gaps.end_of(5), gaps.end_of(7), gaps.next(7)), (Some(7), None, 10));
        gaps.insert(7, 10);
        assert_eq!(gaps.0.clone().into_iter().collect::<Vec<_>>(), [(1, 2), (5, 12)]);
        gaps.insert(0, 20);
        assert_eq!(gaps.0.into_iter().collect::<Vec<_>>(), [(0, 20)]);
    }
}
