//! The stored pages on their way to the CPU threads, in the place of a fetcher.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_channel::Sender;
use crawl_model::{
    Arrived, CanonicalUrl, Depot, Desk, Entry, Errand, Failure, FailureKind, Fetched, FileTold,
    FilterReason, Fingerprint, Fingerprinter, Found, Look, Request, Response, Source, Ticket,
    TicketId, View,
};
use crawl_store::{KnownFiles, Reader, StoredAnswer, StoredPage, blocking};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Replayed;
use crate::error::CrawlError;

/// Bytes of a file that are copied at a time.
const PIECE: usize = 256 * 1024;

/// All links are known, and so are the files that the stored crawl asked for, if there is one.
pub(super) struct AllKnown(pub(super) Fingerprinter, pub(super) Option<KnownFiles>);

impl View for AllKnown {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.0.get_text(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        vec![true; prints.len()]
    }

    fn era(&self) -> Option<u64> {
        Some(0)
    }

    fn look(&self, _: Fingerprint, _: &CanonicalUrl, _: u32) -> Look {
        Look::Known
    }

    /// What nobody asked for then cannot be had now.
    fn keeps_file_out(&self, url: &CanonicalUrl) -> Option<FilterReason> {
        // What cannot be read is told where pages are.
        let is_known = self.1.as_ref().is_some_and(|old| old.has(url).unwrap_or(false));
        (!is_known).then_some(FilterReason::NotIncluded)
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
    /// Where files go.
    pub(super) depot: Arc<dyn Depot>,
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
            let mut file = None;
            let reply = match (answer, failed()) {
                (StoredAnswer::File(response, path), _) => {
                    file = self.copy(&request, &response, &path);
                    match file {
                        Some(_) => Ok(response),
                        None => {
                            replayed.not_archived += 1;
                            continue;
                        }
                    }
                }
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
            let mut ticket = Ticket::issue(desk, id, print, errand, record.attempts.max(1), true);
            if let Some(file) = file {
                ticket.note_file(file);
            }
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

    /// Copies a file into the new folder; `None` if it cannot be had. (One that cannot be written
    /// ends the replay: the store says so.)
    fn copy(&self, request: &Request, response: &Response, path: &str) -> Option<Arrived> {
        let mut from = File::open(self.reader.folder().join(path)).ok()?;
        let mut draft = self.depot.begin().ok()?;
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece).ok()? {
                0 => break,
                n => draft.write(&piece[..n]).ok()?,
            }
        }
        let (url, kind) = (&request.url, request.file_kind()?);
        let media_type = response.media_type();
        draft.finish(&FileTold { url, kind, media_type: &media_type }).ok()
    }
}
