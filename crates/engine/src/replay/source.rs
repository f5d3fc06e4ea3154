//! The stored pages on their way to the CPU threads, in the place of a fetcher.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_channel::Sender;
use crawl_model::{
    CanonicalUrl, Desk, Entry, Errand, Failure, FailureKind, Fetched, Fingerprint, Fingerprinter,
    Found, Look, Request, Source, Ticket, TicketId, View,
};
use crawl_store::{Reader, StoredAnswer, StoredPage, blocking};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Replayed;
use crate::error::CrawlError;

/// All links are known.
pub(super) struct AllKnown(pub(super) Fingerprinter);

impl View for AllKnown {
    fn fingerprint(&self, url: &CanonicalUrl) -> Fingerprint {
        self.0.get(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        vec![true; prints.len()]
    }

    fn look(&self, _: Fingerprint, _: &CanonicalUrl, _: u32) -> Look {
        Look::Known
    }
}

/// The stored pages on their way to the CPU threads.
pub(super) struct Pages {
    pub(super) reader: Reader,
    pub(super) prints: Fingerprinter,
    pub(super) fetched: Sender<Fetched>,
    pub(super) found: mpsc::Sender<Entry>,
    pub(super) desk: Arc<dyn Desk>,
    pub(super) window: Arc<Semaphore>,
    pub(super) open: Arc<AtomicUsize>,
}

impl Pages {
    /// Sends them all, or until the spider wants to stop. Blocks.
    pub(super) fn run(
        self,
        permits: &mpsc::UnboundedSender<OwnedSemaphorePermit>,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Replayed, CrawlError> {
        let mut replayed = Replayed::default();
        for page in self.reader.stored() {
            if is_stopped() {
                break;
            }
            let StoredPage { request, record, answer } = page?;
            let failed = || FailureKind::of(record.verdict);
            let reply = match (answer, failed()) {
                (StoredAnswer::Response(response), _) => Ok(response),
                (StoredAnswer::Failed, Some(kind)) => Err(Failure::new(kind, &*record.error)),
                (StoredAnswer::NotArchived, _) => {
                    replayed.not_archived += 1;
                    continue;
                }
                (StoredAnswer::Lost, _) => {
                    replayed.lost += 1;
                    continue;
                }
                (StoredAnswer::Failed | StoredAnswer::NotSent, _) => {
                    replayed.not_sent += 1;
                    continue;
                }
            };
            let Ok(permit) = blocking::wait(self.window.clone().acquire_owned()) else { break };
            let print = self.prints.request(&request);
            let found = Found { print, request: request.clone(), filtered: None, renews: false };
            // Before its page: it has to be known to settle.
            let entry = Entry::Found { found: vec![found], source: Source::Page };
            if blocking::wait(self.found.send(entry)).is_err() {
                break;
            }
            // Wraps around long after the page of that number has gone.
            let number = replayed.pages & u64::from(u32::MAX);
            let id = TicketId(u32::try_from(number).unwrap_or(u32::MAX));
            let errand = Errand::Page(request);
            let desk = self.desk.clone();
            let ticket = Ticket::issue(desk, id, print, errand, record.attempts.max(1), true);
            self.open.fetch_add(1, Ordering::AcqRel);
            let _ = permits.send(permit);
            let fetched = Fetched {
                ticket,
                reply,
                rest: None,
                sent_ms: record.fetched_ms,
                elapsed: Duration::from_millis(record.elapsed_ms),
                timing: record.timing,
                cookies: Vec::new(),
            };
            if self.fetched.send_blocking(fetched).is_err() {
                break;
            }
            replayed.pages += 1;
        }
        Ok(replayed)
    }
}
