//! Exports that follow the settled pages by cursor.
//!
//! There are two halves. A [`Feed`] knows what comes next: it reads the settle log behind the
//! writer and reports its cursor. Its *sink* knows how far what it holds is good: a file that is cut
//! back, in place or gathered beside its name till it is whole (batches, Parquet, objects); a stream;
//! a table whose rows and cursor are one transaction. Forms of text are a third thing (`text`), which
//! items are written and what of them a fourth (`row`).
//!
//! A [`Feed`] writes what is settled, never what is merely fetched, so it needs no part in the
//! pipeline's hurry: it reads the store behind the writer and reports from time to time how far
//! its file is good. Killed anywhere, it is cut back to its last report and goes on from there,
//! so that every item stands in it exactly once.
//!
//! Invariant: the database knows of a feed before the feed's file has its first byte; a file that
//! the database does not know is somebody else's and is not touched.
//!
//! Invariant: a file that is shown when it is whole is shown only after the store durably knows that
//! it is, and does not change any more.
//!
//! What weighs much is a cargo feature; a config that names one that is not built says how to get it.
//!
//! Not here: what an item is (the spider), when pages settle (the store).

mod config;
mod error;
mod export;
mod feed;
mod outage;
mod row;
mod sink;
mod text;

pub mod stdout;

pub use config::{Compression, FeedConfig, FeedFault, FeedFormat, FieldChoice, PageField};
pub use error::FeedError;
pub use export::Export;
pub use feed::Feed;
pub use outage::{Outage, Outages};
