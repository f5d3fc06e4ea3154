//! Finds the place of a mistake in the text that a person wrote.
//!
//! serde says what is wrong and, at best, a byte range; people need file, line, column, the line
//! itself and the key. The text is parsed a second time for that, with the place of every key
//! and value kept: mistakes are rare and configs small.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest piece of a line that is shown, in characters.
const EXCERPT_CHARS: usize = 120;

/// A TOML text with its name: a file, or a `-s` argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// Where in a document a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path, or the `-s` argument.
    pub name: String,
    /// From 1; 0 if there are no lines to tell apart.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line, credentials hidden, shortened around the mistake if it is long.
    pub excerpt: String,
    /// Where in `excerpt` the mistake begins, in characters from 0, and how long it is.
    pub caret: (usize, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.line == 0 { String::new() } else { self.line.to_string() };
        let gutter = " ".repeat(number.len());
        if self.line == 0 {
            writeln!(f, " --> {}", self.name)?;
        } else {
            writeln!(f, "{gutter}--> {}:{}:{}", self.name, self.line, self.column)?;
        }
        let (start, len) = self.caret;
        let pad: String =
            self.excerpt.chars().take(start).map(|c| if c == '\t' { c } else { ' ' }).collect();
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        write!(f, "{gutter} | {pad}{}", "^".repeat(len.max(1)))
    }
}

impl Document<'_> {
    /// The place of a byte range; an end behind the line is cut to it.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let at = floor_boundary(self.text, span.start.min(self.text.len()));
        let line_start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let end = floor_boundary(
            self.text,
            span.end.clamp(at, line_start + line.len().max(at - line_start)),
        );
        let column = self.text[line_start..at].chars().count();
        let len = self.text[at..end.max(at)].chars().count();
        let (excerpt, start) = window(&hide_credentials(line), column);
        Place {
            name: self.name.to_owned(),
            line: self.text[..at].matches('\n').count() + 1,
            column: column + 1,
            caret: (start, len.min(EXCERPT_CHARS.saturating_sub(start))),
            excerpt,
        }
    }

    /// The byte range of the value at `path`, as in `seeds[1]` or `scope.max-depth`.
    pub(super) fn locate(&self, path: &str) -> Option<Range<usize>> {
        let mut found = None;
        self.visit(&mut |at, span, is_key| {
            if at == path && !is_key {
                found = Some(span);
            }
        });
        found
    }

    /// The path of the key or value that a byte range points at: the smallest that holds it.
    pub(super) fn path_at(&self, span: &Range<usize>) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        self.visit(&mut |path, node, _| {
            let holds = node.start <= span.start && span.end <= node.end;
            if holds && best.as_ref().is_none_or(|(len, _)| node.len() <= *len) {
                best = Some((node.len(), path.to_owned()));
            }
        });
        best.map(|(_, path)| path)
    }

    /// Shows every key and value with its path and place.
    fn visit(&self, see: &mut dyn FnMut(&str, Range<usize>, bool)) {
        if let Ok(tree) = DeTable::parse(self.text) {
            visit_table(tree.get_ref(), "", see);
        }
    }
}

type See<'a> = dyn FnMut(&str, Range<usize>, bool) + 'a;

fn visit_table(table: &DeTable<'_>, path: &str, see: &mut See<'_>) {
    for (key, value) in table {
        let name = bare_or_quoted(key.get_ref());
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        see(&path, key.span(), true);
        visit_value(value, &path, see);
    }
}

/// The TOML parser has a depth limit of its own (128), so this may recurse.
fn visit_value(value: &Spanned<DeValue<'_>>, path: &str, see: &mut See<'_>) {
    see(path, value.span(), false);
    match value.get_ref() {
        DeValue::Table(table) => visit_table(table, path, see),
        DeValue::Array(array) => {
            for (i, value) in array.iter().enumerate() {
                visit_value(value, &format!("{path}[{i}]"), see);
            }
        }
        _ => {}
    }
}

/// A key as it is written in TOML: quoted unless it is bare (TOML 1.0, "Keys").
pub(super) fn bare_or_quoted(key: &str) -> String {
    let bare = !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}

/// Hides user and password of URLs, and the values of keys that hold secrets, with as many
/// asterisks, so that columns stay true.
pub(super) fn hide_credentials(text: &str) -> String {
    hide_in_urls(&hide_values(text))
}

/// Hides what stands behind the equals sign of a key such as `password`.
fn hide_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(equals) = rest.find('=') {
        let (before, after) = rest.split_at(equals + 1);
        out.push_str(before);
        let key = before[..equals].trim_end_matches([' ', '\t', '"', '\'']);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let key = &key[key.trim_end_matches(is_name).len()..];
        rest = after;
        if holds_secret(key) {
            let start = after.len() - after.trim_start_matches([' ', '\t']).len();
            let quoted = after[start..].strip_prefix(['"', '\'']);
            let start = start + usize::from(quoted.is_some());
            let end = match (quoted, after[..start].chars().next_back()) {
                (Some(value), Some(quote)) => end_of_quoted(value, quote),
                _ => after[start..].find(['\n', '"', '\'', ',', ']', '}', '`', '&']),
            };
            let end = end.map_or(after.len(), |end| start + end);
            out.push_str(&after[..start]);
            out.extend(after[start..end].chars().map(|_| '*'));
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    out
}

/// Whether what is written behind this key must not be shown.
fn holds_secret(key: &str) -> bool {
    let is_word_of_secrets = super::is_secret(key) || key.eq_ignore_ascii_case("bearer");
    is_word_of_secrets && key != "cookies" && !key.ends_with("-env")
}

/// Where a quoted text ends whose opening quote has been read. Texts of several lines are taken to
/// have no end, so that all of them is hidden.
fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    if text.starts_with(&quote.to_string().repeat(2)) {
        return None;
    }
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = quote == '"' && c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

fn hide_in_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        out.push_str(before);
        let authority = after.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(after.len());
        match after[..authority].rfind('@') {
            Some(at) => {
                out.extend(after[..at].chars().map(|_| '*'));
                rest = &after[at..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

/// The part of a long line that holds `column`, and the column in it.
fn window(line: &str, column: usize) -> (String, usize) {
    if line.chars().count() <= EXCERPT_CHARS {
        return (line.to_owned(), column);
    }
    let skip = column.saturating_sub(EXCERPT_CHARS / 2);
    (line.chars().skip(skip).take(EXCERPT_CHARS).collect(), column - skip)
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "seeds = [\"a\", \"b\"]\n\n[scope]\n  max-depth = 3\n[[feed]]\npath = 'x'\n";

    fn document() -> Document<'static> {
        Document { name: "c.toml", text: TEXT }
    }

    #[test]
    fn values_are_found_by_path() {
        for (path, value) in
            [("seeds[1]", "\"b\""), ("scope.max-depth", "3"), ("feed[0].path", "'x'")]
        {
            let span = document().locate(path).unwrap();
            assert_eq!(&TEXT[span.clone()], value);
            assert_eq!(document().path_at(&span).as_deref(), Some(path));
        }
    }

    #[test]
    fn a_place_shows_the_line_with_a_caret() {
        let span = document().locate("scope.max-depth").unwrap();
        let shown = document().place(&span).to_string();
        assert_eq!(shown, " --> c.toml:4:15\n  |\n4 |   max-depth = 3\n  |               ^");
    }

    #[test]
    fn a_place_behind_the_end_or_within_a_character_is_cut_to_the_text() {
        let document = Document { name: "c", text: "ä = 1" };
        assert_eq!(document.place(&(1..99)).column, 1);
        assert_eq!(document.place(&(99..120)).column, 6);
    }

    #[test]
    fn a_long_line_is_shortened_around_the_mistake() {
        let text = format!("a = \"{}\" x", "y".repeat(500));
        let place = Document { name: "c", text: &text }.place(&(507..508));
        assert_eq!(place.excerpt.chars().count(), 61);
        assert_eq!(place.excerpt.chars().nth(place.caret.0), Some('x'));
    }

    #[test]
    fn passwords_in_urls_are_hidden() {
        let hidden = hide_credentials("seeds = [\"http://joe:pw@h/?x=a@b\", \"http://h/\"]");
        assert_eq!(hidden, "seeds = [\"http://******@h/?x=a@b\", \"http://h/\"]");
    }

    #[test]
    fn values_of_secret_keys_are_hidden() {
        for (written, shown) in [
            ("password = \"a\\\"b\" # x", "password = \"****\" # x"),
            ("bearer='tok'", "bearer='***'"),
            (
                "auth = [{ user = 'joe', password = 'pw' }]",
                "auth = [{ user = 'joe', password = '**' }]",
            ),
            ("fetch.headers.Authorization=Bearer x", "fetch.headers.Authorization=********"),
            ("\"X-Api-Key\" = \"é\"", "\"X-Api-Key\" = \"*\""),
            ("password = \"open", "password = \"****"),
            ("password = '''pw", "password = '****"),
            ("password =", "password ="),
            ("password-env = 'PW'", "password-env = 'PW'"),
            ("cookies = 'of'", "cookies = 'of'"),
            ("= = '='", "= = '='"),
        ] {
            assert_eq!(hide_credentials(written), shown);
        }
    }

    #[test]
    fn keys_that_are_not_bare_are_quoted() {
        assert_eq!(bare_or_quoted("max-depth"), "max-depth");
        assert_eq!(bare_or_quoted("shop.test"), "\"shop.test\"");
    }
}
