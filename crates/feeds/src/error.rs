//! Why a feed cannot be written.

use std::io;
use std::path::{Path, PathBuf};

use crawl_store::StoreError;

/// Why a feed cannot be opened or written. The crawl itself is not harmed: the next run goes on
/// from what the feed last reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The file holds something that this crawl did not write.
    #[error("{} is not empty and was not written by this crawl", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Another feed or process writes it.
    #[error("{} is being written by another feed", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The extension is of no known format.
    #[error("no feed format for {}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("cannot {doing} feed {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store behind it cannot be read.
    #[error("cannot read what the feed is to write")]
    Store(#[from] StoreError),
}

impl FeedError {
    /// Whether the disk was full, or a quota used up: the next run goes on when there is room.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::File { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Store(error) => error.is_disk_full(),
            Self::NotOurs { .. } | Self::InUse { .. } | Self::Format { .. } => false,
        }
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotOurs { .. } => {
                Some("remove the file, name another, or start over with `--fresh`".to_owned())
            }
            Self::InUse { .. } => Some("give each feed a file of its own".to_owned()),
            Self::Format { .. } => Some("name the file *.jsonl, or set `format`".to_owned()),
            Self::File { .. } => Some(
                "check rights and free space; the next run goes on from the last report".to_owned(),
            ),
            Self::Store(error) => error.hint(),
        }
    }

    pub(crate) fn file<'a>(
        doing: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }
}
