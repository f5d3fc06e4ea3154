//! Exports that follow the settled pages by cursor.
//!
//! A [`Feed`] writes what is settled, never what is merely fetched, so it needs no part in the
//! pipeline's hurry: it reads the store behind the writer and reports from time to time how far
//! its file is good. Killed anywhere, it is cut back to its last report and goes on from there,
//! so that every item stands in it exactly once.
//!
//! Invariant: the database knows of a feed before the feed's file has its first byte; a file that
//! the database does not know is somebody else's and is not touched.
//!
//! Not here: what an item is (the spider), when pages settle (the store).

mod config;
mod error;
mod export;
mod feed;
mod row;
mod sink;
mod text;

pub mod stdout;

pub use config::{Compression, FeedConfig, FeedFault, FeedFormat, FieldChoice, PageField};
pub use error::FeedError;
pub use export::Export;
pub use feed::Feed;
