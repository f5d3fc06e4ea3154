//! What the items of a page come to: kept or dropped, by which keys they are the only ones, and
//! which of their fields are filled.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::{DroppedItem, Files, Item};

/// Longest name of a field that is told apart, in characters.
const MAX_NAME_CHARS: usize = 100;

/// What the spider took from a page, after all steps of the pipeline.
#[derive(Debug, Clone, Default)]
pub struct PageItems {
    /// Those to be stored, in order.
    pub kept: Vec<Item>,
    /// By which keys each of them must be the only one; as long as `kept`, or empty if none of
    /// them has a key.
    pub keys: Vec<Vec<ItemKey>>,
    /// Which fields of `kept` are filled.
    pub fields: FieldCounts,
    /// Those that a step dropped.
    pub dropped: Vec<DroppedItem>,
    /// The files that `kept` ask for.
    pub files: Files,
}

impl PageItems {
    /// Items of `kind` that went through no step.
    #[must_use]
    pub fn plain(kind: &str, kept: Vec<Item>) -> Self {
        let mut fields = FieldCounts::default();
        kept.iter().for_each(|item| fields.add(kind, item));
        Self { kept, fields, ..Self::default() }
    }
}

/// A key of which the whole crawl keeps one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemKey(pub [u8; 16]);

/// Makes [`ItemKey`]s; keyed, so that no site can prepare collisions. By 128 bits even a billion
/// items meet by chance once in 10^20 crawls.
#[derive(Debug, Clone, Copy)]
pub struct ItemKeys {
    secret: [u8; 16],
}

impl ItemKeys {
    /// Keys of the crawl that has this secret.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// The key for `text` among those of the step `step`.
    #[must_use]
    pub fn key(&self, step: &str, text: &str) -> ItemKey {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write_u64(step.len() as u64);
        hasher.write(step.as_bytes());
        hasher.write(text.as_bytes());
        ItemKey(hasher.finish128().as_bytes())
    }
}

/// How many items have which fields filled, by kind of item: the label of their pages.
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
    pub fn add(&mut self, kind: &str, item: &Item) {
        if !self.kinds.contains_key(kind) {
            self.kinds.insert(kind.into(), KindCounts::default());
        }
        if let Some(counts) = self.kinds.get_mut(kind) {
            counts.items += 1;
            counts.each(item, |count, is_filled| *count += u64::from(is_filled));
        }
    }

    /// Takes an item back that was counted.
    pub fn remove(&mut self, kind: &str, item: &Item) {
        if let Some(counts) = self.kinds.get_mut(kind) {
            counts.items = counts.items.saturating_sub(1);
            counts.each(item, |count, is_filled| {
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
    fn each(&mut self, item: &Item, mut each: impl FnMut(&mut u64, bool)) {
        // What is no object has no fields.
        let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(&item.0) else { return };
        for (name, is_filled) in fields {
            let name = name.chars().nth(MAX_NAME_CHARS).map_or(&*name, |_| "(long name)");
            match self.fields.get_mut(name) {
                Some(count) => each(count, is_filled),
                None => each(self.fields.entry(name.into()).or_default(), is_filled),
            }
        }
    }
}

/// An object's fields, and whether they are filled; read without building it.
struct Fields<'a>(Vec<(std::borrow::Cow<'a, str>, bool)>);

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
                    fields.push((name, map.next_value::<Filled>()?.0));
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

/// Whether a value says anything.
struct Filled(bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FilledVisitor;

        impl<'de> Visitor<'de> for FilledVisitor {
            type Value = Filled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Filled, E> {
                Ok(Filled(false))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Filled, E> {
                Ok(Filled(true))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Filled, E> {
                Ok(Filled(true))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Filled, E> {
                Ok(Filled(true))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Filled, E> {
                Ok(Filled(true))
            }

            fn visit_str<E>(self, text: &str) -> Result<Filled, E> {
                Ok(Filled(!text.is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Filled, A::Error> {
                let mut any = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(Filled(any))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filled, A::Error> {
                let mut any = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(Filled(any))
            }
        }

        deserializer.deserialize_any(FilledVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: &str) -> Item {
        Item(json.into())
    }

    #[test]
    fn a_field_is_filled_if_it_says_something() {
        let json =
            r#"{"a":1,"b":null,"c":"","d":[],"e":{},"f":[null],"g":"x","h":false,"i\n":0.5}"#;
        let mut counts = FieldCounts::default();
        counts.add("book", &item(json));
        let kind = &counts.kinds["book"];
        let filled: Vec<_> = kind.fields.iter().filter(|(_, n)| **n == 1).collect();
        let names: Vec<_> = filled.iter().map(|(name, _)| &***name).collect();
        assert_eq!((kind.items, kind.fields.len()), (1, 9));
        assert_eq!(names, ["a", "f", "g", "h", "i\n"]);
        counts.remove("book", &item(json));
        assert!(counts.kinds["book"].fields.values().all(|n| *n == 0) && counts.n_items() == 0);
    }

    #[test]
    fn an_item_that_is_no_object_counts_and_has_no_fields() {
        let items = PageItems::plain("", vec![item("3"), item("[1]"), item("no JSON")]);
        assert_eq!((items.fields.n_items(), items.fields.kinds[""].fields.len()), (3, 0));
    }

    #[test]
    fn keys_differ_by_secret_step_and_text() {
        let keys = ItemKeys::new([7; 16]);
        assert_eq!(keys.key("a", "b"), keys.key("a", "b"));
        let others = [keys.key("", "ab"), keys.key("ab", ""), ItemKeys::new([8; 16]).key("a", "b")];
        assert!(others.iter().all(|other| *other != keys.key("a", "b")));
    }
}
