//! The grammars of the languages that pages are asked in: text in, tree or error out.
//!
//! Three crates read them: the parser matches what is compiled here on documents, the macros of
//! the SDK check at compile time what a spider's author wrote, and both say the same about the
//! same text. So what a name becomes is a parameter ([`Names`]): the parser's are interned, those
//! of a macro are plain text.
//!
//! ```
//! let error = crawl_query::css("a:hoover").unwrap_err();
//! assert_eq!(error.reason, "the pseudo-class `:hoover` is not known, at character 2");
//! assert!(crawl_query::xpath("//a[@href]").is_ok());
//! assert!(crawl_query::regex(r"(\d+").is_err());
//! ```
//!
//! Not here: documents, matching, the regular expressions' engine.

pub mod css;
pub mod xpath;

mod names;
mod regex;

pub use names::{Names, Plain};
pub use regex::regex;

/// What is wrong with a text, and in which language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What it should be: `CSS selector`, `XPath expression`, `regular expression`.
    pub language: &'static str,
    /// The text.
    pub text: String,
    /// What is wrong and, if that is not its end, at which character, from 1.
    pub reason: String,
}

impl SyntaxError {
    pub(crate) fn new(language: &'static str, text: &str, reason: impl Into<String>) -> Self {
        Self { language, text: text.to_owned(), reason: reason.into() }
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let article = if self.language.starts_with(['X']) { "an" } else { "a" };
        write!(f, "`{}` is not {article} {}: {}", self.text, self.language, self.reason)
    }
}

impl std::error::Error for SyntaxError {}

/// Checks a CSS selector, or a list of them.
///
/// # Errors
/// [`SyntaxError`] that says what is wrong and where.
pub fn css(text: &str) -> Result<css::Selector<Plain>, SyntaxError> {
    css::parse(text)
}

/// Checks an XPath expression.
///
/// # Errors
/// [`SyntaxError`] that says what is wrong and where.
pub fn xpath(text: &str) -> Result<xpath::Expression<Plain>, SyntaxError> {
    xpath::parse(text)
}

/// The character, from 1, that the byte `at` belongs to.
fn place_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).chars().count() + 1
}
