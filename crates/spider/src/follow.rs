//! Requests as callbacks make them: small until it is known that they are new.
//!
//! A page has some hundred links, and nearly all are known already. So a link to follow is a
//! counted reference to its URL and a few words, and becomes a whole [`Request`] only after the
//! host has found it to be new.

use std::sync::Arc;

use crawl_model::{CanonicalUrl, FetchOptions, Method, Request};
use serde::Serialize;
use serde_json::Value;

use crate::SpiderError;

/// A request in the making. The methods set what differs from a plain GET.
///
/// ```
/// # use crawl_spider::{Harvest, Page, SpiderError};
/// # fn callback(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
/// out.follow(page, "/book/7")?.label("book").meta(&7)?.priority(5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    url: CanonicalUrl,
    label: Option<Arc<str>>,
    meta: Value,
    priority: i32,
    nofollow: bool,
    extras: Option<Box<Extras>>,
}

/// What few requests have.
#[derive(Debug, Clone, Default, PartialEq)]
struct Extras {
    method: Method,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    options: Option<Box<FetchOptions>>,
}

impl Follow {
    pub(crate) fn new(url: CanonicalUrl, nofollow: bool) -> Self {
        Self { url, label: None, meta: Value::Null, priority: 0, nofollow, extras: None }
    }

    pub(crate) fn from_request(request: Request) -> Self {
        let Request { url, method, headers, body, label, meta, priority, options, .. } = request;
        let extras = Extras { method, headers, body, options };
        let extras = (extras != Extras::default()).then(|| Box::new(extras));
        let label = (!label.is_empty()).then_some(label);
        Self { url, label, meta, priority, nofollow: false, extras }
    }

    /// Sets which callback the page is for.
    pub fn label(&mut self, label: impl Into<Arc<str>>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the metadata that the page's callback gets back from [`Page::meta`](crate::Page::meta).
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it cannot be written as JSON.
    pub fn meta(&mut self, meta: &(impl Serialize + ?Sized)) -> Result<&mut Self, SpiderError> {
        self.meta = to_value(meta)?;
        Ok(self)
    }

    /// Sets the priority: higher goes first within its host; 0 is usual.
    pub fn priority(&mut self, priority: i32) -> &mut Self {
        self.priority = priority;
        self
    }

    /// Sets the HTTP method.
    pub fn method(&mut self, method: Method) -> &mut Self {
        self.extras().method = method;
        self
    }

    /// Makes it a POST of these bytes. Mind the `Content-Type` header.
    pub fn post(&mut self, body: impl Into<Vec<u8>>) -> &mut Self {
        self.extras().method = Method::Post;
        self.extras().body = body.into();
        self
    }

    /// Adds a header, which wins over the crawl's default of that name.
    pub fn header(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.extras().headers.push((name.into(), value.into()));
        self
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Where to.
    #[must_use]
    pub fn url(&self) -> &CanonicalUrl {
        &self.url
    }

    /// Whether the link it comes from is marked `nofollow`.
    #[must_use]
    pub fn is_nofollow(&self) -> bool {
        self.nofollow
    }

    /// Whether it is a GET without a body: its fingerprint is that of its URL.
    #[must_use]
    pub fn is_plain_get(&self) -> bool {
        let is_plain = |extras: &Extras| {
            extras.method == Method::Get
                && extras.body.is_empty()
                && extras.options.as_deref().is_none_or(|options| options.unique.is_none())
        };
        self.extras.as_deref().is_none_or(is_plain)
    }

    /// The request that it stands for, found at link distance `depth` on the page `referrer`.
    #[must_use]
    pub fn into_request(self, depth: u32, referrer: Option<&CanonicalUrl>) -> Request {
        let Extras { method, headers, body, options } =
            self.extras.map(|extras| *extras).unwrap_or_default();
        Request {
            url: self.url,
            method,
            headers,
            body,
            label: self.label.unwrap_or_else(|| Arc::from("")),
            meta: self.meta,
            priority: self.priority,
            depth,
            chain: Vec::new(),
            referrer: referrer.cloned(),
            options,
        }
    }
}

/// Several requests in the making, made by one call. The methods set something on all of them.
#[derive(Debug)]
pub struct Followed<'a> {
    follows: &'a mut [Follow],
}

impl<'a> Followed<'a> {
    pub(crate) fn new(follows: &'a mut [Follow]) -> Self {
        Self { follows }
    }

    /// How many links are followed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.follows.len()
    }

    /// Whether there was nothing to follow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.follows.is_empty()
    }

    /// Sets which callback the pages are for.
    #[allow(clippy::must_use_candidate)] // called for what it does, too
    pub fn label(self, label: impl Into<Arc<str>>) -> Self {
        let label = label.into();
        self.follows.iter_mut().for_each(|follow| follow.label = Some(label.clone()));
        self
    }

    /// Sets the metadata of all.
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it cannot be written as JSON.
    pub fn meta(self, meta: &(impl Serialize + ?Sized)) -> Result<Self, SpiderError> {
        let meta = to_value(meta)?;
        self.follows.iter_mut().for_each(|follow| follow.meta = meta.clone());
        Ok(self)
    }

    /// Sets the priority of all.
    #[allow(clippy::must_use_candidate)] // called for what it does, too
    pub fn priority(self, priority: i32) -> Self {
        self.follows.iter_mut().for_each(|follow| follow.priority = priority);
        self
    }
}

fn to_value(meta: &(impl Serialize + ?Sized)) -> Result<Value, SpiderError> {
    serde_json::to_value(meta)
        .map_err(|source| SpiderError::Serialise { what: "the metadata", source })
}
