//! Makes the archive smaller: records that no page points to go, whole files where nothing is left.
//!
//! What is left of a file is copied to a new one, then the pages are pointed there in batches, then
//! the old file goes. So at any kill each pointer leads to its record, in the one file or in the
//! other; a second run goes on with what is left. What belongs to a page's record (its request, its
//! metadata, its conversions) lies behind it and stays with it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crawl_model::{BodyPointer, Fingerprint, PageRecord};
use serde::Serialize;

use super::files::{compression_of, cut_back, name_of, number_of, open_name};
use super::live::{AllLive, Live, place};
use super::segment::{Segment, sync_dir};
use crate::database::encode_numbers;
use crate::seal::Batch;
use crate::store::{Shared, millis, now_ms, now_us};
use crate::warc::Warc;
use crate::{Store, StoreConfig, StoreError, crash, keys};

/// Pages in one batch.
const BATCH: u64 = 256;

fn batch_size() -> usize {
    usize::try_from(crash::limit("UPKEEP", BATCH)).unwrap_or(1).max(1)
}

/// Bytes that are copied at a time.
const COPY: usize = 1 << 20;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Pages whose bodies were too old; they have none any more.
    pub dropped: u64,
    /// Bytes of the archive before.
    pub bytes_before: u64,
    /// Bytes of the archive now.
    pub bytes: u64,
    /// Files that were written anew or removed.
    pub files: u64,
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
/// copies of pages, and visits that found nothing new.
///
/// # Errors
/// [`StoreError::InUse`] if the crawl runs, and others as they come. What was done until then is
/// done, and the same call goes on.
pub fn compact(folder: &Path) -> Result<Compacted, StoreError> {
    compact_open(Store::inspect(folder)?.shared())
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
    let mut mover = Mover { shared, dir: dir.clone(), newest, out: None };
    let mut all = AllLive::of(shared)?;
    for name in &names {
        let live = all.of_file(name)?;
        match Plan::of(&dir.join(name), &live) {
            Ok(Plan { dead: 0, .. }) => {}
            Ok(plan) => {
                mover.move_file(name, &live, &plan.kept)?;
                done.files += 1;
            }
            Err(why) => done.notes.push(format!("bodies/{name} is left as it is: {why}")),
        }
    }
    mover.end()?;
    done.bytes = crate::folder::disk_bytes(&dir);
    Ok(done)
}

/// Gives files that a kill left open their final names.
fn close_all(dir: &Path, names: &[String]) -> Result<(), StoreError> {
    for name in names {
        let open = dir.join(open_name(name));
        if open.exists() {
            fs::rename(&open, dir.join(name)).map_err(StoreError::file("rename", &open))?;
        }
    }
    Ok(())
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

/// Moves what stays to new files.
struct Mover<'a> {
    shared: &'a Shared,
    dir: PathBuf,
    newest: u32,
    out: Option<Segment>,
}

impl Mover<'_> {
    fn move_file(
        &mut self,
        name: &str,
        live: &[Live],
        kept: &[Range<u64>],
    ) -> Result<(), StoreError> {
        let old = self.dir.join(name);
        if !kept.is_empty() {
            let begin = self.copy(name, &old, kept)?;
            crash::point("compact-copied");
            self.point(live, kept, begin)?;
        }
        let mut batch = Batch::default();
        batch.remove(keys::meta(&format!("warc/{name}")));
        self.shared.db.commit(batch)?;
        crash::point("compact-pointed");
        fs::remove_file(&old).map_err(StoreError::file("remove", &old))?;
        crash::point("compact-removed");
        sync_dir(&self.dir)
    }

    /// Copies the ranges; returns where they begin in the new file.
    fn copy(&mut self, name: &str, old: &Path, kept: &[Range<u64>]) -> Result<u64, StoreError> {
        let compression = compression_of(name).unwrap_or_default();
        let limit =
            crash::limit("BODIES", u64::from(StoreConfig::default().body_segment_mib) << 20);
        let is_done =
            |out: &mut Segment| out.len >= limit || compression_of(&out.name) != Some(compression);
        if let Some(full) = self.out.take_if(is_done) {
            full.close()?;
        }
        let out = match &mut self.out {
            Some(out) => out,
            none => {
                self.newest += 1;
                let (name, ids) = (name_of(self.newest, compression), &self.shared.ids);
                none.insert(Segment::begin(&self.dir, name, ids, compression, now_us())?)
            }
        };
        let begin = out.len;
        let file = File::open(old).map_err(StoreError::file("open", old))?;
        for range in kept {
            copy_range(&file, range, out).map_err(StoreError::file("read", old))??;
        }
        out.sync()?;
        Ok(begin)
    }

    /// Points the pages to where their records are now.
    fn point(&self, live: &[Live], kept: &[Range<u64>], begin: u64) -> Result<(), StoreError> {
        let Some(out) = &self.out else { return Ok(()) };
        let mut places = Places { kept, passed: begin };
        for chunk in live.chunks(batch_size()) {
            let mut batch = Batch::default();
            batch.insert(keys::meta(&format!("warc/{}", out.name)), encode_numbers([out.len]));
            let mut pages: HashMap<Fingerprint, PageRecord> = HashMap::new();
            for Live { offset, print, is_of, .. } in chunk {
                if !pages.contains_key(print)
                    && let Some(record) = self.shared.db.page(*print)?
                {
                    pages.insert(*print, record);
                }
                let body = pages.get_mut(print).and_then(|record| record.body.as_mut());
                let pointer = match (body, is_of) {
                    (Some(body), true) => body.of.as_deref_mut(),
                    (body, _) => body,
                };
                if let (Some(pointer), Some(to)) = (pointer, places.of(*offset)) {
                    let BodyPointer { file, offset, .. } = pointer;
                    (*file, *offset) = (out.name.clone(), to);
                }
            }
            pages.iter().for_each(|(print, record)| put(&mut batch, *print, record));
            self.shared.db.commit(batch)?;
            crash::point("compact-batch");
        }
        Ok(())
    }

    fn end(self) -> Result<(), StoreError> {
        self.out.map_or(Ok(()), Segment::close)
    }
}

/// Where bytes of the old file are in the new one; asked in order.
struct Places<'a> {
    kept: &'a [Range<u64>],
    /// Where the first range begins in the new file.
    passed: u64,
}

impl Places<'_> {
    fn of(&mut self, offset: u64) -> Option<u64> {
        while let [first, rest @ ..] = self.kept
            && first.end <= offset
        {
            self.passed += first.end - first.start;
            self.kept = rest;
        }
        let first = self.kept.first().filter(|first| first.start <= offset)?;
        Some(self.passed + offset - first.start)
    }
}

/// Copies bytes; what cannot be read is the outer error.
fn copy_range(
    file: &File,
    range: &Range<u64>,
    out: &mut Segment,
) -> io::Result<Result<(), StoreError>> {
    let mut buffer = vec![0; COPY];
    let mut at = range.start;
    while at < range.end {
        let most = usize::try_from(range.end - at).unwrap_or(COPY).min(COPY);
        file.read_exact_at(&mut buffer[..most], at)?;
        if let Err(error) = out.append(&buffer[..most]) {
            return Ok(Err(error));
        }
        at += most as u64;
    }
    Ok(Ok(()))
}

fn put(batch: &mut Batch, print: Fingerprint, record: &PageRecord) {
    let json = serde_json::to_vec(record).expect("strings and numbers serialise");
    batch.insert(&keys::print(keys::PAGE, print), json);
}
