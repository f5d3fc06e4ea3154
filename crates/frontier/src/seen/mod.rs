//! Which fingerprints are known: exact, and read by all threads.
//!
//! The frontier alone writes, and only what is durable: a link that is dropped as known because
//! of a page that is not settled yet would be lost with that page.
//!
//! A log-structured merge tree (O'Neil and others, 1996). What was learnt lately is *young*: in
//! tables in memory, in shards so that the readers do not meet the writer at one lock. When they
//! have grown enough, they are *frozen*: not changed any more, and written as a sorted *run* to
//! the disk, which takes their place. Runs are merged now and then, so that they stay few. A
//! newer one overrules an older. Of a URL in a run, memory holds ten bits in a filter and two
//! in the fences.
//!
//! Invariant: under its lock a shard is complete, and its list of runs never newer than that of
//! the whole. So whoever looks into a shard and then, without the lock, into the runs of either
//! list, misses nothing.
//!
//! Not here: the queue; when to freeze, and which runs a checkpoint may name (the caller's).

mod standing;

mod cache;
mod filter;
mod run;
mod table;

mod era;
mod frozen;
mod merge;
mod twins;

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crawl_model::{FilterReason, Fingerprint};
use crawl_store::{StoreError, tables};

pub(crate) use frozen::Frozen;
pub(crate) use standing::{Learnt, Standing};

use cache::Cache;
use run::Run;
use standing::Place;
use table::Table;

const SHARD_BITS: u32 = 6;

/// The set.
#[derive(Debug)]
pub(crate) struct Seen {
    /// By the high bits of the fingerprint: one after the other they are in the order of a run.
    shards: Vec<RwLock<Shard>>,
    n_young: AtomicUsize,
    /// Whether there is a frozen generation.
    is_frozen: AtomicBool,
    /// Locked before any shard, and as long as theirs are not all the same.
    runs: RwLock<Runs>,
    cache: Cache,
    /// Counts what was known and may be wanted again: see [`era`](era).
    era: AtomicU64,
    /// Where the runs are; `None`: there are none, and never will be.
    folder: Option<PathBuf>,
    /// Number of the next run's file.
    next_run: Arc<AtomicU64>,
    /// Held by whoever merges.
    merging: Mutex<()>,
    /// Whether merging is to stop.
    is_over: AtomicBool,
    fault: Fault,
}

/// Oldest first.
type Runs = Arc<Vec<Arc<Run>>>;

/// A part of the set, complete at every moment.
#[derive(Debug, Default)]
struct Shard {
    young: Table,
    frozen: Option<Arc<Table>>,
    /// A list of its own: readers that count one up and down would wait for each other.
    runs: Runs,
    /// Of the list.
    generation: u64,
}

impl Shard {
    fn get(&self, print: u64) -> Option<u32> {
        self.young.get(print).or_else(|| self.frozen.as_ref()?.get(print))
    }
}

/// The first thing that went wrong with the runs.
#[derive(Debug, Default)]
struct Fault {
    is_there: AtomicBool,
    error: Mutex<Option<StoreError>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self::in_memory()
    }
}

impl Seen {
    /// An empty set that stays in memory.
    pub(crate) fn in_memory() -> Self {
        Self {
            shards: (0..1 << SHARD_BITS).map(|_| RwLock::default()).collect(),
            n_young: AtomicUsize::new(0),
            is_frozen: AtomicBool::new(false),
            runs: RwLock::default(),
            cache: Cache::default(),
            era: AtomicU64::new(0),
            folder: None,
            next_run: Arc::default(),
            merging: Mutex::default(),
            is_over: AtomicBool::new(false),
            fault: Fault::default(),
        }
    }

    /// The set that a checkpoint names: the runs `names` in `folder`, newest last. Other runs
    /// in the folder are what a kill left behind, and are removed.
    ///
    /// Reads all runs from end to end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a run is not what was written, [`StoreError::File`].
    pub(crate) fn open(folder: &Path, names: &[String]) -> Result<Self, StoreError> {
        let next_run = tables::sweep_runs(folder, names)?;
        let runs: Result<Vec<_>, _> =
            names.iter().map(|name| Run::open(&folder.join(name)).map(Arc::new)).collect();
        let runs = runs?;
        let seen = Self {
            folder: Some(folder.to_owned()),
            next_run: Arc::new(AtomicU64::new(next_run)),
            ..Self::in_memory()
        };
        seen.change_runs(|list| list.extend_from_slice(&runs));
        Ok(seen)
    }

    /// Where `print` stands; `None` if it was never heard of.
    ///
    /// `None`, too, if a run cannot be read: a link that is taken for new is recorded twice, one
    /// that is taken for known would be lost. See [`fault`](Self::fault).
    pub(crate) fn get(&self, print: Fingerprint) -> Option<Standing> {
        self.place(print).map(|place| place.standing)
    }

    /// Whether the queue holds an entry of `print` from before it ended: see [`Place`].
    pub(crate) fn has_entry(&self, print: Fingerprint) -> bool {
        self.place(print).is_some_and(|place| place.has_entry)
    }

    fn place(&self, print: Fingerprint) -> Option<Place> {
        self.find(print.0).unwrap_or_else(|error| {
            self.fault.note(error);
            None
        })
    }

    /// Where each of `prints` stands, in their order: `out` holds nothing else afterwards.
    /// Cheaper than one by one. `None` means what it means for [`get`](Self::get).
    pub(crate) fn get_many(&self, prints: &[Fingerprint], out: &mut Vec<Option<Standing>>) {
        out.clear();
        out.resize(prints.len(), None);
        if let Err(error) = self.find_many(prints, out) {
            self.fault.note(error);
        }
    }

    /// Learns that a URL was found and admitted, or `filtered`, at `depth`; `renews`: asked for
    /// again, if it has ended. Only the frontier may.
    ///
    /// If a run cannot be read, nothing is learnt: the URL is in the settle log, and is learnt
    /// from there by the next run. See [`fault`](Self::fault).
    pub(crate) fn learn(
        &self,
        print: Fingerprint,
        filtered: Option<FilterReason>,
        depth: u32,
        renews: bool,
    ) -> Learnt {
        let new = filtered.map_or(Standing::Queued, |reason| Standing::Filtered(reason, depth));
        let old = match self.find(print.0) {
            Ok(old) => old,
            Err(error) => {
                self.fault.note(error);
                return Learnt::Nothing;
            }
        };
        let learnt = Learnt::from(old.map(|old| old.standing), new, renews);
        if learnt != Learnt::Nothing {
            let has_entry = old.is_some_and(|old| old.has_entry);
            self.put(print, Place { standing: new, has_entry });
        }
        learnt
    }

    /// Sets where `print` stands, whatever was known: the queue holds no entry of it that does not
    /// count. Only the frontier may.
    pub(crate) fn set(&self, print: Fingerprint, standing: Standing) {
        self.put_over(print, Place { standing, has_entry: false });
    }

    /// As [`set`](Self::set), of a URL whose entry stays in the queue.
    pub(crate) fn set_leaving_entry(&self, print: Fingerprint, standing: Standing) {
        self.put_over(print, Place { standing, has_entry: true });
    }

    /// Sets where `print` stands; whether the queue holds an entry of it stays as it is.
    pub(crate) fn restate(&self, print: Fingerprint, standing: Standing) {
        let has_entry = self.has_entry(print);
        self.put_over(print, Place { standing, has_entry });
    }

    /// The entry that was left in the queue is gone.
    pub(crate) fn forget_entry(&self, print: Fingerprint) {
        if let Some(place) = self.place(print).filter(|place| place.has_entry) {
            self.set(print, place.standing);
        }
    }

    fn put(&self, print: Fingerprint, place: Place) {
        let is_new = write(self.shard(print.0)).young.set(print.0, place.code());
        self.n_young.fetch_add(usize::from(is_new), Ordering::Relaxed);
    }

    /// Number of fingerprints that are not frozen and in no run yet.
    pub(crate) fn n_young(&self) -> usize {
        self.n_young.load(Ordering::Relaxed)
    }

    /// Bytes of memory it takes.
    #[cfg(test)]
    pub(crate) fn ram_bytes(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let shard = read(shard);
            shard.young.ram_bytes() + shard.frozen.as_ref().map_or(0, |table| table.ram_bytes())
        });
        let runs = self.runs();
        let runs = runs.iter().map(|run| run.ram_bytes());
        shards.chain(runs).sum::<usize>() + self.cache.ram_bytes()
    }

    /// Names of the files of its runs, newest last: what a checkpoint has to name. All are on
    /// the disk.
    pub(crate) fn run_names(&self) -> Vec<String> {
        self.runs().iter().map(|run| run.name()).collect()
    }

    /// Whether a run could not be read or did not hold what was written. From then on answers
    /// may be missing: the crawl has to end, and no checkpoint may be written any more.
    pub(crate) fn is_faulty(&self) -> bool {
        self.fault.is_there.load(Ordering::Acquire)
    }

    /// The first error that a run brought, if there was one; it is told once.
    pub(crate) fn fault(&self) -> Option<StoreError> {
        if !self.is_faulty() {
            return None;
        }
        self.fault.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn find(&self, print: u64) -> Result<Option<Place>, StoreError> {
        let (generation, runs) = {
            let shard = read(self.shard(print));
            let in_memory = shard.get(print);
            if let Some(code) = in_memory.or_else(|| self.cache.get(print, shard.generation)) {
                return Ok(Place::of(code));
            }
            (shard.generation, shard.runs.clone())
        };
        for run in runs.iter().rev() {
            if let Some(code) = run.get(print)? {
                let place = run.place(code)?;
                self.cache.put(print, generation, code);
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn find_many(
        &self,
        prints: &[Fingerprint],
        out: &mut [Option<Standing>],
    ) -> Result<(), StoreError> {
        let mut left = Vec::new();
        for (print, n) in prints.iter().map(|print| print.0).zip(0..) {
            // A page has about as many links as there are shards: to go shard by shard saves less
            // than it takes to sort them.
            match read(self.shard(print)).get(print) {
                Some(code) => out[n] = standing(code),
                None => left.push((print, n)),
            }
        }
        // The list of all shards is never older than that of one. The generation goes first.
        let generation = self.cache.generation();
        left.retain(|&(print, n)| {
            out[n] = self.cache.get(print, generation).and_then(standing);
            out[n].is_none()
        });
        left.sort_unstable();
        for run in self.runs().iter().rev() {
            run.get_many(&mut left, |print, n, code| {
                out[n] = Some(run.place(code)?.standing);
                self.cache.put(print, generation, code);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn shard(&self, print: u64) -> &RwLock<Shard> {
        &self.shards[shard_of(print)]
    }

    fn runs(&self) -> Runs {
        read(&self.runs).clone()
    }

    /// Changes the list of runs without a change of any answer.
    fn change_runs(&self, change: impl Fn(&mut Vec<Arc<Run>>)) {
        let mut runs = write(&self.runs);
        change(Arc::make_mut(&mut runs));
        for shard in &self.shards {
            change(Arc::make_mut(&mut write(shard).runs));
        }
    }
}

impl Fault {
    fn note(&self, error: StoreError) {
        let mut place = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_there.swap(true, Ordering::AcqRel) {
            *place = Some(error);
        }
    }
}

fn standing(code: u32) -> Option<Standing> {
    Place::of(code).map(|place| place.standing)
}

fn shard_of(print: u64) -> usize {
    (print >> (u64::BITS - SHARD_BITS)) as usize
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
