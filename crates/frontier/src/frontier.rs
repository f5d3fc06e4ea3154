//! The frontier as the engine sees it: made, brought up to date, run.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crawl_model::{
    Event, Fingerprint, Fingerprinter, Host, HostTable, KeyRules, LogPosition, OpenJournal, Origin,
    RobotsReply, TicketId, View,
};
use crawl_store::StoreError;
use crawl_store::tables::Tables;
use tokio::sync::mpsc;

use crate::backend::LocalBackend;
use crate::checkpoint::Checkpoint;
use crate::clock::Moment;
use crate::config::{FrontierConfig, FrontierError, HostPoliteness, Order};
use crate::counts::SharedCounts;
use crate::domain::Domain;
use crate::gate::LIFETIME;
use crate::queues::Queues;
use crate::replay::{Replay, Resumed};
use crate::run::{Edges, End, Shell};
use crate::scheduler::Scheduler;
use crate::scope::Scope;
use crate::seed_hosts::SeedHosts;
use crate::seen::Seen;
use crate::slots;
use crate::traps::TrapSighting;
use crate::window::Window;

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
    /// The same, for the second reading.
    second: Option<Replay>,
    seed_hosts: Vec<Host>,
}

/// Where a replay begins.
#[derive(Debug, Default)]
pub struct Restored {
    /// Behind this position of the log; `None`: with its first event.
    pub from: Option<LogPosition>,
    /// Why the last checkpoint could not be used, if it is damaged.
    pub damage: Option<StoreError>,
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
        let scope = Scope::new(&config.scope, &seed_hosts)?
            .with_seed_hosts(Arc::new(SeedHosts::new(prints.clone())))
            .with_traps(config.traps.clone());
        let scope = Arc::new(scope);
        let seen = Arc::new(Seen::default());
        let window = Arc::new(Window { prints: prints.clone(), scope, seen: seen.clone() });
        let (desk, lost) = slots::desk();
        let backend = LocalBackend::new(seen, Queues::new(prints, config.queue.order));
        let scheduler =
            Scheduler::new(config, agent, window.clone(), backend, journal, desk, Moment::now());
        let (replay, counts) = (Some(Replay::default()), Arc::default());
        let sightings = Arc::default();
        Ok(Self { scheduler, window, counts, sightings, lost, replay, second: None, seed_hosts })
    }

    /// Treats some hosts in their own way. To be called before anything is replayed.
    ///
    /// # Errors
    /// [`FrontierError::Politeness`], which names the key.
    pub fn with_hosts(mut self, hosts: HostTable<HostPoliteness>) -> Result<Self, FrontierError> {
        let hosts = hosts.try_map(|mut host| {
            host.politeness.check()?;
            host.politeness.delay = with_slack(host.politeness.delay);
            Ok::<_, FrontierError>(host)
        })?;
        self.scheduler.set_hosts(hosts);
        Ok(self)
    }

    /// Blocks domains, as [`Control::Block`] does. To be called before anything is replayed.
    ///
    /// [`Control::Block`]: crate::Control::Block
    pub fn block(&mut self, domains: impl IntoIterator<Item = Domain>) {
        for domain in domains {
            self.window.scope.blocks.insert(domain);
        }
    }

    /// The hosts that are in scope because of seeds that came later than `seed_hosts`; `None` if
    /// `scope.allowed-domains` says what is. What earlier runs put there is to be inserted before
    /// anything is replayed.
    #[must_use]
    pub fn seed_hosts(&self) -> Option<Arc<SeedHosts>> {
        self.window.scope.seed_hosts()
    }

    /// Whether URLs that an earlier run filtered as `nofollow` stay so; else they are judged
    /// again like all others. Default: they stay.
    pub fn obey_nofollow(&mut self, obey: bool) {
        self.scheduler.obeys_nofollow = obey;
    }

    /// Lets what there is too much of for memory go to `tables`, and begins with the last
    /// checkpoint in them: the replay goes on behind the position that is returned, or begins with
    /// the first event of the log if that is `None`. That is so if there is no checkpoint, if it
    /// was taken under other limits, or if its files are damaged; the tables are made anew then.
    ///
    /// To be called before anything is replayed, and after
    /// [`with_hosts`](Self::with_hosts) and [`obey_nofollow`](Self::obey_nofollow).
    ///
    /// # Errors
    /// [`FrontierError::Store`] if the tables cannot be made.
    pub fn restore(&mut self, tables: Tables) -> Result<Restored, FrontierError> {
        let limits = self.scheduler.limits(&self.seed_hosts);
        let Begun { checkpoint, seen, queues, damage } =
            begin(&tables, &limits, self.window.prints.clone(), self.scheduler.order())?;
        let from = checkpoint.as_ref().map(|checkpoint| checkpoint.state.position);
        let seen = Arc::new(seen);
        let Window { prints, scope, .. } = &*self.window;
        self.window =
            Arc::new(Window { prints: prints.clone(), scope: scope.clone(), seen: seen.clone() });
        let backend =
            LocalBackend::new(seen, queues).on_disk(tables, limits, self.scheduler.room())?;
        self.scheduler.move_to(self.window.clone(), backend);
        self.scheduler.before.is_judged_anew = from.is_none();
        if let (Some(checkpoint), Some(replay)) = (checkpoint, &mut self.replay) {
            replay.begin_with(&mut self.scheduler, checkpoint);
        }
        Ok(Restored { from, damage })
    }

    /// Takes the next event of the settle log; all of them from where [`restore`](Self::restore)
    /// said, in order. Events after [`replayed`](Self::replayed) are ignored.
    ///
    /// # Errors
    /// [`FrontierError::Store`] if the tables cannot be written.
    pub fn replay(&mut self, event: Event) -> Result<(), FrontierError> {
        if let Some(replay) = &mut self.replay {
            replay.fold(&mut self.scheduler, event);
            self.scheduler.relieve()?;
        }
        Ok(())
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

    /// Ends the replay: fills the queues, and judges what waits under the limits now in force if
    /// these may have changed.
    ///
    /// `suspects` are the URLs that were open at process deaths, with how many: at two a URL is
    /// run alone, at three it is given up as poisoned. `clean`: whether the last run stopped in
    /// order; if not, every host first rests a full delay.
    ///
    /// What this decides becomes durable by the first messages of [`run`](Self::run).
    pub fn replayed(&mut self, suspects: &[(Fingerprint, u32)], clean: bool) -> Resumed {
        let Some(mut replay) = self.replay.take() else { return Resumed::default() };
        replay.finish(&mut self.scheduler, suspects, clean, Moment::now());
        let resumed = replay.resumed(&mut self.scheduler);
        self.second = Some(replay);
        self.counts.publish(&self.scheduler.tally);
        resumed
    }

    /// Whether what was refused has to be judged again, for the limits may have changed: the log
    /// is to be read once more, by [`judge_again`](Self::judge_again).
    #[must_use]
    pub fn wants_second_reading(&self) -> bool {
        self.scheduler.before.is_judged_anew && self.scheduler.tally.n_filtered() > 0
    }

    /// Takes an event of the log for the second time, between [`replayed`](Self::replayed) and
    /// [`run`](Self::run).
    pub fn judge_again(&mut self, event: Event) {
        if let (Some(replay), Event::Found(found)) = (&mut self.second, event) {
            replay.judge_again(&mut self.scheduler, *found, Moment::now());
        }
    }

    /// What came of the replay and its second reading.
    pub fn resumed(&mut self) -> Resumed {
        let Some(mut replay) = self.second.take() else { return Resumed::default() };
        let resumed = replay.resumed(&mut self.scheduler);
        self.counts.publish(&self.scheduler.tally);
        resumed
    }

    /// Lets the crawl go on until [`Control::AllRenewed`](crate::Control::AllRenewed) was heard,
    /// whatever else there is to do.
    pub fn await_renewals(&mut self) {
        self.scheduler.awaits_renewals = true;
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
    /// queued, open, or on its way to the store, all `edges.sources` are read, and it is not paused;
    /// closed when [`Control::Close`] was heard and no
    /// ticket is open any more. Needs a tokio runtime with time.
    ///
    /// [`Control::Close`]: crate::Control::Close
    ///
    /// # Errors
    /// [`FrontierError::Store`] if the tables cannot be read or written; what was acknowledged is
    /// in the log, and the next run makes good what is wrong.
    pub async fn run(mut self, edges: Edges) -> Result<End, FrontierError> {
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

/// What a replay begins with.
pub(crate) struct Begun {
    /// `None`: with nothing.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) seen: Seen,
    pub(crate) queues: Queues,
    /// Why there is no checkpoint, if there should be one.
    pub(crate) damage: Option<StoreError>,
}

/// Opens the checkpoint in `tables`, and what it names, or makes the tables anew.
pub(crate) fn begin(
    tables: &Tables,
    limits: &str,
    prints: Fingerprinter,
    order: Order,
) -> Result<Begun, StoreError> {
    let damage = match open(tables, limits, prints.clone(), order) {
        Ok(Some((checkpoint, seen, queues))) => {
            let checkpoint = Some(checkpoint);
            return Ok(Begun { checkpoint, seen, queues, damage: None });
        }
        Ok(None) => None,
        Err(damage) => Some(damage),
    };
    tables.wipe()?;
    let seen = Seen::open(&tables.seen()?, &[])?;
    Ok(Begun { checkpoint: None, seen, queues: Queues::new(prints, order), damage })
}

/// `None` if there is no checkpoint of these limits.
fn open(
    tables: &Tables,
    limits: &str,
    prints: Fingerprinter,
    order: Order,
) -> Result<Option<(Checkpoint, Seen, Queues)>, StoreError> {
    let Some(bytes) = tables.snapshot()? else { return Ok(None) };
    let checkpoint = Checkpoint::decode(&bytes);
    let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.limits == limits) else {
        return Ok(None);
    };
    let mut queues = Queues::new(prints, order);
    queues.restore(tables, &checkpoint.segments, checkpoint.next_segment)?;
    let seen = Seen::open(&tables.seen()?, &checkpoint.runs)?;
    Ok(Some((checkpoint, seen, queues)))
}

/// The delay that [`with_slack`] made this of.
pub(crate) fn without_slack(delay: Duration) -> Duration {
    let Some(rest) = delay.checked_sub(Duration::from_millis(1)) else { return delay };
    // Of fifty parts came fifty-one, and what was left over stayed.
    let (parts, left) = (rest.as_nanos() / 51, rest.as_nanos() % 51);
    let nanos = u64::try_from(parts * 50 + left).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos)
}

/// The delay that makes the server see at least `delay`: our clock counts from when a request was
/// written, the server's from when it was read, and what lies between varies by a millisecond or
/// two. No delay stays none.
pub(crate) fn with_slack(delay: Duration) -> Duration {
    if delay.is_zero() { delay } else { delay + delay / 50 + Duration::from_millis(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slack_of_a_delay_can_be_taken_off_again() {
        let nanos = [0, 1, 49, 50, 51, 999, 1_000_000, 1_999_999_999, 31_536_000_000_000_000];
        for delay in nanos.map(Duration::from_nanos) {
            assert_eq!(without_slack(with_slack(delay)), delay);
        }
    }
}
