//! What a file with a spider in it needs: `use crawl::prelude::*;`.

pub use crate::{Config, Crawl, CrawlError, Handle, Pages, Report};
pub use crawl_spider::EmbeddedItem as Item;
pub use crawl_spider::{
    CanonicalUrl, FailedRequest, Follow, Followed, Harvest, Link, LinkExtractor, LinkKind, Node,
    Nodes, Page, PageItem, Request, Rule, Rules, Spider, SpiderError, Value, json, process,
};
