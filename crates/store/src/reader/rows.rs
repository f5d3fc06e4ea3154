//! What a reader hands out one by one.

use crawl_model::{Fingerprint, PageRecord, Verdict};

use super::Reader;
use crate::fold::Rows;
use crate::log::{Log, last_or};
use crate::{StoreError, UrlRow};

/// Settled URLs in order: see [`Reader::settled_after`].
#[derive(Debug)]
pub struct Settled {
    log: Log,
    after: u64,
    is_over: bool,
}

impl Settled {
    /// The settles of a log that come after number `after`.
    pub(super) fn new(log: Log, after: u64) -> Self {
        Self { log, after, is_over: false }
    }

    fn step(&mut self) -> Result<Option<(u64, Fingerprint, Verdict)>, StoreError> {
        while let Some(settle) = self.log.next_settle()? {
            if settle.n > self.after {
                return Ok(Some((settle.n, settle.ending.print, settle.verdict)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Settled {
    type Item = Result<(u64, Fingerprint, Verdict), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step();
        last_or(step, &mut self.is_over)
    }
}

/// Records in the order they settled: see [`Reader::pages`].
#[derive(Debug)]
pub struct Pages {
    settled: Settled,
    reader: Reader,
}

impl Pages {
    pub(super) fn new(settled: Settled, reader: Reader) -> Self {
        Self { settled, reader }
    }
}

impl Iterator for Pages {
    type Item = Result<(Fingerprint, PageRecord), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (n, print) = match self.settled.next()? {
                Ok((n, print, _)) => (n, print),
                Err(e) => return Some(Err(e)),
            };
            match self.reader.page(print) {
                // Another number: fetched again later, or kept out by a better copy.
                Ok(Some(record)) if record.n != n => {}
                Ok(Some(record)) => return Some(Ok((print, record))),
                Ok(None) => {
                    let what = format!("page {print:?} (settled as number {n}, not there)");
                    return Some(Err(StoreError::Corrupt { what }));
                }
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

/// Every URL once: see [`Reader::urls`].
#[derive(Debug)]
pub struct Urls {
    rows: Rows,
    is_over: bool,
}

impl Urls {
    pub(super) fn new(rows: Rows) -> Self {
        Self { rows, is_over: false }
    }
}

impl Iterator for Urls {
    type Item = Result<UrlRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.rows.next();
        last_or(step, &mut self.is_over)
    }
}
