//! Asks again for URLs that have ended: a finished crawl that is run again as an incremental one.
//!
//! A renewal goes the way of a seed: it is durable in the settle log before it waits, so a kill
//! loses none. From then on it is a URL like any other, and how it ended before counts no more; its
//! page gives back its place in the budgets (`max-pages`) until it has settled anew.
//!
//! Not here: which pages are due (the engine asks the store), what an earlier copy is good for
//! (fetcher and store).

use crawl_model::{CanonicalUrl, Fingerprint, Found, Request, Verdict, View};
use tokio::sync::oneshot;

use super::{Scheduler, Seeded};
use crate::backend::Backend;
use crate::seen::Standing;

/// Renewals go before what is new on their host: new URLs must not take their places in a budget.
const PRIORITY: i32 = 1 << 20;

impl<B: Backend> Scheduler<B> {
    /// Asks again for URLs that have ended and are still within the limits; `done` is answered
    /// when they are durable.
    pub(crate) fn renew_all(
        &mut self,
        requests: Vec<(Fingerprint, Request)>,
        done: Option<oneshot::Sender<Seeded>>,
    ) {
        let mut seeded = Seeded::default();
        let mut new = Vec::new();
        for (print, mut request) in requests {
            let has_ended = matches!(self.window.seen.get(print), Some(Standing::Ended(_)));
            // Who was asked for by more than the URL would be somebody else.
            if !has_ended || self.window.fingerprint_of(&request) != print {
                seeded.known += 1;
            } else if self.judge_request(&request).is_some() {
                seeded.filtered += 1;
            } else {
                seeded.admitted += 1;
                request.priority = PRIORITY;
                new.push(Found { print, request, filtered: None, renews: true });
            }
        }
        self.send_found(new, done.map(|done| (done, seeded)));
    }

    /// A URL that ended with `verdict` waits anew.
    pub(crate) fn renew(&mut self, verdict: Verdict, url: &CanonicalUrl) {
        self.tally.unsettle(verdict);
        let host = self.host_key(url);
        self.take_pages(host, u32::from(verdict.is_page()));
    }

    /// Whether an entry of a URL that waits anew is in its queue already.
    pub(crate) fn has_entry(&self, print: Fingerprint) -> bool {
        self.backend.has_entry(print)
    }
}
