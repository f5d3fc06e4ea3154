//! What is removed of files: at an open what a kill left, and by `gc` what nobody has any more.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use super::keep::SUMS;
use super::{FileSums, FileValue, MEDIA, NEW, digest_of, path_of, sync_dir};
use crate::database::{Database, encode_numbers};
use crate::folder::Folder;
use crate::seal::Batch;
use crate::store::Shared;
use crate::{Store, StoreError, crash, keys};

/// Files in one batch.
const BATCH: u64 = 256;

/// Removes what was in the making, and files that no commit points to; how many.
pub(crate) fn recover(folder: &Folder, db: &Database) -> Result<u64, StoreError> {
    let new = folder.root().join(MEDIA).join(NEW);
    let entries = match fs::read_dir(&new) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(StoreError::file("read", &new))?,
    };
    let mut n = 0;
    for entry in entries {
        let entry = entry.map_err(StoreError::file("read", &new))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let (Some(digest), Some(path)) = (digest_of(&name), path_of(&name))
            && db.get(&keys::file(&digest))?.is_none()
        {
            n += u64::from(remove(&folder.root().join(path))?);
            crash::point("media-unplaced");
        } else if name.ends_with(".part") {
            n += 1;
        }
        remove(&entry.path())?;
    }
    Ok(n)
}

/// Removes a file; whether it was there.
fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(StoreError::file("remove", path)(e)),
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FilesGone {
    /// Files that were removed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Removes the files in `folder` that no page has any more: others came in their place.
///
/// # Errors
/// [`StoreError::InUse`] if the crawl runs, and others as they come. What was done until then is
/// done, and the same call goes on.
pub fn gc_files(folder: &Path) -> Result<FilesGone, StoreError> {
    let inspection = Store::inspect(folder)?;
    let shared = inspection.shared();
    recover(&shared.folder, &shared.db)?;
    let mut gone = FilesGone::default();
    let mut batch = Vec::new();
    for entry in shared.db.prefix(&[keys::FILE]) {
        let (key, json) = entry?;
        let prefix = [&[keys::FILE_USE], &key[1..]].concat();
        if shared.db.prefix(&prefix).next().transpose()?.is_some() {
            continue;
        }
        let value = serde_json::from_slice::<FileValue>(&json);
        batch.push((key, value.map_err(|_| StoreError::corrupt("value of a file"))?));
        if batch.len() as u64 >= crash::limit("UPKEEP", BATCH) {
            drop_files(shared, std::mem::take(&mut batch), &mut gone)?;
        }
    }
    drop_files(shared, batch, &mut gone)?;
    Ok(gone)
}

/// Killed in between, the files are marked, and the next open removes them.
fn drop_files(
    shared: &Shared,
    files: Vec<(sled::IVec, FileValue)>,
    gone: &mut FilesGone,
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    let root = shared.folder.root();
    let new = root.join(MEDIA).join(NEW);
    let mut batch = Batch::default();
    let mut sums: FileSums = shared.db.file_sums()?;
    for (key, value) in &files {
        let mark = new.join(value.path.trim_start_matches(MEDIA).replace('/', ""));
        fs::File::create(&mark).map_err(StoreError::file("make", &mark))?;
        batch.remove(key.clone());
        sums.n = sums.n.saturating_sub(1);
        sums.bytes = sums.bytes.saturating_sub(value.bytes);
    }
    sync_dir(&new).map_err(StoreError::file("write", &new))?;
    batch.insert(keys::meta(SUMS), encode_numbers([sums.n, sums.bytes]));
    shared.db.commit(batch)?;
    crash::point("media-forgotten");
    recover(&shared.folder, &shared.db)?;
    gone.files += files.len() as u64;
    gone.bytes += files.iter().map(|(_, value)| value.bytes).sum::<u64>();
    Ok(())
}
