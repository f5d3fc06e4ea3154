//! Which of two copies of a page is kept, and how its items lie in the database.
//!
//! Writing again is harmless: the keys are the same, and what an earlier copy had beyond the new
//! one goes in the same batch. A copy that is worse for passing reasons (cut short, the server
//! down) does not replace a good one.

use crawl_model::{Fingerprint, Item, PageRecord, Verdict};

use crate::codec::put_number;
use crate::database::{Database, PART_BYTES};
use crate::{StoreError, keys};

/// What tells a better copy from a worse one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copy {
    pub(crate) verdict: Verdict,
    status: Option<u16>,
    bytes: u64,
    pub(crate) n_items: u32,
    /// Parts of its items; 0 if they are in the database alone.
    pub(crate) n_parts: u32,
}

/// Better is greater.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Quality {
    /// No answer, or "try again later".
    Failed,
    /// A page, but not all of it, or not all that it says.
    Partial,
    /// The server's last word: a whole page, a redirect, "not found".
    Answer,
}

impl Copy {
    pub(crate) fn of(record: &PageRecord, n_parts: u32) -> Self {
        Self {
            verdict: record.verdict,
            status: record.status,
            bytes: record.bytes,
            n_items: record.n_items,
            n_parts,
        }
    }

    /// Whether `old` is to stay in its place.
    pub(crate) fn is_worse_than(&self, old: &Self) -> bool {
        let (new_quality, old_quality) = (self.quality(), old.quality());
        let is_shorter = new_quality == Quality::Partial && self.bytes < old.bytes;
        new_quality < old_quality || (new_quality == old_quality && is_shorter)
    }

    fn quality(&self) -> Quality {
        match self.verdict {
            Verdict::Ok
            | Verdict::NoIndex
            | Verdict::AuthRequired
            | Verdict::Redirected
            | Verdict::RedirectLoop
            | Verdict::TooManyRedirects
            | Verdict::BadRedirect
            | Verdict::ContentType => Quality::Answer,
            Verdict::HttpError => match self.status {
                Some(408 | 429 | 500..) | None => Quality::Failed,
                Some(_) => Quality::Answer,
            },
            Verdict::Truncated
            | Verdict::TruncatedLength
            | Verdict::TruncatedCoded
            | Verdict::TruncatedRatio
            | Verdict::TruncatedIdle
            | Verdict::TruncatedSlow
            | Verdict::TruncatedTime
            | Verdict::TruncatedCoding
            | Verdict::TruncatedWindow
            | Verdict::TruncatedNesting
            | Verdict::TruncatedFraming
            | Verdict::SpiderError
            | Verdict::SpiderPanic
            | Verdict::SpiderTimeout
            | Verdict::SpiderCrash
            // Says only that the copy which is there is good.
            | Verdict::NotModified => Quality::Partial,
            Verdict::RateLimited
            | Verdict::ServerError
            | Verdict::DnsFailed
            | Verdict::DnsTimeout
            | Verdict::PrivateAddress
            | Verdict::ConnectFailed
            | Verdict::ConnectTimeout
            | Verdict::TlsFailed
            | Verdict::TlsTimeout
            | Verdict::CertificateExpired
            | Verdict::CertificateUntrusted
            | Verdict::CertificateName
            | Verdict::ProxyFailed
            | Verdict::Timeout
            | Verdict::HeaderTimeout
            | Verdict::NotHttp
            | Verdict::Disconnected
            | Verdict::HeaderLimit
            | Verdict::HeaderCount
            | Verdict::NotCached
            | Verdict::HostDead
            | Verdict::RobotsUnreachable
            | Verdict::Poisoned => Quality::Failed,
        }
    }
}

/// Adds a page's items to a commit, many to a value; returns the number of parts.
pub(crate) fn put_items(batch: &mut sled::Batch, print: Fingerprint, items: &[Item]) -> u32 {
    let mut packed = Vec::new();
    for Item(json) in items {
        put_number(&mut packed, json.len() as u64);
        packed.extend_from_slice(json.as_bytes());
    }
    let mut n_parts = 0;
    for part in packed.chunks(PART_BYTES) {
        batch.insert(&keys::item_part(print, n_parts), part);
        n_parts += 1;
    }
    n_parts
}

/// Removes what `old` has beyond `n_parts`.
pub(crate) fn remove_surplus(
    db: &Database,
    batch: &mut sled::Batch,
    print: Fingerprint,
    old: &Copy,
    n_parts: u32,
) -> Result<(), StoreError> {
    for part in n_parts..old.n_parts {
        batch.remove(&keys::item_part(print, part));
    }
    for entry in db.prefix(&keys::print(keys::ITEMS, print)) {
        let (key, _) = entry?;
        if keys::part_of(&key).is_some_and(|part| part >= n_parts) {
            batch.remove(key);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(verdict: Verdict, status: u16, bytes: u64) -> Copy {
        Copy { verdict, status: Some(status), bytes, n_items: 0, n_parts: 0 }
    }

    #[test]
    fn a_worse_copy_is_one_that_is_cut_or_failed_for_now() {
        let whole = copy(Verdict::Ok, 200, 100);
        let cut = copy(Verdict::Truncated, 200, 50);
        let busy = copy(Verdict::HttpError, 503, 0);
        let gone = copy(Verdict::HttpError, 404, 0);
        assert!(
            cut.is_worse_than(&whole) && busy.is_worse_than(&whole) && busy.is_worse_than(&cut)
        );
        assert!(busy.is_worse_than(&gone));
        assert!(!gone.is_worse_than(&whole) && !whole.is_worse_than(&gone));
        assert!(!whole.is_worse_than(&cut) && !busy.is_worse_than(&busy));
        assert!(copy(Verdict::Truncated, 200, 40).is_worse_than(&cut));
        assert!(!copy(Verdict::Truncated, 200, 60).is_worse_than(&cut));
    }
}
