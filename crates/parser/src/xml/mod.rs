//! XML, as it is found on the web: read in one pass, without a tree and without ever failing.
//!
//! [`reader`] splits a document into events with namespaces and references resolved; `tag`,
//! `entity`, `dtd` and `scope` are its parts. [`entries`] reads sitemaps and feeds from those
//! events (`pass`, `field` and `date` are its parts), [`feed`] turns them into the links of a
//! page, and `gzip` undoes the compression that sitemaps are stored in.

pub(crate) mod reader;

mod dtd;
mod entity;
mod scope;
mod tag;

pub(crate) mod entries;
pub(crate) mod feed;

mod date;
mod field;
mod pass;

mod gzip;

#[cfg(test)]
pub(crate) use date::normalise as normalise_date;
pub(crate) use field::trim;
pub(crate) use gzip::{gunzip, gunzip_if};

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;

/// What kind of document came out of a compressed file that was sent as `declared`.
pub(crate) fn kind_of_unzipped(body: &[u8], declared: &Declared) -> Kind {
    match Kind::judge(body, declared) {
        kind @ (Kind::Xml | Kind::Html) => kind,
        // The type is that of the file, so the contents have to speak for themselves.
        _ => Kind::judge(body, &Declared::of_header(None)),
    }
}
