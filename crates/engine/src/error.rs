//! Why a whole crawl cannot start or go on. A failed page is never one of these.

use std::io;
use std::path::PathBuf;

use crawl_feeds::FeedError;
use crawl_fetcher::FetchConfigError;
use crawl_frontier::FrontierError;
use crawl_model::{HostPattern, UrlError};
use crawl_pipeline::PipelineError;
use crawl_spider::SpiderError;
use crawl_store::{CacheError, StoreError};

/// A broken crawl.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrawlError {
    /// A seed is no URL that can be crawled.
    #[error("seed `{seed}` cannot be crawled")]
    Seed {
        /// As given.
        seed: String,
        /// Why.
        source: UrlError,
    },
    /// The file of seeds cannot be opened, or breaks off.
    #[error("{} cannot be {}", path.display(), read_or_opened(*.line))]
    SeedsFile {
        /// As given.
        path: PathBuf,
        /// The line where it broke off, from 1; 0 if it could not be opened.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// Neither seeds, nor a spider that brings some, nor URLs left from an earlier run.
    #[error("there is nothing to crawl: no seeds given and none queued")]
    NoSeeds,
    /// The crawl's folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The earlier crawl whose answers were to take part.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Scope or politeness.
    #[error(transparent)]
    Frontier(FrontierError),
    /// The crawl was begun with another idea of which URLs are one.
    #[error(
        "the crawl in {} was begun with `{key}` = {old}, and what it knows is known by that; now \
         it is {new}",
        folder.display()
    )]
    Identity {
        /// The crawl's folder.
        folder: PathBuf,
        /// The key, such as `scope.identity.sort-query`.
        key: String,
        /// As it was, in JSON.
        old: String,
        /// As it is, in JSON.
        new: String,
    },
    /// Connection settings.
    #[error(transparent)]
    Fetch(#[from] FetchConfigError),
    /// Two rules for hosts name the same one.
    #[error("`{0}` stands in two [[host]] tables")]
    HostTwice(HostPattern),
    /// A step of the pipeline.
    #[error("the pipeline is wrong at `{}`: {}", .0.key, .0.problem)]
    Pipeline(#[from] PipelineError),
    /// An export.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The spider's start failed.
    #[error("the spider could not start")]
    Spider(#[from] SpiderError),
    /// A replay goes into a folder of its own.
    #[error("{} holds a crawl already, and a replay needs a folder of its own", .0.display())]
    NotNew(PathBuf),
    /// The control socket.
    #[error("cannot listen on the control socket in {}", folder.display())]
    Control {
        /// The crawl's folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A thread or task could not be started, or died.
    #[error("{0} broke off")]
    Task(&'static str),
    /// Callbacks of the spider did not return: one when the crawl was closing, or so many that
    /// there was no going on.
    #[error("callbacks of the spider do not return; all that was settled is saved")]
    Stuck,
    /// The crawl has ended, so nothing can be asked of it.
    #[error("the crawl has ended")]
    Ended,
}

impl From<FrontierError> for CrawlError {
    fn from(error: FrontierError) -> Self {
        match error {
            FrontierError::Store(error) => Self::Store(error),
            error => Self::Frontier(error),
        }
    }
}

fn read_or_opened(line: u64) -> String {
    if line == 0 { "opened".to_owned() } else { format!("read at line {line}") }
}

impl CrawlError {
    /// Whether the mistake is in what the user wrote, not in what happened.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Seed { .. }
            | Self::NoSeeds
            | Self::Frontier(_)
            | Self::Fetch(_)
            | Self::Pipeline(_)
            | Self::HostTwice(_)
            | Self::Identity { .. }
            | Self::NotNew(_) => true,
            Self::SeedsFile { line, .. } => *line == 0,
            Self::Cache(error) => !matches!(error, CacheError::Open(_)),
            Self::Store(_)
            | Self::Feed(_)
            | Self::Spider(_)
            | Self::Control { .. }
            | Self::Task(_)
            | Self::Stuck
            | Self::Ended => false,
        }
    }

    /// Whether the disk was full: what was settled is saved, and the next run goes on when there
    /// is room.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store(error) => error.is_disk_full(),
            Self::Feed(error) => error.is_disk_full(),
            _ => false,
        }
    }

    /// Whether another process works in the crawl's folder.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Store(StoreError::InUse { .. }))
    }
}
