//! The order in which pages once settled, made anew of what many threads bring.

use std::collections::BTreeMap;

use crawl_model::{Desk, Entry, TicketId};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Tells the sequencer of tickets that end without an entry.
pub(super) struct Lost(pub(super) mpsc::UnboundedSender<TicketId>);

impl Desk for Lost {
    fn abandoned(&self, id: TicketId) {
        // The sequencer is gone when the replay is over.
        let _ = self.0.send(id);
    }
}

/// Puts what the CPU threads bring into the order in which it was sent.
pub(super) async fn sequence(
    mut entries: mpsc::Receiver<Entry>,
    mut lost: mpsc::UnboundedReceiver<TicketId>,
    in_order: mpsc::Sender<Entry>,
    mut permits: mpsc::UnboundedReceiver<OwnedSemaphorePermit>,
) {
    let mut waiting: BTreeMap<u32, Option<Entry>> = BTreeMap::new();
    let mut next = 0_u32;
    let mut are_lost = true;
    loop {
        tokio::select! {
            entry = entries.recv() => match entry {
                Some(Entry::Parsed(parsed)) => {
                    waiting.insert(parsed.ticket.id().0, Some(Entry::Parsed(parsed)));
                }
                // Parts of huge pages: links, all of which are known.
                Some(entry) => drop(in_order.send(entry).await),
                None => break,
            },
            id = lost.recv(), if are_lost => match id {
                Some(id) => drop(waiting.entry(id.0).or_default()),
                None => are_lost = false,
            },
        }
        while let Some(entry) = waiting.remove(&next) {
            next = next.wrapping_add(1);
            drop(permits.recv().await);
            if let Some(entry) = entry {
                // The writer is gone if it has failed; that is told by itself.
                let _ = in_order.send(entry).await;
            }
        }
    }
    for entry in waiting.into_values().flatten() {
        let _ = in_order.send(entry).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crawl_model::{
        CanonicalUrl, Errand, Failure, FailureKind, Fetched, Fingerprint, Fingerprinter, Request,
        Ticket,
    };
    use tokio::sync::Semaphore;

    use super::*;
    use crate::replay::source::AllKnown;

    #[tokio::test]
    async fn what_comes_back_in_any_order_goes_on_in_its_own() {
        let (entries, entries_in) = mpsc::channel(8);
        let (in_order, mut in_order_in) = mpsc::channel(8);
        let (lost, lost_in) = mpsc::unbounded_channel();
        let (tell, permits) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(8));
        let desk: Arc<dyn Desk> = Arc::new(Lost(lost));
        for _ in 0..5 {
            tell.send(window.clone().try_acquire_owned().unwrap()).unwrap();
        }
        let task = tokio::spawn(sequence(entries_in, lost_in, in_order, permits));
        for id in [3, 0, 4, 2] {
            entries.send(parsed(&desk, id)).await.unwrap();
        }
        // The second is lost on the way.
        drop(parsed(&desk, 1));
        let mut ids = Vec::new();
        for _ in 0..4 {
            let Some(Entry::Parsed(parsed)) = in_order_in.recv().await else { panic!("no entry") };
            ids.push(parsed.ticket.id().0);
            let _ = parsed.ticket.spend();
        }
        assert_eq!(ids, [0, 2, 3, 4]);
        drop(entries);
        task.await.unwrap();
        assert_eq!(window.available_permits(), 8);
    }

    fn parsed(desk: &Arc<dyn Desk>, id: u32) -> Entry {
        let url = CanonicalUrl::parse("http://h/").unwrap();
        let errand = Errand::Page(Request::get(url.clone()));
        let ticket = Ticket::issue(desk.clone(), TicketId(id), Fingerprint(0), errand, 1, true);
        let parser = crawl_parser::Parser::new(
            crawl_parser::ParseConfig::default(),
            0,
            Arc::new(crawl_parser::LinkSpider),
            Arc::new(AllKnown(Fingerprinter::new([0; 16]), None)),
        );
        Entry::Parsed(Box::new(parser.parse(Fetched {
            ticket,
            reply: Err(Failure::new(FailureKind::Timeout, "x")),
            rest: None,
            sent_ms: 0,
            elapsed: Duration::ZERO,
            timing: crawl_model::Timing::default(),
            cookies: Vec::new(),
        })))
    }
}
