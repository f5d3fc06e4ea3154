//! What stands between a callback and the store: steps that items and requests go through.
//!
//! A spider that has none pays nothing; with one, each item is read as JSON
//! once for all steps, the config's `[[pipeline]]` included.

use crawl_model::{CanonicalUrl, Dropped, Refusal, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::SpiderError;

/// A step of the item pipeline: changes an item, or drops it.
///
/// Called on the CPU threads, of many pages at once, after the callback and before the store, so
/// what it knows of an item is gone with the process if that is killed: what must hold over all
/// pages (no duplicates, say) is the `dedup` step of the config. A step that panics drops the item.
///
/// # Examples
/// ```
/// use crawl_spider::{Dropped, ItemStep, PageInfo, Value};
///
/// struct InPounds;
///
/// impl ItemStep for InPounds {
///     fn process(&self, mut item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
///         let Some(pence) = item["pence"].as_u64() else {
///             return Err(Dropped::new("no price").because(page.url()));
///         };
///         item["pounds"] = (pence as f64 / 100.0).into();
///         Ok(item)
///     }
/// }
/// ```
pub trait ItemStep: Send + Sync {
    /// A short name, by which reports count what it drops. Default: `step`.
    fn name(&self) -> &str {
        "step"
    }

    /// Takes an item and gives it back, changed or not.
    ///
    /// # Errors
    /// [`Dropped`] if it is not to be kept: it is counted by its reason, and can be looked at by
    /// `crawl inspect STORE items --dropped`.
    fn process(&self, item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped>;
}

/// A step that the requests of callbacks go through: changes a request, or refuses it.
///
/// Called on the CPU threads for each request that a callback makes and each link it follows,
/// before it is known whether that is new, so it may change all of it, the URL included (to take
/// the session out of it, say). Not called for seeds and redirects. What must happen when the
/// request is sent (a token that is fresh) is for a middleware of the embedding program.
pub trait RequestStep: Send + Sync {
    /// A short name for reports. Default: `step`.
    fn name(&self) -> &str {
        "step"
    }

    /// Changes a request.
    ///
    /// # Errors
    /// [`Refusal`] if it is not to be made: the URL is recorded as filtered (`refused`).
    fn process(&self, request: &mut Request) -> Result<(), Refusal>;
}

/// What a step knows of the page that an item is from.
#[derive(Debug, Clone, Copy)]
pub struct PageInfo<'a> {
    request: &'a Request,
    status: Option<u16>,
}

impl<'a> PageInfo<'a> {
    /// Puts it together; for hosts and tests. `status` is `None` if no response came.
    #[must_use]
    pub fn new(request: &'a Request, status: Option<u16>) -> Self {
        Self { request, status }
    }

    /// The request it answers.
    #[must_use]
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &'a CanonicalUrl {
        &self.request.url
    }

    /// The label of the callback it was for; empty for the default one.
    #[must_use]
    pub fn label(&self) -> &'a str {
        &self.request.label
    }

    /// Link distance from the nearest seed; 0 for seeds.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.request.depth
    }

    /// HTTP status; `None` if no response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The request's metadata, typed.
    ///
    /// # Errors
    /// [`SpiderError::Meta`] if it is not a `T`.
    pub fn meta<T: Deserialize<'a>>(&self) -> Result<T, SpiderError> {
        T::deserialize(&self.request.meta).map_err(SpiderError::Meta)
    }
}

impl From<SpiderError> for Dropped {
    /// The step could not do its work: the reason is `error`, the error its detail.
    fn from(error: SpiderError) -> Self {
        Self::new("error").because(error.chain())
    }
}
