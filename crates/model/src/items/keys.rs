//! By what items are known again, on whatever page they stand.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

/// The keys of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// By which it is known again, on whatever page it stands.
    pub own: Option<OwnKey>,
    /// By which it must be the only one; [`own`](Self::own) may be among them.
    pub unique: Vec<ItemKey>,
}

/// By what an item is known again, and by what it is seen that it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnKey {
    /// The key.
    pub key: ItemKey,
    /// Tells one content from another: [`ItemKeys::content`].
    pub content: u64,
}

/// A key by which an item is told from others.
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

    /// The key for `text` among those of the space `space`: see
    /// [`ItemKind::key_space`](crate::ItemKind::key_space).
    #[must_use]
    pub fn key(&self, space: &str, text: &str) -> ItemKey {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write_u64(space.len() as u64);
        hasher.write(space.as_bytes());
        hasher.write(text.as_bytes());
        ItemKey(hasher.finish128().as_bytes())
    }

    /// Tells one content of an item from another. The order of fields does not count.
    #[must_use]
    pub fn content(&self, mut item: serde_json::Value) -> u64 {
        item.sort_all_objects();
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(item.to_string().as_bytes());
        hasher.finish128().h1
    }
}

/// The text of a key: the values of its fields as JSON, a line each.
#[must_use]
pub fn key_text<'v>(values: impl IntoIterator<Item = &'v serde_json::Value>) -> String {
    let values: Vec<String> = values.into_iter().map(ToString::to_string).collect();
    values.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_differ_by_secret_space_and_text() {
        let keys = ItemKeys::new([7; 16]);
        assert_eq!(keys.key("a", "b"), keys.key("a", "b"));
        let others = [keys.key("", "ab"), keys.key("ab", ""), ItemKeys::new([8; 16]).key("a", "b")];
        assert!(others.iter().all(|other| *other != keys.key("a", "b")));
    }

    #[test]
    fn the_order_of_fields_is_no_content() {
        let keys = ItemKeys::new([7; 16]);
        let content = |value| keys.content(value);
        let item = json!({"a": 1, "b": {"c": [1, 2], "d": "x"}});
        assert_eq!(content(item.clone()), content(json!({"b": {"d": "x", "c": [1, 2]}, "a": 1})));
        assert_ne!(content(item), content(json!({"b": {"d": "x", "c": [2, 1]}, "a": 1})));
    }
}
