//! Writes the database anew, without what sled has kept of values that are gone.
//!
//! sled 0.34 keeps no more than half of a segment in use when it cleans up, and its file does not get
//! shorter. So all values are copied into a new database beside the old one, it is brought to
//! the disk, closed, opened again and compared with the old one, and takes its place by two renames. A
//! kill at any moment leaves the old one or the new one; the next open removes what is left of the
//! other.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::database::{Database, Sum};
use crate::folder::{Folder, disk_bytes, remove_dir};
use crate::{StoreError, crash};

/// Page cache of each of the two databases, in MiB.
const CACHE_MIB: u32 = 16;
/// How long a closing database may keep its lock.
const CLOSING: Duration = Duration::from_secs(30);
/// A new one that is not smaller than so many hundredths of the old one is not worth the swap.
const WORTH: u64 = 95;

/// Bytes of the database on the disk before and after.
pub(crate) fn shrink(root: &Path) -> Result<(u64, u64), StoreError> {
    let folder = Folder::visit(root)?;
    folder.sweep()?;
    let (sled, new) = (folder.sled(), folder.new_sled());
    let before = disk_bytes(&sled);
    let after = match write_anew(&sled, &new) {
        Ok(()) => disk_bytes(&new),
        Err(error) => {
            // What is there of it is of no use, and takes room.
            remove_dir(&new)?;
            return Err(error);
        }
    };
    let worth = crash::limit("SHRINK_WORTH", WORTH);
    if after.saturating_mul(100) >= before.saturating_mul(worth) {
        remove_dir(&new)?;
        return Ok((before, before));
    }
    folder.swap_sled()?;
    crash::point("shrink-done");
    Ok((before, after))
}

/// Both are closed when it returns.
fn write_anew(sled: &Path, new: &Path) -> Result<(), StoreError> {
    let old = Database::open(sled, CACHE_MIB)?;
    let copied = copied(&old, new);
    drop(old);
    closed(sled)?;
    let copied = copied?;
    crash::point("shrink-copied");
    let there = Database::open(new, CACHE_MIB).and_then(|db| db.sum());
    closed(new)?;
    if there? != copied {
        return Err(StoreError::corrupt("copy of the database: it is not what was written"));
    }
    sync_all(new).map_err(StoreError::file("flush", new))?;
    crash::point("shrink-synced");
    Ok(())
}

fn copied(old: &Database, new: &Path) -> Result<Sum, StoreError> {
    let db = Database::open(new, CACHE_MIB)?;
    let copied = old.copy_to(&db);
    drop(db);
    closed(new)?;
    copied
}

/// Waits until the database's own threads have let go of it.
fn closed(sled: &Path) -> Result<(), StoreError> {
    let path = sled.join("db");
    let file = File::open(&path).map_err(StoreError::file("open", &path))?;
    let deadline = Instant::now() + CLOSING;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(StoreError::file("lock", &path)(error.into())),
        }
    }
}

/// Every file, and every name of one.
fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_all(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(dir)?.sync_all()
}
