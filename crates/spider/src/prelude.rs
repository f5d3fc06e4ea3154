//! What a file with a spider in it needs: `use crawl_spider::prelude::*;`.

pub use crate::{
    Args, CanonicalUrl, Closed, Dropped, FailedRequest, Follow, Followed, FromArgs, Harvest,
    ItemStep, Link, LinkExtractor, LinkKind, LogLevel, Node, Nodes, Page, PageInfo, Refusal,
    Request, RequestStep, Rule, Rules, Spider, SpiderError, Value, json, spider,
};
