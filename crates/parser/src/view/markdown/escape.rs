//! What has to be escaped so that text stays text (CommonMark 0.31, section 2.4, and GitHub's
//! tables and strikethrough).

use std::borrow::Cow;

/// Whether a character of a text needs a backslash, wherever it stands in its line.
///
/// `rest` is what follows in the same text; `prev` is what stands before.
pub(super) fn needs_backslash(c: char, prev: Option<char>, rest: &str, in_cell: bool) -> bool {
    let next = rest.chars().next();
    match c {
        '\\' | '`' | '*' | '[' | ']' | '~' => true,
        '|' => in_cell,
        // Within a word it is no emphasis.
        '_' => {
            !(prev.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric))
        }
        '<' => next.is_none_or(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
        '&' => is_reference(rest),
        _ => false,
    }
}

/// Whether an ampersand before this begins a character reference.
fn is_reference(rest: &str) -> bool {
    let name = rest.strip_prefix('#').unwrap_or(rest);
    let end = name.bytes().take(33).position(|byte| !byte.is_ascii_alphanumeric());
    end.is_some_and(|end| end > 0 && name.as_bytes()[end] == b';')
}

/// A paragraph with what would begin a block escaped at the start of its lines.
pub(super) fn line_starts(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(|line| to_escape(line).is_none()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let at = to_escape(line);
        out.push_str(&line[..at.unwrap_or(0)]);
        if at.is_some() {
            out.push('\\');
        }
        out.push_str(&line[at.unwrap_or(0)..]);
    }
    Cow::Owned(out)
}

/// Where a line needs a backslash so that it begins no heading, list, quote, rule or table.
fn to_escape(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let is_blank = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    let run = |byte: u8| bytes.iter().take_while(|b| **b == byte).count();
    match bytes.first()? {
        b'>' => Some(0),
        b'#' if run(b'#') <= 6 && is_blank(run(b'#')) => Some(0),
        b'+' | b'-' if is_blank(1) => Some(0),
        b'=' if is_blank(run(b'=')) && line.trim_end().len() == run(b'=') => Some(0),
        b'-' | b':' | b'|' if is_rule(line) => Some(0),
        b'0'..=b'9' => {
            let n_digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let is_item =
                matches!(bytes.get(n_digits), Some(b'.' | b')')) && is_blank(n_digits + 1);
            (n_digits <= 9 && is_item).then_some(n_digits)
        }
        _ => None,
    }
}

/// Whether a line is a rule, or the line under a table's column names.
fn is_rule(line: &str) -> bool {
    let is_part = |c: char| matches!(c, '-' | ':' | '|' | '\\' | ' ' | '\t');
    line.chars().all(is_part) && line.contains('-')
}

/// An address between the parentheses of a link; in angle brackets where it needs them.
pub(super) fn destination(url: &str) -> String {
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '\\' | '<' | '>' | '|')
    };
    if !url.is_empty() && !url.contains(odd) {
        return url.to_owned();
    }
    let mut out = String::with_capacity(url.len() + 2);
    out.push('<');
    for c in url.chars() {
        match c {
            '\n' | '\r' => {}
            '<' | '>' | '\\' => out.extend(['\\', c]),
            '|' => out.push_str("%7C"),
            c => out.push(c),
        }
    }
    out.push('>');
    out
}

/// The title of a link or image with a space before it; empty if there is none, or it is too
/// long to be one.
pub(super) fn title(text: Option<&str>) -> String {
    let words: Vec<&str> = text.unwrap_or_default().split_whitespace().take(100).collect();
    let text = words.join(" ");
    if text.is_empty() || text.len() > 500 {
        return String::new();
    }
    format!(" \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('|', "\\|"))
}

/// Text as a code span, its fence longer than any run of backticks in it.
pub(super) fn code_span(text: &str, in_cell: bool) -> String {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    let text = if in_cell { Cow::Owned(text.replace('|', "\\|")) } else { Cow::Borrowed(text) };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The most of a character that stand side by side.
pub(super) fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(|run| run.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_would_begin_blocks_are_escaped() {
        for (text, expected) in [
            ("# a", "\\# a"),
            ("#a", "#a"),
            ("####### a", "####### a"),
            ("- a", "\\- a"),
            ("-a", "-a"),
            ("--", "\\--"),
            ("+ a", "\\+ a"),
            ("> a", "\\> a"),
            ("1. a", "1\\. a"),
            ("12) a", "12\\) a"),
            ("1.5", "1.5"),
            ("1234567890. a", "1234567890. a"),
            ("a\n===", "a\n\\==="),
            ("a | b\n:-- | --", "a | b\n\\:-- | --"),
        ] {
            assert_eq!(line_starts(text), expected);
        }
    }

    #[test]
    fn destinations_and_code_hold_what_they_are_given() {
        assert_eq!(destination("http://h/a"), "http://h/a");
        assert_eq!(destination("http://h/a_(b)"), "<http://h/a_(b)>");
        assert_eq!(code_span("a`b``c", false), "```a`b``c```");
        assert_eq!(code_span("`", false), "`` ` ``");
    }
}
