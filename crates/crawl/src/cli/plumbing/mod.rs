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
pub(crate) use self::fetch::fetch;
pub(crate) use self::links::links;
pub(crate) use self::robots::robots;
pub(crate) use self::select::select;
pub(crate) use self::sitemap::sitemap;
pub(crate) use self::url::url;
