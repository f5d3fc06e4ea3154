//! Several requests in the making, set up by one call.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::follow::to_value;
use crate::{Follow, SpiderError};

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

    /// Sets which error callback all are for; see [`Follow::errback`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn errback(self, label: impl Into<Arc<str>>) -> Self {
        let label = label.into();
        self.each(|follow| {
            follow.errback(label.clone());
        })
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

    /// Changes each of them: `.each(|follow| { follow.jar("shop"); })`.
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn each(self, change: impl FnMut(&mut Follow)) -> Self {
        self.follows.iter_mut().for_each(change);
        self
    }

    /// Adds a header to all; see [`Follow::header`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.each(|follow| {
            follow.header(name.as_str(), value.as_str());
        })
    }

    /// Sets the longest time for each whole fetch; see [`Follow::timeout`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn timeout(self, limit: Duration) -> Self {
        self.each(|follow| {
            follow.timeout(limit);
        })
    }

    /// Lets all wait this long from now on; see [`Follow::delay`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn delay(self, delay: Duration) -> Self {
        self.each(|follow| {
            follow.delay(delay);
        })
    }

    /// Takes these statuses for successes; see [`Follow::accept`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn accept(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = Vec::from_iter(statuses);
        self.each(|follow| {
            follow.accept(statuses.iter().copied());
        })
    }

    /// Sends all even if their URLs are known; see [`Follow::dont_filter`].
    #[allow(clippy::must_use_candidate)] // called for what it does
    pub fn dont_filter(self) -> Self {
        self.each(|follow| {
            follow.dont_filter();
        })
    }

    /// Sets the priority of all.
    #[allow(clippy::must_use_candidate)] // called for what it does, too
    pub fn priority(self, priority: i32) -> Self {
        self.follows.iter_mut().for_each(|follow| follow.priority = priority);
        self
    }
}
