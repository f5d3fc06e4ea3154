//! What is made of the texts that selectors find, before they are values: the processors of item
//! loaders.
//!
//! Plain functions, for spiders that read pages by hand, and [`Processor`], the same as values:
//! the attributes of `#[derive(Item)]` and the fields of declarative spiders are lists of them.
//!
//! | Scrapy's itemloaders | here |
//! |---|---|
//! | `TakeFirst()` | [`first`], `take = "first"` |
//! | `Join(", ")` | [`join`], `join = ", "` |
//! | `MapCompose(f, g)` | `map = f, map = g`: each value by itself |
//! | `Compose(f, g)` | the processors in the order they are written |
//! | `Identity()` | none; `raw` keeps white space, too |
//! | `remove_tags`, `str.lower`, .. | [`strip_tags`], [`lower`], .. |
//!
//! ```
//! use crawl_spider::process;
//!
//! let names = process::split(" Ann,Bob ,, Carl", ",");
//! assert_eq!(process::join(names, " & "), "Ann & Bob & Carl");
//! assert_eq!(process::strip_tags("<p>Two <b>words</b><!-- no --></p>"), "Two words");
//! ```

mod number;
mod processor;
mod tags;

use std::borrow::Cow;

pub use crate::text::collapse_whitespace as collapse;
pub use number::number;
pub use processor::Processor;
pub use tags::{strip_tags, unescape};

use crate::text::is_blank;

/// Takes white space, no-break spaces included, from both ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// In lower case.
#[must_use]
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// In upper case.
#[must_use]
pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// Puts `to` in place of each `from`; nothing is replaced if `from` is empty.
#[must_use]
pub fn replace<'t>(text: &'t str, from: &str, to: &str) -> Cow<'t, str> {
    match !from.is_empty() && text.contains(from) {
        true => Cow::Owned(text.replace(from, to)),
        false => Cow::Borrowed(text),
    }
}

/// Takes `prefix` from the beginning, if it is there, and the white space behind it.
#[must_use]
pub fn strip_prefix<'t>(text: &'t str, prefix: &str) -> &'t str {
    text.strip_prefix(prefix).map_or(text, |rest| rest.trim_start_matches(is_blank))
}

/// Takes `suffix` from the end, if it is there, and the white space before it.
#[must_use]
pub fn strip_suffix<'t>(text: &'t str, suffix: &str) -> &'t str {
    text.strip_suffix(suffix).map_or(text, |rest| rest.trim_end_matches(is_blank))
}

/// The trimmed pieces between the separators; empty ones are left out. With an empty separator,
/// the words.
#[must_use]
pub fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let pieces: Vec<&str> = match separator.is_empty() {
        true => text.split(is_blank).collect(),
        false => text.split(separator).map(trim).collect(),
    };
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
}

/// All values, with the separator between them; empty ones are left out.
pub fn join<T: AsRef<str>>(values: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut joined = String::new();
    for value in values {
        let value = value.as_ref();
        if value.is_empty() {
            continue;
        }
        if !joined.is_empty() {
            joined.push_str(separator);
        }
        joined.push_str(value);
    }
    joined
}

/// The first value that is not empty.
pub fn first<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Option<T> {
    values.into_iter().find(|value| !value.as_ref().is_empty())
}

/// The last value that is not empty.
pub fn last<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Option<T> {
    values.into_iter().filter(|value| !value.as_ref().is_empty()).last()
}

/// Reads `true`, `yes`, `on`, `y` and `1`, or `false`, `no`, `off`, `n` and `0`, in any case.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| trim(text).eq_ignore_ascii_case(word));
    if is_one_of(&["true", "yes", "on", "y", "1"]) {
        return Some(true);
    }
    is_one_of(&["false", "no", "off", "n", "0"]).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_does_what_it_says() {
        assert_eq!(trim("\u{a0} a b\n"), "a b");
        assert_eq!((lower("ÄB"), upper("äb")), ("äb".to_owned(), "ÄB".to_owned()));
        assert_eq!(replace("a-b-c", "-", "+"), "a+b+c");
        assert_eq!(
            (replace("abc", "", "x"), replace("abc", "x", "")),
            ("abc".into(), "abc".into())
        );
        assert_eq!(strip_prefix("by  Ann", "by"), "Ann");
        assert_eq!((strip_suffix("3 kg", "kg"), strip_suffix("3 g", "kg")), ("3", "3 g"));
        assert_eq!(split(" a, b ,,c ", ","), ["a", "b", "c"]);
        assert_eq!((split(" a  b\n", ""), split("", ",")), (vec!["a", "b"], vec![]));
        assert_eq!(join(["", "a", "", "b"], "-"), "a-b");
        assert_eq!((first(["", "a", "b"]), last(["a", "b", ""])), (Some("a"), Some("b")));
        assert_eq!(
            (boolean(" Yes "), boolean("OFF"), boolean("so")),
            (Some(true), Some(false), None)
        );
    }
}
