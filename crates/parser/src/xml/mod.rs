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

use crate::decode::kind::Kind;
use entries::Format;
use reader::{Event, Reader};

/// What kind of document came out of a compressed file with this media type.
pub(crate) fn kind_of_unzipped(media_type: &str, body: &[u8]) -> Kind {
    /// Enough for any honest prologue.
    const HEAD_BYTES: usize = 4096;
    let kind = Kind::of(media_type, body);
    if kind == Kind::Xml || kind == Kind::Html && !media_type.is_empty() {
        return kind;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(HEAD_BYTES)]);
    let mut reader = Reader::new(head);
    while let Some(event) = reader.read() {
        if let Event::Start(start) = event {
            let is_list = Format::of_root(start.name.local).is_some();
            return if is_list { Kind::Xml } else { Kind::of("", body) };
        }
    }
    Kind::of("", body)
}
