//! The crawl's folder: whose it is, who may write in it, and what in it is ours to remove.
//!
//! Invariant: nothing in the folder is touched before the lock is held, and a file that the
//! crawl did not make is never removed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::media::MEDIA;
use crate::{StoreError, crash};

/// Name of the slot journal.
pub(crate) const OPEN_JOURNAL: &str = "open";

/// First word of the lock file, by which a crawl's folder is told.
const MARK: &str = "crawl-store";

/// The database, and what it is called while another takes its place.
const SLED: &str = "sled";
const SLED_OLD: &str = "sled.old";

/// How often a lock of this process is tried, some milliseconds apart.
const FORKS: u32 = 40;

/// A folder under our lock; given back on drop.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Held, never read: closing it gives the lock back.
    _lock: File,
}

impl Folder {
    /// Takes the folder for a run; makes it if it is not there.
    ///
    /// # Errors
    /// [`StoreError::NotACrawl`], [`StoreError::InUse`], [`StoreError::File`].
    pub(crate) fn claim(root: &Path) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(root).map_err(StoreError::file("create the folder", root))?;
        if is_foreign(root).map_err(StoreError::file("read the folder", root))? {
            return Err(StoreError::NotACrawl { path: root.to_owned() });
        }
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root, private).map_err(StoreError::file("make private", root))?;
        Self::lock(root)
    }

    /// Takes the folder to look at it; it must be a crawl's.
    ///
    /// # Errors
    /// [`StoreError::NoCrawl`], [`StoreError::InUse`], [`StoreError::File`].
    pub(crate) fn visit(root: &Path) -> Result<Self, StoreError> {
        // A kill between two renames may have left the database under other names.
        let has_database = [SLED, SLED_OLD].iter().any(|name| root.join(name).is_dir());
        let is_crawl = has_database && !is_foreign(root).unwrap_or(true);
        if is_crawl { Self::lock(root) } else { Err(StoreError::NoCrawl { path: root.to_owned() }) }
    }

    fn lock(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("lock");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::file("open", &path))?;
        match lock_of(&file, &path) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: root.to_owned(), pid: holder(&path) });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::File { doing: "lock", path, source });
            }
        }
        // Fixed width, so that a reader never sees the rest of a longer number.
        let line = format!("{MARK} {:<10}\n", std::process::id());
        file.write_all_at(line.as_bytes(), 0).map_err(StoreError::file("write", &path))?;
        Ok(Self { root: root.to_owned(), _lock: file })
    }

    /// Removes what a crawl keeps here. Killed half-way, it leaves either the old crawl or
    /// leftovers that [`sweep`](Self::sweep) removes.
    pub(crate) fn wipe(&self) -> Result<(), StoreError> {
        self.finish_swap()?;
        crash::point("wipe-begun");
        // The manifest first: without the database it would cry loss.
        remove_file(&self.manifest())?;
        crash::point("wipe-manifest-removed");
        let (sled, gone) = (self.sled(), self.gone());
        self.finish_wipe()?;
        match fs::rename(&sled, &gone) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(StoreError::File { doing: "remove", path: sled, source: e });
            }
            _ => {}
        }
        crash::point("wipe-database-moved");
        self.remove_rest()?;
        self.sweep()
    }

    /// Goes on with a wipe that got as far as moving the database away.
    fn finish_wipe(&self) -> Result<(), StoreError> {
        let gone = self.gone();
        if fs::symlink_metadata(&gone).is_ok() {
            self.remove_rest()?;
            remove_dir(&gone)?;
        }
        Ok(())
    }

    /// Removes all that means nothing without the database.
    fn remove_rest(&self) -> Result<(), StoreError> {
        remove_file(&self.open_journal())?;
        remove_file(&self.seed_hosts())?;
        remove_dir(&self.log())?;
        crash::point("wipe-log-removed");
        remove_dir(&self.frontier())?;
        remove_dir(&self.feeds())?;
        remove_dir(&self.bodies())?;
        remove_dir(&self.root.join(MEDIA))?;
        crash::point("wipe-almost-done");
        Ok(())
    }

    /// Removes what a kill may have left half-done.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        self.finish_wipe()?;
        self.finish_swap()?;
        remove_file(&self.new_journal())?;
        remove_file(&self.new_runs())?;
        let Ok(entries) = fs::read_dir(self.sled()) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // sled takes a half-written snapshot for a corrupt database.
            if name.starts_with("snap.") && name.ends_with(".generating") {
                remove_file(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Puts the database in [`new_sled`](Self::new_sled), which must be whole, on the disk and
    /// closed, into the place of the old one, which must be closed too. Killed half-way, it leaves
    /// what [`sweep`](Self::sweep) brings to its end.
    pub(crate) fn swap_sled(&self) -> Result<(), StoreError> {
        let (sled, new, old) = (self.sled(), self.new_sled(), self.old_sled());
        rename(&sled, &old)?;
        crash::point("shrink-moved");
        rename(&new, &sled)?;
        crash::point("shrink-swapped");
        self.sync()?;
        remove_dir(&old)
    }

    /// Goes on with a swap, or takes it back if it got not so far.
    fn finish_swap(&self) -> Result<(), StoreError> {
        let (sled, new, old) = (self.sled(), self.new_sled(), self.old_sled());
        if !sled.exists() && old.exists() {
            // The old one was moved away only when the new one was whole.
            rename(if new.exists() { &new } else { &old }, &sled)?;
            self.sync()?;
        }
        remove_dir(&new)?;
        remove_dir(&old)
    }

    /// Names in the folder survive a power cut.
    fn sync(&self) -> Result<(), StoreError> {
        let synced = File::open(&self.root).and_then(|dir| dir.sync_all());
        synced.map_err(StoreError::file("flush", &self.root))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn sled(&self) -> PathBuf {
        self.root.join(SLED)
    }

    /// The database while it is written anew.
    pub(crate) fn new_sled(&self) -> PathBuf {
        self.root.join("sled.new")
    }

    fn old_sled(&self) -> PathBuf {
        self.root.join(SLED_OLD)
    }

    fn gone(&self) -> PathBuf {
        self.root.join("sled.gone")
    }

    pub(crate) fn bodies(&self) -> PathBuf {
        self.root.join("bodies")
    }

    /// The settle log.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// What waits to be fetched and which URLs are known, as far as it does not fit into memory,
    /// and where the frontier stood: the frontier's.
    pub(crate) fn frontier(&self) -> PathBuf {
        self.root.join("frontier")
    }

    /// What feeds gather before it goes elsewhere: the feeds'.
    pub(crate) fn feeds(&self) -> PathBuf {
        self.root.join("feeds")
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("manifest")
    }

    pub(crate) fn open_journal(&self) -> PathBuf {
        self.root.join(OPEN_JOURNAL)
    }

    /// Hosts that later seeds brought into the scope.
    pub(crate) fn seed_hosts(&self) -> PathBuf {
        self.root.join("seed-hosts")
    }

    /// What earlier runs came to; a fresh start leaves it.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(crate) fn new_runs(&self) -> PathBuf {
        self.root.join("runs.new")
    }

    pub(crate) fn new_journal(&self) -> PathBuf {
        self.root.join("open.new")
    }
}

/// Bytes in the files under `path`; what cannot be read counts as nothing.
pub(crate) fn disk_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Whether the folder holds something, and that is not a crawl.
fn is_foreign(root: &Path) -> io::Result<bool> {
    let mut others = 0;
    for entry in fs::read_dir(root)? {
        others += usize::from(entry?.file_name() != "lock");
    }
    match fs::read(root.join("lock")) {
        // Empty: killed between making the file and writing it, so nothing else can be there.
        Ok(text) if text.is_empty() => Ok(others > 0),
        Ok(text) => Ok(!text.starts_with(MARK.as_bytes())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(others > 0),
        Err(e) => Err(e),
    }
}

/// Takes the lock. One that this process has given back may be held for a moment by a child of it:
/// between its fork and the program that it becomes it has all that was open.
fn lock_of(file: &File, path: &Path) -> Result<(), TryLockError> {
    for _ in 0..FORKS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if holder(path) == Some(std::process::id()) => {
                thread::sleep(Duration::from_millis(5));
            }
            locked => return locked,
        }
    }
    file.try_lock()
}

fn holder(lock: &Path) -> Option<u32> {
    let text = fs::read_to_string(lock).ok()?;
    text.strip_prefix(MARK)?.trim().parse().ok()
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::file("rename", from))
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    absent_is_fine(fs::remove_file(path), path)
}

pub(crate) fn remove_dir(path: &Path) -> Result<(), StoreError> {
    absent_is_fine(fs::remove_dir_all(path), path)
}

fn absent_is_fine(result: io::Result<()>, path: &Path) -> Result<(), StoreError> {
    match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::file("remove", path)(e)),
        _ => Ok(()),
    }
}
