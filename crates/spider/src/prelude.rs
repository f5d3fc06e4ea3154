//! What a file with a spider in it needs: `use crawl_spider::prelude::*;`.

pub use crate::{
    Args, CanonicalUrl, Closed, Dropped, FailedRequest, Follow, Followed, FromArgs, Harvest,
    ItemStep, Link, LinkKind, LogLevel, Node, Nodes, Page, PageInfo, Refusal, Request, RequestStep,
    Spider, SpiderError, Value, json, spider,
};
