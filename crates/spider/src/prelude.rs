//! What a file with a spider in it needs: `use crawl_spider::prelude::*;`.

pub use crate::{
    Args, CanonicalUrl, Closed, FailedRequest, Follow, Followed, FromArgs, Harvest, Link,
    LinkExtractor, LinkKind, LogLevel, Node, Nodes, Page, Request, Rule, Rules, Spider,
    SpiderError, Value, json,
};
