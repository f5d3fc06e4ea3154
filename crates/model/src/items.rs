//! Items: of which kinds they are, what those of a page come to (kept or dropped, known again by
//! which keys), and which of their fields are filled.

mod compact;
mod fields;
mod keys;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{DroppedItem, Files};

pub use fields::{FieldCounts, KindCounts};
pub use keys::{ItemKey, ItemKeys, Keys, OwnKey, key_text};

/// One item that a spider took from a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// A JSON value, serialised.
    pub json: Box<str>,
    /// Of what kind it is, by the list of [`Kinds`] that comes with it.
    pub kind: u16,
}

impl Item {
    /// One of no kind.
    #[must_use]
    pub fn plain(json: impl Into<Box<str>>) -> Self {
        Self { json: json.into(), kind: Kinds::NONE }
    }
}

/// What is known of a kind of items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemKind {
    /// The name of its type, or of its table in the configuration; empty if it has none.
    pub name: Box<str>,
    /// Which fields it has, as its author numbers it, or a hash over them; empty if nothing is
    /// known of that.
    pub version: Box<str>,
    /// The fields whose values tell one item of the kind from others; empty if nothing does.
    pub key: Vec<Box<str>>,
    /// What tells the keys of these items from those of others, if it is not the kind itself: the
    /// `dedup` step that they come from.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub space: Box<str>,
}

impl ItemKind {
    /// What tells the keys of these items from those of others.
    #[must_use]
    pub fn key_space(&self) -> Cow<'_, str> {
        match self.space.is_empty() {
            true => format!("\u{2}{}\u{2}{}", self.name, self.key.join("\0")).into(),
            false => Cow::Borrowed(&self.space),
        }
    }
}

/// The kinds of some items; an item says which by a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds(Vec<Arc<ItemKind>>);

impl Kinds {
    /// The number of items of no kind.
    pub const NONE: u16 = 0;

    /// The kind of this number; `None` for [`NONE`](Self::NONE).
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&Arc<ItemKind>> {
        self.0.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of a kind for which `is_it` holds; if there is none, it is made. No list is that
    /// long: what does not fit any more is of no kind.
    pub fn number(
        &mut self,
        is_it: impl Fn(&Arc<ItemKind>) -> bool,
        make: impl FnOnce() -> Arc<ItemKind>,
    ) -> u16 {
        if let Some(at) = self.0.iter().position(is_it) {
            return u16::try_from(at + 1).unwrap_or(Self::NONE);
        }
        let Ok(number) = u16::try_from(self.0.len() + 1) else { return Self::NONE };
        self.0.push(make());
        number
    }

    /// All of them, the one with number 1 first.
    #[must_use]
    pub fn all(&self) -> &[Arc<ItemKind>] {
        &self.0
    }
}

/// What a callback took from a page, before all steps.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// The spider's name.
    pub spider: Arc<str>,
    /// The kinds of `items`.
    pub kinds: Kinds,
    /// The items, in order.
    pub items: Vec<Item>,
}

impl From<Vec<Item>> for Taken {
    fn from(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }
}

/// What the spider took from a page, after all steps of the pipeline.
#[derive(Debug, Clone, Default)]
pub struct PageItems {
    /// The spider's name.
    pub spider: Arc<str>,
    /// The kinds of `kept`. What had none is of a kind that is called as the page's label.
    pub kinds: Kinds,
    /// Those to be stored, in order.
    pub kept: Vec<Item>,
    /// The keys of each of them; as long as `kept`, or empty if none of them has a key.
    pub keys: Vec<Keys>,
    /// Which fields of `kept` are filled.
    pub fields: FieldCounts,
    /// Those that a step dropped.
    pub dropped: Vec<DroppedItem>,
    /// The files that `kept` ask for.
    pub files: Files,
}

impl PageItems {
    /// Items of a page with this label that went through no step, their keys not looked at.
    #[must_use]
    pub fn plain(label: &str, taken: impl Into<Taken>) -> Self {
        let Taken { spider, kinds, mut items } = taken.into();
        let mut out = Self { spider, ..Self::default() };
        for item in &mut items {
            item.kind = out.kind(kinds.get(item.kind), label);
            out.count(item);
        }
        out.kept = items;
        out
    }

    /// The number of a kind, which is called as the label if it has no name.
    pub fn kind(&mut self, kind: Option<&Arc<ItemKind>>, label: &str) -> u16 {
        match kind {
            Some(kind) if !kind.name.is_empty() => self
                .kinds
                .number(|known| Arc::ptr_eq(known, kind) || known == kind, || kind.clone()),
            None if label.is_empty() => Kinds::NONE,
            kind => {
                let kind = kind.map_or_else(ItemKind::default, |kind| ItemKind::clone(kind));
                let kind = ItemKind { name: label.into(), ..kind };
                self.kinds.number(|known| **known == kind, || Arc::new(kind.clone()))
            }
        }
    }

    /// Counts the fields of an item of one of its kinds.
    pub fn count(&mut self, item: &Item) {
        let name = self.kinds.get(item.kind).map_or("", |kind| &*kind.name);
        self.fields.add(name, &item.json);
    }

    /// Takes an item back that was counted.
    pub fn discount(&mut self, item: &Item) {
        let name = self.kinds.get(item.kind).map_or("", |kind| &*kind.name);
        self.fields.remove(name, &item.json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: &str) -> Item {
        Item::plain(json)
    }

    #[test]
    fn an_item_that_is_no_object_counts_and_has_no_fields() {
        let items = PageItems::plain("", vec![item("3"), item("[1]"), item("no JSON")]);
        assert_eq!((items.fields.n_items(), items.fields.kinds[""].fields.len()), (3, 0));
    }

    #[test]
    fn what_has_no_kind_is_called_as_the_label() {
        let book = Arc::new(ItemKind { name: "Book".into(), ..ItemKind::default() });
        let nameless = Arc::new(ItemKind { version: "2".into(), ..ItemKind::default() });
        let mut kinds = Kinds::default();
        let number = kinds.number(|kind| *kind == book, || book.clone());
        let other = kinds.number(|kind| *kind == nameless, || nameless.clone());
        assert_eq!(kinds.number(|kind| **kind == *book, || unreachable!()), number);
        let items = [number, other, Kinds::NONE].map(|kind| Item { kind, ..item("{}") });
        let taken = Taken { kinds, items: items.to_vec(), ..Taken::default() };
        let page = PageItems::plain("list", taken);
        let of = |item: &Item| page.kinds.get(item.kind).map(|kind| ItemKind::clone(kind));
        let kinds: Vec<_> = page.kept.iter().filter_map(of).collect();
        let names: Vec<_> = kinds.iter().map(|kind| (&*kind.name, &*kind.version)).collect();
        assert_eq!(names, [("Book", ""), ("list", "2"), ("list", "")]);
        assert_eq!(page.fields.kinds["list"].items, 2);
    }
}
