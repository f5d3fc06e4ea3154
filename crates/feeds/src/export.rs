//! Items into one place in one go, outside of a crawl.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crawl_model::PageRecord;
use crawl_store::StoredItem;

use crate::config::Place;
use crate::row::Selection;
use crate::sink::{self, Sink};
use crate::{FeedConfig, FeedError, FeedFormat, stdout};

/// Tells the folders of several exports of one process apart.
static N_EXPORTS: AtomicU64 = AtomicU64::new(0);

/// Writes items that are handed to it, in the form of a feed.
///
/// A single file is written beside its name and gets it when it is whole, so an export that breaks
/// off leaves the old one as it was.
#[derive(Debug)]
pub struct Export {
    selection: Selection,
    sink: Box<dyn Sink>,
    /// What is written in place of what was asked for, and where it goes in the end.
    detour: Option<(PathBuf, Goal)>,
    /// For what is gathered on the way; removed at the end.
    spool: PathBuf,
    n_items: u64,
    n_commits: u64,
}

/// Where a file goes that was written elsewhere.
#[derive(Debug)]
enum Goal {
    File(PathBuf),
    Stdout,
}

impl Export {
    /// Opens the place. What is in it already is replaced: of a database the rows that an export
    /// wrote earlier, of a file all.
    ///
    /// # Errors
    /// As for [`Feed::open`](crate::Feed::open).
    pub fn open(config: &FeedConfig) -> Result<Self, FeedError> {
        config.check()?;
        let number = N_EXPORTS.fetch_add(1, Ordering::Relaxed);
        let spool = format!("crawl-export-{}-{number}", std::process::id());
        let spool = std::env::temp_dir().join(spool);
        let selection = Selection::of(config);
        let mut config = config.clone();
        let detour = detour(&config, &selection, &spool);
        if let Some((path, _)) = &detour {
            (config.format, config.compression) =
                (config.effective_format(), Some(config.effective_compression()));
            config.path.clone_from(path);
        }
        let crawl = sink::Crawl {
            id: "export".to_owned(),
            spool: spool.clone(),
            cursor: None,
            fresh: true,
        };
        let (sink, _) = sink::open(&config, &selection, &crawl)?;
        Ok(Self { selection, sink, detour, spool, n_items: 0, n_commits: 0 })
    }

    /// Writes the items of a page; those that the config leaves out are not counted.
    ///
    /// # Errors
    /// [`FeedError`] if they cannot be written.
    pub fn page(
        &mut self,
        record: &PageRecord,
        items: impl IntoIterator<Item = StoredItem>,
    ) -> Result<(), FeedError> {
        for StoredItem { json, provenance } in items {
            if let Some(row) = self.selection.row(json, record, &provenance) {
                self.sink.put(row)?;
                self.n_items += 1;
            }
        }
        if self.sink.is_full() { self.commit() } else { Ok(()) }
    }

    /// Settle numbers say nothing here, but those of commits rise.
    fn commit(&mut self) -> Result<(), FeedError> {
        self.n_commits += 1;
        self.sink.commit(self.n_commits)?;
        self.sink.confirmed()
    }

    /// Writes what is left and puts the file into its place; returns the number of items.
    ///
    /// # Errors
    /// [`FeedError`] if that cannot be done.
    pub fn finish(mut self) -> Result<u64, FeedError> {
        self.commit()?;
        if self.sink.close() {
            self.commit()?;
        }
        self.sink.end()?;
        match &self.detour {
            Some((from, Goal::File(to))) => {
                fs::rename(from, to).map_err(FeedError::file("rename", from))?;
            }
            Some((from, Goal::Stdout)) => print(from)?,
            None => {}
        }
        Ok(self.n_items)
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // Mostly it is not there; what is left in it is of no use.
        let _ = fs::remove_dir_all(&self.spool);
    }
}

/// Where to write what cannot be written where it goes: a file that is whole only in the end, and
/// a table whose columns are not known before its last row.
fn detour(config: &FeedConfig, selection: &Selection, spool: &Path) -> Option<(PathBuf, Goal)> {
    let format = config.effective_format();
    let is_growing = format == Some(FeedFormat::Csv) && selection.columns().is_none();
    match Place::of(config) {
        Place::Stdout if is_growing => Some((spool.join("export"), Goal::Stdout)),
        Place::File(path) => {
            let is_stream = fs::metadata(&path).is_ok_and(|meta| !meta.is_file());
            if is_stream && is_growing {
                return Some((spool.join("export"), Goal::File(path)));
            }
            let is_whole_at_once = config.batch_items > 0
                || is_stream
                || matches!(format, Some(FeedFormat::Sqlite | FeedFormat::Parquet));
            (!is_whole_at_once).then(|| {
                let mut name = path.clone().into_os_string();
                name.push(".part");
                (name.into(), Goal::File(path))
            })
        }
        Place::Stdout | Place::Postgres(_) | Place::Objects(_) | Place::Unknown(_) => None,
    }
}

fn print(path: &Path) -> Result<(), FeedError> {
    let copy = || -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut piece = vec![0; 64 << 10];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(()),
                n => stdout::write(&piece[..n])?,
            }
        }
    };
    copy().map_err(FeedError::file("write", Path::new("-")))
}
