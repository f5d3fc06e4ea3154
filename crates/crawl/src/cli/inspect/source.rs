//! Where the rows come from: the crawl's folder, or the process that has it.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crawl::engine::{ControlError, answer, ask};
use crawl::store::inspect::{Looked, Query};
use crawl::store::{Inspection, Store, StoreError};
use serde_json::Value;

use crate::cli::failure::{Exit, Failure};

/// How often a folder in use is asked again: its crawl may be opening or closing just now.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

/// How many threads there are for what takes long.
fn n_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Something that can be asked. Nobody else can open a folder that is.
pub(crate) enum Crawl {
    Folder(Box<Inspection>),
    Running(PathBuf),
}

impl Crawl {
    /// Opens the folder, or finds out who has it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        match Store::inspect(folder) {
            Ok(store) => Ok(Self::Folder(Box::new(store))),
            Err(StoreError::InUse { .. }) => Ok(Self::Running(folder.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the rows that were asked for, until `row` breaks.
    pub(crate) fn ask(
        &self,
        query: &Query,
        row: &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        self.ask_and_hear(query, row, &mut |_| {})
    }

    /// The same; `looked` is told from time to time how far it is. A running crawl does not say.
    pub(super) fn ask_and_hear(
        &self,
        query: &Query,
        row: &mut dyn FnMut(Value) -> ControlFlow<()>,
        looked: &mut dyn FnMut(Looked),
    ) -> Result<(), Failure> {
        match self {
            Self::Folder(store) => Ok(answer(&store.reader(), query, n_threads(), row, looked)?),
            Self::Running(folder) => ask_running(folder, query, row),
        }
    }
}

/// Asks the process that has the folder; if it has just ended, the folder.
fn ask_running(
    folder: &Path,
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut has_rows = false;
    for attempt in 1.. {
        let asked = ask(folder, query, &mut |value| {
            has_rows = true;
            row(value)
        });
        match asked {
            Ok(()) => return Ok(()),
            // It has just begun or ended; half an answer is not repeated.
            Err(ControlError::Io { .. }) if !has_rows => {}
            Err(error @ ControlError::Refused(_)) => return Err(Failure::new(Exit::Usage, error)),
            Err(error) => return Err(Failure::new(Exit::Broken, error)),
        }
        match Store::inspect(folder) {
            Ok(store) => {
                return Ok(answer(&store.reader(), query, n_threads(), row, &mut |_| {})?);
            }
            Err(error @ StoreError::InUse { .. }) if attempt >= ATTEMPTS => {
                return Err(Failure::new(Exit::InUse, error)
                    .hint("the process that has it does not answer; try again when it has ended"));
            }
            Err(StoreError::InUse { .. }) => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
