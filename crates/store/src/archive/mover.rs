//! Moves what stays of a body file to a new one, and points the pages there.
//!
//! A record is copied first, then pages are pointed to its copy in batches, then the file that it was
//! in goes: so at any kill each pointer leads to a record, in the one file or in the other.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crawl_model::{BodyPointer, Fingerprint, PageRecord};

use super::files::{compression_of, name_of};
use super::live::Live;
use super::segment::{Segment, sync_dir};
use crate::database::{Database, encode_numbers};
use crate::seal::Batch;
use crate::store::now_us;
use crate::warc::Ids;
use crate::{StoreConfig, StoreError, crash, keys};

/// Pages in one batch.
const BATCH: u64 = 256;

/// Deflate, no flags, no time, no operating system: what our members begin with (RFC 1952).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Bytes that are copied at a time.
const COPY: usize = 1 << 20;

pub(super) fn batch_size() -> usize {
    usize::try_from(crash::limit("UPKEEP", BATCH)).unwrap_or(1).max(1)
}

/// Writes new files. What the last one holds is on the disk after [`copy`](Self::copy); it has its
/// final name after [`end`](Self::end).
pub(super) struct Mover<'a> {
    db: &'a Database,
    ids: &'a Ids,
    dir: PathBuf,
    newest: u32,
    out: Option<Segment>,
    /// Name and length of the file that was copied to last.
    last: (String, u64),
}

impl<'a> Mover<'a> {
    /// `newest`: no file has a greater number.
    pub(super) fn new(db: &'a Database, ids: &'a Ids, dir: &Path, newest: u32) -> Self {
        Self { db, ids, dir: dir.to_owned(), newest, out: None, last: (String::new(), 0) }
    }

    /// Copies ranges of a file; returns where they begin in the new file. Of the members that begin
    /// at `headers`, in order, the header of gzip is made anew.
    pub(super) fn copy(
        &mut self,
        name: &str,
        kept: &[Range<u64>],
        headers: &[u64],
    ) -> Result<u64, StoreError> {
        let old = self.dir.join(name);
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
                let name = name_of(self.newest, compression);
                none.insert(Segment::begin(&self.dir, name, self.ids, compression, now_us())?)
            }
        };
        let begin = out.len;
        let file = File::open(&old).map_err(StoreError::file("open", &old))?;
        for range in kept {
            copy_range(&file, range, out).map_err(StoreError::file("read", &old))??;
        }
        let mut places = Places::new(kept, begin);
        for at in headers.iter().filter_map(|header| places.of(*header)) {
            out.overwrite(&GZIP_HEADER, at)?;
        }
        out.sync()?;
        self.last = (out.name.clone(), out.len);
        Ok(begin)
    }

    /// The name of the file that was copied to last; empty if none was.
    pub(super) fn last_name(&self) -> &str {
        &self.last.0
    }

    /// Points the pages to where their records are now. Where nothing was kept of what a page points
    /// to, its body is lost.
    pub(super) fn point(
        &self,
        live: &[Live],
        kept: &[Range<u64>],
        begin: u64,
        point: &str,
    ) -> Result<(), StoreError> {
        let (name, len) = &self.last;
        let mut places = Places::new(kept, begin);
        let mut batch = Batch::default();
        if !kept.is_empty() {
            batch.insert(keys::meta(&format!("warc/{name}")), encode_numbers([*len]));
        }
        for chunk in live.chunks(batch_size()) {
            let mut pages: HashMap<Fingerprint, PageRecord> = HashMap::new();
            for Live { offset, print, is_of, .. } in chunk {
                if !pages.contains_key(print)
                    && let Some(record) = self.db.page(*print)?
                {
                    pages.insert(*print, record);
                }
                let Some(record) = pages.get_mut(print) else { continue };
                let pointer = match (record.body.as_mut(), is_of) {
                    (Some(body), true) => body.of.as_deref_mut(),
                    (body, _) => body,
                };
                match (pointer, places.of(*offset)) {
                    (Some(pointer), Some(to)) => {
                        let BodyPointer { file, offset, .. } = pointer;
                        (*file, *offset) = (name.clone(), to);
                    }
                    (Some(pointer), None) => {
                        let (file, at) = (&pointer.file, pointer.offset);
                        record.body_lost = format!("bodies/{file} at byte {at}: damaged");
                        record.body = None;
                    }
                    (None, _) => {}
                }
            }
            pages.iter().for_each(|(print, record)| put(&mut batch, *print, record));
            self.db.commit(std::mem::take(&mut batch))?;
            crash::point(point);
        }
        // Without a page that points there it is a file of the archive all the same.
        if live.is_empty() { self.db.commit(batch) } else { Ok(()) }
    }

    /// Lets the database forget a file.
    pub(super) fn disown(&self, name: &str) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.remove(keys::meta(&format!("warc/{name}")));
        self.db.commit(batch)
    }

    /// Removes a file to which nothing points any more.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let old = self.dir.join(name);
        fs::remove_file(&old).map_err(StoreError::file("remove", &old))?;
        sync_dir(&self.dir)
    }

    /// Gives the last file its final name; the next copy begins a new one.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        self.out.take().map_or(Ok(()), Segment::close)
    }
}

/// Where bytes of the old file are in the new one; asked in order.
pub(super) struct Places<'a> {
    kept: &'a [Range<u64>],
    /// Where the first range begins in the new file.
    passed: u64,
}

impl<'a> Places<'a> {
    /// `begin`: where the first of the ranges begins in the new file.
    pub(super) fn new(kept: &'a [Range<u64>], begin: u64) -> Self {
        Self { kept, passed: begin }
    }

    pub(super) fn of(&mut self, offset: u64) -> Option<u64> {
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

/// Adds a page's record to a batch.
pub(super) fn put(batch: &mut Batch, print: Fingerprint, record: &PageRecord) {
    let json = serde_json::to_vec(record).expect("strings and numbers serialise");
    batch.insert(&keys::print(keys::PAGE, print), json);
}
