//! The `[store]` table, as written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::warc::BodyCompression;

/// Where a crawl is kept and what of it, as written in the `[store]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreConfig {
    /// The crawl's folder. Created if absent; must be empty or a crawl's. Default: `crawl-data`.
    pub path: PathBuf,
    /// Which bodies are archived. Default: `none`.
    pub bodies: Bodies,
    /// Page cache of the database, in MiB; 0 means as little as it can. The process may use two
    /// to three times as much. Default: 32.
    pub cache_mib: u32,
    /// Size in MiB (compressed) after which a new body file is begun; 0 means never.
    /// Default: 1024.
    pub body_segment_mib: u32,
    /// How archived records are compressed. Default: `gzip`.
    pub body_compression: BodyCompression,
    /// In which other forms HTML pages are archived beside their bodies. Default: none.
    pub conversions: Vec<Conversion>,
    /// Whether archived requests keep their credentials: `Authorization`, `Cookie`,
    /// `Proxy-Authorization`, and what a middleware has added. Default: false.
    pub archive_credentials: bool,
    /// How much is kept of the items that the pipeline dropped, over all, in MiB: to be looked at
    /// by `crawl inspect STORE items --dropped`. 0 keeps none; all are counted. Default: 16.
    pub dropped_mib: u32,
    /// How much is kept of each of them, in KiB. Default: 4.
    pub dropped_item_kib: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("crawl-data"),
            bodies: Bodies::None,
            cache_mib: 16,
            body_segment_mib: 1024,
            body_compression: BodyCompression::Gzip,
            conversions: Vec::new(),
            archive_credentials: false,
            dropped_mib: 16,
            dropped_item_kib: 4,
        }
    }
}

impl StoreConfig {
    /// How many bytes are kept of each dropped item.
    #[must_use]
    pub fn dropped_item_bytes(&self) -> usize {
        (self.dropped_item_kib as usize).saturating_mul(1024)
    }

    /// The defaults, in another folder.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// Which bodies are archived as WARC records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bodies {
    /// None.
    #[default]
    None,
    /// Those of `text/html` and `application/xhtml+xml` responses, whatever their status.
    Html,
    /// Every response that settles a URL, redirects included.
    All,
}

/// Another form of a page, archived as a `conversion` record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// Its text.
    Text,
    /// Its text as Markdown.
    Markdown,
}

/// What a run asks for beyond the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Removes what an earlier crawl left in the folder, and starts over.
    pub fresh: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_manual() {
        let json = serde_json::to_value(StoreConfig::default()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"path": "crawl-data", "bodies": "none", "cache-mib": 16,
                "body-segment-mib": 1024, "body-compression": "gzip", "conversions": [],
                "archive-credentials": false, "dropped-mib": 16, "dropped-item-kib": 4})
        );
        assert!(serde_json::from_str::<StoreConfig>(r#"{"cache": 1}"#).is_err());
    }
}
