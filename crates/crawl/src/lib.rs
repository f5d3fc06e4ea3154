//! A web crawler that is fast, polite, bounded in memory, and loses nothing: after `kill -9` at
//! any moment the next run goes on where the last one was.
//!
//! This crate is the front door: what a program needs to crawl, under one name, and the `crawl`
//! binary. The stages behind it are crates of their own; [`engine`] wires them.
//!
//! # A spider of your own
//!
//! ```no_run
//! use crawl::prelude::*;
//!
//! struct Books;
//!
//! impl Spider for Books {
//!     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
//!         for book in page.css("article.product_pod")? {
//!             out.item(&json!({
//!                 "title": book.attr_of("h3 a", "title")?,
//!                 "price": book.text_of(".price_color")?,
//!             }))?;
//!         }
//!         out.follow_css(page, "li.next a")?;
//!         Ok(())
//!     }
//! }
//!
//! # async fn example() -> Result<(), crawl::CrawlError> {
//! let crawl = Crawl::builder().seed("https://shop.example/").spider(Books).build()?;
//! let mut pages = crawl.start().await?;
//! while let Some(page) = pages.next().await {
//!     let page = page?;
//!     println!("{} {} {:?}", page.verdict(), page.url(), page.items);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # A crawl as a file
//!
//! [`Config`] is the TOML that `crawl run` reads; `Crawl::try_from(config)` is the crawl that it
//! describes. `config/default.toml` explains every key.
//!
//! # Two kinds of pages
//!
//! [`Page`] is what the stream yields: owned, settled, durable. [`spider::Page`] is what a spider
//! reads: borrowed, with selectors. The [`prelude`] is for spiders.

pub mod config;
mod isolation;
pub mod prelude;

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub use config::{Config, ConfigError};
pub use crawl_engine::{
    Blocked, Change, Completed, Crawl, CrawlBuilder, CrawlConfig, CrawlError, End, Handle, LookEnd,
    Looked, Middleware, Pages, Recrawled, Report, Running, Seeded, SeedsRead, Session, Setting,
    Status, TrapSighting, Waiting,
};
pub use crawl_model::{
    CanonicalUrl, Counts, FilterReason, Fingerprint, Host, Method, Page, PageRecord, Request,
    UrlError, Verdict,
};
pub use crawl_spider::{Dropped, Harvest, Spider, SpiderError};
pub use isolation::plugin_child;

/// Channels, tasks, the page stream.
pub use crawl_engine as engine;
/// Exports that follow the settled pages.
pub use crawl_feeds as feeds;
/// How URLs are fetched.
pub use crawl_fetcher as fetcher;
/// When URLs are fetched.
pub use crawl_frontier as frontier;
/// What pages say; declarative spiders.
pub use crawl_parser as parser;
/// What happens to items before they are stored.
pub use crawl_pipeline as pipeline;
/// Spiders that are shared libraries.
pub use crawl_plugin as plugin;
/// What spiders are written against.
pub use crawl_spider as spider;
/// What lasts.
pub use crawl_store as store;
