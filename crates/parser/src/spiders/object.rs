//! The fields of an item while it is put together.
//!
//! A list, for items have a handful of fields: they are found, replaced and written sooner than in a
//! hash table, and their names need no copies.

use std::borrow::Cow;

use crawl_spider::Value;
use serde::{Serialize, Serializer};
use serde_json::Map;

/// Fields by name, in order.
#[derive(Debug, Default)]
pub(crate) struct Object<'n>(Vec<(Cow<'n, str>, Value)>);

impl<'n> Object<'n> {
    /// An empty one with room for so many fields.
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self(Vec::with_capacity(n))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Adds a field; in the place of the one of this name, if there is one.
    pub(crate) fn insert(&mut self, name: impl Into<Cow<'n, str>>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The same as a value of JSON.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
    }
}

impl<'n> IntoIterator for Object<'n> {
    type Item = (Cow<'n, str>, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Map<String, Value>> for Object<'_> {
    fn from(map: Map<String, Value>) -> Self {
        Self(map.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_their_last_value() {
        let mut object = Object::with_capacity(1);
        object.insert("b", 1.into());
        object.insert("a".to_owned(), "x\"y".into());
        object.insert("b", Value::Null);
        let json = r#"{"b":null,"a":"x\"y"}"#;
        assert_eq!(serde_json::to_string(&object).unwrap(), json);
        assert_eq!(object.get("b"), Some(&Value::Null));
        assert_eq!(object.get("c"), None);
        let map = object.into_map();
        assert_eq!(serde_json::to_string(&map).unwrap(), json);
        assert_eq!(serde_json::to_string(&Object::from(map)).unwrap(), json);
    }
}
