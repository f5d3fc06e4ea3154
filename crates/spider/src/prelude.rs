//! What a file with a spider in it needs: `use crawl_spider::prelude::*;`.

pub use crate::{
    Args, CanonicalUrl, Closed, FailedRequest, Follow, Followed, FromArgs, Harvest, Link, LinkKind,
    LogLevel, Node, Nodes, Page, Request, Spider, SpiderError, Value, json, spider,
};
