//! One sorted run on disk, with the filter that saves most looks at it.

use std::path::Path;

use crawl_store::{StoreError, tables};

use super::Place;
use super::filter::Filter;

/// A run and its filter.
#[derive(Debug)]
pub(super) struct Run {
    table: tables::Run,
    filter: Filter,
}

impl Run {
    /// Reads the run from end to end, and makes its filter.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let scan = tables::RunScan::open(path)?;
        let mut filter = Filter::new(scan.n_entries());
        let table = scan.index(|keys| keys.iter().for_each(|&key| filter.add(key)))?;
        Ok(Self { table, filter })
    }

    pub(super) fn path(&self) -> &Path {
        self.table.path()
    }

    pub(super) fn name(&self) -> String {
        self.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(super) fn n_entries(&self) -> u64 {
        self.table.n_entries()
    }

    #[cfg(test)]
    pub(super) fn ram_bytes(&self) -> usize {
        self.table.ram_bytes() + self.filter.ram_bytes()
    }

    pub(super) fn get(&self, print: u64) -> Result<Option<u32>, StoreError> {
        if self.filter.may_hold(print) { self.table.get(print) } else { Ok(None) }
    }

    /// Takes out of `asked`, which is sorted, what is in this run, and tells `found` of it.
    pub(super) fn get_many(
        &self,
        asked: &mut Vec<(u64, usize)>,
        mut found: impl FnMut(u64, usize, u32) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // All filters first: they do not wait for each other's cache misses.
        let may_hold: Vec<bool> =
            asked.iter().map(|&(print, _)| self.filter.may_hold(print)).collect();
        let mut reader = self.table.reader();
        let mut kept = 0;
        for n in 0..asked.len() {
            let (print, place) = asked[n];
            let code = if may_hold[n] { reader.get(print)? } else { None };
            match code {
                Some(code) => found(print, place, code)?,
                None => {
                    asked[kept] = asked[n];
                    kept += 1;
                }
            }
        }
        asked.truncate(kept);
        Ok(())
    }

    /// What a code of this run means.
    pub(super) fn place(&self, code: u32) -> Result<Place, StoreError> {
        Place::of(code).ok_or_else(|| StoreError::Damaged {
            path: self.path().to_owned(),
            offset: 0,
            what: "an entry has a meaning that this version does not know",
        })
    }
}
