//! HTML and XML as a stream of tags and texts, without a tree.

pub(crate) mod scan;
pub(crate) mod simhash;
pub(crate) mod skim;

pub(crate) mod events;
pub(crate) mod outline;

pub(crate) mod charref;

mod attrs;
mod doctype;
mod find;
mod foreign;
mod raw_text;
mod split;
mod tag_end;
pub(crate) mod tags;
