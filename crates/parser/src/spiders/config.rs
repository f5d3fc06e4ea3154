//! The table `[spider]`, as written.
//!
//! A selector is a text in every place: XPath if it begins as a path does (`/`, `./`, `../`,
//! `(`), JSONPath if it begins with `$`, and CSS in all other cases.

mod field;
mod items;
mod links;
mod parse;
mod start;
mod stop;

use std::path::PathBuf;

use crawl_spider::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spiders::ready::{CsvConfig, FeedConfig, SitemapConfig, SpiderKind, XmlConfig};

pub use field::{FieldConfig, FieldSpec, FieldType, PageProperty};
pub use items::{DetailConfig, ItemConfig, OnFailure};
pub use links::{PagesConfig, RuleConfig};
pub use parse::ParseConfig;
pub use start::{LoginConfig, StartConfig};
pub use stop::{KnownConfig, StopConfig, WhenConfig};

/// How a plugin is kept from doing harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// It runs in the crawler's own process: fast; panics are caught, but a crash is the
    /// crawler's, and memory without end, too.
    #[default]
    None,
    /// It runs in child processes, which may crash, hang or eat memory.
    Process,
}

/// The spider, as written in the `[spider]` table: a plugin, or one without Rust.
///
/// ```toml
/// [spider]
/// follow = ["li.next a", ".product_pod h3 a"]
///
/// [[spider.items]]
/// select = "article.product_pod"
/// [spider.items.fields]
/// title = "h3 a @title"
/// price = { css = ".price_color", type = "number" }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpiderConfig {
    /// The plugin that is the spider: the folder of its crate, which is built, or a shared
    /// library. It says itself what to follow and to take. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PathBuf>,
    /// How the plugin is kept from doing harm. Default: `none`.
    #[serde(skip_serializing_if = "is_the_default")]
    pub isolation: Isolation,
    /// Most memory of each child process with `isolation = "process"`, in MiB. Default: 1024.
    /// 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// What is read beside ordinary pages. Default: nothing.
    #[serde(skip_serializing_if = "is_the_default")]
    pub kind: SpiderKind,
    /// How sitemaps are read; with `kind = "sitemap"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sitemap: Option<SitemapConfig>,
    /// How feeds are read; with `kind = "feed"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedConfig>,
    /// What is taken of XML documents; with `kind = "xml"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<XmlConfig>,
    /// How CSV files are read; with `kind = "csv"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvConfig>,
    /// What the spider is told. Default: nothing.
    #[serde(skip_serializing_if = "Args::is_empty")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub args: Args,
    /// Where the crawl begins besides the `seeds`: URL templates, forms, JSON.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start: Vec<StartConfig>,
    /// What is sent before anything else is asked. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginConfig>,
    /// Selectors of the links to follow on every page: of elements with an `href`, or of elements
    /// with links inside. Default: all links, or none but those of `rules` and `pages` if there
    /// are any. An empty list follows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Vec<String>>,
    /// Links to follow with a label, or chosen by more than a selector. Of several rules that find
    /// a link the first counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleConfig>,
    /// How lists go on from page to page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PagesConfig>,
    /// What to take from pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemConfig>,
    /// When to close the crawl before its end. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopConfig>,
}

fn is_the_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
