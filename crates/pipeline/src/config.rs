//! The `[[pipeline]]` tables, as written.

use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// One step that items go through, as written in a `[[pipeline]]` table: exactly one of the keys
/// from `validate` to `dedup`, and which items it is for.
///
/// A field is named by its name, or by names joined with dots for what is within an object
/// (`author.name`) or a list (`images.0`).
///
/// ```toml
/// [[pipeline]]
/// require = ["title", "price"]
///
/// [[pipeline]]
/// compute = { total = "= {price} * {amount}", line = "{title} by {author.name}" }
/// when = { amount = { greater = 0 } }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepConfig {
    /// By what reports call it. Default: the name of its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only for items of pages with one of these labels; `""` is none. Default: all pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Only for items of which all these conditions hold. Default: all items.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub when: IndexMap<String, ConditionConfig>,

    /// Drops items that do not fit a JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<SchemaConfig>,
    /// Drops items in which one of these fields is missing, null, or an empty text or list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require: Option<Vec<String>>,
    /// Drops items in which one of these fields is there, not null, and of another type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<IndexMap<String, FieldType>>,
    /// Gives fields other names: the old name, then the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<IndexMap<String, String>>,
    /// Takes these fields out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_fields: Option<Vec<String>>,
    /// Takes all fields out but these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_fields: Option<Vec<String>>,
    /// Sets fields to these values, whatever they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<IndexMap<String, Value>>,
    /// Sets fields to what a template (`"{title} by {author}"`) or, after `=`, an arithmetic
    /// expression (`"= {price} * 1.19"`) gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute: Option<IndexMap<String, String>>,
    /// Drops items of which all these conditions hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_if: Option<IndexMap<String, ConditionConfig>>,
    /// Drops items of which one of these conditions does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_if: Option<IndexMap<String, ConditionConfig>>,
    /// Drops items that have the same values in all these fields as one that is stored, over all
    /// pages and runs. An item in which none of them is filled is no duplicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup: Option<Vec<String>>,
}

/// A JSON Schema: the path of a file, or the schema itself as a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SchemaConfig {
    /// A file with the schema.
    File(PathBuf),
    /// The schema.
    Inline(Map<String, Value>),
}

/// The types of JSON, as people call them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
}

/// A condition on a field: the value that it must have, or a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ConditionConfig {
    /// It must be equal to this.
    Equals(Value),
    /// The long form.
    Long(Box<ConditionSpec>),
}

/// The long form of a condition; all that is given must hold. But for `not` and `missing` it
/// holds of no field that is missing or null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConditionSpec {
    /// The field is equal to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// It is not equal to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Value>,
    /// It is equal to one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// It is a text in which this regular expression matches somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// It is a number below this one, or a text that sorts before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub less: Option<Value>,
    /// It is a number above this one, or a text that sorts after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greater: Option<Value>,
    /// Whether it is missing, null, or an empty text or list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<bool>,
}

/// By hand, as all below, because an untagged enum's errors would not name the key that is wrong.
impl<'de> Deserialize<'de> for SchemaConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SchemaVisitor;

        impl<'de> Visitor<'de> for SchemaVisitor {
            type Value = SchemaConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a JSON Schema or the schema itself as a table")
            }

            fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<SchemaConfig, E> {
                Ok(SchemaConfig::File(path.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SchemaConfig, A::Error> {
                Map::deserialize(MapAccessDeserializer::new(map)).map(SchemaConfig::Inline)
            }
        }

        deserializer.deserialize_any(SchemaVisitor)
    }
}

impl<'de> Deserialize<'de> for ConditionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ConditionVisitor;

        impl<'de> Visitor<'de> for ConditionVisitor {
            type Value = ConditionConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false, or a table like { less = 10 }")
            }

            fn visit_bool<E>(self, value: bool) -> Result<ConditionConfig, E> {
                Ok(ConditionConfig::Equals(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<ConditionConfig, E> {
                Ok(ConditionConfig::Equals(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<ConditionConfig, E> {
                Ok(ConditionConfig::Equals(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<ConditionConfig, E> {
                Ok(ConditionConfig::Equals(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<ConditionConfig, E> {
                Ok(ConditionConfig::Equals(value.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ConditionConfig, A::Error> {
                let spec = ConditionSpec::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ConditionConfig::Long(Box::new(spec)))
            }
        }

        deserializer.deserialize_any(ConditionVisitor)
    }
}
