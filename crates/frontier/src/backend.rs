//! Where URLs wait: the seen set and the hosts' queues, behind the one trait that another place
//! (a database shared by many machines) would have to implement.
//!
//! The unit of lease is a host with its best few URLs. Whoever holds the lease keeps the host's
//! clock and cuts the tickets; that is the scheduler's part. Here nobody knows what time it is.
//!
//! Not here: robots, clocks, tickets, durability (what is offered is durable already).

use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Fingerprint, Found, Host, LogPosition, Request};
use crawl_store::StoreError;
use crawl_store::tables::Tables;

use crate::checkpoint::Checkpoint;
use crate::keeper::{Job, Keeper};
use crate::queue::Queued;
use crate::queues::Queues;
use crate::scheduler::{Loose, State};
use crate::seen::{Learnt, Seen, Standing};

/// Number of a host, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostKey(pub(crate) u32);

/// The place where URLs wait.
pub(crate) trait Backend: Send {
    /// Takes a durable URL into the seen set. Those that come out [`New`](Learnt::New),
    /// [`Readmitted`](Learnt::Readmitted) or [`Renewed`](Learnt::Renewed), and are not filtered,
    /// are to be [`push`](Self::push)ed next, unless [an entry is there](Self::has_entry).
    fn offer(&mut self, found: &Found) -> Learnt;

    /// Gives the next host its queue; hosts come in the order of their numbers.
    fn add_host(&mut self, name: Host);

    /// Puts a new URL into its host's queue.
    fn push(&mut self, host: HostKey, request: &Request);

    /// Leases the best of the host's waiting URLs, at most `n`. They are the caller's until they
    /// are acked or released; so is the host while any of them is.
    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued>;

    /// Asks to keep the lease on a host for another term. `false`: the lease was lost, and what
    /// was claimed and not sent yet is to be forgotten.
    fn extend(&mut self, host: HostKey) -> bool;

    /// Whether the host's queue holds an entry of a URL that waits anew, from before it ended.
    fn has_entry(&self, print: Fingerprint) -> bool;

    /// The URL has ended, with a verdict or filtered for a reason.
    fn ack(&mut self, print: Fingerprint, how: Standing);

    /// Puts a claimed URL back that did not end.
    fn release(&mut self, host: HostKey, url: Queued);

    /// Whether the host has URLs to claim.
    fn has_waiting(&self, host: HostKey) -> bool;

    /// All of the log up to `position` has been taken in: whether the place wants to be told the
    /// state of it all now, by [`checkpoint`](Self::checkpoint).
    fn wants_checkpoint(&mut self, position: LogPosition) -> bool;

    /// Takes a checkpoint.
    fn checkpoint(&mut self, state: State);

    /// What went wrong, once; the crawl must end then.
    fn fault(&mut self) -> Option<StoreError>;
}

/// The place on this machine: every lease is granted and lasts.
#[derive(Debug)]
pub(crate) struct LocalBackend {
    pub(crate) seen: Arc<Seen>,
    pub(crate) queues: Queues,
    /// `None` if all stays in memory.
    disk: Option<Disk>,
    /// Runs that a replay has merged into others.
    merged: Vec<PathBuf>,
    fault: Option<StoreError>,
}

/// Where what has no room in memory goes.
#[derive(Debug)]
struct Disk {
    tables: Tables,
    keeper: Keeper,
    /// The limits in force, as checkpoints tell them.
    limits: String,
    /// Bytes of memory that may be used before a checkpoint is taken.
    memory: usize,
    /// Position of the last checkpoint.
    last: LogPosition,
}

/// Bytes of memory that a fingerprint takes until it is on disk.
const YOUNG_BYTES: usize = 20;
/// Segments of the log after which a checkpoint is taken though there is room, so that the next
/// open reads no more than these.
const MOST_LOG_SEGMENTS: u32 = 4;

impl LocalBackend {
    pub(crate) fn new(seen: Arc<Seen>, queues: Queues) -> Self {
        Self { seen, queues, disk: None, merged: Vec::new(), fault: None }
    }

    /// Lets what has no room in `memory` bytes go to disk.
    pub(crate) fn on_disk(
        mut self,
        tables: Tables,
        limits: String,
        memory: usize,
        last: LogPosition,
    ) -> Result<Self, StoreError> {
        let keeper = Keeper::start(tables.clone(), self.seen.clone())?;
        self.disk = Some(Disk { tables, keeper, limits, memory, last });
        Ok(self)
    }

    fn ram_bytes(&self) -> usize {
        self.queues.ram_bytes() + self.seen.n_young() * YOUNG_BYTES
    }

    /// Waits until the checkpoint under way, if there is one, is on the disk.
    #[cfg(test)]
    pub(crate) fn wait(&self) {
        self.disk.iter().for_each(|disk| disk.keeper.wait());
    }

    /// Makes room in the middle of a replay. What is written is named by no checkpoint yet, and
    /// what it replaces may be named by the last.
    pub(crate) fn relieve(&mut self) -> Result<(), StoreError> {
        let Some(disk) = self.disk.as_ref().filter(|disk| self.ram_bytes() >= disk.memory) else {
            return Ok(());
        };
        let tables = disk.tables.clone();
        if let Some(segment) = self.queues.spill(&tables)? {
            segment.sync()?;
        }
        if let Some(frozen) = self.seen.freeze() {
            self.seen.install(frozen.write(&tables.seen()?)?);
        }
        while let Some(merged) = self.seen.merge_once()? {
            self.merged.extend(merged);
        }
        Ok(())
    }

    fn try_checkpoint(&mut self, mut state: State) -> Result<(), StoreError> {
        let Some(disk) = &mut self.disk else { return Ok(()) };
        disk.keeper.wait();
        state.loose.extend(self.queues.returned().map(Loose::of));
        let segment = self.queues.spill(&disk.tables)?;
        disk.last = state.position;
        let bytes = Checkpoint::encode(&disk.limits, &state, &self.queues);
        let mut used_up = self.queues.take_used_up();
        used_up.append(&mut self.merged);
        disk.keeper.take(Job { segment, frozen: self.seen.freeze(), state: bytes, used_up });
        Ok(())
    }
}

impl Backend for LocalBackend {
    fn offer(&mut self, found: &Found) -> Learnt {
        let Found { print, request, filtered, renews } = found;
        self.seen.learn(*print, *filtered, request.depth, *renews)
    }

    fn add_host(&mut self, name: Host) {
        self.queues.add_host(name);
    }

    fn push(&mut self, host: HostKey, request: &Request) {
        self.queues.push(host, request);
    }

    fn claim(&mut self, host: HostKey, n: usize) -> Vec<Queued> {
        std::iter::from_fn(|| self.queues.take(host)).take(n).collect()
    }

    fn extend(&mut self, _host: HostKey) -> bool {
        true
    }

    fn has_entry(&self, print: Fingerprint) -> bool {
        self.seen.has_entry(print)
    }

    fn ack(&mut self, print: Fingerprint, how: Standing) {
        self.seen.set(print, how);
    }

    fn release(&mut self, host: HostKey, url: Queued) {
        self.queues.put_back(host, url);
    }

    fn has_waiting(&self, host: HostKey) -> bool {
        self.queues.has_waiting(host)
    }

    fn wants_checkpoint(&mut self, position: LogPosition) -> bool {
        let ram_bytes = self.ram_bytes();
        let Some(disk) = &self.disk else { return false };
        let is_long_ago = position.segment >= disk.last.segment.saturating_add(MOST_LOG_SEGMENTS);
        match disk.keeper.is_busy() {
            true => ram_bytes >= 2 * disk.memory,
            false => ram_bytes >= disk.memory || is_long_ago,
        }
    }

    fn checkpoint(&mut self, state: State) {
        if let Err(error) = self.try_checkpoint(state) {
            self.fault.get_or_insert(error);
        }
    }

    fn fault(&mut self) -> Option<StoreError> {
        let of_keeper = || self.disk.as_ref().and_then(|disk| disk.keeper.fault());
        let fault = self.fault.take().or_else(|| self.queues.fault());
        fault.or_else(|| self.seen.fault()).or_else(of_keeper)
    }
}
