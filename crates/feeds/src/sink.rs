//! Where a feed's items go.
//!
//! [`Feed`](crate::Feed) and its sink share the work thus: the feed knows which items are next and
//! what the store has durably noted; the sink knows how far what it holds is good, says so in a
//! [`Position`], and goes on from one.

mod file;
mod names;
mod stream;
mod tail;

#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod table;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use crawl_store::FeedCursor;

use crate::config::Place;
use crate::row::{Row, Selection};
use crate::{FeedConfig, FeedError, FeedFormat};

/// What a sink has to know of the crawl.
#[derive(Debug, Clone)]
pub(crate) struct Crawl {
    /// Tells this crawl's rows in a shared database from those of others.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        allow(dead_code, reason = "for databases")
    )]
    pub(crate) id: String,
    /// A folder for what is to go elsewhere; need not be there.
    pub(crate) spool: PathBuf,
    /// What the store knows of the feed.
    pub(crate) cursor: Option<FeedCursor>,
    /// Whether to start over whatever is there.
    pub(crate) fresh: bool,
}

/// How far a sink's content is good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Last settle number whose items are in it.
    pub(crate) n: u64,
    /// Bytes of the file; 0 where there is none.
    pub(crate) len: u64,
    /// What else the sink has to know to go on from here.
    pub(crate) state: String,
}

/// Where a sink begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// Items of pages that settled after this number are wanted.
    pub(crate) n: u64,
    /// Whether the store must hear of it before the first byte is written.
    pub(crate) is_over: bool,
    /// What was found and done, for people.
    pub(crate) notes: Vec<String>,
}

/// Takes items.
pub(crate) trait Sink: Send + fmt::Debug {
    /// Takes an item.
    fn put(&mut self, row: Row) -> Result<(), FeedError>;

    /// Lets readers see what there is, where that is cheap.
    fn flush(&mut self) -> Result<(), FeedError>;

    /// Whether so much is gathered that it must be committed at the end of this page.
    fn is_full(&self) -> bool;

    /// Makes all that was put, up to the end of page `n`, last; says how far it is good. May be
    /// tried again after an error that [passes](FeedError::is_passing).
    fn commit(&mut self, n: u64) -> Result<Position, FeedError>;

    /// Whether something waits until the last position is durable in the store.
    fn awaits(&self) -> bool {
        false
    }

    /// The last position is durable in the store. May be tried again after an error that passes.
    fn confirmed(&mut self) -> Result<(), FeedError> {
        Ok(())
    }

    /// The crawl ends, and all items were put: the next commit is the last. `false` if nothing is
    /// left to do.
    fn close(&mut self) -> bool {
        false
    }

    /// All is done: what has to stand at the very end of a stream.
    fn end(&mut self) -> Result<(), FeedError> {
        Ok(())
    }
}

/// Opens the sink of a feed, and cuts back what is not good of it.
pub(crate) fn open(
    config: &FeedConfig,
    selection: &Selection,
    crawl: &Crawl,
) -> Result<(Box<dyn Sink>, Start), FeedError> {
    config.check()?;
    let columns = selection.columns();
    match Place::of(config) {
        Place::Stdout => stream::open(config, columns, None, crawl),
        Place::File(path) if config.effective_format() == Some(FeedFormat::Sqlite) => {
            #[cfg(feature = "sqlite")]
            return table::open(sqlite::Sqlite::new(&path), config, columns, crawl);
            #[cfg(not(feature = "sqlite"))]
            unreachable_feature(&path)
        }
        Place::File(path) => match stream_at(&path)? {
            Some(stream) => stream::open(config, columns, Some(stream), crawl),
            None => file::open(config, columns, crawl),
        },
        Place::Objects(_) => file::open(config, columns, crawl),
        Place::Postgres(url) => {
            #[cfg(feature = "postgres")]
            return table::open(postgres::Postgres::new(&url, config)?, config, columns, crawl);
            #[cfg(not(feature = "postgres"))]
            unreachable_feature(Path::new(&url))
        }
        Place::Unknown(_) => unreachable_feature(&config.path),
    }
}

/// [`FeedConfig::check`] has refused it, with a better message.
fn unreachable_feature<T>(path: &Path) -> Result<T, FeedError> {
    let source = std::io::ErrorKind::Unsupported.into();
    Err(FeedError::File { doing: "open", path: path.to_owned(), source })
}

/// What is at `path`, if it is no file but a pipe or a device.
fn stream_at(path: &Path) -> Result<Option<fs::File>, FeedError> {
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() && !meta.is_dir() => {
            let file = OpenOptions::new().write(true).open(path);
            Ok(Some(file.map_err(FeedError::file("open", path))?))
        }
        _ => Ok(None),
    }
}
