//! Where URLs wait: the seen set and the hosts' queues, behind the one trait that another place
//! (a database shared by many machines) would have to implement.
//!
//! The unit of lease is a host with its best few URLs. Whoever holds the lease keeps the host's
//! clock and cuts the tickets; that is the scheduler's part. Here nobody knows what time it is.
//!
//! Not here: robots, clocks, tickets, durability (what is offered is durable already).

use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Fingerprint, Found, Request};
use crawl_store::tables::Tables;
use crawl_store::{StoreError, crash};

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
    fn add_host(&mut self);

    /// Says that URLs of these hosts will be pushed now, so that what that needs can be had in one
    /// go. Changes nothing.
    fn expect(&self, hosts: &[HostKey]);

    /// Puts a new URL into its host's queue.
    fn push(&mut self, host: HostKey, request: &Request);

    /// Leases the best of the waiting URLs of a host, which is called `name`, at most `n`. They are the caller's until they
    /// are acked or released; so is the host while any of them is.
    fn claim(&mut self, host: HostKey, name: &str, n: usize) -> Vec<Queued>;

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

    /// All that is durable has been taken in: whether the place wants to be told the state of it
    /// all now, by [`checkpoint`](Self::checkpoint).
    fn wants_checkpoint(&mut self) -> bool;

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
    /// URLs found or ended since the last checkpoint.
    n_events: u64,
    fault: Option<StoreError>,
}

/// Where what has no room in memory goes.
#[derive(Debug)]
struct Disk {
    tables: Tables,
    keeper: Keeper,
    /// The limits in force, as checkpoints tell them.
    limits: String,
    room: Room,
}

/// When a checkpoint is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// When so many bytes of memory are used.
    pub(crate) memory: usize,
    /// When so many URLs were found or have ended since the last.
    pub(crate) events: u64,
}

/// Bytes of memory that a fingerprint takes until it is on disk.
const YOUNG_BYTES: usize = 20;

impl LocalBackend {
    pub(crate) fn new(seen: Arc<Seen>, queues: Queues) -> Self {
        Self { seen, queues, disk: None, merged: Vec::new(), n_events: 0, fault: None }
    }

    /// Lets what has no room in `memory` bytes go to disk.
    pub(crate) fn on_disk(
        mut self,
        tables: Tables,
        limits: String,
        room: Room,
    ) -> Result<Self, StoreError> {
        let keeper = Keeper::start(tables.clone(), self.seen.clone())?;
        self.disk = Some(Disk { tables, keeper, limits, room });
        Ok(self)
    }

    /// What a URL is called whose first fingerprint is `print`.
    pub(crate) fn known_as(&self, print: Fingerprint, request: &Request) -> Fingerprint {
        match self.queues.prints().second(request) {
            None => print,
            second => self.seen.known_as(self.queues.prints().request(request), second),
        }
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
        let Some(disk) = self.disk.as_ref().filter(|disk| self.ram_bytes() >= disk.room.memory)
        else {
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
        crash::point("spill-begun");
        let segment = self.queues.spill(&disk.tables)?;
        crash::point("spill-written");
        self.n_events = 0;
        let bytes = Checkpoint::encode(&disk.limits, &state, &self.queues);
        let mut used_up = self.queues.take_used_up();
        used_up.append(&mut self.merged);
        disk.keeper.take(Job { segment, frozen: self.seen.freeze(), state: bytes, used_up });
        Ok(())
    }
}

impl Backend for LocalBackend {
    fn offer(&mut self, found: &Found) -> Learnt {
        self.n_events += 1;
        let Found { print, request, filtered, renews } = found;
        self.seen.learn(*print, *filtered, request.depth, *renews)
    }

    fn add_host(&mut self) {
        self.queues.add_host();
    }

    fn expect(&self, hosts: &[HostKey]) {
        self.queues.expect(hosts);
    }

    fn push(&mut self, host: HostKey, request: &Request) {
        self.queues.push(host, request);
    }

    fn claim(&mut self, host: HostKey, name: &str, n: usize) -> Vec<Queued> {
        let queued = std::iter::from_fn(|| self.queues.take(host, name)).take(n);
        let mut queued: Vec<_> = queued.collect();
        if self.queues.prints().has_second() {
            for url in &mut queued {
                url.print = self.known_as(url.print, &url.request());
            }
        }
        queued
    }

    fn extend(&mut self, _host: HostKey) -> bool {
        true
    }

    fn has_entry(&self, print: Fingerprint) -> bool {
        self.seen.has_entry(print)
    }

    fn ack(&mut self, print: Fingerprint, how: Standing) {
        self.n_events += 1;
        self.seen.set(print, how);
    }

    fn release(&mut self, host: HostKey, url: Queued) {
        self.queues.put_back(host, url);
    }

    fn has_waiting(&self, host: HostKey) -> bool {
        self.queues.has_waiting(host)
    }

    fn wants_checkpoint(&mut self) -> bool {
        let ram_bytes = self.ram_bytes();
        let Some(disk) = &self.disk else { return false };
        match disk.keeper.is_busy() {
            true => ram_bytes >= 2 * disk.room.memory,
            false => ram_bytes >= disk.room.memory || self.n_events >= disk.room.events,
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
