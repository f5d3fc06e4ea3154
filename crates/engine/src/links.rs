//! All links of a crawl's pages, read once more from the archived bodies.
//!
//! The settle log knows of each URL only the page that led to it first: more would cost each crawl what
//! few ask for. The archive has every page, so whoever asks for all links gets them from there, with
//! their texts, read as the crawl read them. Records come in the order in which the pages settled, bodies
//! are unpacked and parsed on several threads, and the rows come in the order of the records; no more
//! pages are in hand than a few for each thread.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::thread;

use async_channel::{Receiver, Sender, bounded};
use crawl_model::{CanonicalUrl, Fingerprint, Fingerprinter, PageRecord, Request};
use crawl_parser::{LinkSpider, PageOpener, ParseConfig};
use crawl_store::inspect::{self, Ends, Looked, Query, What, through};
use crawl_store::{Reader, StoreError};
use serde::Serialize;
use serde_json::{Value, json};

/// Pages in hand for each thread.
const PAGES: usize = 8;

type Emit<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

/// Answers a query row by row, until `row` breaks: as [`inspect::answer`] does, and links that are read
/// from archived pages, too. Those end with a row `{"covered": {"pages", "not_archived", "lost",
/// "damaged"}}`: how many pages were read, and of how many the body is not there or cannot be read,
/// which may have links too. Takes the CPU of
/// `n_threads` threads. Blocks.
///
/// # Errors
/// [`StoreError::Query`] if the question makes no sense, others if the store cannot be read.
pub fn answer(
    reader: &Reader,
    query: &Query,
    n_threads: NonZeroUsize,
    row: Emit<'_>,
    looked: &mut dyn FnMut(Looked),
) -> Result<(), StoreError> {
    if query.what != What::Links || query.ends == Ends::First {
        return inspect::answer(reader, query, row, looked);
    }
    let mut covered = Covered::default();
    let mut is_over = false;
    let mut told = |value: Value| {
        let next = row(value);
        is_over |= next.is_break();
        next
    };
    through(query, &mut told, |url, emit| {
        let links = Links::new(reader, query, url)?;
        links.all(n_threads, &mut covered, emit)
    })?;
    if covered.pages == 0 && covered.is_unread() {
        let what = "no page of which links are asked for has an archived body (`store.bodies`): \
                    `links --url URL` tells who linked first";
        return Err(StoreError::Query { what: what.to_owned() });
    }
    if !is_over {
        let _ = row(json!({"covered": covered}));
    }
    Ok(())
}

/// What the links were read from.
#[derive(Debug, Default, Serialize)]
struct Covered {
    pages: u64,
    not_archived: u64,
    lost: u64,
    /// Of `pages`.
    damaged: u64,
}

impl Covered {
    /// Whether there were pages that could not be read.
    fn is_unread(&self) -> bool {
        self.not_archived + self.lost > 0
    }

    /// Whether a page is to be read.
    fn takes(&mut self, record: &PageRecord) -> bool {
        let is_there = record.body.is_some();
        match is_there {
            true => self.pages += 1,
            false if !record.body_lost.is_empty() => self.lost += 1,
            false if record.bytes > 0 => self.not_archived += 1,
            false => {}
        }
        is_there
    }
}

/// Which links are wanted of which pages.
struct Links<'a> {
    reader: &'a Reader,
    opener: PageOpener,
    prints: Fingerprinter,
    ends: Ends,
    /// Only pages of this host.
    host: Option<&'a str>,
    /// The URL in question.
    wanted: Option<Fingerprint>,
}

impl<'a> Links<'a> {
    fn new(
        reader: &'a Reader,
        query: &'a Query,
        url: Option<&CanonicalUrl>,
    ) -> Result<Self, StoreError> {
        let prints = reader.fingerprinter()?;
        let wanted = url.map(|url| prints.get(url));
        if wanted.is_none() && query.ends != Ends::All {
            let what = "the links to or from which page? name it with `--in URL` or `--out URL`";
            return Err(StoreError::Query { what: what.to_owned() });
        }
        // What counts as a link is as it was for the crawl, as far as that is known.
        let stored = reader.stored_config()?.and_then(|config| config.get("parse").cloned());
        let config: Option<ParseConfig> =
            stored.and_then(|table| serde_json::from_value(table).ok());
        let opener = PageOpener::new(&config.unwrap_or_default(), &LinkSpider);
        Ok(Self { reader, opener, prints, ends: query.ends, host: query.host.as_deref(), wanted })
    }

    fn all(
        &self,
        n_threads: NonZeroUsize,
        covered: &mut Covered,
        emit: Emit<'_>,
    ) -> Result<(), StoreError> {
        if self.ends == Ends::Out {
            return self.of_wanted(covered, emit);
        }
        let n_threads = n_threads.get();
        let (pages, pages_in) = bounded(n_threads * PAGES);
        let (rows, rows_in) = bounded(n_threads * PAGES);
        let (permits, permits_in) = bounded(n_threads * PAGES);
        thread::scope(|scope| {
            let source = scope.spawn(move || {
                let mut covered = Covered::default();
                let sent = self.send(&pages, &permits, &mut covered);
                (covered, sent)
            });
            for _ in 0..n_threads {
                let (pages, rows) = (pages_in.clone(), rows.clone());
                scope.spawn(move || self.read_all(&pages, &rows));
            }
            drop((pages_in, rows));
            let mut n_damaged = 0;
            let read = in_order(&rows_in, &permits_in, &mut n_damaged, emit);
            // Whoever still waits to send gives up.
            rows_in.close();
            permits_in.close();
            let (counted, sent) = source.join().expect("reading records does not panic");
            *covered = Covered { damaged: n_damaged, ..counted };
            read.and(sent)
        })
    }

    /// The links of the page in question.
    fn of_wanted(&self, covered: &mut Covered, emit: Emit<'_>) -> Result<(), StoreError> {
        let Some(record) = self.wanted.map(|print| self.reader.page(print)).transpose()?.flatten()
        else {
            let what = "this URL has not settled: it has no page whose links could be read";
            return Err(StoreError::Query { what: what.to_owned() });
        };
        if covered.takes(&record) {
            let _ = self.of_page(&record)?.into_iter().try_for_each(emit);
        }
        Ok(())
    }

    /// Sends the records of pages that have a body, each with its number.
    fn send(
        &self,
        pages: &Sender<(u64, PageRecord)>,
        permits: &Sender<()>,
        covered: &mut Covered,
    ) -> Result<(), StoreError> {
        let mut n = 0;
        for page in self.reader.pages()? {
            let (_, record) = page?;
            let is_of_host = |host: &str| host.eq_ignore_ascii_case(record.url.host_str());
            if !self.host.is_none_or(is_of_host) || !covered.takes(&record) {
                continue;
            }
            // Nobody listens any more: enough rows have been seen.
            if permits.send_blocking(()).is_err() || pages.send_blocking((n, record)).is_err() {
                break;
            }
            n += 1;
        }
        Ok(())
    }

    fn read_all(
        &self,
        pages: &Receiver<(u64, PageRecord)>,
        rows: &Sender<(u64, Result<Vec<Value>, StoreError>)>,
    ) {
        while let Ok((n, record)) = pages.recv_blocking() {
            if rows.send_blocking((n, self.of_page(&record))).is_err() {
                break;
            }
        }
    }

    /// The rows of one page.
    fn of_page(&self, record: &PageRecord) -> Result<Vec<Value>, StoreError> {
        let Some(pointer) = &record.body else { return Ok(Vec::new()) };
        let response = self.reader.response(pointer)?;
        let request = Request::get(record.url.clone());
        let from = &record.url;
        Ok(self.opener.open(&request, &response, record.fetched_ms, |page| {
            let is_wanted = |url: &CanonicalUrl| Some(self.prints.get(url)) == self.wanted;
            let links = page.links().iter();
            let links = links.filter(|link| self.ends != Ends::In || is_wanted(&link.url));
            links
                .map(|link| {
                    let to = link.url.without_credentials();
                    let mut row = match self.ends {
                        Ends::In => json!({"way": "in", "url": from.as_str()}),
                        Ends::Out => json!({"way": "out", "url": to.as_str()}),
                        Ends::All | Ends::First => {
                            json!({"url": from.as_str(), "to": to.as_str()})
                        }
                    };
                    row["text"] = (*link.text).into();
                    row["rel"] = (*link.rel).into();
                    row["nofollow"] = link.nofollow.into();
                    row["kind"] = link.kind.name().into();
                    row
                })
                .collect()
        }))
    }
}

/// Gives the rows in the order of the pages' numbers; lets a page more be sent for each.
fn in_order(
    rows: &Receiver<(u64, Result<Vec<Value>, StoreError>)>,
    permits: &Receiver<()>,
    n_damaged: &mut u64,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Ok((n, of_page)) = rows.recv_blocking() {
        waiting.insert(n, of_page);
        while let Some(of_page) = waiting.remove(&next) {
            next += 1;
            // There is one for each page that was sent.
            let _ = permits.try_recv();
            let of_page = match of_page {
                // The others can be read all the same; `crawl verify` says more.
                Err(StoreError::Body { .. }) => {
                    *n_damaged += 1;
                    continue;
                }
                of_page => of_page?,
            };
            for row in of_page {
                if emit(row).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
