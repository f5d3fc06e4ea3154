//! The loop of one CPU thread.

use crawl_model::{Entry, Fetched, Parsed, Source};
use tokio::sync::mpsc;

use crate::stage::parser::Parser;

/// New links per message: a sitemap's 50,000 go in parts, so that no message and no batch of the
/// store grows without bound.
pub(crate) const MAX_FOUND: usize = 5_000;

impl Parser {
    /// Reads one answer after another until `fetched` closes or `entries` does.
    ///
    /// Blocks, so it wants a thread of its own; as many may share the two channels as there are
    /// cores. The early parts of a huge page go first and its verdict last: killed in between,
    /// the page is fetched again and its early links are known by then.
    pub fn run(&self, fetched: async_channel::Receiver<Fetched>, entries: mpsc::Sender<Entry>) {
        while let Ok(answer) = fetched.recv_blocking() {
            let mut parsed = self.parse(answer);
            if !send_parts(&mut parsed, &entries)
                || entries.blocking_send(Entry::Parsed(Box::new(parsed))).is_err()
            {
                return; // the crawl is closing; the ticket inside has reported itself
            }
        }
    }
}

/// Sends all but the last part of the new links; whether the edge is still open.
fn send_parts(parsed: &mut Parsed, entries: &mpsc::Sender<Entry>) -> bool {
    while parsed.found.len() > MAX_FOUND {
        let rest = parsed.found.split_off(MAX_FOUND);
        let found = std::mem::replace(&mut parsed.found, rest);
        if entries.blocking_send(Entry::Found { found, source: Source::Page }).is_err() {
            return false;
        }
    }
    true
}
