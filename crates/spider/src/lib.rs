//! The SDK that spiders are written against.
//!
//! A spider is a value with one method: it reads a [`Page`] and puts what it finds into a
//! [`Harvest`]: items to keep, links to follow. It fetches nothing and knows no runtime, so it
//! is an ordinary synchronous function that can be tested with a string of HTML.
//!
//! Selecting, decoding and resolving links are services of the host ([`PageServices`]), small
//! and handle-based, so that this crate builds in seconds and the same spider can later be
//! called across a C ABI.
//!
//! ```
//! use crawl_spider::{Harvest, Page, Spider, SpiderError, json};
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
//! ```
//!
//! Typed items say where their fields stand, checked at compile time: [`Item`](macro@Item).
//! What is followed can be said by rules instead ([`Spider::rules`], [`LinkExtractor`]), and what
//! many crawls have in common is in [`ready`]: sitemaps, feeds, XML, CSV, logging in.
//!
//! Not here: HTML, I/O, async. The test helper `crawl_parser::page_from_html` makes a page
//! without a network.

mod args;
mod spider;
mod step;

mod prepared;
mod rules;

mod csv;
mod node;
mod page;
mod query;
mod selected;
mod view;

mod article;
mod entry;
mod form;
mod meta;
mod table;

mod follow;
mod followed;
mod harvest;
mod target;

mod item;

mod error;
mod expression;
mod services;
mod text;

pub mod process;

pub mod abi;

pub mod prelude;
pub mod ready;

pub use args::{Args, FromArgs};
pub use article::Article;
#[doc(hidden)]
pub use crawl_spider_derive::EmbeddedItem;
#[doc = include_str!("item/derive.md")]
pub use crawl_spider_derive::Item;
pub use csv::{CsvDialect, CsvRow, CsvRows};
pub use entry::{Alternate, Enclosure, Entry, EntryKind, News};
pub use error::{QueryError, SelectorError, SelectorProblem, SpiderError};
pub use expression::{Expression, Language};
pub use follow::Follow;
pub use followed::Followed;
pub use form::{
    Button, Enctype, Field, FieldKind, FieldOption, Form, FormError, FormParts, FormTarget,
};
pub use harvest::{Harvest, Harvested, LogLevel, LogLine};
#[doc(hidden)]
pub use item::rt;
pub use item::{FileUrls, FromText, ItemError, PageItem};
pub use meta::{HeadLink, MetaMap, Metadata, StructuredData};
pub use node::{Node, Nodes, XPathValue};
pub use page::Page;
pub use prepared::prepare;
pub use query::{FieldQuery, ItemQuery, MatchedRows, Row, Rows, Take};
pub use rules::{LinkExtractor, Rule, Rules, Texts};
#[doc(hidden)]
pub use selected::{First, FirstValues, SelectedRows};
pub use services::{Evaluated, Fate, Link, LinkKind, NodeId, PageServices, Step};
pub use spider::{Closed, FailedRequest, Spider};
pub use step::{ItemStep, PageInfo, RequestStep};
pub use table::Table;
pub use text::collapse_whitespace;

pub use crawl_model::{
    CanonicalUrl, Dropped, FileAsk, FileKind, Item, Method, Refusal, Request, Response, UrlError,
    Verdict,
};
pub use crawl_spider_derive::spider;
pub use serde_json::{Value, json};
