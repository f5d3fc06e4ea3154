//! Another crawler's archive becomes a crawl's folder: its captures are read by the parser as if
//! they had just been fetched, settled by the writer, and copied into the folder's own archive.
//!
//! Each capture is one settle, so a kill loses none, and the same import goes on: what is there
//! already, as old or newer, is passed over.

mod capture;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crawl_model::{
    CanonicalUrl, Desk, Entry, Errand, Fetched, Fingerprint, Fingerprinter, Found, IdentityConfig,
    KeyRules, Look, Outcome, Request, Sent, Source, Ticket, TicketId, Timing, View,
};
use crawl_parser::{LinkSpider, ParseConfig, Parser};
use crawl_store::{
    BadRecord, Head, Options, Progress, Reader, Store, StoreConfig, StoreError, Warc, WriterEdges,
    blocking,
};
use serde::Serialize;
use tokio::sync::{mpsc, watch};

use crate::error::CrawlError;
use crate::supervise::cpu_thread;
use capture::{Capture, Lost, read_request, request_of};

/// Captures under way to the disk: so many share a commit.
const UNDER_WAY: usize = 256;

/// Longest chain of redirects that counts as one; an archive has each hop by itself.
const MAX_REDIRECTS: u32 = 20;

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Captures that are new in the crawl.
    pub imported: u64,
    /// Records that were passed over, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Records that cannot be read.
    pub bad: u64,
}

/// What an import tells while it runs.
#[derive(Debug)]
pub enum ImportNews<'a> {
    /// It has got so far.
    Progress(&'a Imported),
    /// A record cannot be read.
    Bad(&'a BadRecord),
}

/// Who is told.
type Told<'a> = &'a mut (dyn FnMut(ImportNews<'_>) + Send);

/// Imports archives into the crawl of `config`, which is begun if it is not there. Blocks.
///
/// # Errors
/// [`CrawlError::Store`] if the folder cannot be written or a file not be opened. What was imported
/// until then is there.
pub fn import(
    files: &[PathBuf],
    config: &StoreConfig,
    told: Told<'_>,
) -> Result<Imported, CrawlError> {
    let work = || {
        let mut import = Import::open(config)?;
        let read = files.iter().try_for_each(|file| import.file(file, told));
        let ended = import.end();
        read.and(ended)
    };
    // On a thread of its own, for it waits in a way that a thread of a runtime must not.
    let joined = thread::scope(|scope| scope.spawn(work).join());
    joined.unwrap_or(Err(CrawlError::Task("the import")))
}

/// An import under way.
struct Import {
    done: Imported,
    reader: Reader,
    prints: Fingerprinter,
    parser: Parser,
    entries: mpsc::Sender<Entry>,
    outcomes: mpsc::Receiver<Outcome>,
    open: Arc<AtomicUsize>,
    /// What has been sent and is not durable yet, with the time of its capture.
    under_way: HashMap<Fingerprint, u64>,
    writer: tokio::sync::oneshot::Receiver<Result<(), StoreError>>,
    /// The response whose request may follow.
    held: Option<Capture>,
    /// The request before, which may be that of the response that follows.
    request: Option<(String, Sent)>,
}

impl Import {
    fn open(config: &StoreConfig) -> Result<Self, CrawlError> {
        let store = Store::open(config, Options::default())?;
        // One that is begun here overlooks no difference of URLs.
        let rules = store.reader().url_identity()?;
        let rules = KeyRules::new(&rules).or_else(|_| KeyRules::new(&IdentityConfig::literal()));
        let prints = Fingerprinter::new(store.identity().secret);
        let prints = rules.map_or(prints.clone(), |rules| prints.under(rules));
        let (entries, entries_in) = mpsc::channel(UNDER_WAY * 2);
        let (outcomes_out, outcomes) = mpsc::channel(UNDER_WAY * 8);
        let open = Arc::new(AtomicUsize::new(0));
        let writer = store.writer(WriterEdges {
            entries: entries_in,
            outcomes: outcomes_out,
            pages: None,
            settled: Arc::new(watch::channel(Progress::default()).0),
            open: open.clone(),
        });
        let writer = cpu_thread("store", move || writer.run())?;
        let view = Arc::new(NoLinks(prints.clone()));
        let mut parser =
            Parser::new(ParseConfig::default(), MAX_REDIRECTS, Arc::new(LinkSpider), view)
                .without_responses();
        if let Some(archivist) = store.archivist() {
            parser = parser.with_archivist(archivist);
        }
        Ok(Self {
            done: Imported::default(),
            reader: store.reader(),
            prints,
            parser,
            entries,
            outcomes,
            open,
            under_way: HashMap::new(),
            writer,
            held: None,
            request: None,
        })
    }

    fn file(&mut self, path: &Path, told: Told<'_>) -> Result<(), CrawlError> {
        let mut warc = Warc::open(path)?;
        let mut n = 0_u64;
        while let Some(next) = warc.next() {
            let taken = match next {
                Ok(head) => self.record(&mut warc, &head),
                Err(bad) => Err(Lost::Bad(bad)),
            };
            match taken.and_then(|()| warc.finish().map(drop).map_err(Lost::Bad)) {
                Ok(()) => {}
                Err(Lost::Bad(bad)) => {
                    // To the next one that can be read.
                    let _ = warc.finish();
                    self.done.bad += 1;
                    told(ImportNews::Bad(&bad));
                }
                Err(Lost::Crawl(error)) => return Err(error),
            }
            n += 1;
            if n.is_multiple_of(UNDER_WAY as u64) {
                told(ImportNews::Progress(&self.done));
            }
        }
        self.settle_held()?;
        self.request = None;
        Ok(())
    }

    fn record(&mut self, warc: &mut Warc<File>, head: &Head) -> Result<(), Lost> {
        match &*head.kind() {
            "request" => {
                let sent = read_request(warc)?;
                match (&mut self.held, head.target(), sent) {
                    (Some(held), Some(target), Some(sent)) if held.target == target => {
                        held.sent.get_or_insert(sent);
                    }
                    (_, Some(target), Some(sent)) => self.request = Some((target.to_owned(), sent)),
                    _ => {}
                }
            }
            "response" | "revisit" => {
                self.settle_held()?;
                let before = self.request.take();
                match Capture::read(warc, head, |head, url| self.body_of(head, url))? {
                    Ok(mut capture) => {
                        let its = before.filter(|(target, _)| *target == capture.target);
                        capture.sent = its.map(|(_, sent)| sent);
                        self.held = Some(capture);
                    }
                    Err(why) => self.skip(why),
                }
            }
            "warcinfo" => {}
            "metadata" => self.skip("metadata"),
            "conversion" => self.skip("conversion"),
            "resource" => self.skip("resource"),
            _ => self.skip("other-kind"),
        }
        Ok(())
    }

    fn skip(&mut self, why: &'static str) {
        *self.done.skipped.entry(why).or_default() += 1;
    }

    /// Whether a copy is there, or under way, that is as young.
    fn is_there(&mut self, print: Fingerprint, at_us: u64) -> Result<bool, CrawlError> {
        if let Some(other_us) = self.under_way.get(&print) {
            if *other_us >= at_us {
                return Ok(true);
            }
            self.drain(0)?;
        }
        let there = self.reader.page(print)?;
        Ok(there.is_some_and(|page| page.fetched_ms >= at_us / 1000))
    }

    /// The body that a revisit refers to, if that page has been imported.
    fn body_of(&mut self, head: &Head, url: &CanonicalUrl) -> Result<Option<Vec<u8>>, CrawlError> {
        self.drain(0)?;
        let digest = head.get("WARC-Payload-Digest").unwrap_or_default();
        if let Some(body) = self.reader.body_of_digest(digest)? {
            return Ok(Some(body.to_vec()));
        }
        let target = head.get("WARC-Refers-To-Target-URI").map(CanonicalUrl::parse);
        let url = match target {
            Some(Ok(target)) => target,
            Some(Err(_)) => return Ok(None),
            None => url.clone(),
        };
        let Some(page) = self.reader.page(self.prints.get(&url))? else { return Ok(None) };
        let Some(pointer) = page.body else { return Ok(None) };
        let date_ms = head.time("WARC-Refers-To-Date");
        let is_it = date_ms.is_none_or(|us| us / 1000 == page.fetched_ms);
        match is_it {
            true => Ok(Some(self.reader.body(&pointer)?.to_vec())),
            false => Ok(None),
        }
    }

    /// Sends the response that was held back.
    fn settle_held(&mut self) -> Result<(), CrawlError> {
        let Some(Capture { url, at_us, response, sent, .. }) = self.held.take() else {
            return Ok(());
        };
        let request = request_of(url, sent.as_ref());
        let print = self.prints.request(&request);
        if self.is_there(print, at_us)? {
            self.skip("present");
            return Ok(());
        }
        if self.reader.page(print)?.is_none() {
            let found = Found { print, request: request.clone(), filtered: None, renews: false };
            self.send(Entry::Found { found: vec![found], source: Source::Page })?;
        }
        let errand = Errand::Page(request);
        let mut ticket = Ticket::issue(Arc::new(Nobody), TicketId(0), print, errand, 1, true);
        if let Some(sent) = sent {
            ticket.note_sent(Sent { at_us, ..sent });
        }
        let parsed = self.parser.parse(Fetched {
            ticket,
            reply: Ok(response),
            rest: None,
            sent_ms: at_us / 1000,
            elapsed: Duration::ZERO,
            timing: Timing::default(),
            cookies: Vec::new(),
        });
        self.under_way.insert(print, at_us);
        self.open.fetch_add(1, Ordering::AcqRel);
        self.send(Entry::Parsed(Box::new(parsed)))?;
        self.done.imported += 1;
        self.drain(UNDER_WAY)
    }

    fn send(&self, entry: Entry) -> Result<(), CrawlError> {
        blocking::wait(self.entries.send(entry)).map_err(|_| CrawlError::Task("the store's thread"))
    }

    /// Waits until at most `most` captures are under way.
    fn drain(&mut self, most: usize) -> Result<(), CrawlError> {
        while self.under_way.len() > most {
            match blocking::wait(self.outcomes.recv()) {
                Some(Outcome::Settled { spent, .. }) => {
                    self.under_way.remove(&spent.print);
                    self.open.fetch_sub(1, Ordering::AcqRel);
                }
                Some(_) => {}
                None => return Err(CrawlError::Task("the store's thread")),
            }
        }
        Ok(())
    }

    /// Lets the writer end.
    fn end(self) -> Result<Imported, CrawlError> {
        let Self { done, entries, mut outcomes, writer, .. } = self;
        drop(entries);
        while blocking::wait(outcomes.recv()).is_some() {}
        match blocking::wait(writer) {
            Ok(ended) => ended?,
            Err(_) => return Err(CrawlError::Task("the store's thread")),
        }
        Ok(done)
    }
}

/// Knows all links: none is to be fetched.
struct NoLinks(Fingerprinter);

impl View for NoLinks {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.0.get_text(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn look(&self, _: Fingerprint, _: &CanonicalUrl, _: u32) -> Look {
        Look::Known
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}
