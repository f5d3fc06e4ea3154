//! Merging: so that runs stay few, each less than half as long as the one before.
//!
//! With all newer runs together more than half as long as an older one, they are merged with it.
//! So a URL is written about five times on the way to a hundred million, and there are four runs
//! or five.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, TryLockError};

use crawl_store::{StoreError, tables};

use super::Seen;
use super::run::Run;

impl Seen {
    /// Merges some runs into one if there are too many, and puts it in their place. Takes as
    /// long as reading and writing them does, so it belongs on a thread of its own.
    ///
    /// Returns the files of the old runs. They are the caller's to delete, once a checkpoint
    /// that does not name them is on the disk. `None`: nothing is to be done, another thread
    /// does it, or it was [stopped](Self::stop_merging).
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a run is not what was written, [`StoreError::File`]. All runs
    /// are as they were then.
    pub(crate) fn merge_once(&self) -> Result<Option<Vec<PathBuf>>, StoreError> {
        let _merging = match self.merging.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let Some(folder) = &self.folder else { return Ok(None) };
        let runs = self.runs();
        let sizes: Vec<u64> = runs.iter().map(|run| run.n_entries()).collect();
        let Some(from) = first_to_merge(&sizes) else { return Ok(None) };
        let old = &runs[from..];
        let n = self.next_run.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(tables::run_name(n));
        if !merge(old, tables::RunWriter::create(&path)?, &self.is_over)? {
            return Ok(None);
        }
        let merged = Arc::new(Run::open(&path)?);
        // Younger ones may have come, but only behind these.
        self.change_runs(|runs| {
            runs.splice(from..from + old.len(), [merged.clone()]);
        });
        Ok(Some(old.iter().map(|run| run.path().to_owned()).collect()))
    }

    /// Lets go what is being merged, soon, and merges nothing more: whoever closes a crawl shall
    /// not have to wait for what the next run can do.
    pub(crate) fn stop_merging(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// The oldest of the runs that are to be merged, with all that are newer; oldest first.
fn first_to_merge(sizes: &[u64]) -> Option<usize> {
    let mut newer = 0;
    let mut first = None;
    for (n, &size) in sizes.iter().enumerate().rev() {
        if n + 1 < sizes.len() && newer >= size / 2 {
            first = Some(n);
        }
        newer += size;
    }
    first
}

/// One of the runs being merged, at its next entry.
struct Head {
    scan: tables::RunScan,
    keys: Vec<u64>,
    codes: Vec<u32>,
    at: usize,
}

impl Head {
    fn key(&self) -> Option<u64> {
        self.keys.get(self.at).copied()
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.at += 1;
        if self.at < self.keys.len() { Ok(()) } else { self.load() }
    }

    fn load(&mut self) -> Result<(), StoreError> {
        let (keys, codes) = self.scan.next_block()?;
        self.at = 0;
        self.keys.clear();
        self.keys.extend_from_slice(keys);
        self.codes.clear();
        self.codes.extend_from_slice(codes);
        Ok(())
    }
}

/// Writes what the newest of the runs says of each key; `false` if it was stopped.
fn merge(
    runs: &[Arc<Run>],
    mut writer: tables::RunWriter,
    is_over: &AtomicBool,
) -> Result<bool, StoreError> {
    let mut heads = Vec::with_capacity(runs.len());
    // Newest first: of equal keys the first counts.
    for run in runs.iter().rev() {
        let scan = tables::RunScan::open(run.path())?;
        let mut head = Head { scan, keys: Vec::new(), codes: Vec::new(), at: 0 };
        head.load()?;
        heads.push(head);
    }
    while !is_over.load(Ordering::Relaxed) {
        let mut least: Option<(u64, u32)> = None;
        for head in &heads {
            let Some(key) = head.key() else { continue };
            if least.is_none_or(|(least, _)| key < least) {
                least = Some((key, head.codes[head.at]));
            }
        }
        let Some((key, code)) = least else {
            writer.finish()?;
            return Ok(true);
        };
        writer.push(key, code)?;
        for head in &mut heads {
            if head.key() == Some(key) {
                head.advance()?;
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stay_few_and_are_seldom_rewritten() {
        assert_eq!(first_to_merge(&[]), None);
        assert_eq!(first_to_merge(&[5]), None);
        assert_eq!(first_to_merge(&[9, 4]), Some(0));
        assert_eq!(first_to_merge(&[10, 4]), None);
        assert_eq!(first_to_merge(&[100, 9, 8, 1]), Some(1));
        let (mut sizes, mut written, mut most) = (Vec::new(), 0, 0);
        for _ in 0..100 {
            sizes.push(1_000_000);
            written += 1;
            while let Some(from) = first_to_merge(&sizes) {
                let merged: u64 = sizes.drain(from..).sum();
                written += merged / 1_000_000;
                sizes.push(merged);
            }
            most = most.max(sizes.len());
        }
        assert!(most <= 5, "{most} runs");
        assert!(written <= 700, "{written} millions written for 100");
    }
}
