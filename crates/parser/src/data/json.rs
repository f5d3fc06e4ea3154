//! JSONPath (RFC 9535) on JSON documents.
//!
//! The walk over a value recurses as deep as the value is nested, which is no more than 128:
//! serde_json refuses what is deeper before there is a value. How deep a query nests is bounded
//! here, because its parser tries filters within filters again and again.

use crawl_spider::QueryError;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::compiled::Compiled;

/// Queries kept per thread.
const MAX_QUERIES: usize = 256;

/// Longest query, in bytes.
const MAX_BYTES: usize = 4096;

/// Deepest nesting of brackets in a query: each doubles the time to parse what does not parse.
const MAX_BRACKETS: usize = 6;

/// Deepest nesting of parentheses in a query.
const MAX_PARENTHESES: usize = 32;

thread_local! {
    static QUERIES: Compiled<JsonPath> = Compiled::new(MAX_QUERIES);
}

/// What `path` finds in `value`: in the order of the document, an object's members in theirs.
///
/// # Errors
/// [`QueryError`] if `path` is no JSONPath.
pub(crate) fn query<'a>(value: &'a Value, path: &str) -> Result<Vec<&'a Value>, QueryError> {
    let compiled = QUERIES.with(|queries| queries.get(path, compile))?;
    Ok(compiled.query(value).all())
}

/// Checks that a path compiles.
///
/// # Errors
/// [`QueryError`] if it does not.
pub(crate) fn check(path: &str) -> Result<(), QueryError> {
    compile(path).map(drop)
}

fn compile(path: &str) -> Result<JsonPath, QueryError> {
    let error = |reason| QueryError { language: "JSONPath", query: path.to_owned(), reason };
    if let Some(reason) = excess(path) {
        return Err(error(reason));
    }
    JsonPath::parse(path).map_err(|cause| {
        // Its message has its own prefix, and the place apart.
        let at = path.char_indices().nth(cause.position()).map_or("", |(at, _)| &path[at..]);
        let what = cause.message().to_owned();
        let near: String = at.chars().take(20).collect();
        error(if near.is_empty() { what } else { format!("{what}, near `{near}`") })
    })
}

/// Why a query is too much.
fn excess(path: &str) -> Option<String> {
    if path.len() > MAX_BYTES {
        return Some(format!("it is longer than {MAX_BYTES} bytes"));
    }
    let (mut brackets, mut parentheses, mut quote) = (0_usize, 0_usize, None);
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => _ = bytes.next(),
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'[') => brackets += 1,
            (None, b']') => brackets = brackets.saturating_sub(1),
            (None, b'(') => parentheses += 1,
            (None, b')') => parentheses = parentheses.saturating_sub(1),
            (None, _) => {}
        }
        if brackets > MAX_BRACKETS || parentheses > MAX_PARENTHESES {
            return Some(format!(
                "it nests deeper than {MAX_BRACKETS} brackets or {MAX_PARENTHESES} parentheses"
            ));
        }
    }
    None
}
