//! Several fetches at once: all of them in order, or each as it is done.

use std::collections::BTreeMap;

use crawl_model::Request;
use tokio::task::JoinSet;

use super::{Looked, Session};

impl Session {
    /// Fetches all `requests`, many at a time, and gives what came in the order of the requests:
    /// Python's `asyncio.gather`. For more than fits into memory, see
    /// [`as_completed`](Self::as_completed), or crawl.
    ///
    /// Dropping the future ends the fetches under way.
    pub async fn gather(
        &self,
        requests: impl IntoIterator<Item = Request, IntoIter: Send>,
    ) -> Vec<Looked> {
        let mut completed = self.as_completed(requests);
        let mut found = BTreeMap::new();
        while let Some((n, looked)) = completed.next().await {
            found.insert(n, looked);
        }
        found.into_values().collect()
    }

    /// Fetches `requests`, many at a time, and gives each answer when it is there: Python's
    /// `asyncio.as_completed`. No more requests are taken from the iterator than
    /// `fetch.connections`; the next one is taken when the caller asks for the next answer. So
    /// it may be endless.
    pub fn as_completed<I: IntoIterator<Item = Request>>(
        &self,
        requests: I,
    ) -> Completed<I::IntoIter> {
        let requests = requests.into_iter().enumerate();
        Completed { session: self.clone(), requests, fetches: JoinSet::new() }
    }
}

/// Fetches under way, of [`Session::as_completed`]. Dropping it ends them.
#[derive(Debug)]
pub struct Completed<I> {
    session: Session,
    requests: std::iter::Enumerate<I>,
    fetches: JoinSet<(usize, Looked)>,
}

impl<I: Iterator<Item = Request>> Completed<I> {
    /// The next answer that is there, with the number of its request, from 0; `None` when all
    /// were given. Cancel safe.
    ///
    /// # Panics
    /// If a fetch panicked.
    pub async fn next(&mut self) -> Option<(usize, Looked)> {
        while self.fetches.len() < self.session.inner.n_connections {
            let Some((n, request)) = self.requests.next() else { break };
            let session = self.session.clone();
            self.fetches.spawn(async move { (n, session.fetch(request).await) });
        }
        match self.fetches.join_next().await? {
            Ok(done) => Some(done),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, and this task with it.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
