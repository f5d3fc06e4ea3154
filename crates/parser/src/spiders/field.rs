//! One field of a declarative item: where it stands and what is made of it.

use crawl_spider::process::number;
use crawl_spider::{FieldQuery, Page, Row, SpiderError, Take, Value};
use regex::Regex;

use crate::css::compile;
use crate::spiders::config::{FieldConfig, FieldSpec};

/// A field, checked and compiled.
#[derive(Debug)]
pub(crate) struct Field {
    query: FieldQuery,
    regex: Option<Regex>,
    make: Make,
    default: Option<Value>,
    pub(crate) required: bool,
}

/// What is made of it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Make {
    Text,
    Number,
    Link,
}

impl Field {
    /// Checks and compiles a field.
    ///
    /// # Errors
    /// A message that says what is wrong with it.
    pub(crate) fn new(config: &FieldConfig) -> Result<Self, String> {
        let spec = match config {
            FieldConfig::Short(text) => short_form(text)?,
            FieldConfig::Long(spec) => spec.clone(),
        };
        let take = match (spec.attr, spec.html) {
            (Some(_), true) => return Err("has both `attr` and `html`; choose one".to_owned()),
            (Some(name), false) if !is_attribute_name(&name) => {
                return Err(format!("`{name}` is no attribute's name"));
            }
            (Some(name), false) => Take::Attr(name.to_ascii_lowercase()),
            (None, true) => Take::Html,
            (None, false) => Take::Text,
        };
        let make = match (spec.number, spec.link) {
            (true, true) => return Err("has both `number` and `link`; choose one".to_owned()),
            (true, false) => Make::Number,
            (false, true) => Make::Link,
            (false, false) => Make::Text,
        };
        if spec.required && spec.default.is_some() {
            return Err("is `required` and has a `default`; choose one".to_owned());
        }
        let css = spec.css.trim().to_owned();
        if !css.is_empty() {
            compile(&css).map_err(|error| error.to_string())?;
        }
        let regex = spec.regex.as_deref().map(compile_regex).transpose()?;
        let query = FieldQuery { css, take, all: spec.all };
        Ok(Self { query, regex, make, default: spec.default, required: spec.required })
    }

    /// Where it stands and what is taken there.
    pub(crate) fn query(&self) -> &FieldQuery {
        &self.query
    }

    /// Reads the field, number `index` of the row; `None` if it is not found.
    pub(crate) fn read(
        &self,
        page: &Page<'_>,
        row: Row<'_>,
        index: usize,
    ) -> Result<Option<Value>, SpiderError> {
        if self.query.all {
            let found = row.all(index)?.into_iter().flatten();
            let values: Vec<_> = found.filter_map(|text| self.value(page, &text)).collect();
            return Ok((!values.is_empty()).then(|| values.into()));
        }
        Ok(row.first(index)?.and_then(|text| self.value(page, &text)))
    }

    /// The value if it is not found.
    pub(crate) fn fallback(&self) -> Value {
        match &self.default {
            Some(value) => value.clone(),
            None if self.query.all => Value::Array(Vec::new()),
            None => Value::Null,
        }
    }

    /// What is made of what was taken of one element.
    fn value(&self, page: &Page<'_>, text: &str) -> Option<Value> {
        let text = if matches!(self.query.take, Take::Attr(_)) { text.trim() } else { text };
        let text = match &self.regex {
            None => text,
            Some(regex) => {
                let found = regex.captures(text)?;
                found.get(1).or(found.get(0))?.as_str()
            }
        };
        match self.make {
            Make::Text => (!text.is_empty()).then(|| text.into()),
            Make::Number => number(text).map(Value::Number),
            Make::Link => page.join(text).ok().map(|url| url.as_str().into()),
        }
    }
}

/// Compiles a regular expression; the message is one line.
pub(crate) fn compile_regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("`{pattern}` is not a regular expression: {}", last.trim_start_matches("error: "))
    })
}

/// `CSS`, `CSS @attribute`, `CSS ::text`, `CSS ::html`.
fn short_form(text: &str) -> Result<FieldSpec, String> {
    let text = text.trim();
    let (css, last) = match text.rsplit_once(char::is_whitespace) {
        Some((css, last)) => (css.trim(), last),
        None => ("", text),
    };
    let mut spec = FieldSpec { css: css.to_owned(), ..FieldSpec::default() };
    if let Some(name) = last.strip_prefix('@') {
        spec.attr = Some(name.to_owned());
    } else if last == "::html" {
        spec.html = true;
    } else if last != "::text" {
        spec.css = text.to_owned();
    }
    if text.is_empty() {
        return Err("is empty; write a selector, or \"::text\" for the item's own text".to_owned());
    }
    if let Some(css) = spec.css.strip_suffix("::text").or(spec.css.strip_suffix("::html")) {
        let ending = &spec.css[css.len()..];
        return Err(format!("needs a space before `{ending}`: \"{css} {ending}\""));
    }
    Ok(spec)
}

fn is_attribute_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}
