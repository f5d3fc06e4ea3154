//! The crawl as an async generator: a stream that pulls.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crawl_model::Page;
use futures_core::Stream;
use tokio::sync::{Semaphore, mpsc};

use crate::backlog::Backlog;
use crate::error::CrawlError;
use crate::handle::Handle;
use crate::report::Report;
use crate::running::Running;

/// The reader's end of the page edge: pages, and the permits that let more of them come.
pub(crate) struct PageEdge {
    pages: mpsc::Receiver<Page>,
    credit: Arc<Semaphore>,
}

impl PageEdge {
    /// An edge that holds at most `read_ahead` pages. Never full: each page on it was promised
    /// its place before its ticket was issued.
    pub(crate) fn new(read_ahead: usize) -> (mpsc::Sender<Page>, Self) {
        let (sender, pages) = mpsc::channel(read_ahead);
        (sender, Self { pages, credit: Arc::new(Semaphore::new(read_ahead)) })
    }

    pub(crate) fn credit(&self) -> Arc<Semaphore> {
        self.credit.clone()
    }
}

/// The pages of a crawl in settle order, each durable by the time it is seen.
///
/// A failed page is a page whose [`verdict`](Page::verdict) says so. An `Err` means that the
/// crawl itself broke (disk full, say); it is the last element. URLs that were given up without
/// a fetch are in the store only.
///
/// Dropping the stream closes the crawl in the background; [`close`](Self::close) does so and
/// waits.
pub struct Pages {
    running: Running,
    edge: PageEdge,
    backlog: Option<Backlog>,
    ready: VecDeque<Page>,
    report: Option<Report>,
    has_ended: bool,
}

impl Pages {
    pub(crate) fn new(running: Running, edge: PageEdge, backlog: Option<Backlog>) -> Self {
        Self { running, edge, backlog, ready: VecDeque::new(), report: None, has_ended: false }
    }

    /// The next page; `None` when the crawl has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Page, CrawlError>> {
        std::future::poll_fn(|cx| self.poll_page(cx)).await
    }

    /// Through which the crawl is asked and steered while it is read.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.running.handle()
    }

    /// Closes the crawl, waits until everything is flushed, and tells how it went. After the
    /// stream has ended it only tells. Pages that were not read are in the store.
    ///
    /// # Errors
    /// [`CrawlError`] if the crawl broke.
    pub async fn close(mut self) -> Result<Report, CrawlError> {
        if let Some(report) = self.report.take() {
            return Ok(report);
        }
        self.running.handle().close();
        self.edge.pages.close();
        self.running.finish().await
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Page, CrawlError>>> {
        if let Some(result) = ready!(self.poll_backlog(cx)) {
            return Poll::Ready(Some(result));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        if let Some(page) = ready!(self.edge.pages.poll_recv(cx)) {
            self.edge.credit.add_permits(1);
            return Poll::Ready(Some(Ok(page)));
        }
        let finished = std::pin::pin!(self.running.finish());
        let result = ready!(finished.poll(cx));
        self.has_ended = true;
        match result {
            Ok(report) => self.report = Some(report),
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
        Poll::Ready(None)
    }

    /// Pages of earlier runs come first; `None` when there are no more of them.
    fn poll_backlog(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Page, CrawlError>>> {
        loop {
            if let Some(page) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(page)));
            }
            let Some(backlog) = &mut self.backlog else { return Poll::Ready(None) };
            match ready!(backlog.poll_chunk(cx)) {
                Ok(pages) if pages.is_empty() => self.backlog = None,
                Ok(pages) => self.ready = pages,
                Err(error) => {
                    self.backlog = None;
                    self.has_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Stream for Pages {
    type Item = Result<Page, CrawlError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_page(cx)
    }
}
