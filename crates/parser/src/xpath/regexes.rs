//! `re:test`, `re:match` and `re:replace`, the regular expressions of EXSLT as lxml has them.
//!
//! The syntax is that of the `regex` crate, which takes linear time and therefore has neither
//! look-around nor back-references in patterns. Flags are `i` (any case) and `g` (all matches,
//! for `re:replace`).

use crawl_query::xpath::regex_flags;
use regex::{Captures, Regex, RegexBuilder};

/// Bytes a compiled pattern may take.
const MAX_SIZE: usize = 1 << 20;

/// Compiles a pattern with its flags.
pub(super) fn compiled(text: &str, flags: &str) -> Result<Regex, String> {
    pattern(text, regex_flags(flags)?)
}

/// Compiles a pattern.
pub(crate) fn pattern(pattern: &str, any_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(any_case)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .build()
        .map_err(|error| format!("`{pattern}` is no regular expression: {}", reason(&error)))
}

/// The last line of the error: the others draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// `re:match`: the text of the first match.
pub(super) fn first_match(regex: &Regex, text: &str) -> String {
    regex.find(text).map_or(String::new(), |found| found.as_str().to_owned())
}

/// `re:replace`: the first match, or with the flag `g` each, replaced. In the replacement `\1` is
/// what the first group matched, `\g<name>` what the named one did, `\\` a backslash.
/// `None` if the result would have more than `room` bytes.
pub(super) fn replaced(
    regex: &Regex,
    text: &str,
    flags: &str,
    replacement: &str,
    room: usize,
) -> Result<Option<String>, String> {
    let pieces = pieces(replacement)?;
    if !pieces.iter().all(|piece| piece.is_known(regex)) {
        return Err(format!("the replacement `{replacement}` names a group that is not there"));
    }
    let limit = if flags.contains('g') { usize::MAX } else { 1 };
    let (mut out, mut done) = (String::new(), 0);
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[done..whole.start()]);
        done = whole.end();
        for piece in &pieces {
            out.push_str(piece.expanded(&captures));
            if out.len() > room {
                return Ok(None);
            }
        }
    }
    out.push_str(&text[done..]);
    Ok(Some(out))
}

/// A part of a replacement.
enum Piece {
    Text(String),
    Group(usize),
    Named(String),
}

impl Piece {
    fn is_known(&self, regex: &Regex) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Group(n) => *n < regex.captures_len(),
            Self::Named(name) => regex.capture_names().flatten().any(|known| known == name),
        }
    }

    fn expanded<'a>(&'a self, captures: &Captures<'a>) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Group(n) => captures.get(*n).map_or("", |found| found.as_str()),
            Self::Named(name) => captures.name(name).map_or("", |found| found.as_str()),
        }
    }
}

fn pieces(replacement: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut parts = replacement.split('\\');
    pieces.push(Piece::Text(parts.next().unwrap_or_default().to_owned()));
    while let Some(part) = parts.next() {
        let digits = part.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if part.is_empty() {
            // Two backslashes: what follows the second is text.
            let behind = parts.next().ok_or("the replacement ends with a single backslash")?;
            pieces.push(Piece::Text(format!("\\{behind}")));
        } else if digits > 0 {
            let (number, behind) = part.split_at(digits);
            pieces.push(Piece::Group(number.parse().unwrap_or(usize::MAX)));
            pieces.push(Piece::Text(behind.to_owned()));
        } else if let Some((name, behind)) =
            part.strip_prefix("g<").and_then(|part| part.split_once('>'))
        {
            pieces.push(match name.parse() {
                Ok(number) => Piece::Group(number),
                Err(_) => Piece::Named(name.to_owned()),
            });
            pieces.push(Piece::Text(behind.to_owned()));
        } else {
            return Err(format!("`\\{part}` means nothing in a replacement"));
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(pattern: &str, flags: &str, replacement: &str) -> Result<String, String> {
        let regex = compiled(pattern, flags)?;
        Ok(replaced(&regex, "a1b22", flags, replacement, 40)?.unwrap_or("too long".to_owned()))
    }

    #[test]
    fn replacements_name_groups_as_python_does() {
        assert_eq!(replace("([0-9]+)", "", r"<\1>").unwrap(), "a<1>b22");
        assert_eq!(replace("([0-9]+)", "g", r"<\g<1>>").unwrap(), "a<1>b<22>");
        assert_eq!(replace("(?<n>B)", "gi", r"\\\g<n>$1").unwrap(), r"a1\b$122");
        assert_eq!(replace("x", "g", "y").unwrap(), "a1b22");
        assert_eq!(replace("", "g", "0123456789").unwrap(), "too long");
        for (pattern, replacement) in [("a", r"\1"), ("a", r"\g<n>"), ("a", r"\q"), ("a", r"x\")] {
            assert!(replace(pattern, "", replacement).is_err(), "{replacement}");
        }
        assert!(compiled("(?=x)", "").unwrap_err().ends_with("is not supported"));
        assert!(compiled("x", "y").is_err() && compiled("(((x{99}){99}){99}){99}", "").is_err());
    }
}
