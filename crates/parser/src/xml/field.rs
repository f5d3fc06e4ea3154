//! What the elements of sitemaps and feeds mean, and what their values may be.

use super::entries::Format;
use super::reader::{Name, Start};

/// A part of an entry or feed whose value is the text of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// An address; the lowest number is the best.
    Loc(u8),
    /// An address that counts only if it is absolute: an identifier that may be none.
    Guid,
    /// A date; the lowest number is the best. And whether it is that of the first publication.
    Date(u8, bool),
    /// How often it changes.
    Changefreq,
    /// Its priority.
    Priority,
    /// The page of a feed as a whole.
    Home,
    /// The title of a feed as a whole.
    Title,
    /// What is read only closely.
    News(Part),
}

/// A part of what a feed says of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// An identifier that is no address.
    Id,
    /// The title.
    Title,
    /// In few words.
    Summary,
    /// The whole text.
    Content,
    /// Who wrote it.
    Author,
    /// What it is about.
    Category,
}

impl Field {
    /// Most bytes of its text that are kept: URLs are shorter by far, articles are not.
    pub(super) fn max_bytes(self) -> usize {
        match self {
            Self::News(Part::Summary | Part::Content) => 1024 * 1024,
            _ => 16 * 1024,
        }
    }
}

/// Which part of an entry of a feed an element is, besides those that [`field`] knows.
pub(super) fn part(format: Format, name: &Name<'_>, space: &str) -> Option<Part> {
    let is_in = |space: &str, prefix: &str| {
        name.namespace.map_or(name.prefix == prefix, |ns| ns.starts_with(space))
    };
    let local = name.local;
    if format == Format::Rss && is(local, "creator") && is_in("http://purl.org/dc/", "dc") {
        return Some(Part::Author);
    }
    let content = "http://purl.org/rss/1.0/modules/content/";
    if format == Format::Rss && is(local, "encoded") && is_in(content, "content") {
        return Some(Part::Content);
    }
    if !is_of(name, space) {
        return None;
    }
    let names: &[(&str, Part)] = match format {
        Format::Sitemap => &[],
        Format::Rss => &[
            ("guid", Part::Id),
            ("title", Part::Title),
            ("description", Part::Summary),
            ("author", Part::Author),
            ("category", Part::Category),
        ],
        Format::Atom => &[
            ("id", Part::Id),
            ("title", Part::Title),
            ("summary", Part::Summary),
            ("content", Part::Content),
            ("author", Part::Author),
        ],
    };
    names.iter().find(|(known, _)| is(local, known)).map(|(_, part)| *part)
}

/// Which field of an entry an element is.
pub(super) fn field(
    format: Format,
    name: &Name<'_>,
    space: &str,
    start: &Start<'_>,
) -> Option<Field> {
    let local = name.local;
    let is_dublin_core =
        || name.namespace.map_or(name.prefix == "dc", |ns| ns.starts_with("http://purl.org/dc/"));
    if format == Format::Rss && is(local, "date") && is_dublin_core() {
        return Some(Field::Date(1, true));
    }
    if !is_of(name, space) {
        return None;
    }
    match format {
        Format::Sitemap if is(local, "loc") => Some(Field::Loc(0)),
        Format::Sitemap if is(local, "lastmod") => Some(Field::Date(0, false)),
        Format::Sitemap if is(local, "changefreq") => Some(Field::Changefreq),
        Format::Sitemap if is(local, "priority") => Some(Field::Priority),
        Format::Rss if is(local, "link") => Some(Field::Loc(0)),
        Format::Rss if is(local, "pubDate") => Some(Field::Date(0, true)),
        Format::Rss if is(local, "guid") => {
            let is_link = start.attr("isPermaLink").is_none_or(|value| !is(value.trim(), "false"));
            is_link.then_some(Field::Guid)
        }
        Format::Atom => {
            const DATES: [&str; 5] = ["updated", "modified", "published", "issued", "created"];
            let rank = DATES.iter().position(|date| is(local, date))?;
            Some(Field::Date(rank as u8, rank == 2 || rank == 3))
        }
        _ => None,
    }
}

/// How good an Atom link is as the address of what it is a link of (RFC 4287, section 4.2.7);
/// `None` if it is another relation.
pub(super) fn alternate_rank(start: &Start<'_>) -> Option<u8> {
    const IANA: &str = "http://www.iana.org/assignments/relation/";
    let rel = start.attr("rel").unwrap_or_default();
    let rel = rel.trim();
    let is_alternate = rel.is_empty() || is(rel.strip_prefix(IANA).unwrap_or(rel), "alternate");
    let is_html = start.attr("type").is_none_or(|media_type| {
        media_type.trim().is_empty() || media_type.to_ascii_lowercase().contains("html")
    });
    is_alternate.then_some(u8::from(!is_html))
}

/// Names of these formats are written in many ways.
pub(super) fn is(name: &str, expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected)
}

/// Whether a name is of this vocabulary, or of none.
pub(super) fn is_of(name: &Name<'_>, space: &str) -> bool {
    name.space() == space || (name.prefix.is_empty() && name.namespace == Some(""))
}

pub(super) fn is_absolute(reference: &str) -> bool {
    let reference = trim(reference);
    ["http://", "https://"].iter().any(|scheme| {
        reference.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// White space of all kinds, and byte order marks, which editors leave behind.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

pub(super) fn changefreq(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 7] = ["always", "hourly", "daily", "weekly", "monthly", "yearly", "never"];
    WORDS.into_iter().find(|word| is(text, word))
}

/// A decimal number from 0 to 1.
pub(super) fn priority(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| is_decimal)?;
    (0.0..=1.0).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_decimal_numbers_from_0_to_1() {
        for (text, expected) in [
            ("0.5", Some(0.5)),
            ("1", Some(1.0)),
            ("0", Some(0.0)),
            (".3", Some(0.3)),
            ("1.", Some(1.0)),
            ("+0.5", Some(0.5)),
            ("1.01", None),
            ("-0.1", None),
            ("1e-1", None),
            ("0,5", None),
            ("NaN", None),
            ("inf", None),
            (".", None),
            ("", None),
            ("high", None),
        ] {
            assert_eq!(priority(text), expected, "{text}");
        }
    }
}
