//! The frontier as the engine sees it: made, brought up to date, run.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crawl_model::{
    Event, Fingerprint, Fingerprinter, Host, HostTable, KeyRules, OpenJournal, Origin, RobotsReply,
    TicketId, View,
};
use tokio::sync::mpsc;

use crate::backend::LocalBackend;
use crate::clock::Moment;
use crate::config::{FrontierConfig, FrontierError, HostPoliteness};
use crate::counts::SharedCounts;
use crate::gate::LIFETIME;
use crate::replay::{Replay, Resumed};
use crate::run::{Edges, End, Shell};
use crate::scheduler::Scheduler;
use crate::scope::Scope;
use crate::seen::{Seen, Window};
use crate::slots;
use crate::traps::TrapSighting;

/// Decides when a URL may be fetched.
///
/// Made with [`new`](Self::new), brought up to date by [`replay`](Self::replay) and
/// [`replayed`](Self::replayed), consumed by [`run`](Self::run).
pub struct Frontier {
    scheduler: Scheduler<LocalBackend>,
    window: Arc<Window>,
    counts: Arc<SharedCounts>,
    sightings: Arc<Mutex<Vec<TrapSighting>>>,
    lost: mpsc::UnboundedReceiver<TicketId>,
    /// The fold over the settle log; `None` once it is done.
    replay: Option<Replay>,
}

impl Frontier {
    /// Makes an empty frontier.
    ///
    /// `agent` is the product token by which robots.txt groups are looked up. `seed_hosts` are
    /// the scope if `scope.allowed-domains` is empty. `journal` is told of each open ticket.
    /// `scope.identity` holds for all fingerprints that the [`view`](Self::view) gives.
    ///
    /// # Errors
    /// [`FrontierError`] if a pattern, a domain or a parameter of the scope does not parse.
    pub fn new(
        mut config: FrontierConfig,
        agent: &str,
        prints: Fingerprinter,
        seed_hosts: Vec<Host>,
        journal: Box<dyn OpenJournal>,
    ) -> Result<Self, FrontierError> {
        config.politeness.check()?;
        config.politeness.delay = with_slack(config.politeness.delay);
        let prints =
            prints.under(KeyRules::new(&config.scope.identity).map_err(FrontierError::Parameter)?);
        let scope = Scope::new(&config.scope, &seed_hosts)?;
        let scope = Arc::new(scope.with_traps(config.traps.clone()));
        let seen = Arc::new(Seen::default());
        let window = Arc::new(Window { prints, scope, seen: seen.clone() });
        let (desk, lost) = slots::desk();
        let backend = LocalBackend::new(seen);
        let scheduler =
            Scheduler::new(config, agent, window.clone(), backend, journal, desk, Moment::now());
        let replay = Some(Replay::default());
        let sightings = Arc::default();
        Ok(Self { scheduler, window, counts: Arc::default(), sightings, lost, replay })
    }

    /// Treats some hosts in their own way. To be called before anything is replayed.
    ///
    /// # Errors
    /// [`FrontierError::Politeness`], which names the key.
    pub fn with_hosts(mut self, hosts: HostTable<HostPoliteness>) -> Result<Self, FrontierError> {
        let hosts = hosts.try_map(|mut host| {
            host.politeness.check()?;
            host.politeness.delay = with_slack(host.politeness.delay);
            Ok(host)
        })?;
        self.scheduler.set_hosts(hosts);
        Ok(self)
    }

    /// Whether URLs that an earlier run filtered as `nofollow` stay so; else they are judged
    /// again like all others. Default: they stay.
    pub fn obey_nofollow(&mut self, obey: bool) {
        self.scheduler.obeys_nofollow = obey;
    }

    /// Takes the next event of the settle log; all of them, in order. Events after
    /// [`replayed`](Self::replayed) are ignored.
    pub fn replay(&mut self, event: Event) {
        if let Some(replay) = &mut self.replay {
            replay.fold(&mut self.scheduler, event);
        }
    }

    /// Takes a robots.txt that an earlier run asked for at `fetched_at_ms` (milliseconds since
    /// the Unix epoch). It holds for 24 hours from then (RFC 9309, section 2.4); redirects and
    /// failures are asked for anew.
    pub fn replay_robots(&mut self, origin: Origin, reply: RobotsReply, fetched_at_ms: u64) {
        let at = Moment::now();
        let age = Duration::from_millis(at.ms.saturating_sub(fetched_at_ms));
        if let Some(left) = LIFETIME.checked_sub(age).filter(|left| !left.is_zero()) {
            self.scheduler.recall(origin, &reply, at.now + left);
        }
    }

    /// Takes the number of items that earlier runs left in the store, for
    /// [`Counts::items`](crawl_model::Counts::items): the settle log does not tell it.
    pub fn replay_items(&mut self, n_items: u64) {
        self.scheduler.tally.items = n_items;
        self.counts.publish(&self.scheduler.tally);
    }

    /// Ends the replay: judges everything again under the limits now in force, and fills the
    /// queues.
    ///
    /// `suspects` are the URLs that were open at process deaths, with how many: at two a URL is
    /// run alone, at three it is given up as poisoned. `clean`: whether the last run stopped in
    /// order; if not, every host first rests a full delay.
    ///
    /// What this decides becomes durable by the first messages of [`run`](Self::run).
    pub fn replayed(&mut self, suspects: &[(Fingerprint, u32)], clean: bool) -> Resumed {
        let Some(replay) = self.replay.take() else { return Resumed::default() };
        let at = Moment::now();
        let resumed = replay.finish(&mut self.scheduler, suspects, clean, at);
        self.counts.publish(&self.scheduler.tally);
        resumed
    }

    /// The window through which links are judged where they are found.
    #[must_use]
    pub fn view(&self) -> Arc<dyn View> {
        self.window.clone()
    }

    /// The crawl's numbers, to be read from any thread at any time.
    #[must_use]
    pub fn counts(&self) -> Arc<SharedCounts> {
        self.counts.clone()
    }

    /// The traps that the crawl has met, those with the most URLs first: told when
    /// [`run`](Self::run) ends.
    #[must_use]
    pub fn sightings(&self) -> Arc<Mutex<Vec<TrapSighting>>> {
        self.sightings.clone()
    }

    /// Number of open tickets. The store's writer commits at once when its batch holds all.
    #[must_use]
    pub fn open_tickets(&self) -> Arc<AtomicUsize> {
        self.scheduler.open_tickets()
    }

    /// Runs the crawl until it is finished, closed, or at a limit.
    ///
    /// What waits in `edges.control` is heard first. The crawl is finished when nothing is
    /// queued, open, or on its way to the store; closed when [`Control::Close`] was heard and no
    /// ticket is open any more. Needs a tokio runtime with time.
    ///
    /// [`Control::Close`]: crate::Control::Close
    pub async fn run(mut self, edges: Edges) -> End {
        if self.replay.is_some() {
            self.replayed(&[], true);
        }
        let told = self.sightings;
        let (end, sightings) =
            Shell::new(self.scheduler, self.counts, self.lost, edges).run_and_tell().await;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = sightings;
        end
    }
}

/// The delay that makes the server see at least `delay`: our clock counts from when a request was
/// written, the server's from when it was read, and what lies between varies by a millisecond or
/// two. No delay stays none.
fn with_slack(delay: Duration) -> Duration {
    if delay.is_zero() { delay } else { delay + delay / 50 + Duration::from_millis(1) }
}
