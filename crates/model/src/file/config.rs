//! The `[media]` table, as written.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Files that items ask for, as written in the `[media]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MediaConfig {
    /// Largest file that is kept, in MiB; a larger one ends as `truncated-length`. Default: 256.
    pub max_mib: NonZeroU32,
    /// MiB that all files of the crawl together may take; once they do, no more are begun, and what
    /// is asked for ends as `file-budget`. Default: 0, no limit.
    pub total_mib: u64,
    /// Longest time for a file, in minutes, in place of `fetch.total-timeout`. `fetch.idle-timeout`
    /// and `fetch.min-rate-bytes` hold besides. Default: 60.
    pub max_minutes: NonZeroU32,
    /// Media types that are kept of what is asked for as a file, as in `fetch.content-types`.
    /// Default: all. (Of what is asked for as an image, images are.)
    pub types: Vec<String>,
    /// Least width of images, in pixels; what is smaller ends as `too-small`. Default: 0.
    pub min_width: u32,
    /// Least height of images, in pixels. Default: 0.
    pub min_height: u32,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            max_mib: NonZeroU32::new(256).unwrap_or(NonZeroU32::MIN),
            total_mib: 0,
            max_minutes: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
            types: vec!["*/*".to_owned()],
            min_width: 0,
            min_height: 0,
        }
    }
}
