//! Files that items ask for: from the fetch to their place in the folder, and who refers to them.
//!
//! A file is written under `media/new`, flushed, and moved to its place, which is its SHA-256, so
//! that equal files are one. Only then the settle that points to it is committed; between the two a
//! mark under `media/new` says which file may be nobody's, and an open that finds one looks. So at
//! any kill every pointer leads to a whole file, and what was in the making goes.
//!
//! In the database: a value per file, a key per page that has it (`gc` asks), per file those who
//! wait for it (feeds ask), and per page what its items ask for.

mod depot;
mod draft;
mod keep;
mod read;
mod tidy;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crawl_model::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::{StoreError, keys};

pub(crate) use depot::MediaDepot;
pub(crate) use keep::Keeping;
pub use read::KnownFiles;
pub(crate) use read::{ItemFiles, with_files};
pub(crate) use tidy::recover;
pub use tidy::{FilesGone, gc_files};

/// Name of the folder.
pub(crate) const MEDIA: &str = "media";
/// Name of the folder within it for what is in the making.
const NEW: &str = "new";

/// A SHA-256.
pub(crate) type Digest = [u8; 32];

/// What the database says of a file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileValue {
    /// Its place within the crawl's folder.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its media type; empty if nobody can tell.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub(crate) media_type: String,
    /// When it came first: milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
}

/// Number of files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FileSums {
    pub(crate) n: u64,
    pub(crate) bytes: u64,
}

/// What all who have to do with files share.
#[derive(Debug, Default)]
pub(crate) struct Media {
    /// Files that have come and are not settled, by their digests.
    in_hand: Mutex<HashMap<Digest, InHand>>,
    /// Bytes of all files, those in hand included.
    bytes: AtomicU64,
    /// Number of the next draft.
    next: AtomicU64,
    /// Whether any item of the crawl ever asked for a file.
    is_used: AtomicBool,
}

/// A file that has come.
#[derive(Debug)]
struct InHand {
    /// Its name within `media/new`, and the end of its path.
    mark: String,
    /// How many tickets hold it.
    n: usize,
    /// Whether a mark lies there.
    is_marked: bool,
    /// Whether a commit points to it.
    is_settled: bool,
}

impl Media {
    pub(crate) fn open(db: &Database) -> Result<Self, StoreError> {
        let media = Self::default();
        media.bytes.store(db.file_sums()?.bytes, Ordering::Release);
        let is_used = db.prefix(&[keys::ASKED]).next().transpose()?.is_some();
        media.is_used.store(is_used, Ordering::Release);
        Ok(media)
    }

    /// Whether any item of the crawl ever asked for a file.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Acquire)
    }

    pub(crate) fn use_it(&self) {
        self.is_used.store(true, Ordering::Release);
    }

    /// Commits point to these files.
    pub(crate) fn settled(&self, digests: &[Digest]) {
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        for digest in digests {
            if let Some(file) = in_hand.get_mut(digest) {
                file.is_settled = true;
            }
        }
    }
}

/// Held by the ticket of a file that has come. When the last one of a file goes, so does its mark,
/// if a commit points to the file; else the next open looks after it.
#[derive(Debug)]
struct Hold {
    media: Arc<Media>,
    digest: Digest,
    folder: PathBuf,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut in_hand = self.media.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = in_hand.get_mut(&self.digest) else { return };
        file.n -= 1;
        if file.n > 0 {
            return;
        }
        if let Some(file) = in_hand.remove(&self.digest)
            && file.is_settled
            && file.is_marked
        {
            crate::crash::point("media-settled");
            // One that stays is looked at by the next open, and found to be in order.
            let _ = std::fs::remove_file(self.folder.join(NEW).join(&file.mark));
        }
    }
}

/// A digest as text.
pub(crate) fn hex(digest: &Digest) -> String {
    data_encoding::HEXLOWER.encode(digest)
}

/// The digest of a text; `None` if it is none.
pub(crate) fn unhex(text: &str) -> Option<Digest> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Where the file lies whose mark is called so, within the crawl's folder: `media/ab/cdef….jpg`.
fn path_of(mark: &str) -> Option<String> {
    let (start, rest) = mark.split_at_checked(2)?;
    Some(format!("{MEDIA}/{start}/{rest}"))
}

/// The digest of a mark's file; `None` if it is no mark.
fn digest_of(mark: &str) -> Option<Digest> {
    unhex(mark.split('.').next()?)
}

/// Brings the names in a folder to the disk.
fn sync_dir(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Value of a page that waits: nothing but its key counts.
const NOTHING: &[u8] = &[];

/// Where a file that was looked for and redirected is.
pub(crate) fn encode_print(print: Fingerprint) -> [u8; 8] {
    print.0.to_be_bytes()
}
