//! Some fields out of a JSON text, without a value made of the rest.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Condition;

/// The fields that conditions ask of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Picks(Vec<String>);

impl Picks {
    pub(super) fn of(conditions: &[Condition]) -> Self {
        let mut names = Vec::new();
        for name in conditions.iter().flat_map(Condition::fields) {
            names.push(name.to_owned());
            // A dot may lead into it.
            names.extend(name.split_once('.').map(|(first, _)| first.to_owned()));
            // The host is that of the URL.
            names.extend((name == "host").then(|| "url".to_owned()));
        }
        Self(names)
    }

    /// Those of them that an object has; `None` if it is no object, or damaged.
    pub(super) fn from(&self, json: &[u8]) -> Option<Value> {
        let mut from = serde_json::Deserializer::from_slice(json);
        from.deserialize_map(self).ok().map(Value::Object)
    }
}

impl<'de> Visitor<'de> for &Picks {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked = Map::new();
        while let Some(name) = map.next_key_seed(Name(&self.0))? {
            match name {
                Some(name) => drop(picked.insert(name, map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(picked)
    }
}

/// A name, if it is one of these.
struct Name<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<String>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|wanted| *wanted == name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_asked_for_is_picked() {
        let conditions = ["timing.dns_ms>1 and not host~x", "\\u0041 or title"];
        let picks = Picks::of(&conditions.map(|text| text.parse().unwrap()));
        let json = br#"{"url":"http://h/","n":1,"timing":{"dns_ms":[3]},"t\u0069tle":"x"}"#;
        let expected = json!({"url": "http://h/", "timing": {"dns_ms": [3]}, "title": "x"});
        assert_eq!(picks.from(json), Some(expected));
        assert_eq!((picks.from(b"[1]"), picks.from(br#"{"n":"#)), (None, None));
    }
}
