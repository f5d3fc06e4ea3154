//! Processors as values, so that a macro or a config can list them.

use std::borrow::Cow;

use serde_json::Number;

use super::{
    collapse, join, lower, number, replace, split, strip_prefix, strip_suffix, strip_tags,
};
use super::{trim, unescape, upper};
use crate::{Page, QueryError};

/// One thing that is done with the texts of a field: most do it with each by itself, some with all
/// of them.
///
/// A text that a processor makes empty, or finds nothing in, is left out.
///
/// # Examples
/// ```
/// use crawl_spider::process::Processor;
///
/// let tags = [Processor::Split(",".into()), Processor::Lower, Processor::Join(" ".into())];
/// assert_eq!(tags[0].name(), "split");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Processor {
    /// [`collapse`]
    Collapse,
    /// [`trim`]
    Trim,
    /// [`strip_tags`]
    StripTags,
    /// [`unescape`]
    Unescape,
    /// [`lower`]
    Lower,
    /// [`upper`]
    Upper,
    /// [`replace`]
    Replace(Cow<'static, str>, Cow<'static, str>),
    /// [`strip_prefix`]
    StripPrefix(Cow<'static, str>),
    /// [`strip_suffix`]
    StripSuffix(Cow<'static, str>),
    /// What this regular expression finds first: its first group, or the one named `extract`, or
    /// the whole match.
    Regex(Cow<'static, str>),
    /// All that this regular expression finds, as [`Node::re`](crate::Node::re) does.
    RegexAll(Cow<'static, str>),
    /// [`number`], written as a number: `1234.5`
    Number,
    /// The absolute URL of a link; links that lead nowhere that is crawled are left out.
    Link,
    /// A function of the spider's own; `None` if it finds nothing.
    Map(fn(&str) -> Option<String>),
    /// [`split`]
    Split(Cow<'static, str>),
    /// [`join`]
    Join(Cow<'static, str>),
    /// The first text.
    First,
    /// The last text.
    Last,
}

impl Processor {
    /// Its name, as an attribute or a key spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Collapse => "collapse",
            Self::Trim => "trim",
            Self::StripTags => "strip_tags",
            Self::Unescape => "unescape",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Replace(..) => "replace",
            Self::StripPrefix(_) => "strip_prefix",
            Self::StripSuffix(_) => "strip_suffix",
            Self::Regex(_) => "regex",
            Self::RegexAll(_) => "regex_all",
            Self::Number => "number",
            Self::Link => "link",
            Self::Map(_) => "map",
            Self::Split(_) => "split",
            Self::Join(_) => "join",
            Self::First | Self::Last => "take",
        }
    }

    /// Does it with the texts of a field of `page`.
    ///
    /// # Errors
    /// [`QueryError`] if a regular expression does not compile.
    pub fn apply<'t>(
        &self,
        mut texts: Vec<Cow<'t, str>>,
        page: &Page<'_>,
    ) -> Result<Vec<Cow<'t, str>>, QueryError> {
        match self {
            Self::First => texts.truncate(1),
            Self::Last => drop(texts.drain(..texts.len().saturating_sub(1))),
            Self::Join(separator) => {
                texts = vec![Cow::Owned(join(&texts, separator))];
            }
            _ => {
                let mut made = Vec::with_capacity(texts.len());
                for text in texts {
                    self.each(text, page, &mut made)?;
                }
                texts = made;
            }
        }
        texts.retain(|text| !text.is_empty());
        Ok(texts)
    }

    fn each<'t>(
        &self,
        text: Cow<'t, str>,
        page: &Page<'_>,
        made: &mut Vec<Cow<'t, str>>,
    ) -> Result<(), QueryError> {
        made.push(match self {
            Self::Collapse => part(text, collapse),
            Self::Trim => part(text, |text| Cow::Borrowed(trim(text))),
            Self::StripTags => part(text, strip_tags),
            Self::Unescape => part(text, unescape),
            Self::Lower => Cow::Owned(lower(&text)),
            Self::Upper => Cow::Owned(upper(&text)),
            Self::Replace(from, to) => part(text, |text| replace(text, from, to)),
            Self::StripPrefix(prefix) => {
                part(text, |text| Cow::Borrowed(strip_prefix(text, prefix)))
            }
            Self::StripSuffix(suffix) => {
                part(text, |text| Cow::Borrowed(strip_suffix(text, suffix)))
            }
            Self::Number => match number(&text) {
                Some(found) => Cow::Owned(written(&found)),
                None => return Ok(()),
            },
            Self::Link => match page.join(&text) {
                Ok(url) => Cow::Owned(url.as_str().to_owned()),
                Err(_) => return Ok(()),
            },
            Self::Map(map) => match map(&text) {
                Some(text) => Cow::Owned(text),
                None => return Ok(()),
            },
            Self::Regex(pattern) => {
                let found = page.services().find(pattern, &text, 1)?;
                made.extend(found.into_iter().next().map(Cow::Owned));
                return Ok(());
            }
            Self::RegexAll(pattern) => {
                let found = page.services().find(pattern, &text, usize::MAX)?;
                made.extend(found.into_iter().map(Cow::Owned));
                return Ok(());
            }
            Self::Split(separator) => {
                let pieces = split(&text, separator);
                made.extend(pieces.into_iter().map(|piece| Cow::Owned(piece.to_owned())));
                return Ok(());
            }
            // They are not asked about single texts.
            Self::First | Self::Last | Self::Join(_) => text,
        });
        Ok(())
    }
}

/// Borrows from what is borrowed.
fn part<'t>(text: Cow<'t, str>, make: impl for<'x> Fn(&'x str) -> Cow<'x, str>) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => make(text),
        Cow::Owned(text) => match make(&text) {
            Cow::Borrowed(made) if made.len() == text.len() => Cow::Owned(text),
            made => Cow::Owned(made.into_owned()),
        },
    }
}

/// A number without a fraction if it has none, so that it can be read as an integer.
fn written(number: &Number) -> String {
    let text = number.to_string();
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
