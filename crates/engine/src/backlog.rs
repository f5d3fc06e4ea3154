//! Re-reads settled pages from the store, a handful at a time, for readers that missed some.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crawl_model::Page;
use crawl_store::{Reader, StoreError};
use tokio::task::JoinHandle;

use crate::error::CrawlError;

/// Pages read per trip to the blocking thread.
const CHUNK: usize = 32;

type Chunk = Result<VecDeque<Page>, StoreError>;

/// Settled pages from one settle number up to another, both included.
pub(crate) struct Backlog {
    reader: Reader,
    /// Last settle number read.
    after: u64,
    until: u64,
    reading: Option<JoinHandle<Chunk>>,
}

impl Backlog {
    pub(crate) fn new(reader: Reader, from: u64, until: u64) -> Self {
        Self { reader, after: from.saturating_sub(1), until, reading: None }
    }

    /// The next few pages; an empty chunk is the end.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<VecDeque<Page>, CrawlError>> {
        let (reader, after, until) = (&self.reader, self.after, self.until);
        let reading = self.reading.get_or_insert_with(|| {
            let reader = reader.clone();
            tokio::task::spawn_blocking(move || read(&reader, after, until))
        });
        let chunk = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        let pages = chunk.map_err(|_| CrawlError::Task("reading the store"))??;
        if let Some(page) = pages.back() {
            self.after = page.n();
        }
        Poll::Ready(Ok(pages))
    }
}

fn read(reader: &Reader, after: u64, until: u64) -> Chunk {
    let mut pages = VecDeque::with_capacity(CHUNK);
    for settled in reader.settled_after(after)? {
        let (n, print, verdict) = settled?;
        if n > until || pages.len() == CHUNK {
            break;
        }
        // Who was fetched again later comes then; who was given up has no page.
        let page = reader.load(print)?.filter(|page| page.n() == n && verdict.was_fetched());
        pages.extend(page);
    }
    Ok(pages)
}
