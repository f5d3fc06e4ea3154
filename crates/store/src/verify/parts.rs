//! What lies in parts under the pages' fingerprints, in step with the pages: items, dropped items,
//! keys. A part has 3584 bytes, the last one of a page what is left.

use std::iter::Peekable;

use super::bytes::{Bytes, be_u64};
use super::finding::{Finding, Kind};
use super::fold::Slice;
use super::told::Told;

const PART: usize = 3584;
/// A tag, a fingerprint, a part's number.
const KEY: usize = 13;

type Entries = Peekable<sled::Iter>;

/// One kind of them, over a slice.
pub(super) struct Parts {
    entries: Entries,
    what: &'static str,
}

/// What was gathered of one page.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) bytes: Vec<u8>,
    /// A part is missing, or shorter than it should be.
    pub(super) has_gap: bool,
}

impl Parts {
    pub(super) fn new(tree: &sled::Db, tag: u8, what: &'static str, slice: Slice) -> Self {
        let key = |print: u64| [&[tag], &print.to_be_bytes()[..]].concat();
        let end = [key(slice.last), vec![0xff; 8]].concat();
        Self { entries: tree.range(key(slice.first)..end).peekable(), what }
    }

    /// Gathers those of `print`; `None` if there are none. Those before belong to nobody.
    pub(super) fn take(
        &mut self,
        print: u64,
        told: &mut Told<'_>,
    ) -> Result<Option<Gathered>, sled::Error> {
        self.orphans(Some(print), told)?;
        let mut gathered: Option<Gathered> = None;
        let mut next = 0;
        while let Some(entry) = self.entries.next_if(|entry| is_of(entry, print)) {
            let (key, value) = entry?;
            let all = gathered.get_or_insert_default();
            let number = key.get(9..KEY).and_then(|n| n.try_into().ok()).map(u32::from_be_bytes);
            all.has_gap |= number != Some(next) || !all.bytes.len().is_multiple_of(PART);
            all.has_gap |= value.len() > PART || value.is_empty();
            all.bytes.extend_from_slice(&value);
            next += 1;
        }
        Ok(gathered)
    }

    /// Tells of what belongs to no page, up to `before`.
    pub(super) fn orphans(
        &mut self,
        before: Option<u64>,
        told: &mut Told<'_>,
    ) -> Result<(), sled::Error> {
        let is_before = |entry: &Result<(sled::IVec, sled::IVec), sled::Error>| match entry {
            Ok((key, _)) => before.is_none_or(|print| be_u64(key, 1).is_none_or(|p| p < print)),
            Err(_) => true,
        };
        while let Some(entry) = self.entries.next_if(is_before) {
            let (key, _) = entry?;
            let what = format!("{} of a page that has no record", self.what);
            told.tell(Finding::new(Kind::OrphanParts, what).under(&key));
            told.fixes.put(key.to_vec(), None);
        }
        Ok(())
    }
}

fn is_of(entry: &Result<(sled::IVec, sled::IVec), sled::Error>, print: u64) -> bool {
    match entry {
        Ok((key, _)) => be_u64(key, 1) == Some(print),
        Err(_) => true,
    }
}

/// The pieces that were packed one behind the other; `None` if they are cut.
pub(super) fn pieces(gathered: &Gathered) -> Option<Vec<&[u8]>> {
    let mut rest = Bytes(&gathered.bytes);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        pieces.push(rest.piece()?);
    }
    (!gathered.has_gap).then_some(pieces)
}
