//! Fields of items, as written.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::is_the_default;

/// One field: a selector, or a table. `"CSS @attribute"` and `"CSS ::html"` take something else
/// than the text.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldConfig {
    /// The short form. Without CSS (`"@href"`) it is taken from the item's own element.
    Short(String),
    /// The long form.
    Long(Box<FieldSpec>),
}

/// The long form of a field.
///
/// What is found goes through `json`, `regex`, `replace`, `strip`, `lower` or `upper`, `split`,
/// `join` and `type`, in this order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FieldSpec {
    /// CSS selector within the item. Default: the item's own element.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub css: String,
    /// XPath 1.0 expression, asked of the item's element or of the page, in place of `css`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xpath: Option<String>,
    /// JSONPath (RFC 9535). Alone it is asked of the item's JSON, or of the page's; beside
    /// another source it is asked of what that finds, which is then read as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// Name of a value that travels with the request (`carry`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<String>,
    /// A value that is always the same.
    #[serde(rename = "const", skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    /// Something about the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageProperty>,
    /// Takes this attribute instead of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attr: Option<String>,
    /// Takes the element's HTML instead of its text. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub html: bool,
    /// Takes all matches, as a list. Default: false, only the first.
    #[serde(skip_serializing_if = "is_the_default")]
    pub all: bool,
    /// Makes an object of what is found: fields, each within the match.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, FieldConfig>,
    /// Keeps only what this regular expression finds: its first group, or the whole match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Replaces each match of a regular expression: `[["\\s*\\(.*", ""]]`. `$1` is its first group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<(String, String)>,
    /// Takes these characters off both ends, besides white space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<String>,
    /// Makes it lower case. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub lower: bool,
    /// Makes it upper case. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub upper: bool,
    /// Makes a list of it, cut at this text; what is empty then is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Makes one text of a list, with this in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// What to make of it. Default: a text, or what it is in the JSON.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FieldType>,
    /// How dates are written with `type = "date"`, as strftime has it: `"%d %B %Y"`. Default:
    /// ISO 8601, that of mail, and names of months in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The value if nothing is found. Default: null, or an empty list with `all` or `split`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Leaves the item out if the field is not found; the crawl's log says so. Default: false.
    #[serde(skip_serializing_if = "is_the_default")]
    pub required: bool,
}

/// What is made of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A text.
    Text,
    /// A number: the first one in the text, in either notation (`1,234.50`, `1.234,50`).
    Number,
    /// A whole number: likewise, and not found if it has a fraction.
    Integer,
    /// `true` of `true`, `yes`, `y`, `on`, `1`; `false` of `false`, `no`, `n`, `off`, `0`; else not
    /// found.
    Bool,
    /// A date in ISO 8601; see `format`.
    Date,
    /// An absolute URL.
    Url,
    /// The absolute URL of a file that is fetched with the item, to the folder `media` of the crawl:
    /// see `[media]`. The item's field `files` says what became of it. Without `attr` an element's
    /// `href` is taken.
    File,
    /// The same of an image; without `attr` an element's `src` is taken.
    Image,
    /// Whatever the text is as JSON.
    Json,
}

/// What is known of a page besides what its elements say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageProperty {
    /// Its URL.
    Url,
    /// Its title.
    Title,
    /// HTTP status.
    Status,
    /// Link distance from the nearest seed.
    Depth,
    /// The page that linked to it; not found for seeds.
    Referrer,
    /// Its label.
    Label,
    /// When it was read, in UTC: `2024-05-17T19:00:00Z`.
    Fetched,
    /// The whole body as text.
    Text,
    /// The description of its head.
    Description,
    /// Its canonical URL.
    Canonical,
    /// Its language.
    Language,
    /// When it was published, as its head says it.
    Published,
    /// Its JSON-LD, a list of all scripts of that kind.
    JsonLd,
    /// Its microdata items, a list.
    Microdata,
    /// Its OpenGraph, an object with names as `og:title`.
    OpenGraph,
    /// Its main text, as a reader view shows it.
    MainText,
    /// All of it as Markdown.
    Markdown,
}

/// By hand, because an untagged enum's errors would not name the key that is wrong.
impl<'de> Deserialize<'de> for FieldConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = FieldConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a selector like \"h3 a @title\" or a table like { css = \"h3\" }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldConfig, E> {
                Ok(FieldConfig::Short(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldConfig, A::Error> {
                let spec = FieldSpec::deserialize(MapAccessDeserializer::new(map))?;
                Ok(FieldConfig::Long(Box::new(spec)))
            }
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}
