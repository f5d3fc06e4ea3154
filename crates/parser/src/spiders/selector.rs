//! Selectors as texts: which of the three languages a text is in, and whether it is right.

use crate::css;
use crate::data::json;
use crate::spiders::error::{SpiderConfigError, wrong};
use crate::xpath;

/// A selector that is known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    Css(String),
    XPath(String),
    Json(String),
}

/// The language that a text is in, by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Css,
    XPath,
    Json,
}

impl Language {
    /// No CSS selector begins like a path of either kind.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim_start();
        let is_path = ["/", "./", "../", "("].iter().any(|start| text.starts_with(start));
        match text.starts_with('$') {
            true => Self::Json,
            false if is_path => Self::XPath,
            false => Self::Css,
        }
    }
}

impl Selector {
    /// Reads the text at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] if it is empty or does not compile.
    pub(crate) fn read(text: &str, key: &str) -> Result<Self, SpiderConfigError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong(key, "is empty").hint("write a selector, such as \"h3 a\""));
        }
        match Language::of(text) {
            Language::Css => Self::css(text, key),
            Language::XPath => Self::xpath(text, key),
            Language::Json => Self::json(text, key),
        }
    }

    pub(crate) fn css(text: &str, key: &str) -> Result<Self, SpiderConfigError> {
        let text = text.trim();
        css::compile(text).map_err(|error| wrong(key, error.to_string()))?;
        Ok(Self::Css(text.to_owned()))
    }

    pub(crate) fn xpath(text: &str, key: &str) -> Result<Self, SpiderConfigError> {
        xpath::compile(text).map_err(|error| wrong(key, error.to_string()))?;
        Ok(Self::XPath(text.to_owned()))
    }

    pub(crate) fn json(text: &str, key: &str) -> Result<Self, SpiderConfigError> {
        json::check(text).map_err(|error| wrong(key, error.to_string()))?;
        Ok(Self::Json(text.to_owned()))
    }
}
