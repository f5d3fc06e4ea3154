//! What travels with the requests of a declarative spider, in their metadata.

use crawl_spider::{Page, SpiderError, Value};
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// The metadata of one request. It survives a kill with the request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Luggage {
    /// What fields with `meta` read.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) carry: Map<String, Value>,
    /// The item that the page completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Carried>,
    /// How many pages of the list came before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) page: u32,
    /// How far the login is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login: Option<LoginStep>,
}

/// An item on its way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// Which of `spider.items`.
    pub(crate) rule: usize,
    /// Which of its `detail`s, from 0.
    pub(crate) level: usize,
    /// What there is of it.
    pub(crate) fields: Map<String, Value>,
}

/// What page of the login it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoginStep {
    /// The one with the form.
    Form,
    /// The answer to it.
    Answer,
}

impl Luggage {
    /// What came with a page.
    ///
    /// # Errors
    /// [`SpiderError::Meta`] if another spider has written it.
    pub(crate) fn of(page: &Page<'_>) -> Result<Self, SpiderError> {
        match &page.request().meta {
            Value::Null => Ok(Self::default()),
            _ => page.meta(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As metadata.
    pub(crate) fn to_meta(&self) -> Result<Value, SpiderError> {
        if self.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::to_value(self)
            .map_err(|source| SpiderError::Serialise { what: "the metadata", source })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}
