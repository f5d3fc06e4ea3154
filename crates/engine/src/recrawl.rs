//! Finds the pages that are due in the store, and the files that it has lost, and has them asked for
//! again.
//!
//! The records are streamed: a chunk is sent when the one before is durable, so what is in memory
//! at a time is one chunk, and the crawl has begun long before the last page is looked at. After a
//! kill the next run looks again; what waits from before is passed over by the frontier.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crawl_frontier::Control;
use crawl_model::{Fingerprint, PageRecord, Request};
use crawl_store::{Reader, RecrawlConfig, Revisited, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

/// Pages that are under way to the frontier at a time.
const CHUNK: usize = 1000;

/// What came of running a crawl again, in this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recrawled {
    /// Pages that were due and within the limits.
    pub due: u64,
    /// What came of the visits, of those that an earlier run had begun, too.
    pub revisited: Revisited,
}

/// The pages that are due, and the files that were lost.
pub(crate) struct Due {
    reader: Reader,
    config: RecrawlConfig,
    /// Milliseconds since the Unix epoch.
    now_ms: u64,
}

impl Due {
    /// Those that are due by the wall's clock.
    pub(crate) fn now(reader: Reader, config: RecrawlConfig) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self { reader, config, now_ms }
    }

    /// Sends all of them to the frontier, and tells it when there are no more; returns how many
    /// will be asked for. Ends early if the crawl does. Blocks.
    ///
    /// If the store cannot be read, the crawl is closed.
    pub(crate) fn run(
        self,
        control: &mpsc::Sender<Control>,
        closing: &Arc<watch::Sender<bool>>,
    ) -> Result<u64, StoreError> {
        let sent = self.send(control);
        if sent.is_err() {
            closing.send_replace(true);
        }
        // The crawl may be over.
        let _ = control.blocking_send(Control::AllRenewed);
        sent
    }

    fn send(self, control: &mpsc::Sender<Control>) -> Result<u64, StoreError> {
        let Self { reader, config, now_ms } = self;
        let is_due = |page: &Result<(_, PageRecord), _>| {
            page.as_ref().map_or(true, |(_, record)| config.is_due(record, now_ms))
        };
        let due = if config.is_on() { Some(reader.pages()?.filter(is_due)) } else { None };
        let mut pages = reader.lost_files().chain(due.into_iter().flatten());
        let mut n_due = 0;
        loop {
            let chunk = pages.by_ref().take(CHUNK).map(|page| page.map(again));
            let requests = chunk.collect::<Result<Vec<_>, _>>()?;
            if requests.is_empty() {
                return Ok(n_due);
            }
            let (done, answer) = oneshot::channel();
            let renew = Control::Renew { requests, done: Some(done) };
            if control.blocking_send(renew).is_err() {
                return Ok(n_due);
            }
            let Ok(seeded) = answer.blocking_recv() else { return Ok(n_due) };
            n_due += seeded.admitted as u64;
        }
    }
}

/// The request that asks for a page again.
fn again((print, record): (Fingerprint, PageRecord)) -> (Fingerprint, Request) {
    let PageRecord { url, label, depth, chain, referrer, .. } = record;
    let request = Request { depth, chain, referrer, ..Request::get(url) };
    (print, Request { label: label.into(), ..request })
}
