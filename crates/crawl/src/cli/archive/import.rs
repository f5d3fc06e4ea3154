//! `crawl import`: other crawlers' archives become a crawl's folder.

use std::io::{self, IsTerminal, Write};

use crawl::engine::{ImportNews, Imported, import as bring};
use crawl::store::{Bodies, StoreConfig};

use super::args::ImportArgs;
use crate::cli::failure::{Exit, Failure, unless_closed};
use crate::cli::progress::grouped;

/// Imports and says what came of it.
pub(crate) fn import(args: &ImportArgs) -> Result<(), Failure> {
    let config = StoreConfig { bodies: Bodies::All, ..StoreConfig::at(&args.into) };
    let is_watched = io::stderr().is_terminal();
    let done = bring(&args.files, &config, &mut |news| match news {
        ImportNews::Bad(bad) => eprintln!("warning: {bad}"),
        ImportNews::Progress(so_far) if is_watched => eprint!("\r{} ", line(so_far)),
        ImportNews::Progress(_) => {}
    })?;
    if is_watched {
        eprintln!();
    }
    let mut out = io::stdout().lock();
    unless_closed(if args.json {
        let json = serde_json::to_string(&done).expect("numbers serialise");
        writeln!(out, "{json}")
    } else {
        say(&mut out, &done)
    })?;
    if done.imported == 0 && done.skipped.is_empty() && done.bad > 0 {
        let what = "nothing could be read: these are no WARC files, or damaged from the beginning";
        return Err(Failure::new(Exit::Broken, what)
            .hint("`crawl import` takes WARC files, plain or compressed with gzip or zstd"));
    }
    Ok(())
}

fn line(done: &Imported) -> String {
    let skipped: u64 = done.skipped.values().sum();
    format!("{} imported, {} passed over", grouped(done.imported), grouped(skipped + done.bad))
}

fn say(out: &mut impl Write, done: &Imported) -> io::Result<()> {
    writeln!(out, "imported {:>24}", grouped(done.imported))?;
    for (why, n) in &done.skipped {
        writeln!(out, "  {why:<24} {:>6}", grouped(*n))?;
    }
    writeln!(out, "unreadable {:>22}", grouped(done.bad))
}
