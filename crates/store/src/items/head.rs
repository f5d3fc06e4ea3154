//! What stands before the items of a page: of what kinds they are, and what became of each.
//!
//! ```text
//! head = checksum (CRC-32, little-endian) n_items (n kind)* [(first_ms changed_ms changes)*]
//! ```
//!
//! Numbers as unsigned LEB128. Kinds come in runs: so many items are of this one. The lives are
//! left out if all items are as old as their page. The checksum is over all that stands behind it in
//! the packed items of the page, lengths and all; it is put in when they are packed, in one go, for
//! a sum over many short texts takes twenty times as long.

use crate::codec::{Take, put_number};

/// Bytes of the checksum, which comes first.
const SUM: usize = 4;

/// Most items of one page: a damaged number must not become a huge list.
const MOST_ITEMS: usize = 1 << 24;

/// What became of an item from visit to visit of its page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// When it was seen first: milliseconds since the Unix epoch.
    pub(crate) first_ms: u64,
    /// When it was last found to be another than before; 0 if it never was.
    pub(crate) changed_ms: u64,
    /// How often it was.
    pub(crate) changes: u64,
}

impl Life {
    /// Of an item that is seen for the first time.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { first_ms: now_ms, changed_ms: 0, changes: 0 }
    }

    /// After a visit that found it, as it was or not.
    pub(crate) fn seen(self, has_changed: bool, now_ms: u64) -> Self {
        match has_changed {
            true => Self { changed_ms: now_ms, changes: self.changes.saturating_add(1), ..self },
            false => self,
        }
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        [self.first_ms, self.changed_ms, self.changes].iter().for_each(|&n| put_number(out, n));
    }

    pub(crate) fn take(from: &mut Take<'_>) -> Option<Self> {
        let (first_ms, changed_ms, changes) = (from.number()?, from.number()?, from.number()?);
        Some(Self { first_ms, changed_ms, changes })
    }
}

/// A head, spelled out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Of each item the number of its kind.
    pub(crate) kinds: Vec<u32>,
    /// Of each item its life; empty if all are as old as their page.
    pub(crate) lives: Vec<Life>,
}

impl Head {
    /// As it stands before items, but for its checksum: see [`seal`](Self::seal).
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; SUM];
        put_number(&mut out, self.kinds.len() as u64);
        for run in self.kinds.chunk_by(|a, b| a == b) {
            put_number(&mut out, run.len() as u64);
            put_number(&mut out, run[0].into());
        }
        self.lives.iter().for_each(|life| life.put(&mut out));
        out
    }

    /// Puts the checksum into packed items whose first piece is a head.
    pub(crate) fn seal(packed: &mut [u8]) {
        let mut rest = Take(packed);
        let has_head = rest.number().is_some() && rest.0.len() >= SUM;
        let at = packed.len() - rest.0.len();
        if has_head {
            let sum = crc32fast::hash(&packed[at + SUM..]);
            packed[at..at + SUM].copy_from_slice(&sum.to_le_bytes());
        }
    }

    /// Reads one; `None` if it is none. The checksum is for `crawl verify`.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Take(bytes.get(SUM..)?);
        let n = usize::try_from(rest.number()?).ok()?;
        let mut head = Self::default();
        while head.kinds.len() < n {
            let run = usize::try_from(rest.number()?).ok()?;
            let kind = u32::try_from(rest.number()?).ok()?;
            if run == 0 || run > n - head.kinds.len() || run > MOST_ITEMS {
                return None;
            }
            head.kinds.resize(head.kinds.len() + run, kind);
        }
        while !rest.0.is_empty() {
            head.lives.push(Life::take(&mut rest)?);
        }
        (head.lives.is_empty() || head.lives.len() == n).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_takes_a_few_bytes() {
        let mut head = Head { kinds: vec![3; 15], lives: Vec::new() };
        let bytes = head.encode();
        assert_eq!(bytes.len(), 7);
        assert_eq!(Head::decode(&bytes).as_ref(), Some(&head));
        head.kinds[7] = 4;
        let life = Life::new(1_700_000_000_000);
        head.lives = (0..15).map(|i| life.seen(i == 2, 1_700_000_000_001)).collect();
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes).as_ref(), Some(&head));
        for len in 0..bytes.len() {
            assert_ne!(Head::decode(&bytes[..len]).as_ref(), Some(&head), "{len}");
        }
        let mut packed = [&[7, 0, 0, 0, 0][..], &bytes[4..7], b"\x02{}"].concat();
        Head::seal(&mut packed);
        let (sum, other) = (packed[1..5].to_vec(), packed.len() - 1);
        packed[other] ^= 1;
        Head::seal(&mut packed);
        assert!(sum != [0; 4] && sum != packed[1..5]);
        Head::seal(&mut []);
    }

    #[test]
    fn wild_numbers_are_refused() {
        let huge = [&[0; 4][..], &[0xff; 9], &[1], &[0xff; 9], &[1, 0]].concat();
        assert_eq!(Head::decode(&huge), None);
        assert_eq!(Head::decode(&[0; 3]), None);
    }
}
