//! `crawl gc` and `crawl compact`: a crawl's folder gets smaller.

use std::io::{self, Write};

use crawl::store::{self, Compacted, FilesGone};

use serde_json::json;

use super::args::{CompactArgs, GcArgs};
use crate::cli::failure::{Failure, unless_closed};
use crate::cli::progress::grouped;

/// Drops files that are nobody's, and old bodies.
pub(crate) fn gc(args: &GcArgs) -> Result<(), Failure> {
    say_files(store::gc_files(&args.store)?, args.json)?;
    match args.keep_bodies {
        Some(keep) => say(&store::gc(&args.store, keep)?, args.json),
        None => Ok(()),
    }
}

fn say_files(gone: FilesGone, is_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    unless_closed(match is_json {
        true => writeln!(out, "{}", json!({"removed": gone})),
        false if gone.files == 0 => writeln!(out, "no file under `media` is nobody's"),
        false => {
            let (files, bytes) = (grouped(gone.files), grouped(gone.bytes));
            writeln!(out, "{files} files of {bytes} bytes removed that no page has any more")
        }
    })
}

/// Drops what no page points to, and what the database keeps of values that are gone.
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
    let mut text = format!(
        "{} bodies dropped, {} files written anew or removed, {} bytes before, {} now\n",
        grouped(done.dropped),
        grouped(done.files),
        grouped(done.bytes_before),
        grouped(done.bytes),
    );
    if done.database_bytes_before > 0 {
        text.push_str(&format!(
            "database: {} bytes before, {} now\n",
            grouped(done.database_bytes_before),
            grouped(done.database_bytes),
        ));
    }
    unless_closed(out.write_all(text.as_bytes()))
}
