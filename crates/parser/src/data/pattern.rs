//! Regular expressions on what selectors found.
//!
//! Matching is linear in the text, whatever the pattern; what a pattern may take to compile and
//! to cache is bounded.

use crawl_spider::QueryError;
use regex::{Captures, Regex, RegexBuilder};

use super::compiled::Compiled;

/// Patterns kept per thread.
const MAX_PATTERNS: usize = 128;

/// Largest compiled pattern, and largest cache of its automaton, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

thread_local! {
    static PATTERNS: Compiled<Regex> = Compiled::new(MAX_PATTERNS);
}

/// What the first `most` matches give: the group named `extract` if there is one, else all
/// groups (one that takes no part gives an empty text), else the whole match.
///
/// # Errors
/// [`QueryError`] if `pattern` does not compile.
pub(crate) fn find(pattern: &str, text: &str, most: usize) -> Result<Vec<String>, QueryError> {
    let regex = PATTERNS.with(|patterns| patterns.get(pattern, compile))?;
    let mut found = Vec::new();
    if regex.captures_len() == 1 {
        found.extend(regex.find_iter(text).take(most).map(|it| it.as_str().to_owned()));
        return Ok(found);
    }
    let has_extract = regex.capture_names().flatten().any(|name| name == "extract");
    let group = |captures: &Captures<'_>, n: usize| {
        captures.get(n).map_or_else(String::new, |it| it.as_str().to_owned())
    };
    for captures in regex.captures_iter(text).take(most) {
        if has_extract {
            found.extend(captures.name("extract").map(|it| it.as_str().to_owned()));
        } else {
            found.extend((1..captures.len()).map(|n| group(&captures, n)));
        }
    }
    Ok(found)
}

/// In which of `texts` the pattern is found somewhere.
///
/// # Errors
/// [`QueryError`] if `pattern` does not compile.
pub(crate) fn matching(pattern: &str, texts: &[&str]) -> Result<Vec<bool>, QueryError> {
    let regex = PATTERNS.with(|patterns| patterns.get(pattern, compile))?;
    Ok(texts.iter().map(|text| regex.is_match(text)).collect())
}

/// Checks that a pattern compiles.
///
/// # Errors
/// [`QueryError`] if it does not.
pub(crate) fn check(pattern: &str) -> Result<(), QueryError> {
    compile(pattern).map(drop)
}

fn compile(pattern: &str) -> Result<Regex, QueryError> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
    builder.build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim();
        let reason = last.trim_start_matches("error: ").trim_end_matches('.').to_owned();
        QueryError { language: "regular expression", query: pattern.to_owned(), reason }
    })
}
