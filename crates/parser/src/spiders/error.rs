//! What can be wrong with a `[spider]` table, and where.

use regex::Regex;

/// What is wrong with a `[spider]` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SpiderConfigError {
    /// The key, as `spider.items[0].fields.price`; list entries count from 0.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SpiderConfigError {
    /// Adds what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

pub(crate) fn wrong(key: impl Into<String>, problem: impl Into<String>) -> SpiderConfigError {
    SpiderConfigError { key: key.into(), problem: problem.into(), hint: None }
}

/// The key `name` of the table at `key`: quoted as in TOML unless it is bare.
pub(crate) fn sub(key: &str, name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) {
        format!("{key}.{name}")
    } else {
        format!("{key}.\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Compiles the regular expression at `key`.
pub(crate) fn regex_at(pattern: &str, key: &str) -> Result<Regex, SpiderConfigError> {
    Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        wrong(key, format!("`{pattern}` is not a regular expression: {last}"))
    })
}

/// As [`regex_at`], of the key `name` of the table at `key`, if it is there.
pub(crate) fn regex_in(
    pattern: Option<&String>,
    key: &str,
    name: &str,
) -> Result<Option<Regex>, SpiderConfigError> {
    pattern.map(|pattern| regex_at(pattern, &format!("{key}.{name}"))).transpose()
}
