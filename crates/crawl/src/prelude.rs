//! What a file with a spider in it needs: `use crawl::prelude::*;`.

pub use crate::{Config, Crawl, CrawlError, Handle, Middleware, Pages, Report, Waiting};
pub use crawl_spider::EmbeddedItem as Item;
pub use crawl_spider::{
    CanonicalUrl, Closed, Dropped, FailedRequest, Follow, Followed, Harvest, ItemStep, Link,
    LinkExtractor, LinkKind, LogLevel, Node, Nodes, Page, PageInfo, PageItem, Refusal, Request,
    RequestStep, Response, Rule, Rules, Spider, SpiderError, Value, json, process,
};
