//! What a settle says of files, into its batch.

use crawl_model::{AskedFile, FileFacts, Fingerprint, PageRecord};

use super::{Digest, FileSums, FileValue, Media, NOTHING, encode_print, unhex};
use crate::database::{Database, encode_numbers};
use crate::seal::Batch;
use crate::store::now_ms;
use crate::{StoreError, keys, packed};

/// Where the sums lie.
pub(crate) const SUMS: &str = "files";

/// What a group of settles does to files.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// Files that a settle of the group points to.
    digests: Vec<Digest>,
    /// Those of them that are new, and their bytes.
    new: FileSums,
}

impl Keeping {
    /// A page has this file, or none, in the place of that of its earlier copy.
    pub(crate) fn put_file(
        &mut self,
        db: &Database,
        batch: &mut Batch,
        print: Fingerprint,
        record: &PageRecord,
        old: Option<&PageRecord>,
    ) -> Result<(), StoreError> {
        let digest_of = |record: &PageRecord| unhex(&record.file.as_ref()?.sha256);
        let (new, old) = (digest_of(record), old.and_then(digest_of));
        if let Some(old) = old.filter(|old| Some(*old) != new) {
            batch.remove(keys::file_use(&old, print));
        }
        let (Some(digest), Some(facts)) = (new, record.file.as_deref()) else { return Ok(()) };
        batch.insert(keys::file_use(&digest, print), NOTHING);
        if !self.digests.contains(&digest) && db.get(&keys::file(&digest))?.is_none() {
            self.add(batch, &digest, facts, record.bytes);
        }
        self.digests.push(digest);
        Ok(())
    }

    fn add(&mut self, batch: &mut Batch, digest: &Digest, facts: &FileFacts, bytes: u64) {
        let (path, media_type) = (facts.path.clone(), facts.media_type.clone());
        let value = FileValue { path, bytes, media_type, at_ms: now_ms() };
        let json = serde_json::to_vec(&value).expect("strings and numbers serialise");
        batch.insert(keys::file(digest), json);
        self.new = FileSums { n: self.new.n + 1, bytes: self.new.bytes + bytes };
    }

    /// What the items of a page ask for, in the place of what they did.
    pub(crate) fn put_asked(
        db: &Database,
        media: &Media,
        batch: &mut Batch,
        print: Fingerprint,
        asked: &[Vec<AskedFile>],
        was_there: bool,
    ) -> Result<(), StoreError> {
        let mut n_parts = 0;
        if asked.iter().any(|files| !files.is_empty()) {
            media.use_it();
            let pieces = asked.iter().map(|files| match files.is_empty() {
                true => Vec::new(),
                false => serde_json::to_vec(files).expect("strings and numbers serialise"),
            });
            let pieces: Vec<_> = pieces.collect();
            n_parts = packed::put(batch, keys::ASKED, print, pieces.iter().map(Vec::as_slice));
            for file in asked.iter().flatten().filter(|file| file.kept_out.is_none()) {
                batch.insert(&keys::waits(file.print, print), NOTHING);
            }
        }
        if was_there && media.is_used() {
            packed::remove_surplus(db, batch, keys::ASKED, print, n_parts)?;
        }
        Ok(())
    }

    /// A file was looked for at `print` and is at `to`, or somewhere behind.
    pub(crate) fn put_lead(batch: &mut Batch, print: Fingerprint, to: Fingerprint) {
        batch.insert(&keys::print(keys::LEADS, print), &encode_print(to));
        batch.insert(&keys::waits(to, print), NOTHING);
    }

    /// Adds the sums to the batch if they change.
    pub(crate) fn post(&self, db: &Database, batch: &mut Batch) -> Result<(), StoreError> {
        if self.new.n > 0 {
            let FileSums { n, bytes } = db.file_sums()?;
            let sums = [n + self.new.n, bytes + self.new.bytes];
            batch.insert(keys::meta(SUMS), encode_numbers(sums));
        }
        Ok(())
    }

    /// The group is on the disk.
    pub(crate) fn posted(&self, media: &Media) {
        if !self.digests.is_empty() {
            media.settled(&self.digests);
        }
    }
}
