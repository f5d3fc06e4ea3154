//! Items and the pages that complete them, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FieldConfig, is_the_default};

/// One kind of items, as written in a `[[spider.items]]` table.
///
/// Besides the fields each item has `url`, that of its page, unless a field is named so. A match
/// in which no field is found at all gives no item; constants and the like do not count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemConfig {
    /// What such items are called: `crawl inspect STORE items -w kind=NAME`. Default: the label of
    /// their page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which version of this table it is, from 0; every item is stored with it. Raise it when you
    /// change what is taken. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The fields that tell one such item from another, wherever it stands: by them it is found in
    /// the store, and known again when the site is crawled again. What is found twice is kept
    /// twice; that is for `dedup` in `[[pipeline]]` to change. Default: none, or the fields of the
    /// first `dedup` step that it goes through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Only pages with this label have such items. Default: all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only pages whose whole URL matches this regular expression somewhere have such items.
    /// Default: all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the JSON stands that `select` and `json` are asked of: a field whose text is JSON.
    /// Default: the page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<FieldConfig>,
    /// Selector of what holds an item: one item per match. Default: one item per page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Its fields by name.
    pub fields: IndexMap<String, FieldConfig>,
    /// The page that completes it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailConfig>,
}

/// A page that completes an item, as written in the key `detail`.
///
/// What is there of the item travels with the request, so it survives a kill. The item's `url` is
/// that of the last such page. Several items that lead to one page are one item, the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetailConfig {
    /// The link, within the item (in a `detail` of a `detail`: in the page). Of elements their
    /// `href` is taken.
    pub follow: FieldConfig,
    /// Label of the page. Items and rules without a label leave it alone. Default: `detail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Fields to add; one that the item has already takes its place if it is found.
    #[serde(default)]
    pub fields: IndexMap<String, FieldConfig>,
    /// What becomes of the item if the page cannot be had, or there is no link. Default: `keep`.
    #[serde(default, skip_serializing_if = "is_the_default")]
    pub on_failure: OnFailure,
    /// Whether the page is asked for even if it is known: each item that leads to it is completed.
    /// Default: false.
    #[serde(default, skip_serializing_if = "is_the_default")]
    pub dont_filter: bool,
    /// Priority that the request gets: higher goes first within a host. Default: 0.
    #[serde(default, skip_serializing_if = "is_the_default")]
    pub priority: i32,
    /// The page that completes it further. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<DetailConfig>>,
}

/// What becomes of an item that cannot be completed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It is kept as it is; what is missing counts as not found.
    #[default]
    Keep,
    /// It is dropped.
    Drop,
}
