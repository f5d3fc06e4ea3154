//! A table of counts that never grows beyond its size: when it is full, the smaller half goes.
//!
//! What was forgotten begins again at nothing, so counts are too small at worst.

use std::collections::HashMap;

/// How much of an entry would be lost.
pub(super) trait Weight {
    /// Entries of less weight go first.
    fn weight(&self) -> u64;
}

impl Weight for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Table<V> {
    entries: HashMap<u64, V>,
    size: usize,
}

impl<V: Weight + Default> Table<V> {
    /// An empty table for at most `size` entries.
    pub(super) fn new(size: usize) -> Self {
        Self { entries: HashMap::new(), size }
    }

    pub(super) fn get(&self, key: u64) -> Option<&V> {
        self.entries.get(&key)
    }

    /// The entry, a new one if there is none.
    pub(super) fn entry(&mut self, key: u64) -> &mut V {
        if self.entries.len() >= self.size && !self.entries.contains_key(&key) {
            self.forget();
        }
        self.entries.entry(key).or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&u64, &V)> {
        self.entries.iter()
    }

    /// Holds these entries in place of what it held.
    pub(super) fn fill(&mut self, entries: impl IntoIterator<Item = (u64, V)>) {
        self.entries.clear();
        for (key, value) in entries {
            *self.entry(key) = value;
        }
    }

    /// Drops all entries that weigh no more than the middle one: half of them or more, so that it
    /// is done once in many calls.
    fn forget(&mut self) {
        let mut weights: Vec<u64> = self.entries.values().map(Weight::weight).collect();
        let middle = weights.len() / 2;
        let (_, &mut middle, _) = weights.select_nth_unstable(middle);
        self.entries.retain(|_, value| value.weight() > middle);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Table<u64> {
    pub(super) fn add(&mut self, key: u64) {
        *self.entry(key) += 1;
    }

    pub(super) fn subtract(&mut self, key: u64) {
        if let Some(n) = self.entries.get_mut(&key) {
            *n = n.saturating_sub(1);
        }
    }

    /// Whether the entry has come to `limit`; 0 is none.
    pub(super) fn is_full(&self, key: u64, limit: u32) -> bool {
        limit != 0 && self.get(key).is_some_and(|&n| n >= u64::from(limit))
    }
}
