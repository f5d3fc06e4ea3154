//! Idle connections, kept for the next request to the same origin.
//!
//! hyper-util's pool is one mutex for all hosts and limits neither the total nor the share of a
//! host. Here origins are spread over shards by hash; a shard is a short list in order of last
//! use, so that looking one up is a scan over a handful of numbers, expiring is popping from the
//! front.
//!
//! HTTP/1 connections leave the pool while in use; HTTP/2 ones stay and are shared. So that they
//! are, the first requests to an origin wait for the first of them to learn what is spoken there.
//!
//! All connections, in use or idle, take one of a fixed number of slots until they are closed.
//! When there is none left for a new connection, one of those that have rested for a while is closed,
//! whichever: hosts come round after their delays, so the one that rested longest is likely to be that
//! whose host comes next.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crawl_model::CanonicalUrl;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::connect::Connection;
use crate::proxy::Lane;

/// Connections that a shard holds, about. A scan over so many costs less than a hash map.
const SHARD_SIZE: usize = 16;

/// How long a connection may take to be closed before another one is.
const CLOSING: Duration = Duration::from_millis(20);

/// A connection that rested for less may be about to be used again.
const RESTING: Duration = Duration::from_millis(50);

/// The right to have one connection open.
pub(crate) type Slot = OwnedSemaphorePermit;

/// The pool.
#[derive(Debug)]
pub(crate) struct Pool {
    shards: Box<[Mutex<Shard>]>,
    slots: Arc<Semaphore>,
    hasher: RandomState,
    keep_alive: Duration,
    is_swept: AtomicBool,
    n_evicted: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    /// Idle connections, the longest rested one first.
    idle: VecDeque<Idle>,
    /// Origins that are connected to for the first time.
    dials: Vec<Dial>,
}

/// One first connection to an origin.
#[derive(Debug)]
struct Dial {
    authority: Box<str>,
    /// Closed when it is over, however that ended.
    over: watch::Receiver<()>,
}

/// Who opens an origin's first connection.
pub(crate) enum Turn {
    /// The caller; the others wait until this is dropped.
    Mine(Dialing),
    /// Somebody does; [`wait`](Follow::wait) until it is over.
    Theirs(Follow),
}

/// Opening an origin's first connection.
pub(crate) struct Dialing {
    pool: Arc<Pool>,
    hash: u64,
    authority: Box<str>,
    /// Dropped with this, which wakes all who wait.
    _over: watch::Sender<()>,
}

/// Waiting for an origin's first connection.
pub(crate) struct Follow(watch::Receiver<()>);

impl Follow {
    /// Returns when it stands or has failed.
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: an error says that the other side is gone.
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        let mut shard = self.pool.shard(self.hash);
        shard.dials.retain(|dial| dial.authority != self.authority);
    }
}

#[derive(Debug)]
struct Idle {
    hash: u64,
    https: bool,
    authority: Box<str>,
    since: Instant,
    connection: Connection,
}

impl Idle {
    fn is_for(&self, hash: u64, url: &CanonicalUrl, lane: &Lane) -> bool {
        self.hash == hash
            && self.https == url.is_https()
            && *self.authority == *url.authority()
            && self.connection.lane == *lane
    }
}

impl Pool {
    /// A pool of `n_slots` connections, in use and idle; idle ones are kept for `keep_alive`.
    pub(crate) fn new(n_slots: usize, keep_alive: Duration) -> Self {
        let n_shards = n_slots.div_ceil(SHARD_SIZE).clamp(1, 256).next_power_of_two();
        Self {
            shards: (0..n_shards).map(|_| Mutex::default()).collect(),
            slots: Arc::new(Semaphore::new(n_slots.min(Semaphore::MAX_PERMITS))),
            hasher: RandomState::new(),
            keep_alive,
            is_swept: AtomicBool::new(false),
            n_evicted: AtomicU64::new(0),
        }
    }

    /// An idle connection to `url`'s origin on `lane`; the one used last, for it is the likeliest
    /// to live.
    pub(crate) fn take(&self, url: &CanonicalUrl, lane: &Lane) -> Option<Connection> {
        let hash = self.hash(url);
        let shard = &mut self.shard(hash).idle;
        while let Some(i) = shard.iter().rposition(|idle| idle.is_for(hash, url, lane)) {
            let idle = &shard[i];
            let is_good = !idle.connection.is_closed() && idle.since.elapsed() < self.keep_alive;
            match idle.connection.share() {
                Some(shared) if is_good => return Some(shared),
                _ => {
                    let taken = shard.remove(i)?.connection;
                    if is_good {
                        return Some(taken);
                    }
                }
            }
        }
        None
    }

    /// Keeps a connection to `url`'s origin for the next request.
    pub(crate) fn put(self: &Arc<Self>, url: &CanonicalUrl, connection: Connection) {
        if self.keep_alive.is_zero() || connection.is_closed() {
            return;
        }
        let hash = self.hash(url);
        let idle = Idle {
            hash,
            https: url.is_https(),
            authority: url.authority().into(),
            since: Instant::now(),
            connection,
        };
        let log = &idle.connection.log;
        {
            let shard = &mut self.shard(hash).idle;
            if let Some(i) = shard.iter().rposition(|old| Arc::ptr_eq(&old.connection.log, log)) {
                shard.remove(i);
            }
            shard.push_back(idle);
        }
        if !self.is_swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Sweeping(Arc::downgrade(self)), self.keep_alive));
        }
    }

    /// Drops a shared connection to `url`'s origin that has stopped answering.
    pub(crate) fn forget(&self, url: &CanonicalUrl, connection: &Connection) {
        let mut shard = self.shard(self.hash(url));
        shard.idle.retain(|idle| !Arc::ptr_eq(&idle.connection.log, &connection.log));
    }

    /// Who opens the first connection to `url`'s origin.
    pub(crate) fn turn(self: &Arc<Self>, url: &CanonicalUrl) -> Turn {
        let hash = self.hash(url);
        let mut shard = self.shard(hash);
        if let Some(dial) = shard.dials.iter().find(|dial| *dial.authority == *url.authority()) {
            return Turn::Theirs(Follow(dial.over.clone()));
        }
        let (sender, over) = watch::channel(());
        let authority: Box<str> = url.authority().into();
        shard.dials.push(Dial { authority: authority.clone(), over });
        Turn::Mine(Dialing { pool: self.clone(), hash, authority, _over: sender })
    }

    /// Closes an idle connection; false if all are in use.
    fn evict(&self) -> bool {
        let n = self.n_evicted.fetch_add(1, Ordering::Relaxed);
        let mut idle = Vec::new();
        for (i, shard) in self.shards.iter().enumerate() {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let unused = shard.idle.iter().filter(|idle| !idle.connection.is_shared());
            idle.extend(unused.map(|idle| (idle.since, i)));
        }
        // As good as chance, for the hasher has a secret.
        let Some((since, i)) = leaver(idle, self.hasher.hash_one(n), Instant::now()) else {
            return false;
        };
        let mut shard = self.shards[i].lock().unwrap_or_else(PoisonError::into_inner);
        let position = shard.idle.iter().position(|idle| idle.since == since);
        position.and_then(|position| shard.idle.remove(position)).is_some()
    }

    /// Drops what has ended or rested too long.
    fn expire(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.idle.retain(|idle| {
                !idle.connection.is_closed() && idle.since.elapsed() < self.keep_alive
            });
        }
    }

    /// How many connections it holds.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let len =
            |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).idle.len();
        self.shards.iter().map(len).sum()
    }

    fn hash(&self, url: &CanonicalUrl) -> u64 {
        self.hasher.hash_one(url.authority())
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        let index = hash as usize & (self.shards.len() - 1);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of idle connections, each with the shard it is in, is closed for another: of those that have
/// rested for a while one by chance, or else the one that rested longest.
fn leaver(mut idle: Vec<(Instant, usize)>, chance: u64, now: Instant) -> Option<(Instant, usize)> {
    idle.sort_unstable();
    let n_resting = idle.partition_point(|&(since, _)| now.duration_since(since) >= RESTING);
    let chosen = chance.checked_rem(n_resting as u64).unwrap_or(0);
    idle.get(usize::try_from(chosen).unwrap_or(0)).copied()
}

/// Gives out the slots of a pool.
#[derive(Debug, Clone)]
pub(crate) struct Slots(pub(crate) Arc<Pool>);

impl Slots {
    /// A slot, if one is free.
    pub(crate) fn free(&self) -> Option<Slot> {
        self.0.slots.clone().try_acquire_owned().ok()
    }

    /// A slot, for which an idle connection is closed.
    pub(crate) async fn wait(&self) -> Slot {
        loop {
            self.0.evict();
            // What was closed is free when its task has noticed; and others may rest by now.
            let slot = self.0.slots.clone().acquire_owned();
            if let Ok(Ok(slot)) = tokio::time::timeout(CLOSING, slot).await {
                return slot;
            }
        }
    }
}

/// The right to be the pool's one sweeper; given back however the task ends (with its runtime,
/// say), so that the next connection starts another one.
struct Sweeping(Weak<Pool>);

impl Drop for Sweeping {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.is_swept.store(false, Ordering::Release);
        }
    }
}

/// Expires connections as long as the pool is there: without it an origin that is never asked
/// again would keep its connection open for ever.
async fn sweep(sweeping: Sweeping, keep_alive: Duration) {
    let pause = (keep_alive / 2).max(Duration::from_millis(50));
    loop {
        tokio::time::sleep(pause).await;
        match sweeping.0.upgrade() {
            Some(pool) => pool.expire(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_chooses_among_those_that_have_rested_and_else_the_longest_rested_goes() {
        let start = Instant::now();
        let now = start + Duration::from_secs(1);
        let at = |ms: u64| (start + Duration::from_millis(ms), ms as usize);
        let chosen = |idle: &[u64], chance| {
            leaver(idle.iter().copied().map(at).collect(), chance, now).map(|(_, ms)| ms)
        };
        let idle = [970, 300, 999, 0, 950];
        assert_eq!([0, 1, 2, 3].map(|chance| chosen(&idle, chance)), [0, 300, 950, 0].map(Some));
        assert_eq!(chosen(&[990, 960, 999], 7), Some(960));
        assert_eq!(chosen(&[], 7), None);
    }
}
