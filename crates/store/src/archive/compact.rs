//! Makes the archive smaller: records that no page points to go, whole files where nothing is left.
//!
//! What is left of a file is copied to a new one, then the pages are pointed there in batches, then
//! the old file goes. So at any kill each pointer leads to its record, in the one file or in the
//! other; a second run goes on with what is left. What belongs to a page's record (its request, its
//! metadata, its conversions) lies behind it and stays with it.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::files::{close_all, cut_back, number_of};
use super::live::{AllLive, Live, place};
use super::mover::{Mover, batch_size, put};
use crate::seal::Batch;
use crate::shrink::shrink;
use crate::store::{Shared, millis, now_ms};
use crate::warc::Warc;
use crate::{Store, StoreError, crash};

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Pages whose bodies were too old; they have none any more.
    pub dropped: u64,
    /// Bytes of the archive before.
    pub bytes_before: u64,
    /// Bytes of the archive now.
    pub bytes: u64,
    /// Files of it that were written anew or removed.
    pub files: u64,
    /// Bytes of the database before; 0 if it was not looked at.
    pub database_bytes_before: u64,
    /// Bytes of the database now; the same if it would not have got smaller.
    pub database_bytes: u64,
    /// What was left as it is, and why; for people.
    pub notes: Vec<String>,
}

/// Removes the bodies of the pages in `folder` that were last visited longer than `keep` ago, and
/// [compacts](compact) the archive. A body that a page within that time refers to stays.
///
/// # Errors
/// [`StoreError::InUse`] if the crawl runs, and others as they come. What was done until then is
/// done, and the same call goes on.
pub fn gc(folder: &Path, keep: Duration) -> Result<Compacted, StoreError> {
    let inspection = Store::inspect(folder)?;
    let shared = inspection.shared();
    let limit_ms = now_ms().saturating_sub(millis(keep));
    let mut dropped = 0;
    let mut batch = Batch::default();
    let mut n = 0;
    for page in shared.db.pages() {
        let (print, mut record) = page?;
        if record.body.is_none() || record.fetched_ms.max(record.checked_ms) >= limit_ms {
            continue;
        }
        record.body = None;
        put(&mut batch, print, &record);
        (dropped, n) = (dropped + 1, n + 1);
        if n == batch_size() {
            shared.db.commit(std::mem::take(&mut batch))?;
            crash::point("gc-dropped");
            n = 0;
        }
    }
    shared.db.commit(batch)?;
    crash::point("gc-dropped");
    Ok(Compacted { dropped, ..compact_open(shared)? })
}

/// Writes the files of the archive in `folder` anew that have records no page points to: earlier
/// copies of pages, and visits that found nothing new. Then the database, if that makes it smaller;
/// until the new one is whole, there are two.
///
/// # Errors
/// [`StoreError::InUse`] if the crawl runs, and others as they come. What was done until then is
/// done, and the same call goes on.
pub fn compact(folder: &Path) -> Result<Compacted, StoreError> {
    let done = compact_open(Store::inspect(folder)?.shared())?;
    let (database_bytes_before, database_bytes) = shrink(folder)?;
    Ok(Compacted { database_bytes_before, database_bytes, ..done })
}

fn compact_open(shared: &Shared) -> Result<Compacted, StoreError> {
    let dir = shared.folder.bodies();
    let committed = shared.db.segments()?;
    let mut done =
        Compacted { bytes_before: crate::folder::disk_bytes(&dir), ..Compacted::default() };
    done.notes.extend(cut_back(&dir, &committed)?);
    let mut names: Vec<String> = committed.into_keys().collect();
    names.sort_by(|a, b| place(a).cmp(&place(b)));
    close_all(&dir, &names)?;
    // What is known of bodies would lead to where they were.
    let mut batch = Batch::default();
    shared.known.forget(&mut batch);
    shared.db.commit(batch)?;
    let newest = names.last().and_then(|name| number_of(name)).unwrap_or(0);
    let mut mover = Mover::new(&shared.db, &shared.ids, &dir, newest);
    let mut all = AllLive::of(shared.folder.root(), shared.db.pages())?;
    for name in &names {
        let live = all.of_file(name)?;
        match Plan::of(&dir.join(name), &live) {
            Ok(Plan { dead: 0, .. }) => {}
            Ok(plan) => {
                move_file(&mut mover, name, &live, &plan.kept)?;
                done.files += 1;
            }
            Err(why) => done.notes.push(format!("bodies/{name} is left as it is: {why}")),
        }
    }
    mover.end()?;
    done.bytes = crate::folder::disk_bytes(&dir);
    Ok(done)
}

/// What is to stay of a file.
struct Plan {
    /// Bytes of records that pages point to, in order; neighbours are one.
    kept: Vec<Range<u64>>,
    /// Bytes that are not to stay, the file's own first record aside.
    dead: u64,
}

impl Plan {
    fn of(path: &Path, live: &[Live]) -> Result<Self, String> {
        let mut warc = Warc::open(path).map_err(|e| e.to_string())?;
        let mut plan = Self { kept: Vec::new(), dead: 0 };
        let (mut n_found, mut is_kept) = (0, false);
        let mut offsets: Vec<u64> = live.iter().map(|live| live.offset).collect();
        offsets.dedup();
        while let Some(head) = warc.next() {
            let head = head.map_err(|bad| bad.to_string())?;
            let end = warc.finish().map_err(|bad| bad.to_string())?;
            let end = end.ok_or("records share a member")?;
            match &*head.kind() {
                "warcinfo" => continue,
                // What follows a page's record belongs to it.
                "request" | "metadata" | "conversion" => {}
                _ => is_kept = offsets.binary_search(&head.offset).is_ok(),
            }
            n_found += usize::from(offsets.binary_search(&head.offset).is_ok());
            match plan.kept.last_mut() {
                _ if !is_kept => plan.dead += end - head.offset,
                Some(last) if last.end == head.offset => last.end = end,
                _ => plan.kept.push(head.offset..end),
            }
        }
        if n_found < offsets.len() {
            let n = offsets.len() - n_found;
            return Err(format!("{n} records that pages point to are not in it"));
        }
        // A file with nothing but its first record is of no use.
        plan.dead += u64::from(plan.kept.is_empty());
        Ok(plan)
    }
}

/// Moves what stays of a file to a new one.
fn move_file(
    mover: &mut Mover<'_>,
    name: &str,
    live: &[Live],
    kept: &[Range<u64>],
) -> Result<(), StoreError> {
    if !kept.is_empty() {
        let begin = mover.copy(name, kept, &[])?;
        crash::point("compact-copied");
        mover.point(live, kept, begin, "compact-batch")?;
    }
    mover.disown(name)?;
    crash::point("compact-pointed");
    mover.remove(name)?;
    crash::point("compact-removed");
    Ok(())
}
