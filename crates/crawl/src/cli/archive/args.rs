//! How the commands for archives are written.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::args::duration;

pub(crate) const CDXJ: &str = "\
A line per capture: SURT key, time, and a JSON object with url, mime, status, digest, length, offset
and filename, sorted. Captures are the records `response`, `revisit` and `resource`. A record that
cannot be read is told on stderr and left out.

Exit codes:
    0  done
    1  input or output failed
    2  wrong usage";

pub(crate) const IMPORT: &str = "\
Any WARC of version 0.17 to 1.1: plain, gzip or zstd. Each response becomes a page with its verdict,
record and body, copied into the folder's own archive; where an archive has several of one URL, the
last one counts. Done again, it adds nothing; after a kill, it goes on. What was passed over is
counted by reason; a record that cannot be read is told on stderr.

Exit codes:
    0  done
    1  input, output or the store failed, or nothing could be read
    2  wrong usage
    3  another process works in the crawl's folder
    5  the disk is full; with room on it, the same command goes on";

pub(crate) const GC: &str = "\
Removes files that items asked for and that no page has any more: others came in their place.

With `--keep-bodies`, pages that were last visited before that lose their bodies, and the files of the archive are written
anew without them; records and items stay. A body that a younger page shares stays, too. A kill at
any moment loses nothing else, and the same command goes on.

Exit codes:
    0  done
    1  the store failed
    2  wrong usage
    3  the crawl runs, or another process works in its folder
    5  the disk is full";

pub(crate) const COMPACT: &str = "\
Writes those files of the archive anew that have records no page points to: earlier copies of pages,
and visits that found nothing new. Then writes the database anew, without the room that replaced values
take in it, if that makes it smaller; for as long there are two. A kill at any moment loses nothing, and
the same command goes on.

Exit codes:
    0  done
    1  the store failed
    2  wrong usage
    3  the crawl runs, or another process works in its folder
    5  the disk is full; what was there is there, and with room the same command goes on";

#[derive(Debug, Args)]
pub(crate) struct CdxjArgs {
    /// Archives, or folders of crawls (the key `store.path`).
    #[arg(value_name = "STORE|FILE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The archives.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The crawl's folder; begun if it is not there.
    #[arg(long, value_name = "STORE")]
    pub(crate) into: PathBuf,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    /// Drop the bodies of pages that were not visited within this time, such as `30d`. Without it
    /// the archive stays as it is.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) keep_bodies: Option<Duration>,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
