//! The one sled tree, and the small values that say how far things have got.
//!
//! sled 0.34.7 as measured: a batch is atomic within one tree, so there is one tree; values over
//! a few KB make its leaves heavy, so large things come in parts; without its flush timer it
//! collects no garbage, so the timer stays on.

mod copy;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crawl_model::{Fingerprint, LogPosition, PageRecord};

use crate::codec::{Take, put_number};
use crate::media::FileSums;
use crate::seal::{Batch, Seal};
use crate::{StoreError, crash, keys};

/// Largest value that is written in one piece, in bytes.
pub(crate) const PART_BYTES: usize = 3584;

/// How long a closing handle of this process may keep sled's own lock.
const CLOSING: Duration = Duration::from_secs(5);

pub(crate) use copy::Sum;

#[derive(Debug, Clone)]
pub(crate) struct Database {
    tree: sled::Db,
    /// `None` before the first commit.
    seal: Arc<Mutex<Option<Seal>>>,
}

/// How far a feed has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCursor {
    /// Last settle number whose items are in the file.
    pub n: u64,
    /// Bytes of the file that are good.
    pub len: u64,
    /// How often the feed has reported, over all runs: tells it which report is durable.
    pub reports: u64,
    /// What else the feed has to know when it goes on, in its own words; empty if nothing.
    pub state: String,
}

/// Sums that each commit carries forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// How far the settle log is committed, with the last settle number.
    pub(crate) log: LogPosition,
    /// Items stored.
    pub(crate) items: u64,
}

impl Totals {
    /// Adds them to a commit.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let LogPosition { segment, offset, n } = self.log;
        let numbers = [n, self.items, u64::from(segment), offset];
        batch.insert(keys::meta("totals"), encode_numbers(numbers));
    }
}

impl Database {
    /// Opens or creates the database. The folder's lock must be held.
    pub(crate) fn open(path: &Path, cache_mib: u32) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(u64::from(cache_mib.max(1)) << 20)
            .flush_every_ms(Some(500));
        let deadline = Instant::now() + CLOSING;
        loop {
            // sled panics on some damage where it should return an error.
            let opened = catch_unwind(AssertUnwindSafe(|| config.open()))
                .map_err(|_| StoreError::corrupt("file under `sled/`: its recovery broke off"))?;
            match opened {
                Ok(tree) => return Ok(Self::of(tree)),
                // Nobody else can have it while we hold the folder's lock: it is closing.
                Err(sled::Error::Io(e))
                    if e.to_string().contains("lock") && Instant::now() < deadline =>
                {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(e) => return Err(StoreError::database("open")(e)),
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn tree(&self) -> &sled::Db {
        &self.tree
    }

    /// One that is open already.
    pub(crate) fn of(tree: sled::Db) -> Self {
        Self { tree, seal: Arc::default() }
    }

    /// Seals what is there, whatever the seal was.
    pub(crate) fn seal_anew(&self) -> Result<(), StoreError> {
        let mut seal = self.seal.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::default();
        *seal = Some(Seal::anew(&self.tree, &mut batch)?);
        self.tree.apply_batch(batch.inner).map_err(StoreError::database("write to"))?;
        drop(seal);
        self.flush()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.tree.get(key).map_err(StoreError::database("read"))
    }

    /// Applies the batch and returns when it is on the disk.
    pub(crate) fn commit(&self, mut batch: Batch) -> Result<(), StoreError> {
        crash::point("database-before-batch");
        self.apply(&mut batch)?;
        crash::point("database-batch-applied");
        self.flush()?;
        crash::point("database-flushed");
        Ok(())
    }

    /// One at a time, so that each seal is that of the batches before it.
    fn apply(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut seal = self.seal.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = match *seal {
            Some(seal) => seal,
            None => Seal::read(&self.tree)?,
        };
        next.follow(&self.tree, batch)?;
        let applied = self.tree.apply_batch(std::mem::take(&mut batch.inner));
        applied.map_err(StoreError::database("write to"))?;
        *seal = Some(next);
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.tree.flush().map(drop).map_err(StoreError::database("flush"))
    }

    pub(crate) fn prefix(&self, prefix: &[u8]) -> Scan {
        Scan(self.tree.scan_prefix(prefix))
    }

    pub(crate) fn page(&self, print: Fingerprint) -> Result<Option<PageRecord>, StoreError> {
        let Some(json) = self.get(&keys::print(keys::PAGE, print))? else { return Ok(None) };
        decode_page(print, &json).map(Some)
    }

    /// All records of pages, in the order of their fingerprints.
    pub(crate) fn pages(
        &self,
    ) -> impl Iterator<Item = Result<(Fingerprint, PageRecord), StoreError>> + use<> {
        self.prefix(&[keys::PAGE]).map(|entry| {
            let (key, json) = entry?;
            let print = keys::print_of(&key).ok_or_else(|| StoreError::corrupt("key of a page"))?;
            Ok((print, decode_page(print, &json)?))
        })
    }

    pub(crate) fn has_page(&self, print: Fingerprint) -> Result<bool, StoreError> {
        let found = self.tree.contains_key(keys::print(keys::PAGE, print));
        found.map_err(StoreError::database("read"))
    }

    pub(crate) fn meta(&self, name: &str) -> Result<Option<sled::IVec>, StoreError> {
        self.get(&keys::meta(name))
    }

    pub(crate) fn meta_text(&self, name: &str) -> Result<Option<String>, StoreError> {
        let Some(value) = self.meta(name)? else { return Ok(None) };
        let text = String::from_utf8(value.to_vec());
        text.map(Some).map_err(|_| StoreError::corrupt(name))
    }

    pub(crate) fn meta_number(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let Some(value) = self.meta(name)? else { return Ok(None) };
        let [number] = numbers(&value).ok_or_else(|| StoreError::corrupt(name))?;
        Ok(Some(number))
    }

    pub(crate) fn totals(&self) -> Result<Totals, StoreError> {
        let Some(value) = self.meta("totals")? else { return Ok(Totals::default()) };
        let corrupt = || StoreError::corrupt("totals");
        let [n, items, segment, offset] = numbers(&value).ok_or_else(corrupt)?;
        let segment = u32::try_from(segment).map_err(|_| corrupt())?;
        Ok(Totals { log: LogPosition { segment, offset, n }, items })
    }

    /// Number and bytes of the files that items asked for.
    pub(crate) fn file_sums(&self) -> Result<FileSums, StoreError> {
        let Some(value) = self.meta("files")? else { return Ok(FileSums::default()) };
        let [n, bytes] = numbers(&value).ok_or_else(|| StoreError::corrupt("sums of files"))?;
        Ok(FileSums { n, bytes })
    }

    /// Committed lengths of the body files, by name.
    pub(crate) fn segments(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let prefix = keys::meta("warc/");
        let mut segments = BTreeMap::new();
        for entry in self.prefix(&prefix) {
            let (key, value) = entry?;
            let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            let [len] = numbers(&value).ok_or_else(|| StoreError::corrupt("body length"))?;
            segments.insert(name, len);
        }
        Ok(segments)
    }

    pub(crate) fn feed_cursor(&self, feed: &str) -> Result<Option<FeedCursor>, StoreError> {
        let Some(value) = self.meta(&format!("feed/{feed}"))? else { return Ok(None) };
        decode_cursor(&value).map(Some)
    }

    pub(crate) fn feed_cursors(&self) -> Result<Vec<(String, FeedCursor)>, StoreError> {
        let prefix = keys::meta("feed/");
        let named = |(key, value): (sled::IVec, sled::IVec)| {
            let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            Ok((name, decode_cursor(&value)?))
        };
        self.prefix(&prefix).map(|entry| entry.and_then(named)).collect()
    }

    /// URLs that were in hand when a process died, and how often.
    pub(crate) fn deaths(&self) -> Result<Vec<(Fingerprint, u32)>, StoreError> {
        let entry = |entry: Result<(sled::IVec, sled::IVec), StoreError>| {
            let (key, value) = entry?;
            let print = keys::print_of(&key);
            let [deaths] = numbers(&value).ok_or_else(|| StoreError::corrupt("death count"))?;
            let print = print.ok_or_else(|| StoreError::corrupt("death count"))?;
            Ok((print, u32::try_from(deaths).unwrap_or(u32::MAX)))
        };
        self.prefix(&[keys::DEATHS]).map(entry).collect()
    }
}

/// Entries in the order of their keys.
pub(crate) struct Scan(sled::Iter);

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scan")
    }
}

impl Iterator for Scan {
    type Item = Result<(sled::IVec, sled::IVec), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map_err(StoreError::database("read")))
    }
}

pub(crate) fn decode_page(print: Fingerprint, json: &[u8]) -> Result<PageRecord, StoreError> {
    serde_json::from_slice(json).map_err(|e| StoreError::corrupt(format!("page {print:?} ({e})")))
}

fn decode_cursor(value: &[u8]) -> Result<FeedCursor, StoreError> {
    let mut rest = Take(value);
    let mut number = || rest.number().ok_or_else(|| StoreError::corrupt("feed cursor"));
    let (n, len, reports) = (number()?, number()?, number()?);
    let state = String::from_utf8(rest.0.to_vec());
    let state = state.map_err(|_| StoreError::corrupt("feed cursor"))?;
    Ok(FeedCursor { n, len, reports, state })
}

pub(crate) fn encode_cursor(cursor: &FeedCursor) -> Vec<u8> {
    let mut out = encode_numbers([cursor.n, cursor.len, cursor.reports]);
    out.extend_from_slice(cursor.state.as_bytes());
    out
}

pub(crate) fn encode_numbers<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    let mut out = Vec::with_capacity(N * 4);
    numbers.into_iter().for_each(|number| put_number(&mut out, number));
    out
}

pub(crate) fn numbers<const N: usize>(value: &[u8]) -> Option<[u64; N]> {
    let mut rest = Take(value);
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = rest.number()?;
    }
    rest.0.is_empty().then_some(numbers)
}
