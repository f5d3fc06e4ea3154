//! Why the store cannot go on: its errors end a crawl, so each says what to do next.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a crawl's folder cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it.
    #[error("{} is in use by {}", path.display(), process(*pid))]
    InUse {
        /// The crawl's folder.
        path: PathBuf,
        /// The process, if its lock file says.
        pid: Option<u32>,
    },
    /// The folder holds something else.
    #[error("{} is not empty and holds no crawl", path.display())]
    NotACrawl {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to look at.
    #[error("no crawl in {}", path.display())]
    NoCrawl {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Written by another version of the format.
    #[error("{} has store format {found}, this program knows {known}", path.display())]
    Format {
        /// The crawl's folder.
        path: PathBuf,
        /// Its format.
        found: String,
        /// Ours.
        known: &'static str,
    },
    /// The database ends before the last settle that was acknowledged.
    #[error(
        "{} has lost settles: {acknowledged} were acknowledged, the database ends at {found}",
        path.display()
    )]
    LostSettles {
        /// The crawl's folder.
        path: PathBuf,
        /// Last number in the manifest.
        acknowledged: u64,
        /// Last number in the database.
        found: u64,
    },
    /// The database failed.
    #[error("cannot {doing} the database")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// Its own error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stored value is not what was written.
    #[error("the database holds a damaged {what}")]
    Corrupt {
        /// Which value.
        what: String,
    },
    /// A file of the frontier's tables is not what was written.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A file of the settle log is not there.
    #[error("the settle log has lost its file {}", path.display())]
    LogMissing {
        /// The file.
        path: PathBuf,
    },
    /// A file of the settle log ends before the place up to which it was written.
    #[error("{} ends at byte {found}, and {expected} bytes of it were committed", path.display())]
    LogShort {
        /// The file.
        path: PathBuf,
        /// Bytes that it must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// What a file of the settle log holds is not what was written.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    LogDamaged {
        /// The file.
        path: PathBuf,
        /// Where what cannot be read begins.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// An archived body cannot be read back.
    #[error("no body at byte {offset} of {file}: {what}")]
    Body {
        /// File under `bodies/`.
        file: String,
        /// First byte of its gzip member.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A question to `inspect` that has no answer.
    #[error("{what}")]
    Query {
        /// What is wrong with it.
        what: String,
    },
    /// A second writer for one open store.
    #[error("the store has a writer already")]
    SecondWriter,
}

impl StoreError {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.is_disk_full() {
            let next = "make room on the disk; the next run goes on from the last commit";
            return Some(next.to_owned());
        }
        match self {
            Self::InUse { path, .. } => Some(format!(
                "`crawl inspect {}` works on a running crawl; wait for it or stop it to write",
                path.display()
            )),
            Self::NotACrawl { .. } => {
                Some("choose an empty or new folder: `-s store.path=DIR`".to_owned())
            }
            Self::NoCrawl { path }
                if path.join("sled/db").is_file() && path.join("manifest").is_file() =>
            {
                Some(
                    "its file `lock`, by which a crawl's folder is told, is gone or damaged: \
                     `crawl verify --repair` mends it"
                        .to_owned(),
                )
            }
            Self::NoCrawl { .. } => {
                Some("give the folder that `store.path` names in the crawl's config".to_owned())
            }
            Self::File { source, .. } if source.kind() == ErrorKind::NotFound => {
                Some("check the name, and the folder from which it is meant".to_owned())
            }
            Self::File { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem => Some(
                "the database writes even when it is only read: copy the folder to a disk that can \
                 be written"
                    .to_owned(),
            ),
            Self::File { doing, .. } => {
                Some(format!("check rights and free space: the crawl must {doing} it"))
            }
            Self::Format { .. } => Some(
                "open it with the version that wrote it, or start over with `--fresh`".to_owned(),
            ),
            Self::LostSettles { .. } => Some(
                "restore the folder from a copy, or start over with `--fresh`; \
                 to go on with what is left, delete the file `manifest` in it"
                    .to_owned(),
            ),
            Self::Database { .. } => {
                Some("check free space; the next run goes on from the last commit".to_owned())
            }
            Self::Corrupt { .. }
            | Self::LogMissing { .. }
            | Self::LogShort { .. }
            | Self::LogDamaged { .. } => {
                Some("restore the folder from a copy, or start over with `--fresh`".to_owned())
            }
            Self::Damaged { .. } => Some(
                "restore the folder from a copy; or delete the folder `frontier` in it, and the next \
                 run makes its tables anew from the settle log"
                    .to_owned(),
            ),
            Self::Body { .. } | Self::Query { .. } | Self::SecondWriter => None,
        }
    }

    /// Whether the disk was full (or a quota used up), so that the crawl goes on when there is
    /// room: what was acknowledged is there, and nothing was acknowledged that is not.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::File { source, .. } => is_full(source),
            Self::Database { source, .. } => match source.downcast_ref::<sled::Error>() {
                Some(sled::Error::Io(error)) => is_full(error),
                _ => false,
            },
            Self::InUse { .. }
            | Self::NotACrawl { .. }
            | Self::NoCrawl { .. }
            | Self::Format { .. }
            | Self::LostSettles { .. }
            | Self::Corrupt { .. }
            | Self::Damaged { .. }
            | Self::LogMissing { .. }
            | Self::LogShort { .. }
            | Self::LogDamaged { .. }
            | Self::Body { .. }
            | Self::Query { .. }
            | Self::SecondWriter => false,
        }
    }

    pub(crate) fn file<'a>(
        doing: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }

    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sled::Error) -> Self {
        move |source| match source {
            sled::Error::Corruption { .. } => {
                Self::corrupt(format!("file under `sled/`: cannot {doing} it"))
            }
            source => Self::Database { doing, source: Box::new(source) },
        }
    }

    pub(crate) fn log_damaged(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::LogDamaged { path: path.to_owned(), offset, what: what.into() }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
