//! Items of microdata and RDFa, and their JSON form (HTML Standard, section 5.3).
//!
//! Items refer to items, in circles, too, and one item can be the value of thousands of others,
//! so a small document can stand for a huge JSON text. A budget cuts that short.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Deepest nesting of items within items.
const MAX_DEPTH: usize = 32;

/// Values in all items of a document together.
const MAX_VALUES: usize = 200_000;

/// Bytes of text in all items of a document together.
const MAX_TEXT_BYTES: usize = 32 << 20;

/// A value of a property.
pub(super) enum Property {
    Text(String),
    /// An item, by its place in the list.
    Item(usize),
}

/// An item.
#[derive(Default)]
pub(super) struct Item {
    pub(super) types: Vec<String>,
    pub(super) id: Option<String>,
    pub(super) properties: Vec<(String, Property)>,
}

/// The items of a document as JSON.
pub(super) struct Items {
    pub(super) items: Vec<Value>,
    pub(super) truncated: bool,
}

/// How much may still be read or written.
pub(super) struct Budget {
    n_values: usize,
    n_bytes: usize,
    pub(super) exceeded: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { n_values: MAX_VALUES, n_bytes: MAX_TEXT_BYTES, exceeded: false }
    }
}

impl Budget {
    /// Takes one value's worth; false if there is no room left.
    pub(super) fn value(&mut self) -> bool {
        let left = self.n_values.checked_sub(1);
        self.n_values = left.unwrap_or(0);
        self.exceeded |= left.is_none();
        left.is_some() && self.n_bytes > 0
    }

    /// The text, if there is room for it.
    pub(super) fn text(&mut self, text: Cow<'_, str>) -> Option<String> {
        self.take(text.len()).then(|| text.into_owned())
    }

    /// Takes room for so many bytes; false if there is not enough left.
    fn take(&mut self, n_bytes: usize) -> bool {
        let left = self.n_bytes.checked_sub(n_bytes);
        self.n_bytes = left.unwrap_or(0);
        self.exceeded |= left.is_none();
        left.is_some()
    }
}

/// The JSON form of the items at these places. `exceeded` says whether reading them was cut
/// short already.
pub(super) fn to_json(items: &[Item], top: impl Iterator<Item = usize>, exceeded: bool) -> Items {
    let mut budget = Budget { exceeded, ..Budget::default() };
    let mut writing = Writing { items, open: vec![false; items.len()], budget: &mut budget };
    let written = top.filter_map(|place| writing.item(place, 0)).collect();
    Items { items: written, truncated: budget.exceeded }
}

struct Writing<'a> {
    items: &'a [Item],
    /// The items that are being written.
    open: Vec<bool>,
    budget: &'a mut Budget,
}

impl Writing<'_> {
    /// An item; the recursion ends at [`MAX_DEPTH`].
    fn item(&mut self, place: usize, depth: usize) -> Option<Value> {
        if depth >= MAX_DEPTH {
            self.budget.exceeded = true;
            return None;
        }
        let items = self.items;
        let item = &items[place];
        self.open[place] = true;
        let mut properties = Map::new();
        for (name, value) in &item.properties {
            if !self.budget.value() {
                break;
            }
            let value = match value {
                Property::Text(text) => self.budget.text(Cow::Borrowed(text)).map(Value::String),
                // What the standard says of an item within itself.
                Property::Item(inner) if self.open[*inner] => Some(Value::from("ERROR")),
                Property::Item(inner) => self.item(*inner, depth + 1),
            };
            let (Some(value), true) = (value, self.budget.take(name.len())) else { continue };
            let values =
                properties.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new()));
            values.as_array_mut().expect("only lists are put in").push(value);
        }
        self.open[place] = false;
        let mut object = Map::new();
        let n_bytes = item.types.iter().chain(&item.id).map(String::len).sum();
        if !self.budget.take(n_bytes) {
            return None;
        }
        if !item.types.is_empty() {
            object.insert("type".to_owned(), Value::from(item.types.clone()));
        }
        if let Some(id) = &item.id {
            object.insert("id".to_owned(), Value::from(id.as_str()));
        }
        object.insert("properties".to_owned(), Value::Object(properties));
        Some(Value::Object(object))
    }
}
