//! The `[[feed]]` tables, as written.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One export, as written in a `[[feed]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// The file, or `-` for standard output. Its text is also the feed's name in the store, so a
    /// feed that moves is a new feed, written from the first item on. Default: `items.jsonl`.
    pub path: PathBuf,
    /// How items are written. Default: by the file's extension, JSON Lines if it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FeedFormat>,
}

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FeedFormat {
    /// One item per line, as JSON (<https://jsonlines.org>).
    Jsonl,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("items.jsonl"), format: None }
    }
}

impl FeedConfig {
    /// A feed into `path`, in the format of its extension.
    #[must_use]
    pub fn to(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), format: None }
    }

    /// Whether it goes to standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The feed's name in the store.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The format; `None` if the extension is of one that is not known.
    #[must_use]
    pub fn effective_format(&self) -> Option<FeedFormat> {
        if self.format.is_some() || self.is_stdout() {
            return Some(self.format.unwrap_or(FeedFormat::Jsonl));
        }
        let extension = self.path.extension().map(|text| text.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            None | Some("jsonl" | "ndjson" | "jl") => Some(FeedFormat::Jsonl),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_the_format_unless_the_config_does() {
        let format = |path: &str| FeedConfig::to(path).effective_format();
        assert_eq!(format("a/items.jsonl"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items.NDJSON"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items"), Some(FeedFormat::Jsonl));
        assert_eq!(format("-"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items.csv"), None);
        let forced = FeedConfig { format: Some(FeedFormat::Jsonl), ..FeedConfig::to("a.txt") };
        assert_eq!(forced.effective_format(), Some(FeedFormat::Jsonl));
    }
}
