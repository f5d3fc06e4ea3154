//! JSON Schemas (drafts 4 to 2020-12), by the boon crate.
//!
//! A schema may refer to files beside it, never to the network. Formats (`date`, `uri`) are
//! checked, as most people expect, though the standard makes that optional.

use std::fmt;
use std::fs;
use std::path::Path;

use boon::{Compiler, Draft, ErrorKind, SchemaIndex, Schemas, ValidationError};
use crawl_spider::Dropped;
use serde_json::{Map, Value};

use crate::PipelineError;
use crate::config::SchemaConfig;
use crate::value::from_config;

/// Under which an inline schema is known to the compiler; nothing is fetched from there.
const INLINE: &str = "crawl:///inline-schema.json";

/// A schema, compiled.
pub(crate) struct Schema {
    schemas: Schemas,
    root: SchemaIndex,
}

impl Schema {
    /// Compiles what is written at `key`.
    pub(crate) fn new(config: &SchemaConfig, key: &str) -> Result<Self, PipelineError> {
        match config {
            SchemaConfig::File(path) => Self::read(path, key),
            SchemaConfig::Inline(schema) => {
                let schema = from_config(&Value::Object(Map::clone(schema)));
                Self::compile(INLINE, Some(schema), key)
            }
        }
    }

    fn read(path: &Path, key: &str) -> Result<Self, PipelineError> {
        let shown = path.display();
        let wrong = |problem: String| PipelineError::new(key, problem);
        let path = fs::canonicalize(path)
            .map_err(|error| wrong(format!("the schema `{shown}` cannot be read: {error}")))?;
        let text = fs::read_to_string(&path)
            .map_err(|error| wrong(format!("the schema `{shown}` cannot be read: {error}")))?;
        let schema: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("the schema `{shown}` is no JSON: {error}")))?;
        let location = path.to_str().ok_or_else(|| wrong(format!("`{shown}` is no UTF-8")))?;
        Self::compile(location, Some(schema), key)
    }

    fn compile(location: &str, schema: Option<Value>, key: &str) -> Result<Self, PipelineError> {
        let wrong = |error: &dyn fmt::Display| {
            PipelineError::new(key, format!("is no JSON Schema: {error:#}"))
        };
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        if let Some(schema) = schema {
            compiler.add_resource(location, schema).map_err(|error| wrong(&error))?;
        }
        let mut schemas = Schemas::new();
        let root = compiler.compile(location, &mut schemas).map_err(|error| wrong(&error))?;
        Ok(Self { schemas, root })
    }

    /// Checks an item. What it is dropped for is the first thing that does not fit.
    pub(crate) fn check(&self, item: &Value) -> Result<(), Dropped> {
        self.schemas.validate(item, self.root).map_err(|error| {
            let leaf = first_leaf(&error);
            let place = place(&leaf.instance_location.to_string());
            Dropped::new(format!("{place}: {}", keyword(&leaf.kind))).because(&leaf.kind)
        })
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").finish_non_exhaustive()
    }
}

/// The innermost cause, which says what is wrong, where the others only say that something is.
fn first_leaf<'e, 's, 'v>(error: &'e ValidationError<'s, 'v>) -> &'e ValidationError<'s, 'v> {
    let mut error = error;
    while let Some(cause) = error.causes.first() {
        error = cause;
    }
    error
}

/// A JSON pointer as people write fields, list indexes left out: of a thousand items each should
/// not have a reason of its own.
fn place(pointer: &str) -> String {
    let parts: Vec<&str> = pointer
        .split('/')
        .skip(1)
        .map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "*" } else { part })
        .collect();
    if parts.is_empty() { "item".to_owned() } else { parts.join(".") }
}

/// What is wrong in a word, the same for all items.
fn keyword(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Required { want } => format!("lacks {}", want.join(", ")),
        ErrorKind::Type { want, .. } => {
            let want: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("is no {}", want.join(" or "))
        }
        ErrorKind::Enum { .. } => "is none of the values".to_owned(),
        ErrorKind::Const { .. } => "is not the value".to_owned(),
        ErrorKind::Format { want, .. } => format!("is no {want}"),
        ErrorKind::Pattern { .. } => "does not match".to_owned(),
        ErrorKind::Minimum { .. } | ErrorKind::ExclusiveMinimum { .. } => "is too small".to_owned(),
        ErrorKind::Maximum { .. } | ErrorKind::ExclusiveMaximum { .. } => "is too great".to_owned(),
        ErrorKind::MultipleOf { .. } => "is not a multiple".to_owned(),
        ErrorKind::MinLength { .. } | ErrorKind::MinItems { .. } => "is too short".to_owned(),
        ErrorKind::MaxLength { .. } | ErrorKind::MaxItems { .. } => "is too long".to_owned(),
        ErrorKind::UniqueItems { .. } => "has something twice".to_owned(),
        ErrorKind::AdditionalProperties { .. } => "has fields too many".to_owned(),
        _ => "does not fit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(text: &str) -> Result<Schema, PipelineError> {
        Schema::new(&SchemaConfig::Inline(toml::from_str(text).unwrap()), "k")
    }

    const BOOK: &str = "
        type = 'object'
        required = ['title']
        [properties.title]
        type = 'string'
        maxLength = 5
        [properties.price]
        type = 'number'
        minimum = 0
        [properties.tags]
        items = { type = 'string' }
        [properties.seen]
        format = 'date'
    ";

    #[track_caller]
    fn check(item: Value, reason: &str) {
        let book = schema(BOOK).unwrap();
        let dropped = book.check(&item).map_err(|dropped| dropped.reason().to_owned());
        assert_eq!(dropped.err().unwrap_or_default(), reason);
    }

    #[test]
    fn an_item_that_does_not_fit_is_dropped_for_the_innermost_reason() {
        check(json!({"title": "A", "price": 1, "tags": ["x"], "seen": "2024-02-29"}), "");
        check(json!({"price": 1}), "item: lacks title");
        check(json!({"title": 3}), "title: is no string");
        check(json!({"title": "long title"}), "title: is too long");
        check(json!({"title": "A", "price": -1}), "price: is too small");
        check(json!({"title": "A", "tags": ["x", 7]}), "tags.*: is no string");
        check(json!({"title": "A", "seen": "2023-02-29"}), "seen: is no date");
        check(json!("no object"), "item: is no object");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let error = schema("type = 'strnig'").unwrap_err();
        assert!(error.key == "k" && error.problem.contains("JSON Schema"), "{error}");
        assert!(schema("'$ref' = 'http://127.0.0.1:1/x.json'").is_err());
        let missing = Schema::new(&SchemaConfig::File("/no/such/file".into()), "k").unwrap_err();
        assert!(missing.problem.contains("/no/such/file"), "{missing}");
    }

    #[test]
    fn a_file_may_refer_to_one_beside_it() {
        let dir = std::env::temp_dir().join(format!("crawl-schema-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("a.json"), r#"{"properties": {"p": {"$ref": "b.json"}}}"#).unwrap();
        fs::write(dir.join("b.json"), r#"{"type": "integer"}"#).unwrap();
        let schema = Schema::new(&SchemaConfig::File(dir.join("a.json")), "k").unwrap();
        assert!(schema.check(&json!({"p": 1})).is_ok());
        assert_eq!(schema.check(&json!({"p": "x"})).unwrap_err().reason(), "p: is no integer");
        fs::remove_dir_all(&dir).unwrap();
    }
}
