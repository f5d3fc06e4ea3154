//! Text as people read it.

use std::borrow::Cow;

/// Trims `text` and makes one space of each run of whitespace, as a browser shows it.
///
/// Whitespace is that of HTML (tab, line feed, form feed, carriage return, space) and the
/// no-break space, which sites use for layout. Borrowed if nothing had to change.
///
/// # Examples
/// ```
/// assert_eq!(crawl_spider::collapse_whitespace("\n  In \u{a0} stock "), "In stock");
/// ```
#[must_use]
pub fn collapse_whitespace(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(is_blank);
    let mut last_blank = false;
    let is_clean = text.chars().all(|c| {
        let blank = is_blank(c);
        let fine = !blank || (c == ' ' && !last_blank);
        last_blank = blank;
        fine
    });
    if is_clean {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ' | '\u{a0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_collapses_and_clean_text_is_borrowed() {
        assert_eq!(collapse_whitespace(" a \r\n\t b\u{a0}\u{a0}c "), "a b c");
        assert!(matches!(collapse_whitespace("  a b "), Cow::Borrowed("a b")));
        assert_eq!(collapse_whitespace(" \n "), "");
    }
}
