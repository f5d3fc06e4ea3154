//! Idle connections, kept for the next request to the same origin.
//!
//! hyper-util's pool is one mutex for all hosts and limits neither the total nor the share of a
//! host. Here origins are spread over shards by hash; a shard is a short list in order of last
//! use, so that looking one up is a scan over a handful of numbers, expiring is popping from the
//! front, and when it is full the one that rested longest goes.
//!
//! HTTP/1 connections leave the pool while in use; HTTP/2 ones stay and are shared.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crawl_model::CanonicalUrl;
use tokio::time::Instant;

use crate::connect::Connection;
use crate::proxy::Lane;

/// Connections that a shard holds, about. A scan over so many costs less than a hash map.
const SHARD_SIZE: usize = 16;

/// The pool.
#[derive(Debug)]
pub(crate) struct Pool {
    shards: Box<[Mutex<Shard>]>,
    shard_size: usize,
    hasher: RandomState,
    keep_alive: Duration,
    is_swept: AtomicBool,
}

/// Idle connections, the longest rested one first.
type Shard = VecDeque<Idle>;

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
    /// A pool of at most about `capacity` connections, each kept for `keep_alive`.
    pub(crate) fn new(capacity: usize, keep_alive: Duration) -> Self {
        let n_shards = capacity.div_ceil(SHARD_SIZE).clamp(1, 256).next_power_of_two();
        Self {
            shards: (0..n_shards).map(|_| Mutex::default()).collect(),
            // Origins do not spread evenly, so a shard may hold more than its even share.
            shard_size: capacity.div_ceil(n_shards).max(SHARD_SIZE),
            hasher: RandomState::new(),
            keep_alive,
            is_swept: AtomicBool::new(false),
        }
    }

    /// An idle connection to `url`'s origin on `lane`; the one used last, for it is the likeliest
    /// to live.
    pub(crate) fn take(&self, url: &CanonicalUrl, lane: &Lane) -> Option<Connection> {
        let hash = self.hash(url);
        let mut shard = self.shard(hash);
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
            let mut shard = self.shard(hash);
            if let Some(i) = shard.iter().rposition(|old| Arc::ptr_eq(&old.connection.log, log)) {
                shard.remove(i);
            } else if shard.len() >= self.shard_size {
                shard.pop_front();
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
        shard.retain(|idle| !Arc::ptr_eq(&idle.connection.log, &connection.log));
    }

    /// Drops what has ended or rested too long.
    fn expire(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|idle| {
                !idle.connection.is_closed() && idle.since.elapsed() < self.keep_alive
            });
        }
    }

    /// How many connections it holds.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let len = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).len();
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
