//! Why a feed cannot be written.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crawl_store::StoreError;

use crate::FeedFault;

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
    /// What is asked of it cannot be, or not in this build.
    #[error(transparent)]
    Config(#[from] FeedFault),
    /// The items have more fields than a table may have columns.
    #[error("feed {} has {n} columns: names of fields are data, it seems", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// How many.
        n: usize,
    },
    /// A database or object store cannot be reached, or is busy; later it may be.
    #[error("feed {name} cannot be reached")]
    Unreachable {
        /// The feed.
        name: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A database or object store does not take what it is given.
    #[error("feed {name} is refused")]
    Refused {
        /// The feed.
        name: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A table holds rows that no feed of this crawl wrote.
    #[error("table {table} of feed {name} has rows of others")]
    TableNotOurs {
        /// The feed.
        name: String,
        /// The table.
        table: String,
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
            Self::NotOurs { .. }
            | Self::InUse { .. }
            | Self::Config(_)
            | Self::Columns { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::TableNotOurs { .. } => false,
        }
    }

    /// Whether it may be well after a while, without anybody's doing.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::NotOurs { .. }
            | Self::InUse { .. }
            | Self::Config(_)
            | Self::Columns { .. }
            | Self::Refused { .. }
            | Self::TableNotOurs { .. }
            | Self::File { .. }
            | Self::Store(_) => false,
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
            Self::Config(fault) => Some(fault.hint.clone()),
            Self::Columns { .. } => Some("name those that you want in `fields`".to_owned()),
            Self::Unreachable { .. } => Some(
                "see that it runs and that address and password are right; nothing is lost, the \
                 next run goes on from the last report"
                    .to_owned(),
            ),
            Self::Refused { .. } => Some(
                "see rights, names and types; nothing is lost, the next run goes on from the last \
                 report"
                    .to_owned(),
            ),
            Self::TableNotOurs { .. } => Some(
                "name another with `table`, or say with `key` by which columns rows are replaced"
                    .to_owned(),
            ),
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
