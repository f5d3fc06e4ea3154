//! What name servers said, for as long as it holds.
//!
//! In front of the DNS library for three things that its cache does not do: of many fetches of
//! one host only the first asks, and the others take its answer; an answer that has run out is
//! still used when the servers fail (RFC 8767); and failures are remembered for a moment
//! (RFC 9520), so that a thousand URLs of a host do not ask a thousand times.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crawl_model::{Failure, FailureKind};
use tokio::sync::watch;
use tokio::time::Instant;

/// Shards of the cache, and the names that each holds at most.
const SHARDS: usize = 16;
const SHARD_SIZE: usize = 512;

/// Longest time for which it is believed that a name or its addresses do not exist.
const LONGEST_NEGATIVE: Duration = Duration::from_secs(30);

/// Time for which a failure of the servers is believed (RFC 9520, section 3.2, has a second at
/// least), and for which an answer that has run out stands in for one (RFC 8767, section 5).
const FAILED: Duration = Duration::from_secs(1);
const STANDS_IN: Duration = Duration::from_secs(30);

/// Addresses, or why there are none.
pub(super) type Found = Result<Arc<[IpAddr]>, Failure>;

/// What the servers said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) found: Found,
    /// For how long, as they have it.
    pub(super) ttl: Duration,
}

/// For how long answers are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Least time, whatever the servers say.
    pub(crate) min: Duration,
    /// Longest time, whatever they say.
    pub(crate) max: Duration,
    /// Longest time after that for which an answer stands in for servers that fail.
    pub(crate) stale: Duration,
}

/// The answers.
#[derive(Debug)]
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    bounds: Bounds,
}

type Shard = HashMap<Box<str>, Entry>;

/// What is known of one name.
#[derive(Debug)]
struct Entry {
    known: Option<Known>,
    /// The lookup that is under way, if one is.
    flight: Option<watch::Receiver<Option<Found>>>,
    used: Instant,
}

#[derive(Debug, Clone)]
struct Known {
    found: Found,
    fresh_until: Instant,
    /// How long it may stand in for servers that fail.
    stale_until: Instant,
}

/// What to do about a name.
enum Turn<'a> {
    /// Nothing: it is known.
    Known(Found),
    /// Somebody asks already.
    Follow(watch::Receiver<Option<Found>>),
    /// Ask.
    Lead(Flight<'a>),
}

/// A lookup under way. Dropped without an answer, it leaves its place to the next.
struct Flight<'a> {
    cache: &'a Cache,
    name: &'a str,
    sender: watch::Sender<Option<Found>>,
}

impl Cache {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), bounds }
    }

    /// The addresses of `name`, for which `ask` is run if nobody knows them and nobody asks.
    pub(super) async fn get(&self, name: &str, ask: impl Future<Output = Said>) -> Found {
        loop {
            match self.turn(name) {
                Turn::Known(found) => return found,
                Turn::Follow(mut answer) => {
                    if let Ok(told) = answer.wait_for(Option::is_some).await
                        && let Some(found) = &*told
                    {
                        return found.clone();
                    }
                }
                Turn::Lead(flight) => return flight.land(ask.await),
            }
        }
    }

    fn turn<'a>(&'a self, name: &'a str) -> Turn<'a> {
        let now = Instant::now();
        let mut shard = self.shard(name);
        if !shard.contains_key(name) {
            make_room(&mut shard);
            let unknown = Entry { known: None, flight: None, used: now };
            shard.insert(name.into(), unknown);
        }
        let entry = shard.get_mut(name).expect("inserted if it was absent");
        entry.used = now;
        match (&entry.known, &entry.flight) {
            (Some(known), _) if now < known.fresh_until => Turn::Known(known.found.clone()),
            (_, Some(flight)) => Turn::Follow(flight.clone()),
            _ => {
                let (sender, answer) = watch::channel(None);
                entry.flight = Some(answer);
                Turn::Lead(Flight { cache: self, name, sender })
            }
        }
    }

    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(name) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight<'_> {
    /// Keeps the answer and tells all who wait for it.
    fn land(self, said: Said) -> Found {
        let known = {
            let mut shard = self.cache.shard(self.name);
            let entry = shard.get_mut(self.name);
            let old = entry.as_ref().and_then(|entry| entry.known.clone());
            let known = judge(said, old, &self.cache.bounds, Instant::now());
            if let Some(entry) = entry {
                entry.known = Some(known.clone());
            }
            known
        };
        self.sender.send_replace(Some(known.found.clone()));
        known.found
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut shard = self.cache.shard(self.name);
        let Some(entry) = shard.get_mut(self.name) else { return };
        entry.flight = None;
        if entry.known.is_none() {
            shard.remove(self.name);
        }
    }
}

/// For how long what was said is believed, and whether what was known before stands in for it.
fn judge(said: Said, old: Option<Known>, bounds: &Bounds, now: Instant) -> Known {
    match &said.found {
        Ok(_) => {
            let fresh_until = now + said.ttl.clamp(bounds.min, bounds.max);
            Known { found: said.found, fresh_until, stale_until: fresh_until + bounds.stale }
        }
        Err(failure) if failure.kind == FailureKind::Unresolvable => {
            let fresh_until = now + said.ttl.clamp(FAILED, LONGEST_NEGATIVE);
            Known { found: said.found, fresh_until, stale_until: fresh_until }
        }
        Err(_) => match old {
            Some(old) if old.found.is_ok() && now < old.stale_until => {
                Known { fresh_until: (now + STANDS_IN).min(old.stale_until), ..old }
            }
            _ => {
                let fresh_until = now + FAILED;
                Known { found: said.found, fresh_until, stale_until: fresh_until }
            }
        },
    }
}

/// Forgets the name that was not asked for longest if a shard is full. A scan, but one that only
/// a question to the network is paid with.
fn make_room(shard: &mut Shard) {
    if shard.len() < SHARD_SIZE {
        return;
    }
    // One that is being looked up goes only if all are.
    let rank = |entry: &Entry| (entry.flight.is_some(), entry.used);
    let oldest = shard.iter().min_by_key(|(_, entry)| rank(entry)).map(|(name, _)| name.clone());
    if let Some(name) = oldest {
        shard.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const BOUNDS: Bounds = Bounds {
        min: Duration::from_secs(10),
        max: Duration::from_secs(3600),
        stale: Duration::from_secs(600),
    };

    fn at(n: u8) -> Found {
        Ok([IpAddr::from([192, 0, 2, n])].into())
    }

    fn failed(kind: FailureKind) -> Found {
        Err(Failure::new(kind, "no"))
    }

    fn said(found: Found, ttl: u64) -> Said {
        Said { found, ttl: Duration::from_secs(ttl) }
    }

    /// Asks again after some seconds; true if the cache asked the servers.
    async fn asks(cache: &Cache, after: u64, reply: Said, expected: Found) -> bool {
        tokio::time::advance(Duration::from_secs(after)).await;
        let mut was_asked = false;
        let found = cache.get("a.test", async { (was_asked = true, reply).1 }).await;
        assert_eq!(found, expected);
        was_asked
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_for_its_time_within_bounds() {
        for (ttl, holds) in [(0, 10), (60, 60), (1_000_000, 3600)] {
            let cache = Cache::new(BOUNDS);
            assert!(asks(&cache, 0, said(at(1), ttl), at(1)).await);
            assert!(!asks(&cache, holds - 1, said(at(2), ttl), at(1)).await);
            assert!(asks(&cache, 1, said(at(2), ttl), at(2)).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn that_there_is_none_holds_for_half_a_minute_and_a_failure_for_a_second() {
        for (kind, ttl, holds) in [
            (FailureKind::Unresolvable, 0, 1),
            (FailureKind::Unresolvable, 7, 7),
            (FailureKind::Unresolvable, 86_400, 30),
            (FailureKind::Dns, 86_400, 1),
            (FailureKind::DnsTimeout, 86_400, 1),
        ] {
            let cache = Cache::new(BOUNDS);
            assert!(asks(&cache, 0, said(failed(kind), ttl), failed(kind)).await);
            if holds > 1 {
                assert!(!asks(&cache, holds - 1, said(at(1), 9), failed(kind)).await);
            }
            assert!(asks(&cache, 1, said(at(1), 9), at(1)).await, "{kind:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_answer_stands_in_for_servers_that_fail_until_its_time_is_over() {
        let cache = Cache::new(BOUNDS);
        let fails = || said(failed(FailureKind::DnsTimeout), 0);
        assert!(asks(&cache, 0, said(at(1), 60), at(1)).await);
        assert!(asks(&cache, 61, fails(), at(1)).await);
        assert!(!asks(&cache, 29, fails(), at(1)).await);
        assert!(asks(&cache, 1, fails(), at(1)).await);
        // 60 s it held, 600 s it stood in.
        assert!(asks(&cache, 600, fails(), failed(FailureKind::DnsTimeout)).await);
        assert!(asks(&cache, 2, said(at(2), 60), at(2)).await);
        // That a name is gone is an answer, and nothing stands in for it.
        let gone = failed(FailureKind::Unresolvable);
        assert!(asks(&cache, 61, said(gone.clone(), 9), gone).await);
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_who_ask_one_does_and_all_get_its_answer() {
        let cache = Arc::new(Cache::new(Bounds { min: Duration::ZERO, ..BOUNDS }));
        let n_asked = Arc::new(AtomicU32::new(0));
        let ask = |cache: Arc<Cache>, n_asked: Arc<AtomicU32>| async move {
            let asking = async {
                n_asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                said(at(7), 0)
            };
            cache.get("a.test", asking).await
        };
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..100 {
            all.spawn(ask(cache.clone(), n_asked.clone()));
        }
        while let Some(found) = all.join_next().await {
            assert_eq!(found.unwrap(), at(7));
        }
        assert_eq!(n_asked.load(Ordering::Relaxed), 1);
        assert_eq!(ask(cache.clone(), n_asked.clone()).await, at(7));
        assert_eq!(n_asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_and_gives_up_leaves_its_place_to_another() {
        let cache = Arc::new(Cache::new(BOUNDS));
        let first = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get("a.test", std::future::pending()).await }
        });
        tokio::task::yield_now().await;
        let second = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get("a.test", async { said(at(1), 60) }).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        first.abort();
        assert_eq!(second.await.unwrap(), at(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_cache_forgets_what_was_not_asked_for_longest() {
        let cache = Cache::new(BOUNDS);
        for n in 0..SHARDS * SHARD_SIZE * 5 / 4 {
            tokio::time::advance(Duration::from_millis(1)).await;
            let name = format!("h{n}.test");
            assert_eq!(cache.get(&name, async { said(at(1), 3600) }).await, at(1));
            let kept = cache.get("h0.test", async { said(at(2), 3600) }).await;
            assert_eq!(kept, at(1), "what is asked for again and again stays");
        }
        let n_names: usize = cache.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(n_names <= SHARDS * SHARD_SIZE, "{n_names}");
    }
}
