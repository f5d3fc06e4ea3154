//! `crawl inspect`: rows of the store, from its folder or from the crawl that has it.

pub(crate) mod args;

mod shape;
mod sheet;
mod sort;

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use crawl::engine::{ControlError, ask};
use crawl::store::inspect::{Query, answer};
use crawl::store::{Store, StoreError};
use serde_json::Value;

use super::failure::{Exit, Failure, unless_closed};
use args::InspectArgs;
use shape::Shape;
use sheet::Sheet;

/// How often a folder in use is asked again: its crawl may be opening or closing just now.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

/// Prints the rows that were asked for.
pub(crate) fn inspect(args: InspectArgs) -> Result<(), Failure> {
    let query = args.query();
    let stdout = io::stdout();
    let is_for_people = stdout.is_terminal();
    let mut sheet = Sheet::new(stdout.lock(), &args, is_for_people);
    let mut shape = Shape::new(&args.shape);
    let mut written = Ok(());
    gather(&args.store, &query, &mut |row| {
        written = shape.push(row).and_then(|row| row.map_or(Ok(()), |row| sheet.add(row)));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let written = written.and_then(|()| shape.finish(|row| sheet.add(row)));
    unless_closed(written.and_then(|()| sheet.finish()))
}

/// Takes the rows from the folder, or from the crawl that has it.
fn gather(
    folder: &Path,
    query: &Query,
    row: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let has_rows = Cell::new(false);
    let mut row = |value| {
        has_rows.set(true);
        row(value)
    };
    let mut attempt = 1;
    loop {
        let in_use = match Store::inspect(folder) {
            Ok(store) => return Ok(answer(&store.reader(), query, &mut row)?),
            Err(error @ StoreError::InUse { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        match ask(folder, query, &mut row) {
            Ok(()) => return Ok(()),
            // It has just begun or ended; half an answer is not repeated.
            Err(ControlError::Io { .. }) if !has_rows.get() && attempt < ATTEMPTS => {
                attempt += 1;
                std::thread::sleep(PAUSE);
            }
            Err(ControlError::Io { .. }) if !has_rows.get() => {
                return Err(Failure::new(Exit::InUse, in_use)
                    .hint("the process that has it does not answer; try again when it has ended"));
            }
            Err(error @ ControlError::Refused(_)) => return Err(Failure::new(Exit::Usage, error)),
            Err(error) => return Err(Failure::new(Exit::Broken, error)),
        }
    }
}
