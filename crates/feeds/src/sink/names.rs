//! How a feed's files are called while they are written and when they are whole, and how they get
//! there.

use std::fs;
use std::path::{Path, PathBuf};

use super::tail::sync_folder;
use crate::config::{Place, batch_name};
use crate::{Compression, FeedConfig, FeedError, FeedFormat};

/// Where the files of a feed are.
#[derive(Debug)]
pub(super) struct Names {
    path: PathBuf,
    /// The path without what says the compression.
    stem: PathBuf,
    is_batched: bool,
    /// For what does not become the file by renaming.
    #[cfg_attr(
        not(any(feature = "parquet", feature = "object-store")),
        allow(dead_code, reason = "the other files are written beside their names")
    )]
    spool: PathBuf,
    /// The columns that are known beforehand.
    #[cfg(feature = "parquet")]
    columns: Vec<String>,
    show: Show,
}

/// How a file gets to where it is seen.
#[derive(Debug)]
enum Show {
    /// It is written there.
    InPlace,
    /// It is renamed.
    Rename,
    /// It is made of what was gathered.
    #[cfg(feature = "parquet")]
    Parquet,
    /// It, or the Parquet file that is made of it, is sent.
    #[cfg(feature = "object-store")]
    Object(super::objects::Objects, FeedFormat),
}

impl Names {
    pub(super) fn of(config: &FeedConfig, spool: &Path) -> Result<Self, FeedError> {
        let is_batched = config.batch_items > 0;
        let format = config.effective_format();
        let show = match (Place::of(config), format) {
            #[cfg(feature = "object-store")]
            (Place::Objects(url), format) => {
                let format = format.unwrap_or(FeedFormat::Jsonl);
                Show::Object(super::objects::Objects::open(&url, config)?, format)
            }
            #[cfg(feature = "parquet")]
            (_, Some(FeedFormat::Parquet)) => Show::Parquet,
            _ if is_batched => Show::Rename,
            _ => Show::InPlace,
        };
        Ok(Self {
            path: config.path.clone(),
            stem: config.uncompressed_path(),
            is_batched,
            spool: spool.to_owned(),
            #[cfg(feature = "parquet")]
            columns: crate::row::Selection::of(config).columns().unwrap_or_default(),
            show,
        })
    }

    pub(super) fn is_batched(&self) -> bool {
        self.is_batched
    }

    /// Whether the file is written where it is to be in the end.
    pub(super) fn is_in_place(&self) -> bool {
        matches!(self.show, Show::InPlace)
    }

    /// How the file is compressed in which it is gathered.
    pub(super) fn compression(&self, config: &FeedConfig) -> Compression {
        match config.effective_format() {
            Some(FeedFormat::Parquet) => Compression::Zstd,
            _ => config.effective_compression(),
        }
    }

    /// A file's name when it is whole.
    pub(super) fn whole(&self, batch: u64) -> PathBuf {
        match self.is_batched {
            true => batch_name(&self.path, &self.stem, batch),
            false => self.path.clone(),
        }
    }

    /// A file's name while it is written.
    pub(super) fn part(&self, batch: u64) -> PathBuf {
        let whole = self.whole(batch);
        match self.show {
            Show::InPlace => whole,
            Show::Rename => with_suffix(&whole, ".part"),
            #[cfg(any(feature = "parquet", feature = "object-store"))]
            _ => self.spool.join(with_suffix(Path::new(&flat_name(&whole)), ".part")),
        }
    }

    /// Whether something is where the file is to be.
    pub(super) fn is_there(&self, batch: u64) -> Result<bool, FeedError> {
        let whole = self.whole(batch);
        #[cfg(feature = "object-store")]
        if let Show::Object(objects, _) = &self.show {
            return objects.is_there(&whole);
        }
        Ok(fs::symlink_metadata(&whole).is_ok_and(|meta| meta.len() > 0))
    }

    /// Removes the batches that an earlier crawl left.
    pub(super) fn remove_batches(&self) -> Result<(), FeedError> {
        let (mut batch, mut n_missing) = (1, 0);
        while self.is_batched && n_missing < self.gap() {
            if self.is_there(batch)? {
                let whole = self.whole(batch);
                match &self.show {
                    #[cfg(feature = "object-store")]
                    Show::Object(objects, _) => objects.remove(&whole)?,
                    _ => fs::remove_file(&whole).map_err(FeedError::file("remove", &whole))?,
                }
                n_missing = 0;
            } else {
                n_missing += 1;
            }
            batch += 1;
        }
        Ok(())
    }

    /// So many batches in a row that somebody has taken away are looked past.
    fn gap(&self) -> u64 {
        match &self.show {
            // Each costs a request.
            #[cfg(feature = "object-store")]
            Show::Object(..) => 8,
            _ => 1000,
        }
    }

    /// Whether what is gathered becomes a Parquet file.
    #[cfg(feature = "parquet")]
    pub(super) fn is_parquet(&self) -> bool {
        match &self.show {
            Show::Parquet => true,
            #[cfg(feature = "object-store")]
            Show::Object(_, format) => *format == FeedFormat::Parquet,
            Show::InPlace | Show::Rename => false,
        }
    }

    /// The columns that are known beforehand.
    #[cfg(feature = "parquet")]
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Brings a whole file to where it is seen. Doing it again gives the same.
    pub(super) fn show(
        &self,
        batch: u64,
        #[cfg(feature = "parquet")] columns: &super::parquet::Columns,
    ) -> Result<(), FeedError> {
        let (part, whole) = (self.part(batch), self.whole(batch));
        match &self.show {
            Show::InPlace => Ok(()),
            Show::Rename => {
                if self.is_there(batch)? {
                    return Err(FeedError::NotOurs { path: whole });
                }
                fs::rename(&part, &whole)
                    .and_then(|()| sync_folder(&whole))
                    .map_err(FeedError::file("rename", &part))
            }
            #[cfg(feature = "parquet")]
            Show::Parquet => {
                super::parquet::convert(&part, &whole, columns)?;
                self.forget(&part)
            }
            #[cfg(feature = "object-store")]
            Show::Object(objects, _format) => {
                #[cfg(feature = "parquet")]
                if *_format == FeedFormat::Parquet {
                    let made = with_suffix(&part, ".parquet");
                    super::parquet::convert(&part, &made, columns)?;
                    objects.put(&made, &whole)?;
                    fs::remove_file(&made).map_err(FeedError::file("remove", &made))?;
                    return self.forget(&part);
                }
                objects.put(&part, &whole)?;
                self.forget(&part)
            }
        }
    }

    /// What was gathered for a batch is not needed any more; of a single file it is, for later
    /// items.
    #[cfg(any(feature = "parquet", feature = "object-store"))]
    fn forget(&self, part: &Path) -> Result<(), FeedError> {
        match self.is_batched {
            true => fs::remove_file(part).map_err(FeedError::file("remove", part)),
            false => Ok(()),
        }
    }
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A path as the name of one file; no two paths of less than 200 bytes share it.
#[cfg(any(feature = "parquet", feature = "object-store"))]
fn flat_name(path: &Path) -> String {
    use std::fmt::Write;

    /// Every file system takes 255; some room for `.part.new`.
    const MAX_NAME_BYTES: usize = 200;

    let mut name = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => name.push(char::from(*byte)),
            // Writing into a text does not fail.
            byte => drop(write!(name, "_{byte:02x}")),
        }
    }
    name.split_off(name.len().saturating_sub(MAX_NAME_BYTES))
}
