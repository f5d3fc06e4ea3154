//! URLs in style sheets: `url(…)` and `@import "…"` (CSS Syntax Level 3, section 4).
//!
//! Only as much of a tokenizer as it takes not to be misled by comments and strings. Functions
//! written with escapes (`\75rl(`) are not recognised.

use std::borrow::Cow;

/// The URLs of a style sheet or a list of declarations, in order. Names of namespaces are none.
pub(super) fn urls(css: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut reader = Reader { css, pos: 0, rule: Rule::Other };
    std::iter::from_fn(move || reader.next_url())
}

/// The at-rule whose string is next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Import,
    Namespace,
    Other,
}

struct Reader<'a> {
    css: &'a str,
    pos: usize,
    rule: Rule,
}

impl<'a> Reader<'a> {
    fn next_url(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.css.as_bytes();
        while let Some(&byte) = bytes.get(self.pos) {
            match byte {
                b'/' if bytes.get(self.pos + 1) == Some(&b'*') => {
                    let end = memchr::memmem::find(&bytes[self.pos + 2..], b"*/");
                    self.pos = end.map_or(bytes.len(), |len| self.pos + 2 + len + 2);
                }
                b'"' | b'\'' => {
                    let text = self.string(byte);
                    let rule = std::mem::replace(&mut self.rule, Rule::Other);
                    if rule == Rule::Import && text.is_some() {
                        return text;
                    }
                }
                b'@' => {
                    self.pos += 1;
                    self.rule = match self.name() {
                        name if name.eq_ignore_ascii_case("import") => Rule::Import,
                        name if name.eq_ignore_ascii_case("namespace") => Rule::Namespace,
                        _ => Rule::Other,
                    };
                }
                b'\\' => self.skip_escape(),
                byte if is_name(byte) => {
                    let is_url = self.name().eq_ignore_ascii_case("url");
                    let rule = self.rule;
                    if is_url && bytes.get(self.pos) == Some(&b'(') {
                        self.pos += 1;
                        self.rule = Rule::Other;
                        let url = self.url();
                        if rule != Rule::Namespace && url.is_some() {
                            return url;
                        }
                    } else if rule == Rule::Import {
                        self.rule = Rule::Other;
                    } // a namespace may have a prefix
                }
                byte => {
                    self.pos += 1;
                    if !byte.is_ascii_whitespace() {
                        self.rule = Rule::Other;
                    }
                }
            }
        }
        None
    }

    fn name(&mut self) -> &'a str {
        let start = self.pos;
        let rest = &self.css.as_bytes()[start..];
        self.pos += rest.iter().take_while(|byte| is_name(**byte)).count();
        &self.css[start..self.pos]
    }

    /// A backslash and what it stands before: a number and a blank, or one character.
    fn skip_escape(&mut self) {
        let rest = &self.css[self.pos + 1..];
        let digits = hex_digits(rest);
        let skipped = if digits > 0 {
            digits + rest[digits..].len() - skip_one_blank(&rest[digits..]).len()
        } else {
            rest.chars().next().map_or(0, char::len_utf8)
        };
        self.pos += 1 + skipped;
    }

    /// The string at a quote; `None` if the line ends it (section 4.3.5).
    fn string(&mut self, quote: u8) -> Option<Cow<'a, str>> {
        let start = self.pos + 1;
        let bytes = self.css.as_bytes();
        self.pos = start;
        loop {
            match bytes.get(self.pos) {
                Some(b'\\') => self.skip_escape(),
                Some(b'\n' | b'\x0c' | b'\r') => return None,
                Some(&byte) if byte != quote => self.pos += 1,
                found => {
                    let text = &self.css[start..self.pos];
                    self.pos += usize::from(found.is_some());
                    return Some(unescape(text));
                }
            }
        }
    }

    /// What stands in `url(` and `)` (section 4.3.6); `None` if it is no URL.
    fn url(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.css.as_bytes();
        self.skip_blank();
        if let Some(&quote @ (b'"' | b'\'')) = bytes.get(self.pos) {
            return self.string(quote);
        }
        let start = self.pos;
        loop {
            match bytes.get(self.pos) {
                Some(b'\\') => self.skip_escape(),
                None | Some(b')') => break,
                Some(byte) if byte.is_ascii_whitespace() => break,
                Some(b'"' | b'\'' | b'(') => {
                    let end = memchr::memchr(b')', &bytes[self.pos..]);
                    self.pos = end.map_or(bytes.len(), |len| self.pos + len + 1);
                    return None;
                }
                Some(_) => self.pos += 1,
            }
        }
        let text = &self.css[start..self.pos];
        self.skip_blank();
        match bytes.get(self.pos) {
            None => Some(unescape(text)),
            Some(b')') => {
                self.pos += 1;
                Some(unescape(text))
            }
            Some(_) => None, // something behind the blank
        }
    }

    fn skip_blank(&mut self) {
        let rest = &self.css.as_bytes()[self.pos..];
        self.pos += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte >= 0x80
}

fn hex_digits(text: &str) -> usize {
    text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count()
}

fn skip_one_blank(text: &str) -> &str {
    text.strip_prefix("\r\n")
        .or_else(|| text.strip_prefix(|c: char| c.is_ascii_whitespace()))
        .unwrap_or(text)
}

/// Undoes escapes (section 4.3.7).
fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = hex_digits(rest);
        if digits > 0 {
            let code = u32::from_str_radix(&rest[..digits], 16).unwrap_or(0);
            let c = char::from_u32(code).filter(|&c| c != '\0');
            out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = skip_one_blank(&rest[digits..]);
        } else if let Some(c) = rest.chars().next() {
            // An escaped end of line is none at all.
            let is_line_end = matches!(c, '\n' | '\r' | '\x0c');
            if !is_line_end {
                out.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_where_css_has_them() {
        for (css, expected) in [
            ("a{background:url(x.png)}", "x.png"),
            ("URL( 'x' ) url(\"y\")", "x y"),
            ("url(x y) url(z)", "z"),
            ("url(a'b) url(c)", "c"),
            ("url(a", "a"),
            ("url('a", "a"),
            ("url()", ""),
            ("url( a\n)", "a"),
            ("@import 'x.css';@import url(y.css) print;", "x.css y.css"),
            ("@IMPORT\n/* c */ \"x\"; a{content:'no'}", "x"),
            ("@import x 'no'", ""),
            ("@namespace svg url(no); @namespace 'no'; url(yes)", "yes"),
            ("/* url(no) */ url(a)/**/", "a"),
            ("a{content:'url(no)'} url(b)", "b"),
            ("a{content:\"\\\"url(no)\"} url(b)", "b"),
            ("a{content:'x\n} url(b)", "b"),
            ("curl(no) url2(no) my-url(no) -url(no)", ""),
            ("url(\\61 b\\)c)", "ab)c"),
            ("url('a\\\nb')", "ab"),
            ("url(é)", "é"),
            ("\\url(no)", ""),
            ("url(/* c */)", ""),
            ("/* open url(no)", ""),
        ] {
            let found: Vec<_> = urls(css).filter(|url| !url.is_empty()).collect();
            assert_eq!(found.join(" "), expected, "{css}");
        }
    }
}
