//! The tables `[parse]` and `[spider]`, as written.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crawl_spider::Args;
use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::links::kinds::LinkSource;
use crate::spiders::ready::{CsvConfig, FeedConfig, SitemapConfig, SpiderKind, XmlConfig};

/// Reading of pages, as written in the `[parse]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub max_refresh: Duration,
    /// What counts as a link. Default: `a`, `area` and `refresh`.
    pub links: Vec<LinkSource>,
    /// Longest time that reading a page and its callback may take. A page that takes longer ends
    /// as `spider-timeout`, and the crawl goes on without the thread that hangs. Default: 1m.
    /// `0s`: no limit.
    #[serde(with = "humantime_serde")]
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

/// How a plugin is kept from doing harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
/// price = { css = ".price_color", number = true }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    pub args: Args,
    /// CSS selectors of the links to follow on every page: of elements with an `href`, or of
    /// elements with links inside. Default: all links, or none but the rules' if there are
    /// `rules`. An empty list follows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Vec<String>>,
    /// Links to follow with a label or by their URL. Of several rules that find a link the first
    /// counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleConfig>,
    /// What to take from pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemConfig>,
}

/// Which links to follow and how, as written in a `[[spider.rules]]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleConfig {
    /// CSS selector of the links. Default: all links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
    /// Regular expression that the link's whole URL must match somewhere. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Label that the pages get. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Priority that the requests get: higher goes first within a host. Default: 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
}

/// One kind of items, as written in a `[[spider.items]]` table.
///
/// Besides the fields each item has `url`, that of its page, unless a field is named so. A match
/// in which no field is found at all gives no item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemConfig {
    /// Only pages with this label have such items. Default: all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only pages whose whole URL matches this regular expression somewhere have such items.
    /// Default: all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// CSS selector of what holds an item: one item per match. Default: one item per page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Its fields by name.
    pub fields: IndexMap<String, FieldConfig>,
}

/// One field: `"CSS"`, `"CSS @attribute"`, `"CSS ::html"` or a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldConfig {
    /// The short form. Without CSS (`"@href"`) it is taken from the item's own element.
    Short(String),
    /// The long form.
    Long(FieldSpec),
}

/// The long form of a field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FieldSpec {
    /// CSS selector within the item. Default: the item's own element.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub css: String,
    /// Takes this attribute instead of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attr: Option<String>,
    /// Takes the element's HTML instead of its text. Default: false.
    #[serde(skip_serializing_if = "is_false")]
    pub html: bool,
    /// Keeps only what this regular expression finds: its first group, or the whole match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Makes a number of it: the first one in the text, in either notation (`1,234.50`,
    /// `1.234,50`). Default: false.
    #[serde(skip_serializing_if = "is_false")]
    pub number: bool,
    /// Makes an absolute URL of it. Default: false.
    #[serde(skip_serializing_if = "is_false")]
    pub link: bool,
    /// Takes all matches, as a list. Default: false, only the first.
    #[serde(skip_serializing_if = "is_false")]
    pub all: bool,
    /// The value if nothing is found. Default: null, or an empty list with `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Leaves the item out if the field is not found; the crawl's log says so. Default: false.
    #[serde(skip_serializing_if = "is_false")]
    pub required: bool,
}

fn is_the_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// By hand, because an untagged enum's errors would not name the key that is wrong.
impl<'de> Deserialize<'de> for FieldConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = FieldConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a selector like \"h3 a @title\" or a table like { css = \"h3\" }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldConfig, E> {
                Ok(FieldConfig::Short(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldConfig, A::Error> {
                FieldSpec::deserialize(MapAccessDeserializer::new(map)).map(FieldConfig::Long)
            }
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}
