//! A deterministic local web for tests, benches and the first crawl.
//!
//! A crawler can only be proved right against a web whose truth is known: which pages there are,
//! which of them can be reached, when each was asked for and by whom. So the sites in here tell
//! their own [`Truth`], computed apart from their pages, and the server records every request.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use crawl_testsite::{Fault, TestSite};
//! let site = TestSite::builder()
//!     .page("/", r#"<a href="/x">x</a> <a href="/broken">broken</a>"#)
//!     .robots("User-agent: *\nDisallow: /x")
//!     .fault("/broken", Fault::CutBody)
//!     .start()
//!     .await;
//! println!("crawl {}", site.url("/"));
//! assert!(site.requests().is_empty());
//! # });
//! ```
//!
//! [`Builder`] puts sites together by virtual host, [`Site`] is how to write one's own, [`Bookshop`]
//! is the big one, [`Quotes`], [`News`], [`Products`] and [`Directory`] are small ones, of the kinds
//! that tutorials scrape ([`Builder::tutorials`]), [`Tree`], [`Chain`] and [`ManyHosts`] are synthetic
//! graphs, [`Market`] is shops for benchmarks, [`Trap`] is sites without end, and [`TestSite`] is a running server with its record.
//!
//! The order of the way through: `builder` -> `server` (listeners, connections) -> `answer` (one
//! request) -> `pages` (the table of one host) -> a `Site`.
//!
//! With the feature `faults` there is `Faults`, a web that does everything wrong. Not here: HTTP/2,
//! well-behaved TLS and compression; whoever tests those needs a server made for it.

mod answer;
mod bookshop;
mod builder;
mod directory;
#[cfg(feature = "faults")]
mod faults;
mod form;
mod graph;
mod gzip;
mod html;
mod market;
mod news;
mod pages;
mod products;
mod quotes;
mod random;
mod record;
mod server;
mod site;
mod traps;
mod tutorials;

pub use bookshop::{Book, Bookshop, Shop};
pub use builder::Builder;
pub use directory::{Directory, Event};
#[cfg(feature = "faults")]
pub use faults::{Faults, MAX_REDIRECTS, WebFault};
pub use graph::{Chain, ManyHosts, Tree};
pub use market::{KeepingMarket, Market, Shape};
pub use news::{Article, News};
pub use pages::Pages;
pub use products::{Product, Products};
pub use quotes::{Author, Quote, Quotes};
pub use record::{Recorded, read_log};
pub use server::{Connections, TestSite};
pub use site::{Fault, Reply, Site, SiteRequest, Truth};
pub use traps::Trap;
pub use tutorials::TUTORIAL_HOSTS;

#[cfg(test)]
mod tests;
