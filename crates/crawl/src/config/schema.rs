//! The JSON Schema of the config, for editors.
//!
//! Made of the types that the config is read into, so that keys, words and defaults are those that
//! count, and the descriptions are theirs, too. TOML has no null, so the schema has none.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

use super::Config;

impl Config {
    /// The JSON Schema (draft 2020-12) of the file that [`parse`](Self::parse) reads: every key with
    /// what it means, its default and its words.
    #[must_use]
    pub fn schema() -> Value {
        let settings = SchemaSettings::draft2020_12().with_transform(ForToml);
        let mut schema = settings.into_generator().into_root_schema_for::<Self>();
        schema.insert("title".to_owned(), "A crawl".into());
        schema.to_value()
    }
}

/// Takes null out of types, alternatives, words and defaults, and tidies up.
#[derive(Debug, Clone)]
struct ForToml;

impl Transform for ForToml {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(table) = schema.as_object_mut() {
            drop_null(table);
            join_lines(table);
            drop_whole_tables(table);
        }
        transform_subschemas(self, schema);
    }
}

fn drop_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.retain(|one| one.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(one)] = &alternatives[..] {
            let one = one.clone();
            schema.remove("anyOf");
            for (key, value) in one {
                schema.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// Joins the lines of descriptions, which are those of source code.
fn join_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// A whole table as the default of a key says again what its keys say.
fn drop_whole_tables(schema: &mut Map<String, Value>) {
    if schema.contains_key("$ref") && schema.get("default").is_some_and(Value::is_object) {
        schema.remove("default");
    }
}
