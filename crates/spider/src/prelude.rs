//! What a file with a spider in it needs: `use crawl_spider::prelude::*;`.

pub use crawl_spider_derive::Item;

pub use crate::process;
pub use crate::{
    Args, CanonicalUrl, Closed, Dropped, FailedRequest, FileAsk, Follow, Followed, FromArgs,
    Harvest, ItemStep, Link, LinkExtractor, LinkKind, LogLevel, Node, Nodes, Page, PageInfo,
    PageItem, Refusal, Request, RequestStep, Rule, Rules, Spider, SpiderError, Value, json, spider,
};
