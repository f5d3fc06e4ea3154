//! Expressions that a spider uses on its pages, told beforehand so that a typing error in one ends
//! the crawl before it begins and not every one of its pages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A selector, pattern or path that a spider will use, and where it stands in the spider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expression {
    /// In which language it is written.
    pub language: Language,
    /// Its text.
    pub text: String,
    /// Where it stands, for the error that names it: `rule 2, allow`.
    pub place: String,
}

/// Languages of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// A CSS selector.
    Css,
    /// An XPath 1.0 expression.
    XPath,
    /// A regular expression.
    Regex,
    /// A JSONPath.
    JsonPath,
}

impl Language {
    /// Its name, as messages write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Css => "CSS selector",
            Self::XPath => "XPath expression",
            Self::Regex => "regular expression",
            Self::JsonPath => "JSONPath",
        }
    }
}

impl Expression {
    /// Puts one together.
    #[must_use]
    pub fn new(language: Language, text: impl Into<String>, place: impl Into<String>) -> Self {
        Self { language, text: text.into(), place: place.into() }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} `{}`", self.place, self.language.name(), self.text)
    }
}
