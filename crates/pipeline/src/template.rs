//! Texts with fields in them: `"{title} by {author.name}, from {@url}"`.
//!
//! `{{` and `}}` are braces. If a field is missing or null, there is no text at all: half a
//! sentence is worse than none.

use crawl_spider::PageInfo;
use serde_json::Value;

use crate::PipelineError;
use crate::path::FieldPath;
use crate::value::as_text;

/// A template, read once.
#[derive(Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Place(Place),
}

/// What stands between braces.
#[derive(Debug)]
pub(crate) enum Place {
    Field(FieldPath),
    Url,
    Label,
    Depth,
    Status,
}

impl Place {
    /// Reads what stands between braces; `key` is where it was written.
    pub(crate) fn new(name: &str, key: &str) -> Result<Self, PipelineError> {
        match name.trim() {
            "@url" => Ok(Self::Url),
            "@label" => Ok(Self::Label),
            "@depth" => Ok(Self::Depth),
            "@status" => Ok(Self::Status),
            unknown if unknown.starts_with('@') => {
                let problem = format!(
                    "`{{{unknown}}}` is nothing of a page; there are {{@url}}, {{@label}}, \
                     {{@depth}} and {{@status}}"
                );
                Err(PipelineError::new(key, problem))
            }
            field => FieldPath::new(field, key).map(Self::Field),
        }
    }

    /// Its value; `None` if it has none. URLs are shown without credentials.
    pub(crate) fn value(&self, item: &Value, page: &PageInfo<'_>) -> Option<Value> {
        match self {
            Self::Field(path) => path.get(item).filter(|value| !value.is_null()).cloned(),
            Self::Url => Some(page.url().without_credentials().as_str().into()),
            Self::Label => Some(page.label().into()),
            Self::Depth => Some(page.depth().into()),
            Self::Status => page.status().map(Value::from),
        }
    }
}

impl Template {
    /// Reads a template; `key` is where it was written.
    pub(crate) fn new(text: &str, key: &str) -> Result<Self, PipelineError> {
        let wrong = |problem: &str| PipelineError::new(key, format!("`{text}`: {problem}"));
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(wrong("a `}` without its `{`; a brace itself is written `}}`"));
            }
            let end = rest.find('}').ok_or_else(|| wrong("a `{` without its `}`"))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Place(Place::new(&rest[..end], key)?));
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// The text for an item; null if a field of it is missing.
    pub(crate) fn fill(&self, item: &Value, page: &PageInfo<'_>) -> Value {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Place(place) => match place.value(item, page) {
                    Some(value) => text.push_str(&as_text(&value)),
                    None => return Value::Null,
                },
            }
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use crawl_spider::{CanonicalUrl, Request};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(template: &str, expected: Value) {
        let mut request = Request::get(CanonicalUrl::parse("http://u:p@h/x").unwrap());
        request.label = "book".into();
        let page = PageInfo::new(&request, Some(200));
        let item = json!({"title": "A", "by": {"name": "B"}, "n": 1.5, "none": null, "l": [1]});
        assert_eq!(Template::new(template, "k").unwrap().fill(&item, &page), expected);
    }

    #[test]
    fn fields_take_the_place_of_their_names() {
        check("{title} by {by.name}", json!("A by B"));
        check("{n} {l} {{x}}", json!("1.5 [1] {x}"));
        check("{@label} {@status} {@depth} {@url}", json!("book 200 0 http://h/x"));
        check("", json!(""));
    }

    #[test]
    fn a_field_that_is_missing_makes_null() {
        check("x {none}", Value::Null);
        check("{nothing}", Value::Null);
    }

    #[test]
    fn what_is_no_template_is_said_with_its_place() {
        for text in ["{a", "a}", "{a.}", "{}", "{@ulr}"] {
            assert_eq!(Template::new(text, "k").unwrap_err().key, "k", "{text}");
        }
    }
}
