//! What can go wrong in a callback, as one error that `?` converts into.

use crawl_model::UrlError;

use crate::{FormError, ItemError};

/// Why a callback gave up on its page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpiderError {
    /// A selector or XPath expression cannot be answered.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// A JSONPath or regular expression does not parse.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A link cannot be followed.
    #[error("cannot follow `{href}`")]
    Link {
        /// As it stands in the document, shortened to 200 characters.
        href: String,
        /// Why.
        source: UrlError,
    },
    /// A URL is none, or not one that is crawled.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// An item or metadata cannot be written as JSON.
    #[error("cannot serialise {what}")]
    Serialise {
        /// Which of the two.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A request's metadata is not of the type asked for.
    #[error("the metadata of the request is not as expected")]
    Meta(#[source] serde_json::Error),
    /// The spider's arguments are not what it takes.
    #[error("the arguments of the spider are not as expected")]
    Args(#[source] serde_json::Error),
    /// A body that was to be JSON is not, or not of the type asked for.
    #[error("the JSON is not as expected")]
    Json(#[from] serde_json::Error),
    /// Something on the page is not the item that a type describes.
    #[error(transparent)]
    Item(Box<ItemError>),
    /// A form cannot be filled in or sent as asked.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The spider panicked out of the host's sight: in a plugin, which hands on the message.
    #[error("{0}")]
    Panicked(String),
    /// The process in which the spider ran died over the page.
    #[error("{0}")]
    Crashed(String),
    /// The spider did not return in time and was ended.
    #[error("{0}")]
    TimedOut(String),
    /// Whatever else the spider found wrong.
    #[error("{0}")]
    Other(String),
}

impl SpiderError {
    /// An error with a message of the spider's own.
    pub fn other(message: impl std::fmt::Display) -> Self {
        Self::Other(message.to_string())
    }

    /// The message with those of all sources, joined by `: `, as records keep it.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

impl From<ItemError> for SpiderError {
    fn from(error: ItemError) -> Self {
        Self::Item(Box::new(error))
    }
}

impl From<String> for SpiderError {
    fn from(message: String) -> Self {
        Self::Other(message)
    }
}

impl From<&str> for SpiderError {
    fn from(message: &str) -> Self {
        Self::Other(message.to_owned())
    }
}

impl From<std::num::ParseIntError> for SpiderError {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::other(error)
    }
}

impl From<std::num::ParseFloatError> for SpiderError {
    fn from(error: std::num::ParseFloatError) -> Self {
        Self::other(error)
    }
}

/// A selector or XPath expression that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{selector}` {problem}: {reason}")]
pub struct SelectorError {
    /// The selector as it was given.
    pub selector: String,
    /// What kind of problem it is.
    pub problem: SelectorProblem,
    /// What the parser said.
    pub reason: String,
}

/// A query in a language other than CSS that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{query}` is not a {language}: {reason}")]
pub struct QueryError {
    /// Which language: `JSONPath`, `regular expression`.
    pub language: &'static str,
    /// The query as it was given.
    pub query: String,
    /// What the parser said.
    pub reason: String,
}

/// What is wrong with a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectorProblem {
    /// It is no CSS selector.
    NotCss,
    /// It is no XPath expression.
    NotXPath,
    /// It is an XPath expression for a number, a string or a boolean where nodes were asked for.
    NotNodes,
    /// It asks for more work than a page is worth.
    TooCostly,
}

impl std::fmt::Display for SelectorProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotCss => "is not a CSS selector",
            Self::NotXPath => "is not an XPath expression",
            Self::NotNodes => "gives no nodes",
            Self::TooCostly => "was given up on",
        })
    }
}

impl SelectorError {
    /// A CSS selector that does not parse.
    pub fn css(selector: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(selector, SelectorProblem::NotCss, reason)
    }

    /// An XPath expression that is none.
    pub fn xpath(expr: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(expr, SelectorProblem::NotXPath, reason)
    }

    /// A selector that takes too long in this document.
    pub fn costly(selector: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(selector, SelectorProblem::TooCostly, reason)
    }

    pub(crate) fn new(
        selector: impl Into<String>,
        problem: SelectorProblem,
        reason: impl Into<String>,
    ) -> Self {
        Self { selector: selector.into(), problem, reason: reason.into() }
    }
}
