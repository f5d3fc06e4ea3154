//! What lasts: everything of a crawl that must survive `kill -9`, in one folder.
//!
//! One thread, the [`Writer`], takes what the other stages have brought, commits it in groups
//! and only then acknowledges it; nothing is ever acknowledged that a kill could take back. The
//! order of settles is kept in a log of [`Event`](crawl_model::Event)s, whose fold is the state
//! of the crawl, so there is one truth and no second set of books to fall out of step with it.
//!
//! What lies where, in the crawl's folder (mode 0700):
//!
//! - `sled/`: one tree, so that one batch is one commit: records, items, robots, deaths, and how far
//!   the log is committed.
//! - `log/`: the settle log, in files that are only appended to.
//! - `bodies/`: archived exchanges, WARC 1.1. A body never goes into sled.
//! - `media/`: files that items asked for, each under its SHA-256.
//! - `manifest`: the last settle number, beside sled, so that a loss inside it is noticed.
//! - `open`: the slot journal: which URLs a killed process had in hand.
//! - `seed-hosts`: hosts that later seeds brought into the scope, if any did.
//! - `runs`: what ended runs came to, so that a fresh start can be compared with them.
//! - `lock`: held by the one process that may write.
//!
//! Not here: what the events mean for the next request (the frontier), HTTP, exports.

pub mod blocking;
pub mod crash;
pub mod diff;
pub mod inspect;
pub mod tables;
pub mod verify;

mod config;
mod error;

mod folder;
mod journal;
mod manifest;

mod codec;
mod database;
mod keys;
mod log;
mod seal;
mod shrink;
mod sort;

mod archive;
mod warc;

mod blocks;
mod cookies;
mod recovery;
mod robots;
mod seed_hosts;
mod store;

mod commit;
mod copies;
mod recrawl;
mod writer;

mod dropped;
mod items;
mod media;
mod packed;

mod runs;
mod tally;

mod cache;
mod fold;
mod fresh;
mod glance;
mod reader;
mod stored;

pub use archive::{Compacted, archive_files, compact, gc};
pub use blocks::Blocks;
pub use cache::{CacheConfig, CacheError, CacheMode, StoredCache};
pub use config::{Bodies, Conversion, Options, StoreConfig};
pub use cookies::StoredCookies;
pub use database::FeedCursor;
pub use dropped::DropCounts;
pub use error::StoreError;
pub use fold::{HostRow, UrlRow, UrlState};
pub use glance::PageGlance;
pub use items::{Items, Provenance, StoredItem, StoredItems};
pub use log::Events;
pub use media::{FilesGone, KnownFiles, gc_files};
pub use reader::{Pages, Reader, Settled, Urls};
pub use recovery::Recovery;
pub use recrawl::{RecrawlConfig, Revisited};
pub use robots::{ROBOTS_LIFETIME, StoredRobots};
pub use runs::{Drift, LastRuns, RunBook, Runs};
pub use seed_hosts::SeedHostsFile;
pub use store::{Identity, Inspection, Store};
pub use stored::{StoredAnswer, StoredPage, StoredPages};
pub use warc::{
    BadRecord, BodyCompression, Head, HttpHead, Indexed, Warc, cdxj, decode_body, truncation_of,
};
pub use writer::{Progress, Writer, WriterEdges};
