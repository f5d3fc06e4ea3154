//! Reading a page in a crawl that knows all its links, as most pages are read.

use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    CanonicalUrl, Desk, Errand, Fetched, Fingerprint, Fingerprinter, Look, Request, Ticket,
    TicketId, Timing, Verdict, View,
};
use crawl_parser::{LinkSpider, ParseConfig, Parser};
use crawl_spider::Spider;

use crate::reading::{self, CARDS, LINKS};

/// Knows all links.
struct AllKnown(Fingerprinter);

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
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}

/// Has the page read `n` times by the stage that reads pages, for this spider.
fn parse(n: u64, spider: Arc<dyn Spider>, n_items: usize) {
    let view = Arc::new(AllKnown(Fingerprinter::new([7; 16])));
    let parser = Parser::new(ParseConfig::default(), 5, spider, view).without_responses();
    let (desk, response) = (Arc::new(Nobody), reading::list());
    for _ in 0..n {
        let errand = Errand::Page(reading::request());
        let ticket = Ticket::issue(desk.clone(), TicketId(1), Fingerprint(7), errand, 1, true);
        let parsed = parser.parse(Fetched {
            ticket,
            reply: Ok(response.clone()),
            rest: None,
            sent_ms: 0,
            elapsed: Duration::ZERO,
            timing: Timing::default(),
            cookies: Vec::new(),
        });
        assert_eq!(parsed.record.verdict, Verdict::Ok);
        assert_eq!((parsed.found.len(), parsed.items.kept.len()), (0, n_items));
        assert_eq!(parsed.record.n_links as usize, LINKS);
        let _ = parsed.ticket.spend();
    }
}

/// All that becomes of a page of which nothing is kept.
pub(crate) fn links(n: u64) {
    parse(n, Arc::new(LinkSpider), 0);
}

/// The same with the items of `cards`.
pub(crate) fn cards(n: u64) {
    parse(n, Arc::new(reading::cards_spider()), CARDS);
}
