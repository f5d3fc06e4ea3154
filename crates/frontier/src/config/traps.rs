//! The `[traps]` table: what a site may do that brings URLs without end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of what looks like a trap is followed, as written in the `[traps]` table.
///
/// A refused URL is recorded with the trap's name (`trap-calendar` say), and the report names the
/// hosts. For all keys 0 means "no limit". Seeds are never refused. The defaults are meant to leave
/// whole sites alone that only look odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrapsConfig {
    /// Most times in a row that one segment, or one sequence of them, may come in a path:
    /// `/a/b/a/b` has one twice. Beyond: `trap-repeats`. Default: 3.
    pub max_segment_repeats: u32,
    /// Most segments of a path. Beyond: `trap-long-path`. Default: 32.
    pub max_path_segments: u32,
    /// Longest path in bytes, without the query. Beyond: `trap-long-path`. Default: 1024.
    pub max_path_bytes: u32,
    /// Most pages of one calendar with dates before 1990 or after next year: URLs of one host that
    /// differ in their digits alone. Beyond: `trap-calendar`. Default: 100.
    pub max_calendar_pages: u32,
    /// Most values of what looks like a session id for one page, on hosts where many pages have it.
    /// Beyond: `trap-sessions`. Default: 1000.
    pub max_session_values: u32,
    /// Most URLs of one path with several query parameters that only mix values anew which the
    /// path has had before, up to eight times as many as there are values. Beyond: `trap-facets`.
    /// Default: 1000.
    pub max_facet_mixes: u32,
    /// Most pages of a host that are byte for byte the same and whose links are followed. What is
    /// only linked from more: `trap-duplicates`. Default: 20.
    pub max_duplicates: u32,
    /// How many bits of two pages' 64-bit simhashes may differ so that they count as copies of each
    /// other: pages whose text is the same but for a date, a counter or a few words. What is only
    /// linked from more than `max-duplicates` of them: `trap-near-duplicates`. 3 is usual; with more
    /// than 6 different pages of one template become one. Costs some 20 us of CPU a page. Default: 0,
    /// which compares nothing.
    pub near_duplicates: u8,
}

impl Default for TrapsConfig {
    fn default() -> Self {
        Self {
            max_segment_repeats: 3,
            max_path_segments: 32,
            max_path_bytes: 1024,
            max_calendar_pages: 100,
            max_session_values: 1000,
            max_facet_mixes: 1000,
            max_duplicates: 20,
            near_duplicates: 0,
        }
    }
}
