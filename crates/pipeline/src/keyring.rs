//! By which key an item is known again: that of its kind, else that of the first `dedup` step that it
//! went through. So one key serves for both, and nobody names it twice.

use std::sync::Arc;

use crawl_model::{Item, ItemKey, ItemKeys, ItemKind, Keys, OwnKey, PageItems};
use serde_json::Value;

use crate::path::FieldPath;
use crate::step::{Step, key_of};

/// What the steps made of an item.
#[derive(Debug, Default)]
pub(crate) struct Processed {
    pub(crate) json: Box<str>,
    /// The same as a value, if it was made one.
    pub(crate) value: Option<Value>,
    /// Its keys, each with the number of the step that made it.
    pub(crate) keys: Vec<(usize, ItemKey)>,
}

/// What the items of one kind on a page have in common.
#[derive(Debug)]
pub(crate) struct Keyring {
    /// The kind's number among those of the page.
    pub(crate) kind: u16,
    /// Space and fields of the kind's own key; `None` if it has none.
    own: Option<(String, Vec<FieldPath>)>,
}

impl Keyring {
    /// Of items of `kind` whose first key is that of the step `dedup`.
    pub(crate) fn new(
        page: &mut PageItems,
        kind: Option<&Arc<ItemKind>>,
        label: &str,
        dedup: Option<&Step>,
    ) -> Self {
        let own = kind.filter(|kind| !kind.key.is_empty()).map(|kind| {
            let paths = kind.key.iter().filter_map(|name| FieldPath::new(name, "key").ok());
            (kind.key_space().into_owned(), paths.collect())
        });
        if let (None, Some((space, fields))) = (&own, dedup.and_then(Step::dedup)) {
            let kind = kind.map_or_else(ItemKind::default, |kind| ItemKind::clone(kind));
            let key = fields.iter().map(|field| field.as_str().into()).collect();
            let kind = Arc::new(ItemKind { key, space: space.into(), ..kind });
            return Self { kind: page.kind(Some(&kind), label), own };
        }
        Self { kind: page.kind(kind, label), own }
    }

    /// The keys of an item.
    pub(crate) fn keys(&self, keys: ItemKeys, item: &Item, done: Processed) -> Keys {
        let unique: Vec<_> = done.keys.into_iter().map(|(_, key)| key).collect();
        if self.own.is_none() && unique.is_empty() {
            return Keys::default();
        }
        let value = done.value.or_else(|| serde_json::from_str(&item.json).ok());
        let own = value.and_then(|value| {
            let key = match &self.own {
                Some((space, fields)) => keys.key(space, &key_of(&value, fields)?),
                None => *unique.first()?,
            };
            Some(OwnKey { key, content: keys.content(value) })
        });
        Keys { own, unique }
    }
}
