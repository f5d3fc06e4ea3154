//! The table `[parse]`, as written.

use std::time::Duration;

use crawl_model::DURATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::links::kinds::LinkSource;

/// Reading of pages, as written in the `[parse]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ParseConfig {
    /// Threads that read pages and run the spider. Default: 0, as many as there are cores.
    pub threads: usize,
    /// Whether links marked `rel=nofollow`, and all links of pages whose robots meta tag or
    /// `X-Robots-Tag` says so, are left out, and recorded as filtered (`nofollow`) unless another
    /// link leads there. Default: false. They count in a page's number of links all the same.
    pub obey_nofollow: bool,
    /// Whether a page whose robots meta tag or `X-Robots-Tag` says `noindex` is not kept: it ends
    /// as `noindex`, its links are followed, its items and its body are dropped. Default: false.
    pub obey_noindex: bool,
    /// Longest delay with which a `Refresh` field or meta tag that leads to another page counts
    /// as a redirect; with a longer one the page is read as any other, and the refresh is a link.
    /// Default: `5s`. `0s`: never.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max_refresh: Duration,
    /// What counts as a link. Default: `a`, `area` and `refresh`.
    pub links: Vec<LinkSource>,
    /// Longest time that reading a page and its callback may take. A page that takes longer ends
    /// as `spider-timeout`, and the crawl goes on without the thread that hangs. Default: 1m.
    /// `0s`: no limit.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max_time: Duration,
    /// Whether the character encoding of text that does not declare one, and is not UTF-8, is
    /// guessed by its letters and its host's name. Default: false, it is windows-1252.
    pub detect_encoding: bool,
}

impl Default for ParseConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            obey_nofollow: false,
            obey_noindex: false,
            max_refresh: Duration::from_secs(5),
            links: LinkSource::DEFAULT.to_vec(),
            max_time: Duration::from_secs(60),
            detect_encoding: false,
        }
    }
}
