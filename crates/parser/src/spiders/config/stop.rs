//! When a crawl is closed early, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::is_the_default;

/// When to close the crawl before its end, as written in the `[spider.stop]` table.
///
/// Closing is orderly: what is in flight settles, with its items, the rest stays queued, and the
/// same command goes on. So there may be more items than asked for, as many as the pages give that
/// were in flight; none is thrown away. All counts are those of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StopConfig {
    /// After so many items. Default: 0, never.
    #[serde(skip_serializing_if = "is_the_default")]
    pub items: u64,
    /// After so many requests without a page. Default: 0, never.
    #[serde(skip_serializing_if = "is_the_default")]
    pub errors: u64,
    /// With an item of which one of these holds; it is kept. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<WhenConfig>,
    /// With pages that have nothing new. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownConfig>,
}

/// What an item must be like to close the crawl: all that is said of it holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WhenConfig {
    /// Name of the field.
    pub field: String,
    /// It is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// It matches this regular expression somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// It is a date before this one, or longer ago than this time: `2024-01-31`, `30d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// It is a number less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// It is a number greater than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

/// Which pages close the crawl because all that is followed from them is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownConfig {
    /// Label of the pages that count. Default: those without one.
    pub label: String,
    /// So many in a row, as they come in. Default: 1.
    pub pages: u32,
}

impl Default for KnownConfig {
    fn default() -> Self {
        Self { label: String::new(), pages: 1 }
    }
}
