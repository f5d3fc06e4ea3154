//! What a single request may ask of its fetch, beyond what the crawl's config says.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of one request. The default of each is "as the config says".
///
/// They travel with the request through the store, so they survive a kill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchOptions {
    /// Longest time for the whole fetch, in place of `fetch.total-timeout`.
    #[serde(
        rename = "timeout_us",
        with = "crate::timing::micros",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout: Option<Duration>,
    /// Not to be sent before this: milliseconds since the Unix epoch; 0 for at once. The host's
    /// own clock counts, too.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_before_ms: u64,
    /// The proxy by its name in `[fetch.proxies]`; `Some("")` for none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Arc<str>>,
    /// The cookie jar by its name; `Some("")` for no cookies at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jar: Option<Arc<str>>,
    /// Statuses besides those of [`Spider::wants_status`] that the callback wants to see. They are
    /// no errors then and are not tried again.
    ///
    /// [`Spider::wants_status`]: https://docs.rs/crawl-spider
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<u16>,
    /// Makes this request one of its own, even if its URL is known: part of its fingerprint, so
    /// that its page has a key of its own. `None`: duplicates are dropped.
    /// [`UNNUMBERED`](Self::UNNUMBERED): a number is chosen where the request is admitted, from
    /// the page that asks for it, so that the page fetched again asks for the same request. Any
    /// other number is kept as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
    /// Whether an answer earlier in the redirect chain changed the cookies: then a URL of the
    /// chain may be asked once more. Set where redirects are followed.
    #[serde(skip_serializing_if = "is_false")]
    pub cookies_changed: bool,
}

impl FetchOptions {
    /// Stands in [`unique`](Self::unique) until a number is chosen.
    pub const UNNUMBERED: u64 = u64::MAX;

    /// Nothing set.
    pub const NOTHING: Self = Self {
        timeout: None,
        not_before_ms: 0,
        proxy: None,
        jar: None,
        accept: Vec::new(),
        unique: None,
        cookies_changed: false,
    };
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
