//! What a file with a spider in it needs: `use crawl::prelude::*;`.
//!
//! ```
//! use crawl::prelude::*;
//!
//! #[derive(Item)]
//! #[item(select = "article.product_pod")]
//! struct Book {
//!     #[item(css = "h3 a", attr = "title")]
//!     title: String,
//!     #[item(css = ".price_color", number)]
//!     price: f64,
//! }
//!
//! struct Books;
//!
//! impl Spider for Books {
//!     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
//!         out.extract::<Book>(page)?;
//!         Ok(())
//!     }
//! }
//! ```

pub use crate::{Config, Crawl, CrawlError, Handle, Middleware, Pages, Report, Waiting};
pub use crawl_spider::EmbeddedItem as Item;
pub use crawl_spider::{
    CanonicalUrl, Closed, Dropped, FailedRequest, Follow, Followed, Harvest, ItemStep, Link,
    LinkExtractor, LinkKind, LogLevel, Node, Nodes, Page, PageInfo, PageItem, Refusal, Request,
    RequestStep, Response, Rule, Rules, Spider, SpiderError, Value, json, process,
};
