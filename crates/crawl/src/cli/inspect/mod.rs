//! `crawl inspect`: rows of the store, from its folder or from the crawl that has it.

pub(crate) mod args;

mod fields;
mod links;
mod note;
mod source;

mod shape;
mod sort;

mod browse;
mod sheet;

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use super::failure::{Failure, unless_closed};
use args::InspectArgs;
use note::Note;
use shape::Shape;
use sheet::Sheet;
pub(super) use source::Crawl;

/// Prints the rows that were asked for.
pub(crate) fn inspect(args: InspectArgs) -> Result<(), Failure> {
    if args.form.tui {
        return browse::browse(&args.store, &args.conditions);
    }
    fields::check(&args)?;
    links::check(&args)?;
    let query = args.query();
    let stdout = io::stdout();
    let is_for_people = stdout.is_terminal();
    let mut sheet = Sheet::new(stdout.lock(), &args, is_for_people);
    let mut shape = Shape::new(&args.shape);
    let mut written = Ok(());
    let note = RefCell::new(Note::new());
    let mut show = |row| {
        note.borrow_mut().clear();
        sheet.add(row)
    };
    let mut add = |row| {
        if let Some(covered) = links::covered(&row).filter(|_| args.ends.is_read()) {
            note.borrow_mut().clear();
            eprintln!("{covered}");
            return ControlFlow::Continue(());
        }
        written = shape.push(row).and_then(|row| row.map_or(Ok(()), &mut show));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let crawl = Crawl::open(&args.store)?;
    let asked = crawl.ask_and_hear(&query, &mut add, &mut |looked| note.borrow_mut().say(looked));
    note.borrow_mut().clear();
    asked?;
    let written = written.and_then(|()| shape.finish(|row| sheet.add(row)));
    unless_closed(written.and_then(|()| sheet.finish()))
}
