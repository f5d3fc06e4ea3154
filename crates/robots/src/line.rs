//! Reads one line of a robots.txt, as forgiving as its authors need it.
//!
//! Forgiven, because each is common in the wild and has one sensible meaning: blanks around the
//! colon, a missing colon, names in any case, the misspellings in [`NAMES`].

/// What a line says. Everything else (unknown fields, prose, broken lines) is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Begins a group or names one more agent of it.
    UserAgent(&'a str),
    /// Allows a pattern.
    Allow(&'a str),
    /// Disallows a pattern.
    Disallow(&'a str),
    /// Seconds between requests; an extension.
    CrawlDelay(&'a str),
    /// Where a sitemap is (RFC 9309, section 2.2.4: "other records").
    Sitemap(&'a str),
}

#[derive(Clone, Copy)]
enum Field {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
}

/// Field names and the misspellings of them that are taken for what they mean.
const NAMES: &[(&str, Field)] = &[
    ("user-agent", Field::UserAgent),
    ("useragent", Field::UserAgent),
    ("user agent", Field::UserAgent),
    ("allow", Field::Allow),
    ("disallow", Field::Disallow),
    ("dissallow", Field::Disallow),
    ("dissalow", Field::Disallow),
    ("disalow", Field::Disallow),
    ("diasllow", Field::Disallow),
    ("disallaw", Field::Disallow),
    ("crawl-delay", Field::CrawlDelay),
    ("sitemap", Field::Sitemap),
    ("site-map", Field::Sitemap),
];

/// Splits `text` at LF, CR or CRLF (which gives an empty line more: harmless).
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
}

/// Reads one line; `None` if it says nothing that we know. Invalid UTF-8 spoils it.
pub(crate) fn read(line: &[u8]) -> Option<Line<'_>> {
    // The comment goes first: what is in there cannot spoil the rule before it.
    let code = memchr::memchr(b'#', line).map_or(line, |hash| &line[..hash]);
    let code = trim(std::str::from_utf8(code).ok()?);
    let (field, value) = with_colon(code).or_else(|| without_colon(code))?;
    Some(match field {
        Field::UserAgent => Line::UserAgent(value),
        Field::Allow => Line::Allow(value),
        Field::Disallow => Line::Disallow(value),
        Field::CrawlDelay => Line::CrawlDelay(value),
        Field::Sitemap => Line::Sitemap(value),
    })
}

fn with_colon(code: &str) -> Option<(Field, &str)> {
    let (name, value) = code.split_once(':')?;
    let name = trim(name);
    let (_, field) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some((*field, trim(value)))
}

/// `Disallow /x`: only with a single word after the name, so that prose stays prose. A colon may
/// well stand in that word (`Disallow /wiki/Special:Search`).
fn without_colon(code: &str) -> Option<(Field, &str)> {
    NAMES.iter().find_map(|(name, field)| {
        let (head, rest) = code.split_at_checked(name.len())?;
        let value = trim(rest);
        let named = head.eq_ignore_ascii_case(name) && rest.starts_with(is_blank);
        (named && !value.is_empty() && !value.contains(is_blank)).then_some((*field, value))
    })
}

/// RFC 9309, section 2.2: `WS = %x20 / %x09`; other control characters blank a line out just so.
fn is_blank(c: char) -> bool {
    c == ' ' || c.is_ascii_control()
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}
