//! A table of hosts by the hash of something that their names tell.
//!
//! Four bytes and one a host, and what is free. A table of hashes is doubled when it is full, so it is
//! half empty after that, and whoever asked waits until all is in its new place. So there are sixteen
//! of them, each a little larger than the one before: over the time in which the hosts become twice as
//! many they grow one after the other, a third of them is free at any time, and nobody waits for long.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::backend::HostKey;

const TABLES: usize = 16;

/// What part of all hashes, in parts of 65536, goes to a table or one before it: the n-th has a part
/// of `2^(n/16)`.
const ENDS: [u64; TABLES] = [
    2902, 5932, 9096, 12400, 15850, 19454, 23216, 27146, 31249, 35534, 40009, 44682, 49562, 54658,
    59979, 65536,
];

/// The table.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    tables: [HashTable<HostKey>; TABLES],
    hasher: RandomState,
}

impl KeyTable {
    /// The host of which `text_of` is `text`.
    pub(crate) fn find<'a>(
        &self,
        text: &str,
        text_of: impl Fn(HostKey) -> &'a str,
    ) -> Option<HostKey> {
        let hash = self.hasher.hash_one(text);
        self.tables[table(hash)].find(hash, |&host| text_of(host) == text).copied()
    }

    /// Adds a host that is not there, of which `text_of` is `text`.
    pub(crate) fn insert<'a>(
        &mut self,
        host: HostKey,
        text: &str,
        text_of: impl Fn(HostKey) -> &'a str,
    ) {
        let hash = self.hasher.hash_one(text);
        let again = |&host: &HostKey| self.hasher.hash_one(text_of(host));
        self.tables[table(hash)].insert_unique(hash, host, again);
    }
}

/// Which table is meant: by bits in the middle, for those at both ends say where in it.
fn table(hash: u64) -> usize {
    let part = hash >> 32 & 0xffff;
    ENDS.partition_point(|&end| end <= part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_put_in_is_found_and_no_table_is_left_out() {
        let texts: Vec<String> = (0..20_000).map(|n| format!("h{n}.test")).collect();
        let text_of = |host: HostKey| texts[host.0 as usize].as_str();
        let mut table = KeyTable::default();
        for (n, text) in (0..).zip(&texts) {
            assert_eq!(table.find(text, text_of), None);
            table.insert(HostKey(n), text, text_of);
        }
        for (n, text) in (0..).zip(&texts) {
            assert_eq!(table.find(text, text_of), Some(HostKey(n)));
        }
        assert!(table.tables.iter().all(|table| table.len() > 500));
        assert!(table.tables[15].len() * 10 > table.tables[0].len() * 16);
    }
}
