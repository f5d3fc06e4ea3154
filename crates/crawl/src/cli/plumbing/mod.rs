//! The plumbing commands: one reading of the crawler each, for scripts.
//!
//! They read only their arguments, standard input and files, and write one JSON object a line. What
//! they mean lies in [`crawl::parser::plumbing`]; here is only how bytes come in and lines go
//! out. Single items that are invalid are lines like others, with exit code 0.

mod output;
pub(super) mod source;

mod decode;
mod fetch;
mod links;
mod robots;
mod select;
mod sitemap;
mod url;
pub(super) mod visit;

pub(crate) use self::decode::decode;
pub(crate) use self::fetch::{FETCH, FetchArgs, fetch};
pub(crate) use self::links::links;
pub(crate) use self::robots::{RobotsArgs, robots};
pub(crate) use self::select::{SelectArgs, select};
pub(crate) use self::sitemap::sitemap;
pub(crate) use self::source::{BasedFileArgs, FileArgs};
pub(crate) use self::url::{UrlArgs, url};

pub(crate) const HELP: &str = "Prints one JSON object a line. `-` is standard input.

Exit codes:
    0  done, single invalid items included
    1  input or output failed
    2  wrong usage, or an invalid selector";
