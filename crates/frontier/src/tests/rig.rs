//! What the tests share: a scheduler with a clock in the hand and a store made of nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crawl_model::{
    CanonicalUrl, EndedBy, Entry, Errand, FilterReason, Fingerprint, Fingerprinter, Found, Health,
    HostFree, Look, OpenJournal, Outcome, Request, RobotsReply, Source, Ticket, TicketId, Verdict,
    View,
};
use tokio::sync::mpsc;

use crate::backend::LocalBackend;
use crate::clock::Moment;
use crate::config::FrontierConfig;
use crate::due::Stamp;
use crate::queues::Queues;
use crate::scheduler::{Ready, Scheduler};
use crate::scope::Scope;
use crate::seed_hosts::SeedHosts;
use crate::seen::Seen;
use crate::slots;
use crate::window::Window;

/// A journal that refuses to open what is open, and to close what is not.
#[derive(Clone, Default)]
pub(crate) struct Journal(pub(crate) Arc<Mutex<HashMap<u32, Fingerprint>>>);

impl OpenJournal for Journal {
    fn opened(&mut self, id: TicketId, print: Fingerprint) {
        assert_eq!(self.0.lock().unwrap().insert(id.0, print), None, "slot {} is open", id.0);
    }

    fn closed(&mut self, id: TicketId) {
        self.0.lock().unwrap().remove(&id.0).expect("only an open slot is closed");
    }

    fn write(&mut self) {}
}

/// What the clock of the wall says when a rig is made.
pub(crate) const NOW_MS: u64 = 1_000_000;

pub(crate) struct Rig {
    pub(crate) scheduler: Scheduler<LocalBackend>,
    pub(crate) window: Arc<Window>,
    pub(crate) now: Instant,
    pub(crate) lost: mpsc::UnboundedReceiver<TicketId>,
    pub(crate) journal: Journal,
}

pub(crate) fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

pub(crate) fn prints() -> Fingerprinter {
    Fingerprinter::new([3; 16])
}

/// A plain GET, admitted.
pub(crate) fn found(text: &str) -> Found {
    let request = Request::get(url(text));
    Found { print: prints().request(&request), request, filtered: None, renews: false }
}

/// Hosts `h`, `a`, `b` in scope, no robots.txt, one second between starts.
pub(crate) fn config(change: impl FnOnce(&mut FrontierConfig)) -> FrontierConfig {
    let mut config = FrontierConfig::default();
    config.scope.allowed_domains = ["h", "a", "b"].map(str::to_owned).to_vec();
    config.politeness.robots = false;
    change(&mut config);
    config
}

impl Rig {
    pub(crate) fn new(change: impl FnOnce(&mut FrontierConfig)) -> Self {
        Self::with_prints(prints(), change)
    }

    pub(crate) fn with_prints(
        prints: Fingerprinter,
        change: impl FnOnce(&mut FrontierConfig),
    ) -> Self {
        let config = config(change);
        let scope = Scope::new(&config.scope, &[]).unwrap();
        let scope = Arc::new(scope.with_seed_hosts(Arc::new(SeedHosts::new(prints.clone()))));
        let seen = Arc::new(Seen::default());
        let window = Arc::new(Window { prints: prints.clone(), scope, seen: seen.clone() });
        let (desk, lost) = slots::desk();
        let journal = Journal::default();
        // The scheduler keeps instants to the microsecond.
        let now = Stamp::from(Instant::now()).get().unwrap();
        let backend = LocalBackend::new(seen, Queues::new(prints, config.queue.order));
        let scheduler = Scheduler::new(
            config,
            "bot",
            window.clone(),
            backend,
            Box::new(journal.clone()),
            desk,
            Moment { now, ms: NOW_MS },
        );
        Self { scheduler, window, now, lost, journal }
    }

    /// A rig with these URLs queued.
    pub(crate) fn with(urls: &[&str], change: impl FnOnce(&mut FrontierConfig)) -> Self {
        let mut rig = Self::new(change);
        rig.find(urls);
        rig
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// URLs become durable as found on a page.
    pub(crate) fn find(&mut self, urls: &[&str]) {
        let found = urls.iter().map(|url| found(url)).collect();
        self.apply(Outcome::Found { found, source: Source::Page });
    }

    pub(crate) fn apply(&mut self, outcome: Outcome) {
        self.scheduler.apply(outcome, self.now);
        self.check();
    }

    /// The next ticket, if one may be sent now.
    pub(crate) fn next(&mut self) -> Option<Ticket> {
        let ticket = match self.scheduler.ready(self.now) {
            Ready::Later(_) => None,
            ready => {
                let ticket = self.scheduler.take(self.now)?;
                let is_page = matches!(ticket.errand(), Errand::Page(_));
                assert_eq!(is_page, ready == Ready::Page, "what was announced is what comes");
                Some(ticket)
            }
        };
        self.check();
        ticket
    }

    /// The next ticket, which must be for this URL.
    #[track_caller]
    pub(crate) fn expect(&mut self, url: &str) -> Ticket {
        let ticket = self.next().unwrap_or_else(|| panic!("no ticket for {url}"));
        assert_eq!(ticket.url().as_str(), url);
        ticket
    }

    #[track_caller]
    pub(crate) fn expect_none(&mut self) {
        let ticket = self.next();
        assert!(ticket.is_none(), "{ticket:?} may not be sent now");
    }

    /// The host's last byte comes now, of a request that was sent now.
    pub(crate) fn free(&mut self, ticket: &Ticket) {
        self.free_with(ticket.id(), Some(self.now), None);
    }

    pub(crate) fn free_with(
        &mut self,
        id: TicketId,
        sent_at: Option<Instant>,
        rest: Option<Duration>,
    ) {
        self.hear(HostFree { sent_at, rest, health: Health::Good, ..HostFree::unsent(id) });
    }

    /// The host's last byte comes now, and this is what the attempt says of it.
    pub(crate) fn free_as(&mut self, ticket: &Ticket, health: Health) {
        self.hear(HostFree { sent_at: Some(self.now), health, ..HostFree::unsent(ticket.id()) });
    }

    /// What the fetcher tells of a host, now.
    pub(crate) fn hear(&mut self, free: HostFree) {
        self.scheduler.host_free(&HostFree { done_at: self.now, ..free }, self.now);
        self.check();
    }

    /// The ticket fails for good, for that reason.
    pub(crate) fn fail(&mut self, ticket: Ticket, health: Health) {
        self.free_as(&ticket, health);
        self.settle(ticket, Verdict::ConnectFailed);
    }

    /// The next ticket, whenever it is due.
    pub(crate) fn wait(&mut self) -> Option<Ticket> {
        loop {
            match self.scheduler.ready(self.now) {
                Ready::Later(Some(due)) => self.now = self.now.max(due),
                Ready::Later(None) => return None,
                Ready::Page | Ready::Robots => return self.next(),
            }
        }
    }

    /// The ticket settles, its host being free already.
    pub(crate) fn settle(&mut self, ticket: Ticket, verdict: Verdict) {
        self.settle_with(ticket, verdict, Vec::new());
    }

    pub(crate) fn settle_with(&mut self, ticket: Ticket, verdict: Verdict, found: Vec<Found>) {
        let spent = ticket.spend();
        self.apply(Outcome::Settled { spent, verdict, n_items: 0, found });
    }

    /// Last byte and settled, both now.
    pub(crate) fn finish(&mut self, ticket: Ticket) {
        self.free(&ticket);
        self.settle(ticket, Verdict::Ok);
    }

    pub(crate) fn retry(&mut self, ticket: Ticket) {
        self.free(&ticket);
        let spent = ticket.spend();
        self.apply(Outcome::Retry { spent, rest: None });
    }

    /// Last byte of a robots.txt, and what it said.
    pub(crate) fn answer(&mut self, ticket: Ticket, reply: RobotsReply) {
        self.free(&ticket);
        let Errand::Robots { origin, .. } = ticket.errand().clone() else {
            panic!("{ticket:?} is no robots errand")
        };
        let spent = ticket.spend();
        self.apply(Outcome::Robots { spent, origin, reply });
    }

    /// Reports of lost tickets arrive.
    pub(crate) fn hear_lost(&mut self) {
        while let Ok(id) = self.lost.try_recv() {
            self.scheduler.abandoned(id, false, self.now);
            self.check();
        }
    }

    /// The store takes what is in the outbox and answers at once; gives what was in it.
    pub(crate) fn sync(&mut self) -> Vec<(Fingerprint, EndedBy)> {
        let mut all = Vec::new();
        self.scheduler.flush_ended();
        while let Some(entry) = self.scheduler.outbox.pop_front() {
            match entry {
                Entry::Found { found, source } => self.apply(Outcome::Found { found, source }),
                Entry::Ended(ended) => {
                    all.extend(ended.iter().cloned());
                    self.apply(Outcome::Ended(ended));
                }
                Entry::Parsed(_) | Entry::FeedCursor { .. } => panic!("not the frontier's"),
            }
        }
        all
    }

    /// Ends that the frontier decided since the last time, by name.
    pub(crate) fn ends(&mut self) -> Vec<&'static str> {
        let name = |(_, by)| match by {
            EndedBy::Filter(reason) => reason.name(),
            EndedBy::Verdict(verdict, _) => verdict.name(),
        };
        self.sync().into_iter().map(name).collect()
    }

    pub(crate) fn look(&self, text: &str, depth: u32) -> Look {
        self.window.look(found(text).print, &url(text), depth)
    }

    pub(crate) fn filter(&mut self, text: &str, depth: u32, reason: FilterReason) {
        let mut found = found(text);
        found.request.depth = depth;
        found.filtered = Some(reason);
        self.apply(Outcome::Found { found: vec![found], source: Source::Page });
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        let tally = &self.scheduler.tally;
        assert!(tally.is_conserved(), "{tally:?}");
        assert_eq!(self.journal.0.lock().unwrap().len(), self.scheduler.n_open());
    }
}
