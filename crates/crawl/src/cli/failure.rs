//! How a command ends: exit code, and where it did not end well, message and hint.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use crawl::feeds::FeedError;
use crawl::store::StoreError;
use crawl::{ConfigError, CrawlError};

/// Exit codes, as `--help` and the README list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As it was asked for.
    Done = 0,
    /// The crawl broke: store, disk, I/O.
    Broken = 1,
    /// Wrong usage or config.
    Usage = 2,
    /// Another process works in the crawl's folder.
    InUse = 3,
    /// Fields are filled much less often than in the run before, and that is to be a failure.
    Drift = 4,
    /// The disk is full; the next run goes on.
    DiskFull = 5,
    /// Ctrl-C or SIGTERM; what was settled is saved. 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    /// A failure with this exit code.
    pub(crate) fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    /// Adds the next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error itself, in a line.
    pub(crate) fn message(&self) -> String {
        self.error.to_string()
    }

    /// Says it on stderr: the error, what caused it, the hint.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("{}", self.text());
        self.exit.into()
    }

    /// The same as a text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("error: {}", self.error);
        let mut said = self.error.to_string();
        let mut source = self.error.source();
        while let Some(cause) = source {
            // Errors that stand in for their source show the same text twice.
            let message = cause.to_string();
            if message != said {
                text.push_str(&format!("\n  caused by: {message}"));
            }
            said = message;
            source = cause.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }
}

const MAKE_ROOM: &str = "make room on the disk; the same command goes on, and nothing is lost";

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let exit = Exit::Usage;
        Self { exit, error: error.into(), hint }
    }
}

impl From<CrawlError> for Failure {
    fn from(error: CrawlError) -> Self {
        let (exit, hint) = match &error {
            error if error.is_disk_full() => (Exit::DiskFull, Some(MAKE_ROOM.to_owned())),
            CrawlError::Store(error) => (exit_of(error), error.hint()),
            CrawlError::Feed(error) => (exit_of_feed(error), error.hint()),
            CrawlError::NoSeeds => {
                let hint = "say where to begin: seeds = [\"https://example.org/\"]";
                (Exit::Usage, Some(hint.to_owned()))
            }
            CrawlError::SeedsFile { line: 1.., .. } => {
                let hint = "mend the file; the same command goes on, and reads it from its start";
                (Exit::Broken, Some(hint.to_owned()))
            }
            CrawlError::NotNew(_) => {
                let hint = "name another folder, or throw away what is there with `--fresh`";
                (Exit::Usage, Some(hint.to_owned()))
            }
            CrawlError::Identity { .. } => {
                let hint = "set it back, or start over with `--fresh`";
                (Exit::Usage, Some(hint.to_owned()))
            }
            error if error.is_usage() => (Exit::Usage, None),
            _ => (Exit::Broken, None),
        };
        Self { exit, hint, error: error.into() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let hint = if error.is_disk_full() { Some(MAKE_ROOM.to_owned()) } else { error.hint() };
        Self { exit: exit_of(&error), hint, error: error.into() }
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        let hint = if error.is_disk_full() { Some(MAKE_ROOM.to_owned()) } else { error.hint() };
        Self { exit: exit_of_feed(&error), hint, error: error.into() }
    }
}

fn exit_of_feed(error: &FeedError) -> Exit {
    match error {
        error if error.is_disk_full() => Exit::DiskFull,
        FeedError::Store(error) => exit_of(error),
        FeedError::Config(_) => Exit::Usage,
        _ => Exit::Broken,
    }
}

fn exit_of(error: &StoreError) -> Exit {
    match error {
        error if error.is_disk_full() => Exit::DiskFull,
        StoreError::InUse { .. } => Exit::InUse,
        StoreError::Query { .. } => Exit::Usage,
        _ => Exit::Broken,
    }
}

/// What a closed pipe says of output: nobody wants more of it, and that is well.
pub(crate) fn unless_closed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure::new(Exit::Broken, e).hint("stdout cannot be written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the store")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_failure_shows_its_causes_and_the_next_step() {
        let failure = Failure::new(Exit::Broken, Outer(io::Error::other("disk on fire")))
            .hint("use another disk");
        assert_eq!(
            failure.text(),
            "error: cannot open the store\n  caused by: disk on fire\nhint: use another disk"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(unless_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
