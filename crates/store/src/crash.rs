//! Where a test can have the process die.
//!
//! A kill comes between any two steps, and those that do harm are microseconds wide. So the steps
//! that bring something to the disk have names, and with the feature `crash-points` the process
//! aborts when it passes one of them: `CRAWL_CRASH=log-appended:3` at the third passing. An
//! optimised build without the feature has nothing of this.

/// The variable that says where: a name of [`POINTS`], a colon, and how many passings it takes.
pub const VARIABLE: &str = "CRAWL_CRASH";

/// Every point, in the order they are passed: at open, in a commit, in a checkpoint.
pub const POINTS: &[&str] = &[
    // The start of a run, in `Folder::wipe` and `recovery`.
    "wipe-begun",
    "wipe-manifest-removed",
    "wipe-database-moved",
    "wipe-log-removed",
    "wipe-almost-done",
    "recovery-begun",
    "log-checked",
    "log-cut",
    "log-surplus-removed",
    "log-recovered",
    "journal-written",
    "journal-renamed",
    "recovery-bodies-cut",
    // A commit, in `commit`, `log` and `database`.
    "commit-begun",
    "bodies-begun",
    "bodies-full",
    "bodies-closed",
    "bodies-synced",
    "segment-begun",
    "segment-made",
    "segment-written",
    "segment-synced",
    "segment-named",
    "log-before-append",
    "log-half-appended",
    "log-appended",
    "log-synced",
    "database-before-batch",
    "database-batch-applied",
    "database-flushed",
    "manifest-before-write",
    "manifest-written",
    "commit-done",
    // A file that an item asks for, in `media`; the next open, and `gc`.
    "media-begun",
    "media-written",
    "media-synced",
    "media-marked",
    "media-placed",
    "media-settled",
    "media-unplaced",
    "media-forgotten",
    // Upkeep of the archive, in `archive::compact`.
    "gc-dropped",
    "compact-copied",
    "compact-batch",
    "compact-pointed",
    "compact-removed",
    // The database written anew, in `shrink`, `database::copy` and `folder`.
    "shrink-batch",
    "shrink-copied",
    "shrink-synced",
    "shrink-moved",
    "shrink-swapped",
    "shrink-done",
    // A body file that is written anew without what is damaged, in `archive::mend`.
    "mend-unpointed",
    "mend-copied",
    "mend-batch",
    "mend-pointed",
    "mend-removed",
    // A checkpoint of the frontier, in its `backend` and `keeper`, and in `tables`.
    "spill-begun",
    "spill-written",
    "queue-synced",
    "run-begun",
    "run-written",
    "run-synced",
    "run-installed",
    "snapshot-begun",
    "snapshot-written",
    "snapshot-renamed",
    "checkpoint-done",
    "checkpoint-swept",
    "runs-merged",
];

/// Whether points are compiled in.
pub const IS_ON: bool = cfg!(any(feature = "crash-points", debug_assertions));

/// Aborts the process if this is where it is to die.
#[cfg(not(any(feature = "crash-points", debug_assertions)))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Aborts the process if this is where it is to die.
///
/// # Panics
/// If `name` is not one of [`POINTS`].
#[cfg(any(feature = "crash-points", debug_assertions))]
pub fn point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PLAN: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    assert!(POINTS.contains(&name), "{name} is missing in `crash::POINTS`");
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let (name, passings) = text.split_once(':')?;
        Some((name.to_owned(), passings.parse().ok()?))
    });
    let Some((planned, passings)) = plan else { return };
    if planned == name && PASSED.fetch_add(1, Ordering::AcqRel) + 1 == *passings {
        std::process::abort();
    }
}

/// A limit that tests may lower, so that what happens beyond it happens soon: with the feature
/// `crash-points`, the variable `CRAWL_LIMIT_` and `name` overrides it.
#[cfg(not(any(feature = "crash-points", debug_assertions)))]
#[inline(always)]
#[must_use]
pub fn limit(_name: &str, limit: u64) -> u64 {
    limit
}

/// A limit that tests may lower, so that what happens beyond it happens soon: with the feature
/// `crash-points`, the variable `CRAWL_LIMIT_` and `name` overrides it.
#[cfg(any(feature = "crash-points", debug_assertions))]
#[must_use]
pub fn limit(name: &str, limit: u64) -> u64 {
    let text = std::env::var(format!("CRAWL_LIMIT_{name}")).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(limit)
}
