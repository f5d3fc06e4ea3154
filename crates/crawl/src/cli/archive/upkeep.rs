//! `crawl gc` and `crawl compact`: an archive gets smaller.

use std::io::{self, Write};

use crawl::store::{self, Compacted};

use super::args::{CompactArgs, GcArgs};
use crate::cli::failure::{Failure, unless_closed};
use crate::cli::progress::grouped;

/// Drops old bodies.
pub(crate) fn gc(args: &GcArgs) -> Result<(), Failure> {
    say(&store::gc(&args.store, args.keep_bodies)?, args.json)
}

/// Drops what no page points to.
pub(crate) fn compact(args: &CompactArgs) -> Result<(), Failure> {
    say(&store::compact(&args.store)?, args.json)
}

fn say(done: &Compacted, is_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if is_json {
        let json = serde_json::to_string(done).expect("numbers and texts serialise");
        return unless_closed(writeln!(out, "{json}"));
    }
    for note in &done.notes {
        eprintln!("note: {note}");
    }
    unless_closed(writeln!(
        out,
        "{} bodies dropped, {} files written anew or removed, {} bytes before, {} now",
        grouped(done.dropped),
        grouped(done.files),
        grouped(done.bytes_before),
        grouped(done.bytes),
    ))
}
