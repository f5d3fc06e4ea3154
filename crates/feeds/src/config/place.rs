//! Where a feed goes, by its path, and what in the path is secret.

use std::env;
use std::path::{Path, PathBuf};

use crate::FeedConfig;

/// Schemes of object stores.
const OBJECTS: [&str; 2] = ["s3://", "s3a://"];
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// Where a feed goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Stdout,
    File(PathBuf),
    /// A URL with its password, if it has one.
    Postgres(String),
    /// A URL.
    Objects(String),
    /// A URL of a scheme that is not known.
    Unknown(String),
}

impl Place {
    pub(crate) fn of(config: &FeedConfig) -> Self {
        if config.is_stdout() {
            return Self::Stdout;
        }
        let text = config.path.to_string_lossy();
        let has = |schemes: &[&str]| schemes.iter().any(|scheme| text.starts_with(scheme));
        match text.find("://") {
            _ if has(&POSTGRES) => Self::Postgres(text.into_owned()),
            _ if has(&OBJECTS) => Self::Objects(text.into_owned()),
            Some(at) if at > 0 && text[..at].bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Self::Unknown(text[..at].to_owned())
            }
            _ => Self::File(config.path.clone()),
        }
    }
}

/// Whether a text stands for an environment variable.
pub(crate) fn is_reference(text: &str) -> bool {
    reference(text).is_some()
}

fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some(name)
}

/// A text, or what the environment variable holds that it names: `$NAME`.
///
/// # Errors
/// The variable's name, if it is not set.
pub(crate) fn env_or_text(text: &str) -> Result<String, String> {
    match reference(text) {
        Some(name) => env::var(name).map_err(|_| name.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// The byte range of the password in a URL.
pub(super) fn password(url: &str) -> Option<std::ops::Range<usize>> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    let at = authority + url[authority..end].rfind('@')?;
    let colon = authority + url[authority..at].find(':')?;
    Some(colon + 1..at)
}

/// A path or URL for people; a password in it is left out unless it is the name of an environment
/// variable.
pub(super) fn without_password(url: &str) -> String {
    let url = without_password_parameter(url);
    match password(&url) {
        Some(range) if !is_reference(&url[range.clone()]) => {
            format!("{}{}", &url[..range.start - 1], &url[range.end..])
        }
        _ => url,
    }
}

/// libpq also takes `?password=..`.
fn without_password_parameter(url: &str) -> String {
    let is_url = url.contains("://");
    let Some((before, query)) = url.split_once('?').filter(|_| is_url) else {
        return url.to_owned();
    };
    let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("password=")).collect();
    if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) }
}

/// Splits a URL into what has no password and the password, taken from the environment if it is a
/// variable's name.
///
/// # Errors
/// The variable's name, if it is not set.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only databases have passwords"))]
pub(crate) fn split_password(url: &str) -> Result<(String, Option<String>), String> {
    let Some(range) = password(url) else { return Ok((url.to_owned(), None)) };
    let text = &url[range.clone()];
    if !is_reference(text) {
        return Ok((url.to_owned(), None));
    }
    let bare = format!("{}{}", &url[..range.start - 1], &url[range.end..]);
    Ok((bare, Some(env_or_text(text)?)))
}

/// The name of batch `number`: `{batch}` is replaced, or it stands before the first extension of
/// `path` that says how the file is to be read.
pub(crate) fn batch_name(path: &Path, stem_of: &Path, number: u64) -> PathBuf {
    let text = path.to_string_lossy();
    if text.contains("{batch}") {
        return text.replace("{batch}", &format!("{number:06}")).into();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem_of.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default();
    let extensions = name.strip_prefix(&stem).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number:06}{extensions}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_from_a_file() {
        let place = |path: &str| Place::of(&FeedConfig::to(path));
        assert_eq!(place("-"), Place::Stdout);
        assert_eq!(place("a/b.csv"), Place::File("a/b.csv".into()));
        assert_eq!(place("postgresql://h/d"), Place::Postgres("postgresql://h/d".into()));
        assert_eq!(place("s3://b/k"), Place::Objects("s3://b/k".into()));
        assert_eq!(place("ftp://h/f"), Place::Unknown("ftp".into()));
    }

    #[test]
    fn a_password_is_found_and_left_out() {
        for (url, shown) in [
            ("postgres://joe:p@ss@h/db", "postgres://joe@h/db"),
            ("postgres://joe@h/db", "postgres://joe@h/db"),
            ("postgres://h:5432/db?user=a&password=x", "postgres://h:5432/db?user=a"),
            ("postgres://joe:$PW@h/db", "postgres://joe:$PW@h/db"),
            ("dir/a:b@c", "dir/a:b@c"),
        ] {
            assert_eq!(without_password(url), shown, "{url}");
        }
    }

    #[test]
    fn batches_are_numbered_before_the_extension() {
        let name = |path: &str| {
            let config = FeedConfig::to(path);
            batch_name(&config.path, &config.uncompressed_path(), 7).display().to_string()
        };
        assert_eq!(name("out/items.jsonl"), "out/items-000007.jsonl");
        assert_eq!(name("items.v2.csv.gz"), "items.v2-000007.csv.gz");
        assert_eq!(name("out/{batch}/items.csv"), "out/000007/items.csv");
        assert_eq!(name("items"), "items-000007");
        assert_eq!(name("s3://b/p/items.json"), "s3://b/p/items-000007.json");
    }
}
