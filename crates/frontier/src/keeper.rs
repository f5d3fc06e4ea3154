//! Brings checkpoints to the disk, and merges the seen set's runs, beside the frontier.
//!
//! The frontier's task must not wait for a disk. It hands over what has to be written, whole and
//! immutable, and goes on; two threads do the rest. One writes checkpoints: first the files that
//! it names are flushed, then the checkpoint takes the place of the one before in one step, then
//! the files that only that one named are removed. The other merges runs.
//!
//! Invariant: whatever the last checkpoint on the disk names is on the disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::{fs, io};

use crawl_store::tables::{QueueSegment, Tables};
use crawl_store::{StoreError, crash};

use crate::checkpoint::seal;
use crate::seen::{Frozen, Seen};

/// What a checkpoint is made of.
#[derive(Debug)]
pub(crate) struct Job {
    /// Queue segment that was written for it.
    pub(crate) segment: Option<Arc<QueueSegment>>,
    /// Fingerprints that were learnt since the last one.
    pub(crate) frozen: Option<Frozen>,
    /// All else, but for the names of the runs.
    pub(crate) state: Vec<u8>,
    /// Files that it does not name any more.
    pub(crate) used_up: Vec<PathBuf>,
}

/// The two threads. Ends them, and waits for what they have in hand, when it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    jobs: Option<Sender<Job>>,
    merges: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    tables: Tables,
    seen: Arc<Seen>,
    desk: Mutex<Desk>,
    done: Condvar,
    /// Whether the crawl is over: what is being merged can be let go.
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct Desk {
    /// Checkpoints handed over and not on the disk yet.
    open: usize,
    /// Runs that were merged into others; the last checkpoint may name them.
    merged: Vec<PathBuf>,
    fault: Option<StoreError>,
}

impl Keeper {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`StoreError::File`] if the machine has none left.
    pub(crate) fn start(tables: Tables, seen: Arc<Seen>) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            tables,
            seen,
            desk: Mutex::default(),
            done: Condvar::new(),
            is_over: AtomicBool::new(false),
        });
        let (jobs, jobs_in) = channel();
        let (merges, merges_in) = channel();
        let mut keeper =
            Self { shared, jobs: Some(jobs), merges: Some(merges.clone()), threads: Vec::new() };
        keeper.spawn("checkpoint", move |shared| keep(shared, &jobs_in, &merges))?;
        keeper.spawn("merge", move |shared| merge(shared, &merges_in))?;
        Ok(keeper)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Shared) + Send + 'static,
    ) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let thread = Builder::new().name(format!("crawl-{name}")).spawn(move || work(&shared));
        let source = |source: io::Error| StoreError::File {
            doing: "start a thread for",
            path: "frontier".into(),
            source,
        };
        self.threads.push(thread.map_err(source)?);
        Ok(())
    }

    /// Takes a checkpoint over.
    pub(crate) fn take(&self, job: Job) {
        self.shared.desk().open += 1;
        if let Some(jobs) = &self.jobs {
            // The thread lives as long as the sender.
            let _ = jobs.send(job);
        }
    }

    /// Whether a checkpoint is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.desk().open > 0
    }

    /// Waits until none is.
    pub(crate) fn wait(&self) {
        let mut desk = self.shared.desk();
        while desk.open > 0 {
            desk = self.shared.done.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What went wrong; from then on nothing is written any more.
    pub(crate) fn fault(&self) -> Option<StoreError> {
        self.shared.desk().fault.take()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.seen.stop_merging();
        (self.jobs, self.merges) = (None, None);
        for thread in self.threads.drain(..) {
            // One that panicked has nothing more to tell.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a checkpoint.
    fn write(&self, job: Job) -> Result<(), StoreError> {
        let Job { segment, frozen, mut state, mut used_up } = job;
        if let Some(segment) = segment {
            segment.sync()?;
            crash::point("queue-synced");
        }
        if let Some(frozen) = frozen {
            self.seen.install(frozen.write(&self.tables.seen()?)?);
            crash::point("run-installed");
        }
        // Taken before the names: what is merged from here on is named once more.
        used_up.append(&mut self.desk().merged);
        seal(&mut state, &self.seen.run_names());
        if self.seen.is_faulty() {
            return Ok(()); // what it would tell may be wrong; the frontier hears of it
        }
        self.tables.put_snapshot(&state)?;
        crash::point("checkpoint-done");
        for path in used_up {
            // What stays is removed at the next open.
            let _ = fs::remove_file(path);
        }
        crash::point("checkpoint-swept");
        Ok(())
    }
}

/// Writes checkpoints until nobody brings any more.
fn keep(shared: &Shared, jobs: &Receiver<Job>, merges: &Sender<()>) {
    while let Ok(job) = jobs.recv() {
        let is_broken = shared.desk().fault.is_some();
        let written = if is_broken { Ok(()) } else { shared.write(job) };
        let mut desk = shared.desk();
        desk.open -= 1;
        if let Err(error) = written {
            desk.fault.get_or_insert(error);
        }
        shared.done.notify_all();
        // Nobody merges any more: the crawl is over.
        let _ = merges.send(());
    }
}

/// Merges runs after each checkpoint.
fn merge(shared: &Shared, wanted: &Receiver<()>) {
    while wanted.recv().is_ok() {
        while !shared.is_over.load(Ordering::Acquire) {
            match shared.seen.merge_once() {
                Ok(Some(old)) => {
                    crash::point("runs-merged");
                    shared.desk().merged.extend(old);
                }
                Ok(None) => break,
                Err(error) => {
                    shared.desk().fault.get_or_insert(error);
                    break;
                }
            }
        }
    }
}
