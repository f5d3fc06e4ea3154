//! Why something on a page is not the item that a type describes.

use std::fmt;

/// Longest piece of a page in a message, in characters.
const MAX_TEXT: usize = 80;

/// Something on a page that is not the item that a type describes: a field that must be there is
/// not, or what is there cannot be read.
///
/// The message has it all: type, field, selector and the text that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError {
    item: &'static str,
    field: String,
    place: Option<String>,
    text: Option<String>,
    problem: Problem,
}

/// What kind of problem it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// There is none, and why.
    Missing(String),
    /// It cannot be read, and why.
    Wrong(String),
}

impl ItemError {
    /// A field that must be there is not.
    pub(super) fn missing(item: &'static str, field: &str, why: impl Into<String>) -> Self {
        let (field, problem) = (field.to_owned(), Problem::Missing(why.into()));
        Self { item, field, place: None, text: None, problem }
    }

    /// A field's value cannot be made of `text`.
    pub(super) fn wrong(item: &'static str, field: &str, text: &str, why: String) -> Self {
        let (field, text) = (field.to_owned(), Some(shortened(text)));
        Self { item, field, place: None, text, problem: Problem::Wrong(why) }
    }

    /// Says where the field was looked for.
    pub(super) fn at(mut self, place: String) -> Self {
        self.place = Some(place);
        self
    }

    /// Says that it is of an item within a field of another one.
    pub(super) fn within(mut self, item: &'static str, field: &str, index: Option<usize>) -> Self {
        let index = index.map(|index| format!("[{index}]")).unwrap_or_default();
        self.field = format!("{field}{index}.{}", self.field);
        self.item = item;
        self
    }

    /// The name of the item's type.
    #[must_use]
    pub fn item(&self) -> &'static str {
        self.item
    }

    /// The field's name; of nested items with its way: `parts[2].name`, from 0.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What the value was to be made of; `None` if the field is not there at all.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether the field is not there; otherwise it cannot be read.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.problem, Problem::Missing(_))
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, field, place, text, problem } = self;
        match problem {
            Problem::Missing(why) => write!(f, "`{item}` has no `{field}`: {why}")?,
            Problem::Wrong(why) => {
                let text = text.as_deref().unwrap_or_default();
                write!(f, "`{field}` of `{item}` cannot be read from `{text}`: {why}")?;
            }
        }
        match place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ItemError {}

/// A text in one line, and not too long for it.
pub(super) fn shortened(text: &str) -> String {
    let line = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    match line.char_indices().nth(MAX_TEXT) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}
