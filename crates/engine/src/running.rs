//! A crawl under way that nobody reads page by page.

use tokio::task::JoinHandle;

use crate::error::CrawlError;
use crate::handle::Handle;
use crate::report::Report;

/// A crawl under way. Dropping it closes the crawl in the background.
pub struct Running {
    handle: Handle,
    finished: Option<JoinHandle<Result<Report, CrawlError>>>,
}

impl Running {
    pub(crate) fn new(handle: Handle, finished: JoinHandle<Result<Report, CrawlError>>) -> Self {
        Self { handle, finished: Some(finished) }
    }

    /// Through which it is asked and steered.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the crawl has ended and everything is flushed. Cancel safe.
    ///
    /// # Errors
    /// [`CrawlError`] if the crawl broke; [`CrawlError::Ended`] if its report was taken before.
    pub async fn finish(&mut self) -> Result<Report, CrawlError> {
        let Some(finished) = &mut self.finished else { return Err(CrawlError::Ended) };
        let result = finished.await;
        self.finished = None;
        result.map_err(|_| CrawlError::Task("the crawl"))?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.close();
    }
}
