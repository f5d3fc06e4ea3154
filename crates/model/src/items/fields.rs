//! Which fields of items are filled, by kind.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::compact;

/// Longest name of a field that is told apart, in characters.
const MAX_NAME_CHARS: usize = 100;

/// How many items have which fields filled, by the name of their kind.
///
/// A field is filled unless it is null, an empty text, an empty list or an empty object. Only
/// fields of items that are objects count, and of these the outermost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldCounts {
    /// By kind.
    pub kinds: BTreeMap<Box<str>, KindCounts>,
}

/// The same for one kind of items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCounts {
    /// Number of items.
    pub items: u64,
    /// In how many of them each field is filled, by name; 0 for one that never is.
    pub fields: BTreeMap<Box<str>, u64>,
}

impl FieldCounts {
    /// Counts an item.
    pub fn add(&mut self, kind: &str, json: &str) {
        let count = |counts: &mut KindCounts| {
            counts.items += 1;
            counts.each(json, |count, is_filled| *count += u64::from(is_filled));
        };
        match self.kinds.get_mut(kind) {
            Some(counts) => count(counts),
            None => count(self.kinds.entry(kind.into()).or_default()),
        }
    }

    /// Takes an item back that was counted.
    pub fn remove(&mut self, kind: &str, json: &str) {
        if let Some(counts) = self.kinds.get_mut(kind) {
            counts.items = counts.items.saturating_sub(1);
            counts.each(json, |count, is_filled| {
                *count = count.saturating_sub(u64::from(is_filled));
            });
        }
    }

    /// Number of items.
    #[must_use]
    pub fn n_items(&self) -> u64 {
        self.kinds.values().map(|kind| kind.items).sum()
    }
}

impl KindCounts {
    /// Shows the count of each field of an item, and whether it is filled there.
    fn each(&mut self, json: &str, mut each: impl FnMut(&mut u64, bool)) {
        // What is no object has no fields.
        let Some(Fields(fields)) = Fields::of(json) else { return };
        for (name, is_filled) in fields {
            let is_long = name.len() > MAX_NAME_CHARS && name.chars().nth(MAX_NAME_CHARS).is_some();
            let name = if is_long { "(long name)" } else { &*name };
            match self.fields.get_mut(name) {
                Some(count) => each(count, is_filled),
                None => each(self.fields.entry(name.into()).or_default(), is_filled),
            }
        }
    }
}

/// An object's fields, and whether they are filled; read without building it.
struct Fields<'a>(Vec<(std::borrow::Cow<'a, str>, bool)>);

impl<'a> Fields<'a> {
    /// Of the text of one value; `None` if that is no object.
    fn of(json: &'a str) -> Option<Self> {
        Self::of_compact(json).or_else(|| serde_json::from_str(json).ok())
    }

    /// The same of an object as it is usually written: without blanks, names without escapes. The
    /// text is taken to be JSON, which saves reading what the values are.
    fn of_compact(json: &'a str) -> Option<Self> {
        let mut fields = Vec::with_capacity(8);
        let mut rest = json.strip_prefix('{')?;
        if rest == "}" {
            return Some(Self(fields));
        }
        loop {
            let (name, after) = rest.strip_prefix('"')?.split_once('"')?;
            if name.contains('\\') {
                return None;
            }
            let value = after.strip_prefix(':')?;
            let len = compact::len_of_value(value.as_bytes())?;
            fields.push((name.into(), is_filled(&value[..len])));
            rest = match value.as_bytes().get(len)? {
                b',' => &value[len + 1..],
                b'}' if len + 1 == value.len() => return Some(Self(fields)),
                _ => return None,
            };
        }
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    fields.push((name, is_filled(value.get())));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// Whether a value says anything. `json` is that of one value without blanks around it.
fn is_filled(json: &str) -> bool {
    match json.as_bytes() {
        b"null" | b"\"\"" => false,
        [b'[' | b'{', inside @ .., _] => !inside.trim_ascii().is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_filled_if_it_says_something() {
        let json =
            r#"{"a":1,"b":null,"c":"","d":[ ],"e":{},"f":[null],"g":" ","h":false,"i\n":0.5}"#;
        let mut counts = FieldCounts::default();
        counts.add("book", json);
        let kind = &counts.kinds["book"];
        let filled: Vec<_> = kind.fields.iter().filter(|(_, n)| **n == 1).collect();
        let names: Vec<_> = filled.iter().map(|(name, _)| &***name).collect();
        assert_eq!((kind.items, kind.fields.len()), (1, 9));
        assert_eq!(names, ["a", "f", "g", "h", "i\n"]);
        counts.remove("book", json);
        assert!(counts.kinds["book"].fields.values().all(|n| *n == 0) && counts.n_items() == 0);
    }

    #[test]
    fn fields_are_the_same_however_they_are_found() {
        for json in [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"","b":"x\\\"y","c":null,"d":[],"e":[1,{"f":"}"}],"g":{},"h":-1.5e3,"i":true}"#,
            r#"{"\u00e9":"é","é":2}"#,
            r#"{ "a" : [ ] , "b" : 1 }"#,
            "[1]",
            "3",
            "\"{}\"",
        ] {
            let by_serde = serde_json::from_str::<Fields<'_>>(json).ok().map(|fields| fields.0);
            assert_eq!(Fields::of(json).map(|fields| fields.0), by_serde, "{json}");
            let is_compact = Fields::of_compact(json).is_some();
            assert_eq!(is_compact, json.starts_with("{\"a\":") || json == "{}", "{json}");
        }
    }
}
