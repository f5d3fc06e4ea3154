//! The `[store]` table, as written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("crawl-data"),
            bodies: Bodies::None,
            cache_mib: 32,
            body_segment_mib: 1024,
        }
    }
}

impl StoreConfig {
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
            serde_json::json!({"path": "crawl-data", "bodies": "none", "cache-mib": 32,
                "body-segment-mib": 1024})
        );
        assert!(serde_json::from_str::<StoreConfig>(r#"{"cache": 1}"#).is_err());
    }
}
