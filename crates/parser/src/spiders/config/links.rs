//! What to follow, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FieldConfig, is_the_default};

/// Which links to follow and how, as written in a `[[spider.rules]]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleConfig {
    /// Only on pages with this label. Default: on all but those that complete an item (`detail`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// CSS selector of the links, or of what they stand in. Default: all links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
    /// XPath expression in place of `css`; it may give attributes and texts, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xpath: Option<String>,
    /// JSONPath of the URLs in the page's JSON, in place of `css`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// Regular expression that the link's whole URL must match somewhere. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Regular expression that the link's whole URL must match nowhere. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<String>,
    /// Regular expression that the link's text must match somewhere. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Most links that it follows per page, the first ones. Default: 0, no limit.
    #[serde(skip_serializing_if = "is_the_default")]
    pub max: u32,
    /// Whether it passes over links that are marked `nofollow`. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub skip_nofollow: bool,
    /// Label that the pages get. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Priority that the requests get: higher goes first within a host. Default: 0.
    #[serde(skip_serializing_if = "is_the_default")]
    pub priority: i32,
    /// Fields of the page that travel with the requests; a field with `meta` gets them there.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub carry: IndexMap<String, FieldConfig>,
}

/// How a list goes on from page to page, as written in a `[[spider.pages]]` table: by a link
/// (`next`), or by a query parameter (`param`) that is counted up or gets a `cursor`.
///
/// The next page has the label of this one, and what this one carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PagesConfig {
    /// Only on pages with this label. Default: on all but those that complete an item (`detail`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Only on pages whose whole URL matches this regular expression somewhere. Default: on all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Selector of the link to the next page, or JSONPath of its URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Query parameter that says which page it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Value of the parameter on a page without it. Default: 1.
    pub from: i64,
    /// What is added to it for the next page. Default: 1.
    pub step: i64,
    /// JSONPath of what the parameter gets instead; none, null, false or an empty text end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// JSONPath that must find something true: `$.has_next`. Default: it goes on without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Whether it ends with a page that gives no items, or, if no items are taken there, no links
    /// to follow. Default: true if the parameter is counted, else false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_when_empty: Option<bool>,
    /// Whether it ends with a page on which all links that are followed are known. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub stop_when_known: bool,
    /// Most pages in a row, the first included. Default: 0, no limit.
    #[serde(skip_serializing_if = "is_the_default")]
    pub max: u32,
    /// Priority that the requests get: higher goes first within a host. Default: 0.
    #[serde(skip_serializing_if = "is_the_default")]
    pub priority: i32,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self {
            on: None,
            url: None,
            next: None,
            param: None,
            from: 1,
            step: 1,
            cursor: None,
            more: None,
            stop_when_empty: None,
            stop_when_known: false,
            max: 0,
            priority: 0,
        }
    }
}
