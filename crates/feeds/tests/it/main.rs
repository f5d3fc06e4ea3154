//! Feeds over a store and its writer, without a crawl: every item stands exactly once where it was
//! to go, whatever happened on the way, and is read back as it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod exact;
mod export;
mod formats;
mod killed;
#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "postgres")]
mod postgres;
mod read;
mod rig;
#[cfg(any(
    feature = "postgres",
    feature = "object-store",
    feature = "parquet",
    feature = "sqlite"
))]
#[cfg_attr(
    not(all(feature = "postgres", feature = "object-store")),
    allow(dead_code, unused_imports, reason = "the servers are for other tests")
)]
mod servers;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stdout;
